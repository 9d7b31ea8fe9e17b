package gateway

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// hedged sets the policy of hedges, and gives the group credit for as many as it may save up.
func hedged(t *testing.T, h config.Hedge, upstreams ...*rehearsed) *bubble {
	t.Helper()
	w := rehearse(t, func(c *config.Config) { c.Groups[0].Policy.Hedge = h }, upstreams...)
	if shared := w.gateway.snapshot.Load().groups["m"].hedging; shared != nil {
		shared.credit.Store(mostCredit)
	}
	return w
}

func TestSecondTargetAnswersWhenTheFirstTokenIsLate(t *testing.T) {
	for _, stream := range []bool{false, true} {
		for _, c := range []struct {
			name          string
			first, second []any
			channel       string
			took          time.Duration
			verdicts      []outcome.Verdict
		}{
			{"the first one is in time", []any{900 * time.Millisecond, "answer"}, []any{"answer"}, "p1", 900 * time.Millisecond, []outcome.Verdict{outcome.Commit}},
			{"the second one is faster", []any{10 * time.Second, "answer"}, []any{time.Second, "answer"}, "p2", 2 * time.Second, []outcome.Verdict{outcome.Lose, outcome.Commit}},
			{"the first one is faster after all", []any{3 * time.Second, "answer"}, []any{10 * time.Second, "answer"}, "p1", 3 * time.Second, []outcome.Verdict{outcome.Lose, outcome.Commit}},
			{"the second one fails", []any{3 * time.Second, "answer"}, []any{failing(401, "")}, "p1", 3 * time.Second, []outcome.Verdict{outcome.TryNext, outcome.Commit}},
			{"the first one fails meanwhile", []any{2 * time.Second, failing(503, "")}, []any{3 * time.Second, "answer"}, "p2", 4 * time.Second, []outcome.Verdict{outcome.TryNext, outcome.Commit}},
			{"the first one is silent", []any{hang{}}, []any{"answer"}, "p2", time.Second, []outcome.Verdict{outcome.Lose, outcome.Commit}},
		} {
			t.Run(c.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					answer := any(wholeChat)
					if stream {
						answer = wholeStream("hi")
					}
					play := func(parts []any) *rehearsed {
						var played []any
						for _, part := range parts {
							if part == "answer" {
								part = answer
							}
							played = append(played, part)
						}
						return always(played...)
					}
					w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, play(c.first), play(c.second))
					start := time.Now()
					ctx, body := w.try(stream)
					took := time.Since(start)
					if got := string(ctx.Response.Header.Peek("X-Octopus-Channel")); ctx.Response.StatusCode() != 200 || got != c.channel || !strings.Contains(body, `"hi"`) {
						t.Errorf("stream %v: got %d from %q: %s", stream, ctx.Response.StatusCode(), got, body)
					}
					if took < c.took || took > c.took+200*time.Millisecond {
						t.Errorf("stream %v: took %v, want %v", stream, took, c.took)
					}
					o := w.ledger.wait(t, 1)
					if len(o.Attempts) != len(c.verdicts) {
						t.Fatalf("stream %v: attempts %+v", stream, o.Attempts)
					}
					for i, a := range o.Attempts {
						if a.Verdict != c.verdicts[i] || (a.Channel == "p2") != (a.Why == outcome.ByHedge) {
							t.Errorf("stream %v: attempt %d: %+v, want %v", stream, i+1, a, c.verdicts[i])
						}
					}
					if o.Class != outcome.ClassNone || o.Attempts[len(o.Attempts)-1].Channel != c.channel {
						t.Errorf("stream %v: outcome %v, attempts %+v", stream, o.Class, o.Attempts)
					}
					for _, h := range w.gateway.Targets() {
						if h.InFlight != 0 {
							t.Errorf("%s has %d in flight", h.Channel, h.InFlight)
						}
					}
				})
			})
		}
	}
}

// The connection of the attempt that lost is closed at once: the provider may stop to work.
func TestConnectionOfTheSlowerTargetIsClosedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var closed atomic.Int64
		start := time.Now()
		slow := &rehearsed{say: func(int, string) []any { return []any{hang{}} }}
		slow.left = func() { closed.Store(int64(time.Since(start))) }
		w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, slow, always(streamHead, chatEvent("a"), 5*time.Second, chatEnd))
		w.try(true)
		time.Sleep(time.Second)
		if got := time.Duration(closed.Load()); got < time.Second || got > 1100*time.Millisecond {
			t.Errorf("closed after %v, want when the other one had begun", got)
		}
	})
}

func TestClientThatLeavesEndsBothAttempts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, always(hang{}), always(hang{}))
		done := make(chan struct{})
		start := time.Now()
		go func() {
			defer close(done)
			w.try(true)
		}()
		time.Sleep(5 * time.Second)
		w.client.call.Load().abandon(w.client, abandonedByClient)
		<-done
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("ended after %v", took)
		}
		if o := w.ledger.wait(t, 1); o.Class != outcome.ClassClientGone || len(o.Attempts) != 2 {
			t.Errorf("outcome %v, attempts %+v", o.Class, o.Attempts)
		}
		for _, h := range w.gateway.Targets() {
			if h.State != TargetSound || h.InFlight != 0 {
				t.Errorf("%s: %+v", h.Channel, h)
			}
		}
	})
}

// Opening a connection can't be interrupted, and the answer does not wait for it.
func TestAnswerDoesNotWaitForTheDialOfAHedge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		first := always(1500*time.Millisecond, wholeChat)
		w := newBubble(t, func(c *config.Config) { c.Groups[0].Policy.Hedge = config.Hedge{After: time.Second, MaxShare: 10} }, first.dial, unreachable)
		w.gateway.snapshot.Load().groups["m"].hedging.credit.Store(mostCredit)
		for i := range 3 {
			start := time.Now()
			if ctx, body := w.try(false); ctx.Response.StatusCode() != 200 || time.Since(start) > 1600*time.Millisecond {
				t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), time.Since(start), body)
			}
			if o := w.ledger.wait(t, i+1); len(o.Attempts) != 2 || o.Attempts[0].Verdict != outcome.Lose {
				t.Errorf("attempts %+v", o.Attempts)
			}
		}
		time.Sleep(time.Minute)
	})
}

// A call is used again: what one race has decided says nothing of the next.
func TestHedgeWinsAfterAnEarlierOneWasLeftDialing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		own := &rehearsed{say: func(n int, _ string) []any {
			if n == 1 {
				return []any{1500 * time.Millisecond, wholeChat}
			}
			return []any{hang{}}
		}}
		second, dials := always(wholeChat), 0
		w := newBubble(t, func(c *config.Config) { c.Groups[0].Policy.Hedge = config.Hedge{After: time.Second, MaxShare: 10} }, own.dial,
			func(timeout time.Duration) (net.Conn, error) {
				if dials++; dials == 1 {
					return unreachable(timeout)
				}
				return second.dial(timeout)
			})
		w.gateway.snapshot.Load().groups["m"].hedging.credit.Store(mostCredit)
		w.try(false)
		time.Sleep(time.Minute)
		for range 3 {
			start := time.Now()
			if ctx, body := w.try(false); ctx.Response.StatusCode() != 200 || time.Since(start) > 1100*time.Millisecond {
				t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), time.Since(start), body)
			}
		}
	})
}

// What is wrong with a request is so for every target, whichever attempt learns it.
func TestRequestThatAHedgeShowsToBeWrongIsNotSentElsewhere(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []any
	}{
		{"after the first one has failed", []any{2 * time.Second, failing(503, "")}, []any{2 * time.Second, failing(400, "")}},
		{"before the first one fails", []any{4 * time.Second, failing(503, "")}, []any{failing(400, "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				third := always(wholeChat)
				w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, always(c.first...), always(c.second...), third)
				if ctx, body := w.try(false); ctx.Response.StatusCode() != 400 || len(third.seen()) != 0 {
					t.Errorf("got %d, and %d requests to the third target: %s", ctx.Response.StatusCode(), len(third.seen()), body)
				}
			})
		})
	}
}

func TestHedgesAreNeverMoreThanTheirShare(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		second := always(wholeChat)
		w := rehearse(t, func(c *config.Config) {
			c.Groups[0].Policy.Hedge = config.Hedge{After: 10 * time.Millisecond, MaxShare: 7}
		},
			always(time.Second, wholeChat), second)
		var clients sync.WaitGroup
		for range 10 {
			clients.Go(func() {
				guest := w.guest()
				for range 100 {
					if ctx, body := guest.try(false); ctx.Response.StatusCode() != 200 {
						t.Errorf("got %d: %s", ctx.Response.StatusCode(), body)
					}
				}
			})
		}
		clients.Wait()
		if got := len(second.seen()); got != 70 {
			t.Errorf("%d of 1000 requests were hedged, want 70", got)
		}
	})
}

func TestRequestsThatLeaveMoreThanAnAnswerAreNotSentTwice(t *testing.T) {
	for _, c := range []struct {
		p    llm.Protocol
		more string
		may  bool
	}{
		{llm.Chat, ``, true},
		{llm.Chat, `"store":false,"tools":[{"type":"function","function":{"name":"f"}}],`, true},
		{llm.Chat, `"store":true,`, false},
		{llm.Chat, `"web_search_options":{"x":1},`, false},
		{llm.Responses, ``, false},
		{llm.Responses, `"store":false,`, true},
		{llm.Responses, `"store":false,"background":true,`, false},
		{llm.Responses, `"store":false,"previous_response_id":"resp_1",`, false},
		{llm.Responses, `"store":false,"conversation":"conv_1",`, false},
		{llm.Responses, `"store":false,"tools":[{"type":"function","name":"f"},{"type":"web_search"}],`, false},
		{llm.Messages, ``, true},
		{llm.Messages, `"tools":[{"name":"f"},{"type":"custom","name":"g"}],`, true},
		{llm.Messages, `"tools":[{"type":"web_search_20250305","name":"web_search"}],`, false},
		{llm.Messages, `"mcp_servers":[{"url":"x"}],`, false},
	} {
		var k call
		body := strings.Replace(requestBody(c.p, "m", false), "{", "{"+c.more, 1)
		if err := k.request.Peek(c.p, []byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := k.isHedgeable(); got != c.may {
			t.Errorf("%v with %s: %v, want %v", c.p, c.more, got, c.may)
		}
	}
}

func TestHedgesAreDueAfterThe95thPercentile(t *testing.T) {
	var l latency
	if got := l.p95(); got < time.Hour {
		t.Errorf("of nothing: %v, want never", got)
	}
	for i := range 1000 {
		l.observe(time.Duration(i+1) * time.Millisecond)
	}
	if got := l.p95(); got < 950*time.Millisecond || got > 1150*time.Millisecond {
		t.Errorf("of 1 to 1000 ms: %v", got)
	}
	for range 10_000 {
		l.observe(10 * time.Millisecond)
	}
	if got := l.p95(); got < 10*time.Millisecond || got > 12500*time.Microsecond {
		t.Errorf("after many of 10 ms: %v", got)
	}
	inBubble(t, func(t *testing.T) {
		first := &rehearsed{say: func(n int, _ string) []any {
			if n == 40 {
				return []any{hang{}}
			}
			return []any{100 * time.Millisecond, wholeChat}
		}}
		w := hedged(t, config.Hedge{P95: true, MaxShare: 10}, first, always(wholeChat))
		for i := range 40 {
			start := time.Now()
			ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", false)))
			_ = ctx.Response.CloseBodyStream()
			if took := time.Since(start); took > 130*time.Millisecond {
				t.Errorf("request %d took %v", i+1, took)
			}
		}
	})
}

func TestLostAttemptIsTakenToHaveReadThePrompt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const usage = `{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}`
		w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, always(hang{}), always(withHead(200, usage)))
		w.try(false)
		o := w.ledger.wait(t, 1)
		if want := (llm.Usage{Input: 11, Knowledge: llm.Estimated}); o.Attempts[0].Usage != want || o.Attempts[1].Usage != (llm.Usage{}) {
			t.Errorf("attempts %+v", o.Attempts)
		}
	})
}

func TestHedgeThatIsSilentIsLeftForAThirdTarget(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, always(2*time.Second, failing(503, "")), always(hang{}), always(wholeChat))
		w.gateway.snapshot.Load().groups["m"].policy.AnswerTimeout = 5 * time.Second
		start := time.Now()
		ctx, body := w.try(false)
		if took := time.Since(start); ctx.Response.StatusCode() != 200 || took > 6100*time.Millisecond {
			t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), took, body)
		}
		o := w.ledger.wait(t, 1)
		if len(o.Attempts) != 3 || o.Attempts[1].Class != outcome.ClassSilent || o.Attempts[2].Channel != "p3" {
			t.Errorf("attempts %+v", o.Attempts)
		}
	})
}

func TestDeadlineEndsAHedgeThatIsLeftAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hedged(t, config.Hedge{After: time.Second, MaxShare: 10}, always(2*time.Second, failing(503, "")), always(hang{}))
		w.gateway.snapshot.Load().groups["m"].policy.Deadline = 20 * time.Second
		start := time.Now()
		if _, body := w.try(true); time.Since(start) > 21*time.Second || !strings.Contains(body, "error") {
			t.Errorf("took %v: %s", time.Since(start), body)
		}
	})
}

func TestBothAttemptsGiveTheirPlacesBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := rehearse(t, func(c *config.Config) {
			c.Groups[0].Policy.Hedge = config.Hedge{After: time.Second, MaxShare: 100}
			for i := range c.Channels {
				c.Channels[i].Limits.Concurrency = 1
			}
		}, always(hang{}), always(time.Second, wholeChat))
		for range 5 {
			start := time.Now()
			if ctx, body := w.try(false); ctx.Response.StatusCode() != 200 || time.Since(start) > 2100*time.Millisecond {
				t.Errorf("got %d after %v: %s", ctx.Response.StatusCode(), time.Since(start), body)
			}
		}
		for _, name := range []string{"p1", "p2"} {
			if n := w.gateway.loads.known[w.gateway.snapshot.Load().channels[name].id].running; n != 0 {
				t.Errorf("%s: %d places are taken", name, n)
			}
		}
	})
}
