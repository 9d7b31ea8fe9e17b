package lb

import (
	"math/rand/v2"
	"sync/atomic"
)

// maxCursors is how many pools of one policy are counted exactly. One more appears with each new combination of members
// that are down or were tried already; the pool with all members is among the first.
const maxCursors = 64

// cursors count the picks of a policy, each pool by itself.
//
// With one cursor for all pools, second tries would take the numbers of first picks: with A, B, C taking turns and A
// always failing, numbers 0, 2, 3, 5 go to first picks and 1, 4 to the second tries of A, so B never comes first. With
// a cursor of its own each pool is exact whatever happens to the others.
//
// Slots are claimed in the order in which pools first appear and never given back. Pools beyond the last slot draw
// their numbers at random: their shares are right on average.
type cursors struct {
	// keys holds the pool of each slot, 0 while it is free. Written once each, by the first pick from the pool.
	keys [maxCursors]atomic.Uint64
	// counts holds how often each slot's pool was picked from. Written by every pick; reading is part of the add.
	counts [maxCursors]atomic.Uint64
}

// next returns the number of this pick among the picks from the pool with that key. Numbers of one pool are consecutive
// over all goroutines.
func (c *cursors) next(key uint64) uint64 {
	// Fast path: the pool with all members is nearly always in the first slot.
	for i := range c.keys {
		k := c.keys[i].Load()
		if k == 0 {
			// Slow path: the first pick from this pool. Others may claim the slot now, for this pool or another one.
			c.keys[i].CompareAndSwap(0, key)
			k = c.keys[i].Load()
		}
		if k == key {
			// The slot's own number moves the start: were it 0 for all pools, each would favour its first member, and
			// many pools with few picks together would, too.
			return c.counts[i].Add(1) - 1 + uint64(i)
		}
	}
	return rand.Uint64()
}
