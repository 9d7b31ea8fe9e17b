package chat

import (
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// event returns the first event of a stream.
func event(t *testing.T, stream string) *sse.Event {
	t.Helper()
	var r sse.Reader
	var e sse.Event
	r.Feed([]byte(stream))
	if !r.Next(&e) {
		t.Fatalf("no event in %q", stream)
	}
	return &e
}

func TestMarks(t *testing.T) {
	f := func(name, data string, want llm.Mark) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var tap Tap
			if got := tap.Event(event(t, "data: "+data+"\n\n")); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
	delta := func(delta string) string {
		return `{"choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}`
	}
	f("role", delta(`{"role":"assistant"}`), llm.Idle)
	f("role with empty members", delta(`{"role":"assistant","content":"","refusal":null,"tool_calls":[]}`), llm.Idle)
	f("no delta", `{"choices":[{"index":0}]}`, llm.Idle)
	f("no choices", `{"choices":[]}`, llm.Idle)
	f("filter results of Azure", `{"choices":[],"prompt_filter_results":[{}]}`, llm.Idle)
	f("text", delta(`{"content":"x"}`), llm.Real)
	f("text in parts", delta(`{"content":[{"type":"text","text":"x"}]}`), llm.Real)
	f("reasoning", delta(`{"reasoning_content":"x"}`), llm.Real)
	f("refusal", delta(`{"refusal":"no"}`), llm.Real)
	f("tool call", delta(`{"tool_calls":[{"index":0}]}`), llm.Real)
	f("something new", delta(`{"hologram":{"x":1}}`), llm.Real)
	f("stop reason", `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, llm.Real)
	f("empty stop reason", `{"choices":[{"index":0,"delta":{},"finish_reason":""}]}`, llm.Idle)
	f("usage alone", `{"choices":[],"usage":{"prompt_tokens":1}}`, llm.Tally)
	f("usage without choices", `{"usage":{"prompt_tokens":1}}`, llm.Tally)
	f("usage null", `{"choices":[],"usage":null}`, llm.Idle)
	f("usage beside text", `{"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}}`, llm.Real)
	f("usage beside a role", `{"choices":[{"delta":{"role":"assistant"}}],"usage":{"prompt_tokens":1}}`, llm.Idle)
	f("end", `[DONE]`, llm.Last)
	f("end in white space", ` [DONE] `, llm.Last)
	f("error object", `{"error":{"message":"x"}}`, llm.Fault)
	f("error string", `{"error":"x"}`, llm.Fault)
	f("error null", `{"error":null,"choices":[]}`, llm.Idle)
	f("error beside choices", `{"choices":[{"delta":{"content":"x"}}],"error":{"code":502}}`, llm.Fault)
	f("not JSON", `{"choices":[`, llm.Junk)
	f("no object", `"x"`, llm.Junk)
	f("nothing", ``, llm.Junk)
}

func TestEventsWithoutData(t *testing.T) {
	var tap Tap
	for _, stream := range []string{": comment\n\n", "\n", "event: ping\n\n", "id: 1\n\n"} {
		if got := tap.Event(event(t, stream)); got != llm.Idle {
			t.Errorf("%q: got %d, want Idle", stream, got)
		}
	}
	if got := tap.Event(event(t, "event: error\ndata: overheated\n\n")); got != llm.Fault {
		t.Errorf("a named error: got %d, want Fault", got)
	}
}

func TestStopped(t *testing.T) {
	f := func(name string, choices int, want bool, chunks ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var tap Tap
			tap.Reset(choices)
			tap.Event(event(t, `data: {"choices":[{"index":0,"delta":{"content":"x"}}]}`+"\n\n"))
			for _, chunk := range chunks {
				tap.Event(event(t, "data: "+chunk+"\n\n"))
			}
			if got := tap.Stopped(); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	const (
		zero  = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
		one   = `{"choices":[{"index":1,"delta":{},"finish_reason" : "length"}]}`
		both  = `{"choices":[{"index":0,"finish_reason":null},{"index":1,"finish_reason":"stop"}]}`
		text  = `{"choices":[{"index":0,"delta":{"content":"\"finish_reason\":\"stop\""},"finish_reason": null}]}`
		later = `{"choices":[{"index":127,"finish_reason":"stop"}]}`
	)
	f("no stop reason", 1, false)
	f("null, and text that looks like one", 1, false, text)
	f("stop", 1, true, zero)
	f("a stop reason with white space", 1, true, one)
	f("one of two", 2, false, zero)
	f("the same one twice", 2, false, zero, zero)
	f("two of two", 2, true, zero, both)
	f("the highest index", 2, true, zero, later)
	f("none asked for counts as one", 0, true, zero)
	f("an index out of range", 1, false, `{"choices":[{"index":128,"finish_reason":"stop"}]}`)
}

func TestModelSpan(t *testing.T) {
	var tap Tap
	e := event(t, `data: {"id":"x", "model" : "gpt", "choices":[]}`+"\n\n")
	tap.Event(e)
	if at := tap.Model(); string(e.Data[at.Start:at.End]) != `"gpt"` {
		t.Errorf("the model is at %+v of %s", at, e.Data)
	}
	if tap.Event(event(t, "data: {}\n\n")); tap.Model().End != 0 {
		t.Errorf("the model of an earlier chunk is still at %+v", tap.Model())
	}
}
