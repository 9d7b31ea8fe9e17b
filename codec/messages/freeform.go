package messages

import (
	"bytes"

	"octopus/codec/json"
)

// freeform takes the text out of the JSON that a custom tool's input is wrapped into, {"input":"…"}, while it arrives in
// pieces. The zero value is ready.
type freeform struct {
	seen  []byte // what came before the text, and, inside it, an escape whose end has not come
	state freeformState
	out   []byte
}

type freeformState uint8

const (
	beforeInput freeformState = iota
	insideInput
	behindInput
	notWrapped
)

// add takes the next piece and returns the text in it, valid until the next call.
func (f *freeform) add(piece []byte) []byte {
	f.out = f.out[:0]
	switch f.state {
	case behindInput:
		return nil
	case notWrapped:
		return piece
	case beforeInput:
		f.seen = append(f.seen, piece...)
		start, wrapped := wrapperEnd(f.seen)
		switch {
		case !wrapped && json.IsEmpty(bytes.TrimSpace(f.seen)):
			return nil // an empty object, so far
		case !wrapped:
			f.state = notWrapped
			f.out = append(f.out, f.seen...)
			return f.out
		case start == 0:
			return nil
		}
		piece = bytes.Clone(f.seen[start:])
		f.seen, f.state = f.seen[:0], insideInput
	}
	if len(f.seen) > 0 {
		f.seen = append(f.seen, piece...)
		piece = f.seen
	}
	used := f.unescape(piece)
	f.seen = append(f.seen[:0], piece[used:]...)
	return f.out
}

// unescape decodes what is whole of piece to out, and returns how far that is.
func (f *freeform) unescape(piece []byte) int {
	for i := 0; i < len(piece); {
		n := bytes.IndexAny(piece[i:], `"\`)
		if n < 0 {
			f.out = append(f.out, piece[i:]...)
			return len(piece)
		}
		f.out = append(f.out, piece[i:i+n]...)
		i += n
		if piece[i] == '"' {
			f.state = behindInput
			return len(piece)
		}
		size := escapeSize(piece[i:])
		if size == 0 {
			return i
		}
		var quoted [14]byte
		text := append(append(append(quoted[:0], '"'), piece[i:i+size]...), '"')
		decoded, ok := json.AppendUnquoted(f.out, text)
		if !ok {
			decoded = append(f.out, piece[i:i+size]...)
		}
		f.out = decoded
		i += size
	}
	return len(piece)
}

// escapeSize returns the length of the escape that text begins with, both halves of a surrogate pair together, or 0 when its
// end has not come.
func escapeSize(text []byte) int {
	switch {
	case len(text) < 2:
		return 0
	case text[1] != 'u':
		return 2
	case len(text) < 6:
		return 0
	case !isHighSurrogate(text):
		return 6
	}
	switch rest := text[6:]; {
	case len(rest) == 0, len(rest) == 1 && rest[0] == '\\':
		return 0
	case rest[0] != '\\' || rest[1] != 'u':
		return 6
	case len(rest) < 6:
		return 0
	}
	return 12
}

// isHighSurrogate reports whether an escape of the form \uXXXX is the first half of a pair.
func isHighSurrogate(escape []byte) bool {
	if escape[2]|0x20 != 'd' {
		return false
	}
	switch escape[3] | 0x20 {
	case '8', '9', 'a', 'b':
		return true
	}
	return false
}

// wrapper is what stands before the text, white space apart.
var wrapper = [...]string{"{", `"input"`, ":", `"`}

// wrapperEnd returns where the text begins in a beginning of {"input":"…, or 0 when that has not come. wrapped is false when
// it is something else.
func wrapperEnd(text []byte) (start int, wrapped bool) {
	i := 0
	for _, token := range wrapper {
		for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
			i++
		}
		n := min(len(token), len(text)-i)
		if string(text[i:i+n]) != token[:n] {
			return 0, false
		}
		if n < len(token) {
			return 0, true
		}
		i += n
	}
	return i, true
}

// rest returns what is left of a call that ended before its text began, and is not just empty.
func (f *freeform) rest() []byte {
	if f.state != beforeInput || json.IsEmpty(bytes.TrimSpace(f.seen)) {
		return nil
	}
	return f.seen
}
