package gateway

import (
	"crypto/sha256"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

const (
	// failuresInRow is how many failures in a row take out what a single one does not.
	failuresInRow = 3
	// lastResortInterval is how often a target that is out gets a request all the same when nothing else is usable.
	lastResortInterval = 5 * time.Second
	// longestRecovery is how far away the recovery of a target may be that is waited for when all are out, and longestWait
	// how long a call waits between two attempts: others may be the ones to probe.
	longestRecovery = 5 * time.Second
	longestWait     = 15 * time.Second
)

// health is what is known of how targets fare. It lives beside snapshots: what failed stays out when the configuration is
// replaced.
//
// What can be out is a standing: a channel, one of its keys, a model of the channel, a model with one key. A request needs
// all four of its target. A standing that failed is out for a while. Then one request probes it; when that succeeds, the
// others follow in steps, and when it fails, the next while is longer.
//
// Requests read standings without a lock, and none at all while every one is sound. Changes take mu: they follow failures.
type health struct {
	// random returns a number in [0, 1).
	random func() float64
	// troubled counts the standings that are not sound. Written with mu held, read by every request.
	troubled atomic.Int64
	// changes counts the changes that a request which waits for a target should know of. Written with mu held.
	changes atomic.Uint64

	// mu guards what follows, and the fields of standings that say so.
	mu    sync.Mutex
	known map[standingID]*standing
	// changed is closed with the next change, nil while nobody waits for one.
	changed chan struct{}
}

func newHealth() health {
	return health{random: rand.Float64, known: make(map[standingID]*standing)}
}

// scope is which part of a target a standing is about.
type scope uint8

const (
	scopeChannel scope = iota
	scopeModel         // a model of the channel
	scopeKey
	scopeKeyModel
	scopes
	// scopeNone is of failures that say nothing of the target.
	scopeNone
)

// standingID identifies a standing over changes of the configuration. A key whose secret is replaced is another key.
type standingID struct {
	scope               scope
	channel, key, model string
	secret              [sha256.Size]byte
}

// standing is how one thing fares that can be out.
type standing struct {
	// until is when the next probe may go, 0 while the standing is not out. Written with health.mu held, read by requests.
	until atomic.Int64
	// probe is when the running probe was let through, 0 when none runs. Written by requests: who changes it from 0 is the
	// probe.
	probe atomic.Int64
	// tried is when the standing went out, or when a request was let through since. Written by requests.
	tried atomic.Int64
	// back is when the last probe succeeded, and full when the standing takes all requests again; both are 0 before the
	// first and afterwards. Written with health.mu held, read by requests.
	back, full atomic.Int64
	// presumed is whether the time that it is out for is a guess at how long such faults last: nobody has asked for it.
	// Written with health.mu held, read by requests.
	presumed atomic.Bool
	// inRow counts failures since the last success. Written by requests.
	inRow atomic.Int32
	// class is the last failure, an outcome.Class, and failedAt when it was. Written with health.mu held; readers may see
	// one without the other.
	class    atomic.Uint32
	failedAt atomic.Int64
	ramp     lb.Ramp
	// inFlight counts the attempts that run, for standings of a key and a model. Written by requests.
	inFlight atomic.Int64

	// trips is how often it went out since a probe succeeded. Guarded by health.mu.
	trips int
	// dropped standings are of no snapshot any more. Guarded by health.mu.
	dropped bool
}

// sound reports whether the standing takes every request. A nil one, of which nothing is kept, always does.
func (s *standing) sound() bool { return s == nil || s.until.Load() == 0 && s.back.Load() == 0 }

// opens returns when the standing lets a request through, which is at or earlier when it does now.
func (s *standing) opens() instant {
	if s == nil {
		return 0
	}
	until := instant(s.until.Load())
	if until != 0 && s.probe.Load() != 0 {
		// How the probe ends is not known. One that takes long gets company.
		return max(until, instant(s.tried.Load())+instant(lastResortInterval))
	}
	return until
}

// isOut reports whether the standing lets no request through.
func (s *standing) isOut(at instant) bool {
	return s != nil && s.until.Load() != 0 && (at < instant(s.until.Load()) || s.probe.Load() != 0)
}

// percent is the share of its requests that a standing takes which has come back: a quarter, then half of them, then all.
func (s *standing) percent(at instant) int {
	back, full := instant(s.back.Load()), instant(s.full.Load())
	switch {
	case at >= full:
		return 100
	case at >= back+(full-back)/2:
		return 50
	}
	return 25
}

// pass is what an attempt was let through with: the standings of its target that it probes.
type pass struct {
	at     instant
	probes [scopes]bool
}

// isProbe reports whether the attempt probes anything.
func (p *pass) isProbe() bool { return p.probes != [scopes]bool{} }

// grant is whether a request is let through to a target.
type grant uint8

const (
	// admitted requests may be sent.
	admitted grant = iota
	// heldBack requests are more than a target takes that has just come back. They may be sent when there is no other.
	heldBack
	// refused requests may not be sent: the target is out, or another request probes it.
	refused
)

// admit lets a request through to a target, or not. With force, a target that has just come back takes it in any case.
func (h *health) admit(t *target, at instant, force bool) (pass, grant) {
	p := pass{at: at}
	for scope := range scopes {
		if t.standing(scope).isOut(at) {
			return p, refused
		}
	}
	for scope := range scopes {
		s := t.standing(scope)
		switch {
		case s.sound():
		case s.until.Load() != 0:
			if at < instant(s.until.Load()) || !s.probe.CompareAndSwap(0, int64(at)) {
				p.withdraw(t)
				return p, refused
			}
			p.probes[scope] = true
			s.tried.Store(int64(at))
			if at < instant(s.until.Load()) { // another probe failed meanwhile
				p.withdraw(t)
				return p, refused
			}
		default:
			percent := s.percent(at)
			if percent == 100 {
				h.restore(s)
			}
			if !s.ramp.Admit(percent) && !force {
				p.withdraw(t)
				return p, heldBack
			}
		}
	}
	return p, admitted
}

// admitLast lets a request through to a target although it is out, because no other is usable: one per interval.
func (h *health) admitLast(t *target, at instant) (pass, bool) {
	p := pass{at: at}
	for scope := range scopes {
		if s := t.standing(scope); s.isOut(at) && at < instant(s.tried.Load())+instant(lastResortInterval) {
			return p, false
		}
	}
	for scope := range scopes {
		s := t.standing(scope)
		if !s.isOut(at) {
			continue
		}
		tried := s.tried.Load()
		if at < instant(tried)+instant(lastResortInterval) || !s.tried.CompareAndSwap(tried, int64(at)) {
			p.withdraw(t)
			return p, false
		}
		s.probe.Store(int64(at))
		p.probes[scope] = true
	}
	return p, true
}

// release gives the probes of an attempt back that ended neither way.
func (h *health) release(t *target, p *pass) {
	if p.withdraw(t) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.noteChange()
	}
}

// withdraw gives the probes back, and reports whether there were any.
func (p *pass) withdraw(t *target) bool {
	had := false
	for scope := range scopes {
		if p.probes[scope] {
			p.probes[scope] = false
			had = t.standing(scope).probe.CompareAndSwap(int64(p.at), 0) || had
		}
	}
	return had
}

// passed notes that an attempt's answer has begun: what it probed is back. So is a channel or a model that went out while the
// attempt ran, for a fault that says nothing of when it will be over: it was a fault of that one request.
func (h *health) passed(t *target, p *pass, cooldown *config.Cooldown) {
	if h.calm() {
		return
	}
	for scope := range scopes {
		s := t.standing(scope)
		switch {
		case p.probes[scope]:
			p.probes[scope] = false
			h.comeBack(s, cooldown)
		case s != nil && s.until.Load() != 0 && s.presumed.Load():
			h.comeBack(s, cooldown)
		}
	}
}

// comeBack lets a standing take requests again, in steps of half the base of the cooldown.
func (h *health) comeBack(s *standing, cooldown *config.Cooldown) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.until.Load() == 0 {
		return // it was reset
	}
	at := now()
	s.back.Store(int64(at))
	s.full.Store(int64(at) + max(1, int64(cooldown.Base)))
	s.inRow.Store(0)
	s.until.Store(0)
	s.probe.Store(0)
	s.trips = 0
	h.noteChange()
}

// succeeded notes that an answer of a target was complete: failures are no longer in a row.
func (h *health) succeeded(t *target) {
	for _, scope := range [...]scope{scopeChannel, scopeModel} {
		// Fast path: the counter is written only after a failure.
		if s := t.standing(scope); s != nil && s.inRow.Load() != 0 {
			s.inRow.Store(0)
		}
	}
}

// failed notes that an attempt which began at that instant failed, and why. asked is how long the target asked to be left
// alone, or zero.
func (h *health) failed(t *target, p *pass, scope scope, class outcome.Class, began instant, asked time.Duration, cooldown *config.Cooldown) {
	s := t.standing(scope)
	if s == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := now()
	s.class.Store(uint32(class))
	s.failedAt.Store(int64(at))
	probe := p.probes[scope]
	p.probes[scope] = false
	rule := &rules[class]
	if s.until.Load() != 0 && !probe {
		// It went out while the attempt ran, which was not to try it: nothing new, unless it asks for more time.
		if asked > 0 && rule.asks && at+instant(asked) > instant(s.until.Load()) {
			s.until.Store(int64(at + instant(asked)))
			h.noteChange()
		}
		return
	}
	if began < instant(s.back.Load()) {
		return // that is how it was before it came back
	}
	inRow := s.inRow.Add(1)
	if !probe && s.back.Load() == 0 && !rule.atOnce && inRow < failuresInRow {
		return
	}
	if s.sound() && !s.dropped {
		h.troubled.Add(1)
	}
	s.trips++
	rest := h.rest(class, s.trips, cooldown)
	presumed := scope == scopeChannel || scope == scopeModel && class != outcome.ClassModel
	if asked > 0 && rule.asks {
		rest, presumed = asked, false
	}
	s.presumed.Store(presumed)
	s.tried.Store(int64(at))
	s.until.Store(int64(at + instant(max(1, rest))))
	s.back.Store(0)
	s.full.Store(0)
	s.probe.Store(0)
	h.noteChange()
}

// rest is how long something stays out that failed with that class and went out so many times in a row.
func (h *health) rest(class outcome.Class, trips int, cooldown *config.Cooldown) time.Duration {
	base, most := cooldown.Base, cooldown.Max
	switch class {
	case outcome.ClassCredential:
		base, most = 10*time.Minute, 6*time.Hour
	case outcome.ClassQuota:
		base, most = time.Hour, time.Hour
	case outcome.ClassModel:
		base, most = 10*time.Minute, 10*time.Minute
	case outcome.ClassRateLimited:
		// Who limits the rate counts over seconds, and often over minutes.
		base, most = time.Second, max(most, 30*time.Second)
	}
	// With jitter the longest rest is no longer than most: who waits for a target to come back relies on it.
	most = max(base, most*4/5)
	for ; trips > 1 && base < most; trips-- {
		base *= 2
	}
	return time.Duration(float64(min(base, most)) * (0.8 + 0.4*h.random()))
}

// restore notes that a standing takes all requests again.
func (h *health) restore(s *standing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.back.Load() != 0 && instant(s.full.Load()) <= now() {
		h.makeSound(s)
	}
}

// makeSound forgets all that was wrong with a standing. The caller holds mu.
func (h *health) makeSound(s *standing) {
	if !s.sound() && !s.dropped {
		h.troubled.Add(-1)
	}
	s.until.Store(0)
	s.probe.Store(0)
	s.back.Store(0)
	s.full.Store(0)
	s.inRow.Store(0)
	s.trips = 0
}

// calm reports whether every standing is sound.
func (h *health) calm() bool { return h.troubled.Load() == 0 }

// noteChange wakes the requests that wait for a target. The caller holds mu.
func (h *health) noteChange() {
	h.changes.Add(1)
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// awaitChange returns a channel that is closed with the next change, or nil when there was one since seen.
func (h *health) awaitChange(seen uint64) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changes.Load() != seen {
		return nil
	}
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

// standing returns the standing with that identity, making it if need be.
func (h *health) standing(id standingID) *standing {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[id] == nil {
		h.known[id] = new(standing)
	}
	return h.known[id]
}

// keep drops what the snapshot does not use.
func (h *health) keep(s *snapshot) {
	used := make(map[*standing]bool)
	for _, ch := range s.channels {
		used[ch.standing] = true
		for i := range ch.keys {
			used[ch.keys[i].standing] = true
		}
		for _, m := range ch.health {
			used[m.standing] = true
			for _, k := range m.keys {
				used[k] = true
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, s := range h.known {
		if !used[s] {
			h.makeSound(s)
			s.dropped = true // requests that still run on an older snapshot may see it fail
			delete(h.known, id)
		}
	}
}

// reset makes everything of a channel sound, or everything there is when the id is empty.
func (h *health) reset(channelID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, s := range h.known {
		if channelID == "" || id.channel == channelID {
			h.makeSound(s)
		}
	}
	h.noteChange()
}

// modelHealth is how a model of a channel fares: by itself, and with each key.
type modelHealth struct {
	standing *standing
	keys     []*standing
}

// addModel keeps from now on how a model of a channel fares.
func (h *health) addModel(ch *channel, model string) {
	if ch.health[model] != nil {
		return
	}
	m := &modelHealth{standing: h.standing(standingID{scope: scopeModel, channel: ch.id, model: model})}
	for i := range ch.keys {
		k := &ch.keys[i]
		m.keys = append(m.keys, h.standing(standingID{scope: scopeKeyModel, channel: ch.id, key: k.id, model: model, secret: k.secret}))
	}
	ch.health[model] = m
	ch.listed = append(ch.listed, model)
}
