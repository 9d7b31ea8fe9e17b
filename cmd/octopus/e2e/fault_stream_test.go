package e2e

import (
	"strings"
	"testing"
	"time"
)

// silentTarget is F06.
func silentTarget(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{targets: broken("silent", ""), policy: "cooldown: {base: 10s, max: 10s}"})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		x.checkServed(t, got, 1, 2)
		between(t, "the answer", got.took, time.Second, 2*time.Second)
		next := x.ask(t)
		x.checkServed(t, next, 1, 1)
		between(t, "the next answer", next.took, 0, 800*time.Millisecond)
		x.checkTries(t, 1, 2)
		x.checkClosed(t, 0, 2*time.Second)
	})
}

// slowFirstToken is F07.
func slowFirstToken(t *testing.T, upstream string) {
	s := startStage(t, upstream,
		scene{name: "prelude", targets: broken("prelude=20s", ""), skip: streamsOnly},
		scene{name: "role", targets: broken("first=20s", ""), skip: streamsOnly},
		// Headers after most of the time leave only the rest of it to the first token.
		scene{name: "both", targets: broken("delay=700ms,first=20s", ""), skip: streamsOnly},
		scene{name: "half", targets: broken("stall=1", ""), skip: wholesOnly})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		x.checkServed(t, got, 1, 2)
		between(t, "the answer", got.took, time.Second, 1650*time.Millisecond)
		x.checkTries(t, 1, 1)
		x.checkClosed(t, 0, 1650*time.Millisecond)
	})
}

// checkClosed checks that the provider saw the connection of its only try closed within most of the request.
func (x *trial) checkClosed(t *testing.T, i int, most time.Duration) {
	t.Helper()
	settle(t, x.providers()[i])
	e := x.tries(i)[0]
	if e.Ended.IsZero() || e.Ended.Sub(e.Time) > most {
		t.Errorf("the connection of %s: %v after %v, want it closed within %v", x.channel(i), e.End, e.Ended.Sub(e.Time), most)
	}
}

// scenesOfBroken returns the scenes of F08 and F09: a stream that breaks, with and without commit: complete, and a whole
// answer.
func scenesOfBroken(name, script, fault string) []scene {
	targets := broken(fault, "")
	return []scene{
		{name: name, script: script, targets: targets},
		{name: name + "-held", script: script, targets: targets, policy: "commit: complete", skip: streamsOnly},
	}
}

// playBroken plays the scenes of F08 and F09.
func playBroken(t *testing.T, s *stage, class string, least, most time.Duration) {
	t.Helper()
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		between(t, "the answer", got.took, least, most)
		if !x.stream || strings.Contains(x.policy, "complete") {
			x.checkServed(t, got, 1, 2)
			if strings.Contains(got.body, x.p.failed) {
				t.Errorf("an error beside a whole answer: %s", tail(got.body))
			}
			return
		}
		x.checkBroken(t, got, 20)
		x.checkTries(t, 1, 0)
		for range 100 { // the client may have its last byte before the attempt is counted
			if x.attempts(t, 0, class) == 1 {
				return
			}
			tick(t, 20*time.Millisecond)
		}
		t.Errorf("%v attempts of class %s, want 1", x.attempts(t, 0, class), class)
	})
}

// cutStream is F08.
func cutStream(t *testing.T, upstream string) {
	var scenes []scene
	for name, fault := range map[string]string{"between": "cut=40", "inside": "cut=40,inside", "reset": "cut=40,rst"} {
		scenes = append(scenes, scenesOfBroken(name, "tokens=60", fault)...)
	}
	playBroken(t, startStage(t, upstream, scenes...), "cut", 0, 1500*time.Millisecond)
}

// stalledStream is F09.
func stalledStream(t *testing.T, upstream string) {
	s := startStage(t, upstream, scenesOfBroken("stall", "tokens=60", "stall=20")...)
	playBroken(t, s, "cut", time.Second, 2500*time.Millisecond)
	if got := s.do(t.Context(), "GET", "/healthz", ""); got.status != 200 {
		t.Errorf("/healthz: %v", got)
	}
	if got := s.post(t.Context(), &protocols[0], protocols[0].body("octo-1", true)); got.status != 200 {
		t.Errorf("another request: %v", got)
	}
}

// garbageEvent is F10.
func garbageEvent(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{script: "tokens=20", targets: broken("garbage=7", ""), skip: streamsOnly})
	s.play(t, func(t *testing.T, x *trial) { x.checkServed(t, x.ask(t), 0, 1) })
	s.checkTokens(t)
	skipped := 0.0
	for name, n := range s.metrics(t) {
		if strings.HasPrefix(name, "octopus_") && strings.Contains(name, "skipped") {
			skipped += n
		}
	}
	if skipped != float64(len(s.trials)) {
		t.Errorf("%v skipped events are counted, want %d", skipped, len(s.trials))
	}
}

// missingEnd is F11. Responses has its stop reason in the end marker itself.
func missingEnd(t *testing.T, upstream string) {
	if upstream == "openai-responses" {
		return
	}
	without := func(p *protocol, stream bool) bool { return !stream || upstream == "" && p.name == "responses" }
	targets := broken("", "")
	s := startStage(t, upstream,
		scene{name: "closed", script: "tokens=20,noend", policy: "idle_timeout: 15s", targets: targets, skip: without},
		scene{name: "open", script: "tokens=20,noend,hang", policy: "idle_timeout: 15s", targets: targets, skip: without})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		between(t, "the answer", got.took, 0, 3*time.Second)
		x.checkServed(t, got, 0, 1)
	})
	want, got := int64(0), s.settledMetrics(t)
	for _, e := range s.north.Requests() {
		want += e.Usage.Output
	}
	if name := series("octopus_tokens_total", "kind", "output"); got[name] != float64(want) {
		t.Errorf("%s is %v, want %d", name, got[name], want)
	}
}

// cutThenRefused is F14.
func cutThenRefused(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{script: "tokens=60", policy: "commit: complete", skip: streamsOnly,
		targets: broken("cut=40", "status=400")})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		if err := x.p.checkError(got.answer, 502); err != nil {
			t.Errorf("%v: %v", err, got)
		}
		if strings.Contains(got.body, "says the script") || !strings.Contains(got.body, "closed") {
			t.Errorf("%v, want the cut and not the other target's 400", got)
		}
		x.checkTries(t, 1, 1)
	})
}

// closedBetweenRequests is F23.
func closedBetweenRequests(t *testing.T, upstream string) {
	const requests = 5
	s := startStage(t, upstream,
		scene{name: "after", targets: broken("closeidle")},
		scene{name: "at-the-next", targets: broken("closenext")},
		scene{name: "announced", targets: broken("close")})
	s.play(t, func(t *testing.T, x *trial) {
		for range requests {
			x.checkServed(t, x.ask(t), 0, 1)
		}
		x.checkTries(t, requests)
	})
}
