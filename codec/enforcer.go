package codec

import (
	"bytes"
	"strings"
)

// enforcer looks for stop sequences in a text that arrives in pieces, for upstreams that can't (protocols.md D.6). It holds
// back no more than what may be the beginning of one. The zero value looks for none.
type enforcer struct {
	sequences []string
	held      []byte
}

// reset makes the enforcer look for sequences in a new text.
func (e *enforcer) reset(sequences []string) { e.sequences, e.held = sequences, e.held[:0] }

// active reports whether there is anything to look for.
func (e *enforcer) active() bool { return len(e.sequences) > 0 }

// next takes the next piece and returns what may be passed on, valid until the next call, and the sequence that ends the
// text there, or "".
func (e *enforcer) next(piece []byte) (text []byte, matched string) {
	e.held = append(e.held, piece...)
	first := len(e.held)
	for _, s := range e.sequences {
		if i := bytes.Index(e.held, []byte(s)); i >= 0 && (i < first || i == first && len(s) > len(matched)) {
			first, matched = i, s
		}
	}
	if matched != "" {
		return e.held[:first], matched
	}
	return e.pass(len(e.held) - e.open()), ""
}

// rest returns what was held back when no more text comes.
func (e *enforcer) rest() []byte { return e.pass(len(e.held)) }

// pass returns the first n held bytes and keeps the others.
func (e *enforcer) pass(n int) []byte {
	text := e.held[:n:n]
	e.held = e.held[n:]
	return text
}

// open returns the length of the longest end of the held text that begins a sequence.
func (e *enforcer) open() int {
	longest := 0
	for _, s := range e.sequences {
		for n := min(len(s)-1, len(e.held)); n > longest; n-- {
			if strings.HasPrefix(s, string(e.held[len(e.held)-n:])) {
				longest = n
			}
		}
	}
	return longest
}
