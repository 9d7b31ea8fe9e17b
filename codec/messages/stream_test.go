package messages

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
	f("start", `{"type":"message_start","message":{"content":[]}}`, llm.Idle)
	f("start with content", `{"type":"message_start","message":{"content":[{"type":"tool_use"}]}}`, llm.Real)
	f("ping", `{"type": "ping"}`, llm.Idle)
	f("text begins", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, llm.Idle)
	f("text begins with text", `{"type":"content_block_start","content_block":{"type":"text","text":"x"}}`, llm.Real)
	f("thinking begins", `{"type":"content_block_start","content_block":{"type":"thinking","thinking":"","signature":""}}`,
		llm.Idle)
	f("a tool begins", `{"type":"content_block_start","content_block":{"type":"tool_use","name":"f","input":{}}}`,
		llm.Real)
	f("redacted thinking", `{"type":"content_block_start","content_block":{"type":"redacted_thinking","data":"x"}}`,
		llm.Real)
	f("text", `{"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}`, llm.Real)
	f("empty text", `{"type":"content_block_delta","delta":{"type":"text_delta","text":""}}`, llm.Idle)
	f("signature", `{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"x"}}`, llm.Real)
	f("block ends", `{"type":"content_block_stop","index":0}`, llm.Idle)
	f("stop reason", `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}`, llm.Real)
	f("no stop reason yet", `{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}`, llm.Idle)
	f("stop", `{"type":"message_stop"}`, llm.Last)
	f("error", `{"type":"error","error":{"type":"overloaded_error"}}`, llm.Fault)
	f("error of another protocol", `{"error":{"message":"x"}}`, llm.Fault)
	f("something new", `{"type":"weather"}`, llm.Idle)
	f("done", `[DONE]`, llm.Junk)
	f("not JSON", `{"type":"ping"`, llm.Junk)
}

func TestTypeMayStandInTheName(t *testing.T) {
	var tap Tap
	if got := tap.Event(event(t, "event: message_stop\ndata: {}\n\n")); got != llm.Last {
		t.Errorf("got %d, want Last", got)
	}
	if got := tap.Event(event(t, "event: error\ndata: overheated\n\n")); got != llm.Fault {
		t.Errorf("a named error: got %d, want Fault", got)
	}
	if got := tap.Event(event(t, ": comment\n\n")); got != llm.Idle {
		t.Errorf("a comment: got %d, want Idle", got)
	}
}

func TestModelSpan(t *testing.T) {
	var tap Tap
	e := event(t, `data: {"type":"message_start","message": {"id":"x", "model" : "claude"}}`+"\n\n")
	tap.Event(e)
	if at := tap.Model(); string(e.Data[at.Start:at.End]) != `"claude"` {
		t.Errorf("the model is at %+v of %s", at, e.Data)
	}
	if tap.Event(event(t, "data: {\"type\":\"ping\"}\n\n")); tap.Model().End != 0 {
		t.Errorf("the model of an earlier event is still at %+v", tap.Model())
	}
}

func TestUsage(t *testing.T) {
	f := func(name string, want llm.Usage, datas ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var tap Tap
			for _, data := range datas {
				tap.Event(event(t, "data: "+data+"\n\n"))
			}
			if got := tap.Usage(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	const (
		start = `{"type":"message_start","message":{"usage":{"input_tokens":12,"cache_read_input_tokens":40,` +
			`"cache_creation_input_tokens":30,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1}}}`
		delta = `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":57,` +
			`"output_tokens_details":{"thinking_tokens":30}}}`
		stop = `{"type":"message_stop"}`
	)
	f("nothing", llm.Usage{}, `{"type":"ping"}`)
	f("only the start", llm.Usage{Input: 12, CacheRead: 40, CacheWrite5m: 10, CacheWrite1h: 20, Output: 1,
		Knowledge: llm.Partial}, start)
	f("all", llm.Usage{Input: 12, CacheRead: 40, CacheWrite5m: 10, CacheWrite1h: 20, Output: 57, Reasoning: 30,
		Knowledge: llm.Reported}, start, delta)
	f("totals are not added", llm.Usage{Input: 5, Output: 9, Knowledge: llm.Reported},
		`{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}`,
		`{"type":"message_delta","delta":{},"usage":{"input_tokens":5,"output_tokens":4}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":5,"output_tokens":9}}`)
	f("totals before the stop reason", llm.Usage{Output: 4, Knowledge: llm.Reported},
		`{"type":"message_delta","delta":{},"usage":{"output_tokens":4}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, stop)
	f("no totals", llm.Usage{Input: 12, CacheRead: 40, CacheWrite5m: 10, CacheWrite1h: 20, Output: 1,
		Knowledge: llm.Partial}, start, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, stop)
	f("cache writes of no stated life", llm.Usage{CacheWrite5m: 30, Output: 4, Knowledge: llm.Reported},
		`{"type":"message_delta","delta":{"stop_reason":"x"},"usage":{"cache_creation_input_tokens":30,"output_tokens":4}}`)
	f("absurd", llm.Usage{Input: 12, Output: 1, Knowledge: llm.Partial},
		`{"type":"message_start","message":{"usage":{"input_tokens":12,"output_tokens":1}}}`,
		`{"type":"message_delta","delta":{"stop_reason":"x"},"usage":{"input_tokens":-12,"output_tokens":1e12}}`)
}
