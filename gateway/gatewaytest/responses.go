package gatewaytest

import (
	"time"

	"octopus/codec/llm"
)

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
		if w.stop == stopFilter {
			details = `{"reason":"content_filter"}`
		}
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
	if over && len(w.search) > 0 {
		dst = append(dst, `,"tool_usage":{"web_search":{"num_requests":1}}`...)
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
	if len(w.redacted) > 0 {
		dst = append(dst, separator...)
		dst = w.appendRedactedItem(dst, true)
		separator = ","
	}
	if len(w.search) > 0 {
		dst = append(dst, separator...)
		dst = w.appendSearchItem(dst, true)
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
	return put(dst, `],"encrypted_content":"`, w.signature, `","status":"`, itemStatus(done, stopEnd), `"}`)
}

// appendRedactedItem appends reasoning without a summary.
func (w *answer) appendRedactedItem(dst []byte, done bool) []byte {
	return put(dst, `{"id":"`, w.hiding, `","type":"reasoning","summary":[],"encrypted_content":"`, w.redacted, `","status":"`,
		itemStatus(done, stopEnd), `"}`)
}

func (w *answer) appendSearchItem(dst []byte, done bool) []byte {
	return put(dst, `{"id":"`, w.search, `","type":"web_search_call","status":"`, itemStatus(done, stopEnd),
		`","action":{"type":"search","query":"`, query, `"}}`)
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
		dst = append(dst, `{"type":"output_text","annotations":[`...)
		if done && w.cites {
			dst = w.appendAnnotation(dst)
		}
		dst = append(dst, `],"logprobs":[],"text":"`...)
	}
	if done {
		dst = w.text.appendEscaped(dst)
	}
	return append(dst, `"}`...)
}

// appendAnnotation appends the citation of the page.
func (w *answer) appendAnnotation(dst []byte) []byte {
	return w.appendCited(dst, `"type":"url_citation",`)
}

// responsesKind returns the type of a call's item, and what it calls the arguments.
func (c *call) responsesKind() (kind, key string) {
	if c.custom {
		return "custom_tool_call", "input"
	}
	return "function_call", "arguments"
}

// eventNames returns the events that carry a call's arguments.
func (c *call) eventNames() (delta, done string) {
	if c.custom {
		return "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done"
	}
	return "response.function_call_arguments.delta", "response.function_call_arguments.done"
}

func (c *call) appendItem(dst []byte, done bool) []byte {
	kind, key := c.responsesKind()
	dst = put(dst, `{"id":"`, c.item, `","type":"`, kind, `","status":"`, itemStatus(done, stopEnd), `","`, key, `":`)
	if done {
		dst = put(dst, quoted(c.arguments))
	} else {
		dst = append(dst, `""`...)
	}
	if len(c.namespace) > 0 {
		dst = put(dst, `,"namespace":`, c.namespace)
	}
	return put(dst, `,"call_id":"`, c.id, `","name":`, c.name, `}`)
}

func itemStatus(done bool, s stop) string {
	switch {
	case !done:
		return "in_progress"
	case s == stopLength || s == stopFilter:
		return "incomplete"
	}
	return "completed"
}

// status returns what a response is when it is over.
func (w *answer) status() string {
	if w.stop == stopLength || w.stop == stopFilter {
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
	if len(w.redacted) > 0 {
		r.item(index, false, w.appendRedactedItem)
		r.item(index, true, w.appendRedactedItem)
		index++
	}
	if len(w.search) > 0 {
		r.streamSearch(index)
		index++
	}
	if w.text.tokens > 0 {
		if !r.streamMessage(index) {
			return
		}
		index++
	}
	if !r.streamCalls(index) {
		return
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

// streamSearch plays the search of the web.
func (r *reply) streamSearch(index int) {
	w := &r.answer
	r.item(index, false, w.appendSearchItem)
	for _, name := range [...]string{"in_progress", "searching", "completed"} {
		r.event("response.web_search_call." + name)
		r.buf = put(r.buf, `,"item_id":"`, w.search, `","output_index":`, index)
		r.sendEvent()
	}
	r.item(index, true, w.appendSearchItem)
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
	if w.cites && !w.refusal {
		r.event("response.output_text.annotation.added")
		r.buf = put(r.buf, r.scratch, `,"annotation_index":0,"annotation":`)
		r.buf = w.appendAnnotation(r.buf)
		r.sendEvent()
	}
	r.event(done)
	r.buf = put(r.buf, r.scratch, `,"`, doneKey, `":"`)
	r.buf = append(w.text.appendEscaped(r.buf), doneTail...)
	r.sendEvent()
	r.part("response.content_part.done", r.scratch, true, w.appendContentPart)
	r.item(index, true, w.appendMessageItem)
	return r.err == nil
}

// streamCalls plays the calls, one behind the other or by turns, from that output index on. It returns false when the stream
// is over.
func (r *reply) streamCalls(index int) bool {
	w := &r.answer
	if r.script.interleave {
		for i := range w.calls {
			r.item(index+i, false, w.calls[i].appendItem)
		}
		if !r.byTurns(func(i int, fragment []byte) { r.streamFragment(i, index+i, fragment) }) {
			return false
		}
		for i := range w.calls {
			r.endCall(i, index+i)
		}
		return r.err == nil
	}
	for i := range w.calls {
		r.item(index+i, false, w.calls[i].appendItem)
		for fragment := range w.calls[i].fragments {
			if !r.more() {
				return false
			}
			r.streamFragment(i, index+i, fragment)
		}
		r.endCall(i, index+i)
	}
	return r.err == nil
}

// streamFragment sends some of the arguments of call i, the item at index.
func (r *reply) streamFragment(i, index int, fragment []byte) {
	c := &r.answer.calls[i]
	delta, _ := c.eventNames()
	r.event(delta)
	r.buf = put(r.buf, `,"item_id":"`, c.item, `","output_index":`, index, `,"delta":"`, escaped(fragment), `"`)
	r.obfuscate(len(fragment))
	r.sendEvent()
	r.counted()
}

// endCall ends call i, the item at index.
func (r *reply) endCall(i, index int) {
	c := &r.answer.calls[i]
	_, key := c.responsesKind()
	_, done := c.eventNames()
	r.event(done)
	r.buf = put(r.buf, `,"item_id":"`, c.item, `","output_index":`, index, `,"`, key, `":`, quoted(c.arguments))
	r.sendEvent()
	r.item(index, true, c.appendItem)
}
