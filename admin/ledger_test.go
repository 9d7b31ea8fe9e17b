package admin

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"octopus/admin/requestlog"
	"octopus/admin/stats"
	"octopus/admin/store"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

func newLedger(t testing.TB) (*Ledger, *store.Store) {
	t.Helper()
	s, err := store.Open(store.Options{
		Path: filepath.Join(t.TempDir(), "db"), SecretKey: make([]byte, 32), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l, err := NewLedger(s, LedgerSettings{SaveInterval: 10 * time.Millisecond, Retention: time.Hour}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l, s
}

func served(n int) *outcome.Outcome {
	return &outcome.Outcome{
		ID: fmt.Sprint("req_", n), Start: time.Now(), GroupID: "g", APIKeyID: "p", Status: 200, Total: time.Second,
		Attempts: []outcome.Attempt{{Channel: "c", ChannelID: "c", Key: "k", Model: "m"}},
		Usage:    llm.Usage{Input: 10, Output: 5, Knowledge: llm.Reported}, CostNanoUSD: int64(n), CostKnown: true,
	}
}

func TestTotalsEqualTheRowsUnderLoad(t *testing.T) {
	l, s := newLedger(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	const callers, each = 8, 700
	var callersDone sync.WaitGroup
	for c := range callers {
		callersDone.Go(func() {
			for i := range each {
				l.Record(served(c*each + i))
			}
		})
	}
	// Whoever looks in between finds rows and sums that agree.
	for range 20 {
		time.Sleep(time.Millisecond)
		l.flushing.Lock()
		rows, total := countRows(t, s), l.Stats().Total(stats.All, "").Requests
		l.flushing.Unlock()
		if int64(rows) != total {
			t.Fatalf("%d rows, and a total of %d", rows, total)
		}
	}
	callersDone.Wait()
	cancel()
	<-done
	total := l.Stats().Total(stats.All, "")
	if rows := countRows(t, s); rows != callers*each || total.Requests != callers*each || l.Dropped() != 0 {
		t.Errorf("%d rows, a total of %d, %d dropped; want %d", rows, total.Requests, l.Dropped(), callers*each)
	}
	if want := int64(callers * each * (callers*each - 1) / 2); total.CostNanoUSD != want || total.Output != 5*callers*each {
		t.Errorf("cost %d, output %d; want %d, %d", total.CostNanoUSD, total.Output, want, 5*callers*each)
	}
	if row, err := l.Log().Find("req_4711"); err != nil || row == nil || row.CostNanoUSD != 4711 {
		t.Errorf("request 4711: %+v, %v", row, err)
	}
}

func countRows(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	log, err := requestlog.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	q := requestlog.Query{Limit: requestlog.MaxLimit}
	for {
		page, err := log.Search(q)
		if err != nil {
			t.Fatal(err)
		}
		if n += len(page.Rows); page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	return n
}

func TestManyRowsAreWrittenBeforeTheInterval(t *testing.T) {
	l, s := newLedger(t)
	l.Configure(LedgerSettings{SaveInterval: time.Hour})
	follower := l.Log().Follow()
	defer follower.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	for i := range flushRows {
		l.Record(served(i))
	}
	if rows := <-follower.Rows; len(rows) == 0 {
		t.Error("a follower was told nothing")
	}
	cancel()
	<-done
	if n := countRows(t, s); n != flushRows {
		t.Errorf("%d rows, want %d", n, flushRows)
	}
}

func TestWhatADiskCannotTakeIsCountedAndDropped(t *testing.T) {
	l, s := newLedger(t)
	n := 0
	for ; l.Dropped() < 100; n++ {
		l.Record(served(n))
	}
	l.Flush()
	rows, total := countRows(t, s), l.Stats().Total(stats.All, "").Requests
	if int64(rows) != total || int64(rows)+l.Dropped() != int64(n) {
		t.Errorf("%d recorded: %d rows, a total of %d, %d dropped", n, rows, total, l.Dropped())
	}
	l.Record(served(n))
	l.Flush()
	if got := countRows(t, s); got != rows+1 {
		t.Errorf("%d rows after the disk came back, want %d", got, rows+1)
	}
}

func TestHousekeepingRemovesOldRowsAndKeepsTheirSums(t *testing.T) {
	l, s := newLedger(t)
	b := s.NewBatch()
	var old requestlog.Buffer
	old.Add(served(1))
	l.Log().Take([]*requestlog.Buffer{&old}, time.Now().Add(-2*time.Hour), b)
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	l.Record(served(2))
	l.Flush()
	if err := l.keepHouse(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, s); n != 1 {
		t.Errorf("%d rows are left, want the young one", n)
	}
	if total := l.Stats().Total(stats.All, ""); total.Requests != 1 {
		t.Errorf("the total is %d", total.Requests)
	}
}
