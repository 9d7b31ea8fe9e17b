package responses

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/sse"
)

// maxItems is how many output items of one response are believed. A real one has a few dozen.
const maxItems = 4096

// Decoder turns the answer of a Responses upstream into the neutral steps. It holds what is defensive: events out of order,
// without ids, with only a final form, or with none at all, all become the order that llm.EventKind promises. Make it ready
// with Reset. Its memory doesn't grow with the length of the texts.
type Decoder struct {
	x     *llm.Exchange
	usage Usage
	items []*upstreamItem

	started, done   bool
	calls           bool // a call of a client's tool was opened
	nameless        bool // a call was dropped because its name never came
	opened          int  // items that were opened
	skipped         int  // events that could not be read
	id, model, tier string

	// What is handed on. It is kept here so that no event costs an allocation.
	event   llm.Event
	item    llm.Item
	cite    llm.Citation
	neutral llm.Usage
	text    []byte // the decoded text of the event at hand
	joined  []byte // the same, with what was left of the one before
}

// Reset makes the decoder ready for the answer of another attempt.
func (d *Decoder) Reset(x *llm.Exchange) {
	if cap(d.items) > maxKeptItems {
		d.items = nil
	}
	*d = Decoder{x: x, items: d.items[:0], text: kept(d.text), joined: kept(d.joined)}
}

// Done reports whether the answer has ended: nothing is emitted any more.
func (d *Decoder) Done() bool { return d.done }

// Stopped reports whether the stop reason has come. In this protocol it comes with the terminal event.
func (d *Decoder) Stopped() bool { return d.done }

// Skipped returns how many events could not be read.
func (d *Decoder) Skipped() int { return d.skipped }

// eventFields are the members of an event, raw.
type eventFields struct {
	kind                            []byte
	itemID, callID, name            []byte
	item, part, delta               []byte
	text, refusal, arguments, input []byte
	logprobs, annotation, response  []byte
	fault                           []byte
	// index and content are the item's place in the output and the part's in the item: -1 and 0 when not said.
	index, content int
}

// Event takes in one event of a stream. What can't be read is passed over.
func (d *Decoder) Event(e *sse.Event, out llm.Emitter) {
	if d.done || e.Lines == 0 {
		return
	}
	var f eventFields
	if !f.scan(e.Data) {
		if string(e.Data) != "[DONE]" { // which some providers send here too
			d.skipped++
		}
		return
	}
	kind := f.kind
	if len(kind) == 0 {
		kind = e.Name
	}
	switch string(kind) {
	case "response.output_text.delta":
		d.delta(&f, partText, out)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		d.delta(&f, partCall, out)
	case "response.reasoning_summary_text.delta":
		d.delta(&f, partSummary, out)
	case "response.reasoning_text.delta":
		d.delta(&f, partReasoning, out)
	case "response.refusal.delta":
		d.delta(&f, partRefusal, out)
	case "response.output_text.done":
		d.final(&f, partText, f.text, out)
	case "response.refusal.done":
		d.final(&f, partRefusal, f.refusal, out)
	case "response.reasoning_summary_text.done":
		d.final(&f, partSummary, f.text, out)
	case "response.reasoning_text.done":
		d.final(&f, partReasoning, f.text, out)
	case "response.function_call_arguments.done":
		d.final(&f, partCall, f.arguments, out)
	case "response.custom_tool_call_input.done":
		d.final(&f, partCall, f.input, out)
	case "response.content_part.done":
		d.partDone(&f, out)
	case "response.output_text.annotation.added":
		d.annotation(&f, out)
	case "response.output_item.added":
		d.added(&f, out)
	case "response.output_item.done":
		d.itemDone(&f, out)
	case "response.created", "response.queued", "response.in_progress":
		d.start(f.response, out)
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		d.start(f.response, out)
		d.response(f.response, string(kind[len("response."):]), out)
	case "error":
		d.fail(readFault(f.fault, e.Data), out)
	case "":
		if json.Truthy(f.fault) {
			d.fail(readFault(f.fault, nil), out)
		}
	}
}

// scan takes an event apart.
func (f *eventFields) scan(data []byte) bool {
	f.index = -1
	m := json.Object(data)
	for m.Next() {
		value := m.Value()
		switch string(m.Key) {
		case "type":
			f.kind, _ = json.Unquote(value)
		case "output_index":
			f.index = indexOf(value, -1)
		case "content_index", "summary_index":
			f.content = indexOf(value, 0)
		case "item_id":
			f.itemID, _ = json.Unquote(value)
		case "call_id":
			f.callID, _ = json.Unquote(value)
		case "item":
			f.item = value
		case "part":
			f.part = value
		case "delta":
			f.delta = value
		case "text":
			f.text = value
		case "refusal":
			f.refusal = value
		case "arguments":
			f.arguments = value
		case "input":
			f.input = value
		case "logprobs":
			f.logprobs = value
		case "annotation":
			f.annotation = value
		case "response":
			f.response = value
		case "error":
			f.fault = value
		case "name":
			f.name = value
		}
	}
	return m.Complete()
}

// indexOf reads a place in a list. One that can't be is as good as none.
func indexOf(value []byte, none int) int {
	if n, ok := json.Int(value); ok && n >= 0 && n < maxItems {
		return int(n)
	}
	return none
}

// End takes in that the stream is over. Without a terminal event the answer is not complete, whether it was cut or not: this
// protocol always ends with one.
func (d *Decoder) End(cut bool, out llm.Emitter) {
	if d.done {
		return
	}
	message := "the upstream closed the stream before the answer was complete"
	if cut {
		message = "the connection to the upstream broke before the answer was complete"
	}
	d.fail(&llm.Error{Kind: llm.Upstream, Message: message}, out)
}

// Answer takes in a whole answer.
func (d *Decoder) Answer(body []byte, out llm.Emitter) {
	if d.done {
		return
	}
	status, fault := json.Get(body, "status"), json.Get(body, "error")
	switch {
	case json.Get(body, "output") == nil && json.Truthy(fault):
		d.fail(readFault(fault, nil), out)
		return
	case json.Get(body, "output") == nil && len(status) == 0:
		d.fail(&llm.Error{Kind: llm.Upstream, Message: "the upstream's answer is no response"}, out)
		return
	}
	d.start(body, out)
	name := stringOf(status)
	if name == "" {
		name = "completed"
	}
	d.response(body, name, out)
}

// start emits the beginning, once. response is the object that says what is being answered, or nil.
func (d *Decoder) start(response []byte, out llm.Emitter) {
	if d.started {
		return
	}
	d.started = true
	d.readHead(response)
	d.neutral = d.usage.Neutral()
	d.event = llm.Event{Kind: llm.EventStart, ID: d.id, Model: d.model, ServiceTier: d.tier, Usage: &d.neutral}
	out.Emit(&d.event)
}

// readHead keeps what a response object says of itself.
func (d *Decoder) readHead(response []byte) {
	m := json.Object(response)
	for m.Next() {
		switch string(m.Key) {
		case "id":
			keep(&d.id, m.Value())
		case "model":
			keep(&d.model, m.Value())
		case "service_tier":
			keep(&d.tier, m.Value())
			d.usage.Service = llm.ServiceOf(m.Value())
		case "usage":
			d.usage.Merge(m.Value())
		case "tool_usage":
			d.usage.MergeTools(m.Value())
		}
	}
}

// keep copies a string of a sane length.
func keep(into *string, value []byte) {
	if text, ok := json.Unquote(value); ok && len(text) <= 256 && *into != string(text) {
		*into = string(text)
	}
}

// response ends the answer with its last response object and the status that the event's name or the object says.
func (d *Decoder) response(object []byte, status string, out llm.Emitter) {
	if own := stringOf(json.Get(object, "status")); own != "" {
		status = own
	}
	d.readHead(object)
	switch status {
	case "failed":
		d.fail(readFault(json.Get(object, "error"), nil), out)
		return
	case "cancelled":
		d.fail(&llm.Error{Kind: llm.Upstream, Message: "the upstream cancelled the response"}, out)
		return
	case "queued", "in_progress":
		d.fail(&llm.Error{Kind: llm.Upstream, Message: "the upstream ended before the response was complete"}, out)
		return
	}
	e := json.Array(json.Get(object, "output"))
	for i := 0; i < maxItems && e.Next() && !d.done; i++ {
		d.hydrate(i, e.Value(), out)
	}
	d.closeAll(out)
	if d.done {
		return
	}
	d.usage.Tokens.Finish()
	if d.opened == 0 && d.nameless {
		d.fail(&llm.Error{Kind: llm.Upstream, Message: "the upstream called a tool without saying which"}, out)
		return
	}
	d.stop(d.reason(status, object), out)
}

// reason says why the model stopped (protocols.md D.2).
func (d *Decoder) reason(status string, object []byte) llm.StopReason {
	if status == "incomplete" {
		switch stringOf(json.Get(json.Get(object, "incomplete_details"), "reason")) {
		case "max_output_tokens", "max_tokens", "length":
			return llm.StopLength
		case "content_filter":
			return llm.StopFilter
		}
	}
	if d.calls {
		return llm.StopTool
	}
	return llm.StopEnd
}

func (d *Decoder) stop(reason llm.StopReason, out llm.Emitter) {
	d.done = true
	d.neutral = d.usage.Neutral()
	d.event = llm.Event{
		Kind: llm.EventStop, ID: d.id, Model: d.model, ServiceTier: d.tier,
		Usage: &d.neutral, Stop: llm.Stop{Reason: reason},
	}
	out.Emit(&d.event)
}

// fail ends the answer with an error. What is open is not closed: it is not complete.
func (d *Decoder) fail(err *llm.Error, out llm.Emitter) {
	d.done = true
	d.neutral = d.usage.Neutral()
	d.event = llm.Event{Kind: llm.EventFault, ID: d.id, Model: d.model, Usage: &d.neutral, Err: err}
	out.Emit(&d.event)
}

// hydrate emits what the last response object has and the stream did not.
func (d *Decoder) hydrate(index int, object []byte, out llm.Emitter) {
	f := eventFields{item: object, index: index}
	it := d.find(&f)
	if it == nil {
		it = d.newItem(index, out)
	}
	if it != nil {
		d.finish(it, object, out)
	}
}

// closeAll closes what is open when the answer ends.
func (d *Decoder) closeAll(out llm.Emitter) {
	for _, it := range d.items {
		if !it.closed {
			d.close(it, out)
		}
	}
}

// readFault makes an error of an error object, which may be a string, or of the members of an event.
func readFault(fault, event []byte) *llm.Error {
	if len(fault) == 0 || fault[0] != '{' && fault[0] != '"' {
		fault = event
	}
	err := &llm.Error{Kind: llm.Upstream}
	if text, ok := json.Unquote(fault); ok {
		err.Message = string(text)
	}
	m := json.Object(fault)
	for m.Next() {
		text, ok := json.Unquote(m.Value())
		if !ok {
			continue
		}
		switch string(m.Key) {
		case "message":
			err.Message = string(text)
		case "code":
			err.Code = string(text)
		case "type":
			if string(text) != "error" {
				err.Type = string(text)
			}
		}
	}
	classify(err)
	if err.Message == "" {
		err.Message = "the upstream failed"
	}
	return err
}

// classify finds the kind of an error of a response by its code and type.
func classify(err *llm.Error) {
	switch {
	case err.Code == "rate_limit_exceeded", strings.HasPrefix(err.Type, "rate_limit"), err.Type == "tokens", err.Type == "requests":
		err.Kind = llm.RateLimit
		err.RetryAfter = llm.WaitOf(err.Message)
	case err.Code == "insufficient_quota", err.Code == "usage_not_included", err.Code == "billing_hard_limit_reached",
		err.Type == "insufficient_quota":
		err.Kind = llm.Billing
	case err.Code == "context_length_exceeded":
		err.Kind = llm.ContextLength
	case err.Code == "server_is_overloaded", err.Code == "slow_down", err.Code == "overloaded", err.Type == "overloaded_error",
		err.Type == "service_unavailable_error":
		err.Kind = llm.Overloaded
	case err.Code == "content_policy_violation", err.Code == "content_filter", err.Code == "bio_policy",
		err.Code == "misalignment_policy_violation", err.Code == "cyber_policy":
		err.Kind = llm.ContentPolicy
	case err.Code == "invalid_prompt", strings.HasPrefix(err.Code, "invalid_image"), strings.HasPrefix(err.Code, "image_"),
		strings.HasSuffix(err.Code, "_image_format"), err.Type == "invalid_request_error":
		err.Kind = llm.InvalidRequest
	case strings.HasSuffix(err.Code, "timeout"):
		err.Kind = llm.Timeout
	}
}
