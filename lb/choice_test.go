package lb

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestChoicesAreExplained(t *testing.T) {
	members := []Member{{Weight: 2, Priority: 1}, {Weight: 1, Priority: 1}, {Weight: 1, Priority: 2}, {Weight: 0}, {Weight: 0}}
	const none, only, standby, priority = ReasonNone, ReasonOnly, ReasonStandby, ReasonPriority
	for _, test := range []struct {
		usable *Set
		// flat is for modes without priorities, ranked for those with; zero as their reason stands for the mode's own.
		flat, ranked Choice
	}{
		{allOf(5), Choice{0, 3}, Choice{0, 2}},
		{setOf(5, 0, 1), Choice{0, 2}, Choice{0, 2}},
		{setOf(5, 1, 2, 4), Choice{0, 2}, Choice{priority, 1}},
		{setOf(5, 2, 3), Choice{only, 1}, Choice{only, 1}},
		{setOf(5, 2), Choice{only, 1}, Choice{only, 1}},
		{setOf(5, 3, 4), Choice{standby, 2}, Choice{standby, 2}},
		{setOf(5, 4), Choice{standby, 1}, Choice{standby, 1}},
		{setOf(5), Choice{none, 0}, Choice{none, 0}},
	} {
		for _, mode := range []struct {
			name   string
			by     Reason
			ranked bool
		}{
			{"round-robin", ReasonTurn, false},
			{"random", ReasonChance, false},
			{"failover", ReasonTurn, true},
			{"weighted", ReasonShare, false},
			{"least-latency", ReasonLoad, false},
			{"affinity", ReasonAffinity, true},
		} {
			want := test.flat
			if mode.ranked {
				want = test.ranked
			}
			if want.Candidates > 0 && want.Reason == 0 {
				want.Reason = mode.by
			}
			if got := policy(t, mode.name, members).Explain(test.usable); got != want {
				t.Errorf("%s, usable %b: %v among %d, want %v among %d",
					mode.name, test.usable.words, got.Reason, got.Candidates, want.Reason, want.Candidates)
			}
		}
	}
}

// policy makes the policy of that name.
func policy(t *testing.T, name string, members []Member) Policy {
	t.Helper()
	for _, p := range policies {
		if p.name == name {
			return p.make(members)
		}
	}
	t.Fatalf("there is no policy %q", name)
	return nil
}

func TestExplainingDoesNotTakeATurn(t *testing.T) {
	for _, p := range policies[:4:4] {
		if p.name == "random" {
			continue
		}
		quiet, asked := p.make(weights(3, 2, 1)), p.make(weights(3, 2, 1))
		for range 12 {
			asked.Explain(allOf(3))
			if got, want := asked.Pick(allOf(3)), quiet.Pick(allOf(3)); got != want {
				t.Errorf("%s: picked %d, without explanations %d", p.name, got, want)
			}
		}
	}
	drawn := 0
	policy := NewLeastLatency(equal(3), newLoads(3), func() time.Duration { return 0 }, func(n int) int { drawn++; return rand.IntN(n) })
	if policy.Explain(allOf(3)); drawn > 0 {
		t.Errorf("an explanation drew %d numbers", drawn)
	}
}

func TestEveryReasonHasAText(t *testing.T) {
	seen := map[string]bool{}
	for r := range Reason(Reasons) {
		if text := r.String(); text == "" || seen[text] {
			t.Errorf("reason %d reads %q", r, text)
		} else {
			seen[text] = true
		}
	}
}
