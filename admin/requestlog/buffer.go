package requestlog

import "octopus/gateway/outcome"

// maxBuffer is how many bytes of rows a buffer holds: what some ten thousand requests leave.
const maxBuffer = 2 << 20

// Buffer holds rows that are not written yet. The zero value is empty. It belongs to one goroutine at a time.
type Buffer struct {
	records []byte
	// ends are where the records end.
	ends []int
	// bodies are those of the rows in bodied, not elided yet.
	bodies []byte
	bodied []bodiedRow
}

// Add makes a row of o, which is borrowed for the call. It returns false, and adds nothing, when the buffer is full.
func (b *Buffer) Add(o *outcome.Outcome) bool {
	if len(b.records) >= maxBuffer {
		return false
	}
	b.records = appendRow(b.records, o)
	b.ends = append(b.ends, len(b.records))
	b.addBodies(o.RequestBody, o.ResponseBody)
	return true
}

// Len returns how many rows there are.
func (b *Buffer) Len() int { return len(b.ends) }

// keptBuffer is how large an emptied buffer may be and stay.
const keptBuffer = 256 << 10

// reset empties the buffer.
func (b *Buffer) reset() {
	if cap(b.records) > keptBuffer {
		b.records, b.ends = nil, nil
	}
	b.records, b.ends = b.records[:0], b.ends[:0]
	if cap(b.bodies) > keptBuffer {
		b.bodies, b.bodied = nil, nil
	}
	b.bodies, b.bodied = b.bodies[:0], b.bodied[:0]
}

// all calls yield with each record, which is borrowed.
func (b *Buffer) all(yield func(record []byte) bool) {
	start := 0
	for _, end := range b.ends {
		if !yield(b.records[start:end]) {
			return
		}
		start = end
	}
}
