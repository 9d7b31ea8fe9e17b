package messages

import (
	"cmp"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// plannedThinking is what becomes of the client's wish for reasoning. The zero value says nothing of it.
type plannedThinking struct {
	kind    llm.Thinking
	budget  int64
	display string
	effort  llm.Effort // of output_config
	// explicit is whether the client spoke of thinking in Anthropic's words, not of an effort.
	explicit bool
}

// The limits of tokens (protocols.md D.4, D.7).
const (
	minBudget        = 1024   // the smallest budget of thinking
	usualMaxTokens   = 32_000 // where the client gives none
	hardMaxTokens    = 64_000 // where it asks for the highest efforts
	unknownMaxTokens = 8192   // where the model's limit is unknown
	answerTokens     = 16_000 // beside a budget of thinking
)

// planThinking decides how the model is told to think (protocols.md D.7).
func (w *writer) planThinking() {
	q := &w.r.Reasoning
	t := &w.thinking
	if q.Updated {
		w.approximate("input.configuration_update")
	}
	if w.native {
		*t = plannedThinking{kind: q.Thinking, budget: q.Budget, display: q.Display, effort: q.Effort, explicit: true}
	} else {
		t.explicit = q.Thinking != ""
		switch {
		case q.Thinking == llm.ThinkingOff, !t.explicit && q.Effort == llm.EffortNone:
			w.planNoThinking()
		case q.Thinking == llm.ThinkingBetween && w.model.MinimumBetween:
			t.kind = llm.ThinkingBetween
		case t.explicit, q.Effort != "":
			w.planSomeThinking()
		}
		if t.kind == llm.ThinkingAdaptive || t.kind == llm.ThinkingBudget {
			t.display = q.Display
			if t.display == "" && q.Summary != "" {
				t.display = "summarized"
			}
		}
	}
	// With a budget, Anthropic wants the thinking that led to the calls whose results are sent now. Where it was lost on the
	// way through another protocol, the model answers this one request without thinking.
	if t.kind == llm.ThinkingBudget && w.lacksThought() {
		if w.native {
			w.drop("thinking")
		} else {
			w.drop(w.effortField())
		}
		t.kind, t.budget, t.display = "", 0, ""
	}
}

// effortField returns the client's name of the effort.
func (w *writer) effortField() string {
	if w.r.Reasoning.Thinking != "" && w.r.Protocol == llm.Chat {
		return "thinking"
	}
	return w.word("reasoning_effort", "reasoning.effort")
}

// planNoThinking decides for a client that wants none.
func (w *writer) planNoThinking() {
	t := &w.thinking
	switch {
	case w.model.Off && !w.model.Adaptive:
		// These models don't think unless they are told to.
	case w.model.Off:
		t.kind = llm.ThinkingOff
	case w.model.MinimumBetween:
		t.kind = llm.ThinkingBetween
		w.approximate(w.effortField())
	case w.model.Adaptive:
		t.effort = w.model.Nearest(llm.EffortLow)
		w.approximate(w.effortField())
	}
	if wanted := w.r.Reasoning.Effort; t.kind == llm.ThinkingOff && wanted != "" && wanted != llm.EffortNone {
		// A model works hard or little without thinking too.
		t.effort = w.model.Nearest(wanted)
		if w.model.OffBelowXHigh && (t.effort == llm.EffortXHigh || t.effort == llm.EffortMax) {
			t.effort = w.model.Nearest(llm.EffortHigh)
		}
		if t.effort != wanted {
			w.approximate(w.word("reasoning_effort", "reasoning.effort"))
		}
	}
}

// planSomeThinking decides for a client that wants some.
func (w *writer) planSomeThinking() {
	q := &w.r.Reasoning
	t := &w.thinking
	switch {
	case q.Thinking == llm.ThinkingBudget && w.model.Budget:
		t.kind, t.budget = llm.ThinkingBudget, q.Budget
	case w.model.Adaptive:
		t.kind = llm.ThinkingAdaptive
		wanted := q.Effort
		switch {
		case wanted != "":
		case q.Thinking == llm.ThinkingBudget:
			wanted = llm.EffortOfBudget(q.Budget)
			w.approximate(w.effortField())
		case q.Thinking == llm.ThinkingBetween:
			wanted = llm.EffortLow
			w.approximate(w.effortField())
		default:
			return
		}
		if t.effort = w.model.Nearest(wanted); t.effort != wanted {
			w.approximate(w.effortField())
		}
	case w.model.Budget:
		effort := q.Effort
		if effort == "" || effort == llm.EffortNone {
			effort = llm.EffortMedium
			if q.Thinking == llm.ThinkingBetween {
				effort = llm.EffortLow
			}
			w.approximate(w.effortField())
		}
		t.kind, t.budget = llm.ThinkingBudget, llm.BudgetOfEffort(effort)
	default:
		w.drop(w.effortField())
	}
}

// lacksThought reports whether the conversation ends in results of calls whose turn does not begin with a thought. What an
// Anthropic client sends that way by itself is its own affair.
func (w *writer) lacksThought() bool {
	n := len(w.messages)
	if n < 2 || w.messages[n-1].role != llm.User || !w.messages[n-1].hasResults {
		return false
	}
	if w.native && !w.messages[n-2].lostThought {
		return false
	}
	refs := w.messages[n-2].refs
	return len(refs) == 0 || refs[0].kind != refItem || refs[0].item.Kind != llm.Thought
}

// planLimit decides max_tokens, and cuts the budget of thinking to fit (protocols.md D.4, D.7).
func (w *writer) planLimit() {
	given := w.r.Sampling.MaxTokens
	if w.native && given != nil {
		w.maxTokens = *given
		return
	}
	if w.r.Cache.Prewarm {
		w.thinking = plannedThinking{}
		return
	}
	ceiling := w.model.MaxOutput
	if n := w.x.Capabilities.MaxOutput; n > 0 {
		ceiling = n
	}
	if given != nil {
		w.maxTokens = *given
		if ceiling > 0 && w.maxTokens > ceiling {
			w.maxTokens = ceiling
			w.approximate(w.word("max_completion_tokens", "max_output_tokens"))
		}
	} else {
		w.maxTokens = w.chooseLimit(ceiling)
		w.x.MaxTokensChosen = true
	}
	if t := &w.thinking; t.kind == llm.ThinkingBudget {
		room := w.maxTokens - max(minBudget, w.maxTokens/4)
		if t.budget > room {
			t.budget = room
		}
		if t.budget < minBudget {
			t.kind, t.budget, t.display = "", 0, ""
			w.drop(w.effortField())
		}
	}
}

// chooseLimit returns max_tokens for a client that gave none. A ceiling of 0 is unknown.
func (w *writer) chooseLimit(ceiling int64) int64 {
	limit := int64(usualMaxTokens)
	if ceiling == 0 {
		limit = unknownMaxTokens
		if n := cmp.Or(w.x.Options.MaxTokens, w.x.Capabilities.DefaultOutput); n > 0 {
			limit = n
		}
		ceiling = hardMaxTokens
	}
	switch {
	case w.thinking.kind == llm.ThinkingBudget:
		limit = w.thinking.budget + answerTokens
	case w.thinking.effort == llm.EffortXHigh, w.thinking.effort == llm.EffortMax:
		limit = hardMaxTokens
	}
	return min(limit, ceiling)
}

func (w *writer) writeThinking() {
	t := &w.thinking
	if t.kind == "" {
		return
	}
	w.dst = append(w.dst, `,"thinking":{"type":`...)
	w.dst = json.AppendString(w.dst, string(t.kind))
	if t.kind == llm.ThinkingBudget {
		w.dst = append(w.dst, `,"budget_tokens":`...)
		w.dst = strconv.AppendInt(w.dst, t.budget, 10)
	}
	w.text("display", t.display)
	w.writeNested(nestedThinking)
	w.dst = append(w.dst, '}')
}

// writeOutputConfig writes the effort and the format of the answer.
func (w *writer) writeOutputConfig() {
	start := len(w.dst)
	w.text("effort", string(w.thinking.effort))
	if w.schema != nil {
		w.dst = append(w.dst, `,"format":{"type":"json_schema","schema":`...)
		w.dst = append(append(w.dst, w.schema...), '}')
	}
	w.writeNested(nestedOutput)
	if len(w.dst) == start {
		return
	}
	// The members stand there with a comma before each: the object's opening goes between the first comma and what follows.
	const opening = `"output_config":{`
	w.dst = append(w.dst, opening...)
	copy(w.dst[start+1+len(opening):], w.dst[start+1:])
	copy(w.dst[start+1:], opening)
	w.dst = append(w.dst, '}')
}
