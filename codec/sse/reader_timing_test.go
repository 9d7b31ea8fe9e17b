package sse

import (
	"strings"
	"testing"
)

// BenchmarkReader measures one event of 300 bytes: alone in its feed, and among 20 that arrived together.
//
//	go test -run '^$' -bench Reader -count 6 ./codec/sse | go tool benchstat -
func BenchmarkReader(b *testing.B) {
	event := "data: " + strings.Repeat("x", 292) + "\n\n"
	f := func(name string, src []byte, events int) {
		b.Run(name, func(b *testing.B) {
			var r Reader
			var e Event
			b.SetBytes(int64(len(src) / events))
			b.ReportAllocs()
			for range b.N / events {
				r.Feed(src)
				for r.Next(&e) {
				}
			}
		})
	}
	f("alone", []byte(event), 1)
	f("twenty", []byte(strings.Repeat(event, 20)), 20)
}
