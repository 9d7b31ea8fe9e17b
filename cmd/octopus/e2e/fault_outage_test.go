package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// outage is F15: the primary is down for a while.
func outage(t *testing.T, upstream string) {
	// Of faults.md: a minute, a request every second, 30 s; with the defaults of cooldown.
	down, every, back, cooldown := 5*time.Second, 100*time.Millisecond, 3*time.Second, "cooldown: {base: 500ms, max: 2s}"
	least := 400 * time.Millisecond // between two probes: the base less the jitter
	if *full && upstream == "" {
		down, every, back, cooldown = time.Minute, time.Second, 30*time.Second, "cooldown: {base: 5s, max: 30s}"
		least = 4 * time.Second
	}
	s := startStage(t, upstream, scene{policy: cooldown, targets: broken("", "")})
	if err := s.north.SetScript("status=503"); err != nil {
		t.Fatal(err)
	}
	healed := time.Now().Add(down)
	time.AfterFunc(down, func() {
		// No directive is no wrong one.
		_ = s.north.SetScript("")
	})
	s.play(t, func(t *testing.T, x *trial) {
		for ; ; tick(t, every) {
			got := x.ask(t)
			if !x.checkWhole(t, got) {
				return
			}
			if got.header.Get("X-Octopus-Channel") == x.channel(0) {
				break
			}
			if time.Since(healed) > back+every {
				t.Errorf("not back on the primary %v after it recovered", time.Since(healed))
				return
			}
		}
		tries := x.tries(0)
		for i := 1; i < len(tries); i++ {
			if pause := tries[i].Time.Sub(tries[i-1].Time); tries[i-1].Status != 200 && pause < least {
				t.Errorf("the primary was probed %v after it had failed, want at least %v between probes", pause, least)
			}
		}
		if len(tries) < 3 {
			t.Errorf("the primary was tried %d times, want a probe now and then", len(tries))
		}
	})
}

// reasons is what a final answer says of targets that failed with 503, with 429 and by silence.
var reasons = []*regexp.Regexp{
	regexp.MustCompile(`(?i)overload|503`),
	regexp.MustCompile(`(?i)rate|429`),
	regexp.MustCompile(`(?i)silent|in time|timed? ?out|no answer`),
}

// allDown is F24.
func allDown(t *testing.T, upstream string) {
	const clients, span = 5, 4 * time.Second
	s := startStage(t, upstream,
		scene{name: "reasons", targets: broken("status=503", "status=429,retry_after=30", "silent"),
			policy: "deadline: 3s, cooldown: {base: 30s, max: 30s}"},
		scene{name: "storm", targets: broken("status=503", "status=503", "status=503"), policy: "deadline: 3s"})
	s.play(t, func(t *testing.T, x *trial) {
		first := x.ask(t)
		between(t, "the first answer", first.took, 0, 4*time.Second)
		if first.status < 429 || strings.Contains(first.body, "127.0.0.1") {
			t.Errorf("%v, want 429 or more and no address", first)
		}
		if x.name == "reasons" {
			for _, reason := range reasons {
				if !reason.MatchString(first.body) {
					t.Errorf("%v, want the reason of each target, %v", first, reason)
				}
			}
			x.checkTries(t, 1, 1, 1)
			next := x.ask(t)
			wait, err := strconv.Atoi(next.header.Get("Retry-After"))
			if err != nil || wait < 1 || wait > 36 {
				t.Errorf("Retry-After %q, want what is left of the nearest cooldown", next.header.Get("Retry-After"))
			}
			for _, reason := range reasons {
				if !reason.MatchString(next.body) {
					t.Errorf("next: %v, want the reason of each target, %v", next, reason)
				}
			}
			return
		}
		until := time.Now().Add(span)
		var asking sync.WaitGroup
		for range clients {
			asking.Go(func() {
				for time.Now().Before(until) {
					got := x.ask(t)
					if got.status < 429 || got.err != nil || got.took > 4*time.Second {
						t.Errorf("after %v: %v, want an error within the deadline", got.took, got)
						return
					}
					tick(t, 50*time.Millisecond)
				}
			})
		}
		asking.Wait()
		for i := range x.targets {
			// Probes after 0.5, 1 and 2 s of rest, and one request per 5 s to a target that is out.
			if tries := x.tries(i); len(tries) > 8 {
				t.Errorf("%s was tried %d times in %v, want at most 8", x.channel(i), len(tries), span)
			}
		}
	})
}
