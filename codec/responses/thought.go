package responses

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// envelopePrefix begins the envelopes that opaque reasoning travels in.
const envelopePrefix = "gw1."

// restore returns what a thought's seal is worth to this upstream: what one of its own responses minted, or nothing. native
// tells that the item can be sent as the client wrote it.
func (w *writer) restore(it *llm.Item) (sealed llm.Sealed, native, ok bool) {
	if w.x.NoOpaque || w.x.Options.StripReasoning {
		return sealed, false, false
	}
	if !bytes.HasPrefix(it.Seal, []byte(envelopePrefix)) {
		return sealed, w.own, w.own || len(it.Seal) == 0 && w.r.Protocol == llm.Chat && len(it.Text) > 0
	}
	if w.x.Sealer == nil {
		return sealed, false, false
	}
	sealed, ours, ok := w.x.Sealer.Open(it.Seal)
	if !ours {
		return sealed, w.own, w.own
	}
	// Without its summary the state is the same. With another one it would not be what the client has been told.
	fits := len(it.Text) == 0 || sealed.Fits(it.Text)
	return sealed, false, ok && fits && sealed.Kind == llm.SealEncrypted
}

// losesThought reports whether a thought of the turn can't be sent. The ids of its other items then go too: they would be
// refused without the reasoning that they belong to.
func (w *writer) losesThought(t *llm.Turn) bool {
	if w.x.NoOpaque {
		return true
	}
	for i := range t.Items {
		if t.Items[i].Kind != llm.Thought {
			continue
		}
		if _, _, ok := w.restore(&t.Items[i]); !ok {
			return true
		}
	}
	return false
}

// thought writes a reasoning item, or drops it: what another provider minted is refused here.
func (w *writer) thought(it *llm.Item) {
	sealed, native, ok := w.restore(it)
	switch {
	case !ok:
		w.drop(w.thoughtField())
		return
	case native && it.Raw != nil:
		w.dst = append(append(w.dst, it.Raw...), ',')
		return
	}
	w.dst = append(w.dst, `{"type":"reasoning"`...)
	w.str("id", sealed.Item)
	w.dst = append(w.dst, `,"summary":[`...)
	if len(it.Text) > 0 {
		w.dst = json.AppendString(append(w.dst, `{"type":"summary_text","text":`...), it.Text)
		w.dst = append(w.dst, '}')
	}
	w.dst = append(w.dst, ']')
	if len(sealed.Opaque) > 0 {
		w.name("encrypted_content")
		w.dst = json.AppendString(w.dst, sealed.Opaque)
	}
	w.dst = append(w.dst, "},"...)
}

// thoughtField is what the client calls the thoughts of its history.
func (w *writer) thoughtField() string {
	switch w.r.Protocol {
	case llm.Chat:
		return "messages.reasoning_content"
	case llm.Messages:
		return "messages.content.thinking"
	}
	return "input.encrypted_content"
}
