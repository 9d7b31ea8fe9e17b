package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"octopus/admin"
	"octopus/admin/requestlog"
	"octopus/admin/stats"
	"octopus/admin/store"
	"octopus/gateway/outcome"
)

// The clock of another process can't be set, so this is the ledger alone, on a real database and under a clock of its own.
func TestClockFaults(t *testing.T) {
	proves(t, "F46", "a day ends while requests are recorded: rows, hours and days in the right place, none lost (clock steps and summer time: "+
		"tests of admin/requestlog and admin/stats)")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(store.Options{
			Path: filepath.Join(t.TempDir(), "database"), SecretKey: make([]byte, 32), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l, err := admin.NewLedger(s, admin.LedgerSettings{SaveInterval: time.Second}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		y, m, d := time.Now().Date()
		midnight := time.Date(y, m, d+1, 0, 0, 0, 0, time.Local)
		time.Sleep(time.Until(midnight) - 10*time.Second)
		record := func(n int, start time.Time) {
			l.Record(&outcome.Outcome{ID: fmt.Sprint("req_", n), Start: start, Total: time.Since(start), GroupID: "g", Status: 200})
		}
		for n := range 80 {
			begun := time.Now()
			time.Sleep(100 * time.Millisecond)
			record(n, begun)
			time.Sleep(150 * time.Millisecond)
		}
		// One that began the day before counts where it ended.
		record(80, midnight.Add(-time.Minute))
		cancel()
		<-done

		days, err := l.Stats().Points(stats.All, "", stats.Span{}, true)
		if err != nil || len(days) != 2 || days[0].Requests != 40 || days[1].Requests != 41 || !days[1].Start.Equal(midnight) {
			t.Errorf("the days: %v, %v; want 40 and 41 requests", shown(days), err)
		}
		hours, err := l.Stats().Points(stats.ByGroup, "g", stats.Span{From: midnight}, false)
		if err != nil || len(hours) != 1 || hours[0].Requests != 41 {
			t.Errorf("the hours of the new day: %v, %v; want one with 41 requests", shown(hours), err)
		}
		if today, err := l.Stats().Sum(stats.All, "", l.Stats().Today()); err != nil || today.Requests != 41 {
			t.Errorf("today: %d requests, %v; want 41", today.Requests, err)
		}
		rows := 0
		for _, test := range []struct {
			query requestlog.Query
			want  int
		}{{requestlog.Query{To: midnight}, 40}, {requestlog.Query{From: midnight}, 41}} {
			test.query.Limit = requestlog.MaxLimit
			page, err := l.Log().Search(test.query)
			// Rows stand where they were written, an interval after they ended at the latest.
			if n := len(page.Rows); err != nil || n < test.want-4 || n > test.want+4 {
				t.Errorf("%d rows, %v; want %d", n, err, test.want)
			}
			rows += len(page.Rows)
		}
		if rows != 81 {
			t.Errorf("%d rows, want 81", rows)
		}
	})
}

// shown is what a test shows of points.
func shown(points []stats.Point) (text []string) {
	for _, p := range points {
		text = append(text, fmt.Sprint(p.Start, ": ", p.Requests))
	}
	return text
}
