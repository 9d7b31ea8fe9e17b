package lb

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWeightedSequences(t *testing.T) {
	for _, test := range []struct {
		name string
		in   []Member
		want []int // one cycle
	}{
		{"nginx's example, with runs of three at most", weights(5, 1, 1), []int{0, 1, 0, 0, 2, 0, 0}},
		{"equal weights are round-robin", weights(7, 7, 7), []int{0, 1, 2}},
		{"the heaviest need not be first", weights(1, 3), []int{1, 0, 1, 1}},
		{"a common divisor shortens the cycle", weights(200, 600), []int{1, 0, 1, 1}},
		{"two to three alternate", weights(3, 2), []int{0, 1, 0, 1, 0}},
		{"half is every other", weights(3, 1, 1, 1), []int{0, 1, 0, 2, 0, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := slices.Concat(test.want, test.want)
			if got := picks(NewWeighted(test.in), allOf(len(test.in)), len(want)); !slices.Equal(got, want) {
				t.Errorf("picked %v, want %v", got, want)
			}
		})
	}
}

func TestWeightedSharesAreExactOverEachCycle(t *testing.T) {
	for _, test := range []struct {
		name  string
		in    []Member
		down  []int
		share []int
	}{
		{"all up", weights(5, 3, 2), nil, []int{5, 3, 2}},
		{"one member down keeps the other weights", weights(5, 3, 2), []int{0}, []int{0, 3, 2}},
		{"the lightest down", weights(5, 3, 2), []int{2}, []int{5, 3, 0}},
		{"a standby takes no part", weights(5, 0, 2), nil, []int{5, 0, 2}},
		{"standbys share alike", weights(5, 0, 0), []int{0}, []int{0, 1, 1}},
		{"largest weights, no common divisor", weights(1000, 999, 7), nil, []int{1000, 999, 7}},
		{"a common divisor", weights(300, 200, 100), nil, []int{3, 2, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			usable := allOf(len(test.in))
			for _, i := range test.down {
				usable.Remove(i)
			}
			cycle := 0
			for _, s := range test.share {
				cycle += s
			}
			wantCycles(t, "picks", picks(NewWeighted(test.in), usable, min(2*cycle, cycle+300)), test.share)
		})
	}
}

func TestWeightedIsExactForManyMembersWithLargeWeights(t *testing.T) {
	const n = 1000
	random := rand.New(rand.NewPCG(5, 6))
	members, share := make([]Member, n), make([]int, n)
	usable, cycle := allOf(n), 0
	for i := range members {
		members[i].Weight = 1 + random.IntN(5)
		if i%97 == 3 {
			usable.Remove(i)
			continue
		}
		share[i] = members[i].Weight
		cycle += share[i]
	}
	wantCycles(t, "picks", picks(NewWeighted(members), usable, cycle), share)
}

// Between any two moments, no member gets three picks more or less than its share of them.
func TestWeightedHasNoBursts(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		in := make([]int, 2+random.IntN(20))
		limit, total := []int{3, 10, 100, 1000}[random.IntN(4)], 0
		for i := range in {
			in[i] = 1 + random.IntN(limit)
			total += in[i]
		}
		got := picks(NewWeighted(weights(in...)), allOf(len(in)), total)

		for i, w := range in {
			had, low, high := 0, 0, 0 // in units of 1/total picks
			for at, picked := range got {
				if picked == i {
					had += total
				}
				off := had - (at+1)*w
				low, high = min(low, off), max(high, off)
			}
			if high-low > 3*total {
				t.Errorf("weights %v: member %d is off its share by %.2f picks", in, i, float64(high-low)/float64(total))
			}
		}

		// The heaviest can't do without runs when it has more than half; the others never need them.
		heaviest := slices.Max(in)
		longest := max(2, (heaviest+total-heaviest-1)/(total-heaviest))
		for at, run := 1, 1; at < 2*total; at++ {
			if got[at%total] != got[(at-1)%total] {
				run = 0
			}
			if run++; run > longest {
				t.Errorf("weights %v: member %d is picked %d times in a row, want at most %d", in, got[at%total], run, longest)
				break
			}
		}
	}
}
