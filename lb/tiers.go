package lb

import (
	"cmp"
	"math/bits"
	"slices"
)

// tiers are the members of a policy in the order in which they are called upon: a tier is used only while no member of
// an earlier one is usable. A tier is never empty.
type tiers []tier

type tier struct {
	members Set
	standby bool // whether its members are cold standbys
}

// newTiers puts members that compare equal into one tier, and the tiers in ascending order.
func newTiers(members []Member, compare func(a, b Member) int) tiers {
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(members[a], members[b]) })
	var t tiers
	for n, i := range order {
		if n == 0 || compare(members[order[n-1]], members[i]) != 0 {
			t = append(t, tier{standby: members[i].standby()})
			t[len(t)-1].members.Reset(len(members))
		}
		t[len(t)-1].members.Add(i)
	}
	return t
}

// standbyLast orders cold standbys after all others.
func standbyLast(a, b Member) int {
	switch {
	case a.standby() == b.standby():
		return 0
	case b.standby():
		return -1
	}
	return 1
}

// byPriority orders by priority, and cold standbys after all others.
func byPriority(a, b Member) int {
	return cmp.Or(standbyLast(a, b), cmp.Compare(a.Priority, b.Priority))
}

// pool returns the usable members of the first tier that has any. Its size is 0 when nothing is usable.
func (t tiers) pool(usable *Set) pool {
	for i := range t {
		if p := t[i].pool(usable); p.size > 0 {
			return p
		}
	}
	return pool{}
}

// explain says why a member of the pool is picked, by being the reason among several of one tier.
func (t tiers) explain(usable *Set, by Reason) Choice {
	for i := range t {
		p := t[i].pool(usable)
		switch {
		case p.size == 0:
			continue
		case t[i].standby:
			return Choice{ReasonStandby, p.size}
		case p.size > 1:
			return Choice{by, p.size}
		}
		for _, later := range t[i+1:] {
			if !later.standby && later.pool(usable).size > 0 {
				return Choice{ReasonPriority, p.size}
			}
		}
		return Choice{ReasonOnly, p.size}
	}
	return Choice{}
}

// pool returns the usable members of the tier.
func (t *tier) pool(usable *Set) pool {
	p := pool{usable: usable.words, tier: t.members.words}
	for w := range p.usable {
		p.size += bits.OnesCount64(p.word(w))
	}
	return p
}

// pool is what one pick chooses from: the usable members of one tier. It borrows both sets.
type pool struct {
	usable, tier []uint64
	size         int
}

func (p *pool) word(w int) uint64 { return p.usable[w] & p.tier[w] }

func (p *pool) has(i int) bool { return p.word(i>>6)>>(i&63)&1 != 0 }

// at returns the n-th member of the pool in the order of indexes, counted from 0, or -1 when the pool is not that
// large.
func (p *pool) at(n int) int {
	for w := range p.usable {
		word := p.word(w)
		if ones := bits.OnesCount64(word); n >= ones {
			n -= ones
			continue
		}
		for ; n > 0; n-- {
			word &= word - 1
		}
		return w<<6 + bits.TrailingZeros64(word)
	}
	return -1
}

// key identifies the pool among those of its policy. Up to 64 members, different pools have different keys, none of
// them 0; beyond, keys are 64-bit hashes.
func (p *pool) key() uint64 {
	var h uint64
	for w := range p.usable {
		// Each step maps h one to one: an odd factor, then a shift that brings the high bits to the low ones.
		h = (h ^ p.word(w)) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	return h
}
