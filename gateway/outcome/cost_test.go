package outcome_test

import (
	"math"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// usd is one USD per million tokens, as a rate.
const usd = 1_000_000

func sonnet() *outcome.Price {
	r := outcome.UnknownRates()
	r.Input, r.Output, r.CacheRead, r.CacheWrite5m = 3*usd, 15*usd, 3*usd/10, 375*usd/100
	long := outcome.UnknownRates()
	long.Input, long.Output, long.CacheRead, long.CacheWrite5m = 6*usd, 225*usd/10, 6*usd/10, 75*usd/10
	return &outcome.Price{Rates: r, Tiers: []outcome.Tier{{Above: 200_000, Rates: long}}}
}

func gpt() *outcome.Price {
	r := outcome.UnknownRates()
	r.Input, r.Output, r.CacheRead = 25*usd/10, 15*usd, 25*usd/100
	long := outcome.UnknownRates()
	long.Input, long.Output = 5*usd, 225*usd/10
	fast := outcome.UnknownRates()
	fast.Input, fast.Output, fast.CacheRead = 5*usd, 30*usd, 5*usd/10
	return &outcome.Price{Rates: r, Tiers: []outcome.Tier{{Above: 272_000, Rates: long}}, Fast: &fast}
}

func with(p *outcome.Price, change func(p *outcome.Price)) *outcome.Price {
	change(p)
	return p
}

// The arithmetic of invoices, written out: tokens times the listed price per million, in nano-USD.
func TestCostIsWhatTheInvoiceSays(t *testing.T) {
	const unknown = -1
	for _, test := range []struct {
		name  string
		price *outcome.Price
		usage llm.Usage
		want  int64
	}{
		{"plain Anthropic: 1 000 x 3 + 500 x 15", sonnet(), llm.Usage{Input: 1000, Output: 500}, 10_500_000},
		{"a cached Anthropic stream: 12 x 3 + 18 000 x 0.30 + 2 048 x 3.75 + 745 x 15", sonnet(),
			llm.Usage{Input: 12, CacheRead: 18_000, CacheWrite5m: 2048, Output: 745}, 36_000 + 5_400_000 + 7_680_000 + 11_175_000},
		{"a cache for an hour costs twice the input", sonnet(), llm.Usage{CacheWrite1h: 1000}, 6_000_000},
		{"thinking is part of the output", sonnet(), llm.Usage{Output: 2000, Reasoning: 1500}, 30_000_000},
		{"a prompt of just 200 000 tokens is short", sonnet(), llm.Usage{Input: 150_000, CacheRead: 50_000}, 465_000_000},
		{"a longer one costs more as a whole, caches counted", sonnet(),
			llm.Usage{Input: 150_000, CacheRead: 50_001, Output: 1000}, 900_000_000 + 30_000_600 + 22_500_000},
		{"OpenAI cached: 2 006 prompt, 1 920 of it cached, 300 out", gpt(),
			llm.Usage{Input: 86, CacheRead: 1920, Output: 300}, 215_000 + 480_000 + 4_500_000},
		{"a tier without a price for the cache takes the ordinary one", gpt(),
			llm.Usage{Input: 272_000, CacheRead: 1000, Output: 10}, 1_360_000_000 + 250_000 + 225_000},
		{"OpenAI's priority service", gpt(), llm.Usage{Input: 1000, CacheRead: 1000, Output: 100, Service: llm.ServiceFast},
			5_000_000 + 500_000 + 3_000_000},
		{"flex counts as ordinary", gpt(), llm.Usage{Input: 1000, Service: llm.ServiceFlex}, 2_500_000},
		{"a faster service without a price is unknown", sonnet(), llm.Usage{Input: 1000, Service: llm.ServiceFast}, unknown},
		{"writing to a cache without a price costs what the input costs", gpt(), llm.Usage{CacheWrite5m: 400, CacheWrite1h: 600},
			2_500_000},
		{"reasoning at a price of its own", with(gpt(), func(p *outcome.Price) { p.Reasoning = 3 * usd }),
			llm.Usage{Output: 1000, Reasoning: 900}, 1_500_000 + 2_700_000},
		{"sound at prices of its own", with(gpt(), func(p *outcome.Price) { p.InputAudio, p.OutputAudio = 40*usd, 80*usd }),
			llm.Usage{Input: 1000, InputAudio: 200, Output: 100, OutputAudio: 60}, 2_000_000 + 8_000_000 + 600_000 + 4_800_000},
		{"a free model", &outcome.Price{}, llm.Usage{Input: 1000, Output: 5}, 0},
		{"half a nano-USD is rounded up", with(gpt(), func(p *outcome.Price) { p.Input = 500 }), llm.Usage{Input: 1}, 1},
		{"less than half is rounded down", with(gpt(), func(p *outcome.Price) { p.Input = 499 }), llm.Usage{Input: 1}, 0},
		{"no price", nil, llm.Usage{Input: 1}, unknown},
		{"no rate for what was used", with(gpt(), func(p *outcome.Price) { p.Output = outcome.NoRate }), llm.Usage{Output: 1}, unknown},
		{"no rate for what was not used", with(gpt(), func(p *outcome.Price) { p.Output = outcome.NoRate }), llm.Usage{Input: 1000},
			2_500_000},
		{"the largest price and the largest usage", with(gpt(), func(p *outcome.Price) { p.Input = 100_000 * usd; p.Tiers = nil }),
			llm.Usage{Input: llm.MaxTokens}, 10_000_000 * 1_000_000_000},
		{"more than fits", with(gpt(), func(p *outcome.Price) { p.Input = math.MaxInt64; p.Tiers = nil }),
			llm.Usage{Input: math.MaxInt64}, math.MaxInt64},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.usage.Knowledge = llm.Reported
			got, ok := outcome.Cost(&test.usage, test.price, outcome.MultiplierOne)
			if !ok {
				got = unknown
			}
			if got != test.want {
				t.Errorf("got %d nano-USD, want %d", got, test.want)
			}
		})
	}
}

func TestCostIsMultiplied(t *testing.T) {
	u := llm.Usage{Input: 1000, Output: 100, Knowledge: llm.Reported}
	for multiplier, want := range map[int64]int64{
		0: 0, 1: 4, outcome.MultiplierOne: 4_000_000, 1_125_000: 4_500_000, 1000 * outcome.MultiplierOne: 4_000_000_000, 1 << 62: math.MaxInt64,
	} {
		if got, ok := outcome.Cost(&u, gpt(), multiplier); !ok || got != want {
			t.Errorf("times %d: got %d, %t, want %d", multiplier, got, ok, want)
		}
	}
}

func TestCostOfUnknownUsageIsUnknown(t *testing.T) {
	for _, k := range []llm.Knowledge{llm.Unknown, llm.Estimated, llm.Partial, llm.Reported} {
		if _, ok := outcome.Cost(&llm.Usage{Input: 1, Knowledge: k}, gpt(), outcome.MultiplierOne); ok != (k != llm.Unknown) {
			t.Errorf("usage that is %s: known is %t", k, ok)
		}
	}
}

func TestUnknownRatesAreTakenFromTheNextSource(t *testing.T) {
	own := outcome.UnknownRates()
	own.CacheRead = 1
	got := own.Or(sonnet().Rates)
	want := sonnet().Rates
	want.CacheRead = 1
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
