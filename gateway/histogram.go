package gateway

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// secondsBuckets are the upper bounds of a histogram's buckets. They suit answers of language models: from a cache hit to
// ten minutes of thinking.
var secondsBuckets = [...]time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
	20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
}

// histogram counts durations in buckets, as Prometheus wants them. The metrics package has one with buckets that only
// VictoriaMetrics reads, and it takes a lock per update. The zero value is empty.
type histogram struct {
	// buckets count durations that are in no smaller bucket; the last one is beyond every bound. All written by requests,
	// read by write, which may see an update in part.
	buckets [len(secondsBuckets) + 1]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
}

// update counts d.
func (h *histogram) update(d time.Duration) {
	i := 0
	for i < len(secondsBuckets) && d > secondsBuckets[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// write writes the histogram in Prometheus' text format.
func (h *histogram) write(w io.Writer, name string) {
	count := uint64(0)
	for i, bound := range secondsBuckets {
		count += h.buckets[i].Load()
		fmt.Fprintf(w, "%s_bucket{le=\"%g\"} %d\n", name, bound.Seconds(), count)
	}
	count += h.buckets[len(secondsBuckets)].Load()
	fmt.Fprintf(w, "%s_bucket{le=\"+Inf\"} %d\n", name, count)
	fmt.Fprintf(w, "%s_sum %g\n%s_count %d\n", name, time.Duration(h.sum.Load()).Seconds(), name, count)
}
