package lb

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
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

// BenchmarkAffinity is one pick of a session, with equal and with other weights.
//
//	go test -run '^$' -bench Affinity -cpu 1,8 ./lb
func BenchmarkAffinity(b *testing.B) {
	for _, weighted := range []bool{false, true} {
		for _, n := range []int{3, 20, 1000} {
			b.Run(fmt.Sprintf("weighted=%t/%d", weighted, n), func(b *testing.B) {
				in := equal(n)
				for i := range in {
					if weighted {
						in[i].Weight = 1 + i%7
					}
				}
				affinity := NewAffinity(in, names(n))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					usable := allOf(n)
					for key := uint64(0); pb.Next(); key++ {
						affinity.Pick(usable, key)
					}
				})
			})
		}
	}
}

// BenchmarkLoad is what a request does to the load of its member.
//
//	go test -run '^$' -bench Load -cpu 1,8 ./lb
func BenchmarkLoad(b *testing.B) {
	var load Load
	var clock atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			load.Begin()
			load.Observe(time.Second, time.Duration(clock.Add(1000)))
			load.End()
		}
	})
}

// BenchmarkHash is the key of a session whose first message is as long.
//
//	go test -run '^$' -bench Hash ./lb
func BenchmarkHash(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 100 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			text := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				Hash(1, text)
			}
		})
	}
}
