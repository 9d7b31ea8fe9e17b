// Package lb chooses one member of a group. It knows members by index, their weights and priorities, and the Set of
// those that are usable right now; what a member is, and why it is usable, is its caller's business.
//
// Every mode is a Policy. A pick takes no lock and allocates nothing, and any number of goroutines may pick at once. In
// every mode a member with weight 0 is a cold standby: it is picked only when no usable member has a weight above 0.
//
// What round-robin, failover and weighted promise is exact, not statistical. Picks from the same usable members form a
// sequence of their own: any n in a row give each of k equal members n/k picks, rounded up or down, and each weighted
// member exactly its weight in a whole cycle. Picks from other usable members in between, such as the second try of a
// request whose first member failed, do not disturb that sequence, because it has its own cursor (see cursors).
//
// A request owns one Set. It fills it with the usable members, picks, and on failure removes the member and picks
// again, so no member comes twice and the tries of many requests spread over what is left.
//
// Least-latency looks at the Loads of members, which its caller keeps up to date and beside the configuration. Affinity goes
// in front of any mode: it sends requests with the same key to the same member. Ramp brings a member that has recovered
// back in steps. Explain of a mode says why it picks what it picks.
//
// Start reading at Policy, then RoundRobin.
package lb
