package chat

import (
	"bytes"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// toolErrorPrefix stands before the result of a failed tool, for which Chat has no field (protocols.md B.4).
const toolErrorPrefix = "[tool_error] "

// message holds the members of one message of the client's body.
type message struct {
	role, content, refusal, name         []byte
	toolCalls, functionCall, toolCallID  []byte
	details, reasoningContent, reasoning []byte
	audio, cacheControl                  []byte
}

// pending is a call that waits for its result.
type pending struct {
	id, name string
	answered bool
}

// readMessages reads the conversation: leading system and developer messages become the system texts, a run of
// results of tools and the user message behind it become one turn.
func (d *reader) readMessages(p *place, value []byte) {
	leading := true
	i := 0
	for e := json.Array(d.array(p, value)); e.Next() && d.err == nil; i++ {
		at := place{up: p, index: i}
		if kindOf(e.Value()) != isObject {
			d.wrongType(&at, "an object")
			return
		}
		leading = d.readMessage(&at, e.Value(), leading)
	}
	if i == 0 {
		d.missing(p)
	}
}

// readMessage reads one message. leading tells whether none but system and developer messages stand before it; it
// returns the same for the next one.
func (d *reader) readMessage(p *place, value []byte, leading bool) bool {
	var g message
	m := json.Object(value)
	for m.Next() {
		if slot := g.slot(json.Borrow(m.Key)); slot != nil {
			*slot = m.Value()
		} else {
			d.inner("messages", m.Key, m.Value())
		}
	}
	results := d.results
	d.results = false
	at := place{up: p, name: "role"}
	switch d.text(&at, g.role) {
	case "system", "developer":
		if leading {
			n := len(d.r.System)
			d.r.System = d.readContent(d.r.System, p, &g, llm.System)
			if name := d.text(&place{up: p, name: "name"}, g.name); len(d.r.System) > n {
				d.r.System[n].Name = name
			}
			return true
		}
		t := d.turn(llm.System, p, &g)
		t.Items = d.readContent(d.list(1), p, &g, llm.System)
	case "user":
		if !results {
			d.turn(llm.User, p, &g).Items = d.list(1)
		}
		t := d.last()
		t.Name = d.text(&place{up: p, name: "name"}, g.name)
		t.Items = d.readContent(t.Items, p, &g, llm.User)
	case "assistant":
		d.readAssistant(p, &g)
	case "tool", "function":
		if !results {
			d.turn(llm.User, p, nil).Items = d.list(2)
		}
		d.readResult(p, &g)
		d.results = true
	case "":
		d.missing(&at)
	default:
		d.fail(&at, "invalid_value", "must be system, developer, user, assistant, tool or function")
	}
	return false
}

// slot returns where a member of a message is kept, or nil for a member that has no meaning here.
func (g *message) slot(name string) *[]byte {
	switch name {
	case "role":
		return &g.role
	case "content":
		return &g.content
	case "refusal":
		return &g.refusal
	case "name":
		return &g.name
	case "tool_calls":
		return &g.toolCalls
	case "function_call":
		return &g.functionCall
	case "tool_call_id":
		return &g.toolCallID
	case "reasoning_details":
		return &g.details
	case "reasoning_content":
		return &g.reasoningContent
	case "reasoning":
		return &g.reasoning
	case "audio":
		return &g.audio
	case "cache_control":
		return &g.cacheControl
	}
	return nil
}

// turn begins a turn. g is nil for results of tools, which have no name of their own.
func (d *reader) turn(role llm.Role, p *place, g *message) *llm.Turn {
	t := llm.Turn{Role: role, Path: llm.Path{List: "messages", Index: p.index}}
	if g != nil {
		t.Name = d.text(&place{up: p, name: "name"}, g.name)
	}
	d.r.Turns = append(d.r.Turns, t)
	return d.last()
}

// itemSlab is how many items are made room for at once.
const itemSlab = 32

// list returns an empty list with room for n items. Items are large, and most lists short: they lie side by side.
func (d *reader) list(n int) []llm.Item {
	if len(d.items)+n > cap(d.items) {
		d.items = make([]llm.Item, 0, itemSlab)
	}
	start := len(d.items)
	d.items = d.items[:start+n]
	return d.items[start : start : start+n]
}

func (d *reader) last() *llm.Turn { return &d.r.Turns[len(d.r.Turns)-1] }

// readContent appends the items of a message's content: a string, or an array of parts. Empty strings of assistants
// are no items: they stand beside tool calls.
func (d *reader) readContent(items []llm.Item, p *place, g *message, role llm.Role) []llm.Item {
	at := place{up: p, name: "content"}
	before := len(items)
	switch kindOf(g.content) {
	case isNull:
		if role != llm.Assistant {
			d.missing(&at)
		}
	case isString:
		text := d.decoded(&at, g.content)
		if role != llm.Assistant || len(text) > 0 {
			items = append(items, llm.Item{Text: text})
		}
	case isArray:
		i := 0
		for e := json.Array(g.content); e.Next() && d.err == nil; i++ {
			items = d.readPart(items, &place{up: &at, index: i}, e.Value(), role)
		}
	default:
		d.wrongType(&at, "a string or an array of parts")
	}
	if mark := d.readMark(&place{up: p, name: "cache_control"}, g.cacheControl); mark != llm.CacheNone &&
		len(items) > before {
		items[len(items)-1].Cache = mark
	}
	return items
}

// readAssistant reads what the model said: reasoning, then text and refusals, then calls.
func (d *reader) readAssistant(p *place, g *message) {
	t := d.turn(llm.Assistant, p, g)
	items := d.readThoughts(d.list(3), p, g)
	items = d.readContent(items, p, g, llm.Assistant)
	if refusal := d.decoded(&place{up: p, name: "refusal"}, g.refusal); len(refusal) > 0 {
		items = append(items, llm.Item{Kind: llm.Refusal, Text: refusal})
	}
	if audio := d.object(&place{up: p, name: "audio"}, g.audio); audio != nil {
		items = append(items, llm.Item{Kind: llm.Opaque, Name: "audio", Raw: audio, RawProtocol: llm.Chat})
	}
	items = d.readCalls(items, p, g)
	t.Items = items
}

// readCalls appends the calls of an assistant message, and begins to wait for their results.
func (d *reader) readCalls(items []llm.Item, p *place, g *message) []llm.Item {
	at := place{up: p, name: "tool_calls"}
	list := d.array(&at, g.toolCalls)
	legacy := d.object(&place{up: p, name: "function_call"}, g.functionCall)
	if list == nil && legacy == nil {
		return items
	}
	d.calls = d.calls[:0]
	i := 0
	for e := json.Array(list); e.Next() && d.err == nil; i++ {
		element := place{up: &at, index: i}
		if kindOf(e.Value()) != isObject {
			d.wrongType(&element, "an object")
			return items
		}
		item := d.readCall(&element, e.Value())
		if item.CallID == "" {
			item.CallID = json.Borrow(llm.AppendCallIDAt(nil, len(d.r.Turns)-1, i))
		}
		items = append(items, item)
		d.calls = append(d.calls, pending{id: item.CallID, name: item.Name})
	}
	if legacy != nil {
		item := llm.Item{Kind: llm.Call, CallID: "call_fn_" + strconv.Itoa(d.legacy)}
		d.legacy++
		d.readFunctionCall(&place{up: p, name: "function_call"}, legacy, &item)
		items = append(items, item)
		d.calls = append(d.calls, pending{id: item.CallID, name: item.Name})
	}
	return items
}

// readCall reads one element of tool_calls.
func (d *reader) readCall(p *place, value []byte) llm.Item {
	item := llm.Item{Kind: llm.Call, Raw: value, RawProtocol: llm.Chat}
	var function, custom []byte
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "id":
			item.CallID = d.text(&at, m.Value())
		case "function":
			function = d.object(&at, m.Value())
		case "custom":
			custom = d.object(&at, m.Value())
		}
	}
	switch {
	case function != nil:
		d.readFunctionCall(&place{up: p, name: "function"}, function, &item)
	case custom != nil:
		item.Custom = true
		at := place{up: p, name: "custom"}
		item.Name = d.text(&place{up: &at, name: "name"}, json.Get(custom, "name"))
		item.Text = d.decoded(&place{up: &at, name: "input"}, json.Get(custom, "input"))
		if item.Name == "" {
			d.missing(&place{up: &at, name: "name"})
		}
	default:
		d.missing(&place{up: p, name: "function"})
	}
	return item
}

// readFunctionCall reads the name and the arguments of a call. Arguments that are an object in place of a string, as
// some clients send them, are taken as they stand.
func (d *reader) readFunctionCall(p *place, value []byte, item *llm.Item) {
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "name":
			item.Name = d.text(&at, m.Value())
		case "arguments":
			if item.Arguments = m.Value(); kindOf(m.Value()) != isObject {
				item.Arguments = d.decoded(&at, m.Value())
			}
		}
	}
	if item.Name == "" {
		d.missing(&place{up: p, name: "name"})
	}
}

// readResult reads a message of role tool, or of the deprecated role function, into the last turn.
func (d *reader) readResult(p *place, g *message) {
	item := llm.Item{Kind: llm.Result}
	item.CallID = d.text(&place{up: p, name: "tool_call_id"}, g.toolCallID)
	item.Name = d.text(&place{up: p, name: "name"}, g.name)
	switch call := d.pendingCall(item.CallID, item.Name, string(g.role) == `"function"`); {
	case call != nil:
		item.CallID, call.answered = call.id, true
	case item.CallID == "":
		d.missing(&place{up: p, name: "tool_call_id"})
	}
	at := place{up: p, name: "content"}
	if kindOf(g.content) == isNull {
		d.missing(&at)
	}
	item.Parts = d.readContent(d.list(1), p, g, llm.User)
	if len(item.Parts) > 0 && item.Parts[0].Kind == llm.Text {
		first := &item.Parts[0]
		if text, ok := bytes.CutPrefix(first.Text, []byte(toolErrorPrefix)); ok {
			item.IsError, first.Text, first.Raw = true, text, nil
		}
	}
	// A mark belongs to the result, not to what is in it.
	for i := range item.Parts {
		item.Cache = max(item.Cache, item.Parts[i].Cache)
		item.Parts[i].Cache = llm.CacheNone
	}
	t := d.last()
	t.Items = append(t.Items, item)
}

// pendingCall returns the call that a result belongs to: by its id; by the name of the function in the deprecated
// form, of which the latest counts; by order when there is neither. It returns nil when no call fits.
func (d *reader) pendingCall(id, name string, byName bool) *pending {
	var first *pending
	for i := range d.calls {
		switch c := &d.calls[i]; {
		case byName && c.name == name && !c.answered:
			first = c
		case byName:
		case id != "" && c.id == id:
			return c
		case id == "" && !c.answered:
			return c
		}
	}
	return first
}
