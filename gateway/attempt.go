package gateway

import (
	"bytes"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
	"octopus/lb"
)

const (
	// maxAnswer is the largest whole answer, in bytes: images come in base64.
	maxAnswer = 64 << 20
	// maxErrorAnswer is how much of an upstream's error is read.
	maxErrorAnswer = 256 << 10
	// maxHeld is the most that is held back before a stream's first real event, beside what the provider repeats of the
	// request: response.created and response.in_progress give instructions and tools back, each of them.
	maxHeld = 1 << 20
	// maxKeysTried is how many keys of one channel a call tries: the attempts must reach to the next member.
	maxKeysTried = 2
)

// target is what one attempt is sent to.
type target struct {
	index    int // of the member in its group
	member   *member
	endpoint *endpoint
	key      *channelKey
	keyIndex int
	codec    *codec.Target
}

// triedTargets are the targets that a call may still try.
type triedTargets struct {
	// begun is whether members is filled.
	begun   bool
	members lb.Set
	// keys are those of the current target's channel.
	keys lb.Set
	// onTarget counts the attempts on the current target, keysTried the keys of its channel that failed.
	onTarget, keysTried int
	// next says where the next attempt goes.
	next outcome.Verdict
}

func (t *triedTargets) reset() { t.begun, t.onTarget, t.next = false, 0, outcome.Commit }

// progress is how far advance came.
type progress uint8

const (
	// progressQuiet means that the time is up and nothing is decided.
	progressQuiet progress = iota
	// progressBegun means that a stream's first real event is pending.
	progressBegun
	// progressAnswered means that everything is pending: a whole answer, or a stream that is at its end already.
	progressAnswered
	// progressFailed means that there is no answer; explain says why.
	progressFailed
)

// advance runs attempts until the answer has begun or is complete, no target is left, or until is reached. After
// progressQuiet it can be called again and goes on where it was.
func (c *call) advance(until instant) progress {
	for {
		if !c.attempting && !c.startAttempt() {
			return progressFailed
		}
		if c.state == stateEnded {
			return progressAnswered // no attempt was needed
		}
		if !c.attempting {
			continue // it failed at once
		}
		if p, done := c.receive(until); done {
			return p
		}
	}
}

// deadline is when the call must have an answer (non-stream) or its beginning (stream).
func (c *call) deadline() instant { return c.start.after(c.route.group.policy.Deadline) }

// attemptLimit is when the running attempt has been silent for too long. It is not enforced while no other target could
// do better.
func (c *call) attemptLimit() instant {
	policy := &c.route.group.policy
	limit := policy.AnswerTimeout
	if c.request.Stream {
		limit = policy.FirstTokenTimeout
	}
	if len(c.outcome.Attempts) >= policy.Attempts || c.tried.members.Len() <= 1 {
		return never
	}
	return c.attemptStart.after(limit)
}

// startAttempt picks a target and sends it the request. It returns false when there is nothing left to try.
func (c *call) startAttempt() bool {
	if c.ended() != notAbandoned {
		c.noteAbandoned()
		return false
	}
	if c.tried.next == outcome.GiveUp || len(c.outcome.Attempts) >= c.route.group.policy.Attempts || now() >= c.deadline() {
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
	c.attempting, c.resent = true, false
	c.attemptStart = now()
	c.outcome.Attempts = append(c.outcome.Attempts, outcome.Attempt{
		Channel: c.target.member.channel.name, ChannelID: c.target.member.channel.id, Key: c.target.key.id,
		Model: c.target.member.model, Start: c.start.until(c.attemptStart),
	})
	if err := c.buildRequest(); err != nil {
		c.passOver(err)
		return true
	}
	c.beginLoad()
	c.place.call(c.attemptStart)
	c.sendRequest()
	return true
}

// passOver takes back an attempt whose target can't carry the request, and with it the member: another one may carry it as it
// is. What can't be carried is told when no member is left.
func (c *call) passOver(err *llm.Error) {
	c.attempting = false
	c.outcome.Attempts = c.outcome.Attempts[:len(c.outcome.Attempts)-1]
	if c.refusal == nil {
		c.refusal = err
	}
	c.tried.next = outcome.TryNext
	c.tried.keys.Reset(len(c.target.member.channel.keys))
}

// pickTarget chooses what the next attempt is sent to.
func (c *call) pickTarget() bool {
	g, t := c.route.group, &c.tried
	if !t.begun {
		t.begun = true
		t.members.CopyFrom(&g.eligible[c.request.Protocol])
		c.recall.narrow(&t.members, g.members)
		if c.outcome.Operation == outcome.Compact {
			g.keepNative(&t.members, llm.Responses)
		}
	}
	if t.next == outcome.TryAgain {
		return true
	}
	if c.target.member == nil || t.keys.Len() == 0 {
		if c.target.member != nil {
			t.members.Remove(c.target.index)
		}
		c.place.giveBack(&llm.Usage{}, false)
		i := c.pickMember(&t.members)
		if i < 0 {
			return false
		}
		m := &g.members[i]
		protocol := m.via[c.request.Protocol]
		c.target = target{index: i, member: m, endpoint: m.channel.endpoints[protocol], codec: &m.targets[protocol]}
		c.request.Omit = c.target.endpoint.origin.omitted()
		t.keysTried = 0
		t.keys.Reset(len(m.channel.keys))
		for k := range m.channel.keys {
			t.keys.Add(k)
		}
		c.useBridge(protocol)
	}
	c.target.keyIndex = c.target.member.channel.balance.Pick(&t.keys)
	c.target.key = &c.target.member.channel.keys[c.target.keyIndex]
	t.onTarget = 0
	return true
}

// headRoom is the room in front of an upstream request's body for its head.
const headRoom = 4 << 10

// buildRequest makes the upstream request in c.wire.
func (c *call) buildRequest() *llm.Error {
	if c.wire == nil {
		c.wire = acquireBuffer()
	}
	w := slices.Grow(c.wire.bytes[:0], headRoom+len(c.body.bytes)+512)[:headRoom]
	w, err := c.appendRequest(w)
	if err != nil {
		return asError(err)
	}
	c.frame(w)
	return nil
}

// followUp sends the follow-up call that the bridge asks for to the same target, and returns false when there is none. It is
// a part of the same attempt.
func (c *call) followUp() bool {
	if c.wire == nil {
		c.wire = acquireBuffer()
	}
	w, ok := c.bridge.FollowUp(slices.Grow(c.wire.bytes[:0], headRoom)[:headRoom])
	if !ok {
		return false
	}
	c.frame(w)
	c.closeExchange()
	c.resent = false
	c.sendRequest()
	return true
}

// frame puts the head in front of the body that stands behind headRoom bytes. The body comes first because the head says its
// length.
func (c *call) frame(w []byte) {
	c.wire.bytes = w
	head := c.appendHead(c.head[:0], len(w)-headRoom)
	c.head = head[:0]
	if len(head) > headRoom {
		c.wire.bytes = slices.Insert(w, headRoom, head[headRoom:]...)
		c.wireStart = 0
		copy(c.wire.bytes, head[:headRoom])
		return
	}
	c.wireStart = headRoom - len(head)
	copy(w[c.wireStart:], head)
}

// asError returns err as an error for the client.
func asError(err error) *llm.Error {
	if e, ok := err.(*llm.Error); ok {
		return e
	}
	return &llm.Error{Kind: llm.Internal, Message: "The gateway failed to build the provider's request."}
}

// appendHead appends the head of the upstream request for a body of length bytes.
func (c *call) appendHead(dst []byte, length int) []byte {
	e := c.target.endpoint
	switch c.outcome.Operation {
	case outcome.CountTokens:
		dst = append(append(dst, "POST "...), e.count...)
	case outcome.Stored:
		dst = append(append(append(append(dst, c.stored.method...), ' '), e.generate...), c.stored.suffix...)
	case outcome.Compact:
		dst = append(append(append(dst, "POST "...), e.generate...), "/compact"...)
	default:
		dst = append(append(dst, "POST "...), e.generate...)
	}
	own := e.protocol == c.request.Protocol
	if own {
		dst = appendQuery(dst, e.query, c.query)
	} else {
		dst = appendQuery(dst, e.query, nil)
	}
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, e.host...)
	dst = append(dst, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	if c.request.Stream {
		dst = append(dst, "\r\nAccept: text/event-stream\r\n"...)
	} else {
		dst = append(dst, "\r\nAccept: application/json\r\n"...)
	}
	overrides := c.target.member.channel.overrides
	dst = appendLines(dst, c.forward, overrides)
	if own {
		dst = appendLines(dst, c.forwardOwn, overrides)
	}
	if e.protocol == llm.Messages && !(own && c.hasVersion) && !slices.Contains(overrides, anthropicVersion) {
		dst = append(dst, "Anthropic-Version: 2023-06-01\r\n"...)
	}
	if c.outcome.Operation != outcome.Stored {
		dst = c.bridge.AppendHeader(dst)
	}
	dst = append(dst, c.target.key.headers[e.protocol]...)
	return append(dst, "\r\n"...)
}

// appendQuery appends the base URL's query and the client's, without the client's parameters that the base URL names.
func appendQuery(dst []byte, base string, query []byte) []byte {
	if base == "" {
		if len(query) > 0 {
			dst = append(append(dst, '?'), query...)
		}
		return dst
	}
	dst = append(append(dst, '?'), base...)
	for parameter := range bytes.SplitSeq(query, []byte{'&'}) {
		name, _, _ := bytes.Cut(parameter, []byte{'='})
		if len(parameter) > 0 && !namesParameter(base, name) {
			dst = append(append(dst, '&'), parameter...)
		}
	}
	return dst
}

// namesParameter reports whether a base URL's query has a parameter of that name, however either of them is encoded.
func namesParameter(base string, name []byte) bool {
	decoded, err := url.QueryUnescape(string(name))
	if err != nil {
		return true // a server may read anything into it
	}
	for parameter := range strings.SplitSeq(base, "&") {
		own, _, _ := strings.Cut(parameter, "=")
		if own, err := url.QueryUnescape(own); err == nil && own == decoded {
			return true
		}
	}
	return false
}

// sendRequest opens a connection and writes the request to it.
func (c *call) sendRequest() {
	x := &c.exchange
	timeout := min(c.route.group.policy.ConnectTimeout, max(1, now().until(c.deadline())))
	if err := x.open(c.target.endpoint.origin, timeout); err != nil {
		c.failWith(dialFailure(err), &llm.Error{Message: err.Error()})
		return
	}
	if !c.attach(x.conn) {
		c.noteAbandoned()
		return
	}
	if err := x.send(c.wire.bytes[c.wireStart:], min(c.deadline(), c.attemptLimit())); err != nil && !x.answeredEarly(err) {
		c.exchangeFailed(err)
	}
}

// exchangeFailed deals with an error of sending the request or of waiting for the answer's header.
func (c *call) exchangeFailed(err error) {
	if err == errStale && !c.resent {
		// Once, at no cost to anyone, on a new connection: where one was dead, the other idle ones are as old.
		c.resent = true
		origin := c.exchange.origin
		c.closeExchange()
		origin.close()
		c.sendRequest()
		return
	}
	c.failWith(exchangeFailure(err), &llm.Error{Message: err.Error()})
}

// receive waits for the answer of the running attempt. It returns false when that failed and another may follow.
func (c *call) receive(until instant) (progress, bool) {
	x := &c.exchange
	limit := min(until, c.deadline(), c.attemptLimit())
	if !x.started {
		switch err := x.await(limit); {
		case err == errQuiet:
			return c.timeIsUp(until)
		case err != nil:
			c.exchangeFailed(err)
			return progressFailed, false
		}
		c.lastEvent = now()
		c.outcome.Attempts[len(c.outcome.Attempts)-1].Status = x.header.StatusCode()
		if encoding := x.header.ContentEncoding(); len(encoding) > 0 && string(encoding) != "identity" {
			// None was asked for.
			c.failWith(outcome.ClassNonsense, &llm.Error{Message: "unexpected Content-Encoding " + printable(encoding)})
			return progressFailed, false
		}
	}
	if status := x.header.StatusCode(); status/100 != 2 {
		return c.receiveError(status)
	}
	if c.streams() {
		return c.receiveStream(limit, until)
	}
	return c.receiveWhole(limit, until)
}

// timeIsUp decides what a quiet upstream means: a failed attempt, or just that until is reached.
func (c *call) timeIsUp(until instant) (progress, bool) {
	switch at := now(); {
	case at >= c.deadline():
		c.failWith(outcome.ClassSilent, &llm.Error{Message: "deadline"})
		c.tried.next = outcome.GiveUp
		return progressFailed, false
	case at >= c.attemptLimit():
		c.failWith(outcome.ClassSilent, &llm.Error{Message: "no answer in time"})
		return progressFailed, false
	}
	return progressQuiet, now() >= until
}

// receiveError reads an answer with a status other than 2xx.
func (c *call) receiveError(status int) (progress, bool) {
	body := acquireBuffer()
	defer releaseBuffer(body)
	body.bytes, _ = c.exchange.all(body.bytes[:0], maxErrorAnswer, min(c.deadline(), now()+instant(headerTimeout)))
	// A cut body is read as far as it came: the status has said enough.
	answer, e := c.bridge.Reject(nil, status, body.bytes)
	if c.followUp() {
		return progressFailed, false
	}
	if c.lacksCounting(status) {
		return c.countInstead(e)
	}
	e.Status = status
	h := &c.exchange.header
	f := newFailure(status, e, h)
	if c.outcome.Operation == outcome.Stored && status == fasthttp.StatusNotFound {
		f.class, f.err = outcome.ClassInvalid, e // the response is gone, not the model
	}
	if f.err == e && c.passes() {
		f.answer, f.status, f.header = answer, status, new(fasthttp.ResponseHeader)
		h.CopyTo(f.header)
	}
	c.outcome.Attempts[len(c.outcome.Attempts)-1].Message = strings.Clone(cut(e.Message))
	c.fail(f)
	return progressFailed, false
}

// receiveWhole reads a whole answer.
func (c *call) receiveWhole(limit, until instant) (progress, bool) {
	if c.held == nil {
		c.held = acquireBuffer()
	}
	idleAt := c.lastEvent.after(c.route.group.policy.IdleTimeout)
	had := len(c.held.bytes)
	body, err := c.collect(min(limit, idleAt))
	if c.held.bytes = body; len(body) > had {
		c.lastEvent = now()
	}
	switch {
	case err == errQuiet && len(body) > had:
		return progressQuiet, now() >= until
	case err == errQuiet && now() >= idleAt:
		c.failWith(outcome.ClassSilent, &llm.Error{Message: "the answer stalled"})
		return progressFailed, false
	case err == errQuiet:
		return c.timeIsUp(until)
	case err == errTooLarge:
		c.failWith(outcome.ClassNonsense, &llm.Error{Message: "the answer is too large"})
		return progressFailed, false
	case err != nil:
		c.failWith(outcome.ClassNonsense, &llm.Error{Message: "the answer broke off"})
		return progressFailed, false
	}
	out, step := body, codec.End
	if op := c.outcome.Operation; op != outcome.Stored && op != outcome.Compact {
		out, step = c.bridge.Answer(nil, body)
	}
	switch step {
	case codec.Failed:
		e := c.bridge.Failure()
		c.failWith(inBand(e), e)
		return progressFailed, false
	case codec.Again:
		c.held.bytes = c.held.bytes[:0]
		c.followUp()
		return progressFailed, false
	}
	c.observeAnswer(len(out))
	c.pending, c.state = out, stateEnded
	c.noteOmitted()
	c.remember()
	if c.stored.method == fasthttp.MethodDelete {
		c.recall.forget(strings.TrimPrefix(c.stored.suffix, "/"), nil)
	}
	c.releaseCommitted()
	return progressAnswered, true
}

// receiveStream reads a stream up to its first real event.
func (c *call) receiveStream(limit, until instant) (progress, bool) {
	for {
		step, err := c.feed(limit)
		switch {
		case err == errQuiet:
			return c.timeIsUp(until)
		case step == codec.Hold && len(c.held.bytes) <= maxHeld+4*len(c.body.bytes):
			continue
		case step == codec.Hold:
			c.failWith(outcome.ClassNonsense, &llm.Error{Message: "too much before the first event"})
		case step == codec.Failed:
			e := c.bridge.Failure()
			c.failWith(inBand(e), e)
		case step == codec.Again:
			// What came so far is held, and goes on with the answer to the follow-up call.
			c.held.bytes = append(c.held.bytes, c.pending...)
			c.pending = nil
			c.followUp()
		default:
			c.outcome.FirstToken = c.start.until(now())
			c.noteOmitted()
			c.observeFirstToken()
			c.releaseCommitted()
			if step == codec.End {
				c.state = stateEnded
				c.remember()
				return progressAnswered, true
			}
			c.state = stateBegun
			return progressBegun, true
		}
		return progressFailed, false
	}
}

// feed hands the next bytes of a stream to the bridge. What the client gets is in c.pending afterwards, valid until the
// next feed; what has to wait is in c.held. It returns errQuiet when nothing came until then.
func (c *call) feed(until instant) (codec.Step, error) {
	if c.held == nil {
		c.held = acquireBuffer()
	}
	held := c.held.bytes
	data, err := c.exchange.next(min(until, c.settledAt()))
	var out []byte
	var step codec.Step
	switch err {
	case nil:
		c.lastEvent = now()
		out, step = c.bridge.Feed(held, data)
		c.noteStop(step)
	case errQuiet:
		if now() < c.settledAt() {
			return codec.Hold, errQuiet
		}
		out, step = c.bridge.Finish(held, codec.Stalled)
	case io.EOF:
		out, step = c.bridge.Finish(held, codec.EOF)
	default:
		out, step = c.bridge.Finish(held, codec.Cut)
	}
	switch {
	case step != codec.Hold:
		// What was held is part of out, and its storage is free again once that is written.
		c.pending, c.held.bytes = out, held[:0]
		if cap(out) > max(cap(held), len(data)) {
			c.held.bytes = out[:0] // it grew: out is not the exchange's memory
		}
	case len(held) == 0:
		c.held.bytes = append(held, out...) // out may be the exchange's memory
	default:
		c.held.bytes = out
	}
	return step, nil
}

// failWith is fail for what the upstream did wrong; the client is told in our words.
func (c *call) failWith(class outcome.Class, e *llm.Error) {
	c.outcome.Attempts[len(c.outcome.Attempts)-1].Message = strings.Clone(cut(e.Message))
	c.fail(failureOf(class, e))
}

// fail ends the running attempt, keeps the better explanation, and decides where the next attempt goes.
func (c *call) fail(f failure) {
	if c.ended() != notAbandoned {
		c.noteAbandoned()
		return
	}
	t, rule := &c.tried, rules[f.class]
	t.onTarget++
	policy := &c.route.group.policy
	switch {
	case !rule.others:
		t.next = outcome.GiveUp
	case rule.omit && c.leaveOut(&f):
		t.next = outcome.TryAgain
	case rule.repeat && t.onTarget < policy.AttemptsPerTarget:
		t.next = outcome.TryAgain
	default:
		t.next = outcome.TryNext
		t.keys.Remove(c.target.keyIndex)
		aboutKey := f.class == outcome.ClassCredential || f.class == outcome.ClassQuota || f.class == outcome.ClassRateLimited
		if t.keysTried++; !aboutKey || t.keysTried == maxKeysTried {
			t.keys.Reset(len(c.target.member.channel.keys))
		}
		if rule.otherModel {
			c.skipModel()
		}
	}
	a := &c.outcome.Attempts[len(c.outcome.Attempts)-1]
	a.Class, a.Verdict = f.class, t.next
	if f.explains(&c.failure) {
		c.failure = f
	}
	c.pending = nil
	if c.held != nil {
		c.held.bytes = c.held.bytes[:0]
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
	if c.attempting {
		a := &c.outcome.Attempts[len(c.outcome.Attempts)-1]
		a.Class, a.Verdict = f.class, outcome.GiveUp
	}
	c.endAttempt()
}

// endAttempt closes the running attempt's connection, or gives it back.
func (c *call) endAttempt() {
	if !c.attempting {
		return
	}
	c.attempting = false
	a := &c.outcome.Attempts[len(c.outcome.Attempts)-1]
	a.Duration = c.attemptStart.until(now())
	c.endLoad(a.Class)
	c.gateway.metrics.attempt(c.target.member.channel, a.Class)
	if c.state >= stateBegun && c.outcome.Operation != outcome.Stored {
		c.outcome.Usage = c.bridge.Usage()
	}
	c.closeExchange()
}

// closeExchange closes the attempt's connection, or gives it back when nobody has closed it from outside.
func (c *call) closeExchange() {
	c.exchange.close(c.detach() != notAbandoned)
	c.stoppedAt = 0
}

// explain says why there is no answer.
func (c *call) explain() *llm.Error {
	if c.failure.err != nil {
		return c.failure.err
	}
	if c.refusal != nil {
		c.failure = failure{class: outcome.ClassInvalid, err: c.refusal}
		return c.refusal
	}
	c.failure.class = outcome.ClassUnavailable
	g := c.route.group
	name := c.outcome.Requested
	switch {
	case c.recall.missing() != nil:
		c.failure.err = c.recall.missing()
	case len(g.members) == 0:
		c.failure.err = &llm.Error{Kind: llm.Unavailable, Message: "Group " + strconv.Quote(name) + " has no members."}
	case g.hasNoKeys():
		c.failure.err = &llm.Error{Kind: llm.Unavailable, Message: "No channel of group " + strconv.Quote(name) + " has a key."}
	case now() >= c.deadline():
		c.failure.err = &llm.Error{Kind: llm.Timeout, Message: "The deadline of group " + strconv.Quote(name) + " has passed."}
	default:
		c.failure.err = &llm.Error{Kind: llm.InvalidRequest, Code: "unsupported_endpoint", NoRetry: true,
			Message: "No channel of group " + strconv.Quote(name) + " can be called in the protocol of this endpoint."}
	}
	return c.failure.err
}

// hasNoKeys reports whether no member's channel has a key.
func (g *group) hasNoKeys() bool {
	for i := range g.members {
		if len(g.members[i].channel.keys) > 0 {
			return false
		}
	}
	return true
}
