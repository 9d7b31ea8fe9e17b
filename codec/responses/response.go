package responses

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// Answer reads a whole answer: Real when it is a response, Fault when it is an error, Junk when it is neither.
func (t *Tap) Answer(body []byte) llm.Mark {
	t.model = json.Span{}
	var object, output, status, usage, fault []byte
	m := json.Object(body)
	for m.Next() {
		switch string(m.Key) {
		case "object":
			object = m.Value()
		case "output":
			output = m.Value()
		case "status":
			status = m.Value()
		case "usage":
			usage = m.Value()
		case "tool_usage":
			t.usage.MergeTools(m.Value())
		case "service_tier":
			t.usage.Service = llm.ServiceOf(m.Value())
		case "error":
			fault = m.Value()
		case "model":
			t.model = m.Span
		}
	}
	if !m.Complete() {
		return llm.Junk
	}
	t.usage.Merge(usage)
	t.usage.Tokens.Finish()
	switch {
	case json.Truthy(fault) || string(status) == `"failed"`:
		return llm.Fault
	case string(object) != `"response"` && (len(output) == 0 || output[0] != '['):
		return llm.Junk
	}
	return llm.Real
}
