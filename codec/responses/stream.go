package responses

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/sse"
)

// Tap watches one answer of a Responses upstream. The zero value is ready for an answer.
type Tap struct {
	usage     Usage
	model     json.Span
	id, name  []byte // the response's id and model as JSON strings, empty while unknown
	createdAt int64  // Unix seconds, zero while unknown
	next      int64  // the sequence number of the next event
	real      bool   // a real event was seen
	ended     bool   // the terminal event was seen
}

// Reset makes the tap ready for another answer.
func (t *Tap) Reset() { *t = Tap{id: t.id[:0], name: t.name[:0]} }

// Event reads one event and says what it means. What is no JSON object is Junk and leaves no trace; so is the [DONE]
// that some providers send here too, and no client needs.
func (t *Tap) Event(e *sse.Event) llm.Mark {
	t.model = json.Span{}
	if e.Lines == 0 {
		return llm.Idle
	}
	var typ, delta, item, fault []byte
	var response json.Span
	number := t.next
	m := json.Object(e.Data)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			typ, _ = json.Unquote(m.Value())
		case "sequence_number":
			if n, ok := json.Int(m.Value()); ok && n >= 0 {
				number = n
			}
		case "response":
			response = m.Span
		case "delta":
			delta = m.Value()
		case "item":
			item = m.Value()
		case "error":
			fault = m.Value()
		}
	}
	if len(typ) == 0 {
		typ = e.Name
	}
	if !m.Complete() && string(typ) != "error" {
		return llm.Junk
	}
	mark := llm.Real
	switch string(typ) {
	case "response.created", "response.queued", "response.in_progress":
		t.readResponse(e.Data, response)
		mark = llm.Idle
	case "response.completed", "response.incomplete":
		t.readResponse(e.Data, response)
		t.usage.Tokens.Finish()
		t.ended = true
		mark = llm.Last
	case "response.failed", "response.cancelled", "error":
		t.readResponse(e.Data, response)
		t.usage.Tokens.Finish()
		return llm.Fault
	default:
		if len(typ) == 0 && json.Truthy(fault) {
			return llm.Fault
		}
		if !t.real && !isReal(typ, delta, item) {
			mark = llm.Idle
		}
	}
	t.real = t.real || mark != llm.Idle
	t.next = number + 1
	return mark
}

// readResponse notes what the response object of a lifecycle event says.
func (t *Tap) readResponse(data []byte, response json.Span) {
	m := json.Object(data[response.Start:response.End])
	for m.Next() {
		switch string(m.Key) {
		case "id":
			t.id = keepString(t.id, m.Value())
		case "model":
			t.name = keepString(t.name, m.Value())
			t.model = json.Span{Start: response.Start + m.Start, End: response.Start + m.End}
		case "created_at":
			t.createdAt, _ = json.Int(m.Value())
		case "usage":
			t.usage.Merge(m.Value())
		case "service_tier":
			t.usage.Service = llm.ServiceOf(m.Value())
		case "tool_usage":
			t.usage.MergeTools(m.Value())
		}
	}
}

// keepString returns a copy of value in dst, or what dst holds when value is no string of a sane length.
func keepString(dst, value []byte) []byte {
	if len(value) > 256 || len(value) < 2 || value[0] != '"' {
		return dst
	}
	return append(dst[:0], value...)
}

// isReal reports whether an event that is none of the lifecycle has something in it that a client waits for. Items
// and parts that are only opened are empty, tools apart.
func isReal(typ, delta, item []byte) bool {
	switch string(typ) {
	case "response.output_item.added":
		kind, _ := json.Unquote(json.Get(item, "type"))
		return string(kind) != "message" && string(kind) != "reasoning"
	case "response.content_part.added", "response.reasoning_summary_part.added":
		return false
	}
	if bytes.HasSuffix(typ, []byte(".delta")) {
		return !json.IsEmpty(delta)
	}
	// keepalive and what else may come is not of the response.
	return bytes.HasPrefix(typ, []byte("response."))
}

// ID returns the id of the response, or "" while it is not known. Of a whole answer it is read only here.
func (t *Tap) ID(answer []byte) string {
	id := t.id
	if answer != nil {
		id = json.Get(answer, "id")
	}
	text, _ := json.Unquote(id)
	return string(text)
}

// Stopped reports whether the answer is complete. In this protocol that is the terminal event itself.
func (t *Tap) Stopped() bool { return t.ended }

// Model returns where the last event or answer names its model, quotes included: an empty span when it doesn't.
func (t *Tap) Model() json.Span { return t.model }

// Rename makes AppendError report that model, a JSON string, in place of the upstream's.
func (t *Tap) Rename(model []byte) { t.name = append(t.name[:0], model...) }

// Usage returns the tokens reported so far.
func (t *Tap) Usage() llm.Usage { return t.usage.Neutral() }

// AppendEnd appends nothing: an answer that has stopped has its terminal event.
func (t *Tap) AppendEnd(dst []byte) []byte { return dst }
