package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pacedEvery is the time between two events of a paced stream.
	pacedEvery = 250 * time.Millisecond
	// pacedOpen is the time between the beginnings of two streams, which so spread over pacedEvery.
	pacedOpen = time.Millisecond
	// pacedSpare is how long streams go on at least, whatever a slow machine adds to opening and measuring them.
	pacedSpare = 3 * time.Second
)

// pacedTokens returns how many tokens a stream must have so that the first is not over before the last has been measured.
func pacedTokens(streams int, window time.Duration) int {
	return int((time.Duration(streams)*pacedOpen + window + pacedSpare) / pacedEvery)
}

// pacedStreams measures t with that many streams at once, whose events come at the provider's pace. It opens them one
// after another, measures for the time of window while all are open, and then reads them all to their end. Latency is
// the time from a request to the first text.
func pacedStreams(ctx context.Context, t *target, w *work, streams int, window time.Duration) (sample, error) {
	var (
		s       sample
		events  atomic.Int64 // written by all streams, read at both ends of the window
		begun   = make(chan time.Duration, streams)
		failed  = make(chan error, streams)
		running sync.WaitGroup
		open    atomic.Int64 // streams whose text has begun and that have not ended
	)
	ctx, cancel := context.WithCancel(ctx)
	defer running.Wait()
	defer cancel()
	life := time.Duration(pacedTokens(streams, window)) * pacedEvery
	deadline := time.Now().Add(2*life + patience)
	play := func() error {
		one := newWorker(w)
		defer one.close()
		var err error
		if one.conn, err = dial(ctx, t.address, deadline, streamBuffer); err != nil {
			return err
		}
		asked, speaking := time.Now(), false
		one.progress = func(n int) {
			if !speaking {
				speaking = true
				open.Add(1)
				begun <- time.Since(asked)
			}
			events.Add(int64(n))
		}
		err = one.once()
		if speaking {
			open.Add(-1)
		}
		return err
	}

	ticker := time.NewTicker(pacedOpen)
	defer ticker.Stop()
	for range streams {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return s, ctx.Err()
		}
		running.Go(func() { failed <- play() })
	}
	took, failure := make([]time.Duration, 0, streams), error(nil)
	for len(took) < streams && failure == nil {
		select {
		case d := <-begun:
			took = append(took, d)
		case failure = <-failed: // also nil, when a stream is over
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
	if failure != nil {
		s.fail(fmt.Errorf("while the streams were opened: %w", failure))
		return s, nil
	}
	s.Latency = newLatency(took)

	m, err := startMeter(t)
	if err != nil {
		return s, err
	}
	before := events.Load()
	if err := pause(ctx, window); err != nil {
		return s, err
	}
	s.Events = events.Load() - before
	s.Elapsed = time.Since(m.started)
	if err := errors.Join(m.stop(&s), t.hold(ctx, &s)); err != nil {
		return s, err
	}
	if left := open.Load(); left != int64(streams) {
		s.fail(fmt.Errorf("only %d of %d streams were still open when the measurement ended", left, streams))
	}
	running.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			s.fail(err)
		} else {
			s.Requests++
		}
	}
	return s, ctx.Err()
}
