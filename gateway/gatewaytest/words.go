package gatewaytest

import (
	"bytes"
	"unicode/utf8"
)

// words is a text as a stream gives it away, token by token: the base text over and over until a limit is reached, and
// then perhaps one big token. The zero value is no text.
type words struct {
	// base starts with a space, which the first token is given without. There is more unless tokens is 0.
	base []byte
	// period is how many tokens base has.
	period int
	// tokens is how many tokens there are at most, big apart.
	tokens int
	// size is how many bytes there are at most, big apart, or never.
	size int
	// big is the last token, or empty.
	big []byte
}

// repeat makes text the base.
func (w *words) repeat(text []byte) {
	w.base = text
	w.period = 0
	for at := 0; at < len(text); at += tokenLen(text[at:]) {
		w.period++
	}
}

// all yields the tokens. A token is valid until the words change.
func (w *words) all(yield func(token []byte) bool) {
	if w.tokens > 0 && !w.some(1, w.tokens, w.size, yield) {
		return
	}
	if len(w.big) > 0 {
		yield(w.big)
	}
}

// some yields tokens of the repeated base from its byte at on, up to two limits. It returns false when yield did.
func (w *words) some(at, tokens, size int, yield func(token []byte) bool) bool {
	for range tokens {
		token := w.base[at : at+tokenLen(w.base[at:])]
		if len(token) >= size {
			return size == 0 || yield(cutAt(token, size))
		}
		size -= len(token)
		if !yield(token) {
			return false
		}
		if at += len(token); at == len(w.base) {
			at = 0
		}
	}
	return true
}

// cycles returns how often all of base stands in the text, the space that the first one lacks counted, and what follows
// at most: tokens, and bytes.
func (w *words) cycles() (n, tokens, size int) {
	n = w.tokens / w.period
	if w.size != never {
		n = min(n, (w.size+1)/len(w.base))
		size = w.size + 1 - n*len(w.base)
	} else {
		size = never
	}
	return n, w.tokens - n*w.period, size
}

// count returns how many tokens there are.
func (w *words) count() int {
	n := 0
	if len(w.big) > 0 {
		n = 1
	}
	if w.size == never || w.tokens == 0 {
		return n + w.tokens
	}
	cycles, tokens, size := w.cycles()
	n += cycles * w.period
	w.some(0, tokens, size, func([]byte) bool { n++; return true })
	return n
}

// appendEscaped appends the whole text as the inside of a JSON string.
func (w *words) appendEscaped(dst []byte) []byte {
	if w.tokens > 0 {
		cycles, tokens, size := w.cycles()
		at := 0
		switch {
		case cycles > 0:
			// Fast path for long texts: base is escaped once and then copied.
			start := len(dst)
			dst = appendEscaped(dst, w.base)
			end := len(dst)
			for range cycles - 1 {
				dst = append(dst, dst[start:end]...)
			}
			// The first token comes without its space.
			dst = append(dst[:start], dst[start+1:]...)
		case size != never:
			at, size = 1, size-1
		default:
			at = 1
		}
		w.some(at, tokens, size, func(token []byte) bool {
			dst = appendEscaped(dst, token)
			return true
		})
	}
	return appendEscaped(dst, w.big)
}

// tokenLen returns the length of the first token of text, which is not empty: spaces and the word behind them, or one
// character of a script without spaces.
func tokenLen(text []byte) int {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	start := i
	for i < len(text) && !isSpace(text[i]) {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r < 0x2E80 { // the first of the CJK blocks
			i += size
			continue
		}
		if i == start {
			i += size
		}
		break
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// dots stand for the bytes of a character that a limit of bytes cuts in two.
var dots = []byte("...")

// cutAt returns n bytes of token, or dots where the cut would split a character.
func cutAt(token []byte, n int) []byte {
	if n == len(token) || utf8.RuneStart(token[n]) {
		return token[:n]
	}
	whole := n
	for !utf8.RuneStart(token[whole]) {
		whole--
	}
	return append(bytes.Clone(token[:whole]), dots[:n-whole]...)
}
