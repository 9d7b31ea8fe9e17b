package lb

import (
	"math"
	"sync/atomic"
	"time"
)

// Load is what is known of how busy and how slow a member is: the requests it has in flight, and a decaying average of
// the time to its first token. It belongs to the member and not to a policy, so that it outlives the configuration. The
// zero value is a member of which nothing is known. All methods may be called by any number of goroutines at once; none
// takes a lock. A Load must not be copied.
//
// The average is sensitive to peaks, after Finagle's PeakEwma (com.twitter.finagle.loadbalancer, 2015; Linkerd and
// Envoy's peak_ewma have it from there): a first token later than the average becomes the average at once, an earlier one
// pulls it down by as much as time has gone by. What is not observed any more loses its weight, so that a member which
// was slow once is tried again.
//
// Where Finagle lets weights decay by exp(-t/T), here they decay by T/(T+t). From observation to observation of a busy
// member that is the same. Over a long silence it is not: there an exponential soon takes all members for equally good,
// and one request a minute would be dealt out in turns. This way a member that is k times as slow as the others is tried
// again after (k-1)*T, and where requests are rare it gets about one of k+1.
type Load struct {
	// inFlight is written by Begin and End.
	inFlight atomic.Int64
	// reading holds the average in microseconds, at least 1, in its low half, and in its high half the stamp of when it
	// was made. It is 0 while nothing was observed. Written by Observe.
	reading atomic.Uint64
	// Two members never share a cache line.
	_ [64 - 16]byte
}

const (
	// stampUnit is the precision of stamps. Differences of 32 bits reach over more than a year, and go wrong only beyond.
	stampUnit = 20 * time.Millisecond
	// decayUnits is T, in units of stamps: 10 s, as Finagle, Linkerd and Envoy have it.
	decayUnits = uint64(10 * time.Second / stampUnit)
)

// Begin counts a request that is sent to the member.
func (l *Load) Begin() { l.inFlight.Add(1) }

// End takes back one Begin: the request is over, its answer included.
func (l *Load) End() { l.inFlight.Add(-1) }

// InFlight returns how many requests the member has now.
func (l *Load) InFlight() int64 { return l.inFlight.Load() }

// Observe notes that a request had its first token after that time. Now is monotonic, with any origin that is the same
// for all calls.
func (l *Load) Observe(firstToken, now time.Duration) {
	sample := uint64(min(max(firstToken.Microseconds(), 1), math.MaxUint32))
	for {
		old := l.reading.Load()
		average, at, age := old&math.MaxUint32, stampOf(now), ageAt(old, now)
		if age == 0 && old != 0 {
			at = uint32(old >> 32) // another one came first, maybe with a later stamp
		}
		if sample < average {
			average = (average*decayUnits + sample*age) / (decayUnits + age)
		} else {
			average = sample
		}
		if l.reading.CompareAndSwap(old, uint64(at)<<32|average) {
			return
		}
	}
}

// Latency returns the average time to the first token as it stands now, with a precision of a microsecond, or 0 when
// nothing was observed.
func (l *Load) Latency(now time.Duration) time.Duration {
	reading := l.reading.Load()
	return time.Duration(decayed(reading, now)) * time.Microsecond
}

// cost compares members: about how long one more request would wait, in microseconds, if requests in flight waited for
// each other. Doubts about an old reading are worth one request: while one is in flight, the reading counts in full. In
// the same way a member of which nothing is known gets a request at once, and the next one only when that has had its
// first token: a newcomer is not buried under requests before it has shown how it bears one.
func (l *Load) cost(now time.Duration) uint64 {
	// beyond is more than any other cost.
	const beyond = 1 << 63
	reading, inFlight := l.reading.Load(), uint64(max(l.inFlight.Load(), 0))
	switch {
	case inFlight == 0:
		return decayed(reading, now)
	case reading == 0:
		return beyond + inFlight
	}
	return (reading & math.MaxUint32) * (inFlight + 1)
}

// decayed returns the average of a reading as it stands now.
func decayed(reading uint64, now time.Duration) uint64 {
	return (reading & math.MaxUint32) * decayUnits / (decayUnits + ageAt(reading, now))
}

func stampOf(now time.Duration) uint32 { return uint32(now / stampUnit) }

// ageAt returns how old a reading is, in units of stamps. One that another goroutine has just made with a later stamp is
// not old.
func ageAt(reading uint64, now time.Duration) uint64 {
	return uint64(max(int32(stampOf(now)-uint32(reading>>32)), 0))
}
