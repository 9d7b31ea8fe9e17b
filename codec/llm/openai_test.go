package llm

import (
	"fmt"
	"testing"
)

func TestOpenAIModels(t *testing.T) {
	for _, c := range []struct {
		name                                         string
		known, reasons, none, developer, stop, marks bool
		efforts                                      string
	}{
		{"gpt-4o", true, false, false, false, true, false, "[]"},
		{"gpt-3.5-turbo", true, false, false, false, true, false, "[]"},
		{"chatgpt-4o-latest", true, false, false, false, true, false, "[]"},
		{"o1-mini", true, true, false, false, false, false, "[]"},
		{"o3", true, true, false, true, false, false, "[low medium high]"},
		{"o4-mini-2025-04-16", true, true, false, true, false, false, "[low medium high]"},
		{"gpt-5", true, true, false, true, false, false, "[minimal low medium high]"},
		{"openai/gpt-5-mini", true, true, false, true, false, false, "[minimal low medium high]"},
		{"gpt-5-2025-08-07", true, true, false, true, false, false, "[minimal low medium high]"},
		{"gpt-5-chat-latest", true, false, false, false, true, false, "[]"},
		{"gpt-5-codex", true, true, false, true, false, false, "[low medium high]"},
		{"gpt-5-pro", true, true, false, true, false, false, "[high]"},
		{"gpt-5.1", true, true, true, true, false, false, "[none low medium high]"},
		{"gpt-5.1-chat-latest", true, false, false, false, true, false, "[]"},
		{"gpt-5.1-codex", true, true, false, true, false, false, "[low medium high]"},
		{"gpt-5.1-codex-max", true, true, false, true, false, false, "[low medium high xhigh]"},
		{"gpt-5.2-pro", true, true, false, true, false, false, "[medium high xhigh]"},
		{"gpt-5.4-mini", true, true, true, true, false, false, "[none low medium high xhigh]"},
		{"gpt-5.6", true, true, true, true, false, true, "[none low medium high xhigh]"},
		{"gpt-6", true, true, false, true, false, true, "[low medium high xhigh max]"},
		{"gpt-6-sol", true, true, false, true, false, true, "[none low medium high xhigh max]"},
		{"gpt-6-terra", true, true, false, true, false, true, "[low medium high xhigh max]"},
		{"gpt-6.1-terra", true, true, false, true, false, true, "[none low medium high xhigh max]"},
		{"gpt-99999999999999999999", true, true, false, true, false, true, "[low medium high xhigh max]"},
		{"gpt-oss-120b", false, false, false, false, true, false, "[]"},
		{"deepseek-chat", false, false, false, false, true, false, "[]"},
		{"olmo", false, false, false, false, true, false, "[]"},
		{"", false, false, false, false, true, false, "[]"},
	} {
		m := OpenAIModelOf(c.name)
		got := fmt.Sprintln(m.Known, m.Reasons, m.SamplingWithEffortNone, m.DeveloperRole, m.StopAccepted,
			m.CacheBreakpoints, fmt.Sprint(m.Efforts))
		want := fmt.Sprintln(c.known, c.reasons, c.none, c.developer, c.stop, c.marks, c.efforts)
		if got != want {
			t.Errorf("%s: got %s, want %s", c.name, got, want)
		}
	}
	if !OpenAIModelOf("gpt-4o-search-preview").SearchOptions || OpenAIModelOf("gpt-4o").SearchOptions {
		t.Error("search models are not told from others")
	}
}

func TestNearestEffort(t *testing.T) {
	for _, c := range []struct {
		model        string
		wanted, want Effort
	}{
		{"gpt-5", EffortNone, EffortMinimal},
		{"gpt-5", EffortXHigh, EffortHigh},
		{"gpt-5", EffortLow, EffortLow},
		{"o3", EffortMinimal, EffortLow},
		{"gpt-5.1", EffortMinimal, EffortNone},
		{"gpt-5-pro", EffortLow, EffortHigh},
		{"gpt-6", EffortNone, EffortLow},
		{"gpt-4o", EffortHigh, ""},
		{"some-model", EffortMax, EffortMax},
		{"gpt-5", "", ""},
	} {
		if got := OpenAIModelOf(c.model).Nearest(c.wanted); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.model, c.wanted, got, c.want)
		}
	}
}

func TestBudgetsAndEfforts(t *testing.T) {
	for budget, want := range map[int64]Effort{
		0: EffortLow, 1024: EffortLow, 4095: EffortLow, 4096: EffortMedium, 16383: EffortMedium, 16384: EffortHigh,
		32767: EffortHigh,
		32768: EffortXHigh, 64000: EffortXHigh,
	} {
		if got := EffortOfBudget(budget); got != want {
			t.Errorf("budget %d: got %s, want %s", budget, got, want)
		}
	}
	last := int64(-1)
	for _, e := range effortOrder {
		budget := BudgetOfEffort(e)
		if budget <= last {
			t.Errorf("%s: budget %d does not grow", e, budget)
		}
		last = budget
		if !e.Valid() {
			t.Errorf("%s is not valid", e)
		}
	}
	if BudgetOfEffort("") != 0 || Effort("huge").Valid() {
		t.Error("what is no effort counts as one")
	}
}

func TestOpenAIEffortOfThinking(t *testing.T) {
	for _, c := range []struct {
		reasoning Reasoning
		want      Effort
		exact     bool
	}{
		{Reasoning{}, "", true},
		{Reasoning{Effort: EffortMax, Thinking: ThinkingOff}, EffortMax, true},
		{Reasoning{Thinking: ThinkingOff}, EffortNone, true},
		{Reasoning{Thinking: ThinkingAdaptive}, "", true},
		{Reasoning{Thinking: ThinkingBudget, Budget: 20000}, EffortHigh, false},
		{Reasoning{Thinking: ThinkingBetween}, EffortLow, false},
	} {
		if got, exact := c.reasoning.OpenAIEffort(); got != c.want || exact != c.exact {
			t.Errorf("%+v: got %q %v, want %q %v", c.reasoning, got, exact, c.want, c.exact)
		}
	}
}
