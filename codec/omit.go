package codec

import (
	"bytes"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Omission is what a request goes without, because its target refused it: a set. The zero value is nothing.
type Omission uint8

// The parts of requests that can be left out.
const (
	// OmitReasoning leaves out the reasoning in the history that only its own provider can read: encrypted_content and what
	// belongs to it, thinking with its signature (protocols.md B.6, rule 3).
	OmitReasoning Omission = 1 << iota
	// OmitStreamOptions leaves stream_options out of Chat streams, and with it the usage that it asks for.
	OmitStreamOptions
)

// Carries reports whether a request to t would change if o were left out. It is quick and may say so where nothing changes in the
// end: it asks for words, not for their places. What Omit has already is not asked again.
func (r *Request) Carries(o Omission, t *Target) bool {
	switch {
	case o == 0 || r.Omit&o != 0:
		return false
	case o == OmitStreamOptions:
		return t.Protocol == llm.Chat && (r.Stream || t.AlwaysStream && r.Protocol != llm.Chat)
	case t.Protocol == llm.Chat && r.Protocol != llm.Chat:
		return false // reasoning goes there as text, if at all
	}
	for _, words := range reasoningWords[r.Protocol] {
		if bytes.Contains(r.Body, []byte(words)) {
			return true
		}
	}
	switch r.Protocol {
	case llm.Messages:
		return bytes.Count(r.Body, []byte(`"thinking"`)) > 1 // one is the request's own setting
	case llm.Responses:
		return r.Previous != "" || bytes.Count(r.Body, []byte(`"reasoning"`)) > 1
	}
	return r.Recall != nil && t.Protocol == llm.Messages && bytes.Contains(r.Body, []byte(`"tool_calls"`))
}

// reasoningWords stand in bodies that carry opaque reasoning, or the ids of what belongs to it.
var reasoningWords = [...][]string{
	llm.Chat:      {`"reasoning_details"`, `"thinking_blocks"`, `"` + envelopePrefix},
	llm.Responses: {`"encrypted_content"`, `"rs_`, `"msg_`, `"fc_`, `"ctc_`},
	llm.Messages:  {`"signature"`, `"redacted_thinking"`},
}

// withoutReasoning appends body, a request in protocol p, without the opaque reasoning of its history. All other bytes stay as
// they are. It returns what else has to go then, nil for nothing.
func withoutReasoning(dst, body []byte, p llm.Protocol) ([]byte, patch) {
	list := "messages"
	if p == llm.Responses {
		list = "input"
	}
	m := json.Object(body)
	for m.Next() {
		if string(m.Key) == list {
			dst = append(dst, body[:m.Start]...)
			var more patch
			switch p {
			case llm.Chat:
				dst = appendElements(dst, m.Value(), appendChatMessage)
			case llm.Responses:
				dst = appendElements(dst, m.Value(), appendInputItem)
			case llm.Messages:
				t := thinkingLoss{body: body}
				dst = appendElements(dst, m.Value(), t.appendMessage)
				more = t.patch()
			}
			return append(dst, body[m.End:]...), more
		}
	}
	return append(dst, body...), nil
}

// appendElements appends an array with its elements as appendElement gives them, without those for which it appends nothing.
// Anything but an array stays as it is.
func appendElements(dst, array []byte, appendElement func(dst, element []byte) []byte) []byte {
	start := len(dst)
	dst = append(dst, '[')
	e := json.Array(array)
	for e.Next() {
		before := len(dst)
		if before > start+1 {
			dst = append(dst, ',')
		}
		behind := len(dst)
		if dst = appendElement(dst, e.Value()); len(dst) == behind {
			dst = dst[:before]
		}
	}
	if !e.Complete() {
		return append(dst[:start], array...)
	}
	return append(dst, ']')
}

// opaqueDetails are the members of Chat messages that brokers put opaque reasoning in: OpenRouter and LiteLLM.
var opaqueDetails = patch{{name: "reasoning_details"}, {name: "thinking_blocks"}}

func appendChatMessage(dst, message []byte) []byte {
	if message[0] != '{' {
		return append(dst, message...)
	}
	return opaqueDetails.appendTo(dst, message, nil)
}

// itemID is the id of an item.
var itemID = patch{{name: "id"}}

// appendInputItem appends an item of Responses unless it is reasoning. Items of the model lose their ids: one that names an item
// that the provider keeps with its reasoning is refused without that. Hosted calls can't go without.
func appendInputItem(dst, item []byte) []byte {
	if item[0] != '{' {
		return append(dst, item...)
	}
	kind, _ := json.Unquote(json.Get(item, "type"))
	switch string(kind) {
	case "reasoning":
		return dst
	case "item_reference":
		if id, _ := json.Unquote(json.Get(item, "id")); bytes.HasPrefix(id, []byte("rs_")) {
			return dst
		}
	case "", "message", "function_call", "custom_tool_call":
		return itemID.appendTo(dst, item, nil)
	}
	return append(dst, item...)
}

// thinkingLoss follows a conversation in Messages that loses its thinking.
type thinkingLoss struct {
	body []byte
	// lost is whether the last message of the model lost some, results whether results of its calls follow it.
	lost, results bool
}

// appendMessage appends a message without its thinking, or nothing where that was all.
func (t *thinkingLoss) appendMessage(dst, message []byte) []byte {
	m := json.Object(message)
	var content json.Span
	assistant := false
	for m.Next() {
		switch string(m.Key) {
		case "role":
			assistant = string(m.Value()) == `"assistant"`
		case "content":
			content = m.Span
		}
	}
	value := message[content.Start:content.End]
	if !assistant {
		t.results = bytes.Contains(value, []byte(`"tool_result"`))
		return append(dst, message...)
	}
	t.lost, t.results = false, false
	if len(value) == 0 || value[0] != '[' {
		return append(dst, message...)
	}
	start := len(dst)
	dst = append(dst, message[:content.Start]...)
	kept := 0
	dst = appendElements(dst, value, func(dst, block []byte) []byte {
		kind, _ := json.Unquote(json.Get(block, "type"))
		if string(kind) == "thinking" || string(kind) == "redacted_thinking" {
			t.lost = true
			return dst
		}
		kept++
		return append(dst, block...)
	})
	if kept == 0 && t.lost {
		return dst[:start]
	}
	return append(dst, message[content.End:]...)
}

// patch returns what has to go besides. With a budget of thinking, Anthropic wants the thinking before calls whose results are
// sent: this one request is answered without any, and without the management of context that counts on it.
func (t *thinkingLoss) patch() patch {
	thinking := json.Get(t.body, "thinking")
	if kind, _ := json.Unquote(json.Get(thinking, "type")); !t.lost || !t.results || string(kind) != "enabled" {
		return nil
	}
	more := patch{{name: "thinking"}}
	if strings.Contains(string(json.Get(t.body, "context_management")), "clear_thinking") {
		more = append(more, change{name: "context_management"})
	}
	return more
}
