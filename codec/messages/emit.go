package messages

import (
	"bytes"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// StreamWriter makes the stream that an Anthropic client gets of the steps of an answer (protocols.md C.4). Blocks come one
// after the other without gaps in their indexes, as the strictest clients want them: of items that are open at once, the
// earliest is written and the others wait. Call Reset first. In the steady state a delta is written without allocating.
type StreamWriter struct {
	x       *llm.Exchange
	out     []byte
	items   []streamItem
	head    int // the item that is written; those before it are done
	blocks  int // how many blocks have begun
	refused bool
	tier    string // the last service tier that was told
	blank   []byte // text of white space alone, which counts only when there is nothing else
	ended   bool
	scratch []byte
}

// streamItem is an item of the answer that has begun.
type streamItem struct {
	kind             llm.ItemKind
	begun, closed    bool
	redacted, custom bool
	said             bool // a piece of the input was written
	id, name         string
	// pending is what has not been written yet: of an item that waits, white space at the beginning of a text, and what may
	// turn out to be an empty input.
	pending   []byte
	citations []byte       // rendered, while the item waits
	hosted    []byte       // the rendered blocks of a hosted call
	seal      []byte       // the signature or the data
	hash      llm.TextHash // of a thought's text
}

// Reset makes w ready for another answer.
func (w *StreamWriter) Reset(x *llm.Exchange) {
	*w = StreamWriter{
		x: x, out: w.out[:0], items: w.items[:0], blank: w.blank[:0], scratch: w.scratch[:0],
	}
}

// Take appends what has been written since the last call to dst, whole events only.
func (w *StreamWriter) Take(dst []byte) []byte {
	dst = append(dst, w.out...)
	w.out = w.out[:0]
	return dst
}

// AppendError appends what is to be taken, and the event that ends the stream with e. Nothing may follow it.
func (w *StreamWriter) AppendError(dst []byte, e *llm.Error) []byte {
	dst = w.Take(dst)
	w.ended = true
	dst = append(dst, "event: error\ndata: "...)
	dst = AppendErrorBody(dst, e, "")
	return append(dst, "\n\n"...)
}

// Emit writes the next step.
func (w *StreamWriter) Emit(e *llm.Event) {
	if w.ended {
		return
	}
	if e.ServiceTier != "" && e.ServiceTier != w.tier {
		w.tier = strings.Clone(e.ServiceTier)
	}
	switch e.Kind {
	case llm.EventStart:
		w.start(e)
	case llm.EventStop:
		w.stop(e)
	case llm.EventFault:
		w.out = w.AppendError(nil, e.Err)
	case llm.EventOpen:
		w.open(e)
	case llm.EventDelta:
		w.delta(e)
	case llm.EventCite:
		w.cite(e)
	case llm.EventClose:
		w.close(e)
	}
}

func (w *StreamWriter) start(e *llm.Event) {
	w.out = append(w.out, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	w.out = appendMessageHead(w.out, w.x, e.Model)
	w.out = append(w.out, `,"content":[],"stop_reason":null,"stop_sequence":null,"usage":`...)
	var known llm.Usage
	if e.Usage != nil {
		known = *e.Usage
		known.Output, known.Reasoning = 0, 0
	}
	w.out = appendUsage(w.out, &known, e.ServiceTier)
	w.out = append(w.out, "}}\n\n"...)
	w.out = append(w.out, "event: ping\ndata: {\"type\": \"ping\"}\n\n"...)
}

// appendMessageHead appends the beginning of a message object.
func appendMessageHead(dst []byte, x *llm.Exchange, model string) []byte {
	switch {
	case x.AnswerModel != "":
		model = x.AnswerModel
	case model == "":
		model = x.Model
	}
	dst = append(append(dst, `{"id":"msg_`...), x.AnswerID...)
	dst = append(dst, `","type":"message","role":"assistant","model":`...)
	return json.AppendString(dst, model)
}

// discards reports whether the client wants no content: it asked to fill the cache only, which the upstream can't do without
// an answer.
func discards(x *llm.Exchange) bool {
	return x.Request != nil && x.Request.Cache.Prewarm && x.Request.Protocol == llm.Messages
}

func (w *StreamWriter) open(e *llm.Event) {
	n := len(w.items)
	if n < cap(w.items) {
		w.items = w.items[:n+1]
	} else {
		w.items = append(w.items, streamItem{})
	}
	it := &w.items[n]
	*it = streamItem{
		kind: e.Item.Kind, redacted: e.Item.Redacted, custom: e.Item.Custom, name: strings.Clone(e.Item.Name),
		pending: it.pending[:0], citations: it.citations[:0], hosted: it.hosted[:0], seal: it.seal[:0],
	}
	if it.kind == llm.Call {
		it.id = string(llm.AppendCallID(w.scratch[:0], e.Item.CallID))
	}
	if n == w.head {
		w.begin(it)
	}
}

// isText reports whether the item becomes a text.
func (it *streamItem) isText() bool { return it.kind == llm.Text || it.kind == llm.Refusal }

// item returns the item of an index, or nil for what can't be: a decoder opens before it adds.
func (w *StreamWriter) item(index int) *streamItem {
	if index < w.head || index >= len(w.items) {
		return nil
	}
	return &w.items[index]
}

// begin writes that the block of the item that is now the head begins. A text begins with its first character that is no white
// space: clients store what they get, and Anthropic refuses empty texts from then on.
func (w *StreamWriter) begin(it *streamItem) {
	if it.begun || it.isText() || it.redacted || discards(w.x) {
		return
	}
	switch it.kind {
	case llm.Thought:
		w.beginBlock(it)
		w.out = append(w.out, `{"type":"thinking","thinking":"","signature":""}`...)
		w.endEvent()
	case llm.Call:
		w.beginBlock(it)
		w.out = append(w.out, `{"type":"tool_use","id":`...)
		w.out = json.AppendString(w.out, it.id)
		w.out = append(w.out, `,"name":`...)
		w.out = json.AppendString(w.out, it.name)
		w.out = append(w.out, `,"input":{}}`...)
		w.endEvent()
		if it.custom {
			w.writeDelta("input_json_delta", "partial_json", `{"input":"`)
		}
	}
}

// beginBlock writes the event content_block_start up to the block itself.
func (w *StreamWriter) beginBlock(it *streamItem) {
	it.begun = true
	w.blocks++
	w.out = append(w.out, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
	w.out = strconv.AppendInt(w.out, int64(w.blocks-1), 10)
	w.out = append(w.out, `,"content_block":`...)
}

func (w *StreamWriter) endEvent() { w.out = append(w.out, "}\n\n"...) }

// beginDelta writes the event content_block_delta up to the delta itself.
func (w *StreamWriter) beginDelta() {
	w.out = append(w.out, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	w.out = strconv.AppendInt(w.out, int64(w.blocks-1), 10)
	w.out = append(w.out, `,"delta":`...)
}

func (w *StreamWriter) writeDelta(kind, member, text string) {
	w.beginDelta()
	w.out = append(append(append(w.out, `{"type":"`...), kind...), `","`...)
	w.out = append(append(w.out, member...), `":`...)
	w.out = append(json.AppendString(w.out, text), '}')
	w.endEvent()
}

func (w *StreamWriter) delta(e *llm.Event) {
	it := w.item(e.Index)
	if it == nil || len(e.Text) == 0 || discards(w.x) {
		return
	}
	w.refused = w.refused || it.kind == llm.Refusal
	if it.kind == llm.Thought {
		it.hash.Add(e.Text)
	}
	if e.Index != w.head {
		it.pending = append(it.pending, e.Text...)
		return
	}
	w.write(it, e.Text)
}

// write writes a piece of the head.
func (w *StreamWriter) write(it *streamItem, text []byte) {
	switch {
	case it.isText():
		w.writeText(it, text)
	case it.kind == llm.Thought && !it.redacted:
		w.writeDelta("thinking_delta", "thinking", json.Borrow(text))
	case it.kind == llm.Call:
		w.writeInput(it, text)
	}
}

func (w *StreamWriter) writeText(it *streamItem, text []byte) {
	if !it.begun {
		if len(bytes.TrimSpace(text)) == 0 {
			it.pending = append(it.pending, text...)
			return
		}
		w.beginBlock(it)
		w.out = append(w.out, `{"type":"text","text":""}`...)
		w.endEvent()
		if len(it.pending) > 0 {
			w.writeDelta("text_delta", "text", json.Borrow(it.pending))
			it.pending = it.pending[:0]
		}
	}
	w.writeDelta("text_delta", "text", json.Borrow(text))
}

// writeInput writes a piece of a call's input. An empty object is not written: the block's beginning says it already.
func (w *StreamWriter) writeInput(it *streamItem, text []byte) {
	if it.custom {
		// The text becomes a part of a JSON string, which is a part of a JSON string itself.
		w.scratch = json.AppendString(w.scratch[:0], text)
		text = w.scratch[1 : len(w.scratch)-1]
	} else if !it.said {
		it.pending = append(it.pending, text...)
		if text = it.pending; isBlankInput(text) {
			return
		}
		it.said, it.pending = true, it.pending[:0]
	}
	w.writeDelta("input_json_delta", "partial_json", json.Borrow(text))
}

// isBlankInput reports whether an input says nothing so far.
func isBlankInput(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) == 0 || string(text) == "{}"
}

func (w *StreamWriter) cite(e *llm.Event) {
	it := w.item(e.Index)
	if it == nil || !it.isText() || discards(w.x) {
		return
	}
	rendered := appendCitation(w.scratch[:0], e.Citation, nil)
	if len(rendered) == 0 {
		w.x.Warnings.Drop(annotationsField)
		return
	}
	w.scratch = rendered
	if e.Index == w.head && it.begun {
		w.writeCitations(rendered)
		return
	}
	if len(it.citations) > 0 {
		it.citations = append(it.citations, '\n')
	}
	it.citations = append(it.citations, rendered...)
}

// writeCitations writes one event for each line.
func (w *StreamWriter) writeCitations(lines []byte) {
	for len(lines) > 0 {
		var line []byte
		line, lines, _ = bytes.Cut(lines, []byte{'\n'})
		w.beginDelta()
		w.out = append(w.out, `{"type":"citations_delta","citation":`...)
		w.out = append(append(w.out, line...), '}')
		w.endEvent()
	}
}

func (w *StreamWriter) close(e *llm.Event) {
	it := w.item(e.Index)
	if it == nil || it.closed {
		return
	}
	it.closed = true
	switch it.kind {
	case llm.Thought:
		it.redacted = it.redacted || e.Item.Redacted && !it.begun
		it.seal = appendSeal(it.seal[:0], w.x, e.Item, it.redacted, it.hash)
	case llm.Hosted:
		it.hosted = appendHosted(it.hosted[:0], w.x, e.Item, e.Index)
	}
	for w.head < len(w.items) && w.items[w.head].closed {
		w.end(&w.items[w.head])
		w.head++
		if w.head < len(w.items) {
			w.continueWith(&w.items[w.head])
		}
	}
}

// continueWith makes an item that has waited the one that is written.
func (w *StreamWriter) continueWith(it *streamItem) {
	w.begin(it)
	if len(it.pending) > 0 {
		text := it.pending
		it.pending = nil
		w.write(it, text)
	}
	if it.begun && len(it.citations) > 0 {
		w.writeCitations(it.citations)
		it.citations = it.citations[:0]
	}
}

// end writes the end of the head's block.
func (w *StreamWriter) end(it *streamItem) {
	if discards(w.x) {
		return
	}
	switch {
	case it.kind == llm.Hosted:
		w.writeHosted(it.hosted)
		return
	case it.kind == llm.Thought && it.redacted:
		if len(it.seal) == 0 {
			return
		}
		w.beginBlock(it)
		w.out = append(w.out, `{"type":"redacted_thinking","data":`...)
		w.out = append(json.AppendString(w.out, it.seal), '}')
		w.endEvent()
	case it.isText() && !it.begun:
		w.blank = append(w.blank, it.pending...)
		return
	case !it.begun:
		return
	case it.kind == llm.Thought:
		w.writeDelta("signature_delta", "signature", json.Borrow(it.seal))
	case it.isText() && len(it.citations) > 0:
		w.writeCitations(it.citations)
	case it.kind == llm.Call && it.custom:
		w.writeDelta("input_json_delta", "partial_json", `"}`)
	}
	w.endBlock()
}

func (w *StreamWriter) endBlock() {
	w.out = append(w.out, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	w.out = strconv.AppendInt(w.out, int64(w.blocks-1), 10)
	w.endEvent()
}

// writeHosted writes blocks that come whole, one line each.
func (w *StreamWriter) writeHosted(lines []byte) {
	for len(lines) > 0 {
		var line []byte
		line, lines, _ = bytes.Cut(lines, []byte{'\n'})
		w.beginBlock(&streamItem{})
		w.out = append(w.out, line...)
		w.endEvent()
		w.endBlock()
	}
}

func (w *StreamWriter) stop(e *llm.Event) {
	if w.blocks == 0 && len(w.blank) > 0 && !discards(w.x) {
		it := streamItem{}
		w.beginBlock(&it)
		w.out = append(w.out, `{"type":"text","text":""}`...)
		w.endEvent()
		w.writeDelta("text_delta", "text", json.Borrow(w.blank))
		w.endBlock()
	}
	w.ended = true
	w.out = append(w.out, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	w.out = appendStop(w.out, w.x, &e.Stop, w.refused)
	w.out = append(w.out, `},"usage":`...)
	w.out = appendUsage(w.out, e.Usage, w.tier)
	w.endEvent()
	w.out = append(w.out, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}
