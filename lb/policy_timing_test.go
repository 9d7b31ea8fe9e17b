package lb

import (
	"fmt"
	"testing"
)

// BenchmarkPick is one pick with all members up, by any number of callers at once.
//
//	go test -run '^$' -bench Pick -cpu 1,8 ./lb | go tool benchstat -col /gomaxprocs -
//
// It must show no allocation, and 8 callers at most four times the time of one: they share one counter, not a lock.
func BenchmarkPick(b *testing.B) {
	for _, p := range policies {
		for _, n := range []int{3, 20, 1000} {
			b.Run(fmt.Sprintf("%s/%d", p.name, n), func(b *testing.B) {
				in := equal(n)
				for i := range in {
					in[i].Weight = 1 + i%7
				}
				policy := p.make(in)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					usable := allOf(n)
					for pb.Next() {
						policy.Pick(usable)
					}
				})
			})
		}
	}
}

// BenchmarkSecondTry is a request that fills its set, picks, gives the member up and picks again.
//
//	go test -run '^$' -bench SecondTry -cpu 1,8 ./lb
func BenchmarkSecondTry(b *testing.B) {
	const n = 5
	for _, p := range policies {
		b.Run(p.name, func(b *testing.B) {
			policy := p.make(equal(n))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				var usable Set
				for pb.Next() {
					usable.Reset(n)
					for i := range n {
						usable.Add(i)
					}
					usable.Remove(policy.Pick(&usable))
					policy.Pick(&usable)
				}
			})
		})
	}
}
