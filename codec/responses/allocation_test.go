//go:build !race

package responses

import (
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// nobody takes steps and does nothing.
type nobody struct{}

func (nobody) Emit(*llm.Event) {}

// TestDecodingADeltaAllocatesNothing guards the path of every event of a converted stream.
func TestDecodingADeltaAllocatesNothing(t *testing.T) {
	var d Decoder
	d.Reset(reply(llm.Chat))
	var out llm.Emitter = nobody{}
	for _, data := range []string{
		created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}`,
		`{"type":"response.output_item.added","output_index":1,"item":{"id":"msg_1","type":"message","content":[]}}`,
		`{"type":"response.output_item.added","output_index":2,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f"}}`,
	} {
		d.Event(event(t, "data: "+data+"\n\n"), out)
	}
	f := func(name, data string) {
		t.Helper()
		e := event(t, "data: "+data+"\n\n")
		if n := testing.AllocsPerRun(100, func() { d.Event(e, out) }); n > 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
	f("text", `{"type":"response.output_text.delta","sequence_number":9,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"hello","logprobs":[]}`)
	f("text with escapes", `{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"a\n\u00e9\"","obfuscation":"xx"}`)
	f("text beyond ASCII", `{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"é"}`)
	f("arguments", `{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":2,"delta":"{\"a\":"}`)
	f("reasoning", `{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"hm"}`)
}

// TestEmittingADeltaAllocatesNothing is the same on the client's side. Only what is kept for the last event grows.
func TestEmittingADeltaAllocatesNothing(t *testing.T) {
	var w StreamWriter
	dst := make([]byte, 0, 1<<20)
	f := func(name string, item llm.Item, delta string) {
		t.Helper()
		w.Reset(client(t, llm.Messages, plain))
		s := (&script{out: &w}).start().open(item)
		s.add(0, string(make([]byte, 100_000))) // makes room
		dst = w.Take(dst[:0])
		e := &llm.Event{Kind: llm.EventDelta, Text: []byte(delta)}
		w.parts[0].text = w.parts[0].text[:0]
		if n := testing.AllocsPerRun(100, func() {
			w.Emit(e)
			dst = w.Take(dst[:0])
		}); n > 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
	f("text", llm.Item{Kind: llm.Text}, "hello \"é\"\n")
	f("arguments", llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}, `{"a":`)
	f("reasoning", llm.Item{Kind: llm.Thought}, "hm")
}

// TestAllocationsDoNotGrowWithAStream shows that a long stream costs what a short one does, what is kept of it apart.
func TestAllocationsDoNotGrowWithAStream(t *testing.T) {
	x := client(t, llm.Responses, plain)
	var d Decoder
	var w StreamWriter
	dst := make([]byte, 0, 1<<20)
	e := new(sse.Event)
	*e = *event(t, `data: {"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"hello"}`+"\n\n")
	run := func(events int) float64 {
		return testing.AllocsPerRun(10, func() {
			d.Reset(x)
			w.Reset(x)
			for range events {
				d.Event(e, &w)
				dst = w.Take(dst[:0])
			}
		})
	}
	run(10_000)
	if short, long := run(10), run(10_000); long > short {
		t.Errorf("got %g allocations for 10000 events, and %g for 10", long, short)
	}
}
