//go:build !linux

package gateway

import "time"

// sweepInterval is how often the sweeper looks.
const sweepInterval = time.Minute

// silence can't look here.
type silence struct{}

func newSilence(int) silence { return silence{} }

// unbroken returns true.
func (*silence) unbroken() bool { return true }

// sweeper does nothing here: where there is no POLLRDHUP, a client that left is noticed at the next write to it.
type sweeper struct{}

// run does nothing.
func (*sweeper) run(*clientConns) {}
