package codec

import "bytes"

// enforcer looks for stop sequences in a text that arrives in pieces, for upstreams that can't (protocols.md D.6). It holds
// back no more than what may be the beginning of one. The zero value looks for none.
type enforcer struct {
	sequences []string
	held      []byte
	passed    int // how many bytes of held were passed on by the last call
}

// reset makes the enforcer look for sequences in a new text.
func (e *enforcer) reset(sequences []string) {
	e.sequences, e.held, e.passed = sequences, e.held[:0], 0
}

// active reports whether there is anything to look for.
func (e *enforcer) active() bool { return len(e.sequences) > 0 }

// next takes the next piece and returns what may be passed on, valid until the next call, and the sequence that ends the
// text there, or "": the one whose end comes first, so that it doesn't matter how the text is cut into pieces.
func (e *enforcer) next(piece []byte) (text []byte, matched string) {
	e.held = append(append(e.held[:0], e.held[e.passed:]...), piece...)
	e.passed = 0
	end := len(e.held)
	for _, s := range e.sequences {
		i := bytes.Index(e.held[:end], []byte(s))
		if i >= 0 && (i+len(s) < end || len(s) > len(matched)) {
			end, matched = i+len(s), s
		}
	}
	if matched != "" {
		return e.held[:end-len(matched)], matched
	}
	return e.pass(len(e.held) - e.open()), ""
}

// rest returns what was held back when no more text comes.
func (e *enforcer) rest() []byte { return e.pass(len(e.held)) }

// pass returns what is held and was not passed on, up to the byte n, and keeps what is behind it.
func (e *enforcer) pass(n int) []byte {
	text := e.held[e.passed:n:n]
	e.passed = n
	return text
}

// open returns the length of the longest end of the held text that begins a sequence.
func (e *enforcer) open() int {
	longest := 0
	for _, s := range e.sequences {
		for n := min(len(s)-1, len(e.held)); n > longest; n-- {
			if s[:n] == string(e.held[len(e.held)-n:]) {
				longest = n
			}
		}
	}
	return longest
}
