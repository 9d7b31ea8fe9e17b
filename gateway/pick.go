package gateway

import (
	"math/rand/v2"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

const (
	// maxKeysTried is how many keys of one channel a call tries while there are other members: the attempts must reach them.
	maxKeysTried = 2
	// repeatAfter and repeatSpread bound the random pause before the same target is tried again.
	repeatAfter  = 50 * time.Millisecond
	repeatSpread = 200 * time.Millisecond
	// leastWait is the shortest wait for a target: requests that race for one don't spin.
	leastWait = 10 * time.Millisecond
)

// candidates are the targets that a call may still try.
type candidates struct {
	// begun is whether the sets are filled.
	begun bool
	// possible are the members that may be able to carry the request, members those of them that were not tried, or are out.
	possible, members lb.Set
	// late are the members of which only some keys were tried. They come after all others.
	late lb.Set
	// keys are those keys of the current target's channel that were not tried.
	keys lb.Set
	// usable, usableKeys and held are storage of one pick.
	usable, usableKeys, held lb.Set
	// keysBefore are keys while a second target is picked.
	keysBefore lb.Set
	// onTarget counts the attempts on the current target, keysTried the keys of its channel that failed.
	onTarget, keysTried int
	// next says where the next attempt goes, and why the reason for the next target that no pick can know.
	next outcome.Verdict
	why  outcome.Reason

	// waitUntil is when the next pick is due, 0 for at once. recovering is whether a target that comes back makes it due
	// earlier; seen are the changes of health that were known when that was decided.
	waitUntil  instant
	recovering bool
	seen       uint64
	// waitSince is when the call began to wait for a target to come back, 0 when it did not since the last attempt.
	waitSince instant
	// skipped are what was out in the last pick, behind those that attempts have recorded.
	skipped     []outcome.Skip
	skippedFrom int
}

func (t *candidates) reset() {
	clear(t.skipped)
	t.begun, t.onTarget, t.next, t.why = false, 0, outcome.Commit, outcome.ByMode
	t.waitUntil, t.waitSince, t.skipped, t.skippedFrom = 0, 0, t.skipped[:0], 0
}

// othersRemain reports whether a member is left beside the current target's.
func (t *candidates) othersRemain() bool { return t.members.Len()+t.late.Len() > 0 }

// takeSkipped returns what was skipped in the last pick, nil for nothing.
func (t *candidates) takeSkipped() []outcome.Skip {
	n := len(t.skipped)
	s := t.skipped[t.skippedFrom:n:n]
	t.skippedFrom = n
	if n == 0 || len(s) == 0 {
		return nil
	}
	return s
}

// beginCandidates finds the members that may be able to carry the request.
func (c *call) beginCandidates() {
	g, t := c.route.group, &c.tried
	t.begun = true
	t.possible.CopyFrom(&g.eligible[c.request.Protocol])
	c.recall.narrow(&t.possible, g.members)
	if c.outcome.Operation == outcome.Compact {
		g.keepNative(&t.possible, llm.Responses)
	}
	c.leaveOutUnpriced(&t.possible)
	t.members.CopyFrom(&t.possible)
	t.late.Reset(len(g.members))
	t.keys.Reset(0)
}

// pickTarget chooses what the next attempt is sent to, and why. It returns false when there is nothing left to try. When a
// target is worth waiting for, it sets waitUntil instead.
func (c *call) pickTarget() bool {
	t := &c.tried
	if !t.begun {
		c.beginCandidates()
	}
	at := now()
	t.skipped, t.waitUntil = t.skipped[:t.skippedFrom], 0
	if t.next == outcome.TryAgain {
		t.next = outcome.TryNext
		if c.pickAgain(at) {
			return true
		}
	}
	if t.keys.Len() > 0 && c.pickKey(at, false) == admitted {
		c.attempt.why = outcome.ByKey
		return true
	}
	for {
		t.seen = c.gateway.health.changes.Load()
		if c.pickMember(at) || c.pickLate(at) || c.pickLast(at) || c.waitForRecovery(at) {
			return true
		}
		if c.gateway.health.changes.Load() == t.seen {
			return false
		}
		// What was out at the first look may have been back at the second.
		at = now()
		t.skipped = t.skipped[:t.skippedFrom]
	}
}

// pickLate picks one of the members of which only some keys were tried.
func (c *call) pickLate(at instant) bool {
	t := &c.tried
	if t.late.Len() == 0 {
		return false
	}
	for i := range c.route.group.members {
		if t.late.Has(i) {
			t.members.Add(i)
		}
	}
	t.late.Reset(len(c.route.group.members))
	return c.pickMember(at)
}

// pickAgain picks the target of the last attempt, unless that is out by now.
func (c *call) pickAgain(at instant) bool {
	a, h := c.attempt, &c.gateway.health
	if !c.bypassesHealth() && !h.calm() {
		p, admission := h.admit(&a.target, at, true)
		if admission != admitted {
			c.leaveTarget(true)
			return false
		}
		a.pass = p
	}
	a.why = c.tried.why
	return true
}

// pickMember picks a member that was not tried and one of its keys.
func (c *call) pickMember(at instant) bool {
	g, t := c.route.group, &c.tried
	calm := c.bypassesHealth() || c.gateway.health.calm()
	t.usable.CopyFrom(&t.members)
	if !calm {
		c.leaveOut(&t.usable, at)
		t.held.Reset(len(g.members))
	}
	if c.pickUsable(at, false) {
		return true
	}
	if calm || t.held.Len() == 0 {
		return false
	}
	// What has just come back takes more than its part when there is nothing else.
	t.usable.CopyFrom(&t.held)
	return c.pickUsable(at, true)
}

// pickUsable picks one of the usable members and one of its keys. With force, those that have just come back take it in any
// case; else they are put aside in held.
func (c *call) pickUsable(at instant, force bool) bool {
	t := &c.tried
	c.attempt.giveBackPlace()
	only := t.usable.Len() == 1
	for {
		i := c.pickOpen(&t.usable)
		if i < 0 {
			return false
		}
		c.aim(i)
		switch c.pickKey(at, force) {
		case admitted:
			t.members.Remove(i)
			c.attempt.why = c.reason(only)
			return true
		case heldBack:
			t.held.Add(i)
		}
		c.attempt.giveBackPlace()
		t.usable.Remove(i)
		t.keys.Reset(0)
	}
}

// reason is why the target was picked that the attempt is let through to.
func (c *call) reason(only bool) outcome.Reason {
	switch {
	case c.tried.waitSince != 0:
		return outcome.ByWait
	case c.attempt.pass.isProbe():
		return outcome.ByProbe
	case only:
		return outcome.ByDefault
	case c.route.group.affinity != nil && c.affinity.known:
		return outcome.ByAffinity
	case c.route.group.mode == config.ModeFailover:
		return outcome.ByPriority
	}
	return outcome.ByMode
}

// aim makes a member the next target's, with all of its keys to try.
func (c *call) aim(i int) {
	t, m := &c.tried, &c.route.group.members[i]
	protocol := m.via[c.request.Protocol]
	c.attempt.target = target{index: i, member: m, endpoint: m.channel.endpoints[protocol], codec: &m.targets[protocol]}
	c.attempt.omitted = c.attempt.target.endpoint.origin.omitted()
	t.keysTried = 0
	t.keys.Reset(len(m.channel.keys))
	for k := range m.channel.keys {
		t.keys.Add(k)
	}
}

// pickKey picks one of the keys that were not tried of the member that is aimed at.
func (c *call) pickKey(at instant, force bool) grant {
	a, t, h := c.attempt, &c.tried, &c.gateway.health
	ch := a.target.member.channel
	if h.calm() {
		c.setKey(ch.balance.Pick(&t.keys))
		return admitted
	}
	t.usableKeys.CopyFrom(&t.keys)
	for k := range ch.keys {
		if t.usableKeys.Has(k) {
			if o := a.target.member.keyObstacle(k, at); o.by != nil {
				t.usableKeys.Remove(k)
				c.noteSkipped(a.target.member, o)
			}
		}
	}
	if c.bypassesHealth() {
		if t.usableKeys.Len() == 0 {
			t.usableKeys.CopyFrom(&t.keys)
		}
		c.setKey(ch.balance.Pick(&t.usableKeys))
		return admitted
	}
	result := refused
	for {
		k := ch.balance.Pick(&t.usableKeys)
		if k < 0 {
			return result
		}
		c.setKey(k)
		p, admission := h.admit(&a.target, at, force)
		switch admission {
		case admitted:
			a.pass = p
			return admitted
		case heldBack:
			result = heldBack
		}
		t.usableKeys.Remove(k)
	}
}

func (c *call) setKey(k int) {
	a := c.attempt
	a.target.keyIndex, a.target.key = k, &a.target.member.channel.keys[k]
	a.pass = pass{}
	c.tried.onTarget = 0
}

// bypassesHealth reports whether the call goes to its target however that fares: a channel that the client names itself has
// no other to stand in.
func (c *call) bypassesHealth() bool { return c.route.group == &c.route.direct }

// leaveOut takes the members out of the set that are out.
func (c *call) leaveOut(set *lb.Set, at instant) {
	for i := range c.route.group.members {
		if !set.Has(i) {
			continue
		}
		m := &c.route.group.members[i]
		if o := m.obstacle(at); o.by != nil {
			set.Remove(i)
			c.noteSkipped(m, o)
		}
	}
}

// noteSkipped notes that a member was left out of a pick, or one of its keys.
func (c *call) noteSkipped(m *member, o obstacle) {
	skip := outcome.Skip{Channel: m.channel.name, Model: m.model, Class: outcome.Class(o.by.class.Load()),
		Until: c.start.until(o.opens)}
	if o.key >= 0 {
		skip.Key = m.channel.keys[o.key].id
	}
	c.tried.skipped = append(c.tried.skipped, skip)
}

// pickLast picks a target that is out when no other can be used, at most one request per interval for each.
func (c *call) pickLast(at instant) bool {
	a, g, t := c.attempt, c.route.group, &c.tried
	if c.bypassesHealth() || c.gateway.health.calm() {
		return false
	}
	t.usable.CopyFrom(&t.possible)
	for i := range g.members {
		if t.usable.Has(i) && g.members[i].obstacle(at).by == nil {
			t.usable.Remove(i) // it was tried, and is not out
		}
	}
	for {
		i := c.pickOpen(&t.usable)
		if i < 0 {
			return false
		}
		c.aim(i)
		for t.keys.Len() > 0 {
			c.setKey(a.target.member.channel.balance.Pick(&t.keys))
			if p, ok := c.gateway.health.admitLast(&a.target, at); ok {
				a.pass, a.why = p, outcome.ByNeed
				t.members.Remove(i)
				return true
			}
			t.keys.Remove(a.target.keyIndex)
		}
		a.giveBackPlace()
		t.usable.Remove(i)
	}
}

// waitForRecovery decides whether the call waits for a target that is out. Those that are become candidates again.
func (c *call) waitForRecovery(at instant) bool {
	g, t := c.route.group, &c.tried
	if c.bypassesHealth() {
		return false
	}
	since := t.waitSince
	if since == 0 {
		since = at
	}
	most := min(at+instant(longestRecovery), since+instant(longestWait))
	nearest := never
	for i := range g.members {
		if t.possible.Has(i) {
			if o := g.members[i].obstacle(at); o.by != nil {
				t.members.Add(i)
				if o.isProbed(at) || o.by.presumed.Load() && g.members[i].isBusy() {
					o.opens = min(o.opens, most) // an answer may show at any time that it is back
				}
				nearest = min(nearest, o.opens)
			}
		}
	}
	nearest = max(nearest, at+instant(leastWait))
	if nearest >= c.deadline() || nearest > most {
		return false
	}
	t.waitSince, t.waitUntil, t.recovering = since, nearest, true
	return true
}

// leaveTarget makes the next attempt go elsewhere: to another key of the channel when the fault was the key's, and to another
// member when that was tried with enough keys.
func (c *call) leaveTarget(aboutKey bool) {
	a, t := c.attempt, &c.tried
	t.keys.Remove(a.target.keyIndex)
	t.keysTried++
	switch {
	case !aboutKey:
		t.keys.Reset(0)
	case t.keysTried >= maxKeysTried && t.othersRemain():
		if t.keys.Len() > 0 {
			t.late.Add(a.target.index)
		}
		t.keys.Reset(0)
	}
	if !c.bypassesHealth() && a.target.member.obstacle(now()).by != nil {
		// It can't be picked before it is back, and is worth another try then.
		t.members.Add(a.target.index)
	}
}

// leaveModel makes no attempt go to a member with that model again.
func (c *call) leaveModel(model string) {
	t := &c.tried
	for i := range c.route.group.members {
		if sameModel(c.route.group.members[i].model, model) {
			t.possible.Remove(i)
			t.members.Remove(i)
			t.late.Remove(i)
		}
	}
}

// otherUsable reports whether another member could be tried now.
func (c *call) otherUsable(at instant) bool {
	t := &c.tried
	if c.gateway.health.calm() {
		return t.othersRemain()
	}
	for i := range c.route.group.members {
		if (t.members.Has(i) || t.late.Has(i)) && c.route.group.members[i].obstacle(at).by == nil {
			return true
		}
	}
	return false
}

// repeatPause returns the random pause before the same target is tried again.
func repeatPause() time.Duration { return repeatAfter + rand.N(repeatSpread) }
