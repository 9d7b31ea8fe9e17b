package gateway

import (
	"math/bits"
	"runtime/debug"
	"sync/atomic"
	"time"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// hedge is a second attempt of a call, on another target, because the first token of its own attempt is late. It runs in a
// goroutine. Whose first real event (or whole answer) is here first wins; the connection of the other is closed at once.
type hedge struct {
	attempt
	// connect bounds opening the connection.
	connect time.Duration
	phase   atomic.Int32
	// begun is what the attempt was when it began: what stands for it in the call should that drop it.
	begun *attempt
	// finished is closed when the goroutine is done with the call; progress is what it came to, and failedAt when it failed
	// by itself, 0 when it did not.
	finished chan struct{}
	progress progress
	failedAt instant
}

// The phases of a hedge. Who changes hedgeDialing decides whether the goroutine may still touch the call: opening a connection
// can't be interrupted, and no answer waits for it.
const (
	hedgeDialing int32 = iota
	hedgeRunning
	hedgeDropped
)

// hedgeAt is when a second target is due, never when there is to be none.
func (c *call) hedgeAt() instant {
	a, g := c.attempt, c.route.group
	if g.hedging == nil || c.hedge != nil || !a.running || a.eventful.Load() {
		return never
	}
	if c.hedgeAfter == 0 {
		c.hedgeAfter = g.hedging.delay(&g.policy.Hedge, c.streams())
	}
	return a.start + instant(c.hedgeAfter)
}

// startHedge starts a second attempt, when another target is usable, the request may be sent twice and the group's share of
// hedges is not used up. Else there is none for this call.
func (c *call) startHedge() {
	of, t := c.route.group, &c.tried
	c.hedgeAfter = time.Duration(never) // once at most
	if c.begun >= of.policy.Attempts || !c.otherUsable(now()) || !c.isHedgeable() || !of.hedging.take() {
		return
	}
	h := &hedge{finished: make(chan struct{})}
	h.call, h.isHedge = c, true
	t.keysBefore.CopyFrom(&t.keys)
	keysTried, onTarget := t.keysTried, t.onTarget
	c.attempt = &h.attempt
	picked := c.pickMember(now())
	c.attempt = &c.own
	t.keys.CopyFrom(&t.keysBefore)
	t.keysTried, t.onTarget = keysTried, onTarget
	if !picked {
		of.hedging.giveBack()
		return
	}
	h.why, h.connect = outcome.ByHedge, h.connectTimeout()
	h.useBridge(h.target.codec.Protocol)
	if h.begin() != nil {
		h.giveBackPlace()
		c.gateway.health.release(&h.target, &h.pass)
		t.possible.Remove(h.target.index)
		h.reset()
		of.hedging.giveBack()
		return
	}
	h.begun = &attempt{call: c, target: h.target, start: h.start, pass: h.pass, record: h.record, running: true,
		place: h.place, load: h.load}
	c.begun++
	c.mu.Lock()
	c.hedge, c.racing = h, true
	c.mu.Unlock()
	g := c.gateway // the goroutine may outlive the call
	g.hedges.Go(func() { h.run(g) })
}

// isHedgeable reports whether the request may be sent twice: nothing remains of it but the answer.
func (c *call) isHedgeable() bool {
	r := &c.request
	if c.outcome.Operation != outcome.Generate || r.Store || r.Previous != "" {
		return false
	}
	for _, name := range [...]string{"store", "background"} {
		if json.Truthy(json.Get(r.Body, name)) {
			return false
		}
	}
	for _, name := range [...]string{"conversation", "container", "mcp_servers", "web_search_options"} {
		if !json.IsEmpty(json.Get(r.Body, name)) {
			return false
		}
	}
	tools := json.Array(json.Get(r.Body, "tools"))
	for tools.Next() {
		switch kind, _ := json.Unquote(json.Get(tools.Value(), "type")); string(kind) {
		case "", "function", "custom":
		default:
			return false // the provider itself runs it, or may
		}
	}
	return true
}

// run is the hedge's goroutine. The gateway is given because a call that the hedge was dropped from may be over.
func (h *hedge) run(g *Gateway) {
	err := h.exchange.open(h.target.endpoint.origin, h.connect)
	if !h.phase.CompareAndSwap(hedgeDialing, hedgeRunning) {
		h.exchange.close(true)
		h.attempt.reset()
		return
	}
	defer close(h.finished)
	defer func() {
		if r := recover(); r != nil {
			g.metrics.panics.Inc()
			g.logger.Error("panic in a hedge", "panic", r, "stack", string(debug.Stack()))
			h.progress = progressFailed
			h.failure = failure{class: outcome.ClassInternal, err: told(outcome.ClassInternal, &llm.Error{})}
		}
	}()
	h.opened(err)
	h.progress = h.advance(h.call.deadline())
	if h.progress == progressBegun || h.progress == progressAnswered {
		h.call.decide(&h.attempt)
	} else if !h.isLost() && h.call.ended() == notAbandoned {
		h.failedAt = now()
	}
}

// decide makes a the attempt that the client is answered by, unless the other one is already, and reports whether it is.
func (c *call) decide(a *attempt) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.decided == nil {
		c.decided = a
		for _, other := range [...]*attempt{&c.own, &c.hedge.attempt} {
			if other != a {
				other.lost = true
				other.cut()
			}
		}
	}
	return c.decided == a
}

// race goes on with both attempts until the answer has begun or is complete, none is left, or until is reached. It returns
// false when advance has to go on without a race.
func (c *call) race(until instant) (progress, bool) {
	own, h := &c.own, c.hedge
	p := progressQuiet
	if own.running {
		p = own.advance(until)
	} else if !c.awaitHedge(until) {
		return progressQuiet, false
	}
	if c.ended() != notAbandoned {
		c.stopHedge(c.lose)
		c.noteAbandoned()
		return progressFailed, true
	}
	if (p == progressBegun || p == progressAnswered) && c.decide(own) {
		c.stopHedge(c.lose)
		c.bind(p)
		return p, true
	}
	if c.isDecided() {
		<-h.finished // it has won
	}
	select {
	case <-h.finished:
		return c.takeHedge(p)
	default:
	}
	switch {
	case p == progressFailed:
		if c.judge(own.failure); c.tried.next == outcome.GiveUp {
			c.stopHedge(c.lose)
		}
		return p, false
	case p == progressUncounted:
		panic("BUG: hedged a request to count tokens")
	}
	return progressQuiet, now() >= until
}

// awaitHedge waits for a hedge whose call's own attempt has failed, at most until that instant. It returns false when the hedge
// has been silent for too long.
func (c *call) awaitHedge(until instant) bool {
	h, at := c.hedge, now()
	silentAt := never
	if !h.eventful.Load() {
		silentAt = h.begun.start.after(c.patience())
	}
	if at >= silentAt {
		if c.begun < c.route.group.policy.Attempts && c.otherUsable(at) {
			c.stopHedge(c.failSilent)
			return false
		}
		silentAt = at + instant(postponement)
	}
	if at >= c.deadline() {
		c.stopHedge(c.failSilent)
		c.tried.next = outcome.GiveUp
		return false
	}
	if next := min(until, silentAt, c.deadline()); at < next {
		c.wait(h.finished, next)
	}
	return true
}

// failSilent ends an attempt that was silent for too long.
func (c *call) failSilent(a *attempt) {
	f := failure{class: outcome.ClassSilent, err: told(outcome.ClassSilent, &llm.Error{})}
	c.noteFailure(a, &f)
	a.record.Class, a.record.Verdict = f.class, outcome.TryNext
	if f.explains(&c.failure) {
		c.failure = f
	}
	c.end(a)
	a.giveBackPlace()
}

// takeHedge ends the race with a hedge that has finished; p is what its call's own attempt has come to.
func (c *call) takeHedge(p progress) (progress, bool) {
	own, h := &c.own, c.hedge
	c.racing = false
	if h.progress != progressBegun && h.progress != progressAnswered {
		c.endFailedHedge()
		if p == progressFailed {
			c.judge(own.failure)
		}
		return p, false
	}
	c.lose(own)
	c.attempt = &h.attempt
	c.bind(h.progress)
	return h.progress, true
}

// endFailedHedge ends a hedge that failed by itself. What it learnt of the request itself holds for all targets.
func (c *call) endFailedHedge() {
	h, rule := c.hedge, &rules[c.hedge.failure.class]
	c.noteFailure(&h.attempt, &h.failure)
	h.record.Class, h.record.Verdict = h.failure.class, outcome.TryNext
	switch {
	case !rule.others:
		h.record.Verdict = outcome.GiveUp
		c.tried.next, c.tried.waitUntil = outcome.GiveUp, 0
	case rule.otherModel:
		c.leaveModel(h.target.member.model)
	}
	if h.failure.explains(&c.failure) {
		c.failure = h.failure
	}
	c.end(&h.attempt)
	h.giveBackPlace()
	if h.failedAt != 0 {
		c.outcome.Attempts[len(c.outcome.Attempts)-1].Duration = h.start.until(h.failedAt)
	}
}

// isDecided reports whether the hedge has won.
func (c *call) isDecided() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.decided == &c.hedge.attempt
}

// stopHedge ends the race without the hedge, which is ended by how.
func (c *call) stopHedge(how func(*attempt)) {
	h := c.hedge
	c.racing = false
	dropped := h.begun
	if h.phase.CompareAndSwap(hedgeDialing, hedgeDropped) {
		// The goroutine cleans up when it has its connection. The hedge is its own from here on.
		c.mu.Lock()
		c.hedge = nil
		c.mu.Unlock()
		how(dropped)
		return
	}
	c.mu.Lock()
	h.lost = true
	h.cut()
	c.mu.Unlock()
	if <-h.finished; h.failedAt != 0 {
		c.endFailedHedge()
		return
	}
	how(&h.attempt)
}

// lose ends an attempt that another one was faster than, or whose call has ended.
func (c *call) lose(a *attempt) {
	a.record.Class, a.record.Verdict = outcome.ClassNone, outcome.Lose
	c.end(a)
	a.giveBackPlace()
}

// release gives back what a hedge holds whose goroutine is done.
func (h *hedge) release() { h.attempt.reset() }

// estimateLost writes down what attempts used that lost a race: the provider was not heard to its end, but has read the same
// prompt as the one that won.
func (c *call) estimateLost() {
	prompt := c.outcome.Usage.Prompt()
	for i := range c.outcome.Attempts {
		if a := &c.outcome.Attempts[i]; a.Verdict == outcome.Lose && prompt > 0 {
			a.Usage = llm.Usage{Input: prompt, Knowledge: llm.Estimated}
		}
	}
}

// hedging is what the hedges of a group share. It is kept over changes of the configuration.
type hedging struct {
	share int64
	// credit is what hedges are paid from, in hundredths: each request adds the share, each hedge takes a whole. So hedges are
	// never more than their share of the requests, nor many at once after a calm time. Written by requests.
	credit atomic.Int64
	// streams and wholes are the times to the first real event, or to the whole answer.
	streams, wholes latency
}

// mostCredit is how many hedges may be saved up.
const mostCredit = 10 * 100

// newHedging returns what hedges of a group share, nil when its policy is to have none. It is taken over from before.
func newHedging(policy *config.Hedge, before *group) *hedging {
	if policy.MaxShare == 0 || !policy.P95 && policy.After == 0 {
		return nil
	}
	if before != nil && before.hedging != nil && before.hedging.share == int64(policy.MaxShare) {
		return before.hedging
	}
	return &hedging{share: int64(policy.MaxShare)}
}

// count counts a request of the group.
func (h *hedging) count() {
	for {
		had := h.credit.Load()
		if had >= mostCredit || h.credit.CompareAndSwap(had, min(had+h.share, mostCredit)) {
			return
		}
	}
}

// take takes one hedge, if there is credit for it.
func (h *hedging) take() bool {
	for {
		had := h.credit.Load()
		if had < 100 {
			return false
		}
		if h.credit.CompareAndSwap(had, had-100) {
			return true
		}
	}
}

// giveBack takes back a take.
func (h *hedging) giveBack() { h.credit.Add(100) }

// delay is how long after the start of an attempt its hedge is due.
func (h *hedging) delay(policy *config.Hedge, stream bool) time.Duration {
	if !policy.P95 {
		return policy.After
	}
	if stream {
		return h.streams.p95()
	}
	return h.wholes.p95()
}

// observe notes that an answer began, or was there as a whole, after that time.
func (h *hedging) observe(stream bool, after time.Duration) {
	if stream {
		h.streams.observe(after)
	} else {
		h.wholes.observe(after)
	}
}

// latency is a histogram of times that forgets: once it has counted many, all counts are halved. Four buckets share a power
// of two of microseconds. The zero value is empty.
type latency struct {
	// buckets and seen are written by observe; readers may see an update, or a halving, in part.
	buckets [4 * 40]atomic.Int64
	seen    atomic.Int64
}

const (
	// latencyForgets is after how many times a latency forgets half of them.
	latencyForgets = 2000
	// latencyKnows is from how many times on a latency has a percentile.
	latencyKnows = 20
)

func (l *latency) observe(d time.Duration) {
	us := uint64(max(d.Microseconds(), 4))
	e := bits.Len64(us)
	l.buckets[min(4*(e-3)+int(us>>(e-3)&3), len(l.buckets)-1)].Add(1)
	if n := l.seen.Add(1); n >= latencyForgets && l.seen.CompareAndSwap(n, n/2) {
		for i := range l.buckets {
			had := l.buckets[i].Load()
			l.buckets[i].Add(had/2 - had)
		}
	}
}

// p95 returns the time that 95 of a hundred observed ones were within, rounded up by a fifth at most, or never's length when
// too few were observed.
func (l *latency) p95() time.Duration {
	var total, below int64
	for i := range l.buckets {
		total += l.buckets[i].Load()
	}
	if total < latencyKnows {
		return time.Duration(never)
	}
	for i := range l.buckets {
		if below += l.buckets[i].Load(); below*100 >= total*95 {
			return time.Duration((uint64(i&3)+5)<<(i/4)) * time.Microsecond
		}
	}
	return time.Duration(never)
}
