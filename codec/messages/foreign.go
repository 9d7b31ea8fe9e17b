package messages

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// LeaveOutForeign notes what must change in a body of this protocol, a request with envelopes of opaque reasoning in it, before an
// upstream of this protocol gets it: thoughts of other providers' are left out, the target's own get back the form in which
// Anthropic gave them out, and every other byte stays (protocols.md B.6 and B.7). A message with nothing else in it is left out
// as a whole. Where thinking with a budget would miss a thought that was left out, thinking is too.
func LeaveOutForeign(edits json.Edits, body []byte, x *llm.Exchange) json.Edits {
	c := cleaner{edits: edits, x: x}
	budget := false
	for m := json.Object(body); m.Next(); {
		switch string(m.Key) {
		case "messages":
			c.messages(m.Value(), m.Start)
		case "thinking":
			budget = string(json.Get(m.Value(), "type")) == `"`+string(llm.ThinkingBudget)+`"`
		}
	}
	if budget && c.lacksThought {
		x.Warnings.Drop("thinking")
		c.leaveOutThinking(body)
	}
	return c.edits
}

// cleaner notes the edits of one body.
type cleaner struct {
	edits json.Edits
	x     *llm.Exchange
	// lacksThought tells that the last message brings results of calls whose thought was left out.
	lacksThought bool
}

func (c *cleaner) messages(list []byte, base int) {
	var o json.Omissions
	var calls cleaned // what became of the message before the one that is looked at
	for e := json.Array(list); e.Next(); {
		at := e.Span.Within(base)
		noted := len(c.edits)
		now := c.message(e.Value(), at.Start)
		if now.lost && now.blocks == 0 {
			c.edits = o.Omit(c.edits[:noted], at)
			continue
		}
		c.edits = o.Keep(c.edits, at)
		c.lacksThought = now.results && calls.lost && !calls.thinksFirst
		calls = now
	}
	c.edits = o.Close(c.edits)
}

// cleaned is what is left of a message.
type cleaned struct {
	lost        bool // a thought was left out
	blocks      int
	thinksFirst bool
	results     bool // it is a user's, with results of calls
}

func (c *cleaner) message(message []byte, base int) (left cleaned) {
	user := string(json.Get(message, "role")) == `"user"`
	for m := json.Object(message); m.Next(); {
		if string(m.Key) != "content" {
			continue
		}
		left = cleaned{}
		var o json.Omissions
		for e := json.Array(m.Value()); e.Next(); {
			at := e.Span.Within(base + m.Start)
			kind := string(json.Get(e.Value(), "type"))
			thought := kind == `"thinking"` || kind == `"redacted_thinking"`
			if thought && !c.thought(e.Value(), at.Start) {
				left.lost = true
				c.edits = o.Omit(c.edits, at)
				continue
			}
			c.edits = o.Keep(c.edits, at)
			left.thinksFirst = left.thinksFirst || thought && left.blocks == 0
			left.results = left.results || user && kind == `"tool_result"`
			left.blocks++
		}
		c.edits = o.Close(c.edits)
	}
	if left.lost {
		c.x.Warnings.Drop("messages.content.thinking")
	}
	return left
}

// thought reports whether a block of thinking stays, and restores what its envelopes hold.
func (c *cleaner) thought(block []byte, base int) bool {
	noted := len(c.edits)
	for m := json.Object(block); m.Next(); {
		kind := llm.SealKind("")
		switch string(m.Key) {
		case "signature":
			kind = llm.SealSignature
		case "data":
			kind = llm.SealRedacted
		default:
			continue
		}
		seal, ok := json.Unquote(m.Value())
		if !ok || !bytes.HasPrefix(seal, envelopePrefix) {
			continue
		}
		opaque, ok := c.open(seal, kind, block)
		if !ok {
			c.edits = c.edits[:noted]
			return false
		}
		c.edits = append(c.edits, json.Edit{Span: m.Span.Within(base), With: json.AppendString(nil, opaque)})
	}
	return true
}

// open returns what an envelope in a block holds, if it is the target's own and the block is as it was.
func (c *cleaner) open(envelope []byte, kind llm.SealKind, block []byte) (opaque []byte, ok bool) {
	if c.x.Sealer == nil {
		return nil, false
	}
	sealed, _, ok := c.x.Sealer.Open(envelope)
	if !ok || sealed.Kind != kind {
		return nil, false
	}
	text, _ := json.Unquote(json.Get(block, "thinking"))
	return sealed.Opaque, kind == llm.SealRedacted || sealed.Fits(text)
}

// leaveOutThinking leaves the member thinking out of a body.
func (c *cleaner) leaveOutThinking(body []byte) {
	var o json.Omissions
	for m := json.Object(body); m.Next(); {
		at := json.Span{Start: m.KeyStart, End: m.End}
		if string(m.Key) == "thinking" {
			c.edits = o.Omit(c.edits, at)
		} else {
			c.edits = o.Keep(c.edits, at)
		}
	}
	c.edits = o.Close(c.edits)
}
