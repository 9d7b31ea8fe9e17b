package lb

import (
	"slices"
	"testing"
)

func TestFailoverPicksTheLowestPriorityNumberThatIsUsable(t *testing.T) {
	members := []Member{
		{Weight: 1, Priority: 20}, // 0
		{Weight: 1, Priority: 10}, // 1
		{Weight: 9, Priority: 10}, // 2: weights make no difference
		{Weight: 1, Priority: 30}, // 3
		{Weight: 0, Priority: 5},  // 4: standby, whatever its priority
		{Weight: 0, Priority: 1},  // 5: standby before 4
		{Weight: 1, Priority: 20}, // 6
	}
	for _, test := range []struct {
		name   string
		usable *Set
		want   []int
	}{
		{"equal priorities take turns", allOf(7), []int{1, 2, 1, 2}},
		{"one of two equals down", setOf(7, 0, 2, 3), []int{2, 2, 2, 2}},
		{"first priority down", setOf(7, 0, 3, 4, 6), []int{0, 6, 0, 6}},
		{"last member with weight", setOf(7, 3, 4, 5), []int{3, 3, 3, 3}},
		{"standbys by priority", setOf(7, 4, 5), []int{5, 5, 5, 5}},
		{"last standby", setOf(7, 4), []int{4, 4, 4, 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := picks(NewFailover(members), test.usable, 4); !slices.Equal(got, test.want) {
				t.Errorf("picked %v, want %v", got, test.want)
			}
		})
	}
}

func TestFailoverReturnsToItsTurnsWhenThePrimariesComeBack(t *testing.T) {
	policy := NewFailover([]Member{{Weight: 1}, {Weight: 1}, {Weight: 1, Priority: 1}, {Weight: 1, Priority: 1}})
	got := picks(policy, allOf(4), 3)
	got = append(got, picks(policy, setOf(4, 2, 3), 4)...)
	got = append(got, picks(policy, allOf(4), 3)...)
	if want := []int{0, 1, 0}; !slices.Equal(got[:3], want) {
		t.Errorf("before: picked %v, want %v", got[:3], want)
	}
	wantCycles(t, "while down", got[3:7], []int{0, 0, 1, 1})
	if want := []int{1, 0, 1}; !slices.Equal(got[7:], want) {
		t.Errorf("after: picked %v, want %v", got[7:], want)
	}
}

func TestFailoverWithAPriorityForEachOfManyMembers(t *testing.T) {
	const n = 1000
	members := make([]Member, n)
	for i := range members {
		members[i] = Member{Weight: 1, Priority: n - i}
	}
	policy, usable := NewFailover(members), allOf(n)
	for want := n - 1; want >= 0; want-- {
		if got := policy.Pick(usable); got != want {
			t.Fatalf("picked %d, want %d", got, want)
		}
		usable.Remove(want)
	}
}
