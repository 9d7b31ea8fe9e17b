package responses

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// arenaChunk is how much room an arena takes at a time.
const arenaChunk = 32 << 10

// arena decodes the many texts of a conversation into few pieces of memory. The zero value is ready.
type arena struct {
	free []byte
}

// text reads a string as readText does. What has escapes is decoded into the arena.
func (a *arena) text(value []byte) ([]byte, *llm.Error) {
	if len(value) < 2 || value[0] != '"' || bytes.IndexByte(value, '\\') < 0 {
		return readText(value)
	}
	if cap(a.free) < len(value) {
		a.free = make([]byte, 0, max(len(value), arenaChunk))
	}
	text, ok := json.AppendUnquoted(a.free, value)
	if !ok {
		return nil, malformed(codeValue, "holds an escape that JSON does not know")
	}
	a.free = text[len(text):]
	return text[:len(text):len(text)], nil
}
