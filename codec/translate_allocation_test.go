//go:build !race

package codec

import (
	"testing"

	"octopus/codec/llm"
)

// TestEventsOfTranslationsDoNotAllocate compares calls with short and long streams: what they allocate must not grow with the
// number of their events. A text that is kept, as for Responses clients, doubles its room now and then.
func TestEventsOfTranslationsDoNotAllocate(t *testing.T) {
	const short, long, doublings = 1000, 4000, 16
	for _, client := range llm.Protocols {
		for _, target := range llm.Protocols {
			if client == target {
				continue
			}
			allocations := func(events int) float64 {
				s := newTimedStream(t, client, target, events)
				return testing.AllocsPerRun(20, func() { s.run(t) })
			}
			few, many := allocations(short), allocations(long)
			if many-few > doublings {
				t.Errorf("%v client, %v upstream: %v allocations with %d events, %v with %d", client, target, few, short, many, long)
			}
		}
	}
}
