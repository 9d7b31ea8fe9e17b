package lb

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestRoundRobinFollowsTheListFromItsFirstMember(t *testing.T) {
	if got, want := picks(NewRoundRobin(equal(3)), allOf(3), 7), []int{0, 1, 2, 0, 1, 2, 0}; !slices.Equal(got, want) {
		t.Errorf("picked %v, want %v", got, want)
	}
}

func TestRoundRobinIgnoresWeightsAboveZero(t *testing.T) {
	wantCycles(t, "picks", picks(NewRoundRobin(weights(1000, 1, 7)), allOf(3), 30), []int{1, 1, 1})
}

// Exact means: of any n picks in a row from the same k usable members, each gets n/k, rounded up or down.
func TestRoundRobinIsExactOverAnyRunOfPicks(t *testing.T) {
	for _, test := range []struct {
		name    string
		members int
		down    []int
	}{
		{"all up", 5, nil},
		{"one member down", 5, []int{2}},
		{"first and last down", 5, []int{0, 4}},
		{"all but two down", 5, []int{0, 1, 3}},
		{"across words", 130, []int{0, 63, 64, 127, 129}},
	} {
		t.Run(test.name, func(t *testing.T) {
			usable := allOf(test.members)
			for _, i := range test.down {
				usable.Remove(i)
			}
			k := usable.Len()
			got := picks(NewRoundRobin(equal(test.members)), usable, 3*k+1)
			for n := 1; n <= 2*k+1; n++ {
				for at := 0; at+n <= len(got); at++ {
					for i, c := range counts(test.members, got[at:at+n]) {
						if usable.Has(i) && (c < n/k || c > (n+k-1)/k) || !usable.Has(i) && c > 0 {
							t.Fatalf("picks %d to %d: member %d has %d of %d, usable are %d", at, at+n-1, i, c, n, k)
						}
					}
				}
			}
		})
	}
}

func TestRoundRobinGoesOnWhereItWasWhenAMemberComesBack(t *testing.T) {
	policy := NewRoundRobin(equal(3))
	got := picks(policy, allOf(3), 4)
	picks(policy, setOf(3, 0, 2), 5)
	got = append(got, picks(policy, allOf(3), 4)...)
	if want := []int{0, 1, 2, 0, 1, 2, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("with all up: picked %v, want %v", got, want)
	}
}

// Two kinds of requests take turns and see different members, so with one cursor for both member 1 would never be
// picked.
func TestRoundRobinKeepsPoolsThatTakeTurnsApart(t *testing.T) {
	policy := NewRoundRobin(equal(3))
	got := make([]int, 3)
	for range 100 {
		got[policy.Pick(setOf(3, 0, 1))]++
		got[policy.Pick(setOf(3, 1, 2))]++
	}
	if want := []int{50, 100, 50}; !slices.Equal(got, want) {
		t.Errorf("picked %v, want %v", got, want)
	}
}

// When every pool is seen once only, as with many members that fail now and then, there is no sequence yet to be exact.
// Second tries must spread all the same.
func TestRoundRobinSpreadsTheFirstPicksOfManyPools(t *testing.T) {
	const n = 20
	policy := NewRoundRobin(equal(n))
	second := make([]int, n)
	for range n {
		usable := allOf(n)
		usable.Remove(policy.Pick(usable))
		second[policy.Pick(usable)]++
	}
	if most := slices.Max(second); most > 2 {
		t.Errorf("%d second tries fell on members %v: %d on one, want at most 2", n, second, most)
	}
}

// There are more pools of 8 members than cursors; the ones that come late are picked from at random.
func TestRoundRobinStaysEvenWithMorePoolsThanCursors(t *testing.T) {
	const n, rounds = 8, 3000
	policy := NewRoundRobin(equal(n))
	for pool := 1; pool < 1<<n; pool++ {
		policy.Pick(&Set{words: []uint64{uint64(pool)}})
	}
	var early []int
	got := make([]int, n)
	for range rounds {
		early = append(early, policy.Pick(setOf(n, 0, 1)))
		got[policy.Pick(setOf(n, 4, 6, 7))]++
	}
	wantCycles(t, "picks from an early pool", early, []int{1, 1, 0, 0, 0, 0, 0, 0})
	for i, c := range got {
		// A binomial count of 1000 has a standard deviation of 26; ten of them are beyond chance.
		if want := i == 4 || i == 6 || i == 7; want && (c < 740 || c > 1260) || !want && c > 0 {
			t.Errorf("picks from a late pool: %v, want about %d each for 4, 6, 7", got, rounds/3)
		}
	}
}

func TestRoundRobinCountsPoolsBeyondOneWordApart(t *testing.T) {
	const n = 1000
	policy := NewRoundRobin(equal(n))
	random := rand.New(rand.NewPCG(1, 2))
	keys := map[uint64]bool{}
	for range 2000 {
		usable := allOf(n)
		for range 3 {
			usable.Remove(random.IntN(n))
		}
		p := policy.tiers.pool(usable)
		keys[p.key()] = true
	}
	// Of about 166 million sets 2000 are drawn: a few repeats are likely, more would be a weak hash.
	if len(keys) < 1995 {
		t.Errorf("2000 random pools have %d keys", len(keys))
	}
	for _, bit := range []int{63, 127, 191} {
		p := policy.tiers.pool(setOf(n, bit))
		if keys[p.key()] {
			t.Errorf("the pool of member %d alone has the key of another", bit)
		}
		keys[p.key()] = true
	}
}

// Two callers meet a pool each at the same moment, so they race for the first slot.
func TestRoundRobinIsExactFromTheFirstPickOfRacingCallers(t *testing.T) {
	const rounds, n = 3000, 3
	policies := make([]*RoundRobin, rounds)
	for i := range policies {
		policies[i] = NewRoundRobin(equal(n))
	}
	var arrived atomic.Int64
	var done sync.WaitGroup
	for caller := range 2 {
		done.Go(func() {
			usable := setOf(n, 0, 1+caller)
			for round, policy := range policies {
				arrived.Add(1)
				for arrived.Load() < int64(2*(round+1)) {
					runtime.Gosched()
				}
				if got := picks(policy, usable, 4); got[0] != got[2] || got[1] != got[3] || got[0] == got[1] {
					t.Errorf("round %d, pool of 0 and %d: picked %v, want turns", round, 1+caller, got)
				}
			}
		})
	}
	done.Wait()
}
