package lb

// Policy decides which member a request goes to. The modes that count, RoundRobin, Failover and Weighted, remember where
// they are in the policy itself. So a group whose members did not change (slices.Equal over its Member list) keeps its
// policy when the configuration around it is replaced, and its sequence goes on.
type Policy interface {
	// Pick returns the index of a usable member, or -1 when there is none. Usable is borrowed for the call and not
	// changed; it must have been Reset for as many members as the policy was made for. Pick may be called by any number
	// of goroutines at once, each with a Set of its own.
	Pick(usable *Set) int
	// Explain says why Pick picks the member it picks when these are usable. It is under the same rules, and changes
	// nothing.
	Explain(usable *Set) Choice
}

// Member is what a policy knows of a member. Its index is its place in the list that the policy was made from.
type Member struct {
	// Weight is the member's share in mode weighted, up to 1 000 000. 0, or less, makes it a cold standby in every
	// mode.
	Weight int
	// Priority orders members in mode failover, lower first. Other modes ignore it.
	Priority int
}

func (m Member) standby() bool { return m.Weight <= 0 }
