package e2e

import (
	"sync"
	"testing"
	"time"
)

// scenarios are those of the public Failover Bench, in its order: a primary with a fault and a healthy fallback. With the
// options of rescue every one ends with the client's whole answer, but for a content filter, which is one everywhere.
var scenarios = []struct {
	row, evidence string
	scene         scene
	// served is the target that answers each request, attempts how many the first needs: 0 for any number.
	served, attempts int
}{
	{"S01", "429 with Retry-After: waited for and rescued",
		scene{targets: broken("status=429,retry_after=1,times=1", "")}, 0, 2},
	{"S02", "429 for ever: rescued", scene{targets: broken("status=429", "")}, 1, 0},
	{"S03", "500 once: rescued by the same target", scene{targets: broken("status=500,times=1", "")}, 0, 2},
	{"S04", "503: rescued", scene{targets: broken("status=503", "")}, 1, 2},
	{"S05", "reset before headers: rescued", scene{targets: broken("reset", ""), policy: "attempts_per_target: 1"}, 1, 2},
	{"S06", "silence: rescued", scene{targets: broken("silent", "")}, 1, 2},
	{"S07", "slow first token: rescued", scene{targets: broken("first=20s", ""), skip: streamsOnly}, 1, 2},
	{"S08", "cut: rescued", scene{targets: broken("cut=40", ""), script: "tokens=60"}, 1, 2},
	{"S09", "stall: rescued", scene{targets: broken("stall=20", ""), script: "tokens=60"}, 1, 2},
	{"S10", "malformed event: left out, the rest arrives",
		scene{targets: broken("garbage=7", ""), script: "tokens=20", skip: streamsOnly}, 0, 1},
	{"S11", "missing end marker: whole and prompt", scene{targets: broken("noend", ""), script: "tokens=20",
		skip: func(p *protocol, stream bool) bool { return !stream || p.name == "responses" }}, 0, 1},
	{"S12", "prompt too long: rescued by the larger model", scene{targets: []target{
		{faults: "status=400,code=context_length_exceeded", model: "small"}, {model: "large"}}}, 1, 2},
}

// rescue is the policy of the scenarios.
const rescue = "commit: complete, rate_limit_wait: 3s"

func TestFailoverScenarios(t *testing.T) {
	var running sync.WaitGroup
	free := make(chan struct{}, rowsAtOnce)
	play := func(row, evidence string, one func(t *testing.T)) {
		running.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			t.Run(row, func(t *testing.T) {
				proves(t, row, evidence)
				one(t)
			})
		})
	}
	for _, s := range scenarios {
		play(s.row, s.evidence, func(t *testing.T) {
			one := s.scene
			if one.policy != "" {
				one.policy += ", "
			}
			one.policy += rescue
			stage := startStage(t, "", one)
			stage.play(t, func(t *testing.T, x *trial) {
				x.checkServed(t, x.ask(t), s.served, s.attempts)
				for range 2 {
					x.checkWhole(t, x.ask(t))
				}
			})
		})
	}
	play("S13", "content filter: one attempt, the provider's reason", func(t *testing.T) { contentFilter(t, "") })
	play("S14", "flapping primary: every request served", flapping)
	play("S15", "accounting: failed attempts cost nothing", func(t *testing.T) { failedAttemptsAreFree(t, "") })
	running.Wait()
}

// flapping is a primary that fails and recovers twice a second.
func flapping(t *testing.T) {
	const span = 4 * time.Second
	s := startStage(t, "", scene{targets: broken("", ""), policy: rescue})
	over := time.Now().Add(span)
	var switching sync.WaitGroup
	switching.Go(func() {
		for i := 0; time.Now().Before(over); i++ {
			script := [...]string{"status=503", "", "reset", "", "status=429", ""}[i%6]
			if err := s.north.SetScript(script); err != nil {
				t.Error(err)
			}
			tick(t, 250*time.Millisecond)
		}
	})
	s.play(t, func(t *testing.T, x *trial) {
		for time.Now().Before(over) {
			if !x.checkWhole(t, x.ask(t)) {
				return
			}
			tick(t, 50*time.Millisecond)
		}
	})
	switching.Wait()
}
