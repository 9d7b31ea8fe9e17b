package responses

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxHeld is how many bytes of arguments are held for a call whose name has not come.
const maxHeld = 8 << 20

// partKind is what a part of an output item is.
type partKind uint8

const (
	partText partKind = iota
	partRefusal
	partSummary
	partReasoning
	partCall
)

// upstreamItem is one output item of the upstream's answer.
type upstreamItem struct {
	index                                    int // in the output, -1 when unknown
	kind, id, callID, name, namespace, phase string
	// at is the neutral index of a reasoning item or a call, -1 while it is not open.
	at     int
	closed bool
	// summary is whether a reasoning item is told by its summary.
	summary bool
	parts   []upstreamPart
	// held are the arguments of a call whose name is not known yet.
	held []byte
}

// upstreamPart is a part of a message, a paragraph of reasoning, or all of a call's arguments.
type upstreamPart struct {
	kind   partKind
	n      int // its place
	at     int // the neutral index of a message's part, -1 while it is not open
	closed bool
	said   seen
	cites  int
	// carry is the beginning of a character whose rest is still to come.
	carry   [3]byte
	carried int
}

// newItem adds an item. It returns nil, and ends the answer, when there are too many.
func (d *Decoder) newItem(index int, out llm.Emitter) *upstreamItem {
	n := len(d.items)
	if n == maxItems {
		d.fail(&llm.Error{Kind: llm.Upstream, Message: "the upstream's answer has too many items"}, out)
		return nil
	}
	if n < cap(d.items) {
		d.items = d.items[:n+1]
	} else {
		d.items = append(d.items, nil)
	}
	it := d.items[n]
	if it == nil {
		it = new(upstreamItem)
		d.items[n] = it
	}
	*it = upstreamItem{index: index, at: -1, parts: it.parts[:0], held: kept(it.held)}
	return it
}

// describe takes over what an item object says of itself. The first word counts.
func (it *upstreamItem) describe(object []byte) {
	m := json.Object(object)
	for m.Next() {
		var into *string
		switch string(m.Key) {
		case "type":
			into = &it.kind
		case "id":
			into = &it.id
		case "call_id":
			into = &it.callID
		case "name":
			into = &it.name
		case "namespace":
			into = &it.namespace
		case "phase":
			into = &it.phase
		default:
			continue
		}
		if *into == "" {
			*into = string(textOf(m.Value()))
		}
	}
}

// textOf returns the text of a JSON string, or nil.
func textOf(value []byte) []byte {
	text, _ := json.Unquote(value)
	return text
}

// holds reports whether an item of this kind has parts of that kind.
func (it *upstreamItem) holds(kind partKind) bool {
	switch it.kind {
	case "message":
		return kind == partText || kind == partRefusal
	case "reasoning":
		return kind == partSummary || kind == partReasoning
	case "function_call", "custom_tool_call":
		return kind == partCall
	}
	return false
}

// locate returns the item that an event with a part of that kind is about, or nil: by its place in the output, by its id, by
// its call id, and at last the latest of its kind. Each of the three is all that some upstreams give.
func (d *Decoder) locate(f *eventFields, kind partKind) *upstreamItem {
	var byIndex, byKind *upstreamItem
	for i := len(d.items) - 1; i >= 0; i-- {
		it := d.items[i]
		if !it.holds(kind) {
			continue
		}
		sameID := len(f.itemID) > 0 && it.id == string(f.itemID)
		switch {
		case f.index >= 0 && it.index == f.index && (sameID || len(f.itemID) == 0 || it.id == ""):
			return it
		case sameID, len(f.callID) > 0 && it.callID == string(f.callID):
			return it
		case f.index >= 0 && it.index == f.index && byIndex == nil:
			byIndex = it
		case byKind == nil && !it.closed:
			byKind = it
		}
	}
	if byIndex != nil || f.index >= 0 || len(f.itemID) > 0 || len(f.callID) > 0 {
		return byIndex
	}
	return byKind
}

// find returns the item that a whole item object is about, or nil.
func (d *Decoder) find(f *eventFields) *upstreamItem {
	id, callID := textOf(json.Get(f.item, "id")), textOf(json.Get(f.item, "call_id"))
	kind := textOf(json.Get(f.item, "type"))
	var byIndex *upstreamItem
	for i := len(d.items) - 1; i >= 0; i-- {
		it := d.items[i]
		if it.kind != string(kind) {
			continue
		}
		if len(id) > 0 && it.id == string(id) || len(callID) > 0 && it.callID == string(callID) {
			return it
		}
		if f.index >= 0 && it.index == f.index && byIndex == nil {
			byIndex = it
		}
	}
	return byIndex
}

// added registers an item. A call is opened when its name is here; the others wait for something to say.
func (d *Decoder) added(f *eventFields, out llm.Emitter) {
	d.start(nil, out)
	it := d.find(f)
	if it != nil && (it.closed || it.id != string(textOf(json.Get(f.item, "id")))) {
		it = nil
	}
	if it == nil {
		if it = d.newItem(f.index, out); it == nil {
			return
		}
	}
	it.describe(f.item)
	if it.holds(partCall) {
		d.openCall(it, out)
	}
}

// itemDone takes in the final form of an item.
func (d *Decoder) itemDone(f *eventFields, out llm.Emitter) {
	d.start(nil, out)
	it := d.find(f)
	if it == nil {
		if it = d.newItem(f.index, out); it == nil {
			return
		}
	}
	d.finish(it, f.item, out)
}

// target returns the item that a part belongs to, a new one when nothing was said of it before.
func (d *Decoder) target(f *eventFields, kind partKind, out llm.Emitter) *upstreamItem {
	d.start(nil, out)
	it := d.locate(f, kind)
	if it != nil {
		return it
	}
	if it = d.newItem(f.index, out); it == nil {
		return nil
	}
	it.id, it.callID = string(f.itemID), string(f.callID)
	switch kind {
	case partText, partRefusal:
		it.kind = "message"
	case partSummary, partReasoning:
		it.kind = "reasoning"
	default:
		it.kind = "function_call"
		if bytes.Contains(f.kind, []byte("custom")) {
			it.kind = "custom_tool_call"
		}
	}
	return it
}

// part returns the part of that kind at place n: of a message's content, or among the paragraphs of reasoning.
func (it *upstreamItem) part(n int, kind partKind) *upstreamPart {
	if kind == partCall {
		n = 0
	}
	for i := range it.parts {
		if p := &it.parts[i]; p.kind == kind && p.n == n {
			return p
		}
	}
	it.parts = append(it.parts, upstreamPart{kind: kind, n: n, at: -1})
	return &it.parts[len(it.parts)-1]
}

// delta takes in a piece of a part.
func (d *Decoder) delta(f *eventFields, kind partKind, out llm.Emitter) {
	text := d.decode(f.delta)
	it := d.target(f, kind, out)
	if it == nil || it.closed || len(text) == 0 {
		return
	}
	d.write(it, it.part(f.content, kind), text, f.logprobs, out)
}

// decode returns the text of a JSON string, in a buffer of the decoder where it has escapes. Arguments that come as an object
// are taken as they are.
func (d *Decoder) decode(value []byte) []byte {
	if len(value) < 2 {
		return nil
	}
	if value[0] == '{' {
		return value
	}
	if value[0] != '"' {
		return nil
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	text, ok := json.AppendUnquoted(d.text[:0], value)
	d.text = text
	if !ok {
		return nil
	}
	return text
}

// write emits a piece of a part, which it opens when need be.
func (d *Decoder) write(it *upstreamItem, p *upstreamPart, text, logprobs []byte, out llm.Emitter) {
	if p.closed {
		return
	}
	if p.carried > 0 {
		d.joined = append(append(d.joined[:0], p.carry[:p.carried]...), text...)
		text = d.joined
		p.carried = 0
	}
	if text[len(text)-1] >= 0x80 {
		var rest []byte
		text, rest = trimPartial(text)
		p.carried = copy(p.carry[:], rest)
		if len(text) == 0 {
			return
		}
	}
	at := -1
	switch p.kind {
	case partText, partRefusal:
		d.openPart(it, p, out)
		at = p.at
	case partSummary, partReasoning:
		if !d.openThought(it, p, out) {
			return
		}
		at = it.at
	case partCall:
		if it.at < 0 {
			if len(it.held)+len(text) > maxHeld {
				d.fail(&llm.Error{Kind: llm.Upstream, Message: "the upstream called a tool without saying which"}, out)
				return
			}
			it.held = append(it.held, text...)
			p.said.add(text)
			return
		}
		at = it.at
	}
	p.said.add(text)
	d.event = llm.Event{Kind: llm.EventDelta, Index: at, Text: text}
	if len(logprobs) > 2 && logprobs[0] == '[' && !json.IsEmpty(logprobs) {
		d.event.Logprobs = logprobs
	}
	out.Emit(&d.event)
}

// open emits the beginning of an item and returns its index.
func (d *Decoder) open(item llm.Item, out llm.Emitter) int {
	at := d.opened
	d.opened++
	d.item = item
	d.event = llm.Event{Kind: llm.EventOpen, Index: at, Item: &d.item}
	out.Emit(&d.event)
	return at
}

// shut emits the end of an item.
func (d *Decoder) shut(at int, item llm.Item, out llm.Emitter) {
	d.item = item
	d.event = llm.Event{Kind: llm.EventClose, Index: at, Item: &d.item}
	out.Emit(&d.event)
}

// openPart opens a part of a message. The parts before it are complete.
func (d *Decoder) openPart(it *upstreamItem, p *upstreamPart, out llm.Emitter) {
	if p.at >= 0 {
		return
	}
	for i := range it.parts {
		if other := &it.parts[i]; other != p && other.at >= 0 && !other.closed {
			d.closePart(it, other, out)
		}
	}
	p.at = d.open(it.partItem(p), out)
}

// partItem is the neutral item that a part of a message is.
func (it *upstreamItem) partItem(p *upstreamPart) llm.Item {
	kind := llm.Text
	if p.kind == partRefusal {
		kind = llm.Refusal
	}
	return llm.Item{Kind: kind, ID: it.id, Phase: it.phase}
}

func (d *Decoder) closePart(it *upstreamItem, p *upstreamPart, out llm.Emitter) {
	p.closed = true
	if p.at >= 0 {
		d.shut(p.at, it.partItem(p), out)
	}
}

// openThought opens a reasoning item, and parts its paragraphs. It returns false for what tells the same thoughts once more:
// the full text beside the summary, or the other way round.
func (d *Decoder) openThought(it *upstreamItem, p *upstreamPart, out llm.Emitter) bool {
	summary := p.kind == partSummary
	if it.at < 0 {
		it.summary = summary
		it.at = d.open(llm.Item{Kind: llm.Thought, ID: it.id, Summary: summary}, out)
		return true
	}
	if it.summary != summary {
		return false
	}
	if p.said.bytes == 0 && it.spoke(p) {
		d.event = llm.Event{Kind: llm.EventDelta, Index: it.at, Text: paragraph}
		out.Emit(&d.event)
	}
	return true
}

// paragraph parts two paragraphs.
var paragraph = []byte("\n\n")

// spoke reports whether another part of p's kind has said something.
func (it *upstreamItem) spoke(p *upstreamPart) bool {
	for i := range it.parts {
		if other := &it.parts[i]; other != p && other.kind == p.kind && other.said.bytes > 0 {
			return true
		}
	}
	return false
}

// openCall opens a call whose name is known, with the arguments that came before.
func (d *Decoder) openCall(it *upstreamItem, out llm.Emitter) {
	if it.at >= 0 || it.name == "" {
		return
	}
	if it.callID == "" {
		it.callID = it.id
	}
	if it.callID == "" || d.isTaken(it) {
		it.callID = string(llm.AppendCallIDAt(nil, 0, d.opened))
	}
	d.calls = true
	it.at = d.open(d.callItem(it), out)
	if len(it.held) > 0 {
		d.event = llm.Event{Kind: llm.EventDelta, Index: it.at, Text: it.held}
		out.Emit(&d.event)
	}
}

// isTaken reports whether another call has the id of this one: results could not be told apart.
func (d *Decoder) isTaken(it *upstreamItem) bool {
	for _, other := range d.items {
		if other != it && other.at >= 0 && other.callID == it.callID && other.holds(partCall) {
			return true
		}
	}
	return false
}

// callItem is the neutral item that a call is: the client's name of the tool, not ours.
func (d *Decoder) callItem(it *upstreamItem) llm.Item {
	item := llm.Item{
		Kind: llm.Call, ID: it.id, CallID: it.callID, Name: it.name, Namespace: it.namespace,
		Custom: it.kind == "custom_tool_call",
	}
	if it.namespace == "" {
		tool := d.x.Names.Tool(it.name)
		item.Name, item.Namespace = tool.Name, tool.Namespace
	}
	return item
}

// final takes in the final text of a part: what of it has not been emitted is.
func (d *Decoder) final(f *eventFields, kind partKind, value []byte, out llm.Emitter) {
	it := d.target(f, kind, out)
	if it == nil || it.closed {
		return
	}
	if kind == partCall {
		if name := textOf(f.name); it.name == "" && len(name) > 0 {
			it.name = string(name)
		}
		d.openCall(it, out)
	}
	d.settle(it, it.part(f.content, kind), value, nil, out)
}

// settle emits what the final text of a part has and the pieces did not. A final text that differs from them is ignored: it
// can't be taken back.
func (d *Decoder) settle(it *upstreamItem, p *upstreamPart, value, logprobs []byte, out llm.Emitter) {
	p.carried = 0
	if text := p.said.rest(d.decode(value)); len(text) > 0 {
		d.write(it, p, text, logprobs, out)
	}
}

// partDone takes in the final form of a part.
func (d *Decoder) partDone(f *eventFields, out llm.Emitter) {
	switch stringOf(json.Get(f.part, "type")) {
	case "output_text":
		if it := d.target(f, partText, out); it != nil && !it.closed {
			d.finishPart(it, it.part(f.content, partText), f.part, out)
		}
	case "refusal":
		if it := d.target(f, partRefusal, out); it != nil && !it.closed {
			d.finishPart(it, it.part(f.content, partRefusal), f.part, out)
		}
	case "reasoning_text":
		d.final(f, partReasoning, json.Get(f.part, "text"), out)
	}
}

// finishPart settles and closes a part of a message.
func (d *Decoder) finishPart(it *upstreamItem, p *upstreamPart, object []byte, out llm.Emitter) {
	if p.closed {
		return
	}
	text, logprobs := json.Get(object, "text"), nonNull(json.Get(object, "logprobs"))
	if p.kind == partRefusal {
		text = json.Get(object, "refusal")
	}
	if p.said.bytes > 0 {
		logprobs = nil // they came with the pieces
	}
	d.settle(it, p, text, logprobs, out)
	e := json.Array(json.Get(object, "annotations"))
	for i := 0; e.Next(); i++ {
		if i >= p.cites {
			d.citation(it, p, e.Value(), out)
		}
	}
	d.closePart(it, p, out)
}

func (d *Decoder) annotation(f *eventFields, out llm.Emitter) {
	if it := d.target(f, partText, out); it != nil && !it.closed {
		if p := it.part(f.content, partText); !p.closed {
			d.citation(it, p, f.annotation, out)
		}
	}
}

// citation emits a citation. A text without a word can't be cited.
func (d *Decoder) citation(it *upstreamItem, p *upstreamPart, object []byte, out llm.Emitter) {
	c, ok := readCitation(object)
	if !ok {
		return
	}
	d.openPart(it, p, out)
	p.cites++
	d.cite = c
	d.event = llm.Event{Kind: llm.EventCite, Index: p.at, Citation: &d.cite}
	out.Emit(&d.event)
}

// finish settles and closes an item whose final form is here.
func (d *Decoder) finish(it *upstreamItem, object []byte, out llm.Emitter) {
	if it.closed {
		return
	}
	it.describe(object)
	switch it.kind {
	case "message":
		e := json.Array(json.Get(object, "content"))
		for i := 0; i < maxItems && e.Next(); i++ {
			switch stringOf(json.Get(e.Value(), "type")) {
			case "output_text", "text":
				d.finishPart(it, it.part(i, partText), e.Value(), out)
			case "refusal":
				d.finishPart(it, it.part(i, partRefusal), e.Value(), out)
			}
		}
	case "function_call":
		d.openCall(it, out)
		d.settle(it, it.part(0, partCall), json.Get(object, "arguments"), nil, out)
	case "custom_tool_call":
		d.openCall(it, out)
		d.settle(it, it.part(0, partCall), json.Get(object, "input"), nil, out)
	case "reasoning":
		d.finishThought(it, object, out)
		return
	case "web_search_call":
		it.closed = true
		d.search(it, object, out)
		return
	default:
		it.closed = true
		if it.kind == codeCall && d.x.Request.Protocol != llm.Responses {
			d.code(it, object, out)
			return
		}
		if d.x.Request.Protocol == llm.Responses && it.kind != "" {
			item := llm.Item{Kind: llm.Opaque, ID: it.id, Name: it.kind, Raw: object, RawProtocol: llm.Responses}
			d.shut(d.open(item, out), item, out)
		}
		return
	}
	d.close(it, out)
}

// finishThought settles and closes a reasoning item. The opaque part counts as it is here only: what comes with the beginning
// of the item may be incomplete.
func (d *Decoder) finishThought(it *upstreamItem, object []byte, out llm.Emitter) {
	e := json.Array(json.Get(object, "summary"))
	for i := 0; i < maxItems && e.Next(); i++ {
		d.settle(it, it.part(i, partSummary), json.Get(e.Value(), "text"), nil, out)
	}
	e = json.Array(json.Get(object, "content"))
	for i := 0; i < maxItems && e.Next(); i++ {
		d.settle(it, it.part(i, partReasoning), json.Get(e.Value(), "text"), nil, out)
	}
	seal := textOf(json.Get(object, "encrypted_content"))
	if it.at < 0 && len(seal) > 0 {
		it.at = d.open(llm.Item{Kind: llm.Thought, ID: it.id, Summary: true}, out)
		it.summary = true
	}
	it.closed = true
	if it.at >= 0 {
		d.shut(it.at, llm.Item{Kind: llm.Thought, ID: it.id, Summary: it.summary, Seal: seal}, out)
	}
}

// search emits a web search that the provider ran, with the pages it found.
func (d *Decoder) search(it *upstreamItem, object []byte, out llm.Emitter) {
	action := json.Get(object, "action")
	item := llm.Item{
		Kind: llm.Hosted, ID: it.id, Name: webSearch, Arguments: searchArguments(action),
		Raw: object, RawProtocol: llm.Responses,
	}
	e := json.Array(json.Get(action, "sources"))
	for e.Next() {
		var c llm.Citation
		if c.URL = stringOf(json.Get(e.Value(), "url")); c.URL != "" {
			c.Title = stringOf(json.Get(e.Value(), "title"))
			item.Citations = append(item.Citations, c)
		}
	}
	d.shut(d.open(item, out), item, out)
}

// codeCall is the type of an item with code that the provider ran.
const codeCall = "code_interpreter_call"

// code emits code that the provider ran, and what it has printed. Its images stay behind.
func (d *Decoder) code(it *upstreamItem, object []byte, out llm.Emitter) {
	item := llm.Item{Kind: llm.Hosted, ID: it.id, Name: llm.CodeExecution, IsError: stringOf(json.Get(object, "status")) == "failed"}
	item.Arguments = append(append([]byte(`{"code":`), json.AppendString(nil, textOf(json.Get(object, "code")))...), '}')
	e := json.Array(json.Get(object, "outputs"))
	for e.Next() {
		if logs := textOf(json.Get(e.Value(), "logs")); logs != nil {
			item.Text = append(item.Text, logs...)
		} else {
			d.x.Warnings.Drop("output.code_interpreter_call.outputs")
		}
	}
	d.shut(d.open(item, out), item, out)
}

// close closes an item of which no more will come. A call without a name can't be told to anybody.
func (d *Decoder) close(it *upstreamItem, out llm.Emitter) {
	it.closed = true
	switch {
	case it.kind == "message":
		for i := range it.parts {
			if p := &it.parts[i]; !p.closed {
				d.closePart(it, p, out)
			}
		}
	case it.holds(partCall) && it.at < 0:
		d.nameless = true
		d.x.Warnings.Drop("output.function_call")
	case it.kind == "reasoning" && it.at >= 0:
		d.shut(it.at, llm.Item{Kind: llm.Thought, ID: it.id, Summary: it.summary}, out)
	case it.at >= 0:
		d.shut(it.at, d.callItem(it), out)
	}
}
