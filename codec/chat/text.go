package chat

import "octopus/codec/json"

// appendEscaped appends s as it stands inside of a JSON string, without the quotes, so that a string can be put together
// of pieces. dst must not be empty: the quote before s is written over its last byte, which is then put back, because
// moving a long text by one byte costs as much as escaping it.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	at := len(dst) - 1
	last := dst[at]
	dst = json.AppendString(dst[:at], s)
	dst[at] = last
	return dst[:len(dst)-1]
}

// appendTwiceEscaped appends s as it stands inside of a JSON string in a JSON text that is itself inside of a JSON
// string. dst must not be empty.
func appendTwiceEscaped(dst, s []byte) []byte {
	start := len(dst)
	dst = appendEscaped(dst, s)
	end := len(dst)
	dst = json.AppendString(dst, dst[start:end])
	return append(dst[:start], dst[end+1:len(dst)-1]...)
}
