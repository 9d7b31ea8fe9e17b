package gateway

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// connectProxy is an HTTP proxy that notes what it is asked for: the head of each CONNECT.
type connectProxy struct {
	address string
	// mu guards heads.
	mu    sync.Mutex
	heads []string
	// ended gets a value whenever a tunnel has ended.
	ended chan struct{}
}

// startProxy starts a proxy that asks for a credential, as a header has it, unless that is empty.
func startProxy(t *testing.T, credential string) *connectProxy {
	t.Helper()
	p := &connectProxy{ended: make(chan struct{}, 100)}
	p.address = rawUpstream(t, func(_ int, c net.Conn, r *bufio.Reader) {
		defer func() { p.ended <- struct{}{} }()
		var raw bytes.Buffer
		request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(r, &raw)))
		if err != nil {
			return
		}
		p.mu.Lock()
		p.heads = append(p.heads, raw.String())
		p.mu.Unlock()
		if credential != "" && request.Header.Get("Proxy-Authorization") != credential {
			_, _ = io.WriteString(c, "HTTP/1.1 407 "+request.Header.Get("Proxy-Authorization")+"\r\n\r\n")
			return
		}
		upstream, err := net.Dial("tcp", request.RequestURI)
		if err != nil {
			_, _ = io.WriteString(c, "HTTP/1.1 502 X\r\n\r\n")
			return
		}
		defer upstream.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(upstream, r)
			_ = upstream.Close()
		}()
		_, _ = io.Copy(c, upstream)
	})
	return p
}

// tunnels returns the heads so far.
func (p *connectProxy) tunnels() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.heads...)
}

func TestChannelsGoThroughTheirProxyOrTheGlobalOne(t *testing.T) {
	own, global := startProxy(t, "Basic bWU6aHVudGVyMg=="), startProxy(t, "")
	w := newWorld(t, 2, func(c *config.Config) {
		c.Channels[0].Proxy = config.Secret("http://me:hunter2@" + own.address)
		c.Settings.Proxy = config.Secret("http://" + global.address)
	})
	for i, proxy := range []*connectProxy{own, global} {
		for _, p := range llm.Protocols {
			for _, stream := range []bool{false, true} {
				if status, body, _ := w.call(p, []string{"p1/x", "p2/x"}[i], stream); status != 200 {
					t.Fatalf("got %d, %s", status, body)
				}
			}
		}
		target := strings.TrimPrefix(w.providers[i].Origin(), "http://")
		want := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
		if proxy == own {
			want += "Proxy-Authorization: Basic bWU6aHVudGVyMg==\r\n"
		}
		for _, head := range proxy.tunnels() {
			if head != want+"\r\n" {
				t.Errorf("the proxy got %q, want %q", head, want+"\r\n")
			}
		}
		if got := len(proxy.tunnels()); got != 1 {
			t.Errorf("%d tunnels for 6 requests, want 1", got)
		}
		for _, r := range w.providers[i].Requests() {
			if r.Header.Get("Proxy-Authorization") != "" || !strings.HasPrefix(r.Credential, "sk-upstream") {
				t.Errorf("the provider got %v", r.Header)
			}
		}
	}
}

// Who takes a proxy away must be sure that nothing goes through it any more.
func TestConnectionsThroughAnotherProxyAreNotUsedOn(t *testing.T) {
	first, second := startProxy(t, ""), startProxy(t, "")
	w := newWorld(t, 1, nil)
	requests := 0
	for _, step := range []struct {
		name, proxy       string
		inFirst, inSecond int  // tunnels so far
		ends              bool // one of the first
	}{
		{"none", "", 0, 0, false},
		{"one", "http://" + first.address, 1, 0, false},
		{"the same", "http://" + first.address, 1, 0, false},
		{"another credential", "http://me:hunter2@" + first.address, 2, 0, true},
		{"another", "http://" + second.address, 2, 1, true},
		{"none again", "", 2, 1, false},
	} {
		c := *w.config
		c.Channels = append([]config.Channel(nil), c.Channels...)
		c.Channels[0].Proxy = config.Secret(step.proxy)
		if err := w.gateway.Apply(&c); err != nil {
			t.Fatal(err)
		}
		if step.ends {
			<-first.ended // idle connections of the old way are closed at once
		}
		for range 2 {
			if status, body, _ := w.call(llm.Chat, "m", false); status != 200 {
				t.Fatalf("%s: got %d, %s", step.name, status, body)
			}
			requests++
		}
		if a, b := len(first.tunnels()), len(second.tunnels()); a != step.inFirst || b != step.inSecond {
			t.Errorf("%s: %d and %d tunnels, want %d and %d", step.name, a, b, step.inFirst, step.inSecond)
		}
	}
	if got := len(w.providers[0].Requests()); got != requests {
		t.Errorf("the provider got %d requests, want %d", got, requests)
	}
}

func TestProxyThatRefusesIsAFailedAttemptWithoutItsPassword(t *testing.T) {
	var log bytes.Buffer
	proxy := startProxy(t, "another")
	w := newWorld(t, 2, func(c *config.Config) {
		c.Channels[0].Proxy = config.Secret("http://me:hunter2@" + proxy.address)
	})
	w.gateway.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if status, body, header := w.call(llm.Chat, "m", false); status != 200 || header.Get("X-Octopus-Channel") != "p2" {
		t.Fatalf("got %d from %s, %s", status, header.Get("X-Octopus-Channel"), body)
	}
	first := w.ledger.wait(t, 1).Attempts[0]
	if first.Class != outcome.ClassTransient || !strings.Contains(first.Message, "proxy refused the credential") ||
		!strings.Contains(first.Message, proxy.address) {
		t.Errorf("the first attempt is %+v", first)
	}
	status, body, header := w.call(llm.Chat, "p1/x", false)
	if status != 502 || strings.Contains(body, proxy.address) {
		t.Errorf("got %d, %s", status, body)
	}
	var metrics bytes.Buffer
	w.gateway.WriteMetrics(&metrics)
	second := w.ledger.wait(t, 2)
	for _, text := range []string{first.Message, body, second.Message, second.Attempts[0].Message, log.String(), metrics.String(), header.Get("X-Octopus-Warnings")} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "bWU6aHVudGVyMg") {
			t.Errorf("shows the password: %s", text)
		}
	}
}
