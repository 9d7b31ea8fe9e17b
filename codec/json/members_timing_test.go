package json

import (
	"strings"
	"testing"
)

// BenchmarkMembers measures the walk over the top level of a Chat chunk, and of an object with one member of 100 KB.
//
//	go test -run '^$' -bench Members -count 6 ./codec/json | go tool benchstat -
func BenchmarkMembers(b *testing.B) {
	f := func(name, text string) {
		b.Run(name, func(b *testing.B) {
			object := []byte(text)
			b.SetBytes(int64(len(object)))
			b.ReportAllocs()
			for b.Loop() {
				m := Object(object)
				for m.Next() {
				}
				if !m.Complete() {
					b.Fatal("not an object")
				}
			}
		})
	}
	f("chunk", `{"id":"chatcmpl-BxYzAbCdEfGhIjKlMnOpQrStUvWxY","object":"chat.completion.chunk","created":1754000000,`+
		`"model":"gpt-5.4-mini","service_tier":"default","choices":[{"index":0,"delta":{"content":" tokens"},`+
		`"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aB3dE6gH"}`)
	f("100KB", `{"messages":["`+strings.Repeat(`The quick brown fox\njumps over the \"lazy\" dog. `, 2048)+`"]}`)
}
