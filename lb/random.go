package lb

// Random picks every usable member with the same probability. Weights above 0 make no difference.
type Random struct {
	tiers tiers
	intN  func(n int) int
}

var _ Policy = (*Random)(nil)

// NewRandom returns a policy for members. It keeps no reference to the list. The function intN returns a number from 0
// to n-1 and may be called by many goroutines at once; outside tests it is IntN of math/rand/v2, which takes no lock.
func NewRandom(members []Member, intN func(n int) int) *Random {
	return &Random{tiers: newTiers(members, standbyLast), intN: intN}
}

// Pick implements Policy.
func (r *Random) Pick(usable *Set) int {
	p := r.tiers.pool(usable)
	if p.size == 0 {
		return -1
	}
	return p.at(r.intN(p.size))
}

// Explain implements Policy.
func (r *Random) Explain(usable *Set) Choice { return r.tiers.explain(usable, ReasonChance) }
