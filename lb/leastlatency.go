package lb

import "time"

// LeastLatency draws two usable members and picks the one that promises the earlier first token: the one with the lower
// product of its average and of the requests it would have in flight, this one included. Weights above 0 make no
// difference.
//
// Two choices are enough to even out queues (Mitzenmacher: The Power of Two Choices in Randomized Load Balancing, IEEE
// Transactions on Parallel and Distributed Systems 12(10), 2001), and better than taking the best of all: callers that
// pick at the same moment, here or in other replicas, do not all rush to the same member.
type LeastLatency struct {
	tiers tiers
	loads []*Load
	now   func() time.Duration
	intN  func(n int) int
}

var _ Policy = (*LeastLatency)(nil)

// NewLeastLatency returns a policy for members, whose loads stand in the same order. It keeps no reference to the list of
// members, but to that of loads; those are only read here, and written by whoever sends requests. The function now
// returns the monotonic time that the loads are observed with. The function intN returns a number from 0 to n-1; outside
// tests it is IntN of math/rand/v2, which takes no lock. Both may be called by many goroutines at once.
func NewLeastLatency(members []Member, loads []*Load, now func() time.Duration, intN func(n int) int) *LeastLatency {
	return &LeastLatency{tiers: newTiers(members, standbyLast), loads: loads, now: now, intN: intN}
}

// Pick implements Policy. Of two equals it picks the one that was drawn first.
func (l *LeastLatency) Pick(usable *Set) int {
	p := l.tiers.pool(usable)
	if p.size < 2 {
		return p.at(0)
	}
	first, second := l.intN(p.size), l.intN(p.size-1)
	if second >= first {
		second++ // of the others, all as likely
	}
	a, b, now := p.at(first), p.at(second), l.now()
	if l.loads[b].cost(now) < l.loads[a].cost(now) {
		return b
	}
	return a
}

// Explain implements Policy.
func (l *LeastLatency) Explain(usable *Set) Choice { return l.tiers.explain(usable, ReasonLoad) }
