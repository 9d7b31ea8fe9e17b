package gateway

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// WriteTo writes the answer's body to the client: fasthttp calls it after the headers, from the connection's own
// goroutine, and each Write is one flushed chunk. What is pending goes out first; a stream then goes on until its end.
func (c *call) WriteTo(w io.Writer) (n int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = c.recovered(r)
		}
	}()
	for {
		if len(c.pending) > 0 {
			began := now()
			written, err := w.Write(c.pending)
			n += int64(written)
			c.transcript.answer(c.pending[:written])
			c.outcome.BytesOut += int64(written)
			c.lastWrite = now()
			// While the client did not read, nobody listened to the upstream: that is no silence of its own.
			c.attempt.lastEvent += c.lastWrite - began
			if err != nil {
				c.noteGone()
				c.drain()
				return n, err
			}
			c.pending = nil
		}
		switch c.state {
		case stateEnded:
			if c.attempt.running {
				c.attempt.exchange.drain()
			}
			if c.ended() == abandonedByClient {
				c.noteGone() // what is written to a departed client does not fail at once
			}
			return n, nil
		case stateEarly:
			c.continueEarly()
		default:
			c.continueStream()
		}
		if c.outcome.Class == outcome.ClassClientGone {
			return n, io.ErrClosedPipe
		}
	}
}

// SupportsBodyWriteTo tells fasthttp that WriteTo stands in for Read.
func (c *call) SupportsBodyWriteTo() bool { return true }

// Read is not used: fasthttp calls WriteTo.
func (c *call) Read([]byte) (int, error) { panic("BUG: call.Read called instead of WriteTo") }

// Close finishes the call: fasthttp calls it once after the body, however writing ended.
func (c *call) Close() error {
	// A panic here would reach fasthttp's own clean-up, which closes once more and has nobody to recover it. The answer is
	// complete, however its call ends.
	defer func() {
		if r := recover(); r != nil {
			_ = c.recovered(r)
		}
	}()
	if len(c.pending) > 0 && c.outcome.Class == outcome.ClassNone {
		c.noteGone() // the head could not be written
	}
	c.finish()
	return nil
}

// continueEarly runs attempts for a client that has nothing but headers, until there is something to write.
func (c *call) continueEarly() {
	keepAliveAt := c.lastWrite.after(c.route.group.policy.KeepAlive)
	switch c.advance(min(c.deadline(), keepAliveAt)) {
	case progressBegun, progressAnswered:
		// state and pending are set
	case progressFailed:
		if c.ended() == abandonedByClient {
			c.noteGone()
			return
		}
		c.endWithError(c.explain())
	case progressQuiet:
		c.keepAlive(keepAliveAt)
	}
}

// continueStream reads on after the answer has begun, until there is something to write.
func (c *call) continueStream() {
	a, policy := c.attempt, &c.route.group.policy
	keepAliveAt, idleAt := c.lastWrite.after(policy.KeepAlive), a.lastEvent.after(policy.IdleTimeout)
	step, err := a.goOn(min(keepAliveAt, idleAt))
	c.takePending()
	switch {
	case err == errQuiet && now() >= idleAt:
		c.pending, step = a.bridge.Finish(nil, codec.Stalled)
		if step == codec.Failed {
			c.cutShort()
			return
		}
		c.complete()
	case err == errQuiet:
		c.keepAlive(keepAliveAt)
	case step == codec.End:
		c.complete()
	case step == codec.Again:
		if a.followUp(); a.failure.err != nil {
			c.cutShort()
		}
	case step == codec.Failed:
		c.cutShort()
	}
}

// goOn reads on after the answer has begun, like feed. The answer to a follow-up call may be waited for first.
func (a *attempt) goOn(until instant) (codec.Step, error) {
	if !a.exchange.started {
		return a.awaitFollowUp(until)
	}
	return a.feed(until)
}

// awaitFollowUp waits for the header of the answer to a follow-up call. Whatever is wrong with it cuts the answer short: the
// client has its beginning.
func (a *attempt) awaitFollowUp(until instant) (codec.Step, error) {
	switch err := a.exchange.await(until); {
	case err == errQuiet:
		return codec.Hold, err
	case err != nil || a.exchange.header.StatusCode()/100 != 2:
		_, step := a.bridge.Finish(nil, codec.Cut)
		return step, nil
	}
	return codec.Commit, nil
}

// keepAlive gives the client a sign of life when it is due.
func (c *call) keepAlive(at instant) {
	if now() >= at {
		c.pending = c.attempt.bridge.AppendKeepAlive(nil)
	}
}

// cutShort ends a stream that broke off after its first real event with an error in the client's protocol: never as if it
// were complete.
func (c *call) cutShort() {
	ended := c.ended()
	if ended == abandonedByClient {
		c.noteGone()
		return
	}
	sent := c.pending
	f, message := cutFailure(c.attempt.bridge.Failure())
	if ended == abandonedByShutdown {
		f = failure{class: outcome.ClassUnavailable, err: &llm.Error{Kind: llm.Overloaded, Message: "The gateway is shutting down."}}
		message = f.err.Message
	} else {
		c.noteFailure(c.attempt, &f)
	}
	r := &c.attempt.record
	r.Class, r.Verdict, r.Message = f.class, outcome.GiveUp, strings.Clone(cut(message))
	c.failure = f
	c.endWithError(f.err)
	c.pending = append(sent[:len(sent):len(sent)], c.pending...)
}

// endWithError makes e the last thing the client gets of a stream.
func (c *call) endWithError(e *llm.Error) {
	c.outcome.Class, c.outcome.Message = c.failure.class, e.Message
	c.pending = c.attempt.bridge.AppendError(nil, e)
	c.state = stateEnded
	c.endAttempt()
}

// recovered notes a panic inside WriteTo or Close, and returns it as an error over which fasthttp closes the connection.
func (c *call) recovered(r any) error {
	c.gateway.metrics.panics.Inc()
	c.gateway.logger.Error("panic while writing a stream", "request", string(c.id), "panic", r, "stack", string(debug.Stack()))
	c.outcome.Class = outcome.ClassInternal
	return fmt.Errorf("gateway: panic while writing a stream: %v", r)
}
