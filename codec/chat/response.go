package chat

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// Answer reads a whole answer: Real when it is a chat completion, Fault when it is an error, Junk when it is neither.
func (t *Tap) Answer(body []byte) llm.Mark {
	t.model = json.Span{}
	var choices, usage, fault []byte
	m := json.Object(body)
	for m.Next() {
		switch string(m.Key) {
		case "choices":
			choices = m.Value()
		case "usage":
			usage = m.Value()
		case "service_tier":
			t.usage.Service = llm.ServiceOf(m.Value())
		case "error":
			fault = m.Value()
		case "model":
			t.model = m.Span
		}
	}
	switch {
	case !m.Complete():
		return llm.Junk
	case json.Truthy(fault):
		return llm.Fault
	case json.IsEmpty(choices) || choices[0] != '[':
		return llm.Junk
	}
	t.usage.Merge(usage)
	t.usage.Tokens.Finish()
	return llm.Real
}
