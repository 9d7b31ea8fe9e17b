//go:build !race

package sse

import "testing"

func TestReaderDoesNotAllocate(t *testing.T) {
	whole := []byte("event: message\ndata: {\"a\":1}\n\n: comment\n\ndata: a\ndata: b\n\n")
	var r Reader
	var e Event
	n := testing.AllocsPerRun(1000, func() {
		r.Feed(whole)
		for r.Next(&e) {
		}
		for _, cut := range []int{1, 20, 31, 50} {
			r.Feed(whole[:cut])
			for r.Next(&e) {
			}
			r.Feed(whole[cut:])
			for r.Next(&e) {
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per run, want none", n)
	}
}
