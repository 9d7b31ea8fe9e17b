package gatewaytest

import (
	"time"
	"unicode/utf8"

	"octopus/codec/llm"
)

// fingerprint is the system_fingerprint of every Chat answer.
const fingerprint = "fp_5c1279ed0c"

// appendChat appends a whole chat.completion (https://platform.openai.com/docs/api-reference/chat/object).
func (r *reply) appendChat(dst []byte) []byte {
	w := &r.answer
	dst = put(dst, `{"id":"`, w.id, `","object":"chat.completion","created":`, w.created, `,"model":`, quoted(r.model()),
		`,"choices":[`)
	choices := r.ask.choices
	if r.script.noChoices {
		choices = 0
	}
	for i := range choices {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = put(dst, `{"index":`, i, `,"message":{"role":"assistant",`)
		dst = w.appendChatMessage(dst)
		dst = append(dst, `,"annotations":[`...)
		if w.cites {
			dst = w.appendChatCitation(dst)
		}
		dst = put(dst, `]},"logprobs":null,"finish_reason":`, w.chatFinish(), `}`)
	}
	dst = append(dst, ']')
	if r.script.usage != usageNone {
		dst = append(dst, `,"usage":`...)
		dst = appendChatUsage(dst, w.reported(&r.script))
	}
	return put(dst, `,"service_tier":"default","system_fingerprint":"`, fingerprint, `"}`)
}

// appendChatMessage appends the members of a message behind its role. reasoning_content is not OpenAI's, but what other
// vendors send.
func (w *answer) appendChatMessage(dst []byte) []byte {
	said, silent := `"content":"`, `,"refusal":null`
	if w.refusal {
		said, silent = `"refusal":"`, `,"content":null`
	}
	if w.text.tokens == 0 {
		dst = append(dst, `"content":null,"refusal":null`...)
	} else {
		dst = append(dst, said...)
		dst = put(w.text.appendEscaped(dst), `"`, silent)
	}
	if w.reasoning.tokens > 0 {
		dst = append(dst, `,"reasoning_content":"`...)
		dst = append(w.reasoning.appendEscaped(dst), '"')
	}
	for i := range w.calls {
		c := &w.calls[i]
		switch {
		case c.legacy:
			return put(dst, `,"function_call":{"name":`, c.name, `,"arguments":`, quoted(c.arguments), `}`)
		case i == 0:
			dst = append(dst, `,"tool_calls":[`...)
		default:
			dst = append(dst, ',')
		}
		kind, key := c.chatKind()
		dst = put(dst, `{"id":"`, c.id, `","type":"`, kind, `","`, kind, `":{"name":`, c.name, `,"`, key, `":`,
			quoted(c.arguments), `}}`)
	}
	if len(w.calls) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// chatKind returns what Chat calls a call, and its arguments.
func (c *call) chatKind() (kind, key string) {
	if c.custom {
		return "custom", "input"
	}
	return "function", "arguments"
}

// appendChatCitation appends the citation of the page, which is one of the whole text.
func (w *answer) appendChatCitation(dst []byte) []byte {
	dst = append(dst, `{"type":"url_citation","url_citation":`...)
	return append(w.appendCited(dst, ""), '}')
}

// appendCited appends where the text cites the page, behind more members.
func (w *answer) appendCited(dst []byte, before string) []byte {
	end := 0
	for token := range w.text.all {
		end += utf8.RuneCount(token)
	}
	return put(dst, `{`, before, `"start_index":0,"end_index":`, end, `,"title":"`, pageTitle, `","url":"`, pageURL, `"}`)
}

func (w *answer) chatFinish() string {
	switch w.stop {
	case stopLength:
		return `"length"`
	case stopCalls:
		if w.calls[0].legacy {
			return `"function_call"`
		}
		return `"tool_calls"`
	case stopFilter:
		return `"content_filter"`
	}
	return `"stop"` // also of a refusal, which the message tells
}

func appendChatUsage(dst []byte, u *llm.Usage) []byte {
	return put(dst, `{"prompt_tokens":`, u.Prompt(), `,"completion_tokens":`, u.Output, `,"total_tokens":`, u.Total(),
		`,"prompt_tokens_details":{"cached_tokens":`, u.CacheRead, `,"cache_write_tokens":`, u.CacheWrite5m,
		`,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":`, u.Reasoning,
		`,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`)
}

// streamChat plays chat.completion.chunk events
// (https://platform.openai.com/docs/api-reference/chat-streaming): role, deltas, finish, usage, [DONE].
func (r *reply) streamChat() {
	w, s := &r.answer, &r.script
	r.head = put(r.head[:0], `data: {"id":"`, w.id, `","object":"chat.completion.chunk","created":`, w.created,
		`,"model":`, quoted(r.model()), `,"service_tier":"default","system_fingerprint":"`, fingerprint, `","choices":[`)
	r.tail = r.tail[:0]
	if r.ask.includeUsage {
		r.tail = append(r.tail, `,"usage":null`...)
	}
	if s.noChoices {
		r.open()
		r.closing()
		r.buf = put(r.buf[:0], r.head, `]`, r.tail, "}\n\n")
		r.send()
		r.chatEnd()
		return
	}

	role := `"role":"assistant","content":"","refusal":null`
	if w.text.tokens == 0 || w.refusal {
		role = `"role":"assistant","content":null,"refusal":null`
	}
	r.chatDelta(role, s.usage == usageFirst)
	r.open()
	for token := range w.reasoning.all {
		if !r.more() {
			return
		}
		r.chatToken(`"reasoning_content":"`, token, `"`)
	}
	said := `"content":"`
	if w.refusal {
		said = `"refusal":"`
	}
	for token := range w.text.all {
		if !r.more() {
			return
		}
		r.chatToken(said, token, `"`)
	}
	if w.cites {
		r.scratch = append(r.scratch[:0], `"annotations":[`...)
		r.scratch = append(w.appendChatCitation(r.scratch), ']')
		r.chatDelta(r.scratch, false)
	}
	if !r.chatCalls() {
		return
	}
	r.closing()
	for choice := range r.ask.choices {
		r.buf = put(r.buf[:0], r.head, `{"index":`, choice, `,"delta":{},"logprobs":null,"finish_reason":`,
			w.chatFinish(), `}]`)
		if s.usage == usageTwice {
			r.buf = append(r.buf, `,"usage":`...)
			r.buf = appendChatUsage(r.buf, w.reported(s))
			r.buf = append(r.buf, "}\n\n"...)
		} else {
			r.buf = put(r.buf, r.tail, "}\n\n")
		}
		r.send()
	}
	r.chatEnd()
}

// chatCalls plays the calls, one behind the other or by turns. It returns false when the stream is over.
func (r *reply) chatCalls() bool {
	w := &r.answer
	if r.script.interleave {
		for i := range w.calls {
			r.chatCall(i)
		}
		return r.byTurns(func(i int, fragment []byte) { r.chatFragment(i, fragment) })
	}
	for i := range w.calls {
		r.chatCall(i)
		for fragment := range w.calls[i].fragments {
			if !r.more() {
				return false
			}
			r.chatFragment(i, fragment)
		}
	}
	return true
}

// chatCall sends the beginning of call i.
func (r *reply) chatCall(i int) {
	c := &r.answer.calls[i]
	if c.legacy {
		r.scratch = put(r.scratch[:0], `"function_call":{"name":`, c.name, `,"arguments":""}`)
		r.chatDelta(r.scratch, false)
		return
	}
	kind, key := c.chatKind()
	r.scratch = put(r.scratch[:0], `"tool_calls":[{"index":`, i, `,"id":"`, c.id, `","type":"`, kind, `","`, kind, `":{"name":`,
		c.name, `,"`, key, `":""}}]`)
	r.chatDelta(r.scratch, false)
}

// chatFragment sends some of the arguments of call i.
func (r *reply) chatFragment(i int, fragment []byte) {
	c := &r.answer.calls[i]
	if c.legacy {
		r.chatToken(`"function_call":{"arguments":"`, fragment, `"}`)
		return
	}
	kind, key := c.chatKind()
	r.scratch = put(r.scratch[:0], `"tool_calls":[{"index":`, i, `,"`, kind, `":{"`, key, `":"`)
	r.chatToken(r.scratch, fragment, `"}}]`)
}

// byTurns plays the fragments of all calls, one of each in turn. It returns false when the stream is over.
func (r *reply) byTurns(play func(i int, fragment []byte)) bool {
	rest := make([][]byte, len(r.answer.calls))
	for i := range rest {
		rest[i] = r.answer.calls[i].arguments
	}
	for more := true; more; {
		more = false
		for i := range rest {
			if len(rest[i]) == 0 {
				continue
			}
			if !r.more() {
				return false
			}
			n := fragmentLen(rest[i])
			play(i, rest[i][:n])
			rest[i] = rest[i][n:]
			more = true
		}
	}
	return r.err == nil
}

// chatEnd sends the usage, if it is to be told here, and [DONE].
func (r *reply) chatEnd() {
	s := &r.script
	tell := r.ask.includeUsage
	switch s.usage {
	case usageNone, usageFirst, usageContent:
		tell = false
	case usageTwice, usageLate, usageAbsurd:
		tell = true
	}
	if s.usage == usageLate {
		r.pause(time.Now().Add(usageLateBy))
	}
	if tell {
		r.buf = put(r.buf[:0], r.head, `],"usage":`)
		r.buf = appendChatUsage(r.buf, r.answer.reported(s))
		r.buf = append(r.buf, "}\n\n"...)
		r.send()
	}
	if !s.noEnd {
		r.buf = append(r.buf[:0], "data: [DONE]\n\n"...)
		r.send()
	}
}

// chatDelta sends the members of a delta in every choice.
func (r *reply) chatDelta(delta any, withUsage bool) {
	for choice := range r.ask.choices {
		r.buf = put(r.buf[:0], r.head, `{"index":`, choice, `,"delta":{`, delta, `},"logprobs":null,"finish_reason":null}]`)
		if withUsage {
			r.buf = append(r.buf, `,"usage":`...)
			r.buf = appendChatUsage(r.buf, r.answer.reported(&r.script))
			r.buf = append(r.buf, "}\n\n"...)
		} else {
			r.buf = put(r.buf, r.tail, "}\n\n")
		}
		r.send()
	}
}

// chatToken sends one token in every choice.
func (r *reply) chatToken(before any, token []byte, after string) {
	for choice := range r.ask.choices {
		r.buf = put(r.buf[:0], r.head, `{"index":`, choice, `,"delta":{`, before, escaped(token), after,
			`},"logprobs":null,"finish_reason":null}]`)
		if r.script.usage == usageContent && int64(r.sent+1) == r.answer.usage.Output/int64(r.ask.choices) {
			r.buf = append(r.buf, `,"usage":`...)
			r.buf = appendChatUsage(r.buf, r.answer.reported(&r.script))
		} else {
			r.buf = append(r.buf, r.tail...)
		}
		r.obfuscate(len(token))
		r.buf = append(r.buf, "}\n\n"...)
		r.send()
	}
	r.counted()
}
