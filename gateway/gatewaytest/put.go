package gatewaytest

import (
	"strconv"
	"unicode/utf8"
)

// quoted is text that put writes as a JSON string.
type quoted []byte

// escaped is text that put writes as the inside of a JSON string.
type escaped []byte

// put appends parts one behind the other: strings and bytes as they are, numbers in decimal. The parts do not outlive
// the call, so nothing is allocated.
func put(dst []byte, parts ...any) []byte {
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			dst = append(dst, v...)
		case []byte:
			dst = append(dst, v...)
		case quoted:
			dst = append(dst, '"')
			dst = appendEscaped(dst, v)
			dst = append(dst, '"')
		case escaped:
			dst = appendEscaped(dst, v)
		case int:
			dst = strconv.AppendInt(dst, int64(v), 10)
		case int64:
			dst = strconv.AppendInt(dst, v, 10)
		default:
			panic("BUG: put of another type")
		}
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends text as the inside of a JSON string. UTF-8 stays as it is, bytes that are not UTF-8 become
// U+FFFD, HTML is not escaped.
func appendEscaped(dst, text []byte) []byte {
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, text[start:i]...)
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
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(dst, text[start:]...)
}
