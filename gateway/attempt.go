package gateway

import (
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// maxAnswer is the largest whole answer, in bytes, and the most that is kept back of a stream: images come in base64. It is a
// variable for tests alone.
var maxAnswer = 64 << 20

const (
	// maxErrorAnswer is how much of an upstream's error is read.
	maxErrorAnswer = 256 << 10
	// maxHeld is the most that is held back before a stream's first real event, beside what the provider repeats of the
	// request: response.created and response.in_progress give instructions and tools back, each of them.
	maxHeld = 1 << 20
	// postponement is how often is looked for another target once an attempt has been silent for too long.
	postponement = time.Second
)

// attempt is one try on one target: the exchange with it, and what came of it. It reads its call's request and writes nothing
// of the call, which takes over what the attempt it is bound to has pending. It is used again for the call's next try.
type attempt struct {
	call   *call
	target target
	// running is whether the attempt has begun and not been ended by its call; start is when it began.
	running bool
	start   instant
	// pass is what the attempt was let through with, and why the reason for its target.
	pass pass
	why  outcome.Reason
	// reached is whether a connection to the upstream was had.
	reached bool
	// postponed is until when the limit of the attempt is put off because no other target is usable, 0 for not.
	postponed instant
	bridge    codec.Bridge
	// bridgeProtocol is the upstream's side of bridge.
	bridgeProtocol llm.Protocol
	exchange       exchange
	// upstream is the connection to close when the call is abandoned or another attempt has won, nil when there is none; lost
	// is whether one has. Both are guarded by call.mu.
	upstream *upstreamConn
	lost     bool
	// isHedge is whether the attempt runs beside another one, in a goroutine of its own.
	isHedge bool
	// head is storage for the head of the upstream request.
	head []byte
	// wire is the upstream request, from wireStart on; nil once the answer has begun.
	wire      *buffer
	wireStart int
	// omitted is what the target's requests go without.
	omitted codec.Omission
	// place is what the attempt holds on the target's channel (limits.go), load that of the member while it runs, or nil.
	place place
	load  *lb.Load
	// stoppedAt is when the stop reason of the answer came, zero before.
	stoppedAt instant
	// resent is whether the request was sent again because its kept-alive connection was dead.
	resent bool
	// lastEvent is when the upstream last sent something.
	lastEvent instant
	// eventful is whether the first real event of a stream is here. The attempt's goroutine writes, its call reads.
	eventful atomic.Bool
	// kept is what of a stream is kept back until its end, nil unless the group's policy wants that.
	kept *buffer
	// held is storage for what the client gets; pending is what it gets next: held, or bytes of the exchange.
	held    *buffer
	pending []byte
	// failure is why the attempt failed, if it did (failure.go).
	failure failure
	// record is what the outcome says of the attempt.
	record outcome.Attempt
}

// progress is how far advance came.
type progress uint8

const (
	// progressQuiet means that the time is up and nothing is decided.
	progressQuiet progress = iota
	// progressBegun means that a stream's first real event is pending.
	progressBegun
	// progressAnswered means that everything is pending: a whole answer, or a stream that is at its end already.
	progressAnswered
	// progressUncounted means that the target can't count tokens.
	progressUncounted
	// progressFailed means that there is no answer.
	progressFailed
)

// begin starts the attempt on its target; sendRequest has to follow. It returns an error, and the attempt does not run, when
// the target can't carry the request.
func (a *attempt) begin() *llm.Error {
	c, m := a.call, a.target.member
	if err := a.buildRequest(); err != nil {
		return err
	}
	a.running, a.resent, a.reached, a.failure, a.start, a.postponed = true, false, false, failure{}, now(), 0
	a.eventful.Store(false)
	a.record = outcome.Attempt{
		Channel: m.channel.name, ChannelID: m.channel.id, Key: a.target.key.id, Model: m.model, Start: c.start.until(a.start),
		Why: a.why, Skipped: c.tried.takeSkipped(),
	}
	a.target.begin()
	c.showTarget(&a.target)
	a.beginLoad()
	a.place.call(a.start)
	return nil
}

// advance goes on until the answer has begun or is complete, the attempt has failed, or until is reached. After
// progressQuiet it can be called again and goes on where it was.
func (a *attempt) advance(until instant) progress {
	for a.failure.err == nil {
		if p, done := a.receive(until); done {
			return p
		}
	}
	return progressFailed
}

// limit is when the attempt has been silent for too long. It is not enforced while no other target could do better: when it
// is reached and none is usable, it is postponed.
func (a *attempt) limit() instant {
	c := a.call
	switch {
	case a.isHedge:
		return never // it reads nothing that its call may write
	case a.eventful.Load() || c.begun >= c.route.group.policy.Attempts || !c.tried.othersRemain():
		return never
	}
	return max(a.start.after(a.patience()), a.postponed)
}

// patience is how long the target may be silent, 0 for ever.
func (a *attempt) patience() time.Duration {
	if !a.reached {
		return a.call.route.group.policy.ConnectTimeout
	}
	return a.call.patience()
}

// useBridge makes the bridge between the client and an upstream that speaks p.
func (a *attempt) useBridge(p llm.Protocol) {
	if a.bridge != nil && a.bridgeProtocol == p {
		return
	}
	a.releaseBridge()
	a.bridge, a.bridgeProtocol = codec.Acquire(a.call.request.Protocol, p), p
}

func (a *attempt) releaseBridge() {
	if a.bridge != nil {
		codec.Release(a.bridge)
		a.bridge = nil
	}
}

// passes reports whether the answer's bytes pass as they are: both sides speak the same protocol.
func (a *attempt) passes() bool { return a.bridgeProtocol == a.call.request.Protocol }

// buildRequest makes the upstream request in a.wire.
func (a *attempt) buildRequest() *llm.Error {
	c := a.call
	if a.wire == nil {
		a.wire = acquireBuffer()
	}
	w := slices.Grow(a.wire.bytes[:0], headRoom+len(c.body.bytes)+512)[:headRoom]
	w, err := a.appendRequest(w)
	if err != nil {
		return asError(err)
	}
	a.frame(w)
	return nil
}

// followUp sends the follow-up call that the bridge asks for to the same target, and returns false when there is none. It is
// a part of the same attempt.
func (a *attempt) followUp() bool {
	if a.wire == nil {
		a.wire = acquireBuffer()
	}
	w, ok := a.bridge.FollowUp(slices.Grow(a.wire.bytes[:0], headRoom)[:headRoom])
	if !ok {
		return false
	}
	a.frame(w)
	a.closeExchange()
	a.resent = false
	a.sendRequest()
	return true
}

// asError returns err as an error for the client.
func asError(err error) *llm.Error {
	if e, ok := err.(*llm.Error); ok {
		return e
	}
	return &llm.Error{Kind: llm.Internal, Message: "The gateway failed to build the provider's request."}
}

// sendRequest opens a connection and writes the request to it.
func (a *attempt) sendRequest() {
	a.opened(a.exchange.open(a.target.endpoint.origin, a.connectTimeout()))
}

// connectTimeout bounds opening a connection.
func (a *attempt) connectTimeout() time.Duration {
	c := a.call
	return min(c.route.group.policy.ConnectTimeout, max(1, now().until(c.deadline())))
}

// opened writes the request to the connection that was opened, unless that failed with err.
func (a *attempt) opened(err error) {
	c, x := a.call, &a.exchange
	if err != nil {
		a.failWith(dialFailure(err), &llm.Error{Message: err.Error()})
		return
	}
	a.reached = true
	if !a.attach(x.conn) {
		a.failure = failure{class: outcome.ClassClientGone, err: told(outcome.ClassClientGone, &llm.Error{})}
		return
	}
	until := c.deadline()
	if limit := a.limit(); limit < until && (a.isHedge || c.otherUsable(a.start)) {
		until = limit
	}
	if err := x.send(a.wire.bytes[a.wireStart:], until); err != nil && !x.answeredEarly(err) {
		a.exchangeFailed(err)
	}
}

// exchangeFailed deals with an error of sending the request or of waiting for the answer's header.
func (a *attempt) exchangeFailed(err error) {
	if err == errStale && !a.resent && !a.isHedge && !a.isLost() && a.call.ended() == notAbandoned {
		// Once, at no cost to anyone, on a new connection: where one was dead, the other idle ones are as old.
		a.resent = true
		origin := a.exchange.origin
		a.closeExchange()
		origin.close()
		a.sendRequest()
		return
	}
	a.failWith(exchangeFailure(err), &llm.Error{Message: err.Error()})
}

// receive waits for the answer. It returns false when it is to be called again, unless the attempt has failed.
func (a *attempt) receive(until instant) (progress, bool) {
	c, x := a.call, &a.exchange
	limit := min(until, c.deadline(), a.limit())
	if !x.started {
		switch err := x.await(limit); {
		case err == errQuiet:
			return a.timeIsUp(until)
		case err != nil:
			a.exchangeFailed(err)
			return progressQuiet, false
		}
		a.lastEvent = now()
		a.record.Status = x.header.StatusCode()
		if encoding := x.header.ContentEncoding(); len(encoding) > 0 && string(encoding) != "identity" {
			// None was asked for.
			a.failWith(outcome.ClassNonsense, &llm.Error{Message: "unexpected Content-Encoding " + printable(encoding)})
			return progressQuiet, false
		}
	}
	if status := x.header.StatusCode(); status/100 != 2 {
		return a.receiveError(status)
	}
	if c.streams() {
		return a.receiveStream(limit, until)
	}
	return a.receiveWhole(limit, until)
}

// timeIsUp decides what a quiet upstream means: a failed attempt, or just that until is reached.
func (a *attempt) timeIsUp(until instant) (progress, bool) {
	switch at := now(); {
	case at >= a.call.deadline():
		a.failWith(outcome.ClassSilent, &llm.Error{Message: "deadline"})
		return progressQuiet, false
	case at >= a.limit() && !a.call.otherUsable(at):
		a.postponed = at + instant(postponement)
	case at >= a.limit():
		a.failWith(outcome.ClassSilent, &llm.Error{Message: "no answer in time"})
		return progressQuiet, false
	}
	return progressQuiet, now() >= until
}

// receiveError reads an answer with a status other than 2xx.
func (a *attempt) receiveError(status int) (progress, bool) {
	c, body := a.call, acquireBuffer()
	defer releaseBuffer(body)
	body.bytes, _ = a.exchange.all(body.bytes[:0], maxErrorAnswer, min(c.deadline(), now()+instant(headerTimeout)))
	// A cut body is read as far as it came: the status has said enough.
	answer, e := a.bridge.Reject(nil, status, body.bytes)
	if a.followUp() {
		return progressQuiet, false
	}
	if c.lacksCounting(status) {
		a.record.Message = strings.Clone(cut(e.Message))
		return progressUncounted, true
	}
	e.Status = status
	h := &a.exchange.header
	f := newFailure(status, e, h)
	if c.outcome.Operation == outcome.Stored && status == fasthttp.StatusNotFound {
		f.class, f.err = outcome.ClassInvalid, e // the response is gone, not the model
	}
	if f.err == e && a.passes() {
		f.answer, f.status, f.header = answer, status, new(fasthttp.ResponseHeader)
		h.CopyTo(f.header)
	}
	a.record.Message = strings.Clone(cut(e.Message))
	a.failure = f
	return progressQuiet, false
}

// receiveWhole reads a whole answer.
func (a *attempt) receiveWhole(limit, until instant) (progress, bool) {
	if a.held == nil {
		a.held = acquireBuffer()
	}
	c := a.call
	idleAt := a.idleAt()
	had := len(a.held.bytes)
	body, err := a.collect(min(limit, idleAt))
	if a.held.bytes = body; len(body) > had {
		a.lastEvent = now()
	}
	switch {
	case err == errQuiet && len(body) > had:
		return progressQuiet, now() >= until
	case err == errQuiet && now() >= idleAt:
		a.failWith(outcome.ClassSilent, &llm.Error{Message: "the answer stalled"})
		return progressQuiet, false
	case err == errQuiet:
		return a.timeIsUp(until)
	case err == errTooLarge:
		a.failWith(outcome.ClassNonsense, &llm.Error{Message: "the answer is too large"})
		return progressQuiet, false
	case err != nil:
		a.failWith(outcome.ClassNonsense, &llm.Error{Message: "the answer broke off"})
		return progressQuiet, false
	}
	out, step := body, codec.End
	if op := c.outcome.Operation; op != outcome.Stored && op != outcome.Compact {
		out, step = a.bridge.Answer(nil, body)
	}
	switch step {
	case codec.Failed:
		e := a.bridge.Failure()
		a.failWith(inBand(e), e)
		return progressQuiet, false
	case codec.Again:
		a.held.bytes = a.held.bytes[:0]
		a.followUp()
		return progressQuiet, false
	}
	a.pending = out
	return progressAnswered, true
}

// receiveStream reads a stream up to its first real event, or to its end where the policy is to commit when it is complete.
func (a *attempt) receiveStream(limit, until instant) (progress, bool) {
	for {
		if a.eventful.Load() {
			limit = min(until, a.call.deadline(), a.idleAt())
		}
		step, err := a.feed(limit)
		switch {
		case err == errQuiet && a.eventful.Load() && now() >= a.idleAt():
			a.pending, step = a.bridge.Finish(nil, codec.Stalled)
			if step == codec.Failed {
				a.failCut()
				return progressQuiet, false
			}
			return a.keepLast(), true
		case err == errQuiet:
			return a.timeIsUp(until)
		case step == codec.Hold && len(a.held.bytes) <= maxHeld+4*len(a.call.body.bytes):
			continue
		case step == codec.Hold:
			a.failWith(outcome.ClassNonsense, &llm.Error{Message: "too much before the first event"})
		case step == codec.Failed && a.eventful.Load():
			a.failCut()
		case step == codec.Failed:
			e := a.bridge.Failure()
			a.failWith(inBand(e), e)
		case step == codec.Again && a.eventful.Load():
			a.keep()
			a.followUp()
		case step == codec.Again:
			// What came so far is held, and goes on with the answer to the follow-up call.
			a.held.bytes = append(a.held.bytes, a.pending...)
			a.pending = nil
			a.followUp()
		case step == codec.End:
			a.noteEventful()
			return a.keepLast(), true
		default:
			a.noteEventful()
			if !a.keepsBack() {
				return progressBegun, true
			}
			if a.keep(); len(a.kept.bytes) > maxAnswer {
				// Too much to hold: the client gets it as it comes from here on.
				a.pending = a.kept.bytes
				return progressBegun, true
			}
			continue
		}
		return progressQuiet, false
	}
}

// idleAt is when an answer that has begun has been silent for too long.
func (a *attempt) idleAt() instant { return a.lastEvent.after(a.call.route.group.policy.IdleTimeout) }

// noteEventful notes that the first real event of the stream is here: the target has shown that it answers.
func (a *attempt) noteEventful() {
	if a.eventful.Load() {
		return
	}
	c := a.call
	a.record.FirstToken = a.start.until(now())
	a.eventful.Store(true)
	c.gateway.health.passed(&a.target, &a.pass, &c.route.group.policy.Cooldown)
}

// keepsBack reports whether the client gets nothing of a stream before its end.
func (a *attempt) keepsBack() bool { return a.call.route.group.policy.Commit == config.CommitComplete }

// keep keeps back what is pending.
func (a *attempt) keep() {
	if a.kept == nil {
		a.kept = acquireBuffer()
	}
	a.kept.bytes = append(a.kept.bytes, a.pending...)
	a.pending = nil
}

// keepLast makes all of a complete stream pending.
func (a *attempt) keepLast() progress {
	if a.kept != nil && len(a.kept.bytes) > 0 {
		a.keep()
		a.pending = a.kept.bytes
	}
	return progressAnswered
}

// failCut notes that a stream broke off after its first real event.
func (a *attempt) failCut() {
	f, message := cutFailure(a.bridge.Failure())
	a.record.Message = strings.Clone(cut(message))
	a.failure = f
}

// feed hands the next bytes of a stream to the bridge. What the client gets is in a.pending afterwards, valid until the
// next feed; what has to wait is in a.held. It returns errQuiet when nothing came until then.
func (a *attempt) feed(until instant) (codec.Step, error) {
	if a.held == nil {
		a.held = acquireBuffer()
	}
	held := a.held.bytes
	data, err := a.exchange.next(min(until, a.settledAt()))
	var out []byte
	var step codec.Step
	switch err {
	case nil:
		a.lastEvent = now()
		out, step = a.bridge.Feed(held, data)
		a.noteStop(step)
	case errQuiet:
		if now() < a.settledAt() {
			return codec.Hold, errQuiet
		}
		out, step = a.bridge.Finish(held, codec.Stalled)
	case io.EOF:
		out, step = a.bridge.Finish(held, codec.EOF)
	default:
		out, step = a.bridge.Finish(held, codec.Cut)
	}
	switch {
	case step != codec.Hold:
		// What was held is part of out, and its storage is free again once that is written.
		a.pending, a.held.bytes = out, held[:0]
		if cap(out) > max(cap(held), len(data)) {
			a.held.bytes = out[:0] // it grew: out is not the exchange's memory
		}
	case len(held) == 0:
		a.held.bytes = append(held, out...) // out may be the exchange's memory
	default:
		a.held.bytes = out
	}
	return step, nil
}

// failWith notes that the attempt has failed by what the upstream did wrong; the client is told in our words.
func (a *attempt) failWith(class outcome.Class, e *llm.Error) {
	a.record.Message = strings.Clone(cut(e.Message))
	a.failure = failureOf(class, e)
}

// attach names the connection that is closed when the call is abandoned. It returns false when it is abandoned already.
func (a *attempt) attach(conn *upstreamConn) bool {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.upstream = conn
	a.call.drains = a.target.member.channel.drains
	return a.call.abandoned == notAbandoned && !a.lost
}

// isLost reports whether another attempt has won.
func (a *attempt) isLost() bool {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.lost
}

// cut closes the connection from outside. The caller holds call.mu.
func (a *attempt) cut() {
	if a.upstream != nil {
		_ = a.upstream.Close()
	}
}

// detach must be called before the connection is given back. It returns whether the connection may have been closed from
// outside.
func (a *attempt) detach() bool {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.upstream = nil
	return a.call.abandoned != notAbandoned || a.lost
}

// closeExchange closes the attempt's connection, or gives it back when nobody has closed it from outside.
func (a *attempt) closeExchange() {
	a.exchange.close(a.detach())
	a.stoppedAt = 0
}

// dropHeld drops what the client would have got.
func (a *attempt) dropHeld() {
	a.pending = nil
	for _, b := range [...]*buffer{a.held, a.kept} {
		if b != nil {
			b.bytes = b.bytes[:0]
		}
	}
}

// releaseWire gives the upstream request's buffer back.
func (a *attempt) releaseWire() {
	releaseBuffer(a.wire)
	a.wire = nil
}

// reset makes the attempt ready for another call.
func (a *attempt) reset() {
	a.releaseBridge()
	a.releaseWire()
	releaseBuffer(a.held)
	if cap(a.head) > largestForward {
		a.head = nil
	}
	releaseBuffer(a.kept)
	a.kept = nil
	a.call, a.target, a.held, a.pending, a.failure, a.record = nil, target{}, nil, nil, failure{}, outcome.Attempt{}
	a.start, a.lastEvent, a.lost, a.omitted, a.load = 0, 0, false, 0, nil
}
