package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soak is how long the soak lasts; "make soak" makes it an hour.
var soak = flag.Duration("soak", 30*time.Second, "how long TestSoak lasts")

// The soak's crowd.
const (
	soakStreams  = 200
	soakDeadline = 15 * time.Second
	// soakSlack is what a stream that has begun in time may take longer, and the machine.
	soakSlack = 5 * time.Second
)

// toldOfCut is a stream that broke behind its first event, where nobody can rescue it, and whose client was told so.
const toldOfCut = "cut"

// TestSoak keeps 200 streams going while a tenth of what the providers do goes wrong: more at north, less at south, nothing
// at west, so that a healthy target could have served every request.
func TestSoak(t *testing.T) {
	t.Parallel()
	rescued := proves(t, "S16", fmt.Sprintf("%d streams at once for %v: none lost, none beyond its deadline", soakStreams, *soak))
	proves(t, "F47", fmt.Sprintf("%v of 10 %% random faults: goroutines, fds and heap flat after warm-up, and back at the end",
		*soak))
	policy := fmt.Sprintf("policy: {first_token_timeout: 1s, answer_timeout: 2s, idle_timeout: 1s, deadline: %v, attempts: 6, "+
		"cooldown: {base: 500ms, max: 2s}, commit: ", soakDeadline)
	const script = "m!tokens=20,every=50ms"
	members := []string{}
	for _, place := range places {
		members = append(members, fmt.Sprintf("{channel: %s, model: %q}", place, script))
	}
	g := startGateway(t, map[string]string{
		"groups": group("held", policy+"complete}", members...) + group("first", policy+"first-token}", members...),
	})
	warmUp(t, g)
	for place, percent := range map[int]int{0: 20, 1: 10} {
		if err := g.providers()[place].SetScript(fmt.Sprintf("mishap=%d", percent)); err != nil {
			t.Fatal(err)
		}
	}
	before := g.settled(t)

	ctx, stop := context.WithTimeout(t.Context(), *soak)
	defer stop()
	crowd := soakers{g: g, counts: map[string]int{}}
	var clients sync.WaitGroup
	for i := range soakStreams {
		clients.Go(func() { crowd.client(ctx, t, i) })
	}
	samples := g.sampleWhile(ctx, t)
	clients.Wait()
	*rescued += fmt.Sprintf("; %d requests, %d of them cut behind their beginning and told so, the longest %v", crowd.requests.Load(),
		crowd.counts[toldOfCut], time.Duration(crowd.longest.Load()).Round(time.Millisecond))
	checkFlat(t, samples)
	g.checkReturned(t, before)
}

// soakers are the clients of the soak.
type soakers struct {
	g        *gateway
	requests atomic.Int64
	// longest is the longest request, in nanoseconds.
	longest atomic.Int64
	// mu guards counts, of answers by kind.
	mu     sync.Mutex
	counts map[string]int
}

// client asks until ctx ends.
func (s *soakers) client(ctx context.Context, t *testing.T, i int) {
	random := rand.New(rand.NewPCG(uint64(i), 47))
	for n := 0; ctx.Err() == nil; n++ {
		p := &protocols[random.IntN(len(protocols))]
		stream := random.IntN(10) > 0
		group := [...]string{"held", "first"}[n%2]
		said := fmt.Sprintf("%q", fmt.Sprintf("number %d of %d", n, i))
		begun := time.Now()
		whole, cancel := context.WithTimeout(t.Context(), soakDeadline+soakSlack)
		got := s.g.post(whole, p, fmt.Sprintf(p.format, group, stream, said))
		cancel()
		took := time.Since(begun)
		s.requests.Add(1)
		for longest := s.longest.Load(); int64(took) > longest && !s.longest.CompareAndSwap(longest, int64(took)); {
			longest = s.longest.Load()
		}
		kind := "whole"
		switch lacks := p.lacks(got.body, stream); {
		case got.err == nil && got.status == 200 && lacks == "":
		case got.err == nil && got.status == 200 && stream && group == "first" && strings.Contains(got.body, p.failed) &&
			textOf(got.body, true) != "":
			kind = toldOfCut
		default:
			kind = fmt.Sprintf("lost: %d", got.status)
			t.Errorf("%s, %s, stream %t after %v: %d %v … %s", group, p.name, stream, took, got.status, got.err, tail(got.body))
		}
		s.mu.Lock()
		s.counts[kind]++
		lost := len(s.counts)
		s.mu.Unlock()
		if lost > 20 {
			return
		}
	}
}

// sampleWhile returns the process's resources, looked at once a second until ctx ends. The providers' logs are let go
// meanwhile: an hour of them is much.
func (g *gateway) sampleWhile(ctx context.Context, t *testing.T) []resources {
	t.Helper()
	var samples []resources
	for ticker := time.NewTicker(time.Second); ; {
		select {
		case <-ticker.C:
			samples = append(samples, g.resources(t))
			for _, p := range g.providers() {
				p.Reset()
			}
		case <-ctx.Done():
			ticker.Stop()
			return samples
		}
	}
}

// checkFlat checks that the last third of the samples is no higher than the one before it, by their medians.
func checkFlat(t *testing.T, samples []resources) {
	t.Helper()
	third := len(samples) / 3
	if third < 3 {
		t.Fatalf("%d samples are too few", len(samples))
	}
	for _, kind := range []struct {
		name string
		of   func(r resources) int64
		// more is how much higher it may be, as a part and in absolute terms.
		part, more float64
	}{
		{"goroutines", func(r resources) int64 { return int64(r.goroutines) }, 0.1, 30},
		{"descriptors", func(r resources) int64 { return int64(r.descriptors) }, 0.1, 40},
		{"heap", func(r resources) int64 { return r.heap }, 0.15, 8 << 20},
		{"resident memory", func(r resources) int64 { return r.resident }, 0.1, 12 << 20},
	} {
		median := func(part []resources) float64 {
			var values []int64
			for _, r := range part {
				values = append(values, kind.of(r))
			}
			slices.Sort(values)
			return float64(values[len(values)/2])
		}
		middle, last := median(samples[third:2*third]), median(samples[2*third:])
		t.Logf("%s: %.0f, then %.0f", kind.name, middle, last)
		if last > middle*(1+kind.part)+kind.more {
			t.Errorf("%s grew from %.0f to %.0f", kind.name, middle, last)
		}
	}
}
