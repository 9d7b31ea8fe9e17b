package messages

import (
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// BenchmarkReadRequest reads 100 KB of an agent's conversation: go test -bench ReadRequest -benchmem ./codec/messages
func BenchmarkReadRequest(b *testing.B) {
	text := largeBody(80)
	var r llm.Request
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := ReadRequest(text, &r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendRequest writes the same conversation as one of a Chat client: go test -bench AppendRequest -benchmem
// ./codec/messages
func BenchmarkAppendRequest(b *testing.B) {
	var r llm.Request
	if err := ReadRequest(largeBody(80), &r); err != nil {
		b.Fatal(err)
	}
	r.Protocol = llm.Chat
	x := exchange(&r, modelModern)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err *llm.Error
		if out, err = AppendRequest(out[:0], x); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out)))
}

// BenchmarkStream reads an answer of 100 deltas and writes it again, for one delta: go test -bench Stream -benchmem
// ./codec/messages
func BenchmarkStream(b *testing.B) {
	x := upstreamExchange()
	var d Decoder
	var w StreamWriter
	d.Reset(x)
	w.Reset(x)
	for _, data := range []string{evStart, evBlock(0, blockOfText)} {
		e := sse.Event{Data: []byte(data), Lines: 1}
		d.Event(&e, &w)
	}
	e := sse.Event{Data: []byte(evText(0, `" and so on"`)), Lines: 1}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		d.Event(&e, &w)
		out = w.Take(out[:0])
	}
}
