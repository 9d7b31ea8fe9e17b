package chat

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// readThoughts appends the reasoning of an assistant message: reasoning_details (OpenRouter), else reasoning_content
// (DeepSeek), else reasoning.
func (d *reader) readThoughts(items []llm.Item, p *place, g *message) []llm.Item {
	before := len(items)
	at := place{up: p, name: "reasoning_details"}
	if kindOf(g.details) == isArray {
		items = d.readDetails(items, &at, g.details)
	}
	if len(items) > before {
		return items
	}
	for _, field := range [...]struct {
		name  string
		value []byte
	}{{"reasoning_content", g.reasoningContent}, {"reasoning", g.reasoning}} {
		if kindOf(field.value) != isString {
			continue
		}
		if text := d.decoded(&place{up: p, name: field.name}, field.value); len(text) > 0 {
			return append(items, llm.Item{Kind: llm.Thought, Text: text})
		}
	}
	return items
}

// detail is one entry of reasoning_details.
type detail struct {
	kind, id            string
	text, summary       []byte
	signature, data     []byte
	index               int64
	hasIndex, encrypted bool
}

// readDetails appends one thought per index. Entries without an index are thoughts of their own.
func (d *reader) readDetails(items []llm.Item, p *place, value []byte) []llm.Item {
	open, index := false, int64(0) // whether the last item has an index, and which
	i := 0
	for e := json.Array(value); e.Next() && d.err == nil; i++ {
		at := place{up: p, index: i}
		if kindOf(e.Value()) != isObject {
			d.wrongType(&at, "an object")
			return items
		}
		t := d.readDetail(&at, e.Value())
		if t.kind == "" {
			continue // of a kind that nobody else knows either
		}
		if !t.hasIndex || !open || t.index != index {
			items = append(items, llm.Item{Kind: llm.Thought, ID: t.id})
		}
		open, index = t.hasIndex, t.index
		t.mergeInto(&items[len(items)-1])
	}
	return items
}

func (d *reader) readDetail(p *place, value []byte) detail {
	var t detail
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "type":
			t.kind = d.text(&at, m.Value())
		case "id":
			t.id = d.text(&at, m.Value())
		case "text":
			t.text = d.decoded(&at, m.Value())
		case "summary":
			t.summary = d.decoded(&at, m.Value())
		case "signature":
			t.signature = d.decoded(&at, m.Value())
		case "data":
			t.data = d.decoded(&at, m.Value())
		case "index":
			t.index, t.hasIndex = json.Int(m.Value())
		}
	}
	switch t.kind {
	case "reasoning.text", "reasoning.summary":
	case "reasoning.encrypted":
		t.encrypted = true
	default:
		t.kind = ""
	}
	return t
}

// mergeInto adds the entry to the thought it is a part of.
func (t *detail) mergeInto(item *llm.Item) {
	if item.ID == "" {
		item.ID = t.id
	}
	text := t.text
	if t.kind == "reasoning.summary" {
		text, item.Summary = t.summary, true
	}
	if len(text) > 0 {
		item.Text = append(item.Text[:len(item.Text):len(item.Text)], text...)
	}
	switch {
	case t.encrypted:
		item.Seal = t.data
	case len(t.signature) > 0:
		item.Seal = t.signature
	}
	item.Redacted = len(item.Text) == 0 && t.encrypted
}
