package codec

import (
	"testing"

	"octopus/codec/llm"
)

// TestPassthroughIsEstimatedWhenTheRequestIsGone: the relay gives the request's body back when the answer has begun. The bridge
// is used for calls in different protocols.
func TestPassthroughIsEstimatedWhenTheRequestIsGone(t *testing.T) {
	options := llm.DefaultOptions()
	options.EstimateUsage = true
	f := func(p llm.Protocol, request, answer string, heard bool, want llm.Usage) {
		t.Helper()
		body := []byte(request)
		var r Request
		if err := r.Peek(p, body); err != nil {
			t.Fatal(err)
		}
		to := &Target{Protocol: p, Model: "m", Options: &options}
		if !heard {
			to.Options = nil
		}
		b := Acquire(p, p)
		defer Release(b)
		if _, err := b.AppendRequest(nil, &r, to); err != nil {
			t.Fatal(err)
		}
		clear(body)
		r = Request{}
		if out, step := b.Feed(nil, []byte(answer)); string(out) != answer || step != Commit && step != End {
			t.Errorf("got %q, step %d", out, step)
		}
		if got := b.Usage(); got != want {
			t.Errorf("%v %s: got %+v, want %+v", p, answer, got, want)
		}
		if again := b.Usage(); again != want {
			t.Errorf("%v %s: then %+v", p, answer, again)
		}
	}
	const chatRequest = `{"model":"g","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello world"}]}`
	estimated := llm.Usage{Input: 8, Output: 1, Knowledge: llm.Estimated}
	f(llm.Chat, chatRequest, chatRole+chatText, true, estimated)
	f(llm.Chat, chatRequest, chatRole+chatText+chatStop+chatDone, true, estimated)
	f(llm.Chat, chatRequest, chatRole+chatText, false, llm.Usage{})
	f(llm.Chat, chatRequest, chatRole+chatText+chatStop+chatTally+chatDone, true, llm.Usage{Input: 3, Output: 2, Knowledge: llm.Reported})
	f(llm.Messages, `{"model":"g","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hello world"}]}`,
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hi\"}}\n\n",
		true, estimated)
	f(llm.Responses, `{"model":"g","stream":true,"input":"hello world"}`,
		"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"item_id\":\"m\",\"delta\":\"Hi\"}\n\n",
		true, estimated)
	// What can't be read counts as it is: its 36 bytes are 12 tokens.
	f(llm.Messages, `{"model":"g","stream":true,"max":[]}`,
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hi\"}}\n\n",
		true, llm.Usage{Input: 18, Output: 1, Knowledge: llm.Estimated})
}

// TestNothingHeardIsNoAnswer: a call that failed before its first word is not charged.
func TestNothingHeardIsNoAnswer(t *testing.T) {
	options := llm.DefaultOptions()
	options.EstimateUsage = true
	for _, client := range llm.Protocols {
		var r Request
		if err := r.Peek(client, []byte(leastRequests[client])); err != nil {
			t.Fatal(err)
		}
		r.Stream, r.AnswerID = true, "x"
		b := Acquire(client, llm.Chat)
		if _, err := b.AppendRequest(nil, &r, &Target{Protocol: llm.Chat, Model: "m", Options: &options}); err != nil {
			t.Fatal(err)
		}
		b.Feed(nil, []byte(chatRole))
		if _, step := b.Finish(nil, Cut); step != Failed {
			t.Errorf("%v: step %d", client, step)
		}
		if got := b.Usage(); got != (llm.Usage{}) {
			t.Errorf("%v: got %+v", client, got)
		}
		Release(b)
	}
}
