package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

// spellings is F19.
func spellings(t *testing.T, upstream string) {
	const (
		large    = "bigevent=4194304"
		endless  = "bigevent=50331648" // beyond the largest event, 32 MiB
		mostPeak = 256 << 20
	)
	var scenes []scene
	for i, script := range []string{
		"tokens=40,split=1", "tokens=40,split=7", "crlf", "cr", "bom", "multiline", "comments", "nospace", "nul",
		"tokens=40,split=1,crlf,bom,comments,nul,multiline", large + ",split=1400",
	} {
		// Whole answers know bytes one by one alone.
		scenes = append(scenes, scene{name: fmt.Sprint("s", i), script: script, targets: broken(""), skip: streamsOnly})
	}
	scenes = append(scenes, scene{name: "whole", script: "tokens=40,split=1", targets: broken(""), skip: wholesOnly})
	s := startStage(t, upstream, scenes...)
	const odd = `"Hello \u0000 \ud83d\ude00 日本語\r\n\té 🙂"`
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		x.checkServed(t, got, 0, 1)
		if strings.Contains(x.script, large) {
			return
		}
		begun := time.Now()
		got = timed{x.post(t.Context(), x.p, fmt.Sprintf(x.p.format, x.id, x.stream, odd)), time.Since(begun)}
		said := spoken(t, x.west, x.p, fmt.Sprintf(x.p.format, "m!"+x.words(), false, odd))
		if text := textOf(got.body, x.stream); got.status != 200 || text != said {
			t.Errorf("%v: text %q, want %q", got, text, said)
		}
	})
	ways := protocols[:1]
	if *full {
		ways = protocols
	}
	for i := range ways {
		p := &ways[i]
		got := s.post(t.Context(), p, p.body("north/m!"+endless, true))
		if got.status == 200 && !strings.Contains(got.body, p.failed) {
			t.Errorf("%s: an event beyond the limit: %d and %d bytes that end %q, want an error", p.name, got.status, len(got.body),
				tail(got.body))
		}
	}
	if peak := s.peakMemory(t); peak > mostPeak {
		t.Errorf("up to %s resident, want at most %s", mebibytes(peak), mebibytes(mostPeak))
	}
}

// oddUsage is F20.
func oddUsage(t *testing.T, upstream string) {
	var playing sync.WaitGroup
	for _, mode := range []string{"none", "late", "twice", "first", "content", "absurd"} {
		playing.Go(func() {
			t.Run(mode, func(t *testing.T) {
				one := scene{script: "tokens=20,usage=" + mode, targets: broken(""), skip: streamsOnly}
				if mode == "content" { // a way of Chat alone
					if upstream != "" && upstream != "openai-chat" {
						return
					}
					one.skip = func(p *protocol, stream bool) bool { return !stream || upstream == "" && p.name != "chat" }
				}
				s := startStage(t, upstream, one)
				s.play(t, func(t *testing.T, x *trial) { x.checkServed(t, x.ask(t), 0, 1) })
				switch got := s.settledMetrics(t); mode {
				case "none":
					// Not reported: left out, or estimated.
					n := got[series("octopus_tokens_total", "kind", "output")]
					if want := float64(20 * len(s.trials)); n != 0 && (n < want/2 || n > want*2) {
						t.Errorf("%v output tokens, want none or about %v", n, want)
					}
				case "absurd":
					for name, n := range got {
						if strings.HasPrefix(name, "octopus_tokens_total") && (n < 0 || n > 1e9) {
							t.Errorf("%s is %v, which nobody has used", name, n)
						}
					}
				default:
					s.checkTokens(t)
				}
			})
		})
	}
	playing.Wait()
}

// floods is F21.
func floods(t *testing.T, upstream string) {
	const (
		mostSent = 80 << 20  // the largest whole answer, 64 MiB, and what is under way
		mostPeak = 512 << 20 // three of them at once
	)
	expired, err := gatewaytest.Start(gatewaytest.Options{TLS: true, ExpiredCertificate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(expired.Close)
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	if err := os.WriteFile(trusted, expired.CertificatePEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	other := startProvider(t)
	var scenes []scene
	for _, fault := range []string{"gzipbomb", "endlessheaders", "endlessbody", "redirect=" + other.Origin() + "/v1/elsewhere"} {
		name, _, _ := strings.Cut(fault, "=")
		scenes = append(scenes, scene{name: name, targets: broken(fault),
			policy: "first_token_timeout: 15s, answer_timeout: 15s"})
	}
	t.Setenv("SSL_CERT_FILE", trusted)
	s := startStageWith(t, upstream, map[string]string{"channels": channel("expired", expired)}, scenes)
	var one sync.Mutex // at a time of those that are held in memory
	s.play(t, func(t *testing.T, x *trial) {
		if x.name == "endlessbody" {
			one.Lock()
			defer one.Unlock()
		}
		got := x.ask(t)
		if err := x.p.checkError(got.answer, 502); err != nil {
			t.Errorf("after %v: %v: %v", got.took, err, got)
		}
		x.checkTries(t, 1)
		if e := x.tries(0)[0]; e.Written > mostSent {
			t.Errorf("%s was read of the provider, want at most %s", mebibytes(e.Written), mebibytes(mostSent))
		}
	})
	for i := range protocols {
		p := &protocols[i]
		for _, stream := range []bool{false, true} {
			got := s.post(t.Context(), p, p.body("expired/m", stream))
			if err := p.checkError(got, 502); err != nil {
				t.Errorf("%s, expired certificate: %v: %v", p.name, err, got)
			}
		}
	}
	if n := other.Counts().Accepted; n != 0 {
		t.Errorf("the target of the redirect got %d connections", n)
	}
	if n := expired.Counts().Requests; n != 0 {
		t.Errorf("the provider with the expired certificate got %d requests", n)
	}
	if peak := s.peakMemory(t); peak > mostPeak {
		t.Errorf("up to %s resident, want at most %s", mebibytes(peak), mebibytes(mostPeak))
	}
}

// slowReader is F22.
func slowReader(t *testing.T, upstream string) {
	const (
		mostSent  = 24 << 20 // what the kernel's buffers between four ends hold
		mostGrown = 24 << 20
	)
	slow := startStage(t, upstream, scene{name: "slow", script: "tokens=20,every=50ms", targets: broken(""), skip: streamsOnly})
	slow.play(t, func(t *testing.T, x *trial) { x.checkPaced(t) })
	s := startStage(t, upstream, scene{name: "fast", script: "size=33554432,burst", targets: broken(""), skip: streamsOnly})
	for i := range protocols {
		s.post(t.Context(), &protocols[i], protocols[i].body("octo-1", true))
	}
	before := s.residentMemory(t)
	s.play(t, func(t *testing.T, x *trial) {
		conn := dial(t, x.data)
		if err := conn.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		writeRequest(t, conn, x.p.path, x.p.body(x.id, true))
		reader := bufio.NewReaderSize(conn, 4<<10)
		response, err := http.ReadResponse(reader, &http.Request{Method: "POST"})
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("%v %v", response, err)
		}
		// Nothing is read until the provider stops sending.
		for sent := int64(-1); ; tick(t, 300*time.Millisecond) {
			now := x.tries(0)[0].Written
			if now == sent {
				break
			}
			if sent = now; sent > mostSent {
				t.Fatalf("%s was read of the provider while the client read nothing", mebibytes(sent))
			}
		}
		// Then it goes on where it was.
		lines, texts := bufio.NewScanner(response.Body), 0
		for texts < 500 && lines.Scan() {
			texts += len(strings.Fields(textOf(lines.Text(), true)))
		}
		if texts < 500 {
			t.Errorf("%d words, then %v", texts, lines.Err())
		}
	})
	if grown := s.peakMemory(t) - before; grown > mostGrown {
		t.Errorf("memory grew by %s, want at most %s", mebibytes(grown), mebibytes(mostGrown))
	}
}

// checkPaced checks that a stream of 20 tokens arrives as it is sent, one every 50 ms.
func (x *trial) checkPaced(t *testing.T) {
	t.Helper()
	response, err := x.send(t.Context(), "POST", x.p.path, x.p.body(x.id, true))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var at []time.Time
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if textOf(lines.Text(), true) != "" {
			at = append(at, time.Now())
		}
	}
	if len(at) != 20 {
		t.Fatalf("%d events with text, want 20", len(at))
	}
	// The 10th is due 450 ms behind the first and 500 ms before the last.
	between(t, "the first half", at[9].Sub(at[0]), 300*time.Millisecond, 700*time.Millisecond)
	between(t, "the second half", at[19].Sub(at[9]), 300*time.Millisecond, 750*time.Millisecond)
}
