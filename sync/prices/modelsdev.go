package prices

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// minModels is the least number of priced models that a catalog has: one with fewer is damaged, or something else.
const minModels = 20

// listedProvider is a provider as https://models.dev/api.json lists it, by its id. The format has no version; members
// that are not named here are not needed. It is described at https://github.com/anomalyco/models.dev (2026-11).
type listedProvider struct {
	// API is the base URL, left out where a library knows it.
	API    string                     `json:"api"`
	Models map[string]json.RawMessage `json:"models"`
}

// listedModel is a model of one provider.
type listedModel struct {
	ReleaseDate string `json:"release_date"`
	Limit       struct {
		Context float64 `json:"context"`
		Output  float64 `json:"output"`
	} `json:"limit"`
	Cost         *listedCost `json:"cost"`
	Experimental struct {
		Modes map[string]struct {
			Cost *listedCost `json:"cost"`
		} `json:"modes"`
	} `json:"experimental"`
}

// listedCost is a price in USD per million tokens.
type listedCost struct {
	listedRates
	Tiers []struct {
		listedRates
		Tier struct {
			// Type is "context", also when it is left out.
			Type string  `json:"type"`
			Size float64 `json:"size"`
		} `json:"tier"`
	} `json:"tiers"`
	// ContextOver200k is the older form of one tier.
	ContextOver200k *listedRates `json:"context_over_200k"`
}

type listedRates struct {
	Input       *float64 `json:"input"`
	Output      *float64 `json:"output"`
	CacheRead   *float64 `json:"cache_read"`
	CacheWrite  *float64 `json:"cache_write"`
	Reasoning   *float64 `json:"reasoning"`
	InputAudio  *float64 `json:"input_audio"`
	OutputAudio *float64 `json:"output_audio"`
	// Some providers' entries spell the caches otherwise (MiniMax, SiliconFlow, Together; 2026-11).
	CachedInput *float64 `json:"cached_input"`
	CacheInput  *float64 `json:"cache_input"`
	CachedWrite *float64 `json:"cached_write"`
}

// errAbsurd is a price that nobody asks.
var errAbsurd = errors.New("a price is negative or beyond reason")

// Parse reads the catalog of models.dev. Entries that make no sense are left out and counted; an error means that the
// document as a whole is no such catalog, and that the last good one should stay. The document is borrowed.
func Parse(document []byte) (*Catalog, error) {
	var listed map[string]listedProvider
	if err := json.Unmarshal(document, &listed); err != nil {
		return nil, fmt.Errorf("prices: not a catalog of models.dev: %w", err)
	}
	c := newCatalog(SourceModelsDev)
	priced := 0
	// In order of their ids, so that the same document always gives the same catalog.
	for _, id := range slices.Sorted(keys(listed)) {
		c.addHost(listed[id].API, id)
		for name, text := range listed[id].Models {
			m, err := readModel(id, name, text)
			if err != nil {
				c.Refused++
				continue
			}
			c.add(m)
			if m.Price != nil {
				priced++
			}
		}
	}
	if priced < minModels {
		return nil, fmt.Errorf("prices: the catalog has %d models with a price, at least %d were expected", priced, minModels)
	}
	return c, nil
}

// keys yields the keys of a map.
func keys[V any](of map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range of {
			if !yield(key) {
				return
			}
		}
	}
}

func readModel(provider, name string, text json.RawMessage) (*Model, error) {
	var listed listedModel
	if err := json.Unmarshal(text, &listed); err != nil {
		return nil, err
	}
	m := &Model{
		Provider: provider, Name: name, released: listed.ReleaseDate,
		ContextWindow: tokens(listed.Limit.Context), MaxOutput: tokens(listed.Limit.Output),
	}
	if listed.Cost == nil {
		return m, nil
	}
	p := new(outcome.Price)
	var err error
	if p.Rates, err = listed.Cost.rates(); err != nil {
		return nil, err
	}
	if p.Input < 0 || p.Output < 0 {
		return m, nil // half a price is none
	}
	for _, t := range listed.Cost.Tiers {
		if t.Tier.Type != "" && t.Tier.Type != "context" {
			return nil, fmt.Errorf("unknown type of tier %q", t.Tier.Type)
		}
		r, err := t.rates()
		if err != nil {
			return nil, err
		}
		above := tokens(t.Tier.Size)
		if above == 0 {
			return nil, fmt.Errorf("a tier begins at %v tokens", t.Tier.Size)
		}
		p.Tiers = append(p.Tiers, outcome.Tier{Above: above, Rates: r})
	}
	if over := listed.Cost.ContextOver200k; over != nil && len(p.Tiers) == 0 {
		r, err := over.rates()
		if err != nil {
			return nil, err
		}
		p.Tiers = append(p.Tiers, outcome.Tier{Above: 200_000, Rates: r})
	}
	slices.SortStableFunc(p.Tiers, func(a, b outcome.Tier) int { return int(a.Above - b.Above) })
	if fast := listed.Experimental.Modes["fast"].Cost; fast != nil {
		r, err := fast.rates()
		if err != nil {
			return nil, err
		}
		r.InputAudio, r.OutputAudio = p.InputAudio, p.OutputAudio
		p.Fast = &r
	}
	m.Price = p
	return m, nil
}

// rates returns the rates, or errAbsurd.
func (l *listedRates) rates() (outcome.Rates, error) {
	r := outcome.UnknownRates()
	for _, part := range [...]struct {
		rate   *int64
		listed []*float64
	}{
		{&r.Input, []*float64{l.Input}},
		{&r.Output, []*float64{l.Output}},
		{&r.CacheRead, []*float64{l.CacheRead, l.CachedInput, l.CacheInput}},
		{&r.CacheWrite5m, []*float64{l.CacheWrite, l.CachedWrite}},
		{&r.Reasoning, []*float64{l.Reasoning}},
		{&r.InputAudio, []*float64{l.InputAudio}},
		{&r.OutputAudio, []*float64{l.OutputAudio}},
	} {
		for _, usd := range part.listed {
			if usd == nil {
				continue
			}
			if !(*usd >= 0 && *usd <= maxUSD) {
				return r, errAbsurd
			}
			if *part.rate < 0 {
				*part.rate = picoUSD(*usd)
			}
		}
	}
	// Writing to a cache for nothing is how some entries say that there is no such price.
	if r.CacheWrite5m == 0 && r.Input > 0 {
		r.CacheWrite5m = outcome.NoRate
	}
	return r, nil
}

// maxUSD is the highest price per million tokens that is believed. The dearest model of 2026 asks 600.
const maxUSD = 10_000

// picoUSD returns a price in USD per million tokens as pico-USD per token.
func picoUSD(usd float64) int64 { return min(int64(math.Round(usd*1_000_000)), config.MaxPrice) }

// tokens returns a limit, or 0 when it is none.
func tokens(n float64) int64 {
	if n >= 1 && n <= 1e9 {
		return int64(n)
	}
	return 0
}
