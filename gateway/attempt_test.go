package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/dial"
	"octopus/gateway/outcome"
)

// at points the channels at other upstreams, by their addresses.
func at(addresses ...string) func(*config.Config) {
	return func(c *config.Config) {
		for i, address := range addresses {
			for j := range c.Channels[i].Endpoints {
				c.Channels[i].Endpoints[j].BaseURL = "http://" + address + "/v1"
			}
		}
	}
}

// unreachable is an upstream that does not answer to a dial.
func unreachable(timeout time.Duration) (net.Conn, error) {
	time.Sleep(timeout)
	return nil, &dial.Error{Kind: dial.Timeout, Err: context.DeadlineExceeded}
}

func TestDialEndsWithTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) {
			c.Groups[0].Policy.Deadline = 300 * time.Millisecond
			c.Groups[0].Policy.ConnectTimeout = 3 * time.Second
		}, unreachable)
		start := time.Now()
		if status, body := w.call(llm.Chat, false); status != 504 || time.Since(start) > 400*time.Millisecond {
			t.Errorf("got %d after %v: %s", status, time.Since(start), body)
		}
	})
}

func TestClientThatLeavesDuringADialBlamesNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w *bubble
		w = newBubble(t, nil, func(timeout time.Duration) (net.Conn, error) {
			w.client.call.Load().abandon(w.client, abandonedByClient)
			return unreachable(timeout)
		}, answering(0, wholeChat))
		w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", false)))
		o := w.ledger.wait(t, 1)
		if o.Status != statusClientGone || len(o.Attempts) != 1 || o.Attempts[0].Class != outcome.ClassClientGone {
			t.Errorf("status %d, attempts %+v", o.Status, o.Attempts)
		}
	})
}

func TestUpstreamThatDoesNotReadTheRequestIsLeftForAnother(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) { c.Groups[0].Policy.AnswerTimeout = 500 * time.Millisecond },
			func(time.Duration) (net.Conn, error) { unread, _ := net.Pipe(); return unread, nil }, answering(0, wholeChat))
		start := time.Now()
		status, body := w.call(llm.Chat, false)
		if took := time.Since(start); status != 200 || took > time.Second {
			t.Errorf("got %d after %v: %s", status, took, body)
		}
		if o := w.ledger.wait(t, 1); o.Attempts[0].Class != outcome.ClassSilent || len(o.Attempts) != 2 {
			t.Errorf("attempts: %+v", o.Attempts)
		}
	})
}

func TestErrorThatComesOverTheKeepAliveInstantIsReadWhole(t *testing.T) {
	answer := withHead(400, `{"error":{"message":"maximum context length is 100 tokens","type":"invalid_request_error","code":"context_length_exceeded"}}`)
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) {
			c.Groups[0].Policy.KeepAlive = 100 * time.Millisecond
			c.Groups[0].Members[1].Model = "larger"
		}, answering(70*time.Millisecond, head+"\r\n\r\n", body), answering(0, streamHead+chatEvent("a")+chatEnd))
		if status, got := w.call(llm.Chat, true); status != 200 || !strings.HasSuffix(got, terminal[llm.Chat]) {
			t.Errorf("got %d, %s", status, got)
		}
		if o := w.ledger.wait(t, 1); o.Attempts[0].Class != outcome.ClassContext || o.Attempts[0].Message == "" {
			t.Errorf("first attempt: %+v", o.Attempts[0])
		}
	})
}

func TestTimeOfTheUploadIsNoReasonForAnEarlyAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) { c.Groups[0].Policy.KeepAlive = time.Second },
			answering(50*time.Millisecond, withHead(400, `{"error":{"message":"no","type":"invalid_request_error"}}`)))
		upload, client := io.Pipe()
		go func() {
			body := requestBody(llm.Chat, "m", true)
			_, _ = io.WriteString(client, body[:20])
			time.Sleep(20 * time.Second)
			_, _ = io.WriteString(client, body[20:])
			_ = client.Close()
		}()
		ctx := w.handle(http.MethodPost, paths[llm.Chat], upload)
		if status := ctx.Response.StatusCode(); status != 400 {
			t.Errorf("got %d, want the provider's 400", status)
			_ = ctx.Response.CloseBodyStream()
		}
	})
}

func TestWholeAnswerMayBeSlowButNotStall(t *testing.T) {
	for _, c := range []struct {
		name   string
		pieces int // of 4 that come
		status int
	}{
		{"slow", 4, 200},
		{"stalled", 2, 504},
	} {
		t.Run(c.name, func(t *testing.T) {
			var pieces []string
			for size, rest := len(wholeChat)/4+1, wholeChat; rest != ""; {
				n := min(size, len(rest))
				pieces, rest = append(pieces, rest[:n]), rest[n:]
			}
			inBubble(t, func(t *testing.T) {
				w := newBubble(t, idleAfter(time.Second), answering(900*time.Millisecond, pieces[:c.pieces]...))
				start := time.Now()
				status, body := w.call(llm.Chat, false)
				if took := time.Since(start); status != c.status || took > 5*time.Second {
					t.Errorf("got %d after %v: %s", status, took, body)
				}
			})
		})
	}
}

func TestHeaderThatIsCutIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		first := true
		w := newBubble(t, nil, piped(func(c net.Conn, r *bufio.Reader) {
			if _, err := readRequest(r); err != nil {
				return
			}
			answer := wholeChat
			if first {
				answer = answer[:30]
			}
			first = false
			_, _ = io.WriteString(c, answer)
		}))
		status, body := w.call(llm.Chat, false)
		if o := w.ledger.wait(t, 1); status != 200 || len(o.Attempts) != 2 || o.Attempts[0].Class != outcome.ClassTransient {
			t.Errorf("got %d, %s after %+v", status, body, o.Attempts)
		}
	})
}

func TestAnswerThatComesBeforeTheRequestWasReadIsTaken(t *testing.T) {
	refusal := withHead(413, `{"error":{"message":"too large for this model","type":"invalid_request_error","code":"request_too_large"}}`)
	connections := make(chan int, 10)
	address := rawUpstream(t, func(n int, c net.Conn, r *bufio.Reader) {
		connections <- n
		if _, err := http.ReadRequest(r); err == nil {
			_, _ = io.WriteString(c, refusal)
		}
	})
	w := newWorld(t, 1, at(address))
	w.request(http.MethodGet, "/healthz") // Serve has read its options then
	w.gateway.options.MaxBodySize = 32 << 20
	for i := range 2 {
		resp := w.post(paths[llm.Chat], fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"%s"}]}`, strings.Repeat("x", 16<<20)))
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if o := w.ledger.wait(t, i+1); resp.StatusCode != 413 || !strings.Contains(string(body), "too large for this model") || len(o.Attempts) != 1 {
			t.Errorf("got %d, %s after %+v", resp.StatusCode, body, o.Attempts)
		}
		if n := <-connections; n != i+1 {
			t.Errorf("request %d came over connection %d", i+1, n)
		}
	}
}

func TestMemberThatCannotCarryTheRequestIsPassedOver(t *testing.T) {
	const body = `{"model":"m","logprobs":true,"n":2,"messages":[{"role":"user","content":"hi"}]}`
	w := newWorld(t, 2, func(c *config.Config) {
		speaking(llm.Messages)(c)
		c.Groups[0].Mode = config.ModeRoundRobin
		c.Groups = append(c.Groups, c.Groups[0])
		c.Groups[1].Name, c.Groups[1].Aliases, c.Groups[1].Members = "converted", nil, c.Groups[0].Members[:1]
	})
	for i := range 4 {
		resp := w.post(paths[llm.Chat], body)
		_ = resp.Body.Close()
		if o := w.ledger.wait(t, i+1); resp.StatusCode != 200 || len(o.Attempts) != 1 || o.Attempts[0].Channel != "p2" {
			t.Errorf("request %d: got %d after %+v", i+1, resp.StatusCode, o.Attempts)
		}
	}
	resp := w.post(paths[llm.Chat], strings.Replace(body, `"m"`, `"converted"`, 1))
	_ = resp.Body.Close()
	if o := w.ledger.wait(t, 5); resp.StatusCode != 400 || len(o.Attempts) != 0 || o.Class != outcome.ClassInvalid {
		t.Errorf("no other member: got %d, %v after %+v", resp.StatusCode, o.Class, o.Attempts)
	}
}

func TestBadKeysLeaveAttemptsForTheNextMember(t *testing.T) {
	for _, fault := range []string{"status=401", "status=429", "status=400,code=invalid_api_key"} {
		w := newWorld(t, 2, func(c *config.Config) {
			members("upstream!"+fault, "upstream")(c)
			for i := range 5 {
				c.Channels[0].Keys = append(c.Channels[0].Keys, config.Key{ID: fmt.Sprintf("k%011d", i), Secret: "sk-upstream-bad", Weight: 1})
			}
		})
		status, body, header := w.call(llm.Chat, "m", false)
		if o := w.ledger.wait(t, 1); status != 200 || header.Get("X-Octopus-Channel") != "p2" || len(o.Attempts) != maxKeysTried+1 {
			t.Errorf("%s: got %d, %s after %d attempts", fault, status, body, len(o.Attempts))
		}
	}
}

func TestOutcomeSaysWhyThereIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve dialer
		want  string
	}{
		{"no connection", func(time.Duration) (net.Conn, error) {
			return nil, &dial.Error{Kind: dial.Refused, Err: fmt.Errorf("connection refused")}
		}, "connection refused"},
		{"closed without an answer", piped(func(_ net.Conn, r *bufio.Reader) { _, _ = readRequest(r) }), "EOF"},
		{"not HTTP", answering(0, "hello\r\n\r\n"), "headers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newBubble(t, nil, c.serve)
				ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", false)))
				o := w.ledger.wait(t, 1)
				if ctx.Response.StatusCode() != 502 || !strings.Contains(o.Attempts[0].Message, c.want) {
					t.Errorf("got %d, attempts %+v", ctx.Response.StatusCode(), o.Attempts)
				}
				if strings.Contains(string(ctx.Response.Body()), c.want) {
					t.Errorf("the client got the operator's words: %s", ctx.Response.Body())
				}
				if id := string(ctx.Response.Header.Peek("X-Request-Id")); o.ID != id || id == "" {
					t.Errorf("the outcome is of request %q, the client knows %q", o.ID, id)
				}
			})
		})
	}
}

// Nobody waits for a target that is not tried again.
func TestLastFailureIsToldAtOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		change func(*config.Policy)
	}{
		{"the attempts are used up", failing(429, "Retry-After: 3\r\n"), func(p *config.Policy) { p.Attempts = 1 }},
		{"the deadline comes before", failing(429, "Retry-After: 3\r\n"), func(p *config.Policy) { p.Deadline = 2 * time.Second }},
		{"a transient fault", failing(500, ""), func(p *config.Policy) { p.Attempts = 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := rehearse(t, func(cfg *config.Config) {
					cfg.Groups[0].Policy.RateLimitWait = 5 * time.Second
					c.change(&cfg.Groups[0].Policy)
				}, always(c.answer))
				start := time.Now()
				ctx, body := w.try(false)
				if took := time.Since(start); took > 10*time.Millisecond || ctx.Response.StatusCode() == 200 {
					t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), took, body)
				}
				if o := w.ledger.wait(t, 1); len(o.Attempts) != 1 || o.Attempts[0].Verdict == outcome.TryAgain {
					t.Errorf("attempts %+v", o.Attempts)
				}
			})
		})
	}
}

// Its connection breaks because it was closed here: that says nothing of the others.
func TestClientThatLeavesCostsNoConnections(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var dials atomic.Int32
		upstream := &rehearsed{say: func(n int, _ string) []any {
			if n > 2 {
				return []any{hang{}}
			}
			return []any{time.Second, wholeChat}
		}}
		w := newBubble(t, nil, func(timeout time.Duration) (net.Conn, error) {
			dials.Add(1)
			return upstream.dial(timeout)
		})
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { w.guest().try(false) })
		}
		both.Wait()
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.try(false)
		}()
		time.Sleep(time.Second)
		w.client.call.Load().abandon(w.client, abandonedByClient)
		<-done
		idle := 0
		for _, o := range w.gateway.origins.known {
			idle += o.client.IdleConnsCount()
		}
		if dials.Load() != 2 || idle != 1 {
			t.Errorf("%d connections were made, %d are left, want 2 and 1", dials.Load(), idle)
		}
	})
}
