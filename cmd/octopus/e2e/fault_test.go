package e2e

import (
	"sync"
	"testing"
)

// faults are the rows of section A of faults.md: providers that misbehave. Each is played on all three protocols, streams
// and whole answers where it applies.
var faults = []struct {
	row, evidence string
	// play plays the row through channels that speak one protocol, or all when upstream is empty.
	play func(t *testing.T, upstream string)
	// alone rows measure memory or move much, and run one after the other.
	alone bool
}{
	{"F01", "429 with Retry-After: the same target after 2 s with rate_limit_wait, else another at once and " +
		"never twice in 1.5 s", rateLimitedOnce, false},
	{"F02", "429 for ever under 4 clients: all answered by the fallback, at most 4 tries in any 3 s, and it " +
		"is tried again", rateLimitedForEver, false},
	{"F03", "500 once: the same target again after a pause, success", failsOnce, false},
	{"F04", "503 for ever: one try, then it cools and is shown as cooling; every client has the fallback's " +
		"answer", overloaded, false},
	{"F05", "reset before headers: the answer arrives", resetOnce, false},
	{"F06", "silence: given up after 1 s, closed, tried once; the next request does not wait for it", silentTarget, false},
	{"F07", "headers and no token: one timer for both, other target", slowFirstToken, false},
	{"F08", "cut stream: an error in the protocol and class cut; whole answers and commit: complete get the " +
		"other target's", cutStream, false},
	{"F09", "stalled stream: ended by the idle timer, as F08; the process stays healthy", stalledStream, false},
	{"F10", "an event that is not JSON: skipped and counted; the rest arrives, usage exact", garbageEvent, false},
	{"F11", "no end marker behind the stop reason, closed or left open: ends promptly and normally, usage " +
		"exact", missingEnd, false},
	{"F12", "prompt too long: that model once, then the larger one; without one the provider's 400", contextTooLong, false},
	{"F13", "content filter: one attempt, the provider's reason", contentFilter, false},
	{"F14", "cut stream, then 400: the client is told of the cut", cutThenRefused, false},
	{"F15", "an outage: the fallback serves throughout, one probe per interval, back on the primary soon " +
		"after", outage, false},
	{"F16", "a failed primary costs nothing: model and tokens are the fallback's", failedAttemptsAreFree, false},
	{"F17", "401, 402, 403 on one of three keys: the others serve, the key is left alone; three bad keys are " +
		"no 401 to the client", badKey, false},
	{"F18", "HTML, empty, error object, no choices, truncated: nonsense, other target", nonsense, false},
	{"F19", "streams in every spelling, bytes one by one, a NUL, a 4 MB event: same text; an endless event " +
		"ends, memory bounded", spellings, true},
	{"F20", "usage missing, late, twice, early, absurd: counted right once, or estimated", oddUsage, false},
	{"F21", "endless body and headers, gzip bomb, redirect, expired certificate: 502 at a limit, credentials " +
		"stay", floods, true},
	{"F22", "slow reader: back-pressure, memory flat; slow stream: each token at once", slowReader, true},
	{"F23", "kept-alive connections closed by the provider: invisible, each request arrives once", closedBetweenRequests, false},
	{"F24", "all targets down: bounded answers with each target's reason and Retry-After, no storm", allDown, false},
}

// rowsAtOnce is how many rows run at once: they mostly wait for timers.
const rowsAtOnce = 8

func TestProviderFaults(t *testing.T) {
	upstreams := []string{""}
	if *full {
		upstreams = append(upstreams, "openai-chat", "openai-responses", "anthropic")
	}
	play := func(row, evidence string, one func(t *testing.T, upstream string)) {
		t.Run(row, func(t *testing.T) {
			proves(t, row, evidence)
			for _, upstream := range upstreams {
				t.Run("through "+upstream, func(t *testing.T) { one(t, upstream) })
			}
		})
	}
	var running sync.WaitGroup
	free := make(chan struct{}, rowsAtOnce)
	for _, fault := range faults {
		if !fault.alone {
			running.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				play(fault.row, fault.evidence, fault.play)
			})
		}
	}
	running.Wait()
	for _, fault := range faults {
		if fault.alone {
			play(fault.row, fault.evidence, fault.play)
		}
	}
}
