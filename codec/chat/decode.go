package chat

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/sse"
)

// Decoder turns the answer of a Chat upstream into the steps that llm.EventKind describes (protocols.md C.1). It is
// where all of the caution is: whatever the upstream sends, the steps come in their order, exactly one of Stop and
// Fault is the last, and nothing comes behind it. Only the first of several choices counts.
//
// What an upstream's error means is left to the caller: the Err of a Fault has the kind Upstream with the upstream's
// own words, type and code. Make a Decoder ready with Reset. It keeps no more of an answer than the arguments of
// calls whose name has not arrived.
type Decoder struct {
	x     *llm.Exchange
	event llm.Event // the step being emitted
	item  llm.Item  // the item of that step

	started, done bool
	mute          bool // the request only fills the cache: nothing of what is generated counts
	content       bool // anything was generated
	terminal      bool // the upstream has said why it stopped
	broken        bool // it said that it failed
	cited         bool // the list of sources beside the choices was taken
	reason        llm.StopReason
	skipped       int // events that could not be read

	next    int          // the index of the next item
	open    bool         // a thought, text or refusal is open
	kind    llm.ItemKind // which of them
	current int          // its index
	half    fragment     // the half of a character that it ended with
	tags    thinkTags

	calls []call
	held  int // how many bytes of arguments wait for the names of their calls

	usage   Usage
	neutral llm.Usage
	tier    string
	buf     []byte // decoded text of one fragment
}

// Bounds of what a Decoder keeps of one answer.
const (
	maxCalls = 1024
	maxHeld  = sse.MaxEvent
)

// Reset makes d ready for the answer to the request of x, which must stay valid until the answer is over.
func (d *Decoder) Reset(x *llm.Exchange) {
	*d = Decoder{x: x, calls: d.calls[:0], buf: d.buf, mute: x.Request.Cache.Prewarm}
	d.tags.enabled = x.Options.ThinkTags
}

// Done reports whether Stop or Fault was emitted.
func (d *Decoder) Done() bool { return d.done }

// Stopped reports whether the stop reason has come: what may follow it is usage and the terminal event.
func (d *Decoder) Stopped() bool { return d.terminal }

// Skipped returns how many events could not be read.
func (d *Decoder) Skipped() int { return d.skipped }

// Event reads one event of a stream. What can't be read leaves no trace.
func (d *Decoder) Event(e *sse.Event, out llm.Emitter) {
	if d.done || e.Lines == 0 {
		return
	}
	if string(bytes.TrimSpace(e.Data)) == done {
		d.finishStream(out)
		return
	}
	var c chunk
	whole := c.read(e.Data)
	switch {
	case json.Truthy(c.fault):
		d.fail(out, faultIn(c.fault))
	case string(e.Name) == "error":
		d.fail(out, faultIn(e.Data))
	case whole:
		d.start(&c, out)
		d.readChunk(&c, out)
	default:
		d.skipped++
	}
}

// End ends a stream in which no terminal event has come: cut tells whether the connection broke. An answer whose stop
// reason has arrived is complete all the same.
func (d *Decoder) End(cut bool, out llm.Emitter) {
	switch {
	case d.done:
	case d.terminal, d.content && !cut && d.x.Options.LenientEOF && !d.inCall():
		d.finish(out)
	case cut:
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "the connection to the upstream broke"})
	default:
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream closed the stream"})
	}
}

// Answer reads a whole answer: the same steps, one Delta per item.
func (d *Decoder) Answer(body []byte, out llm.Emitter) {
	var c chunk
	whole := c.read(body)
	if json.Truthy(c.fault) {
		d.fail(out, faultIn(c.fault))
		return
	}
	choice, found := c.first()
	if !whole || !found || kindOf(choice.message) != isObject {
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream sent an answer that can't be read"})
		return
	}
	d.start(&c, out)
	d.readDelta(choice.message, choice.logprobs, &c, true, out)
	d.readFinish(choice.finish)
	if !d.done {
		d.readUsage(&c, out)
		d.finish(out)
	}
}

// chunk holds the members of one event, or of a whole answer.
type chunk struct {
	id, model, tier       []byte
	choices, usage, fault []byte
	citations             []byte
}

// read takes a chunk apart. It returns false when the text is no JSON object.
func (c *chunk) read(text []byte) bool {
	m := json.Object(text)
	for m.Next() {
		switch string(m.Key) {
		case "id":
			c.id = m.Value()
		case "model":
			c.model = m.Value()
		case "service_tier":
			c.tier = m.Value()
		case "choices":
			c.choices = m.Value()
		case "usage":
			if !json.IsNull(m.Value()) {
				c.usage = m.Value()
			}
		case "x_groq":
			if usage := json.Get(m.Value(), "usage"); c.usage == nil && !json.IsNull(usage) {
				c.usage = usage
			}
		case "error":
			c.fault = m.Value()
		case "citations":
			c.citations = m.Value()
		}
	}
	return m.Complete()
}

// choice holds the members of one choice.
type choice struct {
	delta, message   []byte
	finish, logprobs []byte
	index            int64
}

// first returns the choice with index 0.
func (c *chunk) first() (choice, bool) {
	for e := json.Array(c.choices); e.Next(); {
		var h choice
		m := json.Object(e.Value())
		for m.Next() {
			switch string(m.Key) {
			case "delta":
				h.delta = m.Value()
			case "message":
				h.message = m.Value()
			case "finish_reason":
				h.finish = m.Value()
			case "logprobs":
				h.logprobs = m.Value()
			case "index":
				h.index, _ = json.Int(m.Value())
			}
		}
		if h.index == 0 {
			return h, true
		}
	}
	return choice{}, false
}

// readChunk reads what a chunk adds to the answer. Its stop reason comes last: some upstreams send text beside it.
func (d *Decoder) readChunk(c *chunk, out llm.Emitter) {
	if h, found := c.first(); found {
		d.readDelta(h.delta, h.logprobs, c, false, out)
		d.readFinish(h.finish)
	}
	if !d.done {
		d.readUsage(c, out)
	}
}

// start emits Start with the first chunk, whatever is in it.
func (d *Decoder) start(c *chunk, out llm.Emitter) {
	if c.tier != nil {
		d.usage.Service = llm.ServiceOf(c.tier)
	}
	if len(c.tier) > 2 && d.tier == "" {
		d.tier = string(plain(c.tier))
	}
	if d.started {
		return
	}
	d.started = true
	d.event = llm.Event{
		Kind: llm.EventStart, ID: json.Borrow(plain(c.id)), Model: json.Borrow(plain(c.model)), ServiceTier: d.tier,
	}
	out.Emit(&d.event)
}

// plain returns the text of a JSON string, or nothing for any other value.
func plain(value []byte) []byte {
	text, _ := json.Unquote(value)
	return text
}

// delta holds the members of a delta, or of a whole message.
type delta struct {
	content, refusal            []byte
	reasoningContent, reasoning []byte
	details, annotations        []byte
	toolCalls, functionCall     []byte
}

func (g *delta) read(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "content":
			g.content = m.Value()
		case "refusal":
			g.refusal = m.Value()
		case "reasoning_content":
			g.reasoningContent = m.Value()
		case "reasoning":
			g.reasoning = m.Value()
		case "reasoning_details":
			g.details = m.Value()
		case "annotations":
			g.annotations = m.Value()
		case "tool_calls":
			g.toolCalls = m.Value()
		case "function_call":
			g.functionCall = m.Value()
		}
	}
}

// readDelta reads what the model said: reasoning, then text with its sources, a refusal, and calls. whole tells that
// it is all of the message.
func (d *Decoder) readDelta(object, logprobs []byte, c *chunk, whole bool, out llm.Emitter) {
	var g delta
	g.read(object)
	d.readReasoning(&g, out)
	switch kindOf(g.content) {
	case isString:
		d.readText(g.content, json.Get(logprobs, "content"), out)
	case isArray:
		d.readParts(g.content, out)
	}
	d.readAnnotations(g.annotations, out)
	d.readSources(c.citations, out)
	if kindOf(g.refusal) == isString {
		d.emitString(llm.Refusal, g.refusal, json.Get(logprobs, "refusal"), out)
	}
	k := 0
	for e := json.Array(g.toolCalls); e.Next() && !d.done; k++ {
		d.readCall(e.Value(), k, whole, out)
	}
	if kindOf(g.functionCall) == isObject && !d.done {
		d.readFunctionCall(g.functionCall, out)
	}
}

// readReasoning reads the reasoning of a delta. Upstreams that send it under two names send the same text twice.
func (d *Decoder) readReasoning(g *delta, out llm.Emitter) {
	switch {
	case kindOf(g.reasoningContent) == isString && !json.IsEmpty(g.reasoningContent):
		d.emitString(llm.Thought, g.reasoningContent, nil, out)
	case kindOf(g.reasoning) == isString && !json.IsEmpty(g.reasoning):
		d.emitString(llm.Thought, g.reasoning, nil, out)
	case kindOf(g.details) == isArray:
		for e := json.Array(g.details); e.Next(); {
			text := json.Get(e.Value(), "text")
			if json.IsEmpty(text) {
				text = json.Get(e.Value(), "summary")
			}
			if kindOf(text) == isString {
				d.emitString(llm.Thought, text, nil, out)
			}
		}
	}
}

// readText reads a string of text.
func (d *Decoder) readText(value, logprobs []byte, out llm.Emitter) {
	if !d.tags.enabled {
		d.emitString(llm.Text, value, logprobs, out)
		return
	}
	// The half of a character is kept by the tags' own fragment: which item it belongs to is not known yet.
	var text []byte
	text, d.buf = d.tags.half.decode(d.buf, value)
	d.tags.feed(text, func(kind llm.ItemKind, text []byte) { d.emitText(kind, text, logprobs, out) })
}

// readParts reads content that is an array: texts, and the thinking of Mistral's models.
func (d *Decoder) readParts(array []byte, out llm.Emitter) {
	for e := json.Array(array); e.Next(); {
		switch string(json.Get(e.Value(), "type")) {
		case `"text"`, `"output_text"`:
			if text := json.Get(e.Value(), "text"); kindOf(text) == isString {
				d.readText(text, nil, out)
			}
		case `"thinking"`:
			thinking := json.Get(e.Value(), "thinking")
			if kindOf(thinking) == isString {
				d.emitString(llm.Thought, thinking, nil, out)
				continue
			}
			for t := json.Array(thinking); t.Next(); {
				if text := json.Get(t.Value(), "text"); kindOf(text) == isString {
					d.emitString(llm.Thought, text, nil, out)
				}
			}
		}
	}
}

// emitString adds a JSON string to the item of a kind.
func (d *Decoder) emitString(kind llm.ItemKind, value, logprobs []byte, out llm.Emitter) {
	if len(value) == 2 {
		return
	}
	d.openItem(kind, out)
	var text []byte
	text, d.buf = d.half.decode(d.buf, value)
	d.emitDelta(d.current, text, logprobs, out)
}

// emitText is emitString for a text that is decoded.
func (d *Decoder) emitText(kind llm.ItemKind, text, logprobs []byte, out llm.Emitter) {
	d.openItem(kind, out)
	d.emitDelta(d.current, text, logprobs, out)
}

func (d *Decoder) emitDelta(index int, text, logprobs []byte, out llm.Emitter) {
	if len(text) == 0 || d.mute {
		return
	}
	if kindOf(logprobs) != isArray {
		logprobs = nil
	}
	d.event = llm.Event{Kind: llm.EventDelta, Index: index, Text: text, Logprobs: logprobs}
	out.Emit(&d.event)
}

// openItem sees to it that an item of that kind is open for text.
func (d *Decoder) openItem(kind llm.ItemKind, out llm.Emitter) {
	if d.open && d.kind == kind {
		return
	}
	d.closeItem(out)
	d.closeComplete(out)
	d.content = true
	d.open, d.kind, d.current = true, kind, d.next
	d.next++
	d.emitItem(llm.EventOpen, d.current, llm.Item{Kind: kind}, out)
}

// closeItem closes the open thought, text or refusal, if there is one.
func (d *Decoder) closeItem(out llm.Emitter) {
	if !d.open {
		return
	}
	d.emitDelta(d.current, d.half.rest(), nil, out)
	d.open = false
	d.emitItem(llm.EventClose, d.current, llm.Item{Kind: d.kind}, out)
}

func (d *Decoder) emitItem(kind llm.EventKind, index int, item llm.Item, out llm.Emitter) {
	if d.mute {
		return
	}
	d.item = item
	d.event = llm.Event{Kind: kind, Index: index, Item: &d.item}
	out.Emit(&d.event)
}

// readAnnotations reads sources as OpenAI gives them. They belong to the open text.
func (d *Decoder) readAnnotations(array []byte, out llm.Emitter) {
	if !d.open || d.kind != llm.Text {
		return
	}
	for e := json.Array(array); e.Next(); {
		citation := llm.Citation{Raw: e.Value(), RawProtocol: llm.Chat}
		inner := json.Get(e.Value(), "url_citation")
		if kindOf(inner) != isObject {
			inner = e.Value()
		}
		m := json.Object(inner)
		for m.Next() {
			switch string(m.Key) {
			case "url":
				citation.URL = json.Borrow(plain(m.Value()))
			case "title":
				citation.Title = json.Borrow(plain(m.Value()))
			case "start_index":
				citation.Start, _ = json.Int(m.Value())
			case "end_index":
				citation.End, _ = json.Int(m.Value())
			}
		}
		d.emitCitation(&citation, out)
	}
}

// readSources reads Perplexity's list of addresses, which it repeats in every chunk.
func (d *Decoder) readSources(array []byte, out llm.Emitter) {
	if d.cited || !d.open || d.kind != llm.Text {
		return
	}
	for e := json.Array(array); e.Next(); {
		d.cited = true
		d.emitCitation(&llm.Citation{URL: json.Borrow(plain(e.Value()))}, out)
	}
}

func (d *Decoder) emitCitation(citation *llm.Citation, out llm.Emitter) {
	if citation.URL == "" || d.mute {
		return
	}
	d.event = llm.Event{Kind: llm.EventCite, Index: d.current, Citation: citation}
	out.Emit(&d.event)
}

// readUsage takes in a report of usage: it may come with the stop reason and again behind it.
func (d *Decoder) readUsage(c *chunk, out llm.Emitter) {
	if kindOf(c.usage) != isObject {
		return
	}
	d.usage.Merge(c.usage)
	if d.terminal {
		d.usage.Tokens.Finish()
	}
	d.neutral = d.usage.Neutral()
	d.event = llm.Event{Kind: llm.EventUsage, Usage: &d.neutral}
	out.Emit(&d.event)
}

// finishStream ends the answer at the terminal event. An answer with nothing in it, not even a stop reason, is none.
func (d *Decoder) finishStream(out llm.Emitter) {
	if !d.terminal && !d.content && len(d.calls) == 0 {
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream sent an empty answer"})
		return
	}
	d.finish(out)
}

// finish closes what is open and ends the answer.
func (d *Decoder) finish(out llm.Emitter) {
	if d.broken {
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream ended the answer with an error"})
		return
	}
	if d.tags.enabled {
		d.tags.end(func(kind llm.ItemKind, text []byte) { d.emitText(kind, text, nil, out) })
	}
	d.closeItem(out)
	called, nameless := d.finishCalls(out)
	switch {
	case nameless && !d.content:
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream sent a tool call without a name"})
		return
	case nameless:
		d.x.Warnings.Drop("tool_calls")
	}
	d.usage.Tokens.Finish()
	d.neutral = d.usage.Neutral()
	d.done = true
	d.event = llm.Event{
		Kind: llm.EventStop, Usage: &d.neutral, ServiceTier: d.tier, Stop: llm.Stop{Reason: stopReason(d.reason, called)},
	}
	out.Emit(&d.event)
}

// fail ends the answer with an error. Items stay open: their content is not what the model meant.
func (d *Decoder) fail(out llm.Emitter, e *llm.Error) {
	if d.done {
		return
	}
	d.done = true
	d.event = llm.Event{Kind: llm.EventFault, Err: e}
	out.Emit(&d.event)
}

// faultIn returns the error that an upstream's error object, or the event that holds one, speaks of.
func faultIn(value []byte) *llm.Error {
	if inner := json.Get(value, "error"); json.Truthy(inner) {
		value = inner
	}
	e := &llm.Error{Kind: llm.Upstream, Message: string(plain(value))}
	m := json.Object(value)
	for m.Next() {
		switch string(m.Key) {
		case "message":
			e.Message = string(plain(m.Value()))
		case "type":
			e.Type = string(plain(m.Value()))
		case "code":
			e.Code = string(plain(m.Value()))
		case "param":
			e.Param = string(plain(m.Value()))
		}
	}
	if e.Message == "" {
		e.Message = "upstream reported an error"
	}
	return e
}
