package chat

import (
	"bytes"
	"unicode/utf8"

	"octopus/codec/json"
)

// fragment joins characters that an upstream has cut in two: the bytes of one, or the surrogate pair of an emoji,
// spread over two JSON strings. Decoded alone, both halves would be lost.
type fragment struct {
	held [6]byte // the first half, as it stands in JSON
	n    uint8
}

// replacement is what a half becomes whose other half never comes.
var replacement = []byte("\ufffd")

// decode returns the text of a JSON string, with what was held before it, and holds back the half of a character at
// its end. The text may lie in buf, which is returned for the next use. An escape that JSON doesn't know ends the
// text.
func (f *fragment) decode(buf, value []byte) (text, next []byte) {
	inner := value[1 : len(value)-1]
	half := halfAtEnd(inner)
	if f.n == 0 && half == 0 {
		// Fast path.
		if bytes.IndexByte(inner, '\\') < 0 {
			return inner, buf
		}
		buf, _ = json.AppendUnquoted(buf[:0], value)
		return buf, buf
	}
	buf = append(buf[:0], '"')
	buf = append(buf, f.held[:f.n]...)
	buf = append(buf, inner[:len(inner)-half]...)
	buf = append(buf, '"')
	f.n = uint8(copy(f.held[:], inner[len(inner)-half:]))
	n := len(buf)
	buf, _ = json.AppendUnquoted(buf, buf[:n])
	return buf[n:], buf
}

// rest returns what stands for a half that is still held, and forgets it.
func (f *fragment) rest() []byte {
	if f.n == 0 {
		return nil
	}
	f.n = 0
	return replacement
}

// halfAtEnd returns how many bytes at the end of a JSON string's inside are the first half of a character.
func halfAtEnd(inner []byte) int {
	n := len(inner)
	if n == 0 {
		return 0
	}
	if inner[n-1] < utf8.RuneSelf {
		if n >= 6 && inner[n-6] == '\\' && inner[n-5] == 'u' && isHighSurrogate(inner[n-4:]) && !isEscaped(inner, n-6) {
			return 6
		}
		return 0
	}
	for i := 1; i < utf8.UTFMax && i <= n; i++ {
		if c := inner[n-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(inner[n-i:]) {
				return i
			}
			return 0
		}
	}
	return 0
}

// isHighSurrogate reports whether four hexadecimal digits are the first half of a surrogate pair: D800 to DBFF.
func isHighSurrogate(digits []byte) bool {
	return digits[0]|0x20 == 'd' && (digits[1] == '8' || digits[1] == '9' || digits[1]|0x20 == 'a' || digits[1]|0x20 == 'b')
}

// isEscaped reports whether the backslash at inner[i] is itself escaped.
func isEscaped(inner []byte, i int) bool {
	escaped := false
	for i--; i >= 0 && inner[i] == '\\'; i-- {
		escaped = !escaped
	}
	return escaped
}
