package messages

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// Answer reads a whole answer: Real when it is a message, Fault when it is an error, Junk when it is neither.
func (t *Tap) Answer(body []byte) llm.Mark {
	t.model = json.Span{}
	var typ, content, usage, fault []byte
	m := json.Object(body)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			typ = m.Value()
		case "content":
			content = m.Value()
		case "usage":
			usage = m.Value()
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
	case string(typ) != `"message"` || len(content) == 0 || content[0] != '[':
		return llm.Junk
	}
	t.usage.Merge(usage)
	t.usage.Tokens.Finish()
	return llm.Real
}
