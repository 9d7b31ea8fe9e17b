package chat

import (
	"bytes"

	"octopus/codec/json"
)

// wrapper takes the input of a custom tool out of the function that stands in for it: {"input":"…"}, in pieces cut
// anywhere. Arguments of another form are the input as they are.
type wrapper struct {
	state wrapState
	held  []byte // the beginning of the object, or of an escape
}

// wrapState is where in the arguments a wrapper has come to.
type wrapState uint8

const (
	beforeInput wrapState = iota
	inInput
	afterInput
	unwrapped // not of the form: taken as it is
)

// feed appends the input in the next piece of the arguments.
func (w *wrapper) feed(dst, text []byte) []byte {
	switch w.state {
	case afterInput:
		return dst
	case unwrapped:
		return append(dst, text...)
	case beforeInput:
		w.held = append(w.held, text...)
		n := matchHead(w.held)
		switch {
		case n == 0:
			return dst
		case string(bytes.TrimSpace(w.held)) == "{}":
			w.state = afterInput // a call without any input
			return dst
		case n < 0:
			w.state = unwrapped
			dst = append(dst, w.held...)
			w.held = w.held[:0]
			return dst
		}
		w.state = inInput
		rest := w.held[n:]
		w.held = nil
		return w.feedString(dst, rest)
	}
	return w.feedString(dst, text)
}

// feedString appends what the next piece of the string says.
func (w *wrapper) feedString(dst, text []byte) []byte {
	for len(text) > 0 {
		if len(w.held) > 0 {
			dst, text = w.feedEscape(dst, text)
			continue
		}
		i := bytes.IndexAny(text, `"\`)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		if text[i] == '"' {
			w.state = afterInput
			return dst
		}
		w.held, text = append(w.held, '\\'), text[i+1:]
	}
	return dst
}

// end appends what was held for an input that never came.
func (w *wrapper) end(dst []byte) []byte {
	switch {
	case w.state == beforeInput:
		return append(dst, w.held...)
	case w.state == inInput && len(w.held) > 0:
		return append(dst, replacement...)
	}
	return dst
}

// matchHead returns the length of {"input":" at the beginning of text, white space allowed. It is 0 while there is
// too little to tell, and negative for anything else.
func matchHead(text []byte) int {
	i := 0
	for _, word := range [...]string{"{", `"input"`, ":", `"`} {
		for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
			i++
		}
		rest := text[i:min(len(text), i+len(word))]
		if string(rest) != word[:len(rest)] {
			return -1
		}
		if len(rest) < len(word) {
			return 0
		}
		i += len(word)
	}
	return i
}

// feedEscape takes the next byte of the escape that is held, or decodes the escape when the byte is no part of it.
// The first half of a surrogate pair waits for the second.
func (w *wrapper) feedEscape(dst, text []byte) (out, rest []byte) {
	switch c, n := text[0], len(w.held); {
	case n == 6 && c != '\\':
		dst, w.held = appendEscape(dst, w.held), w.held[:0]
		return dst, text
	case n == 7 && c != 'u':
		dst, w.held = appendEscape(dst, w.held[:6]), append(w.held[:0], '\\')
		return dst, text
	}
	w.held = append(w.held, text[0])
	if isWholeEscape(w.held) {
		dst, w.held = appendEscape(dst, w.held), w.held[:0]
	}
	return dst, text[1:]
}

// isWholeEscape reports whether an escape is complete: both halves of a surrogate pair together.
func isWholeEscape(escape []byte) bool {
	switch len(escape) {
	case 2:
		return escape[1] != 'u'
	case 6:
		return !isHighSurrogate(escape[2:])
	}
	return len(escape) == 12
}

// appendEscape appends what an escape stands for.
func appendEscape(dst, escape []byte) []byte {
	var room [16]byte
	quoted := append(append(append(room[:0], '"'), escape...), '"')
	decoded, ok := json.AppendUnquoted(dst, quoted)
	if !ok {
		return append(dst, replacement...)
	}
	return decoded
}
