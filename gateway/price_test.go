package gateway

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// usd is one USD per million tokens, as a rate.
const usd = 1_000_000

// rates returns rates of input, output and reading from the cache, negative for none.
func rates(input, output, cacheRead int64) outcome.Rates {
	r := outcome.UnknownRates()
	r.Input, r.Output, r.CacheRead = input, output, cacheRead
	return r
}

// listCatalog is a catalog of one price, whatever is asked for.
type listCatalog struct{ price *outcome.Price }

func (l listCatalog) Find(string, string) (*outcome.Price, llm.Capabilities) {
	return l.price, llm.Capabilities{ContextWindow: 1000}
}

func TestOwnPricesWinOverTheCatalog(t *testing.T) {
	fast := rates(8*usd, 8*usd, -1)
	listed := &outcome.Price{Rates: rates(2*usd, 4*usd, usd/5), Fast: &fast,
		Tiers: []outcome.Tier{{Above: 100, Rates: rates(3*usd, 6*usd, usd/2)}}}
	own := func(channel string, input, output, cacheRead int64) config.Price {
		return config.Price{Model: "m", Channel: channel, Input: input, Output: output, CacheRead: cacheRead, CacheWrite: config.NoPrice}
	}
	for _, test := range []struct {
		name    string
		own     []config.Price
		catalog *outcome.Price
		want    *outcome.Rates
		tiers   int
	}{
		{"no price at all", nil, nil, nil, 0},
		{"the catalog's", nil, listed, &listed.Rates, 1},
		{"an own one of the model", []config.Price{own("", 5, 6, 7)}, listed, new(rates(5, 6, 7)), 0},
		{"an own one of the model and channel goes before that", []config.Price{own("", 5, 6, 7), own("c", 8, 9, -1)}, listed, new(rates(8, 9, 7)), 0},
		{"one of another channel is none", []config.Price{own("d", 5, 6, 7)}, listed, &listed.Rates, 1},
		{"without a rate of the cache, the catalog's discount does not fit", []config.Price{own("", 5, 6, -1)}, listed, new(rates(5, 6, -1)), 0},
		{"without a rate of the output, it is the catalog's", []config.Price{own("", 5, -1, -1)}, listed, new(rates(5, 4*usd, -1)), 0},
		{"a rate of the cache alone corrects the catalog", []config.Price{own("", -1, -1, 7)}, listed, new(rates(2*usd, 4*usd, 7)), 1},
		{"an own price without a catalog", []config.Price{own("", -1, 6, -1)}, nil, new(rates(-1, 6, -1)), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPricing(test.own, listCatalog{test.catalog})
			got, limits := p.find("c", "host", "m")
			if limits.ContextWindow != 1000 {
				t.Errorf("limits are %+v", limits)
			}
			switch {
			case got == nil || test.want == nil:
				if (got == nil) != (test.want == nil) {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
			case got.Rates != *test.want || len(got.Tiers) != test.tiers || (got.Fast != nil) != (test.tiers > 0):
				t.Errorf("got %+v, want %+v and %d tiers", got, test.want, test.tiers)
			}
		})
	}
	corrected := newPricing([]config.Price{own("", -1, -1, 7)}, listCatalog{listed})
	if p, _ := corrected.find("c", "host", "m"); p.Tiers[0].CacheRead != 7 || p.Tiers[0].Input != 3*usd || p.Fast.CacheRead != 7 {
		t.Errorf("a corrected price has tier %+v, fast %+v", p.Tiers[0], p.Fast)
	}
	if listed.CacheRead != usd/5 || listed.Tiers[0].CacheRead != usd/2 || fast.CacheRead != outcome.NoRate {
		t.Error("the catalog was changed")
	}
}

// priced has a price of its own for each of two channels, the second one with a surcharge.
func priced(c *config.Config) {
	for i, price := range []int64{100 * usd, 10 * usd} {
		c.Channels[i].PriceMultiplier = config.PriceMultiplierOne
		c.Prices = append(c.Prices, config.Price{Model: "upstream", Channel: c.Channels[i].Name, Input: price, Output: price,
			CacheRead: config.NoPrice, CacheWrite: config.NoPrice})
	}
	c.Channels[1].PriceMultiplier = config.PriceMultiplierOne * 3 / 2
}

func TestARequestCostsWhatTheTargetThatServedItAsks(t *testing.T) {
	w := newWorld(t, 2, priced)
	ask := func(body string) {
		t.Helper()
		resp := w.post("/v1/chat/completions", body)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	cost := func(o outcome.Outcome, perToken int64) int64 {
		return (o.Usage.Input + o.Usage.Output) * perToken / 1000
	}

	next := w.script("")
	ask(`{"model":"m","messages":[{"role":"user","content":"Hello"}]}`)
	if o := w.ledger.wait(t, next); !o.CostKnown || o.CostNanoUSD != cost(o, 100*usd) || o.CostNanoUSD == 0 || o.GroupID != "group0000001" {
		t.Errorf("the first channel: cost %d of %+v", o.CostNanoUSD, o.Usage)
	}
	next = w.script("status=503")
	for _, stream := range []string{"false", "true"} {
		ask(`{"model":"m","stream":` + stream + `,"messages":[{"role":"user","content":"Hello"}]}`)
		if o := w.ledger.wait(t, next); !o.CostKnown || o.CostNanoUSD != cost(o, 15*usd) || o.CostNanoUSD == 0 {
			t.Errorf("the second one with its surcharge, stream %s: cost %d of %+v", stream, o.CostNanoUSD, o.Usage)
		}
		next++
	}
	var metrics strings.Builder
	w.gateway.WriteMetrics(&metrics)
	if text := metrics.String(); !strings.Contains(text, "octopus_cost_nano_usd_total ") || strings.Contains(text, "octopus_cost_nano_usd_total 0\n") {
		t.Error("the cost is not among the metrics")
	}
}

func TestWhatHasNoPriceHasNoCost(t *testing.T) {
	w := newWorld(t, 1, nil)
	for _, model := range []string{"m", "p1/anything"} {
		next := w.script("")
		resp := w.post("/v1/chat/completions", `{"model":"`+model+`","messages":[{"role":"user","content":"Hello"}]}`)
		_ = resp.Body.Close()
		if o := w.ledger.wait(t, next); o.CostKnown || o.CostNanoUSD != 0 || o.Usage.Output == 0 {
			t.Errorf("%s: cost %d, known %t, usage %+v", model, o.CostNanoUSD, o.CostKnown, o.Usage)
		}
	}
}

func TestAPriceHoldsFromItsTimeOn(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) { c.Channels[0].PriceMultiplier = config.PriceMultiplierOne })
	var listed atomic.Pointer[outcome.Price]
	w.gateway.options.Catalog = func() Catalog { return listCatalog{listed.Load()} }
	for _, price := range []int64{2 * usd, 3 * usd} {
		listed.Store(&outcome.Price{Rates: rates(price, price, -1)})
		if err := w.gateway.Reprice(); err != nil {
			t.Fatal(err)
		}
		next := w.script("tokens=5,every=20ms")
		resp := w.post("/v1/chat/completions", `{"model":"p1/anything","stream":true,"messages":[{"role":"user","content":"Hello"}]}`)
		// The next price comes before the end of a request that began with this one.
		listed.Store(&outcome.Price{Rates: rates(900*usd, 900*usd, -1)})
		if err := w.gateway.Reprice(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if o := w.ledger.wait(t, next); o.CostNanoUSD != (o.Usage.Input+o.Usage.Output)*price/1000 {
			t.Errorf("at %d: cost %d of %+v", price, o.CostNanoUSD, o.Usage)
		}
	}
}

func TestPricedIsWhatCanBeBilled(t *testing.T) {
	own := func(input, output int64) []config.Price {
		return []config.Price{{Model: "m", Input: input, Output: output, CacheRead: config.NoPrice, CacheWrite: config.NoPrice}}
	}
	for _, test := range []struct {
		name           string
		own            []config.Price
		channel, model string
		enabled, want  bool
	}{
		{"both rates", own(1, 0), "c", "m", true, true},
		{"one rate alone", own(1, config.NoPrice), "c", "m", true, false},
		{"another model", own(1, 1), "c", "n", true, false},
		{"no such channel", own(1, 1), "d", "m", true, false},
		{"a channel that is off", own(1, 1), "c", "m", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := New(Options{MaxBodySize: 1, MaxInFlight: 1, MaxBodyMemory: 1, SecretKey: make([]byte, 32)})
			defer func() { _ = g.Shutdown(t.Context()) }()
			if g.Priced(test.channel, test.model) {
				t.Error("before the first configuration")
			}
			c := config.Empty()
			c.Channels = []config.Channel{{Name: "c", Enabled: test.enabled, PriceMultiplier: config.PriceMultiplierOne,
				Endpoints: []config.Endpoint{{Protocol: llm.Chat, BaseURL: "https://c.example/v1"}}, Keys: []config.Key{{ID: "k", Secret: "s", Weight: 1}}}}
			c.Prices = test.own
			if err := g.Apply(c); err != nil {
				t.Fatal(err)
			}
			if got := g.Priced(test.channel, test.model); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestWhatNobodyAnsweredCostsNothing(t *testing.T) {
	w := newWorld(t, 1, nil)
	for _, test := range []struct {
		script, path, body string
		known              bool
	}{
		{"status=400", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"Hello"}]}`, true},
		{"", "/v1/chat/completions", `{"model":"no-such-model","messages":[]}`, true},
		{"", "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"Hello"}]}`, true},
		{"", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"Hello"}]}`, false},
	} {
		next := w.script(test.script)
		resp := w.post(test.path, test.body)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if o := w.ledger.wait(t, next); o.CostKnown != test.known || o.CostNanoUSD != 0 {
			t.Errorf("%s, %s: status %d, cost %d, known %t", test.path, test.script, o.Status, o.CostNanoUSD, o.CostKnown)
		} else if i := o.Served(); i >= 0 && o.Attempts[i].CostKnown != o.CostKnown {
			t.Errorf("%s, %s: the attempt's cost is known %t, the request's %t", test.path, test.script, o.Attempts[i].CostKnown, o.CostKnown)
		}
	}
}
