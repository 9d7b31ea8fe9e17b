package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestOverload(t *testing.T) {
	const (
		limit   = 20
		service = 500 * time.Millisecond
		span    = 5 * time.Second
		// bound is the longest that an admitted request may take: its service, and a short wait for its turn.
		bound    = service + 2*time.Second
		mostPeak = 192 << 20
	)
	requests := 2 * limit * int(span/service) // twice what it can take
	evidence := proves(t, "F34", fmt.Sprintf("twice the load of --max-in-flight=%d for %v: bounded latency, at most %s resident",
		limit, span, mebibytes(mostPeak)))
	g := startGateway(t, nil, fmt.Sprint("--max-in-flight=", limit))
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		// Guarded by mu.
		admitted, refused []time.Duration
	)
	ticker := time.NewTicker(span / time.Duration(requests))
	defer ticker.Stop()
	for i := range requests {
		<-ticker.C
		asking.Go(func() {
			p, stream := &protocols[i%3], i/3%2 == 0
			begun := time.Now()
			got := g.post(t.Context(), p, p.body("north/m!delay="+service.String(), stream))
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			switch lacks := p.lacks(got.body, stream); {
			case got.err == nil && got.status == 200 && lacks == "":
				admitted = append(admitted, took)
			case got.status == overloadedStatus(p):
				refused = append(refused, took)
				if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || seconds < 1 {
					t.Errorf("Retry-After %q, want some", got.header.Get("Retry-After"))
				}
				if err := p.checkError(got, overloadedStatus(p)); err != nil {
					t.Errorf("%v: %v", err, got)
				}
			default:
				t.Errorf("after %v: %v, want an answer or 503", took, got)
			}
		})
	}
	asking.Wait()
	if len(admitted) < requests/3 || len(refused) < requests/10 {
		t.Fatalf("%d of %d requests were admitted and %d refused, want about half", len(admitted), requests, len(refused))
	}
	*evidence += fmt.Sprintf("; %d admitted, the slowest after %v, %d refused", len(admitted),
		slices.Max(admitted).Round(10*time.Millisecond), len(refused))
	if longest := slices.Max(admitted); longest > bound {
		t.Errorf("an admitted request took %v, want at most %v", longest, bound)
	}
	if longest := slices.Max(refused); longest > bound {
		t.Errorf("a refusal took %v, want at most %v", longest, bound)
	}
	if atOnce := mostAtOnce(t, g); atOnce > limit {
		t.Errorf("%d requests at once reached the provider, want at most %d", atOnce, limit)
	}
	if peak := g.peakMemory(t); peak > mostPeak {
		t.Errorf("up to %s resident, want at most %s", mebibytes(peak), mebibytes(mostPeak))
	}
}

// overloadedStatus is how a gateway that is full says so (protocols.md A.9).
func overloadedStatus(p *protocol) int {
	if p.name == "messages" {
		return 529
	}
	return http.StatusServiceUnavailable
}

// mostAtOnce returns how many exchanges the provider north had at once.
func mostAtOnce(t *testing.T, g *gateway) int {
	t.Helper()
	type change struct {
		at   time.Time
		more int
	}
	var changes []change
	for _, e := range settle(t, g.north) {
		changes = append(changes, change{e.Time, 1}, change{e.Ended, -1})
	}
	slices.SortFunc(changes, func(a, b change) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.more - b.more
	})
	running, most := 0, 0
	for _, c := range changes {
		running += c.more
		most = max(most, running)
	}
	return most
}

func TestIdleStreams(t *testing.T) {
	t.Parallel() // It mostly waits.
	streams, span, every := 200, 8*time.Second, 500*time.Millisecond
	if *full {
		streams, span, every = 2000, 2*time.Minute, 5*time.Second
	}
	const mostPerStream = 128 << 10
	evidence := proves(t, "F35", fmt.Sprintf("%d streams for %v: goroutines, fds and memory return to the start", streams,
		span))
	g := startGateway(t, nil)
	warmUp(t, g)
	before := g.settled(t)
	script := fmt.Sprintf("tokens=%d,every=%v", span/every, every)
	var open sync.WaitGroup
	for i := range streams {
		open.Go(func() {
			p := &protocols[i%3]
			if got := g.post(t.Context(), p, p.body("north/m!"+script, true)); p.lacks(got.body, true) != "" || got.err != nil {
				t.Errorf("stream %d: %d %v, want a whole one", i, got.status, got.err)
			}
		})
	}
	tick(t, span/2)
	if n := g.metrics(t)["octopus_in_flight"]; n != float64(streams) {
		t.Errorf("%v streams are open, want %d", n, streams)
	}
	perStream := (g.residentMemory(t) - before.resident) / int64(streams)
	*evidence += fmt.Sprintf("; %d KiB per stream", perStream>>10)
	open.Wait()
	if perStream > mostPerStream {
		t.Errorf("%d bytes of memory per stream, want at most %d", perStream, mostPerStream)
	}
	g.checkReturned(t, before)
}
