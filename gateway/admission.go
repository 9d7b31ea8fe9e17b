package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"octopus/codec/llm"
)

const (
	// admissionWait is the longest time that a request waits to be admitted.
	admissionWait = time.Second
	// As many requests may wait as may run, within these bounds: who waits costs a connection, but no body yet.
	leastWaiting, mostWaiting = 16, 1024
	// overloadRetry is what a client is told to wait when nobody knows when there is room again.
	overloadRetry = time.Second
	// smallBody is the largest body that is not counted by its bytes: the place of its request stands for it.
	smallBody = 64 << 10
	// bodyStep is what a body is counted in whose length is not known before.
	bodyStep = 256 << 10
)

// admission bounds how many requests run at once. Those beyond stand in line for a moment, first come first served; those
// beyond that are refused. It stands behind the credential, so that strangers take no place, and before the body, so that
// who waits needs no memory. What its body needs is bounded for all requests together: a few hundred large ones fill a
// memory that thousands of small ones don't. Probes and lists of models do not pass here. The zero value admits everything.
type admission struct {
	// limit is how many may run; zero means any number. It does not change.
	limit int64
	// taken counts the requests that run and those that want to. Requests of all cores write it; what goes beyond limit is
	// lowered with mu held only, so that a place can be handed over.
	taken atomic.Int64
	// mu guards line and owed.
	mu sync.Mutex
	// line holds those who wait, the first to come first. A place is handed over by sending.
	line []chan struct{}
	// owed counts places for requests that are counted in taken and not in line yet.
	owed int
	// mostBodies is how many bytes of bodies there may be at once, those of smallBody apart; zero means any number. It does
	// not change.
	mostBodies int64
	// bodies are the bytes that there are, or are announced. Requests of all cores write it.
	bodies atomic.Int64
}

// errBusy is the answer to a request that is not admitted.
var errBusy = &llm.Error{Kind: llm.Overloaded, RetryAfter: overloadRetry,
	Message: "The gateway serves as many requests as it can at the moment. Try again soon."}

// errShutdown is the answer to a request that the end of the process meets.
var errShutdown = &llm.Error{Kind: llm.Overloaded, Message: "The gateway is shutting down."}

// admit takes a place for the call, after a wait if need be. Finish gives it back.
func (c *call) admit() *llm.Error {
	a := &c.gateway.admission
	if a.limit == 0 {
		return nil
	}
	// Fast path: there is room.
	if c.admitted = a.taken.Add(1) <= a.limit || a.stand(c); c.admitted {
		return nil
	}
	if c.ended() == abandonedByShutdown {
		return errShutdown
	}
	return errBusy
}

// leave gives the place of a call back, or hands it to the first in line.
func (a *admission) leave() {
	// Fast path: nobody waits.
	for taken := a.taken.Load(); taken <= a.limit; taken = a.taken.Load() {
		if a.taken.CompareAndSwap(taken, taken-1) {
			return
		}
	}
	// Slow path: of those beyond the limit one gets the place.
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.taken.Add(-1) < a.limit:
		// they are gone meanwhile
	case len(a.line) == 0:
		a.owed++
	default:
		a.line[0] <- struct{}{}
		a.line = slices.Delete(a.line, 0, 1)
	}
}

// holdBody makes sure that the call's body is counted with n bytes at least. It returns false when that is too much beside
// the others' bodies; alone, a body may be of any size.
func (c *call) holdBody(n int) bool {
	a := &c.gateway.admission
	if n <= max(c.bodyHeld, smallBody) || a.mostBodies == 0 {
		return true
	}
	more := (n - c.bodyHeld + bodyStep - 1) / bodyStep * bodyStep
	if all := a.bodies.Add(int64(more)); all > a.mostBodies && all > int64(c.bodyHeld+more) {
		a.bodies.Add(-int64(more))
		return false
	}
	c.bodyHeld += more
	return true
}

// dropBody gives back what holdBody has counted.
func (c *call) dropBody() {
	if c.bodyHeld > 0 {
		c.gateway.admission.bodies.Add(-int64(c.bodyHeld))
		c.bodyHeld = 0
	}
}

// stand lets a call wait in line. It reports whether the call has a place then; if not, it is no longer counted in taken.
func (a *admission) stand(c *call) bool {
	handed := make(chan struct{}, 1)
	a.mu.Lock()
	switch {
	case a.owed > 0:
		a.owed--
		a.mu.Unlock()
		return true
	case len(a.line) >= a.room():
		a.taken.Add(-1)
		a.mu.Unlock()
		return false
	}
	a.line = append(a.line, handed)
	a.mu.Unlock()
	if c.wait(handed, now()+instant(admissionWait)) {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.line, handed)
	if i < 0 {
		return true // at the last moment
	}
	a.line = slices.Delete(a.line, i, i+1)
	a.taken.Add(-1)
	return false
}

// room is how many may wait.
func (a *admission) room() int { return int(min(max(a.limit, leastWaiting), mostWaiting)) }

// waiting returns how many wait.
func (a *admission) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.line)
}
