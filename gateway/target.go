package gateway

import (
	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// maxKeysTried is how many keys of one channel a call tries: the attempts must reach to the next member.
const maxKeysTried = 2

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

// pickTarget chooses what the next attempt is sent to.
func (c *call) pickTarget() bool {
	a, g, t := &c.attempt, c.route.group, &c.tried
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
	if a.target.member == nil || t.keys.Len() == 0 {
		if a.target.member != nil {
			t.members.Remove(a.target.index)
		}
		i := g.balance.Pick(&t.members)
		if i < 0 {
			return false
		}
		m := &g.members[i]
		protocol := m.via[c.request.Protocol]
		a.target = target{index: i, member: m, endpoint: m.channel.endpoints[protocol], codec: &m.targets[protocol]}
		t.keysTried = 0
		t.keys.Reset(len(m.channel.keys))
		for k := range m.channel.keys {
			t.keys.Add(k)
		}
		a.useBridge(protocol)
	}
	a.target.keyIndex = a.target.member.channel.balance.Pick(&t.keys)
	a.target.key = &a.target.member.channel.keys[a.target.keyIndex]
	t.onTarget = 0
	return true
}
