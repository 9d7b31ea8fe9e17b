package chat

import "octopus/codec/json"

// appendEscaped appends s as it stands inside of a JSON string, without the quotes, so that a string can be put
// together of pieces.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	start := len(dst)
	dst = json.AppendString(dst, s)
	return append(dst[:start], dst[start+1:len(dst)-1]...)
}

// appendTwiceEscaped appends s as it stands inside of a JSON string in a JSON text that is itself inside of a JSON
// string.
func appendTwiceEscaped(dst, s []byte) []byte {
	start := len(dst)
	dst = appendEscaped(dst, s)
	end := len(dst)
	dst = appendEscaped(dst, dst[start:end])
	return append(dst[:start], dst[end:]...)
}
