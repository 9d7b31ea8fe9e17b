package gatewaytest

import (
	"time"

	"octopus/codec/llm"
)

// appendMessage appends a whole message (https://docs.anthropic.com/en/api/messages).
func (r *reply) appendMessage(dst []byte) []byte {
	w := &r.answer
	dst = put(dst, `{"model":`, quoted(r.model()), `,"id":"`, w.id, `","type":"message","role":"assistant","content":[`)
	separator := ""
	if w.reasoning.tokens > 0 {
		dst = append(dst, `{"type":"thinking","thinking":"`...)
		if !w.hidden {
			dst = w.reasoning.appendEscaped(dst)
		}
		dst = put(dst, `","signature":"`, w.signature, `"}`)
		separator = ","
	}
	if len(w.redacted) > 0 {
		dst = put(dst, separator)
		dst = w.appendRedactedBlock(dst)
		separator = ","
	}
	if len(w.resumed) > 0 {
		dst = put(dst, separator)
		dst = w.appendFoundBlock(dst, w.resumed)
		separator = ","
	}
	if len(w.search) > 0 {
		dst = put(dst, separator)
		dst = w.appendSearchBlock(dst, `{"query":"`+query+`"}`)
		separator = ","
	}
	if w.found {
		dst = put(dst, separator)
		dst = w.appendFoundBlock(dst, w.search)
		separator = ","
	}
	if w.text.tokens > 0 {
		dst = put(dst, separator, `{"type":"text","text":"`)
		dst = append(w.text.appendEscaped(dst), '"')
		if w.cites {
			dst = append(dst, `,"citations":[`...)
			dst = append(w.appendCitation(dst), ']')
		}
		dst = append(dst, '}')
		separator = ","
	}
	for i := range w.calls {
		c := &w.calls[i]
		dst = put(dst, separator, `{"type":"tool_use","id":"`, c.id, `","name":`, c.name, `,"input":`, c.arguments,
			`,"caller":{"type":"direct"}}`)
		separator = ","
	}
	dst = append(dst, `],`...)
	dst = w.appendMessageStop(dst)
	dst = append(dst, `,"container":null,"diagnostics":null`...)
	if r.script.usage != usageNone {
		dst = append(dst, `,"usage":`...)
		dst = w.appendMessageUsage(dst, w.reported(&r.script))
	}
	return append(dst, '}')
}

func (w *answer) appendRedactedBlock(dst []byte) []byte {
	return put(dst, `{"type":"redacted_thinking","data":"`, w.redacted, `"}`)
}

// appendSearchBlock appends the call of the search.
func (w *answer) appendSearchBlock(dst []byte, input string) []byte {
	return put(dst, `{"type":"server_tool_use","id":"`, w.search, `","name":"web_search","input":`, input,
		`,"caller":{"type":"direct"}}`)
}

// appendFoundBlock appends the result of the search with that id.
func (w *answer) appendFoundBlock(dst, id []byte) []byte {
	return put(dst, `{"type":"web_search_tool_result","tool_use_id":"`, id, `","content":[{"type":"web_search_result","url":"`,
		pageURL, `","title":"`, pageTitle, `","encrypted_content":"`, w.proof, `","page_age":null}],"caller":{"type":"direct"}}`)
}

// appendCitation appends the citation of the page.
func (w *answer) appendCitation(dst []byte) []byte {
	return put(dst, `{"type":"web_search_result_location","url":"`, pageURL, `","title":"`, pageTitle, `","cited_text":"`, pageQuote,
		`","encrypted_index":"`, w.proof, `"}`)
}

// appendMessageStop appends the three members that say why the message ended.
func (w *answer) appendMessageStop(dst []byte) []byte {
	reason, details, sequence := "end_turn", "null", "null"
	switch w.stop {
	case stopLength:
		reason = "max_tokens"
	case stopCalls:
		reason = "tool_use"
	case stopRefusal, stopFilter:
		reason, details = "refusal", `{"type":"refusal","category":null,"explanation":null}`
	case stopSequence:
		reason, sequence = "stop_sequence", string(w.stoppedAt)
	case stopPause:
		reason = "pause_turn"
	}
	return put(dst, `"stop_reason":"`, reason, `","stop_sequence":`, sequence, `,"stop_details":`, details)
}

// serverToolUse returns what the usage says of searches.
func (w *answer) serverToolUse() string {
	if len(w.search) == 0 {
		return "null"
	}
	return `{"web_search_requests":1,"web_fetch_requests":0}`
}

func (w *answer) appendMessageUsage(dst []byte, u *llm.Usage) []byte {
	return put(dst, `{"input_tokens":`, u.Input, `,"cache_creation_input_tokens":`, u.CacheWrite5m,
		`,"cache_read_input_tokens":`, u.CacheRead, `,"cache_creation":{"ephemeral_5m_input_tokens":`, u.CacheWrite5m,
		`,"ephemeral_1h_input_tokens":0},"output_tokens":`, u.Output, `,"output_tokens_details":{"thinking_tokens":`,
		u.Reasoning, `},"server_tool_use":`, w.serverToolUse(),
		`,"service_tier":"standard","speed":"standard","inference_geo":"not_available"}`)
}

// appendMessageDeltaUsage appends the cumulative usage of a message_delta.
func (w *answer) appendMessageDeltaUsage(dst []byte, u *llm.Usage) []byte {
	return put(dst, `{"input_tokens":`, u.Input, `,"cache_creation_input_tokens":`, u.CacheWrite5m,
		`,"cache_read_input_tokens":`, u.CacheRead, `,"output_tokens":`, u.Output,
		`,"output_tokens_details":{"thinking_tokens":`, u.Reasoning, `},"server_tool_use":`, w.serverToolUse(), `}`)
}

// streamMessages plays the events of https://docs.anthropic.com/en/docs/build-with-claude/streaming. As there, a ping
// follows the first block's start.
func (r *reply) streamMessages() {
	w, s := &r.answer, &r.script
	r.named("message_start")
	r.buf = put(r.buf, `,"message":{"model":`, quoted(r.model()), `,"id":"`, w.id,
		`","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null`,
		`,"container":null,"diagnostics":null`)
	if s.usage != usageNone {
		early := *w.reported(s)
		if s.usage != usageFirst && s.usage != usageAbsurd {
			early.Output, early.Reasoning = 1, 0
		}
		r.buf = append(r.buf, `,"usage":`...)
		r.buf = w.appendMessageUsage(r.buf, &early)
	}
	r.buf = append(r.buf, '}')
	r.sendEvent()
	r.open()

	index := 0
	if w.reasoning.tokens > 0 {
		r.blockStart(index, `{"type":"thinking","thinking":"","signature":""}`)
		if !w.hidden && !r.blockDeltas(index, `"thinking_delta","thinking":"`, w.reasoning.all) {
			return
		}
		r.named("content_block_delta")
		r.buf = put(r.buf, `,"index":`, index, `,"delta":{"type":"signature_delta","signature":"`, w.signature, `"}`)
		r.sendEvent()
		r.blockStop(index)
		index++
	}
	if len(w.redacted) > 0 {
		r.scratch = w.appendRedactedBlock(r.scratch[:0])
		r.blockStart(index, r.scratch)
		r.blockStop(index)
		index++
	}
	index = r.streamFinding(index)
	if w.text.tokens > 0 {
		r.blockStart(index, `{"type":"text","text":""}`)
		if !r.blockDeltas(index, `"text_delta","text":"`, w.text.all) {
			return
		}
		if w.cites {
			r.named("content_block_delta")
			r.buf = put(r.buf, `,"index":`, index, `,"delta":{"type":"citations_delta","citation":`)
			r.buf = append(w.appendCitation(r.buf), '}')
			r.sendEvent()
		}
		r.blockStop(index)
		index++
	}
	for i := range w.calls {
		c := &w.calls[i]
		r.scratch = put(r.scratch[:0], `{"type":"tool_use","id":"`, c.id, `","name":`, c.name,
			`,"input":{},"caller":{"type":"direct"}}`)
		r.blockStart(index, r.scratch)
		if !r.blockDeltas(index, `"input_json_delta","partial_json":"`, c.fragments) {
			return
		}
		r.blockStop(index)
		index++
	}
	r.closing()
	final := *w.reported(s)
	switch s.usage {
	case usageNone, usageFirst:
		r.messageDelta(nil)
	case usageTwice:
		r.messageDelta(&final)
		r.messageDelta(&final)
	case usageLate:
		early := final
		early.Output, early.Reasoning = 1, 0
		r.messageDelta(&early)
		r.pause(time.Now().Add(usageLateBy))
		r.messageDelta(&final)
	default:
		r.messageDelta(&final)
	}
	if !s.noEnd {
		r.named("message_stop")
		r.sendEvent()
	}
}

// streamFinding plays the search and what it found, from block index on, and returns the next index.
func (r *reply) streamFinding(index int) int {
	w := &r.answer
	if len(w.resumed) > 0 {
		r.scratch = w.appendFoundBlock(r.scratch[:0], w.resumed)
		r.blockStart(index, r.scratch)
		r.blockStop(index)
		index++
	}
	if len(w.search) > 0 {
		r.scratch = w.appendSearchBlock(r.scratch[:0], "{}")
		r.blockStart(index, r.scratch)
		r.named("content_block_delta")
		r.buf = put(r.buf, `,"index":`, index, `,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"`, query, `\"}"}`)
		r.sendEvent()
		r.blockStop(index)
		index++
	}
	if w.found {
		r.scratch = w.appendFoundBlock(r.scratch[:0], w.search)
		r.blockStart(index, r.scratch)
		r.blockStop(index)
		index++
	}
	return index
}

// named begins an event with that name.
func (r *reply) named(name string) {
	r.buf = put(r.buf[:0], "event: ", name, "\ndata: {\"type\":\"", name, `"`)
}

func (r *reply) blockStart(index int, block any) {
	r.named("content_block_start")
	r.buf = put(r.buf, `,"index":`, index, `,"content_block":`, block)
	r.sendEvent()
	if index == 0 {
		r.buf = append(r.buf[:0], messagesPing...)
		r.send()
	}
}

// blockDeltas plays the deltas of a block. It returns false when the stream is over.
func (r *reply) blockDeltas(index int, kind string, all func(yield func([]byte) bool)) bool {
	for token := range all {
		if !r.more() {
			return false
		}
		r.named("content_block_delta")
		r.buf = put(r.buf, `,"index":`, index, `,"delta":{"type":`, kind, escaped(token), `"}`)
		r.sendEvent()
		r.counted()
	}
	return r.err == nil
}

func (r *reply) blockStop(index int) {
	r.named("content_block_stop")
	r.buf = put(r.buf, `,"index":`, index)
	r.sendEvent()
}

// messageDelta sends why the message ended and, unless u is nil, the usage.
func (r *reply) messageDelta(u *llm.Usage) {
	r.named("message_delta")
	r.buf = append(r.buf, `,"delta":{`...)
	r.buf = append(r.answer.appendMessageStop(r.buf), '}')
	if u != nil {
		r.buf = append(r.buf, `,"usage":`...)
		r.buf = r.answer.appendMessageDeltaUsage(r.buf, u)
	}
	r.sendEvent()
}
