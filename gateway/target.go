package gateway

import (
	"octopus/codec"
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

// standing returns how a part of the target fares, nil where nothing is kept of it: of models that no group and no channel
// lists.
func (t *target) standing(s scope) *standing {
	switch s {
	case scopeChannel:
		return t.member.channel.standing
	case scopeKey:
		return t.key.standing
	case scopeModel:
		if h := t.member.health; h != nil {
			return h.standing
		}
	case scopeKeyModel:
		return t.member.keyStanding(t.keyIndex)
	}
	return nil
}

// begin counts an attempt on the target, end takes it back.
func (t *target) begin() {
	if s := t.standing(scopeKeyModel); s != nil {
		s.inFlight.Add(1)
	}
}

func (t *target) end() {
	if s := t.standing(scopeKeyModel); s != nil {
		s.inFlight.Add(-1)
	}
}

// keyStanding returns how the member fares with one of its channel's keys, or nil.
func (m *member) keyStanding(key int) *standing {
	if m.health == nil {
		return nil
	}
	return m.health.keys[key]
}

// isBusy reports whether attempts run on the member.
func (m *member) isBusy() bool {
	for k := range m.channel.keys {
		if s := m.keyStanding(k); s != nil && s.inFlight.Load() > 0 {
			return true
		}
	}
	return false
}

// obstacle is why a member, or one of its keys, can't be used.
type obstacle struct {
	// by is what is out, nil for nothing. key is the index of its key, or -1.
	by  *standing
	key int
	// opens is when a request may be let through again, as far as that is known.
	opens instant
}

// obstacle returns why none of the member's targets can be used now; the zero value's by says that one can.
func (m *member) obstacle(at instant) obstacle {
	o := obstacle{key: -1}
	o.add(m.channel.standing, at)
	if m.health != nil {
		o.add(m.health.standing, at)
	}
	nearest := obstacle{opens: never}
	for k := range m.channel.keys {
		of := m.keyObstacle(k, at)
		if of.by == nil {
			return o
		}
		if of.opens < nearest.opens {
			nearest = of
		}
	}
	if nearest.by != nil && nearest.opens > o.opens {
		return nearest
	}
	return o
}

// keyObstacle returns why the member can't be used with a key now.
func (m *member) keyObstacle(key int, at instant) obstacle {
	o := obstacle{key: key}
	o.add(m.channel.keys[key].standing, at)
	o.add(m.keyStanding(key), at)
	return o
}

// isProbed reports whether a request shows just now whether what is out is back.
func (o *obstacle) isProbed(at instant) bool { return o.by != nil && at >= instant(o.by.until.Load()) }

// add makes the obstacle s if that is out for longer.
func (o *obstacle) add(s *standing, at instant) {
	if s.isOut(at) {
		if opens := s.opens(); o.by == nil || opens > o.opens {
			o.by, o.opens = s, opens
		}
	}
}
