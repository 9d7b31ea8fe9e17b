package codec

import (
	"sync"

	"octopus/codec/llm"
)

// maxKept is how large a buffer may have grown and still go back into a pool.
const maxKept = 64 << 10

// passthroughs holds the bridges between equal protocols.
var passthroughs = sync.Pool{New: func() any { return new(passthrough) }}

// translations holds the bridges between different protocols, by the client's and the target's.
var translations [len(llm.Protocols) + 1][len(llm.Protocols) + 1]sync.Pool

// Acquire returns a bridge from a client's protocol to a target's, or nil when one of them is none. Give it back with
// Release.
func Acquire(client, target llm.Protocol) Bridge {
	switch {
	case client == 0 || target == 0:
		return nil
	case client != target:
		if b, ok := translations[client][target].Get().(*translation); ok {
			return b
		}
		return newTranslation(client, target)
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
	case *translation:
		b.release()
		translations[b.client][b.target].Put(b)
	default:
		panic("BUG: released a bridge that was not acquired")
	}
}
