package messages

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// plannedChoice is what is written as tool_choice. Without a kind there is none.
type plannedChoice struct {
	kind, name string
	single     bool // no parallel calls
}

// planChoice decides tool_choice (protocols.md B.5, D.5, D.8).
func (w *writer) planChoice() {
	c := &w.r.Choice
	p := &w.choice
	p.single = c.Parallel != nil && !*c.Parallel || w.r.Legacy || w.x.JSONTool != ""
	switch c.Mode {
	case llm.ChoiceNone:
		p.kind = "none"
	case llm.ChoiceAuto:
		p.kind = "auto"
	case llm.ChoiceRequired:
		p.kind = "any"
	case llm.ChoiceNamed:
		p.kind, p.name = "tool", w.wireChoice(c)
	case llm.ChoiceAllowed:
		p.kind = "auto"
		if c.Required {
			p.kind = "any"
		}
		w.approximate("tool_choice")
	}
	if w.x.JSONTool != "" {
		switch {
		case p.kind == "tool":
			// The client's own tool comes first.
		case p.kind == "none" || w.keptTools() == 1:
			p.kind, p.name = "tool", w.x.JSONTool
		default:
			p.kind = "any"
		}
	}
	if w.keptTools() == 0 {
		if p.kind == "any" || p.kind == "tool" {
			w.drop("tool_choice")
		}
		*p = plannedChoice{}
		return
	}
	if w.native {
		return
	}
	w.guardForced()
	if p.kind == "" && p.single {
		p.kind = "auto"
	}
}

// wireChoice returns the target's name of the tool that must be called.
func (w *writer) wireChoice(c *llm.ToolChoice) string {
	if len(c.Names) == 0 {
		return ""
	}
	name := &c.Names[0]
	if name.Kind == llm.SearchTool && !w.native {
		return searchName
	}
	if !w.native && w.x.Options.CodeExecution && name.Kind == llm.OtherTool && name.RunsCode() {
		return llm.CodeExecution
	}
	return w.wireName(name.Namespace, name.Name)
}

// guardForced keeps a forced call from models, and from thinking, that don't allow one.
func (w *writer) guardForced() {
	p := &w.choice
	if p.kind != "any" && p.kind != "tool" {
		return
	}
	t := &w.thinking
	thinks := false
	switch t.kind {
	case llm.ThinkingBudget:
		thinks = w.model.Claude
	case llm.ThinkingAdaptive, llm.ThinkingBetween:
		thinks = !w.model.ForcedChoiceWhileThinking
	}
	if w.model.ForcedChoice && !thinks {
		return
	}
	if w.model.ForcedChoice && !t.explicit && w.model.Off {
		w.drop(w.effortField())
		effort := t.effort
		*t = plannedThinking{effort: effort}
		if w.model.Adaptive {
			t.kind = llm.ThinkingOff
		}
		return
	}
	if p.kind == "tool" {
		for i := range w.tools {
			tool := &w.tools[i]
			tool.keep = tool.keep && tool.wire == p.name
		}
	}
	if w.x.JSONTool != "" {
		w.instruction = "Answer by calling the tool " + w.x.JSONTool + "."
	}
	p.kind, p.name = "auto", ""
	if c := w.r.Choice.Mode; c == llm.ChoiceRequired || c == llm.ChoiceNamed || c == llm.ChoiceAllowed {
		w.approximate("tool_choice")
	} else {
		w.approximate(w.word("response_format", "text.format"))
	}
}

func (w *writer) writeChoice() {
	p := &w.choice
	if p.kind == "" {
		return
	}
	w.dst = append(w.dst, `,"tool_choice":{"type":`...)
	w.dst = json.AppendString(w.dst, p.kind)
	w.text("name", p.name)
	switch {
	case p.kind == "none":
	case p.single:
		w.dst = append(w.dst, `,"disable_parallel_tool_use":true`...)
	case w.native && w.r.Choice.Parallel != nil:
		w.dst = append(w.dst, `,"disable_parallel_tool_use":false`...)
	}
	w.dst = append(w.dst, '}')
}
