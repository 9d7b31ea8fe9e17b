package gatewaytest

import (
	"strconv"

	"octopus/codec/llm"
)

// place is where in a request's body a value stands. The nil place is the body itself. It is rendered only when something is
// wrong there.
type place struct {
	parent *place
	key    string
	// index is the number of an array's element, or -1.
	index int
	// tag says that key is the type of the value at parent, which only Anthropic's paths name.
	tag bool
}

func (at *place) field(key string) *place { return &place{parent: at, key: key, index: -1} }
func (at *place) tagged(kind string) *place {
	return &place{parent: at, key: kind, index: -1, tag: true}
}
func (at *place) element(index int) *place { return &place{parent: at, index: index} }

// path returns the place as errors of protocol p spell it: messages[0].content[1], or messages.0.content.1.text.
func (at *place) path(p llm.Protocol) string {
	if at == nil {
		return ""
	}
	before := at.parent.path(p)
	switch {
	case at.tag && p != llm.Messages:
		return before
	case at.index >= 0 && p != llm.Messages:
		return before + "[" + strconv.Itoa(at.index) + "]"
	case at.index >= 0:
		return join(before, strconv.Itoa(at.index))
	}
	return join(before, at.key)
}

// join joins two parts of a path by a dot.
func join(before, key string) string {
	if before == "" {
		return key
	}
	return before + "." + key
}
