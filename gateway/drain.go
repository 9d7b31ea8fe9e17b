package gateway

import (
	"time"

	"octopus/codec"
)

// drainLimit is how long an answer is read on whose client has left.
const drainLimit = 5 * time.Minute

// drain reads on the answer of a call whose client has left, where the channel wants that: the provider tells only at the end
// what it will charge. What is read goes nowhere. An answer that has not begun yet is waited for as long as a client would.
func (c *call) drain() {
	c.pending = nil
	if !c.mayDrain() {
		return
	}
	until := now() + instant(drainLimit)
	for c.state == stateEarly {
		if p := c.advance(min(until, c.deadline())); p != progressBegun && p != progressAnswered {
			return
		}
	}
	a := c.attempt
	for c.state == stateBegun && a.running && c.ended() != abandonedByShutdown {
		limit := min(until, a.idleAt())
		step, err := a.goOn(limit)
		a.pending = nil
		switch {
		case err == errQuiet && now() >= limit:
			_, _ = a.bridge.Finish(nil, codec.Gone)
			return
		case step == codec.End:
			c.complete()
			return
		case step == codec.Failed || step == codec.Again:
			return
		}
	}
}

// mayDrain reports whether the running attempt is to be read on without a client.
func (c *call) mayDrain() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drains && c.abandoned != abandonedByShutdown
}
