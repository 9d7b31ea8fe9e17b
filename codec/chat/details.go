package chat

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// thoughts writes the reasoning of an answer: its text as reasoning_content (DeepSeek) and, where the channel wants
// it, all of it as reasoning_details (OpenRouter, https://openrouter.ai/docs/use-cases/reasoning-tokens), which a
// client can send back. What a provider minted travels in envelopes (protocols.md B.6).
type thoughts struct {
	x     *llm.Exchange
	count int  // how many have begun
	text  bool // one of them has text
	seal  []byte
}

// begin counts a thought and returns its number.
func (t *thoughts) begin() int {
	t.count++
	return t.count - 1
}

// appendDelta appends the members of a delta for a piece of a thought. A blank line stands between two thoughts.
func (t *thoughts) appendDelta(dst []byte, i *emitted, text []byte) []byte {
	dst = append(dst, `"reasoning_content":"`...)
	if t.text && !i.begun {
		dst = append(dst, `\n\n`...)
	}
	t.text = true
	dst = append(appendEscaped(dst, text), '"')
	if t.x.Options.ReasoningDetails {
		dst = append(dst, `,"reasoning_details":[`...)
		dst = append(t.appendText(dst, i, text), ']')
	}
	return dst
}

// appendText appends the entry with a text of a thought.
func (t *thoughts) appendText(dst []byte, i *emitted, text []byte) []byte {
	i.hash.Add(text)
	if t.x.Target == llm.Responses {
		dst = append(dst, `{"type":"reasoning.summary","summary":`...)
	} else {
		dst = append(dst, `{"type":"reasoning.text","text":`...)
	}
	return t.appendPlace(json.AppendString(dst, text), i)
}

// appendPlace ends an entry with what all of them have.
func (t *thoughts) appendPlace(dst []byte, i *emitted) []byte {
	format := "unknown"
	switch t.x.Target {
	case llm.Messages:
		format = claudeFormat
	case llm.Responses:
		format = responsesFormat
	}
	dst = append(append(append(dst, `,"format":"`...), format...), `","index":`...)
	return append(strconv.AppendInt(dst, int64(i.order), 10), '}')
}

// OpenRouter's names for what minted the opaque part of reasoning_details.
const (
	claudeFormat    = "anthropic-claude-v1"
	responsesFormat = "openai-responses-v1"
)

// hasSeal reports whether there is an entry to be written for the opaque part of a thought.
func (t *thoughts) hasSeal(item *llm.Item) bool {
	return t.x.Options.ReasoningDetails && t.x.Sealer != nil && item != nil && len(item.Seal) > 0
}

// appendSeal appends the entry with the opaque part of a thought.
func (t *thoughts) appendSeal(dst []byte, i *emitted, item *llm.Item) []byte {
	s := llm.Sealed{Kind: llm.SealSignature, Model: t.x.Model, Item: item.ID, Opaque: item.Seal, Text: i.hash}
	start := `{"type":"reasoning.text","signature":`
	switch {
	case t.x.Target == llm.Responses:
		s.Kind, start = llm.SealEncrypted, `{"type":"reasoning.encrypted","data":`
	case item.Redacted:
		s.Kind, start = llm.SealRedacted, `{"type":"reasoning.encrypted","data":`
	}
	t.seal = t.x.Sealer.Seal(t.seal[:0], s)
	dst = json.AppendString(append(dst, start...), t.seal)
	if item.ID != "" {
		dst = json.AppendString(append(dst, `,"id":`...), item.ID)
	}
	return t.appendPlace(dst, i)
}
