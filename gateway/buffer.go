package gateway

import "sync"

// largestPooled is the largest buffer that is kept for another request.
const largestPooled = 1 << 20

// buffer is a pooled byte slice: request bodies, upstream requests and answers. It has one owner at a time.
type buffer struct {
	bytes []byte
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func acquireBuffer() *buffer { return buffers.Get().(*buffer) }

// releaseBuffer gives b back; nothing may refer to its bytes any more. A nil b is none.
func releaseBuffer(b *buffer) {
	if b == nil {
		return
	}
	if cap(b.bytes) > largestPooled {
		b.bytes = nil
	}
	b.bytes = b.bytes[:0]
	buffers.Put(b)
}
