package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestBalanceOverChannels(t *testing.T) {
	const requests, atOnce = 300, 20
	members := func(more ...string) []string {
		return []string{
			"{channel: north, model: m" + more[0] + "}",
			"{channel: south, model: m" + more[1] + "}",
			"{channel: west, model: m" + more[2] + "}",
		}
	}
	for _, test := range []struct {
		mode    string
		members []string
		// want is the share of each provider, off by how much it may be off.
		want [3]int64
		off  int64
	}{
		{"round-robin", members("", "", ""), [3]int64{100, 100, 100}, 0},
		{"weighted", members(", weight: 1", ", weight: 2", ", weight: 3"), [3]int64{50, 100, 150}, 0},
		{"failover", members(", priority: 2", ", priority: 1", ", priority: 3"), [3]int64{0, 300, 0}, 0},
		// Fair coins: five standard deviations are 41.
		{"random", members("", "", ""), [3]int64{100, 100, 100}, 41},
	} {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, map[string]string{"groups": group("tested", "mode: "+test.mode, test.members...)})
			var clients sync.WaitGroup
			todo := make(chan int, requests)
			for i := range requests {
				todo <- i
			}
			close(todo)
			for range atOnce {
				clients.Go(func() {
					for i := range todo {
						// All six kinds of requests take turns.
						p, stream := &protocols[i%3], i/3%2 == 0
						got := g.post(t.Context(), p, p.body("tested", stream))
						if lacks := p.lacks(got.body, stream); got.status != 200 || lacks != "" {
							t.Errorf("request %d (%s): %v, want 200 and %q", i, p.name, got, lacks)
						}
					}
				})
			}
			clients.Wait()
			for i, p := range g.providers() {
				if got := p.Counts().Requests; got < test.want[i]-test.off || got > test.want[i]+test.off {
					t.Errorf("provider %d got %d requests, want %d ± %d", i, got, test.want[i], test.off)
				}
			}
		})
	}
}

func TestFailureBeforeTheFirstEventIsInvisible(t *testing.T) {
	faults := []struct {
		directives string
		// attempts is how many it takes at most: faults that are worth it are tried on the same channel once more, and a
		// channel that is known to fail is left out.
		attempts int
		// streams says that whole answers don't have the fault, chat that other protocols don't: there an answer may be
		// empty.
		streams, chat bool
	}{
		{"status=503", 2, false, false},
		{"status=529", 2, false, false},
		{"status=429", 2, false, false},
		{"status=401", 2, false, false},
		{"status=402", 2, false, false},
		{"status=404", 2, false, false},
		{"status=500", 3, false, false},
		{"reset", 3, false, false},
		{"silent", 2, false, false},
		{"prelude=1h", 2, true, false},
		{"first=1h", 2, true, false},
		{"html", 2, false, false},
		{"empty", 2, false, false},
		{"error200", 2, false, false},
		{"nochoices", 2, false, true},
		{"cut=0", 2, false, false},
		{"truncated,tokens=1", 2, false, false},
		{"errorevent=0", 2, true, false},
	}
	var groups strings.Builder
	for _, fault := range faults {
		groups.WriteString(group(strconv.Quote(fault.directives),
			"policy: {first_token_timeout: 500ms, answer_timeout: 500ms}\n    mode: failover",
			fmt.Sprintf("{channel: north, model: %q, priority: 1}", "m!"+fault.directives),
			"{channel: south, model: m, priority: 2}"))
	}
	g := startGateway(t, map[string]string{"groups": groups.String()})
	check := func(t *testing.T, p *protocol, model string, stream bool, attempts int) {
		t.Helper()
		got := g.post(t.Context(), p, p.body(model, stream))
		if lacks := p.lacks(got.body, stream); got.status != 200 || lacks != "" {
			t.Errorf("%s, stream %t: %v, want 200 and %q", p.name, stream, got, lacks)
			return
		}
		channel, tried := got.header.Get("X-Octopus-Channel"), got.header.Get("X-Octopus-Attempts")
		if n, err := strconv.Atoi(tried); channel != "south" || err != nil || n > attempts {
			t.Errorf("%s, stream %t: channel %q after %q attempts, want south after at most %d", p.name, stream, channel, tried, attempts)
		}
	}
	t.Run("faults", func(t *testing.T) {
		for _, fault := range faults {
			t.Run(fault.directives, func(t *testing.T) {
				t.Parallel()
				for i := range protocols {
					if fault.chat && protocols[i].name != "chat" {
						continue
					}
					check(t, &protocols[i], fault.directives, true, fault.attempts)
					if !fault.streams {
						check(t, &protocols[i], fault.directives, false, fault.attempts)
					}
				}
			})
		}
	})
	for _, e := range g.south.Requests() {
		if e.Model != "m" {
			t.Errorf("the second channel was asked for %q, want its own model m", e.Model)
		}
	}
}
