//go:build !(amd64 || arm64) || go1.28

package json

import (
	"bytes"
	"encoding/json"
)

// Native tells that sonic's machine code does the work. It is false where sonic itself would fall back to
// encoding/json.
const Native = false

// skipNative is Skip for every kind of value. text[i] is not white space.
func skipNative(text []byte, i int) (start, end int, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text[i:]))
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return i, i + int(d.InputOffset()), false
	}
	return i, i + int(d.InputOffset()), true
}
