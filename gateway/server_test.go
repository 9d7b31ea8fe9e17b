package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// exhaustedListener fails with each of its errors before it gives a connection.
type exhaustedListener struct {
	net.Listener
	errs []error
}

func (l *exhaustedListener) Accept() (net.Conn, error) {
	if len(l.errs) == 0 {
		conn, _ := net.Pipe()
		return conn, nil
	}
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
}

func TestAcceptOutlivesAnExhaustedSystem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := &Gateway{logger: slog.New(slog.DiscardHandler)}
		l := &listener{gateway: g}
		for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
			err := os.NewSyscallError("accept4", errno)
			l.Listener = &exhaustedListener{errs: []error{err, err, err}}
			start := time.Now()
			c, err := l.Accept()
			if err != nil || time.Since(start) < 3*acceptPause {
				t.Fatalf("%v: got %v after %v, want a connection after some pauses", errno, err, time.Since(start))
			}
			_ = c.Close()
		}
		l.Listener = &exhaustedListener{errs: []error{net.ErrClosed}}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed listener: got %v", err)
		}
	})
}

// selfSigned returns the configuration of a TLS server.
func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// shakeHands returns the server's side of a TLS connection whose client says nothing after the handshake.
func shakeHands(t *testing.T, config *tls.Config) *secureConn {
	t.Helper()
	server, client := fakeClient(t)
	go func() {
		c := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}()
	c := &secureConn{Conn: tls.Server(server, config), client: server}
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestHandshakeIsNoRequest(t *testing.T) {
	config := selfSigned(t)
	t.Run("for the time that a connection may idle", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			c := shakeHands(t, config)
			start := time.Now()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) < clientIdle-time.Second {
				t.Errorf("got %v after %v, want a timeout after %v", err, time.Since(start), clientIdle)
			}
		})
	})
	t.Run("for a shutdown", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			c := shakeHands(t, config)
			c.client.list.closeSilent()
			start := time.Now()
			if _, err := c.Read(make([]byte, 1)); err == nil || time.Since(start) > 0 {
				t.Errorf("got %v after %v, want a closed connection", err, time.Since(start))
			}
		})
	})
}

func TestServeAfterShutdownReturns(t *testing.T) {
	g := New(Options{MaxBodySize: 1})
	if err := g.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.Serve(ln, nil) }()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it serves")
		_ = ln.Close()
	}
}

func TestShutdownServesWhatWasSentBeforeIt(t *testing.T) {
	defer func(grace time.Duration) { silentGrace = grace }(silentGrace)
	silentGrace = time.Minute // however busy the machine is
	w := newWorld(t, 1, nil)
	conns := make([]net.Conn, 20)
	for i := range conns {
		conns[i] = w.dial()
	}
	for w.gateway.clients.count.Load() < int64(len(conns)) {
		w.call(llm.Chat, "m", false) // accepted after the others
	}
	body := requestBody(llm.Chat, "m", false)
	for _, conn := range conns {
		send(t, conn, "POST "+paths[llm.Chat], "", body)
	}
	done := make(chan error, 1)
	go func() { done <- w.gateway.Shutdown(context.Background()) }()
	for i, conn := range conns {
		if resp, _ := receive(t, conn); resp.StatusCode != http.StatusOK {
			t.Errorf("request %d: got %d", i, resp.StatusCode)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRefusedUploadsDoNotDelayShutdown(t *testing.T) {
	for _, c := range []struct {
		name, header, body string
		status             int
	}{
		{"of a known length", "Content-Encoding: br\r\n", requestBody(llm.Chat, "m", false), 415},
		{"in chunks", "Transfer-Encoding: chunked\r\n", chunked(strings.Repeat(" ", 2<<20)) + lastChunk, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			for range 3 {
				conn := w.dial()
				send(t, conn, "POST "+paths[llm.Chat], c.header, c.body)
				if resp, _ := receive(t, conn); resp.StatusCode != c.status {
					t.Fatalf("got %d, want %d", resp.StatusCode, c.status)
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), 3*lingerTime)
			defer cancel()
			if err := w.gateway.Shutdown(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestShutdownRecordsTheCallsThatItCuts(t *testing.T) {
	dialed := make(chan struct{}, 1)
	address := mute(t, dialed)
	w := newWorld(t, 1, func(c *config.Config) {
		at(address)(c)
		for i := range c.Channels[0].Endpoints {
			e := &c.Channels[0].Endpoints[i]
			e.BaseURL = strings.Replace(e.BaseURL, "http:", "https:", 1)
		}
		c.Groups[0].Policy.ConnectTimeout = time.Minute
	})
	conn := w.dial()
	send(t, conn, "POST "+paths[llm.Chat], "", requestBody(llm.Chat, "m", false))
	<-dialed
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.gateway.Shutdown(ctx); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if n := w.gateway.inFlight.Load(); n != 0 {
		t.Errorf("%d calls still run after Shutdown", n)
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if len(w.ledger.rows) != 1 || w.ledger.rows[0].Class != outcome.ClassUnavailable {
		t.Errorf("recorded: %+v", w.ledger.rows)
	}
}

// mute accepts connections, says so, and answers nothing: no handshake either.
func mute(t *testing.T, accepted chan<- struct{}) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			accepted <- struct{}{}
		}
	}()
	return ln.Addr().String()
}
