//go:build !race

package admin

import (
	"testing"
	"time"
)

func TestRecordingAllocatesNothing(t *testing.T) {
	l, _ := newLedger(t)
	l.Configure(LedgerSettings{SaveInterval: time.Hour})
	o := served(1)
	// Buffers grow until they have the size that they keep.
	for range 20_000 {
		l.Record(o)
	}
	l.Flush()
	for range 10_000 {
		l.Record(o)
	}
	l.Flush()
	if n := testing.AllocsPerRun(2000, func() { l.Record(o) }); n != 0 {
		t.Errorf("%v allocations per outcome", n)
	}
}
