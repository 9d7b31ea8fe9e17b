package responses

import (
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// conversationBody returns a request of about size bytes: tools, and turns with calls, results and texts with escapes.
func conversationBody(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-5.4","stream":true,"store":false,"instructions":"You are a helpful assistant.","tools":[`)
	for i := range 10 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"function","name":"tool_%d","description":"Does things.","parameters":{"type":"object","properties":{"path":{"type":"string"}}},"strict":false}`, i)
	}
	b.WriteString(`],"input":[{"role":"user","content":"Begin."}`)
	prose := strings.Repeat("The quick brown fox jumps over the lazy dog.\\n", 20)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `,{"type":"function_call","id":"fc_%d","call_id":"call_%d","name":"tool_1","arguments":"{\"path\":\"/a/b\"}"},`+
			`{"type":"function_call_output","call_id":"call_%d","output":"%s"},{"role":"user","content":[{"type":"input_text","text":"%s"}]}`, i, i, i, prose, prose)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

// BenchmarkReadRequest reads a body of 100 KB. perf.md section 4 has what sonic takes to decode and encode as much:
//
//	go test -run xxx -bench 'ReadRequest|AppendRequest' ./codec/responses
func BenchmarkReadRequest(b *testing.B) {
	body := conversationBody(100_000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var r llm.Request
	for b.Loop() {
		if err := ReadRequest(body, &r); err != nil {
			b.Fatal(err.Message)
		}
	}
}

// BenchmarkAppendRequest writes the same conversation as that of a Chat client.
func BenchmarkAppendRequest(b *testing.B) {
	body := conversationBody(100_000)
	r := read(b, string(body))
	r.Protocol = llm.Chat
	x := exchange(r, "gpt-5.4")
	dst := make([]byte, 0, 2*len(body))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendRequest(dst, x); err != nil {
			b.Fatal(err.Message)
		}
	}
}

// first returns the first event of a stream.
func first(b *testing.B, stream string) *sse.Event {
	var r sse.Reader
	e := new(sse.Event)
	r.Feed([]byte(stream))
	if !r.Next(e) {
		b.Fatalf("no event in %q", stream)
	}
	return e
}

// BenchmarkStream decodes and writes an answer of 100 pieces of text; the time is that of the whole stream.
func BenchmarkStream(b *testing.B) {
	x := client(b, llm.Responses, plain)
	var events []*sse.Event
	for _, stream := range []string{
		wire(created), wire(`{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","content":[]}}`),
	} {
		events = append(events, first(b, stream))
	}
	for range 100 {
		events = append(events, first(b, wire(`{"type":"response.output_text.delta","sequence_number":42,"item_id":"msg_1",`+
			`"output_index":0,"content_index":0,"delta":" tokens","logprobs":[],"obfuscation":"aB3dE6gH"}`)))
	}
	events = append(events, first(b, wire(completed)))
	var d Decoder
	var w StreamWriter
	dst := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		d.Reset(x)
		w.Reset(x)
		for _, e := range events {
			d.Event(e, &w)
			dst = w.Take(dst[:0])
		}
	}
}
