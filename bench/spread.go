package main

import (
	"math"
	"slices"
	"time"
)

// spread is what a figure was over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// newSpread returns the spread of values, which may not be empty. An even number of them has the mean of the middle two
// as its median.
func newSpread(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// measured returns the spread of values, or nil when all are zero: then nothing was measured.
func measured(values []float64) *spread {
	s := newSpread(values)
	if s.Min == 0 && s.Max == 0 {
		return nil
	}
	return &s
}

// latency is how long answers took, as the client saw it. JSON has nanoseconds.
type latency struct {
	P50 time.Duration `json:"p50"`
	P90 time.Duration `json:"p90"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
}

// newLatency returns the percentiles of took, which it sorts. They are zero when there is nothing.
func newLatency(took []time.Duration) latency {
	if len(took) == 0 {
		return latency{}
	}
	slices.Sort(took)
	return latency{
		P50: percentile(took, 50),
		P90: percentile(took, 90),
		P99: percentile(took, 99),
		Max: took[len(took)-1],
	}
}

// percentile returns the smallest of sorted that p percent of them do not exceed (nearest rank). p is above 0 and at most
// 100, sorted not empty.
func percentile(sorted []time.Duration, p float64) time.Duration {
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
