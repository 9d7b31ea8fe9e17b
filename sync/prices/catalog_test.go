package prices

import (
	"fmt"
	"strings"
	"testing"

	"octopus/gateway/outcome"
)

// filler is as many models as a catalog must have to be believed.
var filler = func() string {
	var models []string
	for i := range minModels {
		models = append(models, fmt.Sprintf(`"filler-%d": {"cost": {"input": 1, "output": 1}}`, i))
	}
	return `"filler": {"models": {` + strings.Join(models, ",") + `}}`
}()

// catalogOf returns the catalog of providers written in JSON, with the filler.
func catalogOf(t *testing.T, providers string) *Catalog {
	t.Helper()
	c, err := Parse([]byte("{" + providers + "," + filler + "}"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const excerpt = `
"openai": {"id": "openai", "models": {
	"gpt-5.4": {"release_date": "2026-03-05", "limit": {"context": 1050000, "output": 128000}, "cost": {"input": 2.5, "output": 15,
		"cache_read": 0.25, "tiers": [{"tier": {"size": 272000}, "input": 5, "output": 22.5, "cache_read": 0.5}],
		"context_over_200k": {"input": 5, "output": 22.5}},
		"experimental": {"modes": {"fast": {"cost": {"input": 5, "output": 30, "cache_read": 0.5}}}}},
	"gpt-4o": {"release_date": "2024-05-13", "cost": {"input": 2.5, "output": 10, "cache_read": 1.25}},
	"gpt-4o-2024-05-13": {"release_date": "2024-05-13", "cost": {"input": 5, "output": 15}},
	"gpt-audio": {"cost": {"input": 2.5, "output": 10, "input_audio": 32, "output_audio": 64}}}},
"anthropic": {"models": {
	"claude-sonnet-4-5-20250929": {"release_date": "2025-09-29", "cost": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75}},
	"claude-haiku-4-5-20250101": {"release_date": "2025-01-01", "cost": {"input": 2, "output": 10}},
	"claude-haiku-4-5-20251001": {"release_date": "2025-10-01", "cost": {"input": 1, "output": 5}}}},
"openrouter": {"api": "https://openrouter.ai/api/v1", "models": {
	"anthropic/claude-sonnet-4.5": {"cost": {"input": 3.3, "output": 16}},
	"z-ai/glm-4.5-air:free": {"cost": {"input": 0, "output": 0}}}},
"somewhere": {"api": "https://llm.somewhere.example/v1", "models": {
	"claude-sonnet-4-5": {"cost": null},
	"kimi-k2": {"cost": {"input": 0.5, "output": 2, "cached_input": 0.1, "cached_write": 0.6, "reasoning": 3}}}},
"lmstudio": {"api": "http://127.0.0.1:1234/v1", "models": {"qwen3": {"cost": {"input": 0, "output": 0}}}}`

func TestAModelIsFoundAtItsProviderThenAtItsHome(t *testing.T) {
	c := catalogOf(t, excerpt)
	for _, test := range []struct {
		name, host, model, want string // want is provider and model
	}{
		{"the exact name", "api.openai.com", "gpt-5.4", "openai gpt-5.4"},
		{"with a date", "api.openai.com", "gpt-5.4-2026-03-05", "openai gpt-5.4"},
		{"a date with an entry of its own", "api.openai.com", "gpt-4o-2024-05-13", "openai gpt-4o-2024-05-13"},
		{"another date means the model without one", "api.openai.com", "gpt-4o-2024-11-20", "openai gpt-4o"},
		{"without a date means the newest", "api.anthropic.com", "claude-haiku-4-5", "anthropic claude-haiku-4-5-20251001"},
		{"latest", "api.anthropic.com", "claude-sonnet-4-5-latest", "anthropic claude-sonnet-4-5-20250929"},
		{"a reseller's own price", "openrouter.ai", "anthropic/claude-sonnet-4.5", "openrouter anthropic/claude-sonnet-4.5"},
		{"a reseller without the model", "openrouter.ai", "openai/gpt-5.4", "openai gpt-5.4"},
		{"an unknown host", "llm.internal", "gpt-5.4", "openai gpt-5.4"},
		{"an unknown host with the maker's name", "llm.internal", "openai/gpt-5.4", "openai gpt-5.4"},
		{"Bedrock's spelling", "bedrock-runtime.eu-west-1.amazonaws.com", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
			"anthropic claude-sonnet-4-5-20250929"},
		{"Vertex's spelling", "us-east5-aiplatform.googleapis.com", "claude-sonnet-4-5@20250929", "anthropic claude-sonnet-4-5-20250929"},
		{"Azure's host", "me.openai.azure.com", "gpt-5.4", "openai gpt-5.4"},
		{"a host that the catalog names", "LLM.somewhere.example", "kimi-k2", "somewhere kimi-k2"},
		{"a provider that gives no price hides the home's", "llm.somewhere.example", "claude-sonnet-4-5", "somewhere claude-sonnet-4-5"},
		{"open weights have no home", "llm.internal", "gpt-oss-120b", ""},
		{"a variant of a reseller has none either", "llm.internal", "z-ai/glm-4.5-air:free", ""},
		{"this machine is nobody's", "127.0.0.1", "qwen3", ""},
		{"nothing at all", "api.openai.com", "no-such-model", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if m := c.Find(test.host, test.model); m != nil {
				got = m.Provider + " " + m.Name
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPricesAreReadInFull(t *testing.T) {
	c := catalogOf(t, excerpt)
	gpt := c.Find("api.openai.com", "gpt-5.4")
	if gpt.ContextWindow != 1_050_000 || gpt.MaxOutput != 128_000 {
		t.Errorf("limits are %d and %d", gpt.ContextWindow, gpt.MaxOutput)
	}
	want := outcome.UnknownRates()
	want.Input, want.Output, want.CacheRead = 2_500_000, 15_000_000, 250_000
	if gpt.Price.Rates != want {
		t.Errorf("rates are %+v, want %+v", gpt.Price.Rates, want)
	}
	long := outcome.UnknownRates()
	long.Input, long.Output, long.CacheRead = 5_000_000, 22_500_000, 500_000
	if len(gpt.Price.Tiers) != 1 || gpt.Price.Tiers[0] != (outcome.Tier{Above: 272_000, Rates: long}) {
		t.Errorf("tiers are %+v", gpt.Price.Tiers)
	}
	if fast := gpt.Price.Fast; fast == nil || fast.Input != 5_000_000 || fast.Output != 30_000_000 || fast.CacheRead != 500_000 {
		t.Errorf("fast rates are %+v", fast)
	}
	if audio := c.Find("api.openai.com", "gpt-audio").Price; audio.InputAudio != 32_000_000 || audio.OutputAudio != 64_000_000 {
		t.Errorf("rates of sound are %+v", audio.Rates)
	}
	kimi := c.Find("llm.somewhere.example", "kimi-k2").Price
	if kimi.CacheRead != 100_000 || kimi.CacheWrite5m != 600_000 || kimi.Reasoning != 3_000_000 {
		t.Errorf("other spellings are read as %+v", kimi.Rates)
	}
}

func TestEntriesThatMakeNoSenseAreLeftOut(t *testing.T) {
	for name, model := range map[string]string{
		"a negative price":        `{"cost": {"input": -1, "output": 1}}`,
		"an absurd price":         `{"cost": {"input": 1, "output": 1e9}}`,
		"a price that is text":    `{"cost": {"input": "1", "output": 1}}`,
		"an unknown kind of tier": `{"cost": {"input": 1, "output": 1, "tiers": [{"tier": {"type": "weekday", "size": 1}, "input": 0}]}}`,
		"an absurd tier":          `{"cost": {"input": 1, "output": 1, "tiers": [{"tier": {"size": 1}, "input": -3}]}}`,
		"a tier of every prompt":  `{"cost": {"input": 1, "output": 1, "tiers": [{"tier": {"type": "context"}, "input": 9, "output": 9}]}}`,
		"no object":               `17`,
	} {
		t.Run(name, func(t *testing.T) {
			c := catalogOf(t, `"p": {"models": {"m": `+model+`}}`)
			if c.Refused != 1 || c.at("p", "m") != nil || c.Len() != minModels {
				t.Errorf("refused %d, %d models; want 1 and %d", c.Refused, c.Len(), minModels)
			}
		})
	}
}

func TestHalfAPriceIsNone(t *testing.T) {
	c := catalogOf(t, `"p": {"models": {"m": {"cost": {"input": 1}}}}`)
	if m := c.at("p", "m"); m == nil || m.Price != nil {
		t.Errorf("got %+v, want a model without a price", m)
	}
}

func TestWhatIsNoCatalogIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "HTML": "<html>", "a list": "[]", "no models": "{}", "too few": `{"p": {"models": {"m": {"cost": {"input": 1, "output": 1}}}}}`,
		"cut": "{" + excerpt[:200],
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestTheBuiltinCatalogKnowsTheBigProviders(t *testing.T) {
	c := Builtin()
	for host, model := range map[string]string{"api.openai.com": "gpt-5.4", "api.anthropic.com": "claude-sonnet-4-5"} {
		m := c.Find(host, model)
		if m == nil || m.Price == nil || m.Price.Input <= 0 || m.Price.Output <= m.Price.Input || m.ContextWindow < 100_000 {
			t.Fatalf("%s at %s: %+v", model, host, m)
		}
		if read := m.Price.CacheRead; read <= 0 || read > m.Price.Input/2 {
			t.Errorf("%s: reading from the cache costs %d of %d", model, read, m.Price.Input)
		}
	}
	sonnet := c.Find("api.anthropic.com", "claude-sonnet-4-5").Price
	if sonnet.CacheWrite5m*4 != sonnet.Input*5 {
		t.Errorf("writing to the cache costs %d of %d, want 1.25 times", sonnet.CacheWrite5m, sonnet.Input)
	}
	for m := range c.All {
		if p := m.Price; p != nil && (p.CacheRead > p.Input || p.CacheWrite5m > 2*p.Input) {
			t.Errorf("%s %s: %+v", m.Provider, m.Name, p.Rates)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("{" + excerpt + "," + filler + "}")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil {
			return
		}
		for m := range c.All {
			if p := m.Price; p != nil && (p.Input < 0 || p.Output < 0) {
				t.Errorf("%s has price %+v", m.Name, p)
			}
			c.Find("api.openai.com", m.Name)
		}
	})
}
