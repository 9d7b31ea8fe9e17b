package lb

import (
	"cmp"
	"slices"
)

// Weighted gives usable members shares in proportion to their weights, spread evenly over time. Cold standbys among
// themselves have equal shares.
//
// A cycle is as many picks as the usable weights add up to (divided by their greatest common divisor). The member of
// its t-th pick is computed, not looked up, so there is no table to build when a member goes down, and none to bound
// when weights are large. The heaviest member takes the places of a balanced 0-1 word, which has w ones in W places
// with gaps as even as can be: place t is a one when t*w mod W < w. The places that are left, numbered anew, are shared
// by the other members in the same way, the next heaviest first.
//
// Balanced words are how two queues are best served by fixed shares (Altman, Gaujal, Hordijk: Balanced Sequences and
// Optimal Routing, Journal of the ACM 47, 2000). Nested like this they are about as even as nginx's smooth weighted
// round-robin ("Upstream: smooth weighted round-robin balancing", nginx, 2012), whose picks change the state of every
// member and so need a lock: weights 5, 1, 1 give A B A A C A A, at most three A in a row over cycles, where nginx's
// A A B A C A A has four.
type Weighted struct {
	tiers   tiers
	members []weightedMember // heaviest first
	cursors cursors
}

type weightedMember struct {
	index  int
	weight uint64 // at least 1
}

var _ Policy = (*Weighted)(nil)

// NewWeighted returns a policy for members. It keeps no reference to the list.
func NewWeighted(members []Member) *Weighted {
	w := &Weighted{tiers: newTiers(members, standbyLast), members: make([]weightedMember, len(members))}
	for i, m := range members {
		w.members[i] = weightedMember{index: i, weight: uint64(max(m.Weight, 1))}
	}
	slices.SortStableFunc(w.members, func(a, b weightedMember) int { return cmp.Compare(b.weight, a.weight) })
	return w
}

// Pick implements Policy. Any whole cycle of picks in a row from the same usable members gives each exactly its share.
// The time it takes grows with the number of members.
func (w *Weighted) Pick(usable *Set) int {
	p := w.tiers.pool(usable)
	if p.size < 2 {
		// Fast path: nothing to balance, and nothing to write to.
		return p.at(0)
	}
	var left uint64 // weight of the members not passed over yet
	for i := range w.members {
		if m := &w.members[i]; p.has(m.index) {
			left += m.weight
		}
	}
	t := w.cursors.next(p.key()) % left // place among the picks of the members not passed over yet
	for i := range w.members {
		m := &w.members[i]
		if !p.has(m.index) {
			continue
		}
		before, rest := t*m.weight/left, t*m.weight%left
		if rest < m.weight {
			return m.index
		}
		t -= before + 1
		left -= m.weight
	}
	panic("BUG: the last member of a pool takes every place that is left")
}

// Explain implements Policy.
func (w *Weighted) Explain(usable *Set) Choice { return w.tiers.explain(usable, ReasonShare) }
