package json

import "bytes"

// MaxDepth is how deep values may be nested. It is the size of sonic's stack; deeper ones are refused, not followed.
const MaxDepth = 4096

// Valid reports whether text is one well-formed value, with white space around it at most. See the package's comment
// for what is not checked.
func Valid(text []byte) bool {
	_, end, ok := Skip(text, 0)
	return ok && skipSpace(text, end) == len(text)
}

// Skip steps over the value that begins at text[i], white space before it left out: the value is text[start:end]. When
// there is no well-formed value, ok is false and end is about where it goes wrong.
func Skip(text []byte, i int) (start, end int, ok bool) {
	i = skipSpace(text, i)
	if i >= len(text) {
		return i, len(text), false
	}
	// Fast path: the native call costs 20 ns before it has read a byte, most members of an event are shorter than that.
	switch c := text[i]; c {
	case '"':
		if n := bytes.IndexByte(text[i+1:], '"'); n == 0 || n > 0 && text[i+n] != '\\' {
			return i, i + n + 2, true
		}
	case '{', '[':
		if i+1 < len(text) && text[i+1] == c+2 { // '}' is '{'+2, ']' is '['+2
			return i, i + 2, true
		}
	case 'n':
		return skipLiteral(text, i, "null")
	case 't':
		return skipLiteral(text, i, "true")
	case 'f':
		return skipLiteral(text, i, "false")
	default:
		if n := digits(text[i:]); n > 0 && (n == 1 || c != '0') && !continuesNumber(text, i+n) {
			return i, i + n, true
		}
	}
	return skipNative(text, i)
}

func skipLiteral(text []byte, i int, word string) (start, end int, ok bool) {
	end = min(i+len(word), len(text))
	return i, end, string(text[i:end]) == word
}

// digits returns how many decimal digits text begins with.
func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n]-'0' <= 9 {
		n++
	}
	return n
}

// continuesNumber reports whether what stands at text[i] makes more than an integer of the digits before it.
func continuesNumber(text []byte, i int) bool {
	if i >= len(text) {
		return false
	}
	c := text[i]
	return c == '.' || c|0x20 == 'e'
}

// skipSpace returns the offset of the first byte at or after text[i] that is not white space, or len(text).
func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}
