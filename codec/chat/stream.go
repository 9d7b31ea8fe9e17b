package chat

import (
	"bytes"
	"math/bits"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/sse"
)

// Tap watches one answer of a Chat upstream. The zero value is ready for an answer with one choice.
type Tap struct {
	usage    Usage
	model    json.Span
	wanted   int       // how many choices were asked for
	finished [2]uint64 // which choices have a stop reason, by index
	real     bool      // a real event was seen
}

// Reset makes the tap ready for an answer with that many choices. The API allows 1 to 128 of them.
func (t *Tap) Reset(choices int) { *t = Tap{wanted: choices} }

// done is the data of the terminal event.
const done = "[DONE]"

// Event reads one event and says what it means. Chunks that are no JSON objects are Junk and leave no trace.
func (t *Tap) Event(e *sse.Event) llm.Mark {
	t.model = json.Span{}
	if e.Lines == 0 {
		return llm.Idle
	}
	if string(bytes.TrimSpace(e.Data)) == done {
		t.usage.Tokens.Finish()
		return llm.Last
	}
	var choices, usage, groq, fault []byte
	m := json.Object(e.Data)
	for m.Next() {
		switch string(m.Key) {
		case "choices":
			choices = m.Value()
		case "usage":
			usage = m.Value()
		case "x_groq":
			groq = m.Value()
		case "error":
			fault = m.Value()
		case "model":
			t.model = m.Span
		case "service_tier":
			t.usage.Service = llm.ServiceOf(m.Value())
		}
	}
	switch {
	case json.Truthy(fault) || string(e.Name) == "error":
		return llm.Fault
	case !m.Complete():
		return llm.Junk
	}
	mark := t.readChoices(choices)
	if groq != nil && json.IsNull(usage) {
		usage = json.Get(groq, "usage") // Groq's, 2025: beside the stop reason, before OpenAI's usage chunk was common
	}
	if !json.IsNull(usage) {
		t.usage.Merge(usage)
		if t.Stopped() {
			t.usage.Tokens.Finish()
		}
		if mark == llm.Idle && json.IsEmpty(choices) {
			return llm.Tally
		}
	}
	return mark
}

// readChoices notes the stop reasons in the choices of a chunk and says whether there is something real in them.
func (t *Tap) readChoices(choices []byte) llm.Mark {
	if t.real && !mentionsFinish(choices) && !json.IsEmpty(choices) {
		return llm.Real
	}
	mark := llm.Idle
	for e := json.Array(choices); e.Next(); {
		if t.readChoice(e.Value()) {
			t.real = true
			mark = llm.Real
		}
	}
	return mark
}

func (t *Tap) readChoice(choice []byte) (real bool) {
	var index int64
	finish := false
	m := json.Object(choice)
	for m.Next() {
		switch string(m.Key) {
		case "index":
			index, _ = json.Int(m.Value())
		case "finish_reason":
			finish = !json.IsEmpty(m.Value())
		case "delta":
			real = real || isRealDelta(m.Value())
		}
	}
	if finish && index >= 0 && index < 128 {
		t.finished[index/64] |= 1 << (index % 64)
	}
	return real || finish
}

// isRealDelta reports whether there is anything in a delta but the role.
func isRealDelta(delta []byte) bool {
	m := json.Object(delta)
	for m.Next() {
		if string(m.Key) != "role" && !json.IsEmpty(m.Value()) {
			return true
		}
	}
	return false
}

// finishKey is how a stop reason begins. The quote before it is left out, because a search for a rare first byte is ten
// times as fast. Inside a JSON string the quote behind it would have a backslash before it.
var finishKey = []byte(`finish_reason"`)

// mentionsFinish reports whether there is a stop reason other than null in choices. It errs on the side of true.
func mentionsFinish(choices []byte) bool {
	for {
		i := bytes.Index(choices, finishKey)
		if i < 0 {
			return false
		}
		choices = choices[i+len(finishKey):]
		// Fast path: no white space. Python's providers write some behind the colon.
		if !bytes.HasPrefix(choices, []byte(":null")) &&
			!bytes.HasPrefix(bytes.TrimLeft(choices, " \t\r\n:"), []byte("null")) {
			return true
		}
	}
}

// Stopped reports whether every choice has its stop reason, so that the answer is complete without a terminal event.
func (t *Tap) Stopped() bool {
	n := bits.OnesCount64(t.finished[0]) + bits.OnesCount64(t.finished[1])
	return n >= max(t.wanted, 1)
}

// Model returns where the last event or answer names its model, quotes included: an empty span when it doesn't.
func (t *Tap) Model() json.Span { return t.model }

// Usage returns the tokens reported so far.
func (t *Tap) Usage() llm.Usage { return t.usage.Neutral() }

// AppendEnd appends the terminal event that a stopped answer lacks.
func (t *Tap) AppendEnd(dst []byte) []byte { return append(dst, "data: "+done+"\n\n"...) }
