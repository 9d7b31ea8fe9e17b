package lb

import (
	"math"
	"sync"
	"testing"
	"time"
)

// near reports whether got is want within a thousandth and a millisecond.
func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) <= float64(want)/1000+float64(time.Millisecond)
}

func TestLatencyFollowsWhatIsObserved(t *testing.T) {
	const second = time.Second
	type observation struct{ at, firstToken time.Duration }
	for _, test := range []struct {
		name string
		seen []observation
		at   time.Duration
		want time.Duration
	}{
		{"nothing is zero", nil, 5 * second, 0},
		{"the first counts in full", []observation{{second, 3 * second}}, second, 3 * second},
		{"a peak counts at once", []observation{{0, second}, {second, 9 * second}}, second, 9 * second},
		{"an earlier one pulls it down by the time gone by", []observation{{0, 9 * second}, {10 * second, 3 * second}}, 10 * second, 6 * second},
		{"and by nothing at the same moment", []observation{{0, 9 * second}, {0, 3 * second}}, 0, 9 * second},
		{"it halves in ten seconds of silence", []observation{{0, 4 * second}}, 10 * second, 2 * second},
		{"and is a quarter after thirty", []observation{{0, 4 * second}}, 30 * second, second},
		{"clocks that ran backwards do no harm", []observation{{20 * second, 4 * second}, {19 * second, 5 * second}}, 20 * second, 5 * second},
		{"negative times are the shortest", []observation{{0, -second}}, 0, time.Microsecond},
		{"endless ones the longest", []observation{{0, 48 * time.Hour}}, 0, math.MaxUint32 * time.Microsecond},
		{"a process may run for years", []observation{{400 * 24 * time.Hour, 4 * second}}, 400*24*time.Hour + 10*second, 2 * second},
		{"an origin may lie in the future", []observation{{-90 * second, 4 * second}}, -80 * second, 2 * second},
	} {
		var l Load
		for _, o := range test.seen {
			l.Observe(o.firstToken, o.at)
		}
		if got := l.Latency(test.at); !near(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// What one observation weighs must not depend on how many others there are in the same time.
func TestLatencyOfABusyMemberForgetsAPeakByTime(t *testing.T) {
	for _, gap := range []time.Duration{3 * time.Millisecond, 20 * time.Millisecond, 500 * time.Millisecond} {
		var l Load
		l.Observe(30*time.Second, 0)
		at := time.Duration(0)
		for ; at < 10*time.Second; at += gap {
			l.Observe(time.Second, at)
		}
		// The exponential average would be 1 s + 29 s / e.
		want := 1 + 29/math.E
		if got := l.Latency(at).Seconds(); math.Abs(got-want) > want/10 {
			t.Errorf("one every %v: %.2f s after 10 s, want about %.2f s", gap, got, want)
		}
	}
}

func TestInFlightCountsWhatHasBegunAndNotEnded(t *testing.T) {
	const callers, requests = 8, 1000
	var l Load
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			for i := range requests {
				l.Begin()
				l.Observe(time.Duration(1+i%7)*time.Second, time.Duration(caller+i)*time.Second)
				if n := l.InFlight(); n < 1 || n > callers {
					t.Errorf("%d in flight, want 1 to %d", n, callers)
				}
				if got := l.Latency(time.Duration(i) * time.Second); got <= 0 || got > 7*time.Second {
					t.Errorf("latency %v of samples from 1 s to 7 s", got)
				}
				l.End()
			}
		})
	}
	done.Wait()
	if l.InFlight() != 0 {
		t.Errorf("%d in flight after all have ended", l.InFlight())
	}
}
