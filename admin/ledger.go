package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"octopus/admin/requestlog"
	"octopus/admin/stats"
	"octopus/admin/store"
	"octopus/gateway/outcome"
)

const (
	// flushRows is how many rows are written at once at the latest.
	flushRows = 1000
	// housekeeping is how often old rows are removed and old hours become days.
	housekeeping = 10 * time.Minute
	// slowWrite is how long a write of outcomes may take before somebody is told.
	slowWrite = 2 * time.Second
)

// LedgerSettings are the settings of the ledger.
type LedgerSettings struct {
	// SaveInterval is how long a row waits for others at most before all of them are written. It must be positive.
	SaveInterval time.Duration
	// Retention and MaxBytes bound the request log. Zero means no bound.
	Retention time.Duration
	MaxBytes  int64
}

// Ledger records outcomes: rows of the request log, and the statistics that are their sums. Make it with NewLedger. Record may
// be called by any number of goroutines at once, and never waits for the disk.
//
// What was recorded lies in shards, each with a mutex that is held for a microsecond: rows and sums of a shard always belong
// together. One goroutine, Run's, takes both out of all shards and writes them in one batch.
type Ledger struct {
	store *store.Store
	log   *requestlog.Log
	stats *stats.Table
	slog  *slog.Logger
	// shards is a power of two of them.
	shards []ledgerShard
	// waiting counts rows in the shards; written by Record and flush.
	waiting atomic.Int64
	// full wakes Run when flushRows are waiting. It holds one signal.
	full chan struct{}
	// dropped counts outcomes that nothing remembers.
	dropped atomic.Int64
	// settings are written by Configure, read by Run.
	settings atomic.Pointer[LedgerSettings]
	// changed wakes Run when they change. It holds one signal.
	changed chan struct{}
	// flushing is held during a flush; it guards what flush works on.
	flushing sync.Mutex
	spares   []ledgerPart
	// slow is whether a slow disk was logged; written by flush and its alarm.
	slow atomic.Bool
	// told is how many dropped outcomes were logged; losing is whether the last flush found more.
	told   int64
	losing bool
}

// ledgerPart is rows and their sums.
type ledgerPart struct {
	rows *requestlog.Buffer
	sums *stats.Delta
}

// ledgerShard is where some of the outcomes go. It has a cache line, and the one beside it, for itself.
type ledgerShard struct {
	// mu guards part.
	mu   sync.Mutex
	part ledgerPart
	_    [128 - 8 - 16]byte
}

// NewLedger returns the ledger in a store.
func NewLedger(s *store.Store, settings LedgerSettings, logger *slog.Logger) (*Ledger, error) {
	log, err := requestlog.Open(s)
	if err != nil {
		return nil, err
	}
	table, err := stats.Open(s)
	if err != nil {
		return nil, err
	}
	shards := 4
	for shards < 2*runtime.GOMAXPROCS(0) {
		shards *= 2
	}
	l := &Ledger{
		store: s, log: log, stats: table, slog: logger, shards: make([]ledgerShard, shards),
		full: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	l.settings.Store(&settings)
	for i := range l.shards {
		l.shards[i].part = l.newPart()
		l.spares = append(l.spares, l.newPart())
	}
	return l, nil
}

func (l *Ledger) newPart() ledgerPart { return ledgerPart{new(requestlog.Buffer), l.stats.NewDelta()} }

// Log returns the request log, for reading.
func (l *Ledger) Log() *requestlog.Log { return l.log }

// Stats returns the statistics, for reading.
func (l *Ledger) Stats() *stats.Table { return l.stats }

// Configure changes the settings. Run acts on the interval at once, on the bounds when it next keeps house.
func (l *Ledger) Configure(settings LedgerSettings) {
	l.settings.Store(&settings)
	select {
	case l.changed <- struct{}{}:
	default: // a signal is waiting already
	}
}

// Record takes an outcome that was finished now. It borrows o for the call.
func (l *Ledger) Record(o *outcome.Outcome) {
	finished := o.Start.Add(o.Total)
	s := l.lockShard()
	// A row and its sums go together or not at all.
	taken := s.part.rows.Add(o)
	if taken {
		s.part.sums.Add(o, finished)
	}
	s.mu.Unlock()
	if !taken {
		l.dropped.Add(1)
		return
	}
	if l.waiting.Add(1) == flushRows {
		select {
		case l.full <- struct{}{}:
		default: // a signal is waiting already
		}
	}
}

// lockShard locks a shard that nobody uses, if there is one.
func (l *Ledger) lockShard() *ledgerShard {
	mask := uint32(len(l.shards) - 1)
	start := rand.Uint32()
	for i := range uint32(3) {
		if s := &l.shards[(start+i)&mask]; s.mu.TryLock() {
			return s
		}
	}
	s := &l.shards[start&mask]
	s.mu.Lock()
	return s
}

// Run writes what is recorded until ctx ends, and then what is left. It returns ctx's error.
func (l *Ledger) Run(ctx context.Context) error {
	save := time.NewTicker(l.settings.Load().SaveInterval)
	defer save.Stop()
	var keeping sync.WaitGroup
	keeping.Go(func() { l.keepHouses(ctx) })
	defer keeping.Wait()
	for {
		select {
		case <-ctx.Done():
			l.Flush()
			return ctx.Err()
		case <-l.changed:
			save.Reset(l.settings.Load().SaveInterval)
			continue
		case <-save.C:
		case <-l.full:
		}
		l.Flush()
	}
}

// Flush writes what was recorded before it was called. It waits for the disk.
func (l *Ledger) Flush() {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	var buffers []*requestlog.Buffer
	var deltas []*stats.Delta
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		if s.part.rows.Len() > 0 {
			s.part, l.spares[i] = l.spares[i], s.part
			buffers, deltas = append(buffers, l.spares[i].rows), append(deltas, l.spares[i].sums)
		}
		s.mu.Unlock()
	}
	if len(buffers) == 0 {
		return
	}
	b := l.store.NewBatch()
	written := l.log.Take(buffers, time.Now(), b)
	l.waiting.Add(-int64(written.Rows))
	err := l.stats.Take(deltas, b)
	if err != nil {
		b.Discard()
	} else {
		err = l.commit(b)
	}
	if err != nil {
		l.dropped.Add(int64(written.Rows))
	} else {
		l.log.Publish(written)
	}
	l.tell(err)
}

// commit writes a batch, and tells when that takes long: once until it is quick again.
func (l *Ledger) commit(b *store.Batch) error {
	begun := time.Now()
	late := time.AfterFunc(slowWrite, func() {
		// A full disk is told by the store.
		if l.store.State().Waiting == nil && l.slow.CompareAndSwap(false, true) {
			l.slog.Warn("the database's disk is slow; requests go on, what is to be recorded waits", "write_ms", slowWrite.Milliseconds())
		}
	})
	err := l.store.Commit(b)
	late.Stop()
	if took := time.Since(begun); took < slowWrite && l.slow.CompareAndSwap(true, false) {
		l.slog.Info("the database's disk is quick again", "write_ms", took.Milliseconds())
	}
	return err
}

// tell logs that outcomes are lost, and that they are no longer.
func (l *Ledger) tell(err error) {
	dropped := l.dropped.Load()
	lost := dropped - l.told
	l.told = dropped
	switch {
	case lost > 0 && !l.losing:
		if err == nil {
			err = errors.New("the disk was too slow or took nothing, and what waited for it became too much")
		}
		l.slog.Error("outcomes can't be recorded and are dropped; requests go on", "dropped", lost, "err", err)
	case lost == 0 && l.losing:
		l.slog.Info("outcomes are recorded again", "dropped_total", dropped)
	}
	l.losing = lost > 0
}

// keepHouses removes old rows and makes days of old hours, again and again until ctx ends. The disk has much to do then, for
// which the rows of the moment don't wait.
func (l *Ledger) keepHouses(ctx context.Context) {
	ticker := time.NewTicker(housekeeping)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := l.keepHouse(ctx); err != nil && ctx.Err() == nil {
			l.slog.Error("old rows of the request log stay", "err", err)
		}
	}
}

// keepHouse does the work of keepHouses once.
func (l *Ledger) keepHouse(ctx context.Context) error {
	settings := l.settings.Load()
	before, maxBytes := time.Time{}, int64(1<<62)
	if settings.Retention > 0 {
		before = time.Now().Add(-settings.Retention)
	}
	if settings.MaxBytes > 0 {
		maxBytes = settings.MaxBytes
	}
	pruning := l.log.Prune(ctx, before, maxBytes)
	l.flushing.Lock()
	defer l.flushing.Unlock()
	_, folding := l.stats.Fold(time.Now())
	return errors.Join(pruning, folding)
}

// Dropped returns how many outcomes nothing remembers, because the disk was too slow or broken.
func (l *Ledger) Dropped() int64 { return l.dropped.Load() }

// WriteMetrics writes the ledger's metrics in Prometheus' text format.
func (l *Ledger) WriteMetrics(w io.Writer) {
	fmt.Fprintf(w, "octopus_ledger_dropped_total %d\n", l.dropped.Load())
}
