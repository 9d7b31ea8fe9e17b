package gateway

import (
	"math/rand/v2"
	"testing"
	"time"
)

func seconds(s float64) instant { return instant(s * float64(time.Second)) }

func TestWindowHasRoomWhenTheOldestAreAMinuteAway(t *testing.T) {
	var w window
	w.add(seconds(10.2), 3)
	w.add(seconds(20), 2)
	w.add(seconds(69.9), 1)
	for _, c := range []struct {
		at, want float64
		limit, n int64
	}{
		{69.9, 0, 7, 1},
		{69.9, 70.5, 6, 1},  // the step of the first ends at 10.5
		{69.9, 70.5, 6, 3},  // all three of them go
		{69.9, 80.5, 6, 4},  // and the next two
		{69.9, 130, 6, 6},   // all
		{69.9, 130, 6, 100}, // more than ever fits waits for an empty window
		{69.9, 80.5, 3, 1},  // a limit that was lowered
		{70.4, 70.5, 6, 1},
		{70.5, 0, 6, 1},
		{70.5, 80.5, 3, 2},
		{80.5, 0, 3, 2},
		{130, 0, 1, 100},
	} {
		was := w
		if got := w.room(seconds(c.at), c.limit, c.n); got != seconds(c.want) {
			t.Errorf("at %v s, %d more of %d: room at %v, want %v s", c.at, c.n, c.limit, time.Duration(got), c.want)
		}
		if c.at < 70 {
			w = was
		}
	}
}

func TestWindowTakesBackWhatItHasNotForgotten(t *testing.T) {
	var w window
	w.add(seconds(1), 5)
	w.add(seconds(2), 7)
	if w.takeBack(seconds(30), seconds(1), 3); w.sum != 9 {
		t.Errorf("sum %d, want 9", w.sum)
	}
	if w.takeBack(seconds(61.9), seconds(1), 2); w.sum != 7 {
		t.Errorf("after the first is forgotten: sum %d, want 7", w.sum)
	}
	if w.takeBack(seconds(61.9), seconds(2), 7); w.sum != 0 {
		t.Errorf("sum %d, want 0", w.sum)
	}
	w.add(seconds(1000), 1)
	if w.takeBack(seconds(5000), seconds(1000), 1); w.sum != 0 {
		t.Errorf("after a long time: sum %d, want 0", w.sum)
	}
}

// Whatever comes when: no minute holds more than the limit, and who waits as long as told is let in.
func TestNoMinuteHoldsMoreThanTheLimit(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit := 1 + random.Int64N(20)
		var w window
		var in []instant
		at := instant(random.Int64N(int64(time.Hour)))
		for range 1000 {
			at += instant(random.Int64N(int64(4 * time.Second)))
			if room := w.room(at, limit, 1); room != 0 {
				if room <= at || room > at+seconds(60.5) {
					t.Fatalf("at %v: room at %v", time.Duration(at), time.Duration(room))
				}
				if random.IntN(2) == 0 {
					continue
				}
				if at = room; w.room(at, limit, 1) != 0 {
					t.Fatalf("limit %d: no room at %v, when it was promised", limit, time.Duration(at))
				}
			}
			w.add(at, 1)
			if in = append(in, at); int64(len(in)) > limit && at-in[int64(len(in))-1-limit] < instant(time.Minute) {
				t.Fatalf("limit %d: %d within %v", limit, limit+1, time.Duration(at-in[int64(len(in))-1-limit]))
			}
		}
	}
}

func TestWindowIsLiftedWhenNothingIsCounted(t *testing.T) {
	var w window
	if got := w.lifted(seconds(1)); got != 0 {
		t.Errorf("empty: got %v", time.Duration(got))
	}
	w.add(seconds(1), 5)
	w.add(seconds(20.2), 7)
	for _, c := range []struct{ at, want float64 }{{20.2, 80.5}, {80.4, 80.5}, {80.5, 0}, {500, 0}} {
		if got := w.lifted(seconds(c.at)); got != seconds(c.want) {
			t.Errorf("at %v s: got %v, want %v s", c.at, time.Duration(got), c.want)
		}
	}
	w.add(seconds(500), 3)
	w.takeBack(seconds(501), seconds(500), 3)
	if got := w.lifted(seconds(501)); got != 0 {
		t.Errorf("what was taken back counts until %v", time.Duration(got))
	}
}
