package chat

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// envelopePrefix begins every envelope of opaque reasoning (protocols.md B.6).
var envelopePrefix = []byte("gw1.")

// LeaveOutForeign notes what must change in a body of this protocol, a request with envelopes of opaque reasoning in it, before an
// upstream of this protocol gets it: the entries of reasoning_details that other protocols' providers have made are left out, and
// the text beside them where none is left, unless the channel wants it back. Every other byte stays (protocols.md B.6 and B.7).
// No Chat upstream gives out envelopes to Chat clients, so that all of them are foreign.
func LeaveOutForeign(edits json.Edits, body []byte, x *llm.Exchange) json.Edits {
	c := cleaner{edits: edits, x: x}
	for m := json.Object(body); m.Next(); {
		if string(m.Key) != "messages" {
			continue
		}
		for e := json.Array(m.Value()); e.Next(); {
			c.message(e.Value(), m.Start+e.Start)
		}
	}
	return c.edits
}

// cleaner notes the edits of one body.
type cleaner struct {
	edits json.Edits
	x     *llm.Exchange
}

func (c *cleaner) message(message []byte, base int) {
	details := json.Get(message, "reasoning_details")
	foreign, left := foreignDetails(details)
	if len(foreign) == 0 {
		return
	}
	echo := c.x.Options.EchoReasoning
	hasText := !json.IsNull(json.Get(message, "reasoning_content")) || !json.IsNull(json.Get(message, "reasoning"))
	if echo {
		c.x.Warnings.Drop("messages.reasoning_details") // the text goes back, the signature does not
	} else {
		c.x.Warnings.Drop("messages.reasoning_content")
	}
	var o json.Omissions
	for m := json.Object(message); m.Next(); {
		at := json.Span{Start: m.KeyStart, End: m.End}.Within(base)
		switch key := string(m.Key); {
		case key == "reasoning_details" && left > 0:
			c.details(m.Value(), base+m.Start, foreign)
		case key == "reasoning_details" && echo && !hasText:
			// The channel wants the text, and there is no other place it stands in.
			text := append([]byte(`"reasoning_content":`), json.AppendString(nil, textOf(details))...)
			c.edits = append(c.edits, json.Edit{Span: at, With: text})
		case key == "reasoning_details",
			(key == "reasoning_content" || key == "reasoning") && left == 0 && !echo:
			c.edits = o.Omit(c.edits, at)
			continue
		}
		c.edits = o.Keep(c.edits, at)
	}
	c.edits = o.Close(c.edits)
}

// details leaves the foreign entries out.
func (c *cleaner) details(list []byte, base int, foreign []int64) {
	var o json.Omissions
	i := 0
	for e := json.Array(list); e.Next(); i++ {
		if isForeign(e.Value(), i, foreign) {
			c.edits = o.Omit(c.edits, e.Span.Within(base))
		} else {
			c.edits = o.Keep(c.edits, e.Span.Within(base))
		}
	}
	c.edits = o.Close(c.edits)
}

// foreignDetails returns which thoughts of reasoning_details are in envelopes, see thoughtOf, and how many entries are of others.
func foreignDetails(list []byte) (foreign []int64, left int) {
	i := 0
	for e := json.Array(list); e.Next(); i++ {
		for _, name := range [...]string{"signature", "data"} {
			if seal, ok := json.Unquote(json.Get(e.Value(), name)); ok && bytes.HasPrefix(seal, envelopePrefix) {
				foreign = append(foreign, thoughtOf(e.Value(), i))
			}
		}
	}
	i = 0
	for e := json.Array(list); e.Next(); i++ {
		if !isForeign(e.Value(), i, foreign) {
			left++
		}
	}
	return foreign, left
}

func isForeign(entry []byte, i int, foreign []int64) bool {
	thought := thoughtOf(entry, i)
	for _, f := range foreign {
		if f == thought {
			return true
		}
	}
	return false
}

// thoughtOf returns which thought entry i belongs to: that of its index, or one of its own.
func thoughtOf(entry []byte, i int) int64 {
	if index, ok := json.Int(json.Get(entry, "index")); ok && index >= 0 {
		return index
	}
	return int64(-1 - i)
}

// textOf returns the text of the thoughts in reasoning_details.
func textOf(list []byte) (text []byte) {
	for e := json.Array(list); e.Next(); {
		for _, name := range [...]string{"text", "summary"} {
			piece, _ := json.Unquote(json.Get(e.Value(), name))
			text = append(text, piece...)
		}
	}
	return text
}
