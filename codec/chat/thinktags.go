package chat

import (
	"bytes"

	"octopus/codec/llm"
)

// The tags that open models put around their reasoning.
var (
	thinkOpen  = []byte("<think>")
	thinkClose = []byte("</think>")
)

// thinkTags tells reasoning in tags from the text behind it. Only an answer that begins with the tag has any.
type thinkTags struct {
	enabled bool
	state   tagState
	held    []byte // the beginning of what may become a tag
	half    fragment
}

// tagState is where in an answer thinkTags has come to.
type tagState uint8

const (
	beforeTag tagState = iota
	inTag
	afterTag // white space before the text is left out
	inText
)

// feed takes the next text and hands on what is known to be a thought or text.
func (t *thinkTags) feed(text []byte, emit func(llm.ItemKind, []byte)) {
	switch t.state {
	case beforeTag:
		t.held = append(t.held, text...)
		start := bytes.TrimLeft(t.held, " \t\r\n")
		switch {
		case bytes.HasPrefix(start, thinkOpen):
			t.state = inTag
			rest := start[len(thinkOpen):]
			t.held = nil
			t.feed(rest, emit)
		case !bytes.HasPrefix(thinkOpen, start):
			t.state = inText
			emit(llm.Text, t.held)
			t.held = nil
		}
	case inTag:
		t.held = append(t.held, text...)
		if i := bytes.Index(t.held, thinkClose); i >= 0 {
			if i > 0 {
				emit(llm.Thought, t.held[:i])
			}
			rest := t.held[i+len(thinkClose):]
			t.state, t.held = afterTag, nil
			t.feed(rest, emit)
			return
		}
		keep := overlap(t.held, thinkClose)
		if sure := t.held[:len(t.held)-keep]; len(sure) > 0 {
			emit(llm.Thought, sure)
			t.held = append(t.held[:0], t.held[len(sure):]...)
		}
	case afterTag:
		if text = bytes.TrimLeft(text, " \t\r\n"); len(text) > 0 {
			t.state = inText
			emit(llm.Text, text)
		}
	case inText:
		if len(text) > 0 {
			emit(llm.Text, text)
		}
	}
}

// end hands on what was held for a tag that never came.
func (t *thinkTags) end(emit func(llm.ItemKind, []byte)) {
	kind := llm.Text
	if t.state == inTag {
		kind = llm.Thought
	}
	if held := append(t.held, t.half.rest()...); len(held) > 0 {
		emit(kind, held)
	}
	t.held = nil
}

// overlap returns the length of the longest end of text that tag begins with.
func overlap(text, tag []byte) int {
	for n := min(len(text), len(tag)-1); n > 0; n-- {
		if bytes.HasSuffix(text, tag[:n]) {
			return n
		}
	}
	return 0
}
