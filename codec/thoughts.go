package codec

import (
	"slices"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxThoughts bounds what is kept of the reasoning before one answer's calls, in bytes.
const maxThoughts = 1 << 20

// thoughts collects the reasoning of an answer with calls for clients that can't send it back: most of Chat's. Anthropic
// refuses the results of calls whose thinking is missing, so it is put back when they come (protocols.md B.6). Of an answer with
// several choices nobody knows which one the client goes on from: nothing is kept then.
type thoughts struct {
	wanted bool
	sealer llm.Sealer
	model  string
	// record is a JSON array of {"t":text,"s":envelope}; text is of the thought that is open, at index.
	record []byte
	text   []byte
	index  int
	calls  []string
}

// reset makes the collection ready for an answer within x.
func (t *thoughts) reset(x *llm.Exchange, client llm.Protocol) {
	*t = thoughts{
		wanted: client == llm.Chat && x.Target == llm.Messages && x.Sealer != nil && x.Choices < 2, sealer: x.Sealer, model: x.Model,
		record: t.record[:0], text: t.text[:0], calls: t.calls[:0], index: -1,
	}
}

// see takes the next step of the answer.
func (t *thoughts) see(e *llm.Event) {
	if !t.wanted {
		return
	}
	switch e.Kind {
	case llm.EventOpen:
		switch e.Item.Kind {
		case llm.Thought:
			t.index, t.text = e.Index, t.text[:0]
		case llm.Call:
			t.calls = append(t.calls, e.Item.CallID)
		}
	case llm.EventDelta:
		if e.Index == t.index {
			t.text = append(t.text, e.Text...)
		}
	case llm.EventClose:
		if e.Index == t.index && e.Item != nil && len(e.Item.Seal) > 0 {
			t.add(e.Item)
		}
	}
	if len(t.record)+len(t.text) > maxThoughts {
		t.wanted = false
	}
}

func (t *thoughts) add(item *llm.Item) {
	sealed := llm.Sealed{Kind: llm.SealSignature, Model: t.model, Opaque: item.Seal}
	sealed.Text.Add(t.text)
	if item.Redacted {
		sealed.Kind = llm.SealRedacted
	}
	separator := byte(',')
	if len(t.record) == 0 {
		separator = '['
	}
	t.record = json.AppendString(append(append(t.record, separator), `{"t":`...), t.text)
	t.record = json.AppendString(append(t.record, `,"s":`...), t.sealer.Seal(nil, sealed))
	t.record = append(t.record, '}')
	t.index = -1
}

// remembered returns the record of the reasoning and the ids of the calls behind it, or nothing.
func (t *thoughts) remembered() (record []byte, calls []string) {
	if !t.wanted || len(t.record) == 0 || len(t.calls) == 0 {
		return nil, nil
	}
	record = append(append(make([]byte, 0, len(t.record)+1), t.record...), ']')
	for _, id := range t.calls {
		calls = append(calls, string([]byte(id)))
	}
	return record, calls
}

// reattach puts reasoning that is remembered back in front of the calls that it led to.
func reattach(r *llm.Request, recall Recall) {
	for i := range r.Turns {
		turn := &r.Turns[i]
		if turn.Role != llm.Assistant || slices.ContainsFunc(turn.Items, func(it llm.Item) bool { return it.Kind == llm.Thought }) {
			continue
		}
		at := slices.IndexFunc(turn.Items, func(it llm.Item) bool { return it.Kind == llm.Call })
		if at < 0 {
			continue
		}
		var items []llm.Item
		for e := json.Array(recall.Thoughts(turn.Items[at].CallID)); e.Next(); {
			text, _ := json.Unquote(json.Get(e.Value(), "t"))
			seal, _ := json.Unquote(json.Get(e.Value(), "s"))
			items = append(items, llm.Item{Kind: llm.Thought, Text: text, Seal: seal, Redacted: len(text) == 0})
		}
		if len(items) > 0 {
			turn.Items = append(items, turn.Items...)
		}
	}
}
