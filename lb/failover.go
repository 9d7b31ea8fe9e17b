package lb

// Failover picks from the usable members with the lowest priority number; those that share it take turns, as in
// RoundRobin. Cold standbys come after all others whatever their priority, and among themselves by priority.
type Failover struct {
	roundRobin RoundRobin
}

var _ Policy = (*Failover)(nil)

// NewFailover returns a policy for members. It keeps no reference to the list.
func NewFailover(members []Member) *Failover {
	return &Failover{RoundRobin{tiers: newTiers(members, byPriority)}}
}

// Pick implements Policy.
func (f *Failover) Pick(usable *Set) int { return f.roundRobin.Pick(usable) }

// Explain implements Policy.
func (f *Failover) Explain(usable *Set) Choice { return f.roundRobin.Explain(usable) }
