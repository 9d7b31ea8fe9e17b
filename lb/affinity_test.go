package lb

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// owners returns where each of the keys 0 to n-1 goes.
func owners(a *Affinity, usable *Set, n int) []int {
	got := make([]int, n)
	for key := range got {
		got[key] = a.Pick(usable, Hash(uint64(key), nil))
	}
	return got
}

// Replicas of different releases serve at the same time: a session must not change its member with the release. These
// owners may never change.
func TestAffinityIsTheSameInEveryRelease(t *testing.T) {
	for _, test := range []struct {
		in   []Member
		want []int
	}{
		{equal(3), []int{0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 1, 0, 2, 2, 0, 2, 1, 0, 2, 2, 2}},
		{weights(1, 2, 5, 1), []int{0, 1, 2, 2, 1, 2, 2, 0, 0, 2, 0, 2, 2, 2, 0, 2, 2, 0, 2, 2, 2, 2, 2, 2}},
	} {
		a := NewAffinity(test.in, names(len(test.in)))
		if got := owners(a, allOf(len(test.in)), 24); !slices.Equal(got, test.want) {
			t.Errorf("%v: owners %v, want %v", test.in, got, test.want)
		}
	}
}

func TestAffinityDoesNotDependOnTheOrderOfMembers(t *testing.T) {
	in, ids := weights(1, 2, 5, 1, 3), names(5)
	want := owners(NewAffinity(in, ids), allOf(5), 1000)
	order := []int{3, 0, 4, 2, 1}
	otherIn, otherIDs := make([]Member, 5), make([]uint64, 5)
	for at, i := range order {
		otherIn[at], otherIDs[at] = in[i], ids[i]
	}
	for key, at := range owners(NewAffinity(otherIn, otherIDs), allOf(5), 1000) {
		if order[at] != want[key] {
			t.Fatalf("key %d goes to member %d, in another order to %d", key, want[key], order[at])
		}
	}
}

func TestAffinityMovesExactlyTheKeysOfALostMember(t *testing.T) {
	const keys = 5000
	for name, in := range map[string][]Member{"equal": equal(7), "weighted": weights(3, 1, 2, 1, 5, 1, 1), "many": equal(130)} {
		n := len(in)
		a := NewAffinity(in, names(n))
		before := owners(a, allOf(n), keys)
		for _, lost := range []int{0, n / 2, n - 1} {
			usable := allOf(n)
			usable.Remove(lost)
			after := owners(a, usable, keys)
			heirs := map[int]int{}
			for key := range keys {
				switch {
				case before[key] != lost && after[key] != before[key]:
					t.Fatalf("%s, member %d down: key %d moved from %d to %d", name, lost, key, before[key], after[key])
				case before[key] == lost && after[key] == lost:
					t.Fatalf("%s, member %d down: key %d stayed there", name, lost, key)
				case before[key] == lost:
					heirs[after[key]]++
				}
			}
			if len(heirs) < min(n-1, 6) {
				t.Errorf("%s, member %d down: its keys went to %v only, want them spread", name, lost, heirs)
			}
			usable.Add(lost)
			if got := owners(a, usable, keys); !slices.Equal(got, before) {
				t.Errorf("%s, member %d is back: not every key is where it was", name, lost)
			}
		}
	}
}

// A member that is added takes its share of every other one's keys, and no key moves between the others.
func TestAffinityGivesANewMemberItsShareAndMovesNothingElse(t *testing.T) {
	const keys = 40000
	before := owners(NewAffinity(weights(2, 1, 3), names(3)), allOf(3), keys)
	after := owners(NewAffinity(weights(2, 1, 3, 2), names(4)), allOf(4), keys)
	moved := 0
	for key := range keys {
		if after[key] != before[key] {
			if moved++; after[key] != 3 {
				t.Fatalf("key %d moved from %d to %d", key, before[key], after[key])
			}
		}
	}
	wantShares(t, []int{keys - moved, moved}, []int{6, 2}, keys)
}

func TestAffinitySharesKeysByWeight(t *testing.T) {
	const keys = 40000
	for _, test := range []struct {
		name  string
		in    []Member
		down  []int
		share []int
	}{
		{"equal", equal(5), nil, []int{1, 1, 1, 1, 1}},
		{"equal, one down", equal(5), []int{3}, []int{1, 1, 1, 0, 1}},
		{"weighted", weights(5, 3, 2), nil, []int{5, 3, 2}},
		{"weighted, one down", weights(5, 3, 2), []int{0}, []int{0, 3, 2}},
		{"large weights", weights(1000, 1, 999), nil, []int{1000, 1, 999}},
		{"a standby takes no part", weights(1, 0, 3), nil, []int{1, 0, 3}},
		{"standbys share alike", weights(1, 0, 0), []int{0}, []int{0, 1, 1}},
		{"the first priority alone", []Member{{Weight: 1, Priority: 2}, {Weight: 1, Priority: 1}, {Weight: 2, Priority: 1}}, nil, []int{0, 1, 2}},
		{"the second when the first is down", []Member{{Weight: 1, Priority: 2}, {Weight: 1, Priority: 1}, {Weight: 3, Priority: 2}}, []int{1}, []int{1, 0, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			usable := allOf(len(test.in))
			for _, i := range test.down {
				usable.Remove(i)
			}
			got := counts(len(test.in), owners(NewAffinity(test.in, names(len(test.in))), usable, keys))
			wantShares(t, got, test.share, keys)
		})
	}
}

// wantShares checks that counts are in proportion to shares, within five standard deviations.
func wantShares(t *testing.T, counts, shares []int, n int) {
	t.Helper()
	total := 0
	for _, s := range shares {
		total += s
	}
	for i, c := range counts {
		p := float64(shares[i]) / float64(total)
		if off := math.Abs(float64(c) - p*float64(n)); off > 5*math.Sqrt(float64(n)*p*(1-p)) {
			t.Errorf("member %d has %d of %d keys, want about %.0f", i, c, n, p*float64(n))
		}
	}
}

func TestAffinityHoldsWhileMembersGoAndComeUnderLoad(t *testing.T) {
	const callers, requests, n = 8, 4000, 5
	a := NewAffinity(weights(1, 2, 1, 3, 1), names(n))
	sets := []*Set{allOf(n), setOf(n, 0, 1, 3), setOf(n, 1, 2, 3, 4)}
	var want [3][]int
	for i, usable := range sets {
		want[i] = owners(a, usable, 100)
	}
	var current atomic.Int64
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			for range requests {
				which, key := int(current.Add(1))%3, rand.IntN(100)
				if got := a.Pick(sets[which], Hash(uint64(key), nil)); got != want[which][key] {
					t.Errorf("set %d, key %d: member %d, want %d", which, key, got, want[which][key])
					return
				}
			}
		})
	}
	done.Wait()
}

func TestBinaryLog(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 100000 {
		draw := random.Uint64() >> random.IntN(64)
		want := 64 - math.Log2(float64(draw|1))
		if got := binaryLog(draw); math.Abs(got-want) > 1e-13 {
			t.Fatalf("binaryLog(%#x) = %v, want %v", draw, got, want)
		}
	}
	for draw, want := range map[uint64]float64{0: 64, 1: 64, 1 << 63: 1, 1 << 62: 2, 3 << 62: 2 - math.Log2(3)} {
		if got := binaryLog(draw); math.Abs(got-want) > 1e-15 {
			t.Errorf("binaryLog(%#x) = %v, want %v", draw, got, want)
		}
	}
	if got := binaryLog(math.MaxUint64); got < 0 || got > 1e-15 {
		t.Errorf("binaryLog of the largest draw = %v, want about 0", got)
	}
}
