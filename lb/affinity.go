package lb

import "math/bits"

// Affinity gives requests with the same key the same member, in every replica and every release that knows the same
// members, without any of them keeping or telling anything. When a member goes down, its keys and no others move, spread
// over the rest by weight; when it comes back, they do too. Tiers go before keys: the usable members with the lowest
// priority number come first, cold standbys last.
//
// It is rendezvous hashing (Thaler, Ravishankar: Using Name-Based Mappings to Increase Hit Rates, IEEE/ACM Transactions on
// Networking 6(1), 1998) with weights: every member draws a lot that depends on the key and on itself alone, an
// exponential variable divided by its weight, and the smallest wins (the logarithmic method of Schindelhauer, Schomaker:
// Weighted Distributed Hash Tables, SPAA 2005).
type Affinity struct {
	tiers tiers
	lots  []lot
	// weighted is whether any two weights differ.
	weighted bool
}

type lot struct {
	id     uint64
	weight float64
}

// NewAffinity returns the affinity of members. The ids stand in the same order; each is the Hash of a name that means the
// same member everywhere. Where mode or priorities should not count, members have the same weight above 0 or the same
// priority. NewAffinity keeps no reference to the lists.
func NewAffinity(members []Member, ids []uint64) *Affinity {
	a := &Affinity{tiers: newTiers(members, byPriority), lots: make([]lot, len(members))}
	for i, m := range members {
		a.lots[i] = lot{id: ids[i], weight: float64(max(m.Weight, 1))}
		a.weighted = a.weighted || a.lots[i].weight != a.lots[0].weight
	}
	return a
}

// Pick returns the index of the usable member that requests with that key go to, or -1 when there is none. Key is a Hash:
// its bits must be as good as random. Otherwise it is under the rules of Policy.
func (a *Affinity) Pick(usable *Set, key uint64) int {
	p := a.tiers.pool(usable)
	if p.size < 2 {
		return p.at(0)
	}
	key = avalanche(key)
	picked, most, least := -1, uint64(0), 0.0
	for w := range p.usable {
		for word := p.word(w); word != 0; word &= word - 1 {
			i := w<<6 + bits.TrailingZeros64(word)
			draw := avalanche(key ^ a.lots[i].id)
			if !a.weighted {
				// Fast path: the largest draw has the smallest logarithm below 1.
				if picked < 0 || draw > most {
					picked, most = i, draw
				}
				continue
			}
			if length := binaryLog(draw) / a.lots[i].weight; picked < 0 || length < least {
				picked, least = i, length
			}
		}
	}
	return picked
}

// Explain says why Pick picks the member it picks when these are usable.
func (a *Affinity) Explain(usable *Set) Choice { return a.tiers.explain(usable, ReasonAffinity) }

// binaryLog returns the logarithm to base 2 of 2^64/draw, which is from 0 to 64. It is not that of package math, whose
// last bits differ from machine to machine: replicas must agree. For the same reason every product is converted, which
// keeps compilers from fusing it with the sum (Go specification, "Floating-point operators").
func binaryLog(draw uint64) float64 {
	const log2e = 1.4426950408889634
	draw |= 1
	zeros := bits.LeadingZeros64(draw)
	f := float64(draw<<zeros>>11) / (1 << 52) // from 1 to 2: draw is f * 2^(63-zeros)
	// ln f = 2 * (s + s³/3 + s⁵/5 + …) with s = (f-1)/(f+1), at most 1/3. What is left out is below 1e-17.
	s := (f - 1) / (f + 1)
	square := float64(s * s)
	sum := 0.0
	for odd := 33.0; odd >= 1; odd -= 2 {
		sum = float64(sum*square) + 1/odd
	}
	return float64(zeros+1) - float64(float64(2*log2e*s)*sum)
}
