package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// asking is a request that is under way in a bubble, from a client of its own.
type asking struct {
	client *clientConn
	// done is closed when the request is over; the rest is valid then.
	done chan struct{}
	ctx  *fasthttp.RequestCtx
	body string
	took time.Duration
}

// ask sends a request without waiting for the answer.
func (w *bubble) ask(method, path string, body io.Reader) *asking {
	other := *w
	other.client, _ = fakeClient(w.t)
	a := &asking{client: other.client, done: make(chan struct{})}
	begun := time.Now()
	go func() {
		defer close(a.done)
		a.ctx = other.handle(method, path, body)
		var answer bytes.Buffer
		_ = a.ctx.Response.BodyWriteTo(&answer)
		a.body = answer.String()
		a.took = time.Since(begun).Round(10 * time.Millisecond) // pipes are closed a moment late
	}()
	return a
}

// chat asks for a small answer in Chat.
func (w *bubble) chat(model string) *asking {
	return w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, model, false)))
}

// status waits for the answer and returns its status.
func (a *asking) status() int {
	<-a.done
	return a.ctx.Response.StatusCode()
}

// leave is what the sweeper does when the client has left.
func (a *asking) leave() { a.client.call.Load().abandon(a.client, abandonedByClient) }

// counting is an upstream that takes its time, and notes how many requests it had at once.
type counting struct {
	now, most atomic.Int64
	served    atomic.Int64
}

func (u *counting) dialer(takes time.Duration) dialer {
	return piped(func(c net.Conn, r *bufio.Reader) {
		for {
			if _, err := readRequest(r); err != nil {
				return
			}
			if n := u.now.Add(1); n > u.most.Load() {
				u.most.Store(n)
			}
			time.Sleep(takes)
			u.now.Add(-1)
			u.served.Add(1)
			if _, err := io.WriteString(c, wholeChat); err != nil {
				return
			}
		}
	})
}

func TestRequestsBeyondTheLimitWaitInTheOrderInWhichTheyCame(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var upstream counting
		w := newBubble(t, nil, upstream.dialer(300*time.Millisecond))
		w.gateway.admission.limit = 2
		var all []*asking
		var ended []int
		var mu sync.Mutex
		for i := range 6 {
			a := w.chat("m")
			all = append(all, a)
			go func() {
				<-a.done
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, i)
			}()
			time.Sleep(10 * time.Millisecond)
		}
		for i, a := range all {
			if status := a.status(); status != 200 {
				t.Errorf("request %d: got %d, %s", i, status, a.body)
			}
		}
		synctest.Wait()
		if !slices.IsSorted(ended) {
			t.Errorf("they ended in the order %v", ended)
		}
		if most := upstream.most.Load(); most != 2 {
			t.Errorf("the upstream had %d at once, want 2", most)
		}
		w.wantNothingTaken()
	})
}

func TestRequestThatWaitedForASecondIsRefused(t *testing.T) {
	for _, p := range llm.Protocols {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v stream=%v", p, stream), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					w := newBubble(t, nil, answering(5*time.Second, wholeChat))
					w.gateway.admission.limit = 1
					first := w.chat("m")
					synctest.Wait()
					second := w.ask(http.MethodPost, paths[p], strings.NewReader(requestBody(p, "m", stream)))
					want := map[llm.Protocol]int{llm.Chat: 503, llm.Responses: 503, llm.Messages: 529}[p]
					if status := second.status(); status != want || second.took != admissionWait {
						t.Errorf("got %d after %v, want %d after %v: %s", status, second.took, want, admissionWait, second.body)
					}
					h := &second.ctx.Response.Header
					if got := string(h.Peek("Retry-After")); got != "1" || !strings.Contains(second.body, "overloaded") {
						t.Errorf("got Retry-After %q, %s", got, second.body)
					}
					if o := w.ledger.wait(t, 1); o.Class != outcome.ClassRefused || o.Status != want || o.APIKeyName != "test" {
						t.Errorf("recorded: %+v", o)
					}
					if status := first.status(); status != 200 {
						t.Errorf("the first got %d", status)
					}
					w.wantNothingTaken()
				})
			})
		}
	}
}

func TestRefusedRequestKeepsItsConnection(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.gateway.admission.limit = 1
	w.gateway.admission.taken.Add(1)
	conn := w.dial()
	for _, want := range []int{503, 200} {
		send(t, conn, "POST "+paths[llm.Chat], "", requestBody(llm.Chat, "m", false))
		if resp, body := receive(t, conn); resp.StatusCode != want || resp.Close {
			t.Errorf("got %d, close %v, %s", resp.StatusCode, resp.Close, body)
		}
		if want == 503 {
			w.gateway.admission.leave()
		}
	}
}

func TestNoMoreWaitThanTheLineIsLong(t *testing.T) {
	for limit, waiting := range map[int64]int{1: leastWaiting, 20: 20, 2000: mostWaiting} {
		inBubble(t, func(t *testing.T) {
			w := newBubble(t, nil, answering(5*time.Second, wholeChat))
			w.gateway.admission.limit = limit
			w.gateway.admission.taken.Store(limit)
			var all []*asking
			for range waiting + 5 {
				all = append(all, w.chat("m"))
			}
			synctest.Wait()
			atOnce := 0
			for _, a := range all {
				if a.status() == 503 && a.took == 0 {
					atOnce++
				}
			}
			if atOnce != 5 {
				t.Errorf("limit %d: %d were refused at once, want 5", limit, atOnce)
			}
			w.gateway.admission.taken.Add(-limit)
			w.wantNothingTaken()
		})
	}
}

func TestClientThatLeavesTheLineIsForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil, answering(500*time.Millisecond, wholeChat))
		w.gateway.admission.limit = 1
		first := w.chat("m")
		synctest.Wait()
		second := w.chat("m")
		synctest.Wait()
		third := w.chat("m")
		time.Sleep(100 * time.Millisecond)
		second.leave()
		if status := second.status(); status != statusClientGone || second.took != 100*time.Millisecond {
			t.Errorf("who left: got %d after %v", status, second.took)
		}
		if o := w.ledger.wait(t, 1); o.Class != outcome.ClassClientGone || len(o.Attempts) != 0 {
			t.Errorf("recorded: %+v", o)
		}
		// The place goes to the third at once: nobody else is before it.
		if status := third.status(); first.status() != 200 || status != 200 || third.took > 1100*time.Millisecond {
			t.Errorf("who waited behind: got %d after %v", status, third.took)
		}
		w.wantNothingTaken()
	})
}

func TestClientThatLeavesTheLineIsNoticed(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.gateway.admission.limit = 1
	w.gateway.admission.taken.Add(1)
	conn := w.dial()
	send(t, conn, "POST "+paths[llm.Chat], "", requestBody(llm.Chat, "m", false))
	for w.gateway.admission.waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	left := time.Now()
	_ = conn.Close()
	if o := w.ledger.wait(t, 1); o.Class != outcome.ClassClientGone {
		t.Errorf("recorded: %+v", o)
	}
	if took := time.Since(left); took >= admissionWait {
		t.Errorf("noticed after %v", took)
	}
	w.gateway.admission.leave()
}

func TestShutdownServesThoseInLine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil, answering(500*time.Millisecond, wholeChat))
		w.gateway.admission.limit = 1
		first := w.chat("m")
		synctest.Wait()
		second := w.chat("m")
		synctest.Wait()
		w.gateway.StartDraining()
		if a, b := first.status(), second.status(); a != 200 || b != 200 {
			t.Errorf("got %d and %d, %s", a, b, second.body)
		}
		w.wantNothingTaken()
	})
}

func TestTheEndOfTheDrainEndsTheLine(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.gateway.admission.limit = 1
	w.gateway.admission.taken.Add(1)
	conn := w.dial()
	send(t, conn, "POST "+paths[llm.Chat], "", requestBody(llm.Chat, "m", false))
	for w.gateway.admission.waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if err := w.gateway.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if resp, body := receive(t, conn); resp.StatusCode != 503 || !strings.Contains(body, "shutting down") || time.Since(began) >= admissionWait {
		t.Errorf("got %d after %v, %s", resp.StatusCode, time.Since(began), body)
	}
	w.gateway.admission.leave()
}

func TestProbesAndStrangersTakeNoPlace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil, answering(0, wholeChat))
		w.gateway.admission.limit = 1
		w.gateway.admission.taken.Add(1)
		for path, want := range map[string]int{"/": 200, "/healthz": 200, "/readyz": 200, "/v1/models": 200, "/v1/models/m": 200, "/nowhere": 404} {
			a := w.ask(http.MethodGet, path, nil)
			if status := a.status(); status != want || a.took != 0 {
				t.Errorf("%s: got %d after %v, want %d", path, status, a.took, want)
			}
		}
		stranger := new(fasthttp.RequestCtx)
		stranger.Init2(w.client, nil, false)
		stranger.Request.Header.SetMethod(http.MethodPost)
		stranger.Request.SetRequestURI(paths[llm.Chat])
		start := time.Now()
		if w.gateway.handle(stranger); stranger.Response.StatusCode() != 401 || time.Since(start) != 0 {
			t.Errorf("a stranger got %d after %v", stranger.Response.StatusCode(), time.Since(start))
		}
		// Everything else stands behind the limit.
		for _, r := range []struct{ method, path string }{
			{http.MethodPost, "/v1/messages/count_tokens"}, {http.MethodPost, "/v1/responses/compact"}, {http.MethodGet, "/v1/responses/resp_1"},
		} {
			if status := w.ask(r.method, r.path, strings.NewReader("{}")).status(); status != 503 && status != 529 {
				t.Errorf("%s %s: got %d", r.method, r.path, status)
			}
		}
		w.gateway.admission.leave()
		w.wantNothingTaken()
	})
}

// readNoted is a body that says when it is read.
type readNoted struct {
	io.Reader
	read atomic.Bool
}

func (r *readNoted) Read(p []byte) (int, error) {
	r.read.Store(true)
	return r.Reader.Read(p)
}

func TestNothingIsReadForThoseInLine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil, answering(0, wholeChat))
		w.gateway.admission.limit = 1
		w.gateway.admission.taken.Add(1)
		body := &readNoted{Reader: strings.NewReader(requestBody(llm.Chat, "m", false))}
		a := w.ask(http.MethodPost, paths[llm.Chat], body)
		time.Sleep(500 * time.Millisecond)
		if body.read.Load() {
			t.Error("the body was read")
		}
		w.gateway.admission.leave()
		if status := a.status(); status != 200 || a.took != 500*time.Millisecond {
			t.Errorf("got %d after %v, %s", status, a.took, a.body)
		}
		w.wantNothingTaken()
	})
}

func TestLargeBodiesAreRefusedBesideOthers(t *testing.T) {
	body := func(size int) string { return requestBody(llm.Chat, "m", false) + strings.Repeat(" ", size) }
	for _, announced := range []bool{false, true} {
		t.Run(fmt.Sprintf("announced=%v", announced), func(t *testing.T) {
			address, goOn := rawHolding(t)
			w := newWorld(t, 1, at(address))
			w.gateway.admission.mostBodies = 2 * bodyStep
			ask := func(size int) net.Conn {
				conn := w.dial()
				if announced {
					go send(t, conn, "POST "+paths[llm.Chat], "", body(size))
				} else {
					go send(t, conn, "POST "+paths[llm.Chat], "Transfer-Encoding: chunked\r\n", chunked(body(size))+lastChunk)
				}
				return conn
			}
			wantStatus := func(what string, conn net.Conn, want int) {
				t.Helper()
				resp, answer := receive(t, conn)
				if resp.StatusCode != want || want == 503 && resp.Header.Get("Retry-After") != "1" {
					t.Errorf("%s: got %d, Retry-After %q, want %d: %s", what, resp.StatusCode, resp.Header.Get("Retry-After"), want, answer)
				}
			}
			alone := ask(900 << 10) // more than there is for all
			<-goOn.arrived
			wantStatus("a large one beside it", ask(2*smallBody), 503)
			small := ask(1000)
			<-goOn.arrived
			goOn.answer <- struct{}{}
			goOn.answer <- struct{}{}
			wantStatus("alone", alone, 200)
			wantStatus("a small one beside it", small, 200)
			one, two := ask(2*smallBody), ask(2*smallBody)
			<-goOn.arrived
			<-goOn.arrived
			wantStatus("a third one", ask(2*smallBody), 503)
			goOn.answer <- struct{}{}
			goOn.answer <- struct{}{}
			wantStatus("one of two", one, 200)
			wantStatus("the other of two", two, 200)
			w.ledger.wait(t, 6)
			w.gateway.wantNothingTaken(t)
		})
	}
}

// holding is an upstream that says when a request has arrived and answers when it is told.
type holding struct{ arrived, answer chan struct{} }

func rawHolding(t *testing.T) (string, holding) {
	h := holding{make(chan struct{}, 10), make(chan struct{})}
	address := rawUpstream(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			if _, err := readRequest(r); err != nil {
				return
			}
			h.arrived <- struct{}{}
			<-h.answer
			_, _ = io.WriteString(c, wholeChat)
		}
	})
	return address, h
}

func TestParallelRequestsNeverExceedTheLimit(t *testing.T) {
	const limit = 3
	g := new(Gateway)
	g.admission.limit = limit
	var running, most, admitted, gone atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20_000 {
				c := &call{gateway: g}
				if rand.IntN(100) == 0 {
					c.abandoned = abandonedByClient // it never waits
				}
				if c.admit() != nil {
					gone.Add(1)
					continue
				}
				n := running.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				admitted.Add(1)
				running.Add(-1)
				g.admission.leave()
			}
		})
	}
	group.Wait()
	if most.Load() > limit || admitted.Load()+gone.Load() != 8*20_000 || admitted.Load() < 7*20_000 {
		t.Errorf("at most %d at once, %d admitted, %d gone", most.Load(), admitted.Load(), gone.Load())
	}
	if a := &g.admission; a.taken.Load() != 0 || a.owed != 0 || len(a.line) != 0 {
		t.Errorf("left: taken %d, owed %d, in line %d", a.taken.Load(), a.owed, len(a.line))
	}
}

// wantNothingTaken checks that every place has come back, on the gateway and on its channels.
func (w *bubble) wantNothingTaken() {
	w.t.Helper()
	w.gateway.wantNothingTaken(w.t)
}

func (g *Gateway) wantNothingTaken(t *testing.T) {
	t.Helper()
	a := &g.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taken.Load() != 0 || a.owed != 0 || len(a.line) != 0 {
		t.Errorf("of the gateway: %d taken, %d owed, %d in line", a.taken.Load(), a.owed, len(a.line))
	}
	if n := a.bodies.Load(); n != 0 {
		t.Errorf("%d bytes of bodies are counted", n)
	}
	if n := g.waiters.count.Load(); n != 0 || len(g.waiters.line) != 0 {
		t.Errorf("%d wait for channels", n)
	}
	for id, l := range g.loads.known {
		if l.mu.Lock(); l.running != 0 {
			t.Errorf("of channel %s: %d taken", id, l.running)
		}
		l.mu.Unlock()
	}
	for id, a := range g.accounts.all() {
		if a.mu.Lock(); a.running != 0 || a.reserved != 0 {
			t.Errorf("of API key %s: %d running, %d nano-USD reserved", id, a.running, a.reserved)
		}
		a.mu.Unlock()
	}
}

// panickingConn is a connection that panics after a number of reads and writes.
type panickingConn struct {
	net.Conn
	io int
}

func (c *panickingConn) count() {
	if c.io--; c.io < 0 {
		panic("connection")
	}
}

func (c *panickingConn) Read(p []byte) (int, error)  { c.count(); return c.Conn.Read(p) }
func (c *panickingConn) Write(p []byte) (int, error) { c.count(); return c.Conn.Write(p) }

func TestPlacesComeBackOnEveryPath(t *testing.T) {
	large := strings.Repeat(" ", 2*smallBody)
	chat := requestBody(llm.Chat, "m", false) + large
	stream := requestBody(llm.Chat, "m", true) + large
	for _, c := range []struct {
		name, body string
		upstream   dialer
		change     func(*bubble)
		during     func(*asking)
	}{
		{name: "whole", body: chat, upstream: answering(time.Second, wholeChat)},
		{name: "stream", body: stream, upstream: answering(time.Second, streamHead, chatEvent("a"), chatEnd)},
		{name: "channel/model", body: requestBody(llm.Chat, "p1/x", true) + large, upstream: answering(time.Second, streamHead, chatEvent("a"), chatEnd)},
		{name: "bad body", body: "{" + large},
		{name: "unknown model", body: requestBody(llm.Chat, "other", false)},
		{name: "too large", body: `{"model":"` + strings.Repeat("m", 2<<20)},
		{name: "no connection", body: chat, upstream: unreachable},
		{name: "an error of the provider", body: chat, upstream: answering(0, withHead(500, `{"error":{"message":"x"}}`))},
		{name: "a request that is wrong", body: chat, upstream: answering(0, withHead(400, `{"error":{"message":"x"}}`))},
		{name: "cut", body: stream, upstream: piped(func(c net.Conn, r *bufio.Reader) {
			_, _ = readRequest(r)
			_, _ = io.WriteString(c, streamHead+chatEvent("a"))
		})},
		{name: "the client leaves before the answer", body: chat, upstream: answering(30*time.Second, wholeChat), during: (*asking).leave},
		{name: "the client leaves inside a stream", body: stream, upstream: answering(400*time.Millisecond, streamHead, chatEvent("a"), chatEvent("b"), chatEnd),
			during: func(a *asking) { time.Sleep(time.Second); a.leave() }},
		{name: "a panic in the handler", body: chat, upstream: func(time.Duration) (net.Conn, error) {
			_, ours := net.Pipe()
			return &panickingConn{Conn: ours}, nil
		}},
		{name: "a panic in the stream", body: stream, upstream: func(timeout time.Duration) (net.Conn, error) {
			conn, err := answering(time.Second, streamHead, chatEvent("a"), chatEnd)(timeout)
			return &panickingConn{Conn: conn, io: 3}, err // a write, the head, the first event
		}},
		{name: "a panic at the end", body: stream, upstream: answering(0, streamHead, chatEvent("a"), chatEnd),
			change: func(w *bubble) { w.gateway.options.Ledger = panicking{} }},
		{name: "a panic at the end of a refusal", body: "{" + large, change: func(w *bubble) { w.gateway.options.Ledger = panicking{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				if c.upstream == nil {
					c.upstream = answering(0, wholeChat)
				}
				w := newBubble(t, func(c *config.Config) {
					c.Channels[0].Limits.Concurrency = 1
					costing(usd, usd)(c)
					keyed(config.APIKey{Concurrency: 1, RPM: 10, TPM: 1_000_000, BudgetNanoUSD: 1e9, Unpriced: config.UnpricedAllow})(c)
				}, c.upstream)
				w.gateway.admission.limit, w.gateway.admission.mostBodies = 1, 1
				if c.change != nil {
					c.change(w)
				}
				a := w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(c.body))
				synctest.Wait()
				if c.during != nil {
					c.during(a)
				}
				<-a.done
				w.wantNothingTaken()
			})
		})
	}
}
