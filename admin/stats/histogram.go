package stats

import (
	"math/bits"
	"time"
)

// histogramBuckets is enough for 70 minutes; what takes longer is in the last bucket.
const histogramBuckets = 88

// Histogram counts durations in buckets of which there are four to each power of two of milliseconds: a quantile is off by an
// eighth at most. Histograms of the same kind add up. The zero value is empty.
type Histogram struct {
	Buckets [histogramBuckets]int64
}

// Observe counts d.
func (h *Histogram) Observe(d time.Duration) { h.Buckets[bucketOf(d)]++ }

// bucketOf returns the bucket of a duration: up to 3 ms one per millisecond, then four per power of two.
func bucketOf(d time.Duration) int {
	ms := uint64(max(d, 0) / time.Millisecond)
	if ms < 4 {
		return int(ms)
	}
	power := bits.Len64(ms) - 1
	return min((power-1)*4+int(ms>>(power-2)&3), histogramBuckets-1)
}

// lowest returns the shortest duration of a bucket.
func lowest(bucket int) time.Duration {
	if bucket < 4 {
		return time.Duration(bucket) * time.Millisecond
	}
	return time.Duration(4+bucket%4) << (bucket/4 - 1) * time.Millisecond
}

// Quantile returns the duration that a share q of what was observed, 0 to 1, did not exceed, as the middle of its bucket. It
// is zero when nothing was observed.
func (h *Histogram) Quantile(q float64) time.Duration {
	total := int64(0)
	for _, n := range h.Buckets {
		total += n
	}
	if total == 0 {
		return 0
	}
	rank := int64(q*float64(total-1)) + 1
	for i, n := range h.Buckets {
		if rank -= n; rank <= 0 {
			return (lowest(i) + lowest(i+1)) / 2
		}
	}
	return lowest(histogramBuckets - 1)
}

func (h *Histogram) merge(other *Histogram) {
	for i, n := range other.Buckets {
		h.Buckets[i] += n
	}
}
