package tokens

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkCount measures texts of 64 KiB, and of 8 MiB, where it must not cost more than samples do. The last ones are the
// worst for the tokenizer: one word, and white space that its regular expression tries in all ways.
//
//	go test -run '^$' -bench Count -count 6 ./codec/tokens | go tool benchstat -
func BenchmarkCount(b *testing.B) {
	var random strings.Builder
	source := rand.New(rand.NewPCG(1, 2))
	for random.Len() < 1<<10 {
		random.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[source.IntN(64)])
	}
	f := func(name, text string, size int) {
		b.Run(name, func(b *testing.B) {
			all := []byte(strings.Repeat(text, size/len(text)))
			Count(all[:1]) // loads the vocabulary
			b.SetBytes(int64(len(all)))
			b.ReportAllocs()
			for b.Loop() {
				Count(all)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(all)/1024), "µs/KiB")
		})
	}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64K", 64 << 10}, {"8M", 8 << 20}} {
		f(size.name+" prose", "It's the quick brown fox, isn't it? 12345 times.\nAnd then he'll jump.\n\n", size.bytes)
		f(size.name+" chinese", "你好世界今天天气", size.bytes)
		f(size.name+" base64", random.String(), size.bytes)
		f(size.name+" letter", "a", size.bytes)
		f(size.name+" space", "\r\n ", size.bytes)
	}
}

// BenchmarkLoad measures what the first count costs.
//
//	go test -run '^$' -bench Load -benchtime 1x ./codec/tokens
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		vocabulary()
	}
}
