package gateway

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// limited sets the limits of the channels.
func limited(limits ...config.Limits) func(*config.Config) {
	return func(c *config.Config) {
		for i, l := range limits {
			c.Channels[i].Limits = l
		}
	}
}

// reporting is an upstream that answers at once, with that usage.
func reporting(prompt, completion int) dialer {
	return answering(0, withHead(200, fmt.Sprintf(
		`{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],`+
			`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`, prompt, completion, prompt+completion)))
}

// channel returns the channel that answered.
func (a *asking) channel() string {
	<-a.done
	return string(a.ctx.Response.Header.Peek("X-Octopus-Channel"))
}

// retryAfter returns what the client is told to wait.
func (a *asking) retryAfter() string { return string(a.ctx.Response.Header.Peek("Retry-After")) }

func TestChannelAtItsRateIsLeftOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{RPM: 2}, config.Limits{RPM: 1}), answering(0, wholeChat), answering(0, wholeChat))
		for i, want := range []string{"p1", "p1", "p2"} {
			time.Sleep(4 * time.Second)
			if a := w.chat("m"); a.channel() != want {
				t.Errorf("request %d went to %q, want %s: %s", i, a.channel(), want, a.body)
			}
		}
		// The first went at 4 s: a minute later, at the end of its step, there is room.
		for _, c := range []struct {
			at     time.Duration
			p      llm.Protocol
			status int
			after  string
		}{
			{12500 * time.Millisecond, llm.Chat, 429, "52"}, {30 * time.Second, llm.Messages, 429, "35"}, {63 * time.Second, llm.Responses, 429, "2"},
			{64500 * time.Millisecond, llm.Chat, 200, ""},
		} {
			time.Sleep(c.at - time.Since(epoch))
			a := w.ask(http.MethodPost, paths[c.p], strings.NewReader(requestBody(c.p, "m", false)))
			if a.status() != c.status || a.retryAfter() != c.after || a.took != 0 {
				t.Errorf("at %v: got %d, Retry-After %q after %v; want %d, %q: %s", c.at, a.status(), a.retryAfter(), a.took, c.status, c.after, a.body)
			}
		}
		if o := w.ledger.wait(t, 4); o.Class != outcome.ClassRateLimited || len(o.Attempts) != 0 {
			t.Errorf("recorded: %+v", o)
		}
	})
}

func TestRequestWaitsForTheRateWhenThatIsNear(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{RPM: 1}), answering(0, wholeChat))
		w.chat("m").status()
		time.Sleep(60*time.Second - time.Since(epoch))
		if a := w.chat("m"); a.status() != 200 || a.took != 500*time.Millisecond {
			t.Errorf("got %d after %v: %s", a.status(), a.took, a.body)
		}
		// Of two that wait for one place, the other learns when the next is.
		time.Sleep(120*time.Second + 400*time.Millisecond - time.Since(epoch))
		one, other := w.chat("m"), w.chat("m")
		if one.status() > other.status() {
			one, other = other, one
		}
		if one.status() != 200 || other.status() != 429 || one.took != 600*time.Millisecond || other.took != 600*time.Millisecond || other.retryAfter() != "61" {
			t.Errorf("got %d after %v and %d after %v, Retry-After %s", one.status(), one.took, other.status(), other.took, other.retryAfter())
		}
	})
}

func TestChannelThatIsBusyIsLeftOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{Concurrency: 1}, config.Limits{Concurrency: 2}),
			answering(400*time.Millisecond, wholeChat), answering(3*time.Second, wholeChat))
		var all []*asking
		for range 6 {
			all = append(all, w.chat("m"))
			synctest.Wait()
		}
		// The first three are served at once, two more by the first channel when it is free again, and one waits in vain.
		for i, want := range []struct {
			channel string
			took    time.Duration
		}{
			{"p1", 400 * time.Millisecond}, {"p2", 3 * time.Second}, {"p2", 3 * time.Second}, {"p1", 800 * time.Millisecond},
			{"p1", 1200 * time.Millisecond}, {"", time.Second},
		} {
			a := all[i]
			if a.channel() != want.channel || a.took != want.took || (a.status() == 200) != (want.channel != "") {
				t.Errorf("request %d: got %d from %q after %v, want %s after %v: %s", i, a.status(), a.channel(), a.took, want.channel, want.took, a.body)
			}
		}
		if a := all[5]; a.status() != 503 || a.retryAfter() != "1" {
			t.Errorf("got %d with Retry-After %q", a.status(), a.retryAfter())
		}
		w.wantNothingTaken()
	})
}

func TestWaitersAreServedInOrderByWhicheverChannelIsFree(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var first, second counting
		w := newBubble(t, limited(config.Limits{Concurrency: 1}, config.Limits{Concurrency: 1}),
			first.dialer(200*time.Millisecond), second.dialer(250*time.Millisecond))
		busy := []*asking{w.chat("p1/x"), w.chat("p2/x")}
		time.Sleep(50 * time.Millisecond)
		var ended []int
		var mu sync.Mutex
		var all []*asking
		for i, model := range []string{"m", "p2/x", "m", "p1/x", "p1/x"} {
			a := w.chat(model)
			all = append(all, a)
			go func() {
				<-a.done
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, i)
			}()
			time.Sleep(10 * time.Millisecond)
		}
		for _, a := range append(busy, all...) {
			if a.status() != 200 {
				t.Errorf("got %d, %s", a.status(), a.body)
			}
		}
		synctest.Wait()
		// The first channel serves 0 from 200 ms on, then 2, 3 and 4, the second one serves 1 from 250 ms on.
		if !slices.IsSorted(ended) {
			t.Errorf("they ended in the order %v", ended)
		}
		if first.most.Load() != 1 || second.most.Load() != 1 {
			t.Errorf("the upstreams had %d and %d at once", first.most.Load(), second.most.Load())
		}
		w.wantNothingTaken()
	})
}

func TestClientThatLeavesWhileItWaitsForAChannel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{Concurrency: 1}), answering(500*time.Millisecond, wholeChat))
		first := w.chat("m")
		synctest.Wait()
		second := w.chat("m")
		synctest.Wait()
		third := w.chat("m")
		time.Sleep(100 * time.Millisecond)
		second.leave()
		if second.status() != statusClientGone || second.took != 100*time.Millisecond {
			t.Errorf("who left: got %d after %v", second.status(), second.took)
		}
		if first.status() != 200 || third.status() != 200 || third.took != time.Second {
			t.Errorf("the others: got %d, and %d after %v", first.status(), third.status(), third.took)
		}
		w.wantNothingTaken()
	})
}

func TestStreamHoldsItsPlaceToTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{Concurrency: 1}), answering(300*time.Millisecond, streamHead, chatEvent("a"), chatEnd))
		first := w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", true)))
		time.Sleep(700 * time.Millisecond) // the first event is out
		second := w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", true)))
		if first.status() != 200 || second.status() != 200 || second.took != 200*time.Millisecond+900*time.Millisecond {
			t.Errorf("the second got %d after %v", second.status(), second.took)
		}
		w.wantNothingTaken()
	})
}

func TestRepeatedAttemptCountsAndKeepsItsPlace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var attempts atomic.Int64
		w := newBubble(t, limited(config.Limits{Concurrency: 1, RPM: 3}), piped(func(c net.Conn, r *bufio.Reader) {
			_, _ = readRequest(r)
			if attempts.Add(1) == 1 {
				_, _ = io.WriteString(c, withHead(500, `{"error":{"message":"x"}}`))
				return
			}
			_, _ = io.WriteString(c, wholeChat)
		}))
		for i, want := range []int{200, 200, 429} {
			if a := w.chat("m"); a.status() != want {
				t.Errorf("request %d: got %d, want %d: %s", i, a.status(), want, a.body)
			}
		}
		if n := attempts.Load(); n != 3 {
			t.Errorf("the upstream got %d requests, want 3", n)
		}
		w.wantNothingTaken()
	})
}

// tokensOf returns what counts of the last minute's tokens of the first channel.
func (w *bubble) tokensOf() int64 {
	l := w.gateway.loads.known["channel00000"]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens.forget(now())
	return l.tokens.sum
}

func TestTokensAreCountedAsReported(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{TPM: 1000}), reporting(500, 300))
		for i, want := range []struct {
			status int
			tokens int64
			after  string
		}{{200, 800, ""}, {200, 1600, ""}, {429, 1600, "59"}} {
			time.Sleep(time.Second)
			if a := w.chat("m"); a.status() != want.status || w.tokensOf() != want.tokens || a.retryAfter() != want.after {
				t.Errorf("request %d: got %d, %d tokens, Retry-After %q; want %+v", i, a.status(), w.tokensOf(), a.retryAfter(), want)
			}
		}
	})
}

func TestTokensAreGuessedUntilTheyAreReported(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{TPM: 1000}), answering(2*time.Second, wholeChat), answering(2*time.Second, wholeChat))
		long := func(bytes int) *asking {
			return w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(
				fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}]}`, strings.Repeat("word ", bytes/5))))
		}
		first := long(3600) // 900 tokens, and some for what is around
		synctest.Wait()
		second, third := long(1000), long(200)
		if a, b, c := first.channel(), second.channel(), third.channel(); a != "p1" || b != "p2" || c != "p1" {
			t.Errorf("they went to %q, %q and %q", a, b, c)
		}
		// Nothing was reported, so that the guesses stand.
		if n := w.tokensOf(); n < 950 || n > 1000 {
			t.Errorf("%d tokens count", n)
		}
		time.Sleep(2 * time.Minute)
		// What is larger than the limit passes when there is nothing else.
		if a := long(100_000); a.channel() != "p1" {
			t.Errorf("a large request went to %q: %s", a.channel(), a.body)
		}
	})
}

func TestFailureBehindKeepAlivesGivesTheTokensBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) {
			limited(config.Limits{TPM: 1000})(c)
			c.Groups[0].Policy.KeepAlive = 100 * time.Millisecond
		}, answering(300*time.Millisecond, withHead(503, `{"error":{"message":"x"}}`)))
		a := w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", true)))
		if a.status() != 200 || !strings.Contains(a.body, "error") || w.tokensOf() != 0 {
			t.Errorf("got %d, %s, %d tokens count", a.status(), a.body, w.tokensOf())
		}
		w.wantNothingTaken()
	})
}

func TestFailedAttemptsGiveTheirTokensBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{TPM: 1000, RPM: 10}), answering(0, withHead(503, `{"error":{"message":"x"}}`)), answering(0, wholeChat))
		if a := w.chat("m"); a.channel() != "p2" || w.tokensOf() != 0 {
			t.Errorf("answered by %q, %d tokens count", a.channel(), w.tokensOf())
		}
		w.wantNothingTaken()
	})
}

func TestRequestThatIsNotSentCountsForNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) {
			speaking(llm.Chat)(c)
			limited(config.Limits{RPM: 1, TPM: 1000})(c)
		}, answering(0, wholeChat))
		count := `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
		for range 3 { // counted here: a Chat upstream can't
			if a := w.ask(http.MethodPost, "/v1/messages/count_tokens", strings.NewReader(count)); a.status() != 200 || !strings.Contains(a.body, "input_tokens") {
				t.Fatalf("got %d, %s", a.status(), a.body)
			}
		}
		if a := w.chat("m"); a.status() != 200 {
			t.Errorf("got %d, %s", a.status(), a.body)
		}
		w.wantNothingTaken()
	})
}

func TestWhatCountsSurvivesAChangeOfTheLimits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil, answering(0, wholeChat))
		apply := func(l config.Limits) {
			c := *w.gateway.snapshot.Load().config
			c.Channels = slices.Clone(c.Channels)
			c.Channels[0].Limits = l
			if err := w.gateway.Apply(&c); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			rpm  int
			want []int
		}{
			{0, []int{200, 200, 200}}, // not counted
			{2, []int{200, 200, 429}},
			{3, []int{200, 429}},
			{1, []int{429}},
			{0, []int{200}},
			{1, []int{200, 429}}, // what is not limited any more is forgotten
		} {
			apply(config.Limits{RPM: step.rpm})
			for i, want := range step.want {
				if a := w.chat("m"); a.status() != want {
					t.Errorf("rpm %d, request %d: got %d, want %d", step.rpm, i, a.status(), want)
				}
			}
		}
	})
}

func TestOnlySoManyWaitForChannels(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, limited(config.Limits{Concurrency: 1}), answering(3*time.Second, wholeChat))
		first := w.chat("m")
		synctest.Wait()
		var all []*asking
		for range mostWaiters + 3 {
			all = append(all, w.chat("m"))
		}
		atOnce := 0
		for _, a := range all {
			if a.status() == 503 && a.took == 0 {
				atOnce++
			}
		}
		if atOnce != 3 || first.status() != 200 {
			t.Errorf("%d were refused at once, want 3", atOnce)
		}
		w.wantNothingTaken()
	})
}

func TestParallelTakersNeverExceedTheLimits(t *testing.T) {
	const concurrency, callers, rounds = 3, 8, 5_000
	g := new(Gateway)
	limits := []*limits{g.newLimits("a", config.Limits{Concurrency: concurrency}), g.newLimits("b", config.Limits{Concurrency: 1})}
	var running, most [2]atomic.Int64
	var served atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range rounds {
				wanted := limits[:1+rand.IntN(2)]
				p, ok := wanted[0].take(now(), 0)
				if !ok {
					c := &call{gateway: g}
					until := now() + instant(10*time.Second)
					switch rand.IntN(10) {
					case 0:
						until = now() // it comes too late
					case 1:
						c.abandoned = abandonedByClient
					}
					n := &waiter{wanted: wanted}
					if !g.waiters.wait(c, n, until) {
						continue
					}
					p = n.got
				}
				i := 0
				if p.load == limits[1].load {
					i = 1
				}
				n := running[i].Add(1)
				for m := most[i].Load(); n > m && !most[i].CompareAndSwap(m, n); m = most[i].Load() {
				}
				served.Add(1)
				running[i].Add(-1)
				p.giveBack(&llm.Usage{}, true)
			}
		})
	}
	group.Wait()
	if most[0].Load() > concurrency || most[1].Load() > 1 {
		t.Errorf("at most %d and %d at once", most[0].Load(), most[1].Load())
	}
	if served.Load() < callers*rounds/2 {
		t.Errorf("%d served", served.Load())
	}
	g.wantNothingTaken(t)
}

func TestRateIsKeptByParallelTakers(t *testing.T) {
	g := new(Gateway)
	l := g.newLimits("a", config.Limits{RPM: 100, TPM: 5000})
	var taken atomic.Int64
	var group sync.WaitGroup
	at := now()
	for range 8 {
		group.Go(func() {
			for range 1000 {
				if p, ok := l.take(at, 70); ok {
					taken.Add(1)
					p.call(at)
					p.giveBack(&llm.Usage{}, true)
				}
			}
		})
	}
	group.Wait()
	if n := taken.Load(); n != 5000/70 {
		t.Errorf("%d were let in, want %d", n, 5000/70)
	}
}

func TestRoughTokens(t *testing.T) {
	image := strings.Repeat("iVBORw0KGgo+/A==", 1<<16)
	for _, c := range []struct {
		name, body string
		want       int64
	}{
		{"nothing", "", 0},
		{"text", strings.Repeat("word ", 80), 100},
		{"an image", `{"text":"hello","image_url":"data:image/png;base64,` + image + `"}`, 1000 + 53/4},
		{"two images", image + `","` + image + `"`, 2001},
		{"slashes that are escaped", strings.ReplaceAll(image, "/", `\/`) + `"`, 1000},
		{"long words", strings.Repeat(strings.Repeat("x", 1000)+" ", 4), 1001},
		{"characters of three bytes", strings.Repeat("字", 4000), 3000},
	} {
		if got := roughTokens([]byte(c.body)); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestLimitsAreAppliedOverTheWire(t *testing.T) {
	w := newWorld(t, 2, func(c *config.Config) {
		members("x!tokens=20,every=10ms", "x!tokens=20,every=10ms")(c)
		limited(config.Limits{Concurrency: 4, RPM: 25})(c)
	})
	var group sync.WaitGroup
	var statuses [2]atomic.Int64
	for range 40 {
		group.Go(func() {
			status, _, header := w.call(llm.Chat, "m", true)
			if p, err := strconv.Atoi(strings.TrimPrefix(header.Get("X-Octopus-Channel"), "p")); status == 200 && err == nil {
				statuses[p-1].Add(1)
			}
		})
	}
	group.Wait()
	if a, b := statuses[0].Load(), statuses[1].Load(); a != 4 || b != 36 {
		t.Errorf("%d went to the limited channel and %d to the other, want 4 and 36", a, b)
	}
	w.gateway.wantNothingTaken(t)
}
