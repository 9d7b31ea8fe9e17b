package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// resources are what a process holds. Descriptors are those beside kept connections to providers, which end after a minute.
type resources struct {
	goroutines, descriptors int
	heap, resident          int64
}

func (g *gateway) resources(t *testing.T) resources {
	t.Helper()
	series := g.metrics(t)
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, p := range g.providers() {
		kept += int(p.Counts().Open)
	}
	return resources{
		goroutines:  int(series["go_goroutines"]),
		descriptors: len(descriptors) - kept,
		heap:        int64(series["go_memstats_heap_inuse_bytes"]),
		resident:    g.residentMemory(t),
	}
}

// warmUp lets the process make what it keeps: connections, pools, metrics.
func warmUp(t *testing.T, g *gateway) {
	t.Helper()
	for range 3 {
		for i := range protocols {
			for _, stream := range []bool{false, true} {
				p := &protocols[i]
				if got := g.post(t.Context(), p, p.body("octo-1", stream)); got.status != 200 {
					t.Fatal(got)
				}
			}
		}
	}
}

// settled returns the resources once no request runs and the garbage of those before is collected.
func (g *gateway) settled(t *testing.T) resources {
	t.Helper()
	collections := g.settledMetrics(t)["go_gc_duration_seconds_count"]
	// An idle process collects its garbage every two minutes. What makes some calls for it earlier: two collections, for
	// pools let go of what they hold with the second.
	garbage := fmt.Sprintf(protocols[0].format, "no-such-model", false, `"`+strings.Repeat("x", 2<<20)+`"`)
	for range 200 {
		if g.metrics(t)["go_gc_duration_seconds_count"] >= collections+3 {
			break
		}
		g.post(t.Context(), &protocols[0], garbage)
	}
	g.settledMetrics(t)
	return g.resources(t)
}

// checkReturned checks that the process comes back to what it held before.
func (g *gateway) checkReturned(t *testing.T, before resources) {
	t.Helper()
	const (
		moreGoroutines  = 10
		moreDescriptors = 10
		moreHeap        = 12 << 20
		moreResident    = 48 << 20
	)
	now := g.settled(t)
	for begun := time.Now(); time.Since(begun) < patience; tick(t, 250*time.Millisecond) {
		now = g.resources(t)
		if now.goroutines <= before.goroutines+moreGoroutines && now.descriptors <= before.descriptors+moreDescriptors &&
			now.heap <= before.heap+moreHeap && now.resident <= before.resident+moreResident {
			return
		}
	}
	t.Errorf("the process holds %+v, want what it held before, %+v, but for little", now, before)
}
