package lb

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// policies lists every mode, for what all of them promise.
var policies = []struct {
	name string
	make func([]Member) Policy
}{
	{"round-robin", func(m []Member) Policy { return NewRoundRobin(m) }},
	{"random", func(m []Member) Policy { return NewRandom(m, rand.IntN) }},
	{"failover", func(m []Member) Policy { return NewFailover(m) }},
	{"weighted", func(m []Member) Policy { return NewWeighted(m) }},
	{"least-latency", func(m []Member) Policy {
		return NewLeastLatency(m, newLoads(len(m)), func() time.Duration { return 0 }, rand.IntN)
	}},
	{"affinity", func(m []Member) Policy { return &manyKeys{Affinity: NewAffinity(m, names(len(m)))} }},
}

// counting are the modes among policies that give exact shares to whatever requests come.
var counting = []string{"round-robin", "failover", "weighted"}

// newLoads returns n loads of which nothing is known.
func newLoads(n int) []*Load {
	loads := make([]*Load, n)
	for i := range loads {
		loads[i] = new(Load)
	}
	return loads
}

// names returns the ids of n members.
func names(n int) []uint64 {
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = Hash(0, strconv.AppendInt([]byte("member "), int64(i), 10))
	}
	return ids
}

// manyKeys is an affinity whose every pick has another key.
type manyKeys struct {
	*Affinity
	picks atomic.Uint64
}

func (k *manyKeys) Pick(usable *Set) int { return k.Affinity.Pick(usable, avalanche(k.picks.Add(1))) }

// equal returns n members of the same weight and priority.
func equal(n int) []Member { return slices.Repeat([]Member{{Weight: 1, Priority: 1}}, n) }

// weights returns members with these weights.
func weights(w ...int) []Member {
	m := make([]Member, len(w))
	for i := range w {
		m[i].Weight = w[i]
	}
	return m
}

// setOf returns a set with room for n that holds members.
func setOf(n int, members ...int) *Set {
	s := new(Set)
	s.Reset(n)
	for _, i := range members {
		s.Add(i)
	}
	return s
}

// allOf returns the set of the indexes 0 to n-1.
func allOf(n int) *Set {
	s := setOf(n)
	for i := range n {
		s.Add(i)
	}
	return s
}

// picks returns the next n picks.
func picks(p Policy, usable *Set, n int) []int {
	got := make([]int, n)
	for i := range got {
		got[i] = p.Pick(usable)
	}
	return got
}

// counts returns how often each of n members was picked.
func counts(n int, picked []int) []int {
	c := make([]int, n)
	for _, i := range picked {
		c[i]++
	}
	return c
}

func TestNothingUsableIsMinusOne(t *testing.T) {
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			for name, policy := range map[string]Policy{
				"three members": p.make(equal(3)), "standbys": p.make(weights(0, 0, 0)),
			} {
				if got := policy.Pick(setOf(3)); got != -1 {
					t.Errorf("%s, all down: Pick() = %d, want -1", name, got)
				}
			}
			if got := p.make(nil).Pick(setOf(0)); got != -1 {
				t.Errorf("no members: Pick() = %d, want -1", got)
			}
			if got := p.make(nil).Pick(new(Set)); got != -1 {
				t.Errorf("zero set: Pick() = %d, want -1", got)
			}
		})
	}
}

func TestTheOnlyUsableMemberIsPickedEveryTime(t *testing.T) {
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			for _, n := range []int{1, 3, 65, 1000} {
				policy := p.make(equal(n))
				for _, only := range []int{0, n / 2, n - 1} {
					if got := counts(n, picks(policy, setOf(n, only), 10)); got[only] != 10 {
						t.Errorf("%d members, only %d usable: picked %v", n, only, got)
					}
				}
			}
		})
	}
}

func TestStandbyServesOnlyWhenNoOtherCan(t *testing.T) {
	members := []Member{{Weight: 2, Priority: 1}, {Weight: 0}, {Weight: 1, Priority: 2}, {Weight: 0}}
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			policy := p.make(members)
			for _, usable := range []*Set{allOf(4), setOf(4, 0, 1), setOf(4, 1, 2, 3)} {
				if got := counts(4, picks(policy, usable, 30)); got[1] != 0 || got[3] != 0 {
					t.Errorf("others are usable: picked %v, want none of 1 and 3", got)
				}
			}
			got := counts(4, picks(policy, setOf(4, 1, 3), 400))
			if got[1] == 0 || got[3] == 0 {
				t.Errorf("only standbys are usable: picked %v, want both 1 and 3", got)
			}
			if slices.Contains(counting, p.name) && got[1] != 200 {
				t.Errorf("only standbys are usable: picked %v, want 200 each", got)
			}
		})
	}
}

func TestOneRequestTriesEachMemberOnceAndStandbysLast(t *testing.T) {
	members := []Member{{Weight: 0}, {Weight: 3, Priority: 1}, {Weight: 1}, {Weight: 0, Priority: 1}, {Weight: 1, Priority: 1}}
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			policy := p.make(members)
			for range 50 {
				usable := allOf(5)
				var tried []int
				for i := policy.Pick(usable); i >= 0; i = policy.Pick(usable) {
					tried = append(tried, i)
					usable.Remove(i)
				}
				first, last := slices.Sorted(slices.Values(tried[:3])), slices.Sorted(slices.Values(tried[3:]))
				if !slices.Equal(first, []int{1, 2, 4}) || !slices.Equal(last, []int{0, 3}) {
					t.Fatalf("tried %v, want 1, 2, 4 in some order, then 0 and 3", tried)
				}
			}
		})
	}
}

func TestEveryUsableMemberOfManyIsPickedAndNoOther(t *testing.T) {
	const n = 130
	usable := allOf(n)
	for _, down := range []int{0, 63, 64, 100, 129} {
		usable.Remove(down)
	}
	for _, p := range policies {
		got := counts(n, picks(p.make(equal(n)), usable, 40*n))
		for i, c := range got {
			if usable.Has(i) != (c > 0) {
				t.Errorf("%s: member %d was picked %d times, usable: %t", p.name, i, c, usable.Has(i))
			}
		}
	}
}

func TestPickLeavesTheSetAlone(t *testing.T) {
	for _, p := range policies {
		usable := setOf(70, 1, 5, 69)
		picks(p.make(equal(70)), usable, 20)
		if want := setOf(70, 1, 5, 69); !slices.Equal(usable.words, want.words) {
			t.Errorf("%s: set is %b after picks, want %b", p.name, usable.words, want.words)
		}
	}
}

// With one cursor for everything, a member that fails every time would take the first picks of another one away. Here
// each pool has its own sequence, so what second tries do can't be seen in first ones.
func TestSecondTriesDoNotDisturbFirstPicks(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func([]Member) Policy
		in    []Member
		cycle []int // first picks per cycle
		retry []int // second picks per cycle of second picks, member 0 having failed
	}{
		{"round-robin", policies[0].make, equal(3), []int{1, 1, 1}, []int{0, 1, 1}},
		{"failover", policies[2].make, equal(4), []int{1, 1, 1, 1}, []int{0, 1, 1, 1}},
		{"weighted", policies[3].make, weights(5, 3, 1), []int{5, 3, 1}, []int{0, 3, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := len(test.in)
			policy := test.make(test.in)
			var first, second []int
			for range 900 {
				usable := allOf(n)
				i := policy.Pick(usable)
				first = append(first, i)
				if i == 0 {
					usable.Remove(0)
					second = append(second, policy.Pick(usable))
				}
			}
			wantCycles(t, "first picks", first, test.cycle)
			wantCycles(t, "second picks", second, test.retry)
		})
	}
}

// wantCycles checks that every run of picks as long as a cycle gives each member its share.
func wantCycles(t *testing.T, what string, picked, share []int) {
	t.Helper()
	cycle := 0
	for _, s := range share {
		cycle += s
	}
	if len(picked) < cycle {
		t.Fatalf("%s: %d picks are not one cycle of %d", what, len(picked), cycle)
	}
	for at := 0; at+cycle <= len(picked); at++ {
		if got := counts(len(share), picked[at:at+cycle]); !slices.Equal(got, share) {
			t.Fatalf("%s %d to %d: picked %v, want %v", what, at, at+cycle-1, got, share)
		}
	}
}

// Each caller plays requests whose first try fails for member 1, on a snapshot that is replaced all the time: the
// usable members change, the policy stays. Every count must come out exact, pool by pool, as if one caller had made all
// picks.
func TestSharesAreExactWhileSnapshotsAreSwappedUnderLoad(t *testing.T) {
	const callers, requests = 8, 6000
	type snapshot struct {
		policy Policy
		usable []int
	}
	for _, test := range []struct {
		name  string
		make  func([]Member) Policy
		in    []Member
		share map[int][]int // by number of usable members: shares of a cycle
	}{
		{"round-robin", policies[0].make, equal(4), map[int][]int{4: {1, 1, 1, 1}, 3: {1, 1, 1, 0}}},
		{"failover", policies[2].make, equal(4), map[int][]int{4: {1, 1, 1, 1}, 3: {1, 1, 1, 0}}},
		{"weighted", policies[3].make, weights(3, 2, 4, 1), map[int][]int{4: {3, 2, 4, 1}, 3: {3, 2, 4, 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			policy := test.make(test.in)
			snapshots := []*snapshot{{policy, []int{0, 1, 2, 3}}, {policy, []int{0, 1, 2}}}
			var current atomic.Pointer[snapshot]
			current.Store(snapshots[0])
			stop := make(chan struct{})
			var swapper, load sync.WaitGroup
			swapper.Go(func() {
				for i := 1; ; i++ {
					select {
					case <-stop:
						return
					default:
						current.Store(snapshots[i%2])
					}
				}
			})
			var first [5][4]atomic.Int64 // by number of usable members, then by member
			for range callers {
				load.Go(func() {
					var usable Set
					for range requests {
						s := current.Load()
						usable.Reset(4)
						for _, i := range s.usable {
							usable.Add(i)
						}
						i := s.policy.Pick(&usable)
						first[len(s.usable)][i].Add(1)
						if i == 1 {
							usable.Remove(1)
							if again := s.policy.Pick(&usable); again < 0 || again == 1 || again >= len(s.usable) {
								t.Errorf("second pick = %d of usable %v without 1", again, s.usable)
							}
						}
					}
				})
			}
			load.Wait()
			close(stop)
			swapper.Wait()
			for size, share := range test.share {
				var total, cycle int64
				for i := range share {
					total += first[size][i].Load()
					cycle += int64(share[i])
				}
				for i, s := range share {
					least := total / cycle * int64(s)
					if got := first[size][i].Load(); got < least || got > least+int64(s) {
						t.Errorf("%d usable, %d picks: member %d has %d, want %d to %d",
							size, total, i, got, least, least+int64(s))
					}
				}
			}
		})
	}
}
