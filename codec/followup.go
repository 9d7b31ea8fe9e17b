package codec

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/messages"
)

// pausing reports whether the upstream has paused its answer, and another call makes it go on.
func (b *translation) pausing() bool {
	d, ok := b.decoder.(*messages.Decoder)
	return ok && d.Paused()
}

// choosing reports whether the answer is complete but for further choices, each of which takes another call.
func (b *translation) choosing() bool {
	return b.gate.stopped && b.exchange.Choice+1 < b.exchange.Choices
}

// mayFollow reports whether the request that was just written may need a follow-up call, so that its body must be kept.
func (b *translation) mayFollow() bool {
	if b.exchange.MaxTokensChosen || b.exchange.Choices > 1 {
		return true
	}
	for i := range b.request.Tools {
		if kind := b.request.Tools[i].Kind; kind != llm.FunctionTool && kind != llm.CustomTool {
			return b.target == llm.Messages
		}
	}
	return b.target == llm.Messages && b.request.Search != nil
}

// reduce notes the output limit that fits, when the gateway chose one that didn't.
func (b *translation) reduce(e *llm.Error) {
	if b.exchange.MaxTokensChosen && b.reduced == 0 {
		b.reduced = messages.FittingMaxTokens(e)
	}
}

// FollowUp implements Bridge.
func (b *translation) FollowUp(dst []byte) ([]byte, bool) {
	start := len(dst)
	switch {
	case b.pausing():
		dst = b.decoder.(*messages.Decoder).AppendContinuation(dst, b.scratch)
	case b.reduced > 0:
		dst = appendWithMaxTokens(dst, b.scratch, b.reduced)
		b.scratch = append(b.scratch[:0], dst[start:]...)
		b.reduced = -1 // once
	case b.choosing():
		dst = append(dst, b.scratch...)
		b.exchange.Choice++
		b.gate.next(b.exchange.StopEnforced)
		b.resetDecoder()
	default:
		return dst, false
	}
	if b.params != nil {
		body := append([]byte(nil), dst[start:]...)
		dst = b.params.patch.appendTo(dst[:start], body, json.AppendString(nil, b.exchange.Model))
	}
	b.events.Reset()
	b.whole, b.isWhole, b.looked = b.whole[:0], false, false
	return dst, true
}

// appendWithMaxTokens appends a Messages body with another max_tokens.
func appendWithMaxTokens(dst, body []byte, tokens int64) []byte {
	for m := json.Object(body); m.Next(); {
		if string(m.Key) == "max_tokens" {
			dst = strconv.AppendInt(append(dst, body[:m.Start]...), tokens, 10)
			return append(dst, body[m.End:]...)
		}
	}
	return append(dst, body...)
}
