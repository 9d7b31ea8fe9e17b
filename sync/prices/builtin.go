package prices

import (
	"sync"

	"charm.land/catwalk/pkg/catwalk"
	"charm.land/catwalk/pkg/embedded"

	"octopus/gateway/outcome"
)

// embeddedIDs are the ids at models.dev of the providers that the embedded catalog calls otherwise.
var embeddedIDs = map[catwalk.InferenceProvider]string{
	catwalk.InferenceProviderGemini:           "google",
	catwalk.InferenceProviderBedrock:          "amazon-bedrock",
	catwalk.InferenceProviderVertexAI:         "google-vertex",
	catwalk.InferenceProviderCopilot:          "github-copilot",
	catwalk.InferenceProviderMoonshot:         "moonshotai",
	catwalk.InferenceProviderZhipu:            "zhipuai",
	catwalk.InferenceProviderZhipuCoding:      "zhipuai-coding-plan",
	catwalk.InferenceProviderFireworks:        "fireworks-ai",
	catwalk.InferenceProviderIoNet:            "io-net",
	catwalk.InferenceProviderAlibabaSingapore: "alibaba",
	catwalk.InferenceProviderMiniMaxChina:     "minimax-cn",
	catwalk.InferenceKimiCoding:               "kimi-for-coding",
	catwalk.InferenceProviderOpenCodeZen:      "opencode",
	catwalk.InferenceProviderQiniuCloud:       "qiniu-ai",
}

// Builtin returns the catalog in the binary, which serves until the first sync. It is made at the first call.
var Builtin = sync.OnceValue(func() *Catalog {
	c := newCatalog(SourceBuiltin)
	for _, p := range embedded.GetAll() {
		id := embeddedIDs[p.ID]
		if id == "" {
			id = string(p.ID)
		}
		c.addHost(p.APIEndpoint, id)
		for i := range p.Models {
			c.add(embeddedModel(id, &p.Models[i]))
		}
	}
	return c
})

func embeddedModel(provider string, of *catwalk.Model) *Model {
	m := &Model{Provider: provider, Name: of.ID, ContextWindow: tokens(float64(of.ContextWindow)),
		DefaultOutput: tokens(float64(of.DefaultMaxTokens))}
	in, out := of.CostPer1MIn, of.CostPer1MOut
	if !(in >= 0 && in <= maxUSD && out >= 0 && out <= maxUSD) || in+out == 0 {
		return m // it doesn't tell free from unknown
	}
	r := outcome.UnknownRates()
	r.Input, r.Output = picoUSD(in), picoUSD(out)
	read, write := embeddedCache(of)
	if read > 0 {
		r.CacheRead = picoUSD(read)
	}
	if write > 0 {
		r.CacheWrite5m = picoUSD(write)
	}
	m.Price = &outcome.Price{Rates: r}
	return m
}

// embeddedCache returns a model's prices of reading from and writing to the cache, 0 for none. The embedded catalog has two
// fields, "in cached" and "out cached", and its providers don't agree on their meaning: with Anthropic's and OpenAI's they are
// writing and reading, with most others reading is the one or the other, and some repeat the price of the output. So a number
// is taken by what it can be: reading costs between a hundredth and half of the input's price, writing between it and twice as
// much. Anything else is no price of a cache, and its tokens then cost what the input costs.
func embeddedCache(of *catwalk.Model) (read, write float64) {
	in := of.CostPer1MIn
	for _, usd := range [...]float64{of.CostPer1MInCached, of.CostPer1MOutCached} {
		switch {
		case usd >= in/100 && usd <= in/2 && usd > 0:
			if read == 0 || usd < read {
				read = usd
			}
		case usd > in && usd <= 2*in && usd != of.CostPer1MOut:
			write = usd
		}
	}
	return read, write
}
