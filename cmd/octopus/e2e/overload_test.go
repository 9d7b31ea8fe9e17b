package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestTwiceTheLoad(t *testing.T) {
	const (
		atOnce  = 20
		service = 400 * time.Millisecond // 20 events, one each 20 ms
		// A request waits for a second at most, then it is served; the rest is for a machine that does other things as well.
		limit = time.Second + service + 2*time.Second
	)
	evidence := proves(t, "F34", fmt.Sprintf("four times the clients of --max-in-flight=%d: 503 or 529 with Retry-After, probes "+
		"answered", atOnce))
	g := startGateway(t, nil, fmt.Sprintf("--max-in-flight=%d", atOnce))
	// atOnce run, as many wait, and the rest is refused.
	var mu sync.Mutex
	var group sync.WaitGroup
	var served, refused int
	var slowest time.Duration
	for i := range 4 * atOnce {
		group.Go(func() {
			p := &protocols[i%len(protocols)]
			for range 3 {
				began := time.Now()
				got := g.post(t.Context(), p, p.body("north/m!tokens=20,every=20ms", i%2 == 0))
				took := time.Since(began)
				mu.Lock()
				if got.status == 200 {
					served++
					slowest = max(slowest, took)
				} else {
					refused++
				}
				mu.Unlock()
				overloaded := 503
				if p.name == "messages" {
					overloaded = 529
				}
				switch {
				case got.status == 200 && p.lacks(got.body, i%2 == 0) != "":
					t.Errorf("%s lacks %s: %v", p.name, p.lacks(got.body, i%2 == 0), got)
				case got.status == 200:
				case got.status != overloaded || got.header.Get("Retry-After") != "1" || took > limit:
					t.Errorf("%s: %v after %v, want %d with Retry-After", p.name, got, took, overloaded)
				default:
					if err := p.checkError(got, overloaded); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 5 {
		for _, path := range []string{"/healthz", "/readyz", "/v1/models", "/"} {
			if began, got := time.Now(), g.do(t.Context(), "GET", path, ""); got.status != 200 || time.Since(began) > time.Second {
				t.Errorf("%s: %v after %v", path, got, time.Since(began))
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	group.Wait()
	if got := g.north.Counts().Requests; slowest > limit || served < 2*atOnce || refused < atOnce || got != int64(served) {
		t.Errorf("%d served (the slowest after %v), %d refused, the provider got %d", served, slowest, refused, got)
	}
	if got := g.settledMetrics(t)["octopus_waiting"]; got != 0 {
		t.Errorf("%v still wait", got)
	}
	*evidence += fmt.Sprintf("; %d served, the slowest after %v, %d refused", served, slowest.Round(10*time.Millisecond), refused)
}
