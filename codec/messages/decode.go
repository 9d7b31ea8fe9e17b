package messages

import (
	"bytes"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/sse"
)

// Decoder reads the answer of a Messages upstream, whole or as a stream, and hands it on in steps whose order is the promise
// of llm.EventKind, whatever the upstream sends. Call Reset first. In the steady state an event is read without allocating.
//
// An answer that Anthropic pauses (stop reason pause_turn) goes on with another call where AllowPause was called.
type Decoder struct {
	x     *llm.Exchange
	usage Usage

	started, done, stopped bool
	skipped                int // events that could not be read
	stop                   llm.Stop
	tier                   string
	next                   int // the index of the next item
	calls                  int // calls of the client's tools
	callIDs                map[string]bool
	nameless               bool
	blocks                 []openBlock
	hosted                 *openBlock // the hosted call whose result may come next
	jsonTool               jsonAnswer
	pause                  pause

	event llm.Event
	item  llm.Item
	text  []byte // scratch for decoded strings
}

// openBlock is a content block that has begun and not ended.
type openBlock struct {
	upstream, index int
	kind            blockKind
	opened          bool // EventOpen was emitted
	redacted        bool
	any             bool // text or arguments have come
	initial         []byte
	arguments       []byte // of a hosted call
	seal            []byte
	split           [3]byte // the beginning of a character whose rest has not come
	splitLen        int
	id, name        string
	freeform        freeform
}

// blockKind is what is made of a block.
type blockKind uint8

const (
	blockIgnored blockKind = iota
	blockText
	blockThought
	blockCall
	blockCustom // a call of a custom tool, wrapped into JSON
	blockHosted
	blockJSON // the tool that stands in for the schema of the answer
)

// Reset makes d ready for the answer of another attempt.
func (d *Decoder) Reset(x *llm.Exchange) {
	clear(d.blocks[:cap(d.blocks)])
	clear(d.callIDs)
	*d = Decoder{
		x: x, blocks: d.blocks[:0], text: d.text[:0], pause: pause{content: d.pause.content[:0]}, callIDs: d.callIDs,
	}
	d.jsonTool.reset(x.JSONTool)
}

// Done reports whether the answer is over: a Stop or a Fault was emitted.
func (d *Decoder) Done() bool { return d.done }

// Stopped reports whether the stop reason has come: what may follow it is the terminal event.
func (d *Decoder) Stopped() bool { return d.stopped }

// Skipped returns how many events could not be read.
func (d *Decoder) Skipped() int { return d.skipped }

// Usage returns the tokens reported so far, those of earlier rounds of a paused answer included.
func (d *Decoder) Usage() llm.Usage {
	u := d.usage.Neutral()
	d.pause.addTo(&u)
	return u
}

// Event takes one event of the stream. Once the answer is over, nothing counts.
func (d *Decoder) Event(e *sse.Event, out llm.Emitter) {
	if d.done || d.pause.held || e.Lines == 0 || len(e.Data) == 0 {
		return
	}
	var kind, index, delta, block, message, usage, fault []byte
	m := json.Object(e.Data)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			kind, _ = json.Unquote(m.Value())
		case "index":
			index = m.Value()
		case "delta":
			delta = m.Value()
		case "content_block":
			block = m.Value()
		case "message":
			message = m.Value()
		case "usage":
			usage = m.Value()
		case "error":
			fault = m.Value()
		}
	}
	if len(kind) == 0 {
		kind = e.Name
	}
	if !m.Complete() && string(kind) != "error" {
		// Some providers close with [DONE] here too.
		if string(e.Data) != "[DONE]" {
			d.skipped++
		}
		return
	}
	switch string(kind) {
	case "message_start":
		d.messageStart(message, out)
	case "content_block_start":
		d.blockStart(number(index, len(d.blocks)), block, out)
	case "content_block_delta":
		d.blockDelta(number(index, -1), delta, out)
	case "content_block_stop":
		d.blockStop(number(index, -1), out)
	case "message_delta":
		d.messageDelta(delta, usage, out)
	case "message_stop":
		d.finish(out)
	case "error":
		d.fail(out, readError(fault))
	default:
		if len(kind) == 0 && json.Truthy(fault) {
			d.fail(out, readError(fault))
		}
	}
}

// End says that the stream is over. An answer whose stop reason has come is complete without its last event, and so is a
// paused one that nobody goes on with; any other was cut, however the connection ended.
func (d *Decoder) End(_ bool, out llm.Emitter) {
	switch {
	case d.done:
	case d.pause.held:
		// Nobody goes on with it.
		d.pause.held, d.pause.wanted = false, false
		d.finish(out)
	case d.stopped:
		d.finish(out)
	case !d.started:
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "the upstream sent an empty stream"})
	default:
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream closed the stream"})
	}
}

// Answer takes a whole answer.
func (d *Decoder) Answer(body []byte, out llm.Emitter) {
	if d.done || d.pause.held {
		return
	}
	var kind, content, fault []byte
	m := json.Object(body)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			kind, _ = json.Unquote(m.Value())
		case "content":
			content = m.Value()
		case "error":
			fault = m.Value()
		}
	}
	switch {
	case m.Complete() && json.Truthy(fault):
		d.fail(out, readError(fault))
		return
	case !m.Complete(), string(kind) != "message", len(content) == 0 || content[0] != '[':
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "the upstream's answer is no message"})
		return
	}
	d.jsonTool.unfence = d.x.Request != nil && d.x.Request.Format.Kind == llm.FormatJSON
	d.messageStart(body, out)
	d.messageDelta(body, json.Get(body, "usage"), out)
	d.finish(out)
}

// number returns the value of an index, or another one where there is none.
func number(value []byte, otherwise int) int {
	n, ok := json.Int(value)
	if !ok || n < 0 || n > 1<<30 {
		return otherwise
	}
	return int(n)
}

// start emits the Start that everything else follows.
func (d *Decoder) start(id, model string, out llm.Emitter) {
	if d.started {
		return
	}
	d.started = true
	usage := d.Usage()
	d.event = llm.Event{Kind: llm.EventStart, ID: id, Model: model, ServiceTier: d.tier, Usage: &usage}
	d.emit(out)
}

// messageStart reads a message object. Only the first one counts, except in another round of a paused answer.
func (d *Decoder) messageStart(message []byte, out llm.Emitter) {
	if d.started && !d.pause.resumed {
		return
	}
	d.pause.resumed = false
	var id, model string
	var content []byte
	m := json.Object(message)
	for m.Next() {
		switch string(m.Key) {
		case "id":
			id = textOf(m.Value())
		case "model":
			model = textOf(m.Value())
		case "content":
			content = m.Value()
		case "usage":
			d.readUsage(m.Value())
		}
	}
	d.start(id, model, out)
	// Some providers put whole blocks here; a whole answer has nothing else.
	e := json.Array(content)
	for i := 0; e.Next() && !d.done; i++ {
		d.blockStart(i, e.Value(), out)
		d.blockStop(i, out)
	}
}

// textOf returns the text of a string, or nothing for anything else.
func textOf(value []byte) string {
	text, _ := json.Unquote(value)
	return string(text)
}

// readUsage takes in one usage object, and the tier that served the request.
func (d *Decoder) readUsage(usage []byte) {
	if json.IsEmpty(usage) {
		return
	}
	d.usage.Merge(usage)
	if tier := json.Get(usage, "service_tier"); !json.IsEmpty(tier) && d.tier == "" {
		d.tier = textOf(tier)
	}
	if string(json.Get(usage, "speed")) == `"fast"` {
		d.tier = "priority"
	}
}

// messageDelta reads why the answer ends. It may come several times; the last one counts.
func (d *Decoder) messageDelta(delta, usage []byte, out llm.Emitter) {
	d.start("", "", out)
	m := json.Object(delta)
	for m.Next() {
		switch string(m.Key) {
		case "stop_reason":
			if !json.IsEmpty(m.Value()) {
				d.stopped = true
				d.stop.Reason = stopReason(m.Value())
			}
		case "stop_sequence":
			if !json.IsEmpty(m.Value()) {
				d.stop.Sequence = textOf(m.Value())
			}
		case "stop_details":
			if text := json.Get(m.Value(), "explanation"); !json.IsEmpty(text) {
				d.stop.Explanation = textOf(text)
			}
		}
	}
	if json.IsEmpty(usage) {
		return
	}
	d.readUsage(usage)
	if d.stopped {
		d.usage.Tokens.Finish()
	}
	known := d.Usage()
	d.event = llm.Event{Kind: llm.EventUsage, Usage: &known, ServiceTier: d.tier}
	d.emit(out)
}

// stopReason returns the reason that a stop_reason names (protocols.md D.2).
func stopReason(value []byte) llm.StopReason {
	switch string(value) {
	case `"end_turn"`, `"compaction"`:
		return llm.StopEnd
	case `"stop_sequence"`:
		return llm.StopSequence
	case `"tool_use"`:
		return llm.StopTool
	case `"max_tokens"`, `"model_context_window_exceeded"`:
		return llm.StopLength
	case `"refusal"`:
		return llm.StopFilter
	case `"pause_turn"`:
		return llm.StopPause
	}
	return llm.StopUnknown
}

// finish closes what is open and ends the answer, unless it is only paused.
func (d *Decoder) finish(out llm.Emitter) {
	d.start("", "", out)
	d.closeAll(out)
	d.flushHeld(out)
	if d.stop.Reason == llm.StopPause && d.pause.hold() {
		return
	}
	if d.stop.Reason == llm.StopUnknown && d.stopped {
		d.x.Warnings.Approximate("stop_reason")
	}
	switch {
	case d.nameless && d.next == 0:
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "the upstream called a tool without naming it"})
		return
	case d.calls > 0 && (d.stop.Reason == llm.StopEnd || d.stop.Reason == llm.StopUnknown):
		d.stop.Reason = llm.StopTool
	case d.calls == 0 && (d.stop.Reason == llm.StopTool || d.stop.Reason == llm.StopUnknown):
		d.stop.Reason = llm.StopEnd
	}
	d.usage.Tokens.Finish()
	usage := d.Usage()
	d.event = llm.Event{Kind: llm.EventStop, Stop: d.stop, Usage: &usage, ServiceTier: d.tier}
	d.emit(out)
	d.done = true
}

// emit hands the event on, unless the answer is over.
func (d *Decoder) emit(out llm.Emitter) {
	if !d.done {
		out.Emit(&d.event)
	}
}

// fail ends the answer with an error. Items stay open: what a client is told of them is the emitter's part.
func (d *Decoder) fail(out llm.Emitter, err *llm.Error) {
	d.event = llm.Event{Kind: llm.EventFault, Err: err}
	d.emit(out)
	d.done = true
}

// readError reads the error that stands in a stream.
func readError(fault []byte) *llm.Error {
	e := &llm.Error{Kind: llm.Upstream}
	if text, ok := json.Unquote(fault); ok {
		e.Message = string(text)
		return e
	}
	m := json.Object(fault)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			e.Type = textOf(m.Value())
		case "message":
			e.Message = textOf(m.Value())
		}
	}
	switch e.Type {
	case "overloaded_error":
		e.Kind = llm.Overloaded
	case "rate_limit_error":
		e.Kind = llm.RateLimit
	case "timeout_error":
		e.Kind = llm.Timeout
	case "authentication_error":
		e.Kind = llm.Authentication
	case "permission_error":
		e.Kind = llm.Permission
	case "billing_error":
		e.Kind = llm.Billing
	case "not_found_error":
		e.Kind = llm.NotFound
	case "request_too_large":
		e.Kind = llm.TooLarge
	case "invalid_request_error":
		e.Kind = llm.InvalidRequest
		if strings.HasPrefix(e.Message, tooLong) {
			e.Kind = llm.ContextLength
		}
	}
	return e
}

// find returns the open block of an upstream index; without one, the last open block.
func (d *Decoder) find(upstream int) *openBlock {
	for i := len(d.blocks) - 1; i >= 0; i-- {
		if d.blocks[i].upstream == upstream || upstream < 0 {
			return &d.blocks[i]
		}
	}
	return nil
}

// begin adds an open block. The memory of an earlier one is used again.
func (d *Decoder) begin(upstream int, kind blockKind) *openBlock {
	n := len(d.blocks)
	if n < cap(d.blocks) {
		d.blocks = d.blocks[:n+1]
	} else {
		d.blocks = append(d.blocks, openBlock{})
	}
	b := &d.blocks[n]
	*b = openBlock{
		upstream: upstream, kind: kind, index: -1,
		initial: b.initial[:0], arguments: b.arguments[:0], seal: b.seal[:0],
	}
	return b
}

// open emits that an item begins. What item says is set before.
func (d *Decoder) open(b *openBlock, out llm.Emitter) {
	if b.opened {
		return
	}
	b.opened, b.index = true, d.next
	d.next++
	d.event = llm.Event{Kind: llm.EventOpen, Index: b.index, Item: &d.item}
	d.emit(out)
}

// maxOpenBlocks is how many blocks an upstream may leave open at once: Anthropic itself has one.
const maxOpenBlocks = 256

func (d *Decoder) blockStart(upstream int, block []byte, out llm.Emitter) {
	d.start("", "", out)
	if d.find(max(upstream, 0)) != nil || len(d.blocks) == maxOpenBlocks {
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "the upstream opened a content block twice"})
		return
	}
	var kind, id, name, text, thinking, signature, data, input, citations, toolUseID []byte
	m := json.Object(block)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			kind, _ = json.Unquote(m.Value())
		case "id":
			id = m.Value()
		case "name":
			name = m.Value()
		case "text":
			text = m.Value()
		case "thinking":
			thinking = m.Value()
		case "signature":
			signature = m.Value()
		case "data":
			data = m.Value()
		case "input":
			input = m.Value()
		case "citations":
			citations = m.Value()
		case "tool_use_id":
			toolUseID = m.Value()
		}
	}
	d.pause.blockStart(block)
	if !isHostedResult(string(kind)) {
		d.closeHosted(nil, out)
	}
	d.item = llm.Item{}
	switch string(kind) {
	case "text":
		b := d.begin(upstream, blockText)
		d.addText(b, text, out)
		e := json.Array(citations)
		for e.Next() {
			d.cite(b, e.Value(), out)
		}
	case "thinking":
		b := d.begin(upstream, blockThought)
		d.item.Kind = llm.Thought
		d.open(b, out)
		d.addText(b, thinking, out)
		b.seal, _ = json.AppendUnquoted(b.seal[:0], signature)
	case "redacted_thinking":
		b := d.begin(upstream, blockThought)
		d.item = llm.Item{Kind: llm.Thought, Redacted: true}
		d.open(b, out)
		b.redacted = true
		b.seal, _ = json.AppendUnquoted(b.seal[:0], data)
	case "tool_use":
		d.openCall(upstream, id, name, input, out)
	case "server_tool_use":
		b := d.begin(upstream, blockHosted)
		b.id, b.name = textOf(id), textOf(name)
		d.item = llm.Item{Kind: llm.Hosted, CallID: b.id, Name: b.name}
		d.open(b, out)
		b.initial = append(b.initial, input...)
	case "web_search_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result":
		if d.hosted != nil && d.hosted.id == textOf(toolUseID) {
			d.closeHosted(block, out)
		}
		d.begin(upstream, blockIgnored)
	default:
		d.begin(upstream, blockIgnored)
	}
}

// openCall begins a call of a client's tool, or of the tool that stands in for a schema.
func (d *Decoder) openCall(upstream int, id, name, input []byte, out llm.Emitter) {
	wire := textOf(name)
	if wire == "" {
		// Nobody could tell which tool to run.
		d.nameless = true
		d.begin(upstream, blockIgnored)
		return
	}
	if d.jsonTool.takes(wire) {
		b := d.begin(upstream, blockJSON)
		b.initial = append(b.initial, input...)
		return
	}
	d.calls++
	tool := d.x.Names.Tool(wire)
	b := d.begin(upstream, blockCall)
	b.initial = append(b.initial, input...)
	d.item = llm.Item{Kind: llm.Call, CallID: textOf(id), Name: tool.Name, Namespace: tool.Namespace}
	if d.item.CallID == "" || d.callIDs[d.item.CallID] {
		// Results of calls with one id could not be told apart.
		d.item.CallID = string(llm.AppendCallIDAt(nil, 0, d.calls-1))
	}
	if d.callIDs == nil {
		d.callIDs = make(map[string]bool)
	}
	d.callIDs[d.item.CallID] = true
	if tool.Kind == llm.CustomTool {
		b.kind, d.item.Custom = blockCustom, true
	}
	d.open(b, out)
}

func (d *Decoder) blockDelta(upstream int, delta []byte, out llm.Emitter) {
	b := d.find(upstream)
	if b == nil {
		return
	}
	var kind, text, signature, partial, citation []byte
	m := json.Object(delta)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			kind, _ = json.Unquote(m.Value())
		case "text", "thinking":
			text = m.Value()
		case "signature":
			signature = m.Value()
		case "partial_json":
			partial = m.Value()
		case "citation":
			citation = m.Value()
		}
	}
	d.pause.blockDelta(kind, text, partial, signature, citation)
	switch string(kind) {
	case "text_delta":
		if b.kind == blockText {
			d.addText(b, text, out)
		}
	case "thinking_delta":
		if b.kind == blockThought {
			d.addText(b, text, out)
		}
	case "signature_delta":
		if b.kind == blockThought {
			b.seal, _ = json.AppendUnquoted(b.seal[:0], signature)
		}
	case "citations_delta":
		if b.kind == blockText {
			d.cite(b, citation, out)
		}
	case "input_json_delta":
		d.addArguments(b, partial, out)
	}
}

// decoded returns the text of a JSON string, valid until the next call. The beginning of a character whose rest comes with the
// next delta is kept back in b.
func (d *Decoder) decoded(b *openBlock, value []byte) []byte {
	var text []byte
	if len(value) >= 2 && value[0] == '"' && bytes.IndexByte(value, '\\') < 0 && b.splitLen == 0 {
		text = value[1 : len(value)-1] // Fast path: nothing to decode.
	} else {
		d.text = append(d.text[:0], b.split[:b.splitLen]...)
		b.splitLen = 0
		var ok bool
		if d.text, ok = json.AppendUnquoted(d.text, value); !ok {
			return nil
		}
		text = d.text
	}
	whole := len(text) - unfinished(text)
	b.splitLen = copy(b.split[:], text[whole:])
	return text[:whole]
}

// unfinished returns how many bytes at the end of text begin a character of UTF-8 without ending it.
func unfinished(text []byte) int {
	for n := 1; n <= min(3, len(text)); n++ {
		switch c := text[len(text)-n]; {
		case c < 0x80:
			return 0
		case c >= 0xC0:
			size := 2
			if c >= 0xF0 {
				size = 4
			} else if c >= 0xE0 {
				size = 3
			}
			if n < size {
				return n
			}
			return 0
		}
	}
	return 0
}

// addText emits a piece of text or thinking. A text begins with its first piece, so that an empty one is none.
func (d *Decoder) addText(b *openBlock, value []byte, out llm.Emitter) {
	text := d.decoded(b, value)
	if len(text) == 0 {
		return
	}
	if b.kind == blockText && d.jsonTool.waits() {
		d.hold(text, out)
		return
	}
	d.openText(b, out)
	d.emitDelta(b, text, out)
}

func (d *Decoder) openText(b *openBlock, out llm.Emitter) {
	if !b.opened {
		d.item = llm.Item{Kind: llm.Text}
		d.open(b, out)
	}
}

func (d *Decoder) emitDelta(b *openBlock, text []byte, out llm.Emitter) {
	b.any = true
	d.event = llm.Event{Kind: llm.EventDelta, Index: b.index, Text: text}
	d.emit(out)
}

// cite emits a citation of a text.
func (d *Decoder) cite(b *openBlock, value []byte, out llm.Emitter) {
	if json.IsEmpty(value) || d.jsonTool.waits() {
		return
	}
	citation := readCitation(value)
	d.openText(b, out)
	d.event = llm.Event{Kind: llm.EventCite, Index: b.index, Citation: &citation}
	d.emit(out)
}

// addArguments emits a piece of a call's input.
func (d *Decoder) addArguments(b *openBlock, value []byte, out llm.Emitter) {
	text := d.decoded(b, value)
	if len(text) == 0 {
		return
	}
	d.passArguments(b, text, out)
}

func (d *Decoder) passArguments(b *openBlock, text []byte, out llm.Emitter) {
	switch b.kind {
	case blockCall:
		d.emitDelta(b, text, out)
	case blockCustom:
		b.any = true
		if input := b.freeform.add(text); len(input) > 0 {
			d.emitDelta(b, input, out)
		}
	case blockJSON:
		d.openText(b, out)
		d.emitDelta(b, text, out)
	case blockHosted:
		if len(b.arguments)+len(text) <= maxHostedInput {
			b.arguments = append(b.arguments, text...)
		}
	}
}

// maxHostedInput bounds what is kept of the input of a hosted call.
const maxHostedInput = 64 << 10

func (d *Decoder) blockStop(upstream int, out llm.Emitter) {
	d.pause.blockStop()
	for i := len(d.blocks) - 1; i >= 0; i-- {
		if d.blocks[i].upstream == upstream || upstream < 0 {
			d.closeBlock(i, out)
			return
		}
	}
}

// closeAll closes what the upstream has left open.
func (d *Decoder) closeAll(out llm.Emitter) {
	for len(d.blocks) > 0 {
		d.closeBlock(0, out)
	}
	d.closeHosted(nil, out)
}

// closeBlock closes one block and forgets it. A hosted call stays open until its result comes, or does not.
func (d *Decoder) closeBlock(i int, out llm.Emitter) {
	b := &d.blocks[i]
	switch b.kind {
	case blockText, blockThought:
		if b.splitLen > 0 && (b.opened || !d.jsonTool.waits()) {
			d.text = append(d.text[:0], b.split[:b.splitLen]...)
			d.openText(b, out)
			d.emitDelta(b, d.text, out)
		}
		if b.opened {
			d.item = llm.Item{Kind: llm.Text}
			if b.kind == blockThought {
				d.item = llm.Item{Kind: llm.Thought, Seal: b.seal, Redacted: b.redacted}
			}
			d.close(b, out)
		}
	case blockCall, blockCustom, blockJSON:
		d.endArguments(b, out)
		d.item = llm.Item{Kind: llm.Call, Custom: b.kind == blockCustom}
		if b.kind == blockJSON {
			d.item.Kind = llm.Text
		}
		d.close(b, out)
	case blockHosted:
		if len(b.arguments) == 0 {
			b.arguments = append(b.arguments, b.initial...)
		}
		kept := *b
		kept.arguments = bytes.Clone(b.arguments)
		d.hosted = &kept
	}
	last := len(d.blocks) - 1
	if i < last {
		d.blocks[i], d.blocks[last] = d.blocks[last], d.blocks[i]
	}
	d.blocks = d.blocks[:last]
}

// endArguments emits what is still to be said of a call's input: that which came with its beginning, or that it is empty.
func (d *Decoder) endArguments(b *openBlock, out llm.Emitter) {
	if !b.any {
		input := b.initial
		if json.IsEmpty(input) {
			input = emptyObject
		}
		d.passArguments(b, input, out)
	}
	if b.kind == blockCustom {
		if rest := b.freeform.rest(); len(rest) > 0 {
			d.emitDelta(b, rest, out)
		}
	}
}

func (d *Decoder) close(b *openBlock, out llm.Emitter) {
	d.event = llm.Event{Kind: llm.EventClose, Index: b.index, Item: &d.item}
	d.emit(out)
}

// closeHosted closes the hosted call that waits for its result.
func (d *Decoder) closeHosted(result []byte, out llm.Emitter) {
	b := d.hosted
	if b == nil {
		return
	}
	d.hosted = nil
	d.item = llm.Item{Kind: llm.Hosted, CallID: b.id, Name: b.name, Arguments: b.arguments}
	content := json.Get(result, "content")
	switch b.name {
	case llm.CodeExecution, "bash_code_execution":
		d.readCode(content)
	case "text_editor_code_execution":
		d.x.Warnings.Drop("content." + b.name)
	}
	e := json.Array(content)
	for e.Next() {
		d.item.Citations = append(d.item.Citations, readCitation(e.Value()))
	}
	d.close(b, out)
}

// readCode makes the item that is being closed one of code that ran: a program's, or a shell's, which has its own names for
// that. content is its result, or nil.
func (d *Decoder) readCode(content []byte) {
	code := json.Get(d.item.Arguments, "code")
	if code == nil {
		code = json.Get(d.item.Arguments, "command")
	}
	text, _ := json.Unquote(code)
	d.item.Name = llm.CodeExecution
	d.item.Arguments = append(json.AppendString([]byte(`{"code":`), text), '}')
	for _, name := range [...]string{"stdout", "stderr", "error_code"} {
		if text, ok := json.Unquote(json.Get(content, name)); ok && len(text) > 0 {
			if len(d.item.Text) > 0 {
				d.item.Text = append(d.item.Text, '\n')
			}
			d.item.Text = append(d.item.Text, text...)
		}
	}
	status := json.Get(content, "return_code")
	d.item.IsError = content != nil && string(status) != "0"
	if !json.IsEmpty(json.Get(content, "content")) {
		d.x.Warnings.Drop("content.code_execution_tool_result.content")
	}
}
