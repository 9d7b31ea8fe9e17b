//go:build !race

package messages

import (
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// parsed returns the event with that data.
func parsed(data string) sse.Event { return sse.Event{Data: []byte(data), Lines: 1} }

func TestDecoderDoesNotAllocatePerEvent(t *testing.T) {
	f := func(name, block string, deltas ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			x := upstreamExchange()
			x.Names.Add("patch", llm.ToolName{Kind: llm.CustomTool, Name: "patch"})
			var d Decoder
			d.Reset(x)
			for _, data := range []string{evStart, evBlock(0, block)} {
				e := parsed(data)
				d.Event(&e, nowhere{})
			}
			events := make([]sse.Event, len(deltas))
			for i := range deltas {
				events[i] = parsed(deltas[i])
				d.Event(&events[i], nowhere{})
			}
			if n := testing.AllocsPerRun(100, func() {
				for i := range events {
					d.Event(&events[i], nowhere{})
				}
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	f("text", blockOfText, evText(0, `"plain"`), evText(0, `"esc\n\u00e9"`), `{"type":"ping"}`)
	f("thinking", blockOfThinking, evDelta(0, "thinking_delta", "thinking", `"hm\n"`))
	f("arguments", blockOfCall("c", "f"), evInput(0, `"{\"a\":1"`))
}

func TestStreamWriterDoesNotAllocatePerDelta(t *testing.T) {
	f := func(name string, item llm.Item, text string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			var w StreamWriter
			w.Reset(clientExchange(llm.Chat))
			open, delta := opening(0, item), adding(0, text)
			w.Emit(&llm.Event{Kind: llm.EventStart})
			w.Emit(&open)
			out := make([]byte, 0, 64<<10)
			for range 10 {
				w.Emit(&delta)
				out = w.Take(out[:0])
			}
			if n := testing.AllocsPerRun(100, func() {
				w.Emit(&delta)
				out = w.Take(out[:0])
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	f("text", llm.Item{Kind: llm.Text}, "some \"text\"\n")
	f("reasoning", llm.Item{Kind: llm.Thought}, "hm")
	f("arguments", llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}, `{"a`)
	f("a custom input", llm.Item{Kind: llm.Call, CallID: "c", Name: "f", Custom: true}, "line\n")
}

func TestReadingAgainAllocatesLittle(t *testing.T) {
	text := largeBody(100)
	var r llm.Request
	if err := ReadRequest(text, &r); err != nil {
		t.Fatal(err)
	}
	// What remains is the parts of each result, and the texts with escapes.
	if n := testing.AllocsPerRun(10, func() {
		if err := ReadRequest(text, &r); err != nil {
			t.Fatal(err)
		}
	}); n > 220 {
		t.Errorf("%v allocations for 100 rounds", n)
	}
}
