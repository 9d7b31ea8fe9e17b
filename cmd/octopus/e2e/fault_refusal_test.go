package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// rateLimitedOnce is F01.
func rateLimitedOnce(t *testing.T, upstream string) {
	once := broken("status=429,retry_after=2,times=1", "")
	s := startStage(t, upstream,
		scene{name: "waits", policy: "rate_limit_wait: 3s", targets: once},
		scene{name: "moves-on", targets: once})
	s.play(t, func(t *testing.T, x *trial) {
		if x.name == "waits" {
			got := x.ask(t)
			x.checkServed(t, got, 0, 2)
			x.checkTries(t, 2, 0)
			if tries := x.tries(0); len(tries) == 2 {
				between(t, "the wait", tries[1].Time.Sub(tries[0].Time), 2*time.Second, 3500*time.Millisecond)
			}
			return
		}
		got := x.ask(t)
		x.checkServed(t, got, 1, 2)
		between(t, "failing over", got.took, 0, 800*time.Millisecond)
		for begun := time.Now(); len(x.tries(0)) < 2 && time.Since(begun) < 5*time.Second; tick(t, 100*time.Millisecond) {
			x.checkWhole(t, x.ask(t))
		}
		tries := x.tries(0)
		if len(tries) < 2 {
			t.Fatal("the target was not tried again within 5 s of a Retry-After of 2 s")
		}
		between(t, "the pause", tries[1].Time.Sub(tries[0].Time), 1500*time.Millisecond, 5*time.Second)
	})
}

// rateLimitedForEver is F02.
func rateLimitedForEver(t *testing.T, upstream string) {
	const clients, span = 4, 5 * time.Second
	s := startStage(t, upstream, scene{targets: broken("status=429", "")})
	s.play(t, func(t *testing.T, x *trial) {
		x.checkServed(t, x.ask(t), 1, 2)
		until := time.Now().Add(span)
		var asking sync.WaitGroup
		for range clients {
			asking.Go(func() {
				for time.Now().Before(until) {
					if !x.checkWhole(t, x.ask(t)) {
						return
					}
					tick(t, 200*time.Millisecond)
				}
			})
		}
		asking.Wait()
		tries := x.tries(0)
		if len(tries) < 2 {
			t.Errorf("the target was tried %d times in %v, want it tried again", len(tries), span)
		}
		for i := range tries {
			if i >= 4 && tries[i].Time.Sub(tries[i-4].Time) < 3*time.Second {
				t.Fatalf("5 tries within %v, want at most 4 in 3 s", tries[i].Time.Sub(tries[i-4].Time))
			}
		}
	})
}

// failsOnce is F03.
func failsOnce(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{targets: broken("status=500,times=1", "")})
	s.play(t, func(t *testing.T, x *trial) {
		x.checkServed(t, x.ask(t), 0, 2)
		x.checkTries(t, 2, 0)
		if tries := x.tries(0); len(tries) == 2 {
			between(t, "the pause before the second try", tries[1].Time.Sub(tries[0].Time), 50*time.Millisecond, time.Second)
		}
	})
}

// overloaded is F04.
func overloaded(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{targets: broken("status=503", ""), policy: "cooldown: {base: 10s, max: 10s}"})
	s.play(t, func(t *testing.T, x *trial) {
		x.checkServed(t, x.ask(t), 1, 2)
		for range 5 {
			x.checkServed(t, x.ask(t), 1, 1)
		}
		x.checkTries(t, 1, 6)
	})
	cooling := 0.0
	for name, n := range s.metrics(t) {
		if strings.HasPrefix(name, "octopus_target_cooling") {
			cooling += n
		}
	}
	if cooling < float64(len(s.trials)) {
		t.Errorf("octopus_target_cooling sums up to %v, want %d", cooling, len(s.trials))
	}
}

// resetOnce is F05.
func resetOnce(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{targets: broken("reset,times=1")})
	s.play(t, func(t *testing.T, x *trial) {
		if got := x.ask(t); x.checkWhole(t, got) {
			between(t, "the answer", got.took, 0, 2*time.Second)
		}
	})
}

// contextTooLong is F12.
func contextTooLong(t *testing.T, upstream string) {
	const faults = "status=400,code=context_length_exceeded"
	s := startStage(t, upstream,
		scene{name: "larger", targets: []target{{faults: faults, model: "small"}, {model: "small"}, {model: "large"}}},
		scene{name: "none", targets: []target{{faults: faults, model: "small"}, {model: "small"}}})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		if x.name == "larger" {
			x.checkServed(t, got, 2, 2)
			x.checkTries(t, 1, 0, 1)
			return
		}
		x.checkRefused(t, got, 400)
		// What clients know a long prompt by (protocols.md A.9).
		if want := []string{"maximum context length", "prompt is too long"}; !slices.ContainsFunc(want, func(w string) bool {
			return strings.Contains(got.body, w)
		}) {
			t.Errorf("%v, want one of %q", got, want)
		}
		x.checkTries(t, 1, 0)
	})
}

// checkRefused checks that an answer is an error in the protocol's shape that may be the provider's own.
func (x *trial) checkRefused(t *testing.T, got timed, status int) {
	t.Helper()
	var body struct{ Error struct{ Message string } }
	if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.status != status || body.Error.Message == "" {
		t.Errorf("%v, want an error with status %d", got, status)
	}
}

// contentFilter is F13.
func contentFilter(t *testing.T, upstream string) {
	s := startStage(t, upstream, scene{targets: broken("status=400,code=content_policy_violation", "")})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		x.checkRefused(t, got, 400)
		if !strings.Contains(got.body, "safety system") && !strings.Contains(got.body, "content filtering policy") {
			t.Errorf("%v, want the provider's reason", got)
		}
		x.checkTries(t, 1, 0)
	})
}

// failedAttemptsAreFree is F16.
func failedAttemptsAreFree(t *testing.T, upstream string) {
	fallback := target{model: "fallback"}
	s := startStage(t, upstream,
		scene{name: "503", script: "tokens=17", targets: []target{{faults: "status=503"}, fallback}},
		// It has told its input tokens when it fails.
		scene{name: "late", script: "tokens=17", targets: []target{{faults: "errorevent=0"}, fallback}, skip: streamsOnly})
	s.play(t, func(t *testing.T, x *trial) {
		got := x.ask(t)
		x.checkServed(t, got, 1, 2)
		if model := got.header.Get("X-Octopus-Model"); model != x.model(1) {
			t.Errorf("x-octopus-model %q, want the fallback's", model)
		}
		if !strings.Contains(got.body, `"model":"fallback-`) {
			t.Errorf("%v, want the fallback's model", got)
		}
	})
	s.checkTokens(t)
}

// badKey is F17.
func badKey(t *testing.T, upstream string) {
	const requests = 6
	one := func(fault string) []target { return []target{{keys: []string{fault, "", ""}}, {}} }
	s := startStage(t, upstream,
		scene{name: "401", targets: one("status=401")},
		scene{name: "402", targets: one("status=402")},
		scene{name: "403", targets: one("status=403")},
		scene{name: "all", targets: []target{{keys: []string{"status=401", "status=401", "status=401"}}}})
	s.play(t, func(t *testing.T, x *trial) {
		if x.name == "all" {
			got := x.ask(t)
			if err := x.p.checkError(got.answer, 502); err != nil {
				t.Errorf("%v: %v", err, got)
			}
			return
		}
		for range requests {
			if got := x.ask(t); x.checkWhole(t, got) && got.header.Get("X-Octopus-Channel") != x.channel(0) {
				t.Errorf("answered by %s, want one of the other keys", got.header.Get("X-Octopus-Channel"))
			}
		}
		refused := 0
		for _, e := range x.tries(0) {
			if e.Status != 200 {
				refused++
			}
		}
		if refused > 1 {
			t.Errorf("the bad key was tried %d times in %d requests, want once", refused, requests)
		}
	})
}

// nonsense is F18.
func nonsense(t *testing.T, upstream string) {
	var scenes []scene
	for _, fault := range []string{"html", "empty", "error200", "truncated", "nochoices"} {
		one := scene{name: fault, script: "tokens=1", targets: broken(fault, "")}
		if fault == "nochoices" {
			// Elsewhere an answer may be empty.
			if upstream != "" && upstream != "openai-chat" {
				continue
			}
			one.skip = func(p *protocol, _ bool) bool { return upstream == "" && p.name != "chat" }
		}
		scenes = append(scenes, one)
	}
	s := startStage(t, upstream, scenes...)
	s.play(t, func(t *testing.T, x *trial) {
		x.checkServed(t, x.ask(t), 1, 2)
		x.checkTries(t, 1, 1)
		if got := x.attempts(t, 0, "nonsense"); got != 1 {
			t.Errorf("%v attempts of class nonsense, want 1", got)
		}
	})
}
