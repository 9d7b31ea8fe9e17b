package gatewaytest

import (
	"bytes"
	"unicode/utf8"

	"octopus/codec/llm"
)

// call is a call of one of the client's tools.
type call struct {
	// id is the call's, item that of Responses' item.
	id, item []byte
	// name is JSON, quotes included. namespace is too, or empty.
	name, namespace []byte
	// arguments is a JSON object, or any text when the tool is custom.
	arguments []byte
	custom    bool
	// legacy is whether the request has Chat's functions, from before there were tools.
	legacy bool
}

// tool is a tool that the client offers. Its texts are JSON, nil where there is none.
type tool struct {
	name, namespace, schema []byte
	custom, legacy          bool
}

// noTool is what is called when the client offers nothing.
var noTool = tool{name: []byte(`"lookup"`), schema: []byte(`{"properties":{"query":{"type":"string"}}}`)}

// composeCalls makes n calls of one tool. Functions are called one at a time.
func (w *answer) composeCalls(a *ask, n int, g *ids, m mint, kind item) {
	t := a.tool()
	if t.legacy {
		n = 1
	}
	for i := range n {
		if i < cap(w.calls) {
			w.calls = w.calls[:i+1]
		} else {
			w.calls = append(w.calls, call{})
		}
		c := &w.calls[i]
		if a.protocol == llm.Messages {
			c.id = g.base58(c.id[:0], "toolu_01")
		} else {
			c.id = g.base62(c.id[:0], "call_", 24)
		}
		c.custom, c.legacy = t.custom, t.legacy
		c.name = append(c.name[:0], t.name...)
		c.namespace = append(c.namespace[:0], t.namespace...)
		if t.custom {
			c.item = m.itemID(c.item[:0], "ctc_", kind, byte(8+i))
			c.arguments = append(c.arguments[:0], customInput...)
		} else {
			c.item = m.itemID(c.item[:0], "fc_", kind, byte(8+i))
			c.arguments = compact.appendObject(c.arguments[:0], t.schema, 0)
		}
	}
}

// tool returns the tool to call: the one that the request forces, its first function, its first custom tool, or noTool.
func (a *ask) tool() tool {
	_, wanted := a.forced()
	found := noTool
	for t := range a.callables {
		switch {
		case wanted != nil && !bytes.Equal(t.name, wanted):
		case !t.custom:
			return t
		case !found.custom:
			found = t
		}
	}
	return found
}

// callables yields the tools that the provider does not run itself.
func (a *ask) callables(yield func(tool) bool) {
	for t := range elements(a.tools) {
		if string(member(t, "type")) != `"namespace"` {
			if t, ok := a.callable(t); ok && !yield(t) {
				return
			}
			continue
		}
		for inner := range elements(member(t, "tools")) {
			inner, ok := a.callable(inner)
			inner.namespace = member(t, "name")
			if ok && !yield(inner) {
				return
			}
		}
	}
	for f := range elements(a.functions) {
		if !yield(tool{name: member(f, "name"), schema: member(f, "parameters"), legacy: true}) {
			return
		}
	}
}

// callable reads a tool. It returns false for one that the provider runs itself.
func (a *ask) callable(t []byte) (tool, bool) {
	kind := string(member(t, "type"))
	switch {
	case a.protocol == llm.Messages:
		return tool{name: member(t, "name"), schema: member(t, "input_schema")}, kind == "" || kind == `"custom"`
	case kind != `"function"` && kind != `"custom"`:
		return tool{}, false
	case a.protocol == llm.Chat:
		t = member(t, kind[1:len(kind)-1])
	}
	return tool{name: member(t, "name"), schema: member(t, "parameters"), custom: kind == `"custom"`}, true
}

// fragments yields arguments as they are streamed: 8 bytes at a time, more where a character would be split.
func (c *call) fragments(yield func([]byte) bool) {
	for rest := c.arguments; len(rest) > 0; {
		n := fragmentLen(rest)
		if !yield(rest[:n]) {
			return
		}
		rest = rest[n:]
	}
}

// fragmentLen returns the length of the first fragment of arguments.
func fragmentLen(arguments []byte) int {
	n := min(8, len(arguments))
	for n < len(arguments) && !utf8.RuneStart(arguments[n]) {
		n++
	}
	return n
}
