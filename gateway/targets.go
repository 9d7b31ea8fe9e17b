package gateway

import (
	"reflect"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// TargetState is whether a target takes requests.
type TargetState string

// The states of a target.
const (
	// TargetSound targets take every request.
	TargetSound TargetState = "sound"
	// TargetOut targets take none until their time is over.
	TargetOut TargetState = "out"
	// TargetProbing targets take none until the request has ended that shows whether they are back.
	TargetProbing TargetState = "probing"
	// TargetReturning targets take a part of their requests: they have just come back.
	TargetReturning TargetState = "returning"
)

// TargetHealth is how a target fares.
type TargetHealth struct {
	// ChannelID and Channel, KeyID and Key name the channel and its key by id and name. KeyID is empty for channels that
	// need no key. Model is the upstream's name.
	ChannelID, Channel, KeyID, Key, Model string
	State                                 TargetState
	// Until is when a request may be let through, zero unless State is TargetOut. Why is why it is out.
	Until time.Time
	Why   outcome.Class
	// LastError is the last failure that counted against any part of the target, ClassNone for none, and LastErrorAt when
	// it was.
	LastError   outcome.Class
	LastErrorAt time.Time
	// InFlight is how many attempts run.
	InFlight int64
	// Latency is about how long the first token takes of the model at the channel, zero when nothing is known.
	Latency time.Duration
}

// Targets returns how every target fares that the configuration names, in its order.
func (g *Gateway) Targets() []TargetHealth {
	s := g.snapshot.Load()
	if s == nil {
		return nil
	}
	var list []TargetHealth
	at := now()
	for i := range s.config.Channels {
		cfg := &s.config.Channels[i]
		ch := s.channels[cfg.Name]
		if ch == nil {
			continue
		}
		for _, model := range ch.listed {
			m, latency := newMember(ch, model), time.Duration(0)
			if l := s.loads[loadID{ch.id, model}]; l != nil {
				latency = l.Latency(time.Duration(at))
			}
			for k := range ch.keys {
				list = append(list, m.targetHealth(k, cfg, at))
				list[len(list)-1].Latency = latency
			}
		}
	}
	return list
}

// targetHealth returns how the member fares with a key.
func (m *member) targetHealth(key int, cfg *config.Channel, at instant) TargetHealth {
	ch := m.channel
	h := TargetHealth{ChannelID: ch.id, Channel: ch.name, KeyID: ch.keys[key].id, Model: m.model, State: TargetSound}
	if key < len(cfg.Keys) {
		h.Key = cfg.Keys[key].Name
	}
	t := target{member: m, key: &ch.keys[key], keyIndex: key}
	o := obstacle{key: key}
	var failedAt instant
	for scope := range scopes {
		s := t.standing(scope)
		o.add(s, at)
		if at := instant(s.failedAt.Load()); at > failedAt {
			failedAt, h.LastError, h.LastErrorAt = at, outcome.Class(s.class.Load()), at.time()
		}
		if h.State == TargetSound && s.until.Load() == 0 && s.back.Load() != 0 && s.percent(at) < 100 {
			h.State = TargetReturning
		}
	}
	h.InFlight = t.standing(scopeKeyModel).inFlight.Load()
	if o.by == nil {
		return h
	}
	h.Why = outcome.Class(o.by.class.Load())
	if h.State = TargetProbing; !o.isProbed(at) {
		h.State, h.Until = TargetOut, o.opens.time()
	}
	return h
}

// ResetHealth lets a channel with that id, its keys and its models take requests again whatever had happened: after a test
// that passed, or when an operator knows better. An empty id stands for all channels.
func (g *Gateway) ResetHealth(channelID string) { g.health.reset(channelID) }

// resetEdited forgets what was wrong with channels that are configured otherwise now.
func (g *Gateway) resetEdited(previous, next *snapshot) {
	if previous == nil {
		return
	}
	old := make(map[string]*config.Channel)
	for i := range previous.config.Channels {
		c := &previous.config.Channels[i]
		old[c.ID] = c
	}
	for i := range next.config.Channels {
		c := &next.config.Channels[i]
		if before := old[c.ID]; before != nil && !reachedAlike(*before, *c) {
			g.health.reset(c.ID)
		}
	}
}

// reachedAlike reports whether two configurations of a channel differ in nothing that its requests depend on.
func reachedAlike(a, b config.Channel) bool {
	a.Object, a.Name, a.Models, a.ModelSync, a.PriceMultiplier = b.Object, b.Name, b.Models, b.ModelSync, b.PriceMultiplier
	return reflect.DeepEqual(a, b)
}

// cooling returns how many targets of a channel are out.
func (g *Gateway) cooling(channel string) int {
	s := g.snapshot.Load()
	if s == nil || s.channels[channel] == nil || g.health.calm() {
		return 0
	}
	n, at, ch := 0, now(), s.channels[channel]
	for _, model := range ch.listed {
		m := newMember(ch, model)
		if o := m.obstacle(at); o.by != nil && o.key < 0 {
			n += len(ch.keys)
			continue
		}
		for k := range ch.keys {
			if m.keyObstacle(k, at).by != nil {
				n++
			}
		}
	}
	return n
}
