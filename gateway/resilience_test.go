package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
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

// rehearsed is an upstream of a bubble that answers each request as say tells, and notes when it came and with which
// credential.
type rehearsed struct {
	// say returns the answer to the nth request, counted from 1. Its pieces are written behind the pauses between them.
	say func(n int, key string) []any
	// left, unless it is nil, is called when the gateway has closed a connection that hangs.
	left func()

	mu    sync.Mutex
	times []time.Time
	keys  []string
}

func (r *rehearsed) dial(time.Duration) (net.Conn, error) {
	return piped(func(c net.Conn, in *bufio.Reader) {
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			key := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
			r.mu.Lock()
			r.times, r.keys = append(r.times, time.Now()), append(r.keys, key)
			n := len(r.times)
			r.mu.Unlock()
			for _, part := range r.say(n, key) {
				switch part := part.(type) {
				case time.Duration:
					time.Sleep(part)
				case string:
					if _, err := io.WriteString(c, part); err != nil {
						return
					}
				case hang:
					_, _ = in.ReadByte() // until the gateway closes it
					if r.left != nil {
						r.left()
					}
					return
				case nil:
					return
				}
			}
		}
	})(0)
}

// hang is a part of an answer: nothing more, and the connection stays open.
type hang struct{}

// seen returns when requests came.
func (r *rehearsed) seen() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.times...)
}

// always answers every request with the parts.
func always(parts ...any) *rehearsed {
	return &rehearsed{say: func(int, string) []any { return parts }}
}

// first answers the first n requests with one answer and all others with another.
func first(n int, answer, then any) *rehearsed {
	return &rehearsed{say: func(i int, _ string) []any {
		if i <= n {
			return []any{answer}
		}
		return []any{then}
	}}
}

// failing is an error answer of a Chat upstream, with further header lines.
func failing(status int, header string) string {
	const body = `{"error":{"message":"no","type":"server_error"}}`
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
}

// wholeStream is a stream of a Chat upstream that says a text.
func wholeStream(text string) string { return streamHead + chatEvent(text) + chatEnd }

// rehearse makes a bubble over such upstreams, with policy's cooldown at its default.
func rehearse(t *testing.T, change func(*config.Config), upstreams ...*rehearsed) *bubble {
	t.Helper()
	var dialers []dialer
	for _, u := range upstreams {
		dialers = append(dialers, u.dial)
	}
	return newBubble(t, func(c *config.Config) {
		c.Groups[0].Policy.Cooldown = config.DefaultPolicy().Cooldown
		if change != nil {
			change(c)
		}
	}, dialers...)
}

// guest returns the same gateway with a client connection of its own.
func (w *bubble) guest() *bubble {
	g := *w
	g.client, _ = fakeClient(w.t)
	return &g
}

// try asks the group for an answer and returns the handled request and its body.
func (w *bubble) try(stream bool) (*fasthttp.RequestCtx, string) {
	ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", stream)))
	var body bytes.Buffer
	_ = ctx.Response.BodyWriteTo(&body)
	return ctx, body.String()
}

// gaps returns the times between those.
func gaps(times []time.Time) (d []time.Duration) {
	for i := 1; i < len(times); i++ {
		d = append(d, times[i].Sub(times[i-1]))
	}
	return d
}

// most returns how many of the times fall into any span of that length.
func most(times []time.Time, span time.Duration) (n int) {
	for i := range times {
		in := 0
		for _, at := range times[i:] {
			if at.Sub(times[i]) < span {
				in++
			}
		}
		n = max(n, in)
	}
	return n
}

func TestRateLimitedTargetIsWaitedForAsLongAsThePolicySays(t *testing.T) {
	for _, c := range []struct {
		name        string
		wait        time.Duration
		header      string
		first, next int // requests that the two upstreams get
		took        time.Duration
		why         outcome.Reason
	}{
		{"within the wait", 3 * time.Second, "Retry-After: 2\r\n", 2, 0, 2 * time.Second, outcome.ByWait},
		{"longer than the wait", time.Second, "Retry-After: 2\r\n", 1, 1, 0, outcome.ByDefault},
		{"no wait configured", 0, "Retry-After: 2\r\n", 1, 1, 0, outcome.ByDefault},
		{"no time given", 3 * time.Second, "", 1, 1, 0, outcome.ByDefault},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				limited, other := first(1, failing(429, c.header), wholeChat), always(wholeChat)
				w := rehearse(t, func(cfg *config.Config) { cfg.Groups[0].Policy.RateLimitWait = c.wait }, limited, other)
				start := time.Now()
				if ctx, body := w.try(false); ctx.Response.StatusCode() != 200 {
					t.Fatalf("got %d: %s", ctx.Response.StatusCode(), body)
				}
				if a, b, took := len(limited.seen()), len(other.seen()), time.Since(start); a != c.first || b != c.next || took < c.took || took > c.took+100*time.Millisecond {
					t.Errorf("%d and %d requests, answered after %v", a, b, took)
				}
				o := w.ledger.wait(t, 1)
				if got := o.Attempts[1].Why; got != c.why {
					t.Errorf("second attempt: by %v, want %v", got, c.why)
				}
			})
		})
	}
}

func TestTargetThatLimitsForEverIsLeftAlone(t *testing.T) {
	for _, others := range []int{0, 1} {
		inBubble(t, func(t *testing.T) {
			upstreams := []*rehearsed{always(failing(429, "")), always(wholeChat)}[:1+others]
			w := rehearse(t, func(c *config.Config) {
				c.Groups[0].Policy.Cooldown = config.Cooldown{Base: 500 * time.Millisecond, Max: 500 * time.Millisecond}
			}, upstreams...)
			var clients sync.WaitGroup
			for range 3 {
				clients.Go(func() {
					guest := w.guest()
					for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(77 * time.Millisecond) {
						ctx, body := guest.try(false)
						if status := ctx.Response.StatusCode(); status != 200 && others > 0 || status != 429 && others == 0 {
							t.Errorf("got %d: %s", status, body)
						}
					}
				})
				time.Sleep(10 * time.Millisecond)
			}
			clients.Wait()
			if got := most(upstreams[0].seen(), 3*time.Second); got > 4 {
				t.Errorf("%d other targets: %d tries in 3 s, gaps %v", others, got, gaps(upstreams[0].seen()))
			}
		})
	}
}

func TestFaultThatPassesIsRepeatedAfterAShortPause(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		u := first(1, failing(500, ""), wholeChat)
		w := rehearse(t, nil, u, always(wholeChat))
		if ctx, body := w.try(false); ctx.Response.StatusCode() != 200 {
			t.Fatalf("got %d: %s", ctx.Response.StatusCode(), body)
		}
		gap := gaps(u.seen())
		if len(gap) != 1 || gap[0] < 50*time.Millisecond || gap[0] > 251*time.Millisecond {
			t.Errorf("pauses before the same target's second try: %v", gap)
		}
		if o := w.ledger.wait(t, 1); len(o.Attempts) != 2 || o.Attempts[1].Why != outcome.ByRepeat || o.Attempts[0].Verdict != outcome.TryAgain {
			t.Errorf("attempts: %+v", o.Attempts)
		}
	})
}

func TestTargetThatIsDownIsProbedOncePerInterval(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		recovered := time.Now().Add(time.Minute)
		primary := &rehearsed{say: func(int, string) []any {
			if time.Now().Before(recovered) {
				return []any{failing(503, "")}
			}
			return []any{wholeChat}
		}}
		w := rehearse(t, nil, primary, always(wholeChat))
		back, served := time.Duration(0), 0
		for range 120 {
			ctx, body := w.try(false)
			if ctx.Response.StatusCode() != 200 {
				t.Fatalf("got %d: %s", ctx.Response.StatusCode(), body)
			}
			if string(ctx.Response.Header.Peek("X-Octopus-Channel")) == "p1" {
				if served++; served == 1 {
					back = time.Since(recovered)
				}
			}
			time.Sleep(time.Second)
		}
		if back > 30*time.Second || served == 0 {
			t.Errorf("back on the primary after %v, served %d times", back, served)
		}
		var down []time.Time
		for _, at := range primary.seen() {
			if at.Before(recovered) {
				down = append(down, at)
			}
		}
		for i, gap := range gaps(down) {
			if least := []time.Duration{4, 8, 16}[min(i, 2)] * time.Second; gap < least {
				t.Errorf("probe %d came %v after the one before", i+1, gap)
			}
		}
		if len(down) < 4 || len(down) > 6 {
			t.Errorf("%d tries while it was down", len(down))
		}
		o := w.ledger.wait(t, 2)
		if s := o.Attempts[0].Skipped; len(s) != 1 || s[0].Channel != "p1" || s[0].Class != outcome.ClassOverloaded || s[0].Until <= 0 {
			t.Errorf("skipped: %+v", s)
		}
		if w.ledger.wait(t, 1).Attempts[0].Skipped != nil {
			t.Error("something was skipped although all was sound")
		}
	})
}

func TestBadKeysOfAPoolCostNoRequest(t *testing.T) {
	for _, fault := range []int{401, 402, 403, 429} {
		inBubble(t, func(t *testing.T) {
			u := &rehearsed{say: func(_ int, key string) []any {
				if strings.Contains(key, "good") {
					return []any{wholeChat}
				}
				return []any{failing(fault, "Retry-After: 100\r\n")}
			}}
			w := rehearse(t, func(c *config.Config) {
				c.Channels[0].Keys = []config.Key{{ID: "key000000001", Secret: "sk-bad-one", Weight: 5}, {ID: "key000000002", Secret: "sk-bad-two", Weight: 5},
					{ID: "key000000003", Secret: "sk-good", Weight: 1}}
			}, u)
			for range 20 {
				if ctx, body := w.try(false); ctx.Response.StatusCode() != 200 {
					t.Errorf("%d: got %d: %s", fault, ctx.Response.StatusCode(), body)
				}
			}
			if bad := len(u.seen()) - 20; bad != 2 {
				t.Errorf("%d: bad keys were tried %d times, want each once", fault, bad)
			}
			if !strings.Contains(metricsOf(w.gateway), `octopus_target_cooling{channel="p1"} 2`+"\n") {
				t.Errorf("%d: metrics: %s", fault, metricsOf(w.gateway))
			}
		})
	}
}

func metricsOf(g *Gateway) string {
	var b bytes.Buffer
	g.WriteMetrics(&b)
	return b.String()
}

// A member with many bad keys is left for the next one, and comes back into play when that fails as well.
func TestKeysThatWereNotTriedComeAfterTheOtherMembers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		u := &rehearsed{say: func(_ int, key string) []any {
			if key == "sk-3" {
				return []any{wholeChat}
			}
			return []any{failing(401, "")}
		}}
		w := rehearse(t, func(c *config.Config) {
			c.Channels[0].Keys = nil
			for i := 1; i <= 3; i++ {
				c.Channels[0].Keys = append(c.Channels[0].Keys, config.Key{ID: fmt.Sprintf("key%09d", i), Secret: config.Secret(fmt.Sprint("sk-", i)), Weight: 1})
			}
		}, u, always(failing(503, "")))
		ctx, body := w.try(false)
		o := w.ledger.wait(t, 1)
		if ctx.Response.StatusCode() != 200 || len(o.Attempts) > 4 {
			t.Errorf("got %d: %s, after %+v", ctx.Response.StatusCode(), body, o.Attempts)
		}
	})
}

func TestAllTargetsOutIsToldAtOnceWithReasonsAndTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		one, two := always(failing(429, "Retry-After: 40\r\n")), always(failing(503, ""))
		w := rehearse(t, func(c *config.Config) {
			c.Groups[0].Policy.Cooldown = config.Cooldown{Base: time.Minute, Max: time.Minute}
		}, one, two)
		ctx, body := w.try(false)
		if after := string(ctx.Response.Header.Peek("Retry-After")); ctx.Response.StatusCode() != 429 || after != "40" {
			t.Errorf("with attempts: got %d, Retry-After %q: %s", ctx.Response.StatusCode(), after, body)
		}
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		ctx, body = w.try(true)
		after := string(ctx.Response.Header.Peek("Retry-After"))
		if ctx.Response.StatusCode() != 429 || after != "39" || time.Since(start) > 0 {
			t.Errorf("without: got %d, Retry-After %q after %v: %s", ctx.Response.StatusCode(), after, time.Since(start), body)
		}
		for _, want := range []string{"p1/upstream: rate limited, out for 38.5s", "p2/upstream: overloaded, out for "} {
			if !strings.Contains(body, want) {
				t.Errorf("no %q in %s", want, body)
			}
		}
		if strings.Contains(body, ".test") || strings.Contains(body, "sk-") {
			t.Errorf("says more than it may: %s", body)
		}
		o := w.ledger.wait(t, 2)
		if o.Class != outcome.ClassUnavailable || len(o.Attempts) != 0 || len(o.Skipped) != 2 {
			t.Errorf("outcome: %v, attempts %+v, skipped %+v", o.Class, o.Attempts, o.Skipped)
		}
		tried := len(one.seen()) + len(two.seen())
		for range 300 {
			w.try(false)
			time.Sleep(100 * time.Millisecond)
		}
		if more := len(one.seen()) + len(two.seen()) - tried; more < 8 || more > 14 {
			t.Errorf("%d requests reached the two targets in 30 s, want one each 5 s", more)
		}
	})
}

func TestChannelNamesAreToldOnlyWhereTheyMayBe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := rehearse(t, func(c *config.Config) { c.Settings.RelayHeaders = false }, always(failing(503, "")), always(failing(503, "Retry-After: 90\r\n")))
		if _, body := w.try(false); strings.Contains(body, "p1") || strings.Contains(body, "upstream:") {
			t.Errorf("got %s", body)
		}
	})
}

func TestRequestsWaitForTheNearestTarget(t *testing.T) {
	for _, stream := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			good := any(wholeChat)
			if stream {
				good = wholeStream("hi")
			}
			u := first(1, failing(429, "Retry-After: 3\r\n"), good)
			w := rehearse(t, func(c *config.Config) { c.Groups[0].Policy.KeepAlive = time.Second }, u)
			var clients sync.WaitGroup
			for i := range 30 {
				clients.Go(func() {
					start := time.Now()
					ctx, body := w.guest().try(stream)
					if ctx.Response.StatusCode() != 200 || !strings.Contains(body, `"hi"`) || stream && !strings.HasSuffix(body, terminal[llm.Chat]) {
						t.Errorf("got %d: %s", ctx.Response.StatusCode(), body)
					}
					if took := time.Since(start); took > 3100*time.Millisecond {
						t.Errorf("answered after %v", took)
					}
					if pings := strings.Count(body, ": "); stream && i > 0 && pings < 1 {
						t.Errorf("no sign of life while waiting: %q", body)
					}
				})
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
			clients.Wait()
			times := u.seen()
			if len(times) != 31 {
				t.Errorf("%d requests reached the target, want each once and the first one twice", len(times))
			}
			if gap := times[1].Sub(times[0]); gap < 3*time.Second {
				t.Errorf("tried again after %v", gap)
			}
		})
	}
}

func TestClientThatLeavesWhileItsRequestWaits(t *testing.T) {
	for _, stream := range []bool{false, true} {
		for _, why := range []abandonment{abandonedByClient, abandonedByShutdown} {
			inBubble(t, func(t *testing.T) {
				w := rehearse(t, func(c *config.Config) {
					c.Groups[0].Policy.RateLimitWait = time.Hour
					c.Groups[0].Policy.KeepAlive = 10 * time.Second
				}, always(failing(429, "Retry-After: 60\r\n")))
				start := time.Now()
				done := make(chan struct{})
				go func() {
					defer close(done)
					w.try(stream)
				}()
				time.Sleep(20500 * time.Millisecond)
				w.client.call.Load().abandon(w.client, why)
				<-done
				if took := time.Since(start); took != 20500*time.Millisecond {
					t.Errorf("stream %v: ended after %v", stream, took)
				}
				want := outcome.ClassClientGone
				if why == abandonedByShutdown {
					want = outcome.ClassUnavailable
				}
				if o := w.ledger.wait(t, 1); o.Class != want || len(o.Attempts) != 1 || o.Attempts[0].Class != outcome.ClassRateLimited {
					t.Errorf("stream %v: outcome %v, attempts %+v", stream, o.Class, o.Attempts)
				}
			})
		}
	}
}

func TestWaitEndsWithTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := rehearse(t, func(c *config.Config) { c.Groups[0].Policy.Deadline = time.Second }, first(1, failing(429, "Retry-After: 2\r\n"), wholeChat))
		start := time.Now()
		ctx, body := w.try(false)
		if ctx.Response.StatusCode() != 429 || time.Since(start) > 10*time.Millisecond || string(ctx.Response.Header.Peek("Retry-After")) != "2" {
			t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), time.Since(start), body)
		}
	})
}

func TestFirstTokenTimeoutCountsHeadersAndFirstEvent(t *testing.T) {
	for _, c := range []struct {
		name  string
		slow  []any
		other string
		want  string // of the answer
	}{
		{"headers at once, first event late", []any{streamHead, 20 * time.Second, chatEvent("slow") + chatEnd}, wholeStream("other"), "other"},
		{"all late", []any{20 * time.Second, wholeStream("slow")}, wholeStream("other"), "other"},
		{"pings only", []any{streamHead, chunked(": ping\n\n"), 900 * time.Millisecond, chunked(": ping\n\n"), 900 * time.Millisecond, chunked(": ping\n\n"), 20 * time.Second, chatEvent("slow") + chatEnd},
			wholeStream("other"), "other"},
		{"no other is usable", []any{streamHead, 20 * time.Second, chatEvent("slow") + chatEnd}, failing(401, ""), "slow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				slow := always(c.slow...)
				w := rehearse(t, func(cfg *config.Config) {
					cfg.Groups[0].Policy.FirstTokenTimeout = time.Second
					cfg.Groups[0].Members[0].Priority, cfg.Groups[0].Members[1].Priority = 2, 1
				}, slow, always(c.other))
				if c.want == "slow" {
					w.try(true) // takes the other one out
				} else {
					g := w.gateway.snapshot.Load().groups["m"]
					g.members[0].config.Priority, g.members[1].config.Priority = 1, 2
					g.balance = newBalancer(config.ModeFailover, g.members)
				}
				before, start := len(slow.seen()), time.Now()
				ctx, body := w.try(true)
				if ctx.Response.StatusCode() != 200 || !strings.Contains(body, c.want) {
					t.Fatalf("got %d: %s", ctx.Response.StatusCode(), body)
				}
				if took := time.Since(start); c.want == "other" && took > 1100*time.Millisecond {
					t.Errorf("answered after %v", took)
				}
				if tries := len(slow.seen()) - before; tries != 1 {
					t.Errorf("the slow target was tried %d times", tries)
				}
			})
		})
	}
}

// A target that is silent for longer than the policy allows is left as soon as another one is back.
func TestSilentTargetIsLeftWhenAnotherComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		silent := &rehearsed{say: func(int, string) []any { return []any{hang{}} }}
		other := first(1, failing(503, ""), wholeChat)
		w := rehearse(t, func(c *config.Config) {
			c.Groups[0].Policy.AnswerTimeout = time.Second
			c.Groups[0].Members[0].Priority, c.Groups[0].Members[1].Priority = 2, 1
		}, silent, other)
		start := time.Now()
		ctx, body := w.try(false)
		if took := time.Since(start); ctx.Response.StatusCode() != 200 || took < 4*time.Second || took > 8*time.Second {
			t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), took, body)
		}
	})
}

func TestCompleteCommitHidesStreamsThatBreak(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, c := range []struct {
			name   string
			broken []any
		}{
			{"cut", []any{streamHead + chatEvent("half"), time.Second, nil}},
			{"cut inside an event", []any{streamHead + chatEvent("half") + "ff\r\ndata: {", nil}},
			{"stalled", []any{streamHead + chatEvent("half"), hang{}}},
			{"error event", []any{streamHead + chatEvent("half"), time.Second, chunked("data: {\"error\":{\"message\":\"no\",\"type\":\"server_error\"}}\n\n"), time.Second}},
		} {
			w := rehearse(t, func(cfg *config.Config) {
				cfg.Groups[0].Policy.Commit = config.CommitComplete
				cfg.Groups[0].Policy.KeepAlive = 2 * time.Second
				cfg.Groups[0].Policy.IdleTimeout = 5 * time.Second
			}, always(c.broken...), always(streamHead, chatEvent("all "), 3*time.Second, chatEvent("of it")+chatEnd))
			ctx, body := w.try(true)
			if ctx.Response.StatusCode() != 200 || strings.Contains(body, "half") || !strings.Contains(body, "of it") || !strings.HasSuffix(body, terminal[llm.Chat]) {
				t.Errorf("%s: got %d: %s", c.name, ctx.Response.StatusCode(), body)
			}
			if !strings.Contains(body, ": ") || strings.Contains(body, "error") {
				t.Errorf("%s: got %s", c.name, body)
			}
			o := w.ledger.wait(t, 1)
			if o.Class != outcome.ClassNone || len(o.Attempts) != 2 || o.Attempts[0].Class != outcome.ClassCut || o.Attempts[1].Class != outcome.ClassNone {
				t.Errorf("%s: outcome %v after %+v", c.name, o.Class, o.Attempts)
			}
		}
	})
}

func TestCompleteCommitTellsOfTheCutWhenNothingElseAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := rehearse(t, func(c *config.Config) { c.Groups[0].Policy.Commit = config.CommitComplete },
			always(streamHead+chatEvent("half"), nil), always(failing(400, "")))
		ctx, body := w.try(true)
		if ctx.Response.StatusCode() != 502 || !strings.Contains(body, "closed the stream") {
			t.Errorf("got %d: %s", ctx.Response.StatusCode(), body)
		}
		if o := w.ledger.wait(t, 1); o.Class != outcome.ClassCut || len(o.Attempts) != 2 {
			t.Errorf("outcome %v after %+v", o.Class, o.Attempts)
		}
	})
}

func TestCompleteCommitHoldsSoMuchAndNoMore(t *testing.T) {
	outside := maxAnswer
	maxAnswer = 1 << 20
	defer func() { maxAnswer = outside }()
	inBubble(t, func(t *testing.T) {
		part := chatEvent(strings.Repeat("x", 100<<10))
		say := []any{streamHead}
		for range 15 {
			say = append(say, part, time.Second)
		}
		w := rehearse(t, func(c *config.Config) {
			c.Groups[0].Policy.Commit = config.CommitComplete
			c.Groups[0].Policy.KeepAlive = 0
		}, always(append(say, chatEnd)...))
		start := time.Now()
		ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", true)))
		if took := time.Since(start); took < 9*time.Second || took > 12*time.Second {
			t.Errorf("the answer began after %v, want it when 1 MiB was there", took)
		}
		var body bytes.Buffer
		if err := ctx.Response.BodyWriteTo(&body); err != nil || strings.Count(body.String(), "x") < 15*(100<<10) || !strings.HasSuffix(body.String(), terminal[llm.Chat]) {
			t.Errorf("got %d bytes, %v", body.Len(), err)
		}
	})
}

func TestProbeOfAClientThatLeftLetsTheNextOneGo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		u := &rehearsed{say: func(n int, _ string) []any {
			return [][]any{{failing(503, "")}, {hang{}}, {wholeChat}}[n-1]
		}}
		w := rehearse(t, nil, u, always(wholeChat))
		w.try(false)
		time.Sleep(7 * time.Second)
		gone := w.guest()
		done := make(chan struct{})
		go func() {
			defer close(done)
			gone.try(false)
		}()
		time.Sleep(time.Second)
		if ctx, _ := w.try(false); string(ctx.Response.Header.Peek("X-Octopus-Channel")) != "p2" {
			t.Error("two probes at once")
		}
		gone.client.call.Load().abandon(gone.client, abandonedByClient)
		<-done
		if ctx, _ := w.try(false); string(ctx.Response.Header.Peek("X-Octopus-Channel")) != "p1" {
			t.Error("the place of the probe was not given back")
		}
		if why := w.ledger.wait(t, 4).Attempts[0].Why; why != outcome.ByProbe {
			t.Errorf("chosen by %v, want probe", why)
		}
	})
}

func TestChannelThatTheClientNamesIsCalledHoweverItFares(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		u := first(3, failing(401, ""), wholeChat)
		w := rehearse(t, nil, u)
		for i, want := range []int{502, 502, 502, 200} {
			ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "p1/upstream", false)))
			_ = ctx.Response.CloseBodyStream()
			if got := ctx.Response.StatusCode(); got != want {
				t.Errorf("request %d: got %d, want %d", i+1, got, want)
			}
		}
	})
}

func TestTargetsSayHowTheyFare(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		u := &rehearsed{say: func(n int, _ string) []any {
			if n == 1 {
				return []any{failing(503, "")}
			}
			return []any{time.Second, wholeChat}
		}}
		w := rehearse(t, nil, u, always(wholeChat))
		states := func() string {
			var b strings.Builder
			for _, h := range w.gateway.Targets() {
				b.WriteString(h.Channel + "/" + h.Model + " " + string(h.State) + " " + strconv.Itoa(int(h.InFlight)) + " " + h.Why.String() + " " + h.LastError.String() + "\n")
			}
			return b.String()
		}
		want := func(p1 string) {
			t.Helper()
			if got := states(); got != "p1/upstream "+p1+"\np2/upstream sound 0 none none\n" {
				t.Errorf("got %s, want %s", got, p1)
			}
		}
		want("sound 0 none none")
		w.try(false)
		want("out 0 overloaded overloaded")
		if h := w.gateway.Targets()[0]; time.Until(h.Until) < 4*time.Second || time.Until(h.Until) > 6*time.Second || time.Since(h.LastErrorAt) > time.Second {
			t.Errorf("until %v, last error at %v", h.Until, h.LastErrorAt)
		}
		time.Sleep(7 * time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.try(false)
		}()
		synctest.Wait()
		want("probing 1 overloaded overloaded")
		<-done
		want("returning 0 none overloaded")
		time.Sleep(5 * time.Second)
		want("sound 0 none overloaded")
	})
}

// One in ten requests meets a fault, each time another one, and no client learns of any.
func TestCrowdLosesNoRequestToRandomFaults(t *testing.T) {
	faults := [][]any{
		{failing(500, "")}, {failing(503, "")}, {failing(429, "Retry-After: 1\r\n")}, {failing(429, "")}, {hang{}}, {nil},
		{streamHead, hang{}}, {streamHead + chatEvent("half"), hang{}}, {streamHead + chatEvent("half"), 100 * time.Millisecond, nil},
		{withHead(200, "<html>")},
	}
	for _, hedge := range []config.Hedge{{}, {After: 300 * time.Millisecond, MaxShare: 10}} {
		inBubble(t, func(t *testing.T) {
			var upstreams []*rehearsed
			for i := range 8 {
				upstreams = append(upstreams, &rehearsed{say: func(n int, _ string) []any {
					if (n+3*i)%10 == 7 { // not all of them at once
						return faults[(n/10+i)%len(faults)]
					}
					return []any{streamHead, 100 * time.Millisecond, chatEvent("one "), 100 * time.Millisecond, chatEvent("two") + chatEnd}
				}})
			}
			w := rehearse(t, func(c *config.Config) {
				c.Groups[0].Mode = config.ModeRoundRobin
				p := &c.Groups[0].Policy
				p.Attempts = 8 // a request that meets nothing but faults is no matter of this test
				p.FirstTokenTimeout, p.IdleTimeout, p.Commit, p.Hedge = time.Second, time.Second, config.CommitComplete, hedge
			}, upstreams...)
			var clients sync.WaitGroup
			var slowest atomic.Int64
			for range 200 {
				clients.Go(func() {
					guest := w.guest()
					for range 5 {
						start := time.Now()
						ctx, body := guest.try(true)
						if !strings.Contains(body, "one ") || !strings.HasSuffix(body, terminal[llm.Chat]) || strings.Contains(body, "half") {
							t.Errorf("got %d: %s", ctx.Response.StatusCode(), body)
						}
						slowest.Store(max(slowest.Load(), int64(time.Since(start))))
					}
				})
			}
			clients.Wait()
			t.Logf("the slowest of 1000 answers took %v", time.Duration(slowest.Load()))
			for _, h := range w.gateway.Targets() {
				if h.InFlight != 0 {
					t.Errorf("%s has %d in flight", h.Channel, h.InFlight)
				}
			}
			if n := w.gateway.inFlight.Load(); n != 0 {
				t.Errorf("%d calls in flight", n)
			}
		})
	}
}

// A target that speaks until the deadline is not silent.
func TestDeadlineOfAnAnswerThatIsKeptBackBlamesNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		parts := []any{streamHead}
		for range 30 {
			parts = append(parts, chatEvent("a"), time.Second)
		}
		w := rehearse(t, func(c *config.Config) {
			p := &c.Groups[0].Policy
			p.Commit, p.FirstTokenTimeout, p.IdleTimeout, p.Deadline = config.CommitComplete, 5*time.Second, 5*time.Second, 20*time.Second
		}, always(parts...))
		w.try(true)
		if h := w.gateway.Targets()[0]; h.State != TargetSound || h.LastError != outcome.ClassNone {
			t.Errorf("the target is %v, for %v", h.State, h.LastError)
		}
	})
}
