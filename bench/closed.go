package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// work is what a scenario asks of every target, and what it wants to hear.
type work struct {
	// body is the JSON of the request, request the same as HTTP.
	body, request []byte
	stream        bool
	reference     *reference
}

// patience is how long answers may take beyond the time that they are measured for, before they count as failed.
const patience = 20 * time.Second

// closedLoop measures t with conns connections, each of which sends its next request when it has the answer to the last.
// Connections are opened, and have had an answer, before the measurement begins.
func closedLoop(ctx context.Context, t *target, w *work, conns int, duration time.Duration) (sample, error) {
	workers := make([]*worker, conns)
	for i := range workers {
		workers[i] = newWorker(w)
	}
	defer func() {
		for _, one := range workers {
			one.close()
		}
	}()
	deadline := time.Now().Add(duration + 2*patience)
	together(workers, func(one *worker) { one.open(ctx, t.address, deadline) })

	m, err := startMeter(t)
	if err != nil {
		return sample{}, err
	}
	end := m.started.Add(duration)
	together(workers, func(one *worker) { one.repeat(end) })
	var s sample
	if err := m.settle(ctx, &s); err != nil {
		return sample{}, err
	}
	var took []time.Duration
	for _, one := range workers {
		s.Requests += int64(len(one.took))
		if one.err != nil {
			s.fail(one.err)
		}
		took = append(took, one.took...)
	}
	if w.stream {
		s.Events = s.Requests * int64(w.reference.events)
	}
	s.Latency = newLatency(took)
	return s, ctx.Err()
}

// together calls f for all workers at once and waits for all.
func together(workers []*worker, f func(*worker)) {
	var running sync.WaitGroup
	for _, one := range workers {
		running.Go(func() { f(one) })
	}
	running.Wait()
}

// worker asks over one connection. It belongs to one goroutine at a time.
type worker struct {
	work       *work
	conn       *conn
	transcript transcript
	body       []byte
	// took has how long each answer took.
	took []time.Duration
	// err is the first failure, after which the worker does no more.
	err error
	// progress, if set, is called with the number of events that a stream has had since the last call; each call has at
	// least one, and the answer's text has begun.
	progress func(events int)
}

func newWorker(w *work) *worker { return &worker{work: w, transcript: newTranscript(w.reference)} }

// open connects and asks once, unmeasured.
func (o *worker) open(ctx context.Context, address string, deadline time.Time) {
	size := wholeBuffer
	if o.work.stream {
		size = streamBuffer
	}
	if o.conn, o.err = dial(ctx, address, deadline, size); o.err == nil {
		o.err = o.once()
	}
}

// repeat asks until end, and lets the last answer come.
func (o *worker) repeat(end time.Time) {
	for start := time.Now(); o.err == nil && start.Before(end); {
		o.err = o.once()
		now := time.Now()
		if o.err == nil {
			o.took = append(o.took, now.Sub(start))
		}
		start = now
	}
}

// close closes the connection, if there is one.
func (o *worker) close() {
	if o.conn != nil {
		_ = o.conn.Close()
	}
}

// once asks and checks the whole answer.
func (o *worker) once() error {
	status, err := o.conn.ask(o.work.request)
	if err != nil {
		return err
	}
	if status != 200 || !o.work.stream {
		if o.body, err = o.conn.all(o.body[:0]); err != nil {
			return err
		}
		if status != 200 {
			return fmt.Errorf("status %d: %.300s", status, o.body)
		}
		return o.work.reference.whole.check(o.body)
	}
	return o.listen()
}

// listen reads a stream to its end.
func (o *worker) listen() error {
	t := &o.transcript
	t.reset()
	told := 0
	for {
		piece, err := o.conn.next()
		if errors.Is(err, io.EOF) {
			return t.finish()
		} else if err != nil {
			return fmt.Errorf("behind %d events: %w", t.events, err)
		}
		if err := t.take(piece); err != nil {
			return err
		}
		if o.progress != nil && t.said > 0 && t.events > told {
			o.progress(t.events - told)
			told = t.events
		}
	}
}
