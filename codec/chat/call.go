package chat

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// call is one tool call of an answer, as far as it has come.
type call struct {
	key      int64 // the upstream's index, or noKey
	id, name []byte
	custom   bool // of the upstream's own custom tools
	held     []byte
	half     fragment

	opened, closed bool
	index          int  // of the item
	wrapped        bool // the input of a custom tool comes in a function's arguments
	wrap           wrapper
	ending         ending
	empty          bool // the arguments began with {}, which may be a mere placeholder
}

// Keys of calls that came without an index.
const (
	noKey     = -1
	legacyKey = -2
)

// piece is what one element of tool_calls says.
type piece struct {
	key              int64
	id, name         []byte
	arguments, input []byte // raw
	custom           bool
}

func readPiece(value []byte) piece {
	p := piece{key: noKey}
	m := json.Object(value)
	for m.Next() {
		switch string(m.Key) {
		case "index":
			if n, ok := json.Int(m.Value()); ok && n >= 0 {
				p.key = n
			}
		case "id":
			p.id = plain(m.Value())
		case "function":
			p.readFunction(m.Value())
		case "custom":
			p.custom = true
			p.name = plain(json.Get(m.Value(), "name"))
			p.input = json.Get(m.Value(), "input")
		}
	}
	return p
}

func (p *piece) readFunction(value []byte) {
	m := json.Object(value)
	for m.Next() {
		switch string(m.Key) {
		case "name":
			p.name = plain(m.Value())
		case "arguments":
			p.arguments = m.Value()
		}
	}
}

// readCall reads the element of tool_calls with number k. In a whole message each element is a call of its own.
func (d *Decoder) readCall(value []byte, k int, whole bool, out llm.Emitter) {
	p := readPiece(value)
	i := none
	if !whole {
		i = d.findCall(&p, k)
	}
	if i == none {
		if i = d.addCall(p.key, out); i == none {
			return
		}
		d.calls[i].custom = p.custom
	}
	d.feedCall(&d.calls[i], &p, out)
}

// readFunctionCall reads the deprecated form of a call, of which there is one.
func (d *Decoder) readFunctionCall(value []byte, out llm.Emitter) {
	p := piece{key: legacyKey}
	p.readFunction(value)
	i := d.lastWithKey(legacyKey)
	if i == none {
		if i = d.addCall(legacyKey, out); i == none {
			return
		}
	}
	d.feedCall(&d.calls[i], &p, out)
}

// findCall returns the index of the call that a piece belongs to, or none for a new one (protocols.md C.1). The
// upstream's index decides; but some send 0 for all calls, and a new id with a name beside it is then a new call.
// Without an index the id decides, and without both it is the last call, unless another name, or a second element of
// one chunk, tells otherwise.
func (d *Decoder) findCall(p *piece, k int) int {
	if p.key != noKey {
		i := d.lastWithKey(p.key)
		if i != none && len(p.id) > 0 && len(p.name) > 0 && len(d.calls[i].id) > 0 && !bytes.Equal(d.calls[i].id, p.id) {
			return none
		}
		return i
	}
	if len(p.id) > 0 {
		for i := range d.calls {
			if bytes.Equal(d.calls[i].id, p.id) {
				return i
			}
		}
		return none
	}
	last := len(d.calls) - 1
	if last < 0 {
		return none
	}
	if len(p.name) > 0 && len(d.calls[last].name) > 0 && (k > 0 || !bytes.Equal(d.calls[last].name, p.name)) {
		return none
	}
	return last
}

func (d *Decoder) lastWithKey(key int64) int {
	for i := len(d.calls) - 1; i >= 0; i-- {
		if d.calls[i].key == key {
			return i
		}
	}
	return none
}

// addCall begins a call in a slot with the buffers of an earlier one. It returns none, and ends the answer, when
// there are too many.
func (d *Decoder) addCall(key int64, out llm.Emitter) int {
	n := len(d.calls)
	if n == maxCalls {
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream sent too many tool calls"})
		return none
	}
	if n < cap(d.calls) {
		d.calls = d.calls[:n+1]
	} else {
		d.calls = append(d.calls, call{})
	}
	c := &d.calls[n]
	*c = call{
		key: key, id: c.id[:0], name: c.name[:0], held: c.held[:0], wrap: wrapper{held: c.wrap.held[:0]},
	}
	return n
}

// feedCall adds a piece to a call. The first id and the first name count: some upstreams repeat them.
func (d *Decoder) feedCall(c *call, p *piece, out llm.Emitter) {
	if len(c.id) == 0 {
		c.id = append(c.id, p.id...)
	}
	if len(c.name) == 0 {
		c.name = append(c.name, p.name...)
	}
	value := p.arguments
	if p.custom {
		value = p.input
	}
	text := value
	switch kindOf(value) {
	case isString:
		text, d.buf = c.half.decode(d.buf, value)
	case isNull:
		text = nil
	}
	switch {
	case c.opened:
		d.feedArguments(c, text, out)
	case len(c.name) > 0 && (len(c.id) > 0 || len(c.held)+len(text) > 0):
		d.openCall(c, out)
		d.feedArguments(c, text, out)
	default:
		if d.held += len(text); d.held > maxHeld {
			d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "upstream sent a tool call without a name"})
			return
		}
		c.held = append(c.held, text...)
	}
}

// openCall opens the item of a call, under the name that the client knows, and emits what was held back.
func (d *Decoder) openCall(c *call, out llm.Emitter) {
	d.closeItem(out)
	d.closeComplete(out)
	if len(c.id) == 0 || d.isTaken(c) {
		c.id = appendID(c.id[:0], "call_", d.x.AnswerID, d.next)
	}
	tool := d.x.Names.Tool(json.Borrow(c.name))
	c.wrapped = tool.Kind == llm.CustomTool && !c.custom
	c.opened, c.index = true, d.next
	d.next++
	d.content = true
	d.emitItem(llm.EventOpen, c.index, llm.Item{
		Kind: llm.Call, CallID: json.Borrow(c.id), Name: tool.Name, Namespace: tool.Namespace,
		Custom: c.custom || c.wrapped,
	}, out)
	if len(c.held) > 0 {
		d.feedArguments(c, c.held, out)
		d.held -= len(c.held)
		c.held = c.held[:0]
	}
}

// isTaken reports whether another call has the id of c.
func (d *Decoder) isTaken(c *call) bool {
	for i := range d.calls {
		if other := &d.calls[i]; other != c && other.opened && bytes.Equal(other.id, c.id) {
			return true
		}
	}
	return false
}

// feedArguments emits the next piece of the arguments. What comes behind a complete object is not a part of it. An
// object without members at the beginning is held back: some gateways send it before the real arguments.
func (d *Decoder) feedArguments(c *call, text []byte, out llm.Emitter) {
	switch {
	case len(text) == 0 || c.closed:
		return
	case c.custom:
		d.emitDelta(c.index, text, nil, out)
		return
	case !c.ending.begun && string(bytes.TrimSpace(text)) == "{}":
		c.empty = true
		return
	case c.empty && len(bytes.TrimSpace(text)) == 0:
		return
	}
	c.empty = false
	text = text[:c.ending.feed(text)]
	if c.wrapped {
		d.buf = c.wrap.feed(d.buf[:0], text)
		text = d.buf
	}
	d.emitDelta(c.index, text, nil, out)
}

// closeCall closes an open call.
func (d *Decoder) closeCall(c *call, out llm.Emitter) {
	if !c.opened || c.closed {
		return
	}
	if rest := c.half.rest(); rest != nil {
		d.feedArguments(c, rest, out)
	}
	switch {
	case c.wrapped:
		d.buf = c.wrap.end(d.buf[:0])
		d.emitDelta(c.index, d.buf, nil, out)
	case c.empty:
		d.emitDelta(c.index, emptyObject, nil, out)
	}
	c.closed = true
	d.emitItem(llm.EventClose, c.index, llm.Item{
		Kind: llm.Call, CallID: json.Borrow(c.id), Name: d.x.Names.Tool(json.Borrow(c.name)).Name,
		Custom: c.custom || c.wrapped,
	}, out)
}

// closeComplete closes the calls whose arguments are complete, because something else begins. The others may go on
// later: upstreams do mix the pieces of several calls.
func (d *Decoder) closeComplete(out llm.Emitter) {
	for i := range d.calls {
		if c := &d.calls[i]; c.opened && !c.closed && c.ending.complete {
			d.closeCall(c, out)
		}
	}
}

// inCall reports whether the arguments of a call are in the middle.
func (d *Decoder) inCall() bool {
	for i := range d.calls {
		if c := &d.calls[i]; !c.opened || !c.custom && !c.ending.complete && c.ending.begun {
			return true
		}
	}
	return false
}

// finishCalls opens what waited for the end, and closes all. It returns whether there is any call, and whether one
// never had a name.
func (d *Decoder) finishCalls(out llm.Emitter) (called, nameless bool) {
	for i := range d.calls {
		c := &d.calls[i]
		if len(c.name) == 0 {
			nameless = true
			continue
		}
		called = true
		if !c.opened {
			d.openCall(c, out)
		}
	}
	for i := range d.calls {
		d.closeCall(&d.calls[i], out)
	}
	return called, nameless
}

// ending finds the end of a JSON object that comes in pieces.
type ending struct {
	depth           int
	begun, complete bool
	inString        bool
	escaped         bool
}

// feed takes the next piece and returns how much of it belongs to the object. Text that is no object is taken as it is.
func (e *ending) feed(text []byte) int {
	if e.complete {
		return 0
	}
	for i, b := range text {
		switch {
		case e.escaped:
			e.escaped = false
		case e.inString:
			switch b {
			case '\\':
				e.escaped = true
			case '"':
				e.inString = false
			}
		case b == '"':
			e.inString = true
		case b == '{' || b == '[':
			e.depth++
		case b == '}' || b == ']':
			if e.depth--; e.depth == 0 {
				e.begun, e.complete = true, true
				return i + 1
			}
		}
	}
	e.begun = true
	return len(text)
}
