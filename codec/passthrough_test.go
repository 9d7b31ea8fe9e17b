package codec

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"octopus/codec/chat"
	"octopus/codec/llm"
	"octopus/codec/messages"
	"octopus/codec/responses"
	"octopus/codec/sse"
)

// attempt returns a bridge in the middle of a call: a streamed request of p was appended.
func attempt(t testing.TB, p llm.Protocol, body string) *passthrough {
	t.Helper()
	var r Request
	if err := r.Peek(p, []byte(body)); err != nil {
		t.Fatal(err)
	}
	b := Acquire(p, p).(*passthrough)
	t.Cleanup(func() { Release(b) })
	if _, err := b.AppendRequest(nil, &r, &Target{Protocol: p, Model: "m"}); err != nil {
		t.Fatal(err)
	}
	return b
}

const streamed = `{"model":"m","stream":true}`

// The beginning of a Chat stream, a chunk with text, and its end.
const (
	chatRole  = `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	chatText  = `data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}` + "\n\n"
	chatStop  = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	chatTally = `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}` + "\n\n"
	chatDone  = "data: [DONE]\n\n"
)

func TestFeedSteps(t *testing.T) {
	b := attempt(t, llm.Chat, streamed)
	f := func(src, want string, wantStep Step) {
		t.Helper()
		out, step := b.Feed(nil, []byte(src))
		if string(out) != want || step != wantStep {
			t.Errorf("%q:\ngot  %q, step %d\nwant %q, step %d", src, out, step, want, wantStep)
		}
	}
	f(": waiting\n\n", ": waiting\n\n", Hold)
	f(chatRole, chatRole, Hold)
	f(chatText[:10], "", Hold)
	f(chatText[10:]+": note\n\n"+chatText[:20], chatText+": note\n\n", Commit)
	f("", "", Commit)
	f(chatText[20:], chatText, Commit)
	f(chatStop+chatTally+": note\n\n", chatStop+": note\n\n", Commit)
	f(chatDone+chatText, chatDone, End)
	want := llm.Usage{Input: 3, Output: 2, Knowledge: llm.Reported}
	if got := b.Usage(); got != want {
		t.Errorf("usage is %+v, want %+v", got, want)
	}
}

func TestFeedAliasesWhatItMay(t *testing.T) {
	b := attempt(t, llm.Chat, streamed)
	src := []byte(chatRole + chatText + "data: ")
	out, _ := b.Feed(nil, src)
	if len(out) != len(chatRole+chatText) || &out[0] != &src[0] {
		t.Error("whole events were copied")
	}
	if cap(out) != len(out) {
		t.Error("an append to the result would overwrite the source")
	}
	out, _ = b.Feed([]byte("> "), []byte("x\n\n"+chatText))
	if want := "> " + chatText; string(out) != want { // "data: x" is no chunk
		t.Errorf("behind other bytes: got %q, want %q", out, want)
	}
}

func TestEarlierAttemptIsForgotten(t *testing.T) {
	b := attempt(t, llm.Chat, streamed)
	b.Feed(nil, []byte(chatRole+chatText+chatTally+chatText[:20]))
	if _, err := b.AppendRequest(nil, &Request{}, &Target{}); err != nil {
		t.Fatal(err)
	}
	if got := b.Usage(); got != (llm.Usage{}) {
		t.Errorf("usage is %+v", got)
	}
	if out, step := b.Feed(nil, []byte(chatRole)); string(out) != chatRole || step != Hold {
		t.Errorf("got %q, step %d", out, step)
	}
}

func TestStreamThatIsNone(t *testing.T) {
	f := func(name, src, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			b := attempt(t, llm.Chat, streamed)
			out, step := b.Feed(nil, []byte(src))
			if len(out) != 0 || step != Failed || b.Failure() == nil || describe(b.Failure()) != want {
				t.Errorf("got %q, step %d, failure %v", out, step, b.Failure())
			}
		})
	}
	f("HTML", "\n <!DOCTYPE html>",
		`upstream status=0 type="" code="" param="" "upstream sent HTML in place of an event stream"`)
	f("the beginning of an answer", `{"id":"chatcmpl-1","cho`,
		`upstream status=0 type="" code="" param="" "upstream sent JSON in place of an event stream"`)
	f("an error", `{"error":{"message":"slow down","type":"rate_limit_error"}}`,
		`rate limit status=0 type="rate_limit_error" code="" param="" "slow down"`)
	f("a list", `[{"error":{"message":"no","code":403}}]`, `permission status=0 type="" code="" param="" "no"`)
}

func TestOversizedEvent(t *testing.T) {
	b := attempt(t, llm.Chat, streamed)
	if _, step := b.Feed(nil, []byte(chatText)); step != Commit {
		t.Fatalf("step %d", step)
	}
	out, step := b.Feed(nil, append([]byte(chatText), make([]byte, sse.MaxEvent+1)...))
	if string(out) != chatText || step != Failed || b.Failure().Message != "upstream sent an event that is too large" {
		t.Errorf("got %d bytes, step %d, failure %v", len(out), step, b.Failure())
	}
}

func TestClientGone(t *testing.T) {
	b := attempt(t, llm.Messages, streamed)
	if _, step := b.Finish(nil, Gone); step != Failed || b.Failure().Kind != llm.Internal {
		t.Errorf("step %d, failure %v", step, b.Failure())
	}
}

func TestAppendErrorBeforeAnyAnswer(t *testing.T) {
	f := func(name string, p llm.Protocol, prepare func(b *passthrough), want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			b := Acquire(p, p).(*passthrough)
			defer Release(b)
			if prepare != nil {
				b = attempt(t, p, streamed)
				prepare(b)
			}
			got := b.AppendError([]byte("> "), &llm.Error{Kind: llm.Overloaded, Message: "all targets are busy"})
			var r sse.Reader
			var e sse.Event
			r.Feed(bytes.TrimPrefix(got, []byte("> ")))
			for _, name := range want {
				if !r.Next(&e) || string(e.Name) != name {
					t.Fatalf("got %s, want the events %q", got, want)
				}
				if data := string(e.Data); data != "[DONE]" && !json.Valid(e.Data) {
					t.Errorf("data is %s", data)
				}
			}
			if r.Next(&e) {
				t.Errorf("another event: %s", e.Raw)
			}
			if !bytes.Contains(got, []byte("all targets are busy")) {
				t.Errorf("no message in %s", got)
			}
		})
	}
	f("Chat", llm.Chat, nil, "", "")
	f("Messages", llm.Messages, nil, "error")
	f("Responses", llm.Responses, nil, "response.created", "response.failed")
	f("Responses after an attempt whose bytes were dropped", llm.Responses, func(b *passthrough) {
		b.Feed(nil, []byte(`data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_old"}}`+"\n\n"))
	}, "response.created", "response.failed")
}

func TestFailedResponseContinuesTheStream(t *testing.T) {
	b := attempt(t, llm.Responses, streamed)
	b.Feed(nil, []byte(`data: {"type":"response.created","sequence_number":0,`+
		`"response":{"id":"resp_1","model":"gpt","created_at":7}}`+"\n\n"))
	b.Feed(nil, []byte(`data: {"type":"response.output_text.delta","sequence_number":41,"delta":"x"}`+"\n\n"))
	var got struct {
		Number   int `json:"sequence_number"`
		Response struct {
			ID, Object, Model, Status string
			CreatedAt                 int `json:"created_at"`
			Error                     struct{ Code, Message string }
			Output, Tools             []any
		}
	}
	out := b.AppendError(nil, &llm.Error{Kind: llm.RateLimit, Message: "wait"})
	_, data, _ := strings.Cut(string(out), "\ndata: ")
	if err := json.Unmarshal([]byte(data), &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	r := got.Response
	if got.Number != 42 || r.ID != "resp_1" || r.Model != "gpt" || r.CreatedAt != 7 {
		t.Errorf("got %s", out)
	}
	if r.Object != "response" || r.Status != "failed" {
		t.Errorf("got %s", out)
	}
	if r.Error.Code != "rate_limit_exceeded" || r.Error.Message != "wait" || r.Output == nil || r.Tools == nil {
		t.Errorf("got %s", out)
	}
}

func TestKeepAlive(t *testing.T) {
	f := func(p llm.Protocol, want string) {
		t.Helper()
		b := Acquire(p, p)
		defer Release(b)
		if got := string(b.AppendKeepAlive([]byte("> "))); got != "> "+want {
			t.Errorf("%v: got %q, want %q", p, got, want)
		}
	}
	f(llm.Chat, ": keep-alive\n\n")
	f(llm.Responses, ": keep-alive\n\n")
	f(llm.Messages, "event: ping\ndata: {\"type\": \"ping\"}\n\n")
}

func TestAnswerAliasesTheBody(t *testing.T) {
	b := attempt(t, llm.Chat, `{"model":"m"}`)
	body := chatAnswer(1 << 10)
	out, step := b.Answer(nil, body)
	if step != End || &out[0] != &body[0] || len(out) != len(body) || cap(out) != len(out) {
		t.Errorf("step %d, %d of %d bytes", step, len(out), len(body))
	}
}

func TestCountAnswer(t *testing.T) {
	f := func(body string, want Step) {
		t.Helper()
		b := attempt(t, llm.Messages, `{"model":"m"}`)
		if _, err := b.AppendRequest(nil, &Request{Count: true, AnswerModel: "alias"}, &Target{}); err != nil {
			t.Fatal(err)
		}
		out, step := b.Answer(nil, []byte(body))
		if step != want || step == End && string(out) != body {
			t.Errorf("%s: got %q, step %d, want step %d", body, out, step, want)
		}
	}
	f(`{"input_tokens":12}`, End)
	f(`{"object":"response.input_tokens","input_tokens":12}`, End)
	f(`{"input_tokens":"12"}`, Failed)
	f(`{"type":"message","content":[]}`, Failed)
	f(`{"error":{"message":"no"}}`, Failed)
	f(`{"input_tokens":12`, Failed)
}

// FuzzPassthrough holds Feed against its promise: for any cut, what comes out is the input without the events that
// are not for the client, up to the end of the answer.
func FuzzPassthrough(f *testing.F) {
	for _, v := range vectors(f, "sse") {
		f.Add(v.in, uint8(v.target-llm.Chat), uint16(100))
	}
	f.Fuzz(func(t *testing.T, stream []byte, protocol uint8, size uint16) {
		p := llm.Protocols[protocol%3]
		want, wantStep := expected(p, stream)
		var got []byte
		step := Hold
		b := attempt(t, p, streamed)
		for piece := range slicesOf(stream, int(size)+1) {
			var out []byte
			if out, step = b.Feed(nil, piece); step == Hold && b.Failure() != nil {
				t.Fatalf("a failure without Failed: %v", b.Failure())
			}
			if got = append(got, out...); step >= End {
				break
			}
		}
		if (step == Failed) != (b.Failure() != nil) {
			t.Errorf("step %d, failure %v", step, b.Failure())
		}
		if !bytes.Equal(got, want) || step != wantStep {
			t.Errorf("pieces of %d:\ngot  %q, step %d\nwant %q, step %d", size+1, got, step, want, wantStep)
		}
		u := b.Usage()
		if min(u.Input, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h, u.Output, u.Reasoning) < 0 || u.Reasoning > u.Output {
			t.Errorf("usage is %+v", u)
		}
		if step < End {
			if _, step = b.Finish(nil, EOF); step != End && step != Failed {
				t.Errorf("the end is step %d", step)
			}
		}
	})
}

// expected returns what a client gets of a stream that arrives in one piece.
func expected(p llm.Protocol, stream []byte) (out []byte, step Step) {
	tap := map[llm.Protocol]tap{
		llm.Chat: new(chat.Tap), llm.Responses: new(responses.Tap), llm.Messages: new(messages.Tap),
	}[p]
	start := 0
	for start < len(stream) && strings.IndexByte(" \t\r\n\xef\xbb\xbf", stream[start]) >= 0 {
		start++
	}
	if start < len(stream) && strings.IndexByte("<{[\"", stream[start]) >= 0 {
		return nil, Failed
	}
	var r sse.Reader
	var e sse.Event
	r.Feed(stream)
	for r.Next(&e) {
		switch tap.Event(&e) {
		case llm.Fault:
			return out, Failed
		case llm.Last:
			if step == Hold && !tap.Stopped() {
				return out, Failed
			}
			return append(out, e.Raw...), End
		case llm.Real:
			step = Commit
		case llm.Tally, llm.Junk:
			continue
		}
		out = append(out, e.Raw...)
	}
	return out, step
}

// slicesOf yields b in pieces of n bytes, at least one.
func slicesOf(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > n {
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
		yield(b)
	}
}
