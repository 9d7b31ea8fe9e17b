//go:build (amd64 || arm64) && !go1.28

package json

import "github.com/bytedance/sonic/decoder"

// Native tells that sonic's machine code does the work. It is false where sonic itself would fall back to
// encoding/json.
const Native = true

// skipNative is Skip for every kind of value. text[i] is not white space.
func skipNative(text []byte, i int) (start, end int, ok bool) {
	start, end = decoder.Skip(text[i:])
	return i, i + end, start >= 0
}
