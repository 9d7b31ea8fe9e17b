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
func (a *attempt) settledAt() instant {
	if a.stoppedAt == 0 {
		return never
	}
	return a.stoppedAt + usageWait
}

// noteStop notes when the stop reason of a streamed answer came.
func (a *attempt) noteStop(step codec.Step) {
	if a.stoppedAt == 0 && step < codec.End && a.bridge.Stopped() {
		a.stoppedAt = now()
	}
}

// collect appends the rest of a whole answer to what is in a.held, like exchange.all. A stream that is collected for a client
// which wants none is complete, too, when nothing but usage may follow.
func (a *attempt) collect(until instant) ([]byte, error) {
	body := a.held.bytes
	if a.passes() || !bytes.HasPrefix(a.exchange.header.ContentType(), eventStream) {
		return a.exchange.all(body, maxAnswer, until)
	}
	// Only what watches a stream that passes knows its stop reason without making an answer of it.
	watch := codec.Acquire(a.bridgeProtocol, a.bridgeProtocol)
	defer codec.Release(watch)
	step := codec.Hold
	for seen := 0; ; {
		looked := now()
		var err error
		body, err = a.exchange.all(body, maxAnswer, min(until, a.settledAt(), looked+usageWait/4))
		if step < codec.End {
			_, step = watch.Feed(nil, body[seen:])
			seen = len(body)
			if a.stoppedAt == 0 && watch.Stopped() {
				a.stoppedAt = looked // it came later
			}
		}
		switch {
		case err == errQuiet && now() >= a.settledAt():
			return body, nil
		case err != errQuiet || now() >= until:
			return body, err
		}
	}
}

var eventStream = []byte("text/event-stream")
