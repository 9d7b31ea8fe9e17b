package outcome

// NoRate is a rate that is not known.
const NoRate = -1

// Rates are prices per token, in pico-USD: 1 USD per million tokens is 1 000 000. A rate below zero (NoRate) is not known;
// zero is free. The zero value makes everything free, so start from UnknownRates.
type Rates struct {
	// Input is for prompt tokens that no cache has to do with, Output for generated ones.
	Input, Output int64
	// CacheRead is for tokens read from the provider's cache. When it is not known, they cost what Input costs: the provider
	// gives no discount.
	CacheRead int64
	// CacheWrite5m and CacheWrite1h are for tokens written to a cache that lives 5 minutes or 1 hour. When the first is not
	// known, writing costs what Input costs; when the second is not, it follows from the first (see cacheWrite1h).
	CacheWrite5m, CacheWrite1h int64
	// Reasoning is for those generated tokens that were reasoning. When it is not known, they cost what Output costs.
	Reasoning int64
	// InputAudio and OutputAudio are for tokens of sound. When they are not known, sound costs what text costs.
	InputAudio, OutputAudio int64
}

// UnknownRates returns rates of which none is known.
func UnknownRates() Rates {
	return Rates{NoRate, NoRate, NoRate, NoRate, NoRate, NoRate, NoRate, NoRate}
}

// Or returns r with the rates that it doesn't know taken from other.
func (r Rates) Or(other Rates) Rates {
	for _, pair := range [...]struct {
		rate *int64
		from int64
	}{
		{&r.Input, other.Input}, {&r.Output, other.Output}, {&r.CacheRead, other.CacheRead},
		{&r.CacheWrite5m, other.CacheWrite5m}, {&r.CacheWrite1h, other.CacheWrite1h}, {&r.Reasoning, other.Reasoning},
		{&r.InputAudio, other.InputAudio}, {&r.OutputAudio, other.OutputAudio},
	} {
		if *pair.rate < 0 {
			*pair.rate = pair.from
		}
	}
	return r
}

// Price is what a model costs at a provider. It is compiled once and shared, never written to.
type Price struct {
	Rates
	// Tiers are other rates for long prompts, with ascending Above. What a tier doesn't know it takes from Rates.
	Tiers []Tier
	// Fast are the rates of the provider's faster service (OpenAI's priority, Anthropic's fast mode). Nil means that they are
	// not known.
	Fast *Rates
}

// Tier are the rates of a whole request whose prompt is longer than a number of tokens.
type Tier struct {
	// Above is that number: caches included, the answer not.
	Above int64
	Rates
}

// rates returns the rates of a request whose prompt has that many tokens.
func (p *Price) rates(prompt int64) Rates {
	for i := len(p.Tiers) - 1; i >= 0; i-- {
		if t := &p.Tiers[i]; prompt > t.Above {
			return t.Rates.Or(p.Rates)
		}
	}
	return p.Rates
}

// cacheRead returns what a token read from a cache costs.
func (r *Rates) cacheRead() int64 { return known(r.CacheRead, r.Input) }

// cacheWrite5m returns what a token written to a cache for 5 minutes costs.
func (r *Rates) cacheWrite5m() int64 { return known(r.CacheWrite5m, r.Input) }

// cacheWrite1h returns what a token written to a cache for 1 hour costs. Catalogs list one price for writing. Where that is
// 1.25 times the input's, it is Anthropic's for 5 minutes, and the one for 1 hour is twice the input's ("Prompt caching",
// docs.claude.com, 2026); elsewhere the provider has only one.
func (r *Rates) cacheWrite1h() int64 {
	if r.CacheWrite1h < 0 && r.Input > 0 && r.CacheWrite5m*4 == r.Input*5 {
		return r.Input * 2
	}
	return known(r.CacheWrite1h, r.cacheWrite5m())
}

// known returns rate, or the other one when it is not known.
func known(rate, other int64) int64 {
	if rate >= 0 {
		return rate
	}
	return other
}
