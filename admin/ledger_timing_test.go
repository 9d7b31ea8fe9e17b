package admin

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"octopus/admin/requestlog"
	"octopus/admin/stats"
	"octopus/admin/store"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// BenchmarkRecord says what a request pays for being recorded, in time of a core, alone and beside seven others: go test -run
// '^$' -bench Record ./admin. What is recorded is written in between, outside the measure.
func BenchmarkRecord(b *testing.B) {
	for _, recorders := range []int{1, 8} {
		b.Run(fmt.Sprint(recorders), func(b *testing.B) {
			const each = 500
			l, _ := newLedger(b)
			outcomes := make([]*outcome.Outcome, recorders)
			for i := range outcomes {
				outcomes[i] = served(i)
			}
			var took time.Duration
			for b.Loop() {
				var recording sync.WaitGroup
				begun := processTime(b)
				for _, o := range outcomes {
					recording.Go(func() {
						for range each {
							l.Record(o)
						}
					})
				}
				recording.Wait()
				took += processTime(b) - begun
				l.Flush()
			}
			if l.Dropped() > 0 {
				b.Errorf("%d outcomes were dropped", l.Dropped())
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*recorders*each), "core-ns/record")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// processTime returns the time that the process has spent on cores.
func processTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkMillionRows writes a million rows through the ledger and says what they take: the size on disk (at most 400 MB are
// promised), the time to open it again as a crash left it (2 s), of a page (50 ms) by what is asked for, and the memory. go test
// -run '^$' -bench MillionRows -benchtime 1x ./admin
func BenchmarkMillionRows(b *testing.B) {
	const rows = 1_000_000
	for range b.N {
		path := filepath.Join(b.TempDir(), "db")
		open := func() (*store.Store, *Ledger) {
			s, err := store.Open(store.Options{Path: path, SecretKey: make([]byte, 32), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			l, err := NewLedger(s, LedgerSettings{SaveInterval: time.Second}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			return s, l
		}
		s, l := open()
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		begun := time.Now()
		for n := range rows {
			// As fast as the disk is, and no faster: nothing may be dropped.
			for l.waiting.Load() > 10*flushRows {
				time.Sleep(time.Millisecond)
			}
			l.Record(realistic(n))
		}
		cancel()
		<-done
		if l.Dropped() > 0 || l.Stats().Total(stats.All, "").Requests != rows {
			b.Fatalf("%d rows were dropped, the total is %d", l.Dropped(), l.Stats().Total(stats.All, "").Requests)
		}
		b.ReportMetric(rows/time.Since(begun).Seconds(), "rows/s")
		// A backup of a database at work is what a crash leaves.
		crashed := filepath.Join(b.TempDir(), "crashed")
		if err := s.Backup(crashed); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		path = crashed
		begun = time.Now()
		s, l = open()
		b.ReportMetric(time.Since(begun).Seconds()*1000, "open-ms")
		b.ReportMetric(megabytesBelow(b, path), "MB")
		for _, q := range []struct {
			unit  string
			query requestlog.Query
		}{
			{"page-ms", requestlog.Query{}},
			{"failures-page-ms", requestlog.Query{Failed: true}},
			{"nothing-page-ms", requestlog.Query{Text: "nobody ever wrote this"}},
		} {
			begun := time.Now()
			page, err := l.Log().Search(q.query)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(begun).Seconds()*1000, q.unit)
			if next := page.Next; next == "" {
				b.Errorf("%s: no next page", q.unit)
			}
		}
		begun = time.Now()
		if row, err := l.Log().Find("req_0123456789ab000000000042"); row == nil || err != nil {
			b.Errorf("row 42: %v, %v", row, err)
		}
		b.ReportMetric(time.Since(begun).Seconds()*1000, "find-ms")
		b.ReportMetric(residentMiB(b), "RSS-MiB")
		b.ReportMetric(0, "ns/op")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// realistic returns an outcome as a busy gateway has them: a dozen models and channels, a tenth in trouble.
func realistic(n int) *outcome.Outcome {
	model := "gpt-5." + strconv.Itoa(n%12)
	o := &outcome.Outcome{
		ID: fmt.Sprintf("req_0123456789ab%012d", n), Start: time.Now(), Protocol: llm.Protocol(n % 3), Stream: n%2 == 0, Requested: model,
		Group: model, GroupID: "g0123456789" + strconv.Itoa(n%12), APIKeyID: "p0123456789" + strconv.Itoa(n%50), APIKeyName: "team " + strconv.Itoa(n%50),
		Client: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), Status: 200, FirstToken: time.Duration(rand.IntN(2_000_000)) * time.Microsecond,
		Total: time.Duration(rand.IntN(30_000_000)) * time.Microsecond, CostNanoUSD: rand.Int64N(50_000_000), CostKnown: true,
		BytesIn: rand.Int64N(100_000), BytesOut: rand.Int64N(50_000),
		Usage: llm.Usage{Input: rand.Int64N(20_000), CacheRead: rand.Int64N(20_000), Output: rand.Int64N(4000), Reasoning: rand.Int64N(1000),
			Knowledge: llm.Reported},
	}
	attempt := outcome.Attempt{
		Channel: "channel " + strconv.Itoa(n%9), ChannelID: "c0123456789" + strconv.Itoa(n%9), Key: "k0123456789" + strconv.Itoa(n%20), Model: model,
		Duration: o.Total, FirstToken: o.FirstToken, Status: 200,
	}
	if n%10 == 0 {
		failed := attempt
		failed.Status, failed.Class, failed.Verdict, failed.Message = 529, outcome.ClassOverloaded, outcome.TryNext, "Overloaded. Please try again later."
		o.Attempts = append(o.Attempts, failed)
	}
	if n%50 == 0 {
		o.Status, o.Class, o.Message = 503, outcome.ClassOverloaded, "No target of the group could answer."
		return o
	}
	o.Attempts = append(o.Attempts, attempt)
	return o
}

// megabytesBelow returns the size of the files in a directory.
func megabytesBelow(b *testing.B, dir string) float64 {
	files, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	size := int64(0)
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	return float64(size) / 1e6
}

// residentMiB returns the memory of the process.
func residentMiB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
