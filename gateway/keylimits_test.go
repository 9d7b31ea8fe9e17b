package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// keyed gives the API key limits.
func keyed(limits config.APIKey) func(*config.Config) {
	return func(c *config.Config) {
		k := &c.APIKeys[0]
		k.BudgetNanoUSD, k.BudgetPeriod, k.Unpriced = limits.BudgetNanoUSD, limits.BudgetPeriod, limits.Unpriced
		k.RPM, k.TPM, k.Concurrency = limits.RPM, limits.TPM, limits.Concurrency
	}
}

// costing gives the models of the group's members that price, in pico-USD per token.
func costing(input, output int64) func(*config.Config) {
	return func(c *config.Config) {
		for i := range c.Channels {
			c.Channels[i].PriceMultiplier = config.PriceMultiplierOne
		}
		seen := make(map[string]bool)
		for _, m := range c.Groups[0].Members {
			if !seen[m.Model] {
				seen[m.Model] = true
				c.Prices = append(c.Prices, config.Price{Model: m.Model, Input: input, Output: output, CacheRead: config.NoPrice, CacheWrite: config.NoPrice})
			}
		}
	}
}

// all makes several changes.
func all(changes ...func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		for _, change := range changes {
			change(c)
		}
	}
}

// header returns a header of the answer.
func (a *asking) header(name string) string {
	<-a.done
	return string(a.ctx.Response.Header.Peek(name))
}

// account returns what the test's API key has taken.
func (g *Gateway) account() *account { return g.accounts.of("apikey000001") }

// spent returns what the test's API key has spent.
func (g *Gateway) spent() int64 {
	a := g.account()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.spent
}

// waitIdle waits until all calls have ended.
func (g *Gateway) waitIdle(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); g.inFlight.Load() > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d calls are still running", g.inFlight.Load())
		}
		time.Sleep(time.Millisecond)
	}
}

// errorIn reads an error in a protocol: its type, code and message.
func errorIn(body string) (typ, code, message string) {
	var shape struct {
		Error struct{ Type, Code, Message string }
	}
	_ = json.Unmarshal([]byte(body), &shape)
	return shape.Error.Type, shape.Error.Code, shape.Error.Message
}

func TestKeyAtItsRateIsRefusedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, keyed(config.APIKey{RPM: 2}), answering(0, wholeChat))
		for i, c := range []struct {
			at      time.Duration
			p       llm.Protocol
			status  int
			after   string
			headers [3]string // limit, remaining, reset
		}{
			{4 * time.Second, llm.Chat, 200, "", [3]string{"2", "1", "1m0.5s"}},
			{10 * time.Second, llm.Chat, 200, "", [3]string{"2", "0", "1m0.5s"}},
			{30 * time.Second, llm.Chat, 429, "35", [3]string{"2", "0", "40.5s"}},
			{30 * time.Second, llm.Responses, 429, "35", [3]string{"2", "0", "40.5s"}},
			{30 * time.Second, llm.Messages, 429, "35", [3]string{"2", "0", "2000-01-01T00:01:11Z"}},
			{64 * time.Second, llm.Chat, 429, "1", [3]string{"2", "0", "6.5s"}},
			{64500 * time.Millisecond, llm.Chat, 200, "", [3]string{"2", "0", "1m0.5s"}},
		} {
			time.Sleep(c.at - time.Since(epoch))
			a := w.ask(http.MethodPost, paths[c.p], strings.NewReader(requestBody(c.p, "m", false)))
			if a.status() != c.status || a.retryAfter() != c.after || a.took != 0 {
				t.Errorf("%d: got %d, Retry-After %q after %v; want %d, %q: %s", i, a.status(), a.retryAfter(), a.took, c.status, c.after, a.body)
			}
			got := [3]string{a.header("x-ratelimit-limit-requests"), a.header("x-ratelimit-remaining-requests"), a.header("x-ratelimit-reset-requests")}
			if c.p == llm.Messages {
				got = [3]string{a.header("anthropic-ratelimit-requests-limit"), a.header("anthropic-ratelimit-requests-remaining"), a.header("anthropic-ratelimit-requests-reset")}
			}
			if got != c.headers {
				t.Errorf("%d: headers %q, want %q", i, got, c.headers)
			}
			if typ, code, message := errorIn(a.body); c.status == 429 && (typ != "rate_limit_error" || (code != "rate_limit_exceeded") != (c.p == llm.Messages) || !strings.Contains(message, "2 requests per minute (rpm)")) {
				t.Errorf("%d: told %s", i, a.body)
			}
		}
		if o := w.ledger.wait(t, 3); o.Class != outcome.ClassRefused || o.Status != 429 || len(o.Attempts) != 0 || !strings.Contains(o.Message, "rpm") {
			t.Errorf("recorded: %+v", o)
		}
		w.wantNothingTaken()
	})
}

func TestTokensOfAKeyCountAsReported(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, keyed(config.APIKey{TPM: 1000}), reporting(500, 300))
		for i, c := range []struct {
			status      int
			after, left string
		}{{200, "", "982"}, {200, "", "182"}, {429, "59", "0"}} {
			time.Sleep(time.Second)
			a := w.chat("m")
			if a.status() != c.status || a.retryAfter() != c.after || a.header("x-ratelimit-limit-tokens") != "1000" || a.header("x-ratelimit-remaining-tokens") != c.left ||
				a.header("x-ratelimit-limit-requests") != "" {
				t.Errorf("request %d: got %d, Retry-After %q, %s", i, a.status(), a.retryAfter(), &a.ctx.Response.Header)
			}
			if _, _, message := errorIn(a.body); c.status == 429 && !strings.Contains(message, "1000 tokens per minute (tpm)") {
				t.Errorf("told %q", message)
			}
		}
	})
}

func TestFailuresGiveTheTokensOfAKeyBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, all(keyed(config.APIKey{TPM: 1000, BudgetNanoUSD: 1e9}), costing(usd, usd)), answering(0, withHead(503, `{"error":{"message":"x"}}`)))
		if a := w.chat("m"); a.status() != 503 {
			t.Errorf("got %d", a.status())
		}
		a := w.gateway.account()
		if a.tokens.sum != 0 || a.spent != 0 {
			t.Errorf("%d tokens count, %d nano-USD are spent", a.tokens.sum, a.spent)
		}
		w.wantNothingTaken()
	})
}

func TestKeyWithAsManyRequestsAsItMayHave(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, keyed(config.APIKey{Concurrency: 2}), answering(400*time.Millisecond, streamHead, chatEvent("a"), chatEnd))
		ask := func() *asking {
			a := w.ask(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", true)))
			synctest.Wait()
			return a
		}
		first, second, third := ask(), ask(), ask()
		if third.status() != 429 || third.took != 0 || third.retryAfter() != "1" || !strings.Contains(third.body, "2 requests at once (concurrency)") {
			t.Errorf("the third got %d after %v, Retry-After %q: %s", third.status(), third.took, third.retryAfter(), third.body)
		}
		if first.status() != 200 || second.status() != 200 || third.header("x-ratelimit-limit-requests") != "" {
			t.Errorf("got %d, %d", first.status(), second.status())
		}
		if a := ask(); a.status() != 200 {
			t.Errorf("the fourth got %d", a.status())
		}
		w.wantNothingTaken()
	})
}

func TestWhatCountsAsARequestOfAKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, all(keyed(config.APIKey{RPM: 3, BudgetNanoUSD: 1}), costing(usd, usd), speaking(llm.Chat)), answering(0, wholeChat))
		w.gateway.account().spent = 1
		ask := func(method, path, body string) *asking { return w.ask(method, path, strings.NewReader(body)) }
		for _, c := range []struct {
			name, method, path, body string
			status                   int
			left                     string
		}{
			{"counting tokens counts, and needs no budget", "POST", "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, 200, "2"},
			{"asking for a response counts, and needs no budget", "GET", "/v1/responses/resp_1", "", 404, "1"},
			{"an answer needs it, and what is refused does not count", "POST", paths[llm.Chat], requestBody(llm.Chat, "m", false), 429, "1"},
			{"models do not count", "GET", "/v1/models", "", 200, ""},
			{"nor does an unknown model", "POST", paths[llm.Chat], requestBody(llm.Chat, "other", false), 404, ""},
			{"nor what is no request", "POST", paths[llm.Chat], "{", 400, ""},
			{"nor a probe", "GET", "/healthz", "", 200, ""},
			{"the last", "POST", "/v1/responses/input_tokens", `{"model":"m","input":"x"}`, 200, "0"},
			{"beyond", "POST", "/v1/responses/input_tokens", `{"model":"m","input":"x"}`, 429, "0"},
			{"beyond", "GET", "/v1/responses/resp_1", "", 429, "0"},
		} {
			a := ask(c.method, c.path, c.body)
			left := a.header("x-ratelimit-remaining-requests") + a.header("anthropic-ratelimit-requests-remaining")
			if a.status() != c.status || left != c.left {
				t.Errorf("%s: got %d, %q left; want %d, %q: %s", c.name, a.status(), left, c.status, c.left, a.body)
			}
		}
	})
}

func TestLimitsOfAKeyStandInForTheProviders(t *testing.T) {
	upstream := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-ratelimit-limit-requests: 5000\r\nx-ratelimit-remaining-tokens: 77\r\nanthropic-ratelimit-input-tokens-limit: 9\r\n" +
		strings.SplitN(wholeChat, "Content-Type: application/json\r\n", 2)[1]
	for _, c := range []struct {
		limits config.APIKey
		want   string // x-ratelimit-limit-requests
	}{
		{config.APIKey{RPM: 3}, "3"},
		{config.APIKey{TPM: 3000}, ""},
		{config.APIKey{Concurrency: 5}, "5000"},
		{config.APIKey{}, "5000"},
	} {
		limits, want := c.limits, c.want
		inBubble(t, func(t *testing.T) {
			w := newBubble(t, keyed(limits), answering(0, upstream))
			a := w.chat("m")
			own := limits.RPM+limits.TPM > 0
			if got := a.header("x-ratelimit-limit-requests"); got != want || (a.header("anthropic-ratelimit-input-tokens-limit") == "") != own {
				t.Errorf("%d, %d: limit %q, want %q: %s", limits.RPM, limits.TPM, got, want, &a.ctx.Response.Header)
			}
			if got := a.header("x-ratelimit-remaining-tokens"); (got == "77") == own {
				t.Errorf("%d, %d: %q tokens left", limits.RPM, limits.TPM, got)
			}
		})
	}
}

// A budget of $1 and requests of $0.10: row F53 of the faults, as far as one process goes.
func TestParallelRequestsStayWithinTheBudget(t *testing.T) {
	const each = 100_000_000 // 100 tokens of output at $1 000 a million
	price := all(costing(0, 1000*usd), keyed(config.APIKey{BudgetNanoUSD: 10 * each, BudgetPeriod: config.BudgetMonth}))
	body := `{"model":"m","stream":true,"max_tokens":%d,"messages":[{"role":"user","content":"hello"}]}`
	for _, c := range []struct {
		name  string
		asked int   // tokens that the clients ask for at most
		most  int64 // what may be spent
		least int64
	}{
		{"as much as was reserved", 100, 10 * each, 10 * each},
		{"reserved too much, what is not used comes back", 450, 10*each + each - 1, 3 * each},
		{"reserved too little: all that run at once add the difference", 50, 20 * each, 10 * each},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, all(members("upstream!tokens=100,every=1ms"), price))
			var served, refused atomic.Int64
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() {
					resp := w.post(paths[llm.Chat], fmt.Sprintf(body, c.asked))
					defer resp.Body.Close()
					_, _ = io.Copy(io.Discard, resp.Body)
					switch resp.StatusCode {
					case 200:
						served.Add(1)
					case 429:
						refused.Add(1)
					}
				})
			}
			group.Wait()
			w.gateway.waitIdle(t)
			spent := w.gateway.spent()
			if spent != served.Load()*each || spent > c.most || spent < c.least || served.Load()+refused.Load() != 50 {
				t.Errorf("%d served, %d refused, %d nano-USD spent", served.Load(), refused.Load(), spent)
			}
			w.gateway.wantNothingTaken(t)
			for range 20 {
				resp := w.post(paths[llm.Chat], fmt.Sprintf(body, c.asked))
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			w.gateway.waitIdle(t)
			if spent := w.gateway.spent(); spent < 10*each || spent >= max(11*each, c.most+1) {
				t.Errorf("in the end %d nano-USD are spent", spent)
			}
			w.gateway.wantNothingTaken(t)
		})
	}
}

func TestReservationsComeBackFromClientsThatLeaveAndAttemptsThatFail(t *testing.T) {
	w := newWorld(t, 1, all(members("upstream!"), costing(0, 1000*usd), keyed(config.APIKey{BudgetNanoUSD: 1e9})))
	for _, script := range []string{"status=503", "status=400", "silent", "reset", "html"} {
		w.script(script)
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				p := llm.Protocols[i%len(llm.Protocols)]
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.url+paths[p], strings.NewReader(requestBody(p, "m", i%2 == 0)))
				req.Header.Set("Authorization", "Bearer "+testKey)
				if resp, err := http.DefaultClient.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
		group.Wait()
		w.gateway.waitIdle(t)
		if spent := w.gateway.spent(); spent != 0 {
			t.Errorf("%s: %d nano-USD are spent", script, spent)
		}
		w.gateway.wantNothingTaken(t)
	}
}

func TestSpentBudget(t *testing.T) {
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when time begins in a bubble
	for _, c := range []struct {
		period  config.BudgetPeriod
		message string
		until   time.Time
	}{
		{config.BudgetTotal, "its budget of $1.50 in total.", time.Time{}},
		{config.BudgetDay, "its budget of $1.50 a day. The next one begins at ", time.Date(2000, 1, 2, 0, 0, 0, 0, time.Local)},
		{config.BudgetMonth, "its budget of $1.50 a month. The next one begins at ", time.Date(2000, 2, 1, 0, 0, 0, 0, time.Local)},
	} {
		for i, p := range llm.Protocols {
			inBubble(t, func(t *testing.T) {
				time.Sleep(12 * time.Hour)
				w := newBubble(t, all(costing(usd, usd), keyed(config.APIKey{BudgetNanoUSD: 15e8, BudgetPeriod: c.period})), reporting(1_500_000, 0))
				if a := w.chat("m"); a.status() != 200 {
					t.Fatalf("the first got %d: %s", a.status(), a.body)
				}
				time.Sleep(time.Minute)
				a := w.ask(http.MethodPost, paths[p], strings.NewReader(requestBody(p, "m", false)))
				after := ""
				if !c.until.IsZero() {
					after = fmt.Sprint(int(c.until.Sub(day.Add(12*time.Hour + time.Minute)).Seconds()))
				}
				if a.status() != [...]int{429, 429, 402}[i] || a.header("x-should-retry") != "false" || a.retryAfter() != after {
					t.Errorf("%s %v: got %d, Retry-After %q (want %q), x-should-retry %q", c.period, p, a.status(), a.retryAfter(), after, a.header("x-should-retry"))
				}
				typ, code, message := errorIn(a.body)
				if p == llm.Messages && typ != "billing_error" || p != llm.Messages && (typ != "insufficient_quota" || code != "insufficient_quota") || !strings.Contains(message, c.message) {
					t.Errorf("%s %v: told %s", c.period, p, a.body)
				}
				if c.until.IsZero() {
					return
				}
				time.Sleep(time.Until(c.until) - time.Second)
				if a := w.chat("m"); a.status() != 429 || a.retryAfter() != "1" {
					t.Errorf("%s: a second before its end got %d, Retry-After %q", c.period, a.status(), a.retryAfter())
				}
				time.Sleep(time.Second)
				if a := w.chat("m"); a.status() != 200 || w.gateway.spent() != 15e8 {
					t.Errorf("%s: in the next one got %d, %d nano-USD spent", c.period, a.status(), w.gateway.spent())
				}
			})
		}
	}
}

func TestBudgetThatIsReservedIsNotSpent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, all(costing(usd, usd), keyed(config.APIKey{BudgetNanoUSD: 1000})), answering(time.Second, wholeChat))
		first := w.chat("m") // may have 4 096 tokens
		synctest.Wait()
		second := w.ask(http.MethodPost, paths[llm.Messages], strings.NewReader(requestBody(llm.Messages, "m", false)))
		if second.status() != 429 || second.retryAfter() != "1" || second.header("x-should-retry") != "" || !strings.Contains(second.body, "rate_limit_error") {
			t.Errorf("got %d, Retry-After %q: %s", second.status(), second.retryAfter(), second.body)
		}
		if first.status() != 200 {
			t.Errorf("the first got %d", first.status())
		}
	})
}

// What is charged where the provider does not say what was used, or not all of it.
func TestAnswersOfUnknownCostAreCharged(t *testing.T) {
	const input, output = 10 * usd, 1000 * usd
	messageStart := chunked("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"x\",\"usage\":{\"input_tokens\":5000,\"output_tokens\":1}}}\n\n")
	messageText := chunked("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}\n\n")
	prompt := strings.Repeat("word ", 4000) // 5 000 tokens
	for _, c := range []struct {
		name     string
		p        llm.Protocol
		stream   bool
		upstream dialer
		unpriced bool
		want     func(o *outcome.Outcome) int64 // in tokens of output, beside the prompt
	}{
		{"a whole answer", llm.Chat, false, answering(0, wholeChat), false, func(o *outcome.Outcome) int64 { return o.BytesOut / 4 }},
		{"a stream", llm.Chat, true, answering(time.Millisecond, streamHead, chatEvent("a"), chatEnd), false, func(o *outcome.Outcome) int64 { return o.BytesOut / 16 }},
		{"no more than the client allows", llm.Chat, true, answering(time.Millisecond, streamHead, chatEvent(strings.Repeat("a", 5000)), chatEnd), false, func(*outcome.Outcome) int64 { return 50 }},
		{"a stream that is cut, known in part", llm.Messages, true, answering(time.Millisecond, streamHead, messageStart, messageText), false,
			func(o *outcome.Outcome) int64 { return min(50, o.BytesOut/16) }},
		{"a model without a price", llm.Chat, false, answering(0, wholeChat), true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				price := costing(input, output)
				if c.unpriced {
					price = func(*config.Config) {}
				}
				w := newBubble(t, all(price, keyed(config.APIKey{BudgetNanoUSD: 1e9, Unpriced: config.UnpricedAllow}),
					func(c *config.Config) { c.Groups[0].Policy.IdleTimeout = time.Second }), c.upstream)
				body := fmt.Sprintf(`{"model":"m","stream":%v,"max_tokens":50,"messages":[{"role":"user","content":%q}]}`, c.stream, prompt)
				w.ask(http.MethodPost, paths[c.p], strings.NewReader(body)).status()
				o := w.ledger.wait(t, 1)
				want := int64(0)
				if c.want != nil {
					want = roughTokens([]byte(body))*input/1000 + c.want(&o)*output/1000
				}
				if spent := w.gateway.spent(); spent != want || c.want != nil && c.want(&o) == 0 {
					t.Errorf("%d nano-USD spent, want %d: %+v", spent, want, o.Usage)
				}
				w.wantNothingTaken()
			})
		})
	}
}

func TestModelsWithoutAPriceAreRefusedToKeysWithABudget(t *testing.T) {
	for _, c := range []struct {
		name    string
		priced  []int // members with a price
		key     config.APIKey
		model   string
		channel string // which answers, empty for nobody
	}{
		{"nobody has a price", nil, config.APIKey{BudgetNanoUSD: 1e9}, "m", ""},
		{"nobody has, and that is allowed", nil, config.APIKey{BudgetNanoUSD: 1e9, Unpriced: config.UnpricedAllow}, "m", "p1"},
		{"no budget", nil, config.APIKey{RPM: 10, Unpriced: config.UnpricedRefuse}, "m", "p1"},
		{"the others are left out", []int{1}, config.APIKey{BudgetNanoUSD: 1e9, Unpriced: config.UnpricedRefuse}, "m", "p2"},
		{"unless that is allowed", []int{1}, config.APIKey{BudgetNanoUSD: 1e9, Unpriced: config.UnpricedAllow}, "m", "p1"},
		{"all have one", []int{0, 1}, config.APIKey{BudgetNanoUSD: 1e9}, "m", "p1"},
		{"channel/model without", []int{0}, config.APIKey{BudgetNanoUSD: 1e9}, "p1/other", ""},
		{"channel/model with", []int{0}, config.APIKey{BudgetNanoUSD: 1e9}, "p1/up1", "p1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 2, all(members("up1", "up2"), keyed(c.key), func(cfg *config.Config) {
				for _, i := range c.priced {
					cfg.Prices = append(cfg.Prices, config.Price{Model: fmt.Sprint("up", i+1), Input: usd, Output: usd, CacheRead: config.NoPrice, CacheWrite: config.NoPrice})
				}
			}))
			for _, p := range llm.Protocols {
				status, body, header := w.call(p, c.model, false)
				if got := header.Get("X-Octopus-Channel"); got != c.channel || (status == 200) != (c.channel != "") {
					t.Errorf("%v: got %d from %q: %s", p, status, got, body)
				}
				if c.channel == "" && (status != 400 || p != llm.Messages && (!strings.Contains(body, `"code":"model_unpriced"`) || !strings.Contains(body, `"param":"model"`))) {
					t.Errorf("%v: got %d: %s", p, status, body)
				}
			}
			resp := w.post("/v1/responses/input_tokens", fmt.Sprintf(`{"model":%q,"input":"x"}`, c.model))
			if _ = resp.Body.Close(); resp.StatusCode != 200 {
				t.Errorf("counting tokens got %d", resp.StatusCode)
			}
		})
	}
}

func TestUnpricedMembersAreNoFallback(t *testing.T) {
	w := newWorld(t, 2, all(members("up1!status=503", "up2"), keyed(config.APIKey{BudgetNanoUSD: 1e9}), func(c *config.Config) {
		c.Prices = append(c.Prices, config.Price{Model: "up1!status=503", Input: usd, Output: usd, CacheRead: config.NoPrice, CacheWrite: config.NoPrice})
	}))
	if status, body, _ := w.call(llm.Chat, "m", false); status != 503 || len(w.providers[1].Requests()) != 0 {
		t.Errorf("got %d: %s", status, body)
	}
}

func TestTheDearestMemberIsReserved(t *testing.T) {
	long := outcome.UnknownRates()
	long.Input, long.Output = 100, 1000
	g := &group{members: []member{
		{channel: &channel{priceMultiplier: config.PriceMultiplierOne}, price: &outcome.Price{Rates: outcome.Rates{Input: 10 * usd, Output: 20 * usd, CacheRead: usd, CacheWrite5m: 15 * usd}}},
		{channel: &channel{priceMultiplier: 3 * config.PriceMultiplierOne}, price: &outcome.Price{Rates: rates(10*usd, 20*usd, -1)}},
		{channel: &channel{priceMultiplier: config.PriceMultiplierOne}},
	}}
	for _, c := range []struct {
		eligible []int
		want     int64
		priced   bool
	}{
		{[]int{0}, 1000*15_000 + 70*20_000, true},
		{[]int{0, 1, 2}, 3 * (1000*10_000 + 70*20_000), true},
		{[]int{2}, 0, false},
		{nil, 0, true}, // the reason is another
	} {
		call := &call{roughTokens: 1000}
		if err := call.request.Peek(llm.Messages, []byte(`{"model":"m","max_tokens":70}`)); err != nil {
			t.Fatal(err)
		}
		call.route.group = g
		g.eligible[llm.Messages].Reset(3)
		for _, i := range c.eligible {
			g.eligible[llm.Messages].Add(i)
		}
		if got, priced := call.expectedCost(); got != c.want || priced != c.priced {
			t.Errorf("%v: got %d, %v; want %d, %v", c.eligible, got, priced, c.want, c.priced)
		}
	}
}

func TestLimitsOfKeysSurviveAChangeOfConfiguration(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, all(costing(usd, usd), keyed(config.APIKey{RPM: 5, BudgetNanoUSD: 2000})), reporting(1000, 0))
		apply := func(k config.APIKey) {
			c := *w.gateway.snapshot.Load().config
			c.APIKeys = append([]config.APIKey(nil), c.APIKeys...)
			keyed(k)(&c)
			if err := w.gateway.Apply(&c); err != nil {
				t.Fatal(err)
			}
		}
		for i, step := range []struct {
			key    config.APIKey
			status int
		}{
			{config.APIKey{RPM: 5, BudgetNanoUSD: 1_000_000}, 200},
			{config.APIKey{RPM: 5, BudgetNanoUSD: 1_000_001}, 200},
			{config.APIKey{RPM: 2, BudgetNanoUSD: 9_000_000}, 429},
			{config.APIKey{RPM: 3, BudgetNanoUSD: 2_000_000}, 429},
			{config.APIKey{RPM: 3, BudgetNanoUSD: 2_000_001}, 200},
			{config.APIKey{}, 200},
			{config.APIKey{RPM: 1}, 200}, // what is not limited any more is forgotten
			{config.APIKey{RPM: 1}, 429},
		} {
			apply(step.key)
			if err := w.gateway.Reprice(); err != nil {
				t.Fatal(err)
			}
			if a := w.chat("m"); a.status() != step.status {
				t.Errorf("step %d: got %d, want %d: %s", i, a.status(), step.status, a.body)
			}
		}
	})
}

func TestConfigurationIsRefusedWhenWhatWasSpentIsNotKnown(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.gateway.options.Spent = func(time.Time) (map[string]int64, error) { return nil, io.ErrUnexpectedEOF }
	next := *w.config
	next.APIKeys = append([]config.APIKey(nil), next.APIKeys...)
	keyed(config.APIKey{BudgetNanoUSD: 1})(&next)
	if err := w.gateway.Apply(&next); err != io.ErrUnexpectedEOF || w.gateway.snapshot.Load().config != w.config {
		t.Errorf("got %v", err)
	}
}

func TestBudgetsInWords(t *testing.T) {
	for _, c := range []struct {
		nanoUSD int64
		period  config.BudgetPeriod
		want    string
	}{
		{20e9, config.BudgetMonth, "$20 a month"}, {15e8, config.BudgetDay, "$1.50 a day"}, {1, "", "$0.000000001 in total"}, {1_250_000_000, config.BudgetTotal, "$1.25 in total"},
	} {
		if got := budgetOf(&config.APIKey{BudgetNanoUSD: c.nanoUSD, BudgetPeriod: c.period}); got != c.want {
			t.Errorf("%d: got %q, want %q", c.nanoUSD, got, c.want)
		}
	}
}

// sharedLimits is a Shared that refuses every request but the first.
type sharedLimits struct{ taken, settled atomic.Int64 }

func (s *sharedLimits) Take(_ *config.APIKey, want Claim) (Claim, Standing) {
	if s.taken.Add(1) > 1 {
		return Claim{}, Standing{Refused: LimitTokens, Wait: 7 * time.Second}
	}
	return want, Standing{}
}

func (s *sharedLimits) Settle(_ *config.APIKey, _, used Claim) { s.settled.Add(used.Tokens) }

func TestLimitsMayBeCountedElsewhere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, keyed(config.APIKey{TPM: 1}), reporting(20, 3))
		shared := new(sharedLimits)
		w.gateway.shared = shared
		if a := w.chat("m"); a.status() != 200 || shared.settled.Load() != 23 {
			t.Errorf("got %d, %d tokens settled", a.status(), shared.settled.Load())
		}
		if a := w.chat("m"); a.status() != 429 || a.retryAfter() != "7" || shared.settled.Load() != 23 {
			t.Errorf("got %d, Retry-After %q, %d tokens settled", a.status(), a.retryAfter(), shared.settled.Load())
		}
	})
}

// Rows F61 and F62 of the faults: what a key may do does not depend on the header that carries it, and is checked on what is
// used in the end.
func TestRestrictionsOfAKeyHoldOnEveryCarrier(t *testing.T) {
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	secret := func(name string) string { return name + strings.Repeat("-"+name, 6) }
	w := newWorld(t, 2, func(c *config.Config) {
		other := c.Groups[0]
		other.Name, other.ID, other.Aliases = "other", "group0000002", []string{"nick"}
		c.Groups = append(c.Groups, other)
		for i, change := range []struct {
			name string
			key  config.APIKey
		}{
			{"expired", config.APIKey{Enabled: true, Groups: []string{"*"}, ExpiresAt: time.Now().Add(-time.Second)}},
			{"disabled", config.APIKey{Groups: []string{"*"}}},
			{"elsewhere", config.APIKey{Enabled: true, Groups: []string{"*"}, AllowedIPs: elsewhere}},
			{"narrow", config.APIKey{Enabled: true, Groups: []string{"m"}, Channels: []string{"p1"}, AllowedIPs: here, ExpiresAt: time.Now().Add(time.Hour)}},
			{"used-up", config.APIKey{Enabled: true, Groups: []string{"*"}, RPM: 1}},
		} {
			k := change.key
			k.ID, k.Name, k.SHA256 = fmt.Sprint("apikey10000", i), change.name, config.HashAPIKey([]byte(secret(change.name)))
			c.APIKeys = append(c.APIKeys, k)
		}
	})
	w.gateway.accounts.of("apikey100004").requests.add(now(), 1)
	request := func(model string) map[string]string {
		return map[string]string{
			"/v1/chat/completions":       fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"x"}]}`, model),
			"/v1/responses":              fmt.Sprintf(`{"model":%q,"input":"x"}`, model),
			"/v1/messages":               fmt.Sprintf(`{"model":%q,"max_tokens":5,"messages":[{"role":"user","content":"x"}]}`, model),
			"/v1/messages/count_tokens":  fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"x"}]}`, model),
			"/v1/responses/input_tokens": fmt.Sprintf(`{"model":%q,"input":"x"}`, model),
		}
	}
	twice := request("m")
	for path, body := range twice {
		twice[path] = strings.Replace(body, `{"model":"m"`, `{"model":"m","model":"other"`, 1)
	}
	for _, c := range []struct {
		key, name string
		requests  map[string]string
		status    int
	}{
		{"expired", "", request("m"), 401},
		{"disabled", "", request("m"), 401},
		{"elsewhere", "", request("m"), 403},
		{"used-up", "", request("m"), 429},
		{"narrow", "its group", request("m"), 200},
		{"narrow", "an alias of its group", request("alias"), 200},
		{"narrow", "its channel", request("p1/x"), 200},
		{"narrow", "another group", request("other"), 404},
		{"narrow", "an alias of another group", request("nick"), 404},
		{"narrow", "another spelling", request("M"), 404},
		{"narrow", "a look-alike", request("m "), 404},
		{"narrow", "another channel", request("p2/x"), 404},
		{"narrow", "another channel in another spelling", request("P1/x"), 404},
		{"narrow", "a channel alone", request("p1/"), 404},
		{"narrow", "two models", twice, 404},
	} {
		for path, body := range c.requests {
			for _, carrier := range [][]string{
				{"Authorization", "Bearer " + secret(c.key)},
				{"Authorization", "", "X-Api-Key", secret(c.key)},
				{"Authorization", "Bearer " + secret(c.key), "X-Api-Key", secret(c.key)},
			} {
				resp := w.post(path, body, carrier...)
				answer, _ := io.ReadAll(resp.Body)
				if _ = resp.Body.Close(); resp.StatusCode != c.status {
					t.Errorf("%s %s, %s by %s: got %d, want %d: %s", c.key, c.name, path, carrier[0], resp.StatusCode, c.status, answer)
				}
			}
		}
	}
}

func TestTokensThatNobodyReportsCountAsGuessed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, keyed(config.APIKey{TPM: 1000}), answering(0, wholeChat))
		w.chat("m").status()
		time.Sleep(time.Second)
		if a := w.chat("m"); a.header("x-ratelimit-remaining-tokens") != "964" || w.gateway.account().tokens.sum != 36 {
			t.Errorf("%s left, %d tokens count", a.header("x-ratelimit-remaining-tokens"), w.gateway.account().tokens.sum)
		}
	})
}

func TestCallThatCannotBeBilledOwesWhatItTook(t *testing.T) {
	for _, begun := range []bool{false, true} {
		taken := Claim{Tokens: 7, NanoUSD: 9, Spends: true}
		c := &call{gateway: &Gateway{shared: new(accounts)}, key: &apiKey{limits: new(config.APIKey)}}
		c.keyUse = keyUse{asked: true, held: true, taken: taken}
		due := c.keyDue(begun)
		if due.taken != taken || (due.used == taken) != begun || !begun && due.used != (Claim{}) {
			t.Errorf("begun %v: %+v", begun, due)
		}
		if again := c.keyDue(begun); again.shared != nil {
			t.Errorf("twice: %+v", again)
		}
	}
}

func TestRequestThatIsBoundToAnUnpricedMemberIsToldWhy(t *testing.T) {
	c := &call{key: &apiKey{limits: &config.APIKey{BudgetNanoUSD: 1}}}
	c.route.group = &group{members: []member{{price: &outcome.Price{}}, {}}}
	for _, test := range []struct {
		bound, left int
		refused     bool
	}{{0, 1, false}, {1, 0, true}} {
		var usable lb.Set
		usable.Reset(2)
		usable.Add(test.bound)
		c.refusal = nil
		if c.leaveOutUnpriced(&usable); usable.Len() != test.left || (c.refusal != nil) != test.refused || test.refused && c.refusal.Code != "model_unpriced" {
			t.Errorf("bound to %d: %d left, %v", test.bound, usable.Len(), c.refusal)
		}
	}
}
