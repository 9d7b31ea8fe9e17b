package chat

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// The neutral names of tools that providers run, or know by themselves.
const (
	webSearch  = "web_search"
	toolSearch = "tool_search"
)

// readTools reads the tools, in Chat's nested form or in Responses' flat one, which Cursor mixes.
func (d *reader) readTools(p *place, value []byte) {
	i := 0
	for e := json.Array(d.array(p, value)); e.Next(); i++ {
		at := place{up: p, index: i}
		if kindOf(e.Value()) != isObject {
			d.wrongType(&at, "an object")
			return
		}
		d.r.Tools = append(d.r.Tools, d.readTool(&at, e.Value()))
	}
}

func (d *reader) readTool(p *place, value []byte) llm.Tool {
	t := llm.Tool{Raw: value, RawProtocol: llm.Chat}
	var inner []byte // what stands under the name of the type
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "type":
			t.Name = d.text(&at, m.Value())
		case "function", "custom":
			inner = d.object(&at, m.Value())
		case "cache_control":
			t.Cache = d.readMark(&at, m.Value())
		}
	}
	kind := t.Name
	switch {
	case kind == "function" || kind == "" && inner != nil:
		t.Kind, t.Name = llm.FunctionTool, ""
	case kind == "custom":
		t.Kind, t.Name = llm.CustomTool, ""
	case kind == "":
		d.missing(&place{up: p, name: "type"})
		return t
	case strings.HasPrefix(kind, "web_search"):
		t.Kind, t.Name = llm.SearchTool, webSearch
		t.Search = d.readSearch(p, value)
		return t
	default:
		t.Kind = llm.OtherTool
		return t
	}
	at := p
	if inner != nil {
		value, at = inner, &place{up: p, name: kind}
	}
	d.readDeclaration(at, value, &t)
	return t
}

// readDeclaration reads what a function or a custom tool is: its name and what it takes.
func (d *reader) readDeclaration(p *place, value []byte, t *llm.Tool) {
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "name":
			t.Name = d.text(&at, m.Value())
		case "description":
			t.Description = d.text(&at, m.Value())
		case "parameters":
			t.Schema = d.object(&at, m.Value())
		case "strict":
			t.Strict = d.flag(&at, m.Value())
		case "cache_control":
			t.Cache = d.readMark(&at, m.Value())
		case "format":
			d.readGrammar(&at, d.object(&at, m.Value()), t)
		}
	}
	if t.Name == "" {
		d.missing(&place{up: p, name: "name"})
	}
}

// readGrammar reads the format of a custom tool, nested or flat.
func (d *reader) readGrammar(p *place, value []byte, t *llm.Tool) {
	if inner := json.Get(value, "grammar"); kindOf(inner) == isObject {
		value, p = inner, &place{up: p, name: "grammar"}
	}
	t.Grammar = d.text(&place{up: p, name: "definition"}, json.Get(value, "definition"))
	t.Syntax = d.text(&place{up: p, name: "syntax"}, json.Get(value, "syntax"))
}

// readFunctions reads the deprecated fields functions and function_call (protocols.md D.10). Where the new ones are
// given as well, those count.
func (d *reader) readFunctions(f *deferred) {
	r, p := d.r, place{name: "functions"}
	list := d.array(&p, f.functions)
	if len(r.Tools) == 0 {
		i := 0
		for e := json.Array(list); e.Next(); i++ {
			at := place{up: &p, index: i}
			if kindOf(e.Value()) != isObject {
				d.wrongType(&at, "an object")
				return
			}
			var t llm.Tool
			d.readDeclaration(&at, e.Value(), &t)
			r.Tools = append(r.Tools, t)
			r.Legacy = true
		}
	}
	if r.Legacy {
		r.Choice.Parallel = &no
	}
	p = place{name: "function_call"}
	switch kindOf(f.functionCall) {
	case isNull:
	case isString:
		d.readChoiceMode(&p, f.functionCall)
	case isObject:
		at := place{up: &p, name: "name"}
		name := d.text(&at, json.Get(f.functionCall, "name"))
		if name == "" {
			d.missing(&at)
		}
		r.Choice.Mode, r.Choice.Names = llm.ChoiceNamed, []llm.ToolName{{Name: name}}
	default:
		d.wrongType(&p, "a string or an object")
	}
}

// readChoice reads tool_choice.
func (d *reader) readChoice(p *place, value []byte) {
	switch kindOf(value) {
	case isNull:
	case isString:
		d.readChoiceMode(p, value)
	case isObject:
		d.readChoiceObject(p, value)
	default:
		d.wrongType(p, "a string or an object")
	}
}

func (d *reader) readChoiceMode(p *place, value []byte) {
	c := &d.r.Choice
	switch d.oneOf(p, value, "none", "auto", "required") {
	case "none":
		c.Mode = llm.ChoiceNone
	case "auto":
		c.Mode = llm.ChoiceAuto
	case "required":
		c.Mode = llm.ChoiceRequired
	}
}

func (d *reader) readChoiceObject(p *place, value []byte) {
	c := &d.r.Choice
	if string(json.Get(value, "type")) != `"allowed_tools"` {
		c.Mode, c.Names = llm.ChoiceNamed, []llm.ToolName{d.readToolName(p, value)}
		return
	}
	c.Mode = llm.ChoiceAllowed
	if inner := json.Get(value, "allowed_tools"); kindOf(inner) == isObject {
		value, p = inner, &place{up: p, name: "allowed_tools"}
	}
	c.Required = d.oneOf(&place{up: p, name: "mode"}, json.Get(value, "mode"), "auto", "required") == "required"
	at := place{up: p, name: "tools"}
	list := d.array(&at, json.Get(value, "tools"))
	if list == nil {
		d.missing(&at)
	}
	i := 0
	for e := json.Array(list); e.Next(); i++ {
		element := place{up: &at, index: i}
		if kindOf(e.Value()) != isObject {
			d.wrongType(&element, "an object")
			return
		}
		c.Names = append(c.Names, d.readToolName(&element, e.Value()))
	}
}

// readToolName reads a reference to a tool, nested or flat.
func (d *reader) readToolName(p *place, value []byte) llm.ToolName {
	at := place{up: p, name: "type"}
	kind := d.text(&at, json.Get(value, "type"))
	n := llm.ToolName{Kind: llm.FunctionTool}
	switch {
	case kind == "":
		d.missing(&at)
	case kind == "custom":
		n.Kind = llm.CustomTool
	case strings.HasPrefix(kind, "web_search"):
		return llm.ToolName{Kind: llm.SearchTool, Name: webSearch}
	case kind != "function":
		return llm.ToolName{Kind: llm.OtherTool, Name: kind}
	}
	if inner := json.Get(value, kind); kindOf(inner) == isObject {
		value, p = inner, &place{up: p, name: kind}
	}
	at = place{up: p, name: "name"}
	if n.Name = d.text(&at, json.Get(value, "name")); n.Name == "" {
		d.missing(&at)
	}
	return n
}
