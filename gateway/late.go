package gateway

import (
	"bytes"
	"time"

	"octopus/codec"
)

// usageWait is how long after its stop reason an answer is waited for to be reported in tokens and to end (protocols.md C.7).
// Clients have all of it by then: an upstream that neither ends nor closes must not keep them.
const usageWait = instant(2 * time.Second)

// settledAt is when an answer whose stop reason has come counts as complete, never while that has not come.
func (c *call) settledAt() instant {
	if c.stoppedAt == 0 {
		return never
	}
	return c.stoppedAt + usageWait
}

// noteStop notes when the stop reason of a streamed answer came.
func (c *call) noteStop(step codec.Step) {
	if c.stoppedAt == 0 && step < codec.End && c.bridge.Stopped() {
		c.stoppedAt = now()
	}
}

// collect appends the rest of a whole answer to what is in c.held, like exchange.all. A stream that is collected for a client
// which wants none is complete, too, when nothing but usage may follow.
func (c *call) collect(until instant) ([]byte, error) {
	body := c.held.bytes
	if c.passes() || !bytes.HasPrefix(c.exchange.header.ContentType(), eventStream) {
		return c.exchange.all(body, maxAnswer, until)
	}
	// Only what watches a stream that passes knows its stop reason without making an answer of it.
	watch := codec.Acquire(c.bridgeProtocol, c.bridgeProtocol)
	defer codec.Release(watch)
	step := codec.Hold
	for seen := 0; ; {
		looked := now()
		var err error
		body, err = c.exchange.all(body, maxAnswer, min(until, c.settledAt(), looked+usageWait/4))
		if step < codec.End {
			_, step = watch.Feed(nil, body[seen:])
			seen = len(body)
			if c.stoppedAt == 0 && watch.Stopped() {
				c.stoppedAt = looked // it came later
			}
		}
		switch {
		case err == errQuiet && now() >= c.settledAt():
			return body, nil
		case err != errQuiet || now() >= until:
			return body, err
		}
	}
}

var eventStream = []byte("text/event-stream")
