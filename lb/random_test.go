package lb

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRandomMapsEachDrawToAnotherUsableMember(t *testing.T) {
	draw := 0
	policy := NewRandom(weights(5, 1, 0, 9, 1), func(n int) int { draw++; return (draw - 1) % n })
	for _, test := range []struct {
		name   string
		usable *Set
		want   []int
	}{
		{"all up, weights make no difference", allOf(5), []int{0, 1, 3, 4}},
		{"one member down", setOf(5, 0, 2, 3, 4), []int{0, 3, 4}},
		{"standby alone", setOf(5, 2), []int{2}},
	} {
		draw = 0
		if got := picks(policy, test.usable, len(test.want)); !slices.Equal(got, test.want) {
			t.Errorf("%s: draws 0, 1, … picked %v, want %v", test.name, got, test.want)
		}
	}
}

func TestRandomDrawsOnlyAmongTheUsable(t *testing.T) {
	var asked []int
	policy := NewRandom(equal(4), func(n int) int { asked = append(asked, n); return n - 1 })
	policy.Pick(allOf(4))
	policy.Pick(setOf(4, 1, 2))
	policy.Pick(setOf(4))
	if want := []int{4, 2}; !slices.Equal(asked, want) {
		t.Errorf("drew from %v, want %v", asked, want)
	}
}

func TestRandomIsUniform(t *testing.T) {
	const rounds = 40000
	got := counts(4, picks(NewRandom(weights(1, 50, 3, 1), rand.New(rand.NewPCG(3, 4)).IntN), allOf(4), rounds))
	for i, c := range got {
		// The standard deviation is 87.
		if c < rounds/4-400 || c > rounds/4+400 {
			t.Errorf("member %d has %d of %d, want about %d", i, c, rounds, rounds/4)
		}
	}
}
