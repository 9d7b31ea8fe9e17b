package gatewaytest

import (
	"time"

	"octopus/codec/llm"
)

// encryptedReasoning stands for what only OpenAI can read.
const encryptedReasoning = "gAAAAABo5mU7c2NyaXB0ZWRQcm92aWRlckVuY3J5cHRlZFJlYXNvbmluZ0NvbnRlbnQ="

// responsesFailure is the error of a response that failed on the way.
type responsesFailure struct{ code, message string }

// appendResponse appends a response object (https://platform.openai.com/docs/api-reference/responses/object). status is
// its own; in_progress ones have neither output nor usage. With failed set, the error is told and the output left out.
func (r *reply) appendResponse(dst []byte, status string, failed *responsesFailure) []byte {
	w, a, s := &r.answer, &r.ask, &r.script
	over := status != "in_progress"
	dst = put(dst, `{"id":"`, w.id, `","object":"response","created_at":`, w.created, `,"status":"`, status,
		`","background":false,"completed_at":`)
	if status == "completed" {
		dst = put(dst, r.p.now().Unix())
	} else {
		dst = append(dst, "null"...)
	}
	if failed != nil {
		dst = put(dst, `,"error":{"code":"`, failed.code, `","message":`, quoted(failed.message), `}`)
	} else {
		dst = append(dst, `,"error":null`...)
	}
	details := "null"
	if status == "incomplete" {
		details = `{"reason":"max_output_tokens"}`
	}
	dst = put(dst, `,"incomplete_details":`, details, `,"instructions":`, a.echo("instructions", "null"),
		`,"max_output_tokens":`, a.echo("max_output_tokens", "null"), `,"max_tool_calls":`, a.echo("max_tool_calls", "null"),
		`,"model":`, quoted(r.model()), `,"output":[`)
	if over && failed == nil {
		dst = w.appendOutput(dst)
	}
	tier := "auto"
	if over {
		tier = "default"
	}
	dst = put(dst, `],"parallel_tool_calls":`, a.echo("parallel_tool_calls", "true"),
		`,"previous_response_id":`, a.echo("previous_response_id", "null"),
		`,"prompt_cache_key":`, a.echo("prompt_cache_key", "null"),
		`,"reasoning":`, a.echo("reasoning", `{"effort":null,"summary":null}`),
		`,"safety_identifier":`, a.echo("safety_identifier", "null"), `,"service_tier":"`, tier,
		`","store":`, a.echo("store", "true"), `,"temperature":`, a.echo("temperature", "1.0"),
		`,"text":`, a.echoText(), `,"tool_choice":`, a.echo("tool_choice", `"auto"`), `,"tools":`, a.echo("tools", "[]"),
		`,"top_logprobs":`, a.echo("top_logprobs", "0"), `,"top_p":`, a.echo("top_p", "1.0"),
		`,"truncation":`, a.echo("truncation", `"disabled"`), `,"usage":`)
	first := !over && (s.usage == usageFirst || s.usage == usageTwice)
	last := over && failed == nil && s.usage != usageNone && s.usage != usageFirst
	if first || last {
		dst = appendResponsesUsage(dst, w.reported(s))
	} else {
		dst = append(dst, "null"...)
	}
	return put(dst, `,"user":`, a.echo("user", "null"), `,"metadata":`, a.echo("metadata", "{}"), `}`)
}

// echoText returns the text settings, with the format that the client did not name.
func (a *ask) echoText() []byte {
	if text := member(a.body, "text"); member(text, "format") != nil {
		return text
	}
	return []byte(`{"format":{"type":"text"},"verbosity":"medium"}`)
}

func appendResponsesUsage(dst []byte, u *llm.Usage) []byte {
	return put(dst, `{"input_tokens":`, u.Prompt(), `,"input_tokens_details":{"cached_tokens":`, u.CacheRead,
		`,"cache_write_tokens":`, u.CacheWrite5m, `},"output_tokens":`, u.Output,
		`,"output_tokens_details":{"reasoning_tokens":`, u.Reasoning, `},"total_tokens":`, u.Total(), `}`)
}

// appendOutput appends the items of the answer, finished.
func (w *answer) appendOutput(dst []byte) []byte {
	separator := ""
	if w.reasoning.tokens > 0 {
		dst = w.appendReasoningItem(dst, true)
		separator = ","
	}
	if w.text.tokens > 0 {
		dst = append(dst, separator...)
		dst = w.appendMessageItem(dst, true)
		separator = ","
	}
	for i := range w.calls {
		dst = append(dst, separator...)
		dst = w.calls[i].appendItem(dst, true)
		separator = ","
	}
	return dst
}

func (w *answer) appendReasoningItem(dst []byte, done bool) []byte {
	dst = put(dst, `{"id":"`, w.thinking, `","type":"reasoning","summary":[`)
	if done {
		dst = w.appendSummaryPart(dst, true)
	}
	return put(dst, `],"encrypted_content":"`, encryptedReasoning, `","status":"`, itemStatus(done, stopEnd), `"}`)
}

func (w *answer) appendSummaryPart(dst []byte, done bool) []byte {
	dst = append(dst, `{"type":"summary_text","text":"`...)
	if done {
		dst = w.reasoning.appendEscaped(dst)
	}
	return append(dst, `"}`...)
}

func (w *answer) appendMessageItem(dst []byte, done bool) []byte {
	dst = put(dst, `{"id":"`, w.message, `","type":"message","status":"`, itemStatus(done, w.stop), `","content":[`)
	if done {
		dst = w.appendContentPart(dst, true)
	}
	return append(dst, `],"role":"assistant"}`...)
}

// appendContentPart appends the message's only part, empty unless done.
func (w *answer) appendContentPart(dst []byte, done bool) []byte {
	if w.refusal {
		dst = append(dst, `{"type":"refusal","refusal":"`...)
	} else {
		dst = append(dst, `{"type":"output_text","annotations":[],"logprobs":[],"text":"`...)
	}
	if done {
		dst = w.text.appendEscaped(dst)
	}
	return append(dst, `"}`...)
}

func (c *call) appendItem(dst []byte, done bool) []byte {
	dst = put(dst, `{"id":"`, c.item, `","type":"function_call","status":"`, itemStatus(done, stopEnd), `","arguments":`)
	if done {
		dst = put(dst, quoted(c.arguments))
	} else {
		dst = append(dst, `""`...)
	}
	return put(dst, `,"call_id":"`, c.id, `","name":`, c.name, `}`)
}

func itemStatus(done bool, s stop) string {
	switch {
	case !done:
		return "in_progress"
	case s == stopLength:
		return "incomplete"
	}
	return "completed"
}

// status returns what a response is when it is over.
func (w *answer) status() string {
	if w.stop == stopLength {
		return "incomplete"
	}
	return "completed"
}

// streamResponses plays the events of https://platform.openai.com/docs/api-reference/responses-streaming. A recording of
// 2025-07 shows type and sequence_number first in each.
func (r *reply) streamResponses() {
	w, s := &r.answer, &r.script
	for _, name := range [...]string{"response.created", "response.in_progress"} {
		r.event(name)
		r.buf = append(r.buf, `,"response":`...)
		r.buf = r.appendResponse(r.buf, "in_progress", nil)
		r.sendEvent()
	}
	r.open()
	index := 0
	if w.reasoning.tokens > 0 {
		if !r.streamReasoning(index) {
			return
		}
		index++
	}
	if w.text.tokens > 0 {
		if !r.streamMessage(index) {
			return
		}
		index++
	}
	for i := range w.calls {
		if !r.streamCall(&w.calls[i], index) {
			return
		}
		index++
	}
	r.closing()
	if s.noEnd {
		return
	}
	if s.usage == usageLate {
		r.pause(time.Now().Add(usageLateBy))
	}
	r.event("response." + w.status())
	r.buf = append(r.buf, `,"response":`...)
	r.buf = r.appendResponse(r.buf, w.status(), nil)
	r.sendEvent()
}

// event begins an event with that name and the next sequence number.
func (r *reply) event(name string) {
	r.buf = put(r.buf[:0], "event: ", name, "\ndata: {\"type\":\"", name, `","sequence_number":`, r.sequence)
	r.sequence++
}

// sendEvent ends and sends an event.
func (r *reply) sendEvent() {
	r.buf = append(r.buf, "}\n\n"...)
	r.send()
}

// item sends output_item.added or output_item.done with what appendTo makes of it.
func (r *reply) item(index int, done bool, appendTo func(dst []byte, done bool) []byte) {
	name := "response.output_item.added"
	if done {
		name = "response.output_item.done"
	}
	r.event(name)
	r.buf = put(r.buf, `,"output_index":`, index, `,"item":`)
	r.buf = appendTo(r.buf, done)
	r.sendEvent()
}

// part sends the added or done event of a part, which place locates in the response.
func (r *reply) part(name string, place []byte, done bool, appendTo func(dst []byte, done bool) []byte) {
	r.event(name)
	r.buf = put(r.buf, place, `,"part":`)
	r.buf = appendTo(r.buf, done)
	r.sendEvent()
}

// streamReasoning plays the reasoning item. It returns false when the stream is over.
func (r *reply) streamReasoning(index int) bool {
	w := &r.answer
	r.item(index, false, w.appendReasoningItem)
	r.scratch = put(r.scratch[:0], `,"item_id":"`, w.thinking, `","output_index":`, index, `,"summary_index":0`)
	r.part("response.reasoning_summary_part.added", r.scratch, false, w.appendSummaryPart)
	for token := range w.reasoning.all {
		if !r.more() {
			return false
		}
		r.event("response.reasoning_summary_text.delta")
		r.buf = put(r.buf, r.scratch, `,"delta":"`, escaped(token), `"`)
		r.obfuscate(len(token))
		r.sendEvent()
		r.counted()
	}
	r.event("response.reasoning_summary_text.done")
	r.buf = put(r.buf, r.scratch, `,"text":"`)
	r.buf = append(w.reasoning.appendEscaped(r.buf), '"')
	r.sendEvent()
	r.part("response.reasoning_summary_part.done", r.scratch, true, w.appendSummaryPart)
	r.item(index, true, w.appendReasoningItem)
	return r.err == nil
}

// streamMessage plays the message item with its one part. It returns false when the stream is over.
func (r *reply) streamMessage(index int) bool {
	w := &r.answer
	delta, done, doneKey, deltaTail := "response.output_text.delta", "response.output_text.done", "text", `","logprobs":[]`
	doneTail := deltaTail
	if w.refusal {
		delta, done, doneKey, deltaTail = "response.refusal.delta", "response.refusal.done", "refusal", `"`
		doneTail = deltaTail
	}
	r.item(index, false, w.appendMessageItem)
	r.scratch = put(r.scratch[:0], `,"item_id":"`, w.message, `","output_index":`, index, `,"content_index":0`)
	r.part("response.content_part.added", r.scratch, false, w.appendContentPart)
	for token := range w.text.all {
		if !r.more() {
			return false
		}
		r.event(delta)
		r.buf = put(r.buf, r.scratch, `,"delta":"`, escaped(token), deltaTail)
		r.obfuscate(len(token))
		r.sendEvent()
		r.counted()
	}
	r.event(done)
	r.buf = put(r.buf, r.scratch, `,"`, doneKey, `":"`)
	r.buf = append(w.text.appendEscaped(r.buf), doneTail...)
	r.sendEvent()
	r.part("response.content_part.done", r.scratch, true, w.appendContentPart)
	r.item(index, true, w.appendMessageItem)
	return r.err == nil
}

// streamCall plays a function_call item. It returns false when the stream is over.
func (r *reply) streamCall(c *call, index int) bool {
	r.item(index, false, c.appendItem)
	r.scratch = put(r.scratch[:0], `,"item_id":"`, c.item, `","output_index":`, index)
	for fragment := range c.fragments {
		if !r.more() {
			return false
		}
		r.event("response.function_call_arguments.delta")
		r.buf = put(r.buf, r.scratch, `,"delta":"`, escaped(fragment), `"`)
		r.obfuscate(len(fragment))
		r.sendEvent()
		r.counted()
	}
	r.event("response.function_call_arguments.done")
	r.buf = put(r.buf, r.scratch, `,"arguments":`, quoted(c.arguments))
	r.sendEvent()
	r.item(index, true, c.appendItem)
	return r.err == nil
}
