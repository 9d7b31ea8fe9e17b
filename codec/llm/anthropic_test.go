package llm

import "testing"

func TestAnthropicModelOf(t *testing.T) {
	type row struct {
		max                                            int64
		sampling, adaptive, budget, off, always        bool
		forced, forcedThinking, schema, prefill, midOK bool
	}
	f := func(model string, want row) {
		t.Helper()
		m := AnthropicModelOf(model)
		got := row{
			m.MaxOutput, m.Sampling, m.Adaptive, m.Budget, m.Off, m.AlwaysThinks,
			m.ForcedChoice, m.ForcedChoiceWhileThinking, m.StructuredOutputs, m.Prefill, m.MidSystem,
		}
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", model, got, want)
		}
	}
	const yes, no = true, false
	f("claude-sonnet-5-5", row{128_000, no, yes, no, no, yes, no, yes, yes, no, yes})
	f("claude-opus-5.5", row{128_000, no, yes, no, no, yes, no, yes, yes, no, yes})
	f("claude-haiku-5-5", row{128_000, no, yes, no, yes, no, yes, yes, yes, no, yes})
	f("claude-opus-5", row{128_000, no, yes, no, yes, no, yes, yes, yes, no, yes})
	f("claude-fable-5-1", row{128_000, no, yes, no, no, yes, no, yes, yes, no, yes})
	f("claude-fable-5", row{128_000, no, yes, no, no, yes, yes, yes, yes, no, yes})
	f("claude-mythos-5", row{128_000, no, yes, no, no, yes, yes, yes, yes, no, yes})
	f("claude-opus-4-7", row{128_000, no, yes, no, yes, no, yes, yes, yes, no, no})
	f("anthropic/claude-opus-4.8", row{128_000, no, yes, no, yes, no, yes, yes, yes, no, yes})
	f("claude-sonnet-5", row{128_000, no, yes, no, yes, no, yes, yes, yes, no, yes})
	f("claude-sonnet-4-6", row{128_000, yes, yes, yes, yes, no, yes, yes, yes, no, no})
	f("claude-opus-4-5-20251101", row{64_000, yes, no, yes, yes, no, yes, no, yes, yes, no})
	f("us.anthropic.claude-sonnet-4-5-20250929-v1:0", row{64_000, yes, no, yes, yes, no, yes, no, yes, yes, no})
	f("claude-haiku-4-5@20251001", row{64_000, yes, no, yes, yes, no, yes, no, yes, yes, no})
	f("claude-opus-4-1", row{32_000, yes, no, yes, yes, no, yes, no, yes, yes, no})
	f("claude-opus-4-20250514", row{32_000, yes, no, yes, yes, no, yes, no, no, yes, no})
	f("claude-sonnet-4-20250514", row{64_000, yes, no, yes, yes, no, yes, no, no, yes, no})
	f("claude-3-7-sonnet-latest", row{64_000, yes, no, yes, yes, no, yes, no, no, yes, no})
	f("CLAUDE-3-5-SONNET-20241022", row{8_192, yes, no, no, no, no, yes, no, no, yes, no})
	f("claude-3-opus-20240229", row{4_096, yes, no, no, no, no, yes, no, no, yes, no})
	f("claude-next", row{128_000, no, yes, no, no, no, yes, yes, yes, no, no})
	f("kimi-k2", row{0, yes, no, yes, yes, no, yes, yes, no, yes, no})
}

func TestAnthropicModelNearestEffort(t *testing.T) {
	f := func(model string, asked, want Effort) {
		t.Helper()
		m := AnthropicModelOf(model)
		if got := m.Nearest(asked); got != want {
			t.Errorf("%s: nearest of %s: got %q, want %q", model, asked, got, want)
		}
	}
	f("claude-opus-4-8", EffortMinimal, EffortLow)
	f("claude-opus-4-8", EffortXHigh, EffortXHigh)
	f("claude-opus-4-6", EffortXHigh, EffortHigh)
	f("claude-opus-4-6", EffortMax, EffortMax)
	f("claude-opus-4-5", EffortMax, EffortHigh)
	f("claude-sonnet-4-5", EffortHigh, "")
}
