package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestKillFaults(t *testing.T) {
	const (
		interval = 250 * time.Millisecond
		// writing is how long a write may take on a busy machine, after which a row is on disk.
		writing = 500 * time.Millisecond
		clients = 8
		ready   = 2 * time.Second
	)
	rounds := 5
	if *full {
		rounds = 100
	}
	evidence := proves(t, "F40", fmt.Sprintf("kill -9 at random under load, %d rounds with an interval of %v: ", rounds, interval))
	d := newDurable(t, t.TempDir(), interval)
	all := newBook()
	var acknowledgedAll, lostAll int
	var slowest, oldest time.Duration
	for round := range rounds {
		begun := time.Now()
		g := d.start(t)
		took := time.Since(begun)
		if slowest = max(slowest, took); took > ready {
			t.Errorf("round %d: ready after %v, want %v", round, took, ready)
		}
		l := startLoad(t.Context(), g, 1+round%clients, loadModels...) // few rows wait for the interval, many do not
		<-time.After(time.Duration(rand.Int64N(int64(1500 * time.Millisecond))))
		killed := time.Now()
		g.kill(t)
		answers := l.end()
		d.provider.Reset()

		s := d.open(t)
		if c, err := s.LoadConfig(); err != nil || len(c.Channels) != 1 || len(c.APIKeys) != 1 {
			t.Fatalf("round %d: the configuration is %+v, %v", round, c, err)
		}
		all.read(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, a := range answers {
			if _, ok := all.ids[a.id]; ok {
				continue
			}
			lostAll++
			age := killed.Sub(a.at)
			if oldest = max(oldest, age); age > interval+writing {
				t.Errorf("round %d: request %s is lost, answered %v before the kill", round, a.id, age)
			}
		}
		acknowledgedAll += len(answers)
		if t.Failed() {
			t.Fatalf("round %d of %d failed", round, rounds)
		}
	}
	// Nothing that was there is gone.
	s := d.open(t)
	defer s.Close()
	again := newBook()
	again.read(t, s)
	if again.total() != all.total() {
		t.Errorf("%d rows in the end, want %d", again.total(), all.total())
	}
	if all.total() == 0 || acknowledgedAll < 100*rounds/2 {
		t.Errorf("%d rows of %d answers are too few to prove anything", all.total(), acknowledgedAll)
	}
	*evidence += fmt.Sprintf("%d of %d acknowledged answers lost, none older than %v, none twice; totals and hours equal the sum of %d rows; ready after %v",
		lostAll, acknowledgedAll, oldest.Round(time.Millisecond), all.total(), slowest.Round(time.Millisecond))
}
