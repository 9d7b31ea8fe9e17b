package gateway

import (
	"strings"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// advance runs attempts until the answer has begun or is complete, no target is left, or until is reached. After
// progressQuiet it can be called again and goes on where it was. After progressFailed explain says why there is no answer.
func (c *call) advance(until instant) progress {
	for {
		if !c.attempt.running {
			if !c.startAttempt() {
				return progressFailed
			}
			if c.state == stateEnded {
				return progressAnswered // no attempt was needed
			}
			continue // it may have been passed over
		}
		switch p := c.attempt.advance(until); p {
		case progressQuiet:
			return p
		case progressBegun, progressAnswered:
			c.bind(p)
			return p
		case progressUncounted:
			if err := c.count(); err != nil {
				c.judge(failure{class: outcome.ClassInvalid, err: err})
				continue
			}
			c.endAttempt()
			return progressAnswered
		case progressFailed:
			c.judge(c.attempt.failure)
		}
	}
}

// deadline is when the call must have an answer (non-stream) or its beginning (stream).
func (c *call) deadline() instant { return c.start.after(c.route.group.policy.Deadline) }

// startAttempt picks a target and sends it the request. It returns false when there is nothing left to try.
func (c *call) startAttempt() bool {
	if c.ended() != notAbandoned {
		c.noteAbandoned()
		return false
	}
	if c.tried.next == outcome.GiveUp || c.begun >= c.route.group.policy.Attempts || now() >= c.deadline() {
		return false
	}
	if !c.pickTarget() {
		return false
	}
	if c.countsHere() {
		if err := c.count(); err != nil {
			c.failure = failure{class: outcome.ClassInvalid, err: err}
			return false
		}
		return true
	}
	c.begun++
	if err := c.attempt.begin(); err != nil {
		c.passOver(err)
	}
	return true
}

// passOver takes back an attempt whose target can't carry the request, and with it the member: another one may carry it as it
// is. What can't be carried is told when no member is left.
func (c *call) passOver(err *llm.Error) {
	c.begun--
	if c.refusal == nil {
		c.refusal = err
	}
	c.tried.next = outcome.TryNext
	c.tried.keys.Reset(len(c.attempt.target.member.channel.keys))
}

// bind makes the running attempt the one that the client is answered by. It has begun its answer, or completed it.
func (c *call) bind(p progress) {
	a := &c.attempt
	c.takePending()
	if c.streams() {
		c.outcome.FirstToken = c.start.until(now())
	}
	c.state = stateBegun
	if p == progressAnswered {
		c.complete()
	}
	// The rest of the answer does not need the request, unless the bridge still looks things up in it.
	if a.releaseWire(); a.passes() {
		c.releaseBody()
	}
}

// takePending takes over what the client gets next of the attempt's answer.
func (c *call) takePending() { c.pending, c.attempt.pending = c.attempt.pending, nil }

// complete notes that all of the answer is here.
func (c *call) complete() {
	c.state = stateEnded
	c.remember()
	if c.stored.method == fasthttp.MethodDelete {
		c.recall.forget(strings.TrimPrefix(c.stored.suffix, "/"), nil)
	}
}

// judge ends the running attempt, which failed, keeps the better explanation, and decides where the next attempt goes.
func (c *call) judge(f failure) {
	if c.ended() != notAbandoned {
		c.noteAbandoned()
		return
	}
	a, t, rule := &c.attempt, &c.tried, rules[f.class]
	t.onTarget++
	policy := &c.route.group.policy
	switch {
	case !rule.others || now() >= c.deadline():
		t.next = outcome.GiveUp
	case rule.repeat && t.onTarget < policy.AttemptsPerTarget:
		t.next = outcome.TryAgain
	default:
		t.next = outcome.TryNext
		t.keys.Remove(a.target.keyIndex)
		aboutKey := f.class == outcome.ClassCredential || f.class == outcome.ClassQuota || f.class == outcome.ClassRateLimited
		if t.keysTried++; !aboutKey || t.keysTried == maxKeysTried {
			t.keys.Reset(len(a.target.member.channel.keys))
		}
	}
	a.record.Class, a.record.Verdict = f.class, t.next
	if f.explains(&c.failure) {
		c.failure = f
	}
	c.endAttempt()
}

// noteAbandoned ends the running attempt, if any, of a call that was abandoned.
func (c *call) noteAbandoned() {
	f := failure{class: outcome.ClassClientGone, err: &llm.Error{Kind: llm.Internal, Message: "The client left."}}
	if c.ended() == abandonedByShutdown {
		f = failure{class: outcome.ClassUnavailable,
			err: &llm.Error{Kind: llm.Overloaded, Message: "The gateway is shutting down."}}
	}
	c.failure = f
	c.tried.next = outcome.GiveUp
	c.attempt.record.Class, c.attempt.record.Verdict = f.class, outcome.GiveUp
	c.endAttempt()
}

// endAttempt closes the running attempt's connection, or gives it back, and records the attempt.
func (c *call) endAttempt() {
	a := &c.attempt
	if !a.running {
		return
	}
	a.running = false
	a.record.Duration = a.start.until(now())
	c.gateway.metrics.attempt(a.target.member.channel, a.record.Class)
	if c.state >= stateBegun {
		c.outcome.Usage = a.bridge.Usage()
	}
	a.pending = nil
	if a.held != nil && c.state < stateBegun {
		a.held.bytes = a.held.bytes[:0]
	}
	a.closeExchange()
	c.outcome.Attempts = append(c.outcome.Attempts, a.record)
}
