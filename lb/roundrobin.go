package lb

// RoundRobin gives every usable member its turn, in the order of indexes. Weights above 0 make no difference.
type RoundRobin struct {
	tiers   tiers
	cursors cursors
}

var _ Policy = (*RoundRobin)(nil)

// NewRoundRobin returns a policy for members. It keeps no reference to the list.
func NewRoundRobin(members []Member) *RoundRobin {
	return &RoundRobin{tiers: newTiers(members, standbyLast)}
}

// Pick implements Policy. Of any n picks in a row from the same k usable members, each gets n/k, rounded up or down.
func (r *RoundRobin) Pick(usable *Set) int {
	p := r.tiers.pool(usable)
	if p.size < 2 {
		// Fast path: nothing to balance, and nothing to write to.
		return p.at(0)
	}
	return p.at(int(r.cursors.next(p.key()) % uint64(p.size)))
}

// Explain implements Policy.
func (r *RoundRobin) Explain(usable *Set) Choice { return r.tiers.explain(usable, ReasonTurn) }
