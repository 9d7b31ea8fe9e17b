package lb

import "math/bits"

// Set is a set of member indexes. The zero value is empty and has room for none; Reset makes room. A Set belongs to one
// goroutine at a time and is meant to be kept and reset, so that only its first use allocates. It must not be copied.
type Set struct {
	words []uint64
}

// Reset empties the set and makes room for the indexes 0 to n-1.
func (s *Set) Reset(n int) {
	size := (n + 63) / 64
	if cap(s.words) < size {
		s.words = make([]uint64, size)
		return
	}
	s.words = s.words[:size]
	clear(s.words)
}

// Add puts member i into the set. It panics when Reset made no room for i.
func (s *Set) Add(i int) { s.words[i>>6] |= 1 << (i & 63) }

// Remove takes member i out of the set, if it is there. It panics when Reset made no room for i.
func (s *Set) Remove(i int) { s.words[i>>6] &^= 1 << (i & 63) }

// Has reports whether member i is in the set. It panics when Reset made no room for i.
func (s *Set) Has(i int) bool { return s.words[i>>6]>>(i&63)&1 != 0 }

// Len returns how many members are in the set.
func (s *Set) Len() int {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// CopyFrom makes s equal to other, which is only read.
func (s *Set) CopyFrom(other *Set) { s.words = append(s.words[:0], other.words...) }
