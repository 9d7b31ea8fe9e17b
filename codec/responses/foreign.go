package responses

import (
	"bytes"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// LeaveOutForeign notes what must change in a body of this protocol, a request with envelopes of opaque reasoning in it, before an
// upstream of this protocol gets it (or one with any reasoning, for an upstream that wants none): reasoning items of other providers' are left out, and with them the ids of the other items
// of their turn, which would be refused without the reasoning that they belong to. The target's own items get back their id and
// their encrypted_content. Every other byte stays (protocols.md B.6 and B.7).
func LeaveOutForeign(edits json.Edits, body []byte, x *llm.Exchange) json.Edits {
	c := cleaner{edits: edits, x: x}
	for m := json.Object(body); m.Next(); {
		if string(m.Key) == "input" {
			c.input(m.Value(), m.Start)
		}
	}
	return c.edits
}

// cleaner notes the edits of one body.
type cleaner struct {
	edits json.Edits
	x     *llm.Exchange
	run   []json.Span // the items of the model's turn that is looked at which lose their id with a thought
	lost  bool        // the turn has lost a thought
}

func (c *cleaner) input(list []byte, base int) {
	var o json.Omissions
	for e := json.Array(list); e.Next(); {
		at := e.Span.Within(base)
		item := e.Value()
		switch sideOf(item) {
		case turnOfOthers:
			c.endTurn(list, base)
		case turnOfModel:
			c.run = append(c.run, e.Span)
		case thoughtOfModel:
			if !c.thought(item, at.Start) {
				c.lost = true
				c.edits = o.Omit(c.edits, at)
				continue
			}
		}
		c.edits = o.Keep(c.edits, at)
	}
	c.endTurn(list, base)
	c.edits = o.Close(c.edits)
}

// endTurn strips the ids of the model's turn that is over, if it has lost a thought.
func (c *cleaner) endTurn(list []byte, base int) {
	if c.lost {
		c.x.Warnings.Drop("input.encrypted_content")
		for _, at := range c.run {
			c.leaveOutID(list[at.Start:at.End], base+at.Start)
		}
	}
	c.run, c.lost = c.run[:0], false
}

// leaveOutID leaves the id of an item out.
func (c *cleaner) leaveOutID(item []byte, base int) {
	var o json.Omissions
	for m := json.Object(item); m.Next(); {
		at := json.Span{Start: m.KeyStart, End: m.End}.Within(base)
		if string(m.Key) == "id" {
			c.edits = o.Omit(c.edits, at)
		} else {
			c.edits = o.Keep(c.edits, at)
		}
	}
	c.edits = o.Close(c.edits)
}

// side is whose an input item is.
type side uint8

const (
	turnOfOthers   side = iota // a message of another role, or a result
	turnOfModel                // something that the model has said or called
	thoughtOfModel             // reasoning
	ofNoTurn                   // a reference, or what says something about the request
)

// sideOf returns whose an item is, by the rules that turns are folded by.
func sideOf(item []byte) side {
	text, _ := json.Unquote(json.Get(item, "type"))
	switch kind := string(text); {
	case kind == "reasoning":
		return thoughtOfModel
	case kind == "message", kind == "":
		if string(json.Get(item, "role")) == `"assistant"` {
			return turnOfModel
		}
		return turnOfOthers
	case kind == "item_reference", kind == "additional_tools", kind == "configuration_update":
		return ofNoTurn
	case kind == "agent_message", kind == "mcp_approval_response", kind == "compaction_trigger", strings.HasSuffix(kind, "_output"):
		return turnOfOthers
	}
	return turnOfModel
}

// thought reports whether a reasoning item stays, and restores what its envelope holds.
func (c *cleaner) thought(item []byte, base int) bool {
	if c.x.Options.StripReasoning {
		return false
	}
	var sealed llm.Sealed
	restored := false
	for m := json.Object(item); m.Next(); {
		if string(m.Key) != "encrypted_content" {
			continue
		}
		seal, ok := json.Unquote(m.Value())
		if !ok || !bytes.HasPrefix(seal, []byte(envelopePrefix)) {
			continue
		}
		if sealed, ok = c.open(seal, item); !ok || restored {
			return false
		}
		restored = true
	}
	if !restored {
		return true
	}
	var o json.Omissions
	for m := json.Object(item); m.Next(); {
		at := json.Span{Start: m.KeyStart, End: m.End}.Within(base)
		value := json.Edit{Span: m.Span.Within(base)}
		switch string(m.Key) {
		case "id":
			if sealed.Item == "" {
				c.edits = o.Omit(c.edits, at)
				continue
			}
			value.With = json.AppendString(nil, sealed.Item)
			c.edits = append(c.edits, value)
		case "encrypted_content":
			value.With = json.AppendString(nil, sealed.Opaque)
			c.edits = append(c.edits, value)
		}
		c.edits = o.Keep(c.edits, at)
	}
	c.edits = o.Close(c.edits)
	return true
}

// open returns what the envelope of an item holds, if it is the target's own and the item says what it said.
func (c *cleaner) open(envelope, item []byte) (llm.Sealed, bool) {
	if c.x.Sealer == nil {
		return llm.Sealed{}, false
	}
	sealed, _, ok := c.x.Sealer.Open(envelope)
	if !ok || sealed.Kind != llm.SealEncrypted {
		return llm.Sealed{}, false
	}
	text, err := readParagraphs(json.Get(item, "summary"))
	if err == nil && len(text) == 0 {
		text, err = readParagraphs(json.Get(item, "content"))
	}
	return sealed, err != nil || len(text) == 0 || sealed.Fits(text)
}
