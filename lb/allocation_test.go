//go:build !race

package lb

import (
	"testing"
	"time"
)

func TestPicksDoNotAllocate(t *testing.T) {
	for _, p := range policies {
		for _, n := range []int{3, 64, 1000} {
			policy := p.make(equal(n))
			var usable Set
			usable.Reset(n)
			down := 0
			// A request as the gateway plays it, each time with another member down, so that pools come up that were
			// never seen, more of them than there are cursors.
			allocs := testing.AllocsPerRun(200, func() {
				usable.Reset(n)
				for i := range n {
					usable.Add(i)
				}
				usable.Remove(down % n)
				usable.Remove(down / n % n)
				down++
				usable.Remove(policy.Pick(&usable))
				policy.Explain(&usable)
				policy.Pick(&usable)
			})
			if allocs != 0 {
				t.Errorf("%s, %d members: %v allocations per request, want 0", p.name, n, allocs)
			}
		}
	}
}

func TestLoadsDoNotAllocate(t *testing.T) {
	var load Load
	var ramp Ramp
	if allocs := testing.AllocsPerRun(100, func() {
		load.Begin()
		load.Observe(time.Second, time.Minute)
		load.Latency(time.Minute)
		load.End()
		ramp.Admit(25)
	}); allocs != 0 {
		t.Errorf("%v allocations per request, want 0", allocs)
	}
}
