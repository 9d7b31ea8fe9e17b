package responses

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// outputKind is what an output item is.
type outputKind uint8

const (
	messageItem outputKind = iota
	reasoningItem
	functionItem
	customItem
	toolSearchItem
	wholeItem // written at once
)

// outputItem is an item of the answer. Its place in StreamWriter.items is its output_index.
type outputItem struct {
	kind outputKind
	id   string
	// native is the id that the upstream gave a message, phase its phase.
	native, phase           string
	callID, name, namespace string
	full, redacted          bool   // of reasoning: told in full; with nothing to tell
	seal                    []byte // of reasoning: its encrypted_content, as a JSON string
	first, last             int    // the parts of a message lie between
	open                    int    // parts of a message that are open
	left                    bool   // no more parts come to the message
	done                    bool
	json                    []byte
}

// outputPart is what one neutral item has come to. Texts are kept escaped, as they stand between quotes.
type outputPart struct {
	kind        llm.ItemKind
	item        int // its output item, -1 as long as there is none
	content     int // the content_index
	native      string
	phase       string
	text        []byte
	where       []byte // the members of a delta between its number and its text
	annotations []byte
	cites       int
	held        []llm.Citation // citations of the whole part, whose length is not known yet
	logprobs    []byte
	begun       bool         // of reasoning: its part was added
	hash        llm.TextHash // of reasoning
	closed      bool         // of a message: nothing more comes
}

// add adds an item and returns its place.
func (w *StreamWriter) add(kind outputKind, prefix, native string) int {
	at := len(w.items)
	if at < cap(w.items) {
		w.items = w.items[:at+1]
	} else {
		w.items = append(w.items, outputItem{})
	}
	it := &w.items[at]
	*it = outputItem{kind: kind, json: kept(it.json), seal: kept(it.seal), first: len(w.parts), last: -1}
	if it.id = strings.Clone(native); w.x.Target != llm.Responses || !w.isFree(native) {
		it.id = prefix + mint(w.x.AnswerID, at)
	}
	return at
}

// isFree reports whether an id of the upstream's can be an item's: there is one, and no item has it.
func (w *StreamWriter) isFree(id string) bool {
	for i := range w.items[:len(w.items)-1] {
		if w.items[i].id == id {
			return false
		}
	}
	return id != ""
}

// open takes the beginning of a neutral item. Texts wait for their first word: an empty one is no part of an answer.
func (w *StreamWriter) open(e *llm.Event) {
	w.begin()
	w.settle(w.pending, "completed")
	at := len(w.parts)
	if at < cap(w.parts) {
		w.parts = w.parts[:at+1]
	} else {
		w.parts = append(w.parts, outputPart{})
	}
	p := &w.parts[at]
	*p = outputPart{
		kind: e.Item.Kind, item: -1, native: strings.Clone(e.Item.ID), phase: strings.Clone(e.Item.Phase),
		text: kept(p.text), where: p.where[:0], annotations: kept(p.annotations), logprobs: kept(p.logprobs),
	}
	switch e.Item.Kind {
	case llm.Thought:
		w.leaveMessage()
		w.openThought(p, e.Item)
	case llm.Call:
		w.leaveMessage()
		w.openCall(p, e.Item)
	}
}

// leaveMessage says that no more text comes to the message that is being written.
func (w *StreamWriter) leaveMessage() {
	if w.message < 0 {
		return
	}
	it := &w.items[w.message]
	it.left = true
	if it.open == 0 {
		w.settle(w.message, "completed")
	}
	w.message = -1
}

// added writes that an item begins, with its members as they are then.
func (w *StreamWriter) added(at int) {
	w.event("response.output_item.added")
	w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
	w.buf = append(w.buf, `,"item":`...)
	w.buf = w.appendItem(w.buf, at, "in_progress")
	w.end()
}

// appendItem appends an item with what it has so far; while it is in progress that is nothing.
func (w *StreamWriter) appendItem(dst []byte, at int, status string) []byte {
	it := &w.items[at]
	begins := status == "in_progress"
	dst = json.AppendString(append(dst, `{"id":`...), it.id)
	switch it.kind {
	case messageItem:
		dst = append(dst, `,"type":"message","status":"`...)
		dst = append(append(dst, status...), `","content":[`...)
		if !begins {
			dst = w.appendParts(dst, at)
		}
		dst = append(dst, `],"role":"assistant"`...)
		if it.phase != "" {
			dst = json.AppendString(append(dst, `,"phase":`...), it.phase)
		}
	case reasoningItem:
		dst = append(dst, `,"type":"reasoning","status":"`...)
		dst = append(append(dst, status...), `","summary":[`...)
		text := w.parts[it.first].text
		told := !begins && len(text) > 0
		if told && !it.full {
			dst = append(append(append(dst, `{"type":"summary_text","text":"`...), text...), `"}`...)
		}
		dst = append(dst, ']')
		if told && it.full {
			dst = append(append(append(dst, `,"content":[{"type":"reasoning_text","text":"`...), text...), `"}]`...)
		}
		if !begins && len(it.seal) > 0 {
			dst = append(append(dst, `,"encrypted_content":`...), it.seal...)
		}
	default:
		dst = w.appendCall(dst, it, status)
	}
	return append(dst, '}')
}

func (w *StreamWriter) appendCall(dst []byte, it *outputItem, status string) []byte {
	text := w.parts[it.first].text
	if status == "in_progress" {
		text = nil
	}
	names := [...]string{functionItem: "function_call", customItem: "custom_tool_call", toolSearchItem: "tool_search_call"}
	dst = append(append(append(dst, `,"type":"`...), names[it.kind]...), `","status":"`...)
	dst = json.AppendString(append(append(dst, status...), `","call_id":`...), it.callID)
	if it.kind == toolSearchItem {
		return appendArguments(append(dst, `,"execution":"client","arguments":`...), text)
	}
	dst = json.AppendString(append(dst, `,"name":`...), it.name)
	if it.namespace != "" {
		dst = json.AppendString(append(dst, `,"namespace":`...), it.namespace)
	}
	if it.kind == customItem {
		dst = append(dst, `,"input":"`...)
	} else {
		dst = append(dst, `,"arguments":"`...)
	}
	return append(append(dst, text...), '"')
}

// appendArguments appends escaped arguments as the object that they are.
func appendArguments(dst, escaped []byte) []byte {
	quoted := append(append([]byte{'"'}, escaped...), '"')
	if raw, ok := json.Unquote(quoted); ok && json.Check(raw) == nil {
		return appendLine(dst, raw)
	}
	return append(dst, "{}"...)
}

// appendParts appends the content of a message.
func (w *StreamWriter) appendParts(dst []byte, at int) []byte {
	it := &w.items[at]
	first := true
	for i := it.first; i <= it.last; i++ {
		p := &w.parts[i]
		if p.item != at {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = p.appendPart(dst)
	}
	return dst
}

// appendPart appends a part of a message.
func (p *outputPart) appendPart(dst []byte) []byte {
	if p.kind == llm.Refusal {
		return append(append(append(dst, `{"type":"refusal","refusal":"`...), p.text...), `"}`...)
	}
	dst = append(append(dst, `{"type":"output_text","annotations":[`...), p.annotations...)
	dst = append(append(dst, `],"logprobs":[`...), p.logprobs...)
	return append(append(append(dst, `],"text":"`...), p.text...), `"}`...)
}

// openThought begins a reasoning item.
func (w *StreamWriter) openThought(p *outputPart, item *llm.Item) {
	p.item = w.add(reasoningItem, "rs_", item.ID)
	it := &w.items[p.item]
	it.first--
	it.redacted = item.Redacted
	switch w.x.Target {
	case llm.Responses:
		it.full = !item.Summary
	case llm.Chat:
		it.full = !w.x.Options.ReasoningAsSummary
	}
	w.added(p.item)
}

// openCall begins a call of a client's tool.
func (w *StreamWriter) openCall(p *outputPart, item *llm.Item) {
	kind, prefix := functionItem, "fc_"
	switch {
	case item.Custom:
		kind, prefix = customItem, "ctc_"
	case w.searches && item.Name == toolSearch && item.Namespace == "":
		kind, prefix = toolSearchItem, "tsc_"
	}
	p.item = w.add(kind, prefix, item.ID)
	it := &w.items[p.item]
	it.first--
	it.callID, it.name, it.namespace = w.callID(item.CallID), strings.Clone(item.Name), strings.Clone(item.Namespace)
	w.added(p.item)
	p.locate(it.id, p.item, "")
}

// callID returns the id that a call goes by in this answer.
func (w *StreamWriter) callID(id string) string {
	if w.callIDs == nil {
		w.callIDs = make(map[string]int)
	}
	return distinct(w.callIDs, strings.Clone(id))
}

// locate prepares the members that every event about the part has.
func (p *outputPart) locate(id string, at int, indexName string) {
	p.where = json.AppendString(append(p.where[:0], `,"item_id":`...), id)
	p.where = strconv.AppendInt(append(p.where, `,"output_index":`...), int64(at), 10)
	if indexName != "" {
		p.where = append(append(append(p.where, `,"`...), indexName...), `":`...)
		p.where = strconv.AppendInt(p.where, int64(p.content), 10)
	}
}

// openPart begins a part of a message, and the message when there is none.
func (w *StreamWriter) openPart(index int) {
	p := &w.parts[index]
	if p.item >= 0 {
		return
	}
	if w.message >= 0 && w.x.Target == llm.Responses && w.items[w.message].native != p.native {
		w.leaveMessage()
	}
	if w.message < 0 {
		w.message = w.add(messageItem, "msg_", p.native)
		it := &w.items[w.message]
		it.native, it.phase, it.first = p.native, p.phase, index
		w.added(w.message)
	}
	it := &w.items[w.message]
	p.item, it.last = w.message, index
	for i := it.first; i < index; i++ {
		if w.parts[i].item == w.message {
			p.content++
		}
	}
	it.open++
	p.locate(it.id, p.item, "content_index")
	w.event("response.content_part.added")
	w.buf = append(append(w.buf, p.where...), `,"part":`...)
	if p.kind == llm.Refusal {
		w.buf = append(w.buf, `{"type":"refusal","refusal":""}`...)
	} else {
		w.buf = append(w.buf, `{"type":"output_text","annotations":[],"logprobs":[],"text":""}`...)
	}
	w.end()
}

// tell begins the one paragraph of a reasoning item.
func (w *StreamWriter) tell(p *outputPart) {
	if p.begun {
		return
	}
	p.begun = true
	it := &w.items[p.item]
	if it.full {
		p.locate(it.id, p.item, "content_index")
		w.event("response.content_part.added")
		w.buf = append(append(w.buf, p.where...), `,"part":{"type":"reasoning_text","text":""}`...)
	} else {
		p.locate(it.id, p.item, "summary_index")
		w.event("response.reasoning_summary_part.added")
		w.buf = append(append(w.buf, p.where...), `,"part":{"type":"summary_text","text":""}`...)
	}
	w.end()
}

// delta takes a piece of a neutral item.
func (w *StreamWriter) delta(e *llm.Event) {
	p := &w.parts[e.Index]
	if len(e.Text) == 0 {
		return
	}
	switch p.kind {
	case llm.Text:
		w.openPart(e.Index)
		w.event("response.output_text.delta")
		w.piece(p, e.Text)
		w.buf = append(w.buf, `,"logprobs":[`...)
		if len(e.Logprobs) > 0 {
			start := len(w.buf)
			w.buf = appendLogprobs(w.buf, e.Logprobs)
			if len(p.logprobs) > 0 && len(w.buf) > start {
				p.logprobs = append(p.logprobs, ',')
			}
			p.logprobs = append(p.logprobs, w.buf[start:]...)
		}
		w.buf = append(w.buf, "]}\n\n"...)
		return
	case llm.Refusal:
		w.openPart(e.Index)
		w.event("response.refusal.delta")
	case llm.Thought:
		p.hash.Add(e.Text)
		w.tell(p)
		if w.items[p.item].full {
			w.event("response.reasoning_text.delta")
		} else {
			w.event("response.reasoning_summary_text.delta")
		}
	case llm.Call:
		switch w.items[p.item].kind {
		case customItem:
			w.event("response.custom_tool_call_input.delta")
		case toolSearchItem:
			// There are no events for its arguments.
			start := len(w.buf)
			w.buf = json.AppendString(w.buf, e.Text)
			p.text = append(p.text, w.buf[start+1:len(w.buf)-1]...)
			w.buf = w.buf[:start]
			return
		default:
			w.event("response.function_call_arguments.delta")
		}
	default:
		return
	}
	w.piece(p, e.Text)
	w.end()
}

// piece writes where a delta belongs and its text, and keeps that.
func (w *StreamWriter) piece(p *outputPart, text []byte) {
	w.buf = append(append(w.buf, p.where...), `,"delta":`...)
	start := len(w.buf)
	w.buf = json.AppendString(w.buf, text)
	p.text = append(p.text, w.buf[start+1:len(w.buf)-1]...)
}

// cite takes a citation of a text. One that says nothing of its range is about the whole part and waits for its end.
func (w *StreamWriter) cite(e *llm.Event) {
	p, c := &w.parts[e.Index], e.Citation
	if p.kind != llm.Text {
		return
	}
	if c.RawProtocol == llm.Responses && c.Raw != nil {
		w.openPart(e.Index)
		w.annotate(p, appendLine(nil, c.Raw))
		return
	}
	if c.URL == "" {
		w.citeFile(e.Index, c)
		return
	}
	w.openPart(e.Index)
	if c.Start == 0 && c.End == 0 {
		p.held = append(p.held, llm.Citation{URL: strings.Clone(c.URL), Title: strings.Clone(c.Title)})
		return
	}
	w.annotate(p, appendURLCitation(nil, c.URL, c.Title, c.Start, c.End))
}

// citeFile writes a citation of a place in a document, as far as that has a name here: the file's id.
func (w *StreamWriter) citeFile(index int, c *llm.Citation) {
	file := textOf(json.Get(c.Raw, "file_id"))
	if c.RawProtocol != llm.Messages || len(file) == 0 {
		w.x.Warnings.Drop("content.citations")
		return
	}
	w.openPart(index)
	n, _ := json.Int(json.Get(c.Raw, "document_index"))
	annotation := json.AppendString([]byte(`{"type":"file_citation","file_id":`), file)
	annotation = json.AppendString(append(annotation, `,"filename":`...), textOf(json.Get(c.Raw, "document_title")))
	annotation = strconv.AppendInt(append(annotation, `,"index":`...), n, 10)
	w.annotate(&w.parts[index], append(annotation, '}'))
}

func appendURLCitation(dst []byte, url, title string, start, end int64) []byte {
	dst = strconv.AppendInt(append(dst, `{"type":"url_citation","start_index":`...), start, 10)
	dst = strconv.AppendInt(append(dst, `,"end_index":`...), end, 10)
	dst = json.AppendString(append(dst, `,"url":`...), url)
	if title == "" {
		title = url // some clients insist on a title
	}
	return append(json.AppendString(append(dst, `,"title":`...), title), '}')
}

// annotate writes an annotation and keeps it.
func (w *StreamWriter) annotate(p *outputPart, annotation []byte) {
	w.event("response.output_text.annotation.added")
	w.buf = append(append(w.buf, p.where...), `,"annotation_index":`...)
	w.buf = strconv.AppendInt(w.buf, int64(p.cites), 10)
	w.buf = append(append(w.buf, `,"annotation":`...), annotation...)
	w.end()
	if p.cites > 0 {
		p.annotations = append(p.annotations, ',')
	}
	p.annotations = append(p.annotations, annotation...)
	p.cites++
}

// close takes the end of a neutral item. Its output item is said to be done with the next step.
func (w *StreamWriter) close(e *llm.Event) {
	w.settle(w.pending, "completed")
	p := &w.parts[e.Index]
	switch p.kind {
	case llm.Text, llm.Refusal:
		w.closePart(p)
	case llm.Thought:
		w.closeThought(p)
		w.seal(&w.items[p.item], e.Item.Seal, p.hash)
		w.pending = p.item
	case llm.Call:
		w.closeCall(p)
		w.pending = p.item
	case llm.Hosted:
		switch e.Item.Name {
		case webSearch:
			w.search(e.Item)
		case llm.CodeExecution:
			if w.wantsCode() {
				w.code(e.Item)
			}
		}
	case llm.Opaque:
		if e.Item.RawProtocol == llm.Responses && e.Item.Raw != nil {
			w.other(e.Item)
		}
	}
}

func (w *StreamWriter) closePart(p *outputPart) {
	if p.item < 0 || p.closed {
		return
	}
	p.closed = true
	if len(p.held) > 0 {
		text, _ := json.Unquote(append(append([]byte{'"'}, p.text...), '"'))
		runes := int64(utf8.RuneCount(text))
		for i := range p.held {
			w.annotate(p, appendURLCitation(nil, p.held[i].URL, p.held[i].Title, 0, runes))
		}
		p.held = nil
	}
	if p.kind == llm.Refusal {
		w.event("response.refusal.done")
		w.buf = append(append(append(append(w.buf, p.where...), `,"refusal":"`...), p.text...), '"')
	} else {
		w.event("response.output_text.done")
		w.buf = append(append(append(w.buf, p.where...), `,"text":"`...), p.text...)
		w.buf = append(append(append(w.buf, `","logprobs":[`...), p.logprobs...), ']')
	}
	w.end()
	w.event("response.content_part.done")
	w.buf = append(append(w.buf, p.where...), `,"part":`...)
	w.buf = p.appendPart(w.buf)
	w.end()
	it := &w.items[p.item]
	if it.open--; it.open == 0 && it.left {
		w.settle(p.item, "completed")
	}
}

func (w *StreamWriter) closeThought(p *outputPart) {
	if !p.begun {
		return
	}
	text, part := "response.reasoning_summary_text.done", "response.reasoning_summary_part.done"
	kind := `,"part":{"type":"summary_text","text":"`
	if w.items[p.item].full {
		text, part = "response.reasoning_text.done", "response.content_part.done"
		kind = `,"part":{"type":"reasoning_text","text":"`
	}
	w.event(text)
	w.buf = append(append(append(append(w.buf, p.where...), `,"text":"`...), p.text...), '"')
	w.end()
	w.event(part)
	w.buf = append(append(append(append(w.buf, p.where...), kind...), p.text...), `"}`...)
	w.end()
	p.begun = false
}

// seal keeps the opaque part of a thought: as it is where this protocol's own upstream minted it, else in an envelope. hash is
// of the thought's text.
func (w *StreamWriter) seal(it *outputItem, opaque []byte, hash llm.TextHash) {
	if len(opaque) == 0 {
		return
	}
	if w.x.Target == llm.Responses || bytes.HasPrefix(opaque, []byte(envelopePrefix)) {
		it.seal = json.AppendString(it.seal[:0], opaque)
		return
	}
	if w.x.Sealer == nil {
		return
	}
	kind := llm.SealSignature
	switch {
	case w.x.Target == llm.Chat:
		kind = llm.SealContent
	case it.redacted:
		kind = llm.SealRedacted
	}
	sealed := llm.Sealed{Kind: kind, Model: w.x.Model, Opaque: opaque, Text: hash}
	it.seal = json.AppendString(it.seal[:0], w.x.Sealer.Seal(nil, sealed))
}

func (w *StreamWriter) closeCall(p *outputPart) {
	it := &w.items[p.item]
	switch it.kind {
	case toolSearchItem:
		return
	case customItem:
		w.event("response.custom_tool_call_input.done")
		w.buf = append(append(append(append(w.buf, p.where...), `,"input":"`...), p.text...), '"')
	default:
		if len(p.text) == 0 {
			w.event("response.function_call_arguments.delta")
			w.piece(p, []byte("{}"))
			w.end()
		}
		w.event("response.function_call_arguments.done")
		w.buf = append(append(append(append(w.buf, p.where...), `,"arguments":"`...), p.text...), '"')
		w.buf = json.AppendString(append(w.buf, `,"name":`...), it.name)
	}
	w.end()
}

// settle says that an item is done. It does nothing for a place without an item, or one that is done already.
func (w *StreamWriter) settle(at int, status string) {
	if at < 0 || w.items[at].done {
		return
	}
	if at == w.pending {
		w.pending = -1
	}
	if at == w.message {
		w.message = -1
	}
	it := &w.items[at]
	w.closeParts(at)
	it.json = w.appendItem(it.json[:0], at, status)
	it.done = true
	w.doneEvent(at)
}

func (w *StreamWriter) doneEvent(at int) {
	w.event("response.output_item.done")
	w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
	w.buf = append(append(w.buf, `,"item":`...), w.items[at].json...)
	w.end()
}

// closeParts closes what is open of an item that ends.
func (w *StreamWriter) closeParts(at int) {
	it := &w.items[at]
	switch it.kind {
	case messageItem:
		it.left = false
		for i := it.first; i <= it.last && it.open > 0; i++ {
			if p := &w.parts[i]; p.item == at {
				w.closePart(p)
			}
		}
	case reasoningItem:
		w.closeThought(&w.parts[it.first])
	}
}

// search writes a web search that the provider ran.
func (w *StreamWriter) search(item *llm.Item) {
	w.leaveMessage()
	at := w.add(wholeItem, "ws_", item.ID)
	it := &w.items[at]
	head := append(json.AppendString([]byte(`{"id":`), it.id), `,"type":"web_search_call","status":"`...)
	text, _ := json.Unquote(json.Get(item.Arguments, "query"))
	query := json.AppendString(nil, text)
	w.event("response.output_item.added")
	w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
	w.buf = append(append(append(w.buf, `,"item":`...), head...), `in_progress","action":{"type":"search","query":`...)
	w.buf = append(append(w.buf, query...), "}}"...)
	w.end()
	for _, kind := range [...]string{
		"response.web_search_call.in_progress", "response.web_search_call.searching", "response.web_search_call.completed",
	} {
		w.event(kind)
		w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
		w.buf = json.AppendString(append(w.buf, `,"item_id":`...), it.id)
		w.end()
	}
	if w.x.Target == llm.Responses && stringOf(json.Get(item.Raw, "id")) == it.id {
		it.json = appendLine(it.json[:0], item.Raw)
	} else {
		it.json = append(append(it.json[:0], head...), `completed","action":{"type":"search","query":`...)
		it.json = append(append(it.json, query...), "}}"...)
	}
	it.done = true
	w.doneEvent(at)
}

// wantsCode reports whether the client has asked for the provider to run code. What else ran is the provider's affair.
func (w *StreamWriter) wantsCode() bool {
	for i := range w.x.Request.Tools {
		if w.x.Request.Tools[i].RunsCode() {
			return true
		}
	}
	return false
}

// code writes code that the provider ran, in a container of its own. A program that failed says so in what it has printed.
func (w *StreamWriter) code(item *llm.Item) {
	w.leaveMessage()
	at := w.add(wholeItem, "ci_", item.ID)
	it := &w.items[at]
	head := append(json.AppendString([]byte(`{"id":`), it.id), `,"type":"`+codeCall+`","status":"`...)
	code := json.AppendString(nil, textOf(json.Get(item.Arguments, "code")))
	w.event("response.output_item.added")
	w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
	w.buf = append(append(append(w.buf, `,"item":`...), head...), `in_progress","code":"","container_id":"","outputs":null}`...)
	w.end()
	for _, step := range [...]struct{ kind, member string }{
		{"response.code_interpreter_call.in_progress", ""},
		{"response.code_interpreter_call_code.delta", `,"delta":`},
		{"response.code_interpreter_call_code.done", `,"code":`},
		{"response.code_interpreter_call.interpreting", ""},
		{"response.code_interpreter_call.completed", ""},
	} {
		w.event(step.kind)
		w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
		w.buf = json.AppendString(append(w.buf, `,"item_id":`...), it.id)
		if step.member != "" {
			w.buf = append(append(w.buf, step.member...), code...)
		}
		w.end()
	}
	it.json = append(append(it.json[:0], head...), `completed","code":`...)
	it.json = append(append(it.json, code...), `,"container_id":"","outputs":[{"type":"logs","logs":`...)
	it.json = append(json.AppendString(it.json, item.Text), "}]}"...)
	it.done = true
	w.doneEvent(at)
}

// other writes an item of this protocol that the neutral form only carries along. Without an id of its own it is left out: its
// place could not be told.
func (w *StreamWriter) other(item *llm.Item) {
	id := stringOf(json.Get(item.Raw, "id"))
	w.leaveMessage()
	at := w.add(wholeItem, "", id)
	it := &w.items[at]
	if it.id != id {
		w.items = w.items[:at]
		return
	}
	it.json = appendLine(it.json[:0], item.Raw)
	w.event("response.output_item.added")
	w.buf = strconv.AppendInt(append(w.buf, `,"output_index":`...), int64(at), 10)
	w.buf = append(append(w.buf, `,"item":`...), it.json...)
	w.end()
	it.done = true
	w.doneEvent(at)
}
