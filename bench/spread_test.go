package main

import (
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{7}, spread{7, 7, 7}},
		{[]float64{3, 1, 2}, spread{2, 1, 3}},
		{[]float64{4, 1, 3, 2}, spread{2.5, 1, 4}},
	} {
		given := append([]float64(nil), c.values...)
		if got := newSpread(given); got != c.want {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
		if given[0] != c.values[0] {
			t.Errorf("%v was sorted in place", c.values)
		}
	}
	if got := measured([]float64{0, 0}); got != nil {
		t.Errorf("nothing measured: got %v, want nil", got)
	}
	if got := measured([]float64{0, 2}); got == nil || got.Median != 1 {
		t.Errorf("got %v, want a median of 1", got)
	}
}

func TestLatencyIsNearestRank(t *testing.T) {
	took := make([]time.Duration, 200) // 200, 199, … 1
	for i := range took {
		took[i] = time.Duration(200 - i)
	}
	if got, want := newLatency(took), (latency{P50: 100, P90: 180, P99: 198, Max: 200}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := newLatency([]time.Duration{5}), (latency{5, 5, 5, 5}); got != want {
		t.Errorf("one value: got %+v, want %+v", got, want)
	}
	if got := newLatency(nil); got != (latency{}) {
		t.Errorf("nothing: got %+v", got)
	}
	if got := percentile([]time.Duration{1, 2, 3}, 0.01); got != 1 {
		t.Errorf("the lowest percentile: got %v, want 1", got)
	}
}
