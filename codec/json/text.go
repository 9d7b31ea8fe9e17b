package json

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	sonicutf8 "github.com/bytedance/sonic/utf8"
)

// AppendString appends s as a JSON string, quotes included. Only what JSON asks for is escaped: <, > and & stay,
// because prompts and schemas must reach the provider as they were written. Invalid UTF-8 becomes U+FFFD.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	switch s := any(s).(type) {
	case string:
		return appendQuoted(dst, unsafe.Slice(unsafe.StringData(s), len(s))) // which only reads
	case []byte:
		return appendQuoted(dst, s)
	}
	panic("BUG: neither string nor []byte")
}

func appendQuoted(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if i += plain(s[i:]); i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// plain returns how many bytes s begins with that stand in a JSON string as they are, ASCII alone. It looks at eight of them
// at once (Hacker's Delight, section 6-1, for the tests of a byte in a word).
func plain(s []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		quote, backslash := w^ones*'"', w^ones*'\\'
		if (w|(quote-ones)&^quote|(backslash-ones)&^backslash|(w-ones*' ')&^w)&highs != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// Unquote decodes value, a JSON string with its quotes. Without escapes the result aliases value; else it is a new
// slice. It returns false when value is no string or holds an escape that JSON doesn't know. A half of a surrogate
// pair becomes U+FFFD; invalid UTF-8 stays as it is.
func Unquote(value []byte) (text []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	return AppendUnquoted(make([]byte, 0, len(value)-2), value)
}

// AppendUnquoted appends the decoded text of value to dst, with the rules of Unquote.
func AppendUnquoted(dst, value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' {
		return dst, false
	}
	text := value[1 : len(value)-1]
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(dst, text...), true
		}
		dst = append(dst, text[:i]...)
		r, size := unescape(text[i:])
		if size == 0 {
			return dst, false
		}
		dst = utf8.AppendRune(dst, r)
		text = text[i+size:]
	}
}

// unescape decodes the escape that text begins with, both halves of a surrogate pair together. A size of zero means
// that it is none.
func unescape(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch c := text[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	if r = hexRune(text); r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if r = utf16.DecodeRune(r, hexRune(text[6:])); r != utf8.RuneError {
		return r, 12
	}
	return utf8.RuneError, 6
}

// hexRune returns the number of an escape like \u00e9 that text begins with, or -1.
func hexRune(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// InvalidUTF8 returns the offset of the first byte of text that is not valid UTF-8, or -1 when all of it is.
func InvalidUTF8(text []byte) int {
	if sonicutf8.Validate(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// Borrow returns the bytes of b as a string without copying them. The promise is the caller's: nobody changes these
// bytes while the string is in use, and what must outlive them is cloned with strings.Clone.
func Borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
