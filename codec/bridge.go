package codec

import (
	"sync"

	"octopus/codec/llm"
)

// maxKept is how large a buffer may have grown and still go back into a pool.
const maxKept = 64 << 10

// passthroughs holds the bridges between equal protocols.
var passthroughs = sync.Pool{New: func() any { return new(passthrough) }}

// Acquire returns a bridge from a client's protocol to a target's, or nil when there is none for the pair. Give it
// back with Release.
func Acquire(client, target llm.Protocol) Bridge {
	if client != target || client == 0 {
		return nil
	}
	b := passthroughs.Get().(*passthrough)
	b.reset(client)
	return b
}

// Release takes a bridge back, and with it all that its methods returned a part of. It keeps no reference to the
// request, the target or the bytes it was fed.
func Release(b Bridge) {
	switch b := b.(type) {
	case *passthrough:
		b.release()
		passthroughs.Put(b)
	default:
		panic("BUG: released a bridge that was not acquired")
	}
}
