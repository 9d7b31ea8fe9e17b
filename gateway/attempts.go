package gateway

import (
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// advance runs attempts until the answer has begun or is complete, no target is left, or until is reached. After
// progressQuiet it can be called again and goes on where it was. After progressFailed explain says why there is no answer.
func (c *call) advance(until instant) progress {
	for {
		if c.racing {
			if p, done := c.race(until); done {
				return p
			}
			continue
		}
		if !c.attempt.running {
			if c.tried.waitUntil != 0 && !c.pause(until) {
				c.useAnyBridge()
				return progressQuiet
			}
			if !c.startAttempt() {
				return progressFailed
			}
			if c.state == stateEnded {
				return progressAnswered // no attempt was needed
			}
			continue // it may have been passed over, or has to wait
		}
		switch p := c.attempt.advance(min(until, c.hedgeAt())); p {
		case progressQuiet:
			if now() >= c.hedgeAt() {
				c.startHedge()
			}
			if now() >= until {
				return p
			}
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

// patience is how long a target may be silent, 0 for ever.
func (c *call) patience() time.Duration {
	if c.request.Stream {
		return c.route.group.policy.FirstTokenTimeout
	}
	return c.route.group.policy.AnswerTimeout
}

// startAttempt picks a target and sends it the request, or decides to wait for one. It returns false when there is nothing
// left to try.
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
	if c.tried.waitUntil != 0 {
		return true
	}
	c.tried.waitSince = 0
	c.attempt.useBridge(c.attempt.target.codec.Protocol)
	if c.countsHere() {
		c.releasePass()
		if err := c.count(); err != nil {
			c.failure = failure{class: outcome.ClassInvalid, err: err}
			return false
		}
		return true
	}
	c.begun++
	if err := c.attempt.begin(); err != nil {
		c.passOver(err)
		return true
	}
	c.attempt.sendRequest()
	return true
}

// passOver takes back an attempt whose target can't carry the request, and with it the member: another one may carry it as it
// is. What can't be carried is told when no member is left.
func (c *call) passOver(err *llm.Error) {
	c.begun--
	if c.refusal == nil {
		c.refusal = err
	}
	c.releasePass()
	c.tried.next = outcome.TryNext
	c.tried.keys.Reset(0)
	c.tried.possible.Remove(c.attempt.target.index)
}

// releasePass gives back what the attempt was let through with.
func (c *call) releasePass() { c.gateway.health.release(&c.attempt.target, &c.attempt.pass) }

// useAnyBridge makes a bridge for the signs of life and the error of a call that has tried no target yet.
func (c *call) useAnyBridge() {
	if c.attempt.bridge == nil {
		c.attempt.useBridge(c.request.Protocol)
	}
}

// bind makes the running attempt the one that the client is answered by. It has begun its answer, or completed it.
func (c *call) bind(p progress) {
	a := c.attempt
	c.takePending()
	c.gateway.health.passed(&a.target, &a.pass, &c.route.group.policy.Cooldown)
	a.noteOmitted()
	if p == progressAnswered && !c.streams() {
		a.observeAnswer(len(c.pending))
	} else {
		a.observeFirstToken()
	}
	if h := c.route.group.hedging; h != nil && c.outcome.Operation == outcome.Generate {
		h.observe(c.streams(), min(a.start, c.own.start).until(now())) // where a hedge won, the other was at least as slow
	}
	if c.streams() {
		c.outcome.FirstToken = c.start.until(now())
	}
	c.state = stateBegun
	c.showAnswering(&a.target)
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
	c.gateway.health.succeeded(&c.attempt.target)
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
	a, t, rule := c.attempt, &c.tried, &rules[f.class]
	c.noteFailure(a, &f)
	t.onTarget++
	policy, at := &c.route.group.policy, now()
	repeats, asked := t.onTarget < policy.AttemptsPerTarget && c.begun < policy.Attempts, f.retryAfter
	switch {
	case !rule.others || at >= c.deadline() || t.next == outcome.GiveUp: // a hedge has shown that it is of no use
		t.next = outcome.GiveUp
	case rule.omit && a.omit(&f):
		t.next, t.why, t.waitUntil = outcome.TryAgain, outcome.ByRepeat, 0
	case rule.repeat && repeats:
		t.next, t.why = outcome.TryAgain, outcome.ByRepeat
		t.waitUntil, t.recovering = at+instant(repeatPause()), false
	case f.class == outcome.ClassRateLimited && repeats && asked > 0 && asked <= policy.RateLimitWait && at+instant(asked) < c.deadline():
		t.next, t.why = outcome.TryAgain, outcome.ByWait
		t.waitUntil, t.recovering = at+instant(asked), false
	default:
		t.next = outcome.TryNext
		c.leaveTarget(rule.scope == scopeKey || rule.scope == scopeKeyModel)
		if rule.otherModel {
			c.leaveModel(a.target.member.model)
		}
	}
	a.record.Class, a.record.Verdict = f.class, t.next
	if f.explains(&c.failure) {
		c.failure = f
	}
	c.endAttempt()
}

// noteFailure tells the health of targets why an attempt failed.
func (c *call) noteFailure(a *attempt, f *failure) {
	rule := &rules[f.class]
	of := rule.scope
	switch {
	case of == scopeNone:
		return
	case f.class == outcome.ClassSilent && now() >= c.deadline() && (a.eventful.Load() || now() < a.start.after(a.patience())):
		return // the request's time was up, not the target's
	case of == scopeModel && !a.reached:
		of = scopeChannel // all of its models are behind the same address
	case of == scopeModel && c.outcome.Operation != outcome.Generate:
		return // an upstream may lack an endpoint, or its strength
	}
	c.gateway.health.failed(&a.target, &a.pass, of, f.class, a.start, f.retryAfter, &c.route.group.policy.Cooldown)
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

// endAttempt ends the running attempt, if any.
func (c *call) endAttempt() { c.end(c.attempt) }

// end closes an attempt's connection, or gives it back, and records the attempt, if it runs.
func (c *call) end(a *attempt) {
	if !a.running {
		return
	}
	a.running = false
	a.target.end()
	c.gateway.health.release(&a.target, &a.pass)
	a.record.Duration = a.start.until(now())
	skipped := 0
	if a.bridge != nil { // else it stands for a hedge that was still dialing
		skipped = a.bridge.Skipped()
	}
	c.gateway.metrics.attempt(a.target.member.channel, a.record.Class, skipped)
	a.endLoad()
	if c.state >= stateBegun && c.outcome.Operation != outcome.Stored {
		c.outcome.Usage = a.bridge.Usage()
	}
	a.pending = nil
	if c.state < stateBegun {
		a.dropHeld()
	}
	a.closeExchange()
	c.outcome.Attempts = append(c.outcome.Attempts, a.record)
}
