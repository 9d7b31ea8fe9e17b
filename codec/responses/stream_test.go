package responses

import (
	"strings"
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
	f("created", `{"type":"response.created","response":{}}`, llm.Idle)
	f("queued", `{"type":"response.queued","response":{}}`, llm.Idle)
	f("in progress", `{"type":"response.in_progress","response":{}}`, llm.Idle)
	f("a message begins", `{"type":"response.output_item.added","item":{"type":"message","content":[]}}`, llm.Idle)
	f("reasoning begins", `{"type":"response.output_item.added","item":{"type":"reasoning","summary":[]}}`, llm.Idle)
	f("a call begins", `{"type":"response.output_item.added","item":{"type":"function_call","name":"f"}}`, llm.Real)
	f("a web search begins", `{"type":"response.output_item.added","item":{"type":"web_search_call"}}`, llm.Real)
	f("a part begins", `{"type":"response.content_part.added","part":{"type":"output_text","text":""}}`, llm.Idle)
	f("a summary begins", `{"type":"response.reasoning_summary_part.added"}`, llm.Idle)
	f("text", `{"type":"response.output_text.delta","delta":"x"}`, llm.Real)
	f("empty text", `{"type":"response.output_text.delta","delta":""}`, llm.Idle)
	f("reasoning", `{"type":"response.reasoning_summary_text.delta","delta":"x"}`, llm.Real)
	f("refusal", `{"type":"response.refusal.delta","delta":"x"}`, llm.Real)
	f("arguments", `{"type":"response.function_call_arguments.delta","delta":"{"}`, llm.Real)
	f("an item is done", `{"type":"response.output_item.done","item":{"type":"reasoning"}}`, llm.Real)
	f("something new of the response", `{"type":"response.hologram.started"}`, llm.Real)
	f("keep-alive", `{"type":"keepalive"}`, llm.Idle)
	f("completed", `{"type":"response.completed","response":{"output":[]}}`, llm.Last)
	f("incomplete", `{"type":"response.incomplete","response":{}}`, llm.Last)
	f("failed", `{"type":"response.failed","response":{"error":{}}}`, llm.Fault)
	f("cancelled", `{"type":"response.cancelled","response":{}}`, llm.Fault)
	f("error", `{"type":"error","code":"x","message":"y"}`, llm.Fault)
	f("error without a type", `{"error":{"message":"y"}}`, llm.Fault)
	f("done", `[DONE]`, llm.Junk)
	f("not JSON", `{"type":"response.output_text.delta"`, llm.Junk)
}

func TestTypeMayStandInTheName(t *testing.T) {
	var tap Tap
	if got := tap.Event(event(t, "event: response.completed\ndata: {\"response\":{}}\n\n")); got != llm.Last {
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
	e := event(t, `data: {"type":"response.created",`+
		`"response": {"model" : "gpt","tools":[{"model":"no"}]},"model":"no"}`+"\n\n")
	tap.Event(e)
	if at := tap.Model(); string(e.Data[at.Start:at.End]) != `"gpt"` {
		t.Errorf("the model is at %+v of %s", at, e.Data)
	}
}

func TestUsage(t *testing.T) {
	f := func(name, usage string, want llm.Usage) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var tap Tap
			tap.Event(event(t, `data: {"type":"response.completed","response":{"usage":`+usage+"}}\n\n"))
			if got := tap.Usage(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	f("null", `null`, llm.Usage{})
	f("all", `{"input_tokens":100,"input_tokens_details":{"cached_tokens":50,"cache_write_tokens":30,`+
		`"cache_write_tokens_details":{"ttl_30m_tokens":20,"ttl_12h_tokens":10}},"output_tokens":9,`+
		`"output_tokens_details":{"reasoning_tokens":4},"total_tokens":109}`,
		llm.Usage{Input: 20, CacheRead: 50, CacheWrite5m: 20, CacheWrite1h: 10, Output: 9, Reasoning: 4,
			Knowledge: llm.Reported})
	f("absurd", `{"input_tokens":-4,"output_tokens":9}`, llm.Usage{Output: 9, Knowledge: llm.Partial})
}

func TestHugeIdIsNotKept(t *testing.T) {
	var tap Tap
	id := strings.Repeat("x", 1000)
	tap.Event(event(t, `data: {"type":"response.created","response":{"id":"`+id+`","model":7}}`+"\n\n"))
	if len(tap.id) != 0 || len(tap.name) != 0 {
		t.Errorf("id of %d bytes, model %s", len(tap.id), tap.name)
	}
}
