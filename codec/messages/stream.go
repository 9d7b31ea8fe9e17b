package messages

import (
	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/sse"
)

// Tap watches one answer of a Messages upstream. The zero value is ready for an answer.
type Tap struct {
	usage   Usage
	model   json.Span
	id      []byte // the message's id as a JSON string, empty while unknown
	real    bool   // a real event was seen
	stopped bool   // a stop reason was seen
	totals  bool   // a message_delta had usage
}

// Reset makes the tap ready for another answer.
func (t *Tap) Reset() { *t = Tap{id: t.id[:0]} }

// Event reads one event and says what it means. What is no JSON object is Junk and leaves no trace; so is the [DONE]
// that some providers send here too: it makes the SDKs of this protocol throw.
func (t *Tap) Event(e *sse.Event) llm.Mark {
	t.model = json.Span{}
	if e.Lines == 0 {
		return llm.Idle
	}
	var typ, delta, block, usage, fault []byte
	var message json.Span
	m := json.Object(e.Data)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			typ, _ = json.Unquote(m.Value())
		case "delta":
			delta = m.Value()
		case "content_block":
			block = m.Value()
		case "usage":
			usage = m.Value()
		case "message":
			message = m.Span
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
	mark := llm.Idle
	switch string(typ) {
	case "message_start":
		mark = t.readMessage(e.Data, message)
	case "content_block_start":
		if isRealBlock(block) {
			mark = llm.Real
		}
	case "content_block_delta":
		if t.real || isRealDelta(delta) {
			mark = llm.Real
		}
	case "message_delta":
		mark = t.readDelta(delta, usage)
	case "message_stop":
		if t.totals {
			t.usage.Tokens.Finish()
		}
		mark = llm.Last
	case "error":
		mark = llm.Fault
	default:
		if len(typ) == 0 && json.Truthy(fault) {
			mark = llm.Fault
		}
	}
	t.real = t.real || mark == llm.Real
	return mark
}

// readMessage notes what the message object of a message_start says.
func (t *Tap) readMessage(data []byte, message json.Span) llm.Mark {
	mark := llm.Idle
	m := json.Object(data[message.Start:message.End])
	for m.Next() {
		switch string(m.Key) {
		case "id":
			if len(m.Value()) <= maxID {
				t.id = append(t.id[:0], m.Value()...)
			}
		case "model":
			t.model = json.Span{Start: message.Start + m.Start, End: message.Start + m.End}
		case "usage":
			t.usage.Merge(m.Value())
		case "content":
			if !json.IsEmpty(m.Value()) {
				mark = llm.Real
			}
		}
	}
	return mark
}

// readDelta notes the stop reason and the totals of a message_delta.
func (t *Tap) readDelta(delta, usage []byte) llm.Mark {
	mark := llm.Idle
	if !json.IsEmpty(json.Get(delta, "stop_reason")) {
		t.stopped = true
		mark = llm.Real
	}
	if !json.IsEmpty(usage) {
		t.usage.Merge(usage)
		t.totals = true
		if t.stopped {
			t.usage.Tokens.Finish()
		}
	}
	return mark
}

// isRealBlock reports whether a block has something in it from its start: text and thinking begin empty, tools do not.
func isRealBlock(block []byte) bool {
	switch kind, _ := json.Unquote(json.Get(block, "type")); string(kind) {
	case "text", "thinking":
		return !json.IsEmpty(json.Get(block, string(kind)))
	}
	return true
}

// isRealDelta reports whether there is anything in a delta but its type.
func isRealDelta(delta []byte) bool {
	m := json.Object(delta)
	for m.Next() {
		if string(m.Key) != "type" && !json.IsEmpty(m.Value()) {
			return true
		}
	}
	return false
}

// maxID is the longest id of a message that is kept, in bytes.
const maxID = 256

// ID returns the id of the message, or "" while it is not known. Of a whole answer it is read only here.
func (t *Tap) ID(answer []byte) string {
	id := t.id
	if answer != nil {
		id = json.Get(answer, "id")
	}
	text, _ := json.Unquote(id)
	return string(text)
}

// Stopped reports whether a stop reason was seen, so that the answer is complete without a terminal event.
func (t *Tap) Stopped() bool { return t.stopped }

// Model returns where the last event or answer names its model, quotes included: an empty span when it doesn't.
func (t *Tap) Model() json.Span { return t.model }

// Usage returns the tokens reported so far.
func (t *Tap) Usage() llm.Usage { return t.usage.Neutral() }

// AppendEnd appends the terminal event that a stopped answer lacks.
func (t *Tap) AppendEnd(dst []byte) []byte {
	return append(dst, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}
