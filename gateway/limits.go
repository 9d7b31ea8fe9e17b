package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

const (
	// limitWait is the longest time that a call waits for a place, all its waits together.
	limitWait = time.Second
	// mostWaiters is how many calls may wait for places.
	mostWaiters = 1024
)

// limits bound what a channel is given, all its keys together. They belong to a snapshot. Nil is no limits.
type limits struct {
	config.Limits
	*load
}

// newLimits returns the limits of a channel, which may be none.
func (g *Gateway) newLimits(channel string, of config.Limits) *limits {
	if of == (config.Limits{}) {
		return nil
	}
	return &limits{of, g.loads.get(channel, &g.waiters)}
}

// load is what a channel with limits is being given. It outlives snapshots.
type load struct {
	waiters *waiters
	// mu guards what follows.
	mu sync.Mutex
	// running counts the places that are taken.
	running int
	// requests and tokens are those of the last minute.
	requests, tokens window
}

// hold is why a channel can't be given a request now. The zero value is that it can.
type hold struct {
	// busy is that it has as many requests as it may have at once. When that ends is not known.
	busy bool
	// until is when its rate allows a request again, unless it is busy.
	until instant
}

func (h hold) holds() bool { return h != hold{} }

// check returns whether a request of about so many tokens has to wait. The caller holds l.mu.
func (l *limits) check(at instant, tokens int64) hold {
	if l.Concurrency > 0 && l.running >= l.Concurrency {
		return hold{busy: true}
	}
	var h hold
	if l.RPM > 0 {
		h.until = l.requests.room(at, int64(l.RPM), 1)
	}
	if l.TPM > 0 {
		h.until = max(h.until, l.tokens.room(at, int64(l.TPM), tokens))
	}
	return h
}

// held returns why a request of about so many tokens would have to wait.
func (l *limits) held(at instant, tokens int64) hold {
	if l == nil {
		return hold{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.check(at, tokens)
}

// take takes a place for a request of about so many tokens. It returns false when there is none. Without limits the place is
// the zero one.
func (l *limits) take(at instant, tokens int64) (place, bool) {
	if l == nil {
		return place{}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.check(at, tokens).holds() {
		return place{}, false
	}
	tokens = min(tokens, int64(l.TPM))
	l.running++
	l.requests.add(at, 1)
	l.tokens.add(at, tokens)
	return place{load: l.load, taken: at, tokens: tokens}, true
}

// place is the right to call a channel: one of its requests at once, with the request and the tokens that it counts. It is
// given back once, by whoever holds it. The zero value is a place on a channel without limits.
type place struct {
	load *load
	// taken is when it was taken, tokens what was counted for it in advance.
	taken  instant
	tokens int64
	// called is whether the channel was called.
	called bool
}

// call notes that the channel is called once more; the first call was counted when the place was taken.
func (p *place) call(at instant) {
	if p.load == nil {
		return
	}
	if p.called {
		p.load.mu.Lock()
		p.load.requests.add(at, 1)
		p.load.mu.Unlock()
	}
	p.called = true
}

// giveBack ends the place. What was counted in advance is put right by what the channel reported; it stays when an answer
// has begun whose usage is not known.
func (p *place) giveBack(used *llm.Usage, begun bool) {
	l := p.load
	if l == nil {
		return
	}
	at := now()
	l.mu.Lock()
	l.running--
	if !p.called {
		l.requests.takeBack(at, p.taken, 1)
	}
	if used.Knowledge != llm.Unknown || !begun {
		l.tokens.takeBack(at, p.taken, p.tokens)
		l.tokens.add(at, used.Total())
	}
	l.mu.Unlock()
	*p = place{}
	if l.waiters.count.Load() > 0 {
		l.waiters.serve(l)
	}
}

// loads are what channels with limits are being given, by the channel's id.
type loads struct {
	// mu guards known.
	mu    sync.Mutex
	known map[string]*load
}

func (l *loads) get(channel string, w *waiters) *load {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known[channel] == nil {
		if l.known == nil {
			l.known = make(map[string]*load)
		}
		l.known[channel] = &load{waiters: w}
	}
	return l.known[channel]
}

// keep forgets what s does not limit.
func (l *loads) keep(s *snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	used := make(map[*load]bool)
	for _, ch := range s.channels {
		if ch.limits != nil {
			used[ch.limits.load] = true
		}
	}
	for id, load := range l.known {
		if !used[load] {
			delete(l.known, id)
		}
	}
}

// waiters are the calls that wait for a place on one of several channels, first come first served.
type waiters struct {
	// count is the length of line: those who give places back read it, so that they need no lock while nobody waits.
	count atomic.Int64
	// mu guards line. It is taken before a load's.
	mu   sync.Mutex
	line []*waiter
}

// waiter is a call that waits.
type waiter struct {
	// wanted are the limits of the channels that will do.
	wanted []*limits
	tokens int64
	// got is the place that was found, valid once something came on ready.
	got   place
	ready chan struct{}
}

// serve gives the waiters places on a channel as long as there are any.
func (w *waiters) serve(l *load) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 0; i < len(w.line); {
		if !w.line[i].takeOn(l) {
			i++
			continue
		}
		w.line[i].ready <- struct{}{}
		w.remove(i)
	}
}

// takeOn takes a place on a channel for the waiter.
func (w *waiter) takeOn(l *load) (ok bool) {
	for _, wanted := range w.wanted {
		if wanted.load == l {
			w.got, ok = wanted.take(now(), w.tokens)
			return ok
		}
	}
	return false
}

// remove takes the waiter at i out of the line. The caller holds w.mu.
func (w *waiters) remove(i int) {
	w.line = slices.Delete(w.line, i, i+1)
	w.count.Store(int64(len(w.line)))
}

// wait waits until somebody gives back a place that n can have, or until the instant. It returns false when there was none,
// and at once when too many wait already.
func (w *waiters) wait(c *call, n *waiter, until instant) bool {
	n.ready = make(chan struct{}, 1)
	w.mu.Lock()
	if len(w.line) >= mostWaiters {
		w.mu.Unlock()
		return false
	}
	w.line = append(w.line, n)
	w.count.Store(int64(len(w.line)))
	for _, wanted := range n.wanted {
		if n.takeOn(wanted.load) { // given back before the line showed n
			w.remove(len(w.line) - 1)
			w.mu.Unlock()
			return true
		}
	}
	w.mu.Unlock()
	if c.wait(n.ready, until) {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.line, n)
	if i < 0 {
		return true // at the last moment
	}
	w.remove(i)
	return false
}

// giveBackPlace gives back what the attempt holds on its channel, if anything, without an answer.
func (a *attempt) giveBackPlace() { a.place.giveBack(&llm.Usage{}, false) }

// pickOpen is the group's pick among the members of usable whose channel is below its limits. The call holds a place on
// the channel then. When all are at their limits it waits for a moment; if that does not help it notes why and returns -1.
func (c *call) pickOpen(usable *lb.Set) int {
	g := c.route.group
	if !g.limited {
		return c.choose(usable)
	}
	for tokens := c.tokensInAdvance(); ; {
		free := &c.free
		h := g.belowLimits(free, usable, tokens)
		if i := c.choose(free); i >= 0 {
			var ok bool
			if c.attempt.place, ok = g.members[i].channel.limits.take(now(), tokens); ok {
				return i
			}
			continue // somebody else has it
		}
		if !h.holds() || c.attempt.isHedge || !c.awaitPlace(usable, h, tokens) {
			return -1
		}
		if c.attempt.place.load != nil {
			g.onChannel(free, usable, c.attempt.place.load)
			return c.choose(free)
		}
	}
}

// belowLimits makes free the members of usable whose channel is below its limits. It returns what holds the others: busy
// when one of them is, and the first instant at which another's rate allows a request.
func (g *group) belowLimits(free, usable *lb.Set, tokens int64) (all hold) {
	free.CopyFrom(usable)
	at := now()
	for i := range g.members {
		if !usable.Has(i) {
			continue
		}
		h := g.members[i].channel.limits.held(at, tokens)
		if !h.holds() {
			continue
		}
		free.Remove(i)
		all.busy = all.busy || h.busy
		if h.until != 0 && (all.until == 0 || h.until < all.until) {
			all.until = h.until
		}
	}
	return all
}

// onChannel makes free the members of usable on the channel with that load.
func (g *group) onChannel(free, usable *lb.Set, l *load) {
	free.CopyFrom(usable)
	for i := range g.members {
		if limits := g.members[i].channel.limits; limits == nil || limits.load != l {
			free.Remove(i)
		}
	}
}

// awaitPlace waits while h holds all members of usable. It returns true when another pick may succeed: the call may even
// hold a place then. Otherwise the reason is noted.
func (c *call) awaitPlace(usable *lb.Set, h hold, tokens int64) bool {
	if c.placeUntil == 0 {
		c.placeUntil = min(now().after(limitWait), c.deadline())
	}
	until := c.placeUntil
	if h.until != 0 {
		until = min(until, h.until)
	}
	if (h.busy || h.until <= c.placeUntil) && now() < c.placeUntil {
		n := &waiter{tokens: tokens}
		for i := range c.route.group.members {
			if limits := c.route.group.members[i].channel.limits; usable.Has(i) && limits != nil {
				n.wanted = append(n.wanted, limits)
			}
		}
		if c.gateway.waiters.wait(c, n, until) {
			c.attempt.place = n.got
			return true
		}
		if c.ended() != notAbandoned {
			c.noteAbandoned()
			return false
		}
		if h.until != 0 && h.until <= now() && now() < c.placeUntil {
			return true
		}
	}
	f := failure{class: outcome.ClassRateLimited, err: &llm.Error{Kind: llm.RateLimit, RetryAfter: now().until(max(h.until, now()+1)),
		Message: "The gateway limits the rate of requests to the channels of this model."}}
	if h.busy {
		f = failure{class: outcome.ClassOverloaded, err: &llm.Error{Kind: llm.Overloaded, RetryAfter: overloadRetry,
			Message: "The channels of this model serve as many requests as the gateway gives them."}}
	}
	if f.explains(&c.failure) {
		c.failure = f
	}
	return false
}

// tokensInAdvance returns about how many tokens the request will be counted with on a channel, before anybody has reported any.
func (c *call) tokensInAdvance() int64 {
	if !c.route.group.limitsTokens {
		return 0
	}
	return c.promptTokens()
}

// promptTokens guesses how many tokens the prompt has, none of a request that only counts them.
func (c *call) promptTokens() int64 {
	if c.roughTokens == 0 && c.outcome.Operation != outcome.CountTokens && c.body != nil {
		c.roughTokens = roughTokens(c.body.bytes)
	}
	return c.roughTokens
}

// roughTokens guesses how many tokens a request has: one for four bytes, and a thousand for each image or file in base64,
// however large it is.
func roughTokens(body []byte) int64 {
	const bytesPerToken, tokensPerFile, leastFile = 4, 1000, 1 << 10
	text, files, run := len(body), 0, 0
	for _, b := range body {
		if isBase64[b] {
			run++
			continue
		}
		if run >= leastFile {
			text -= run
			files++
		}
		run = 0
	}
	return int64(text/bytesPerToken + files*tokensPerFile)
}

// isBase64 says which bytes stand in base64 inside JSON; some clients escape the slash.
var isBase64 = func() (is [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\") {
		is[b] = true
	}
	return is
}()
