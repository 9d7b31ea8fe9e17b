package messages

import (
	"bytes"

	"octopus/codec/llm"
)

// thought is what is written of a Thought. Text and data may be of an envelope's content.
type thought struct {
	kind   thoughtKind
	opaque []byte // the signature, or the data
}

// thoughtKind is how a Thought is written. The zero value is not at all.
type thoughtKind uint8

const (
	thoughtGone     thoughtKind = iota
	thoughtRaw                  // as the client wrote it
	thoughtSigned               // thinking with its signature
	thoughtRedacted             // redacted_thinking
)

// envelopePrefix begins every envelope of opaque reasoning (protocols.md B.6).
var envelopePrefix = []byte("gw1.")

// restore returns what Anthropic gets back of its own reasoning: the form in which it gave it out, or nothing when another
// provider, or another account, did, or when the text is no longer the one that was signed. Reasoning without a signature would
// be refused.
func (w *writer) restore(item *llm.Item) thought {
	if w.x.NoOpaque {
		return thought{}
	}
	own := item.RawProtocol == llm.Messages && item.Raw != nil
	if w.x.Sealer != nil {
		if sealed, ours, ok := w.x.Sealer.Open(item.Seal); ours {
			switch {
			case !ok:
				// Another channel's, or a forgery.
			case sealed.Kind == llm.SealSignature && sealed.Fits(item.Text):
				return thought{thoughtSigned, sealed.Opaque}
			case sealed.Kind == llm.SealRedacted:
				return thought{thoughtRedacted, sealed.Opaque}
			}
			return thought{}
		}
	}
	switch {
	case bytes.HasPrefix(item.Seal, envelopePrefix):
		return thought{}
	case own:
		return thought{kind: thoughtRaw}
	case item.RawProtocol != llm.Messages || len(item.Seal) == 0:
		return thought{}
	case item.Redacted:
		return thought{thoughtRedacted, item.Seal}
	}
	return thought{thoughtSigned, item.Seal}
}
