package codec

import (
	"fmt"
	"testing"

	"octopus/codec/llm"
)

func TestUnreadableEventsAreLeftOutAndCounted(t *testing.T) {
	const (
		garbage       = "data: {\"scripted\":garbage,,\n\n"
		named         = "event: content_block_delta\n" + garbage
		messagesBegin = `data: {"type":"message_start","message":{"id":"msg_1","role":"assistant","usage":{"input_tokens":3}}}` +
			"\n\n" +
			`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n"
		messagesText = `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}` + "\n\n"
		messagesStop = `data: {"type":"content_block_stop","index":0}` + "\n\n" +
			`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}` + "\n\n"
		responsesText = `data: {"type":"response.created","response":{"id":"resp_1"}}` + "\n\n" +
			`data: {"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hi"}` + "\n\n"
		responsesEnd = `data: {"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}` + "\n\n"
	)
	for _, c := range []struct {
		target llm.Protocol
		// begun is a stream that goes on, stopped brings its stop reason, end its end. Empty stopped means that both are one.
		begun, stopped, end string
	}{
		{llm.Chat, chatRole + garbage + chatText + garbage, chatStop + chatTally, chatDone},
		{llm.Messages, messagesBegin + named + messagesText + garbage, messagesStop, `data: {"type":"message_stop"}` + "\n\n"},
		{llm.Responses, responsesText + named + garbage, "", responsesEnd},
	} {
		for _, client := range llm.Protocols {
			t.Run(fmt.Sprintf("%v of %v", client, c.target), func(t *testing.T) {
				b := streaming(t, client, c.target)
				expect := func(src string, step Step, stopped bool) {
					t.Helper()
					if out, got := b.Feed(nil, []byte(src)); got != step || b.Stopped() != stopped || b.Skipped() != 2 {
						t.Errorf("step %d, stopped %t, %d events skipped, want %d, %t and 2; out: %s",
							got, b.Stopped(), b.Skipped(), step, stopped, out)
					}
				}
				expect(c.begun, Commit, false)
				if c.stopped != "" {
					expect(c.stopped, Commit, true)
				}
				if _, step := b.Feed(nil, []byte(c.end)); step != End || b.Skipped() != 2 {
					t.Errorf("step %d at the end and %d events skipped, want %d and 2", step, b.Skipped(), End)
				}
			})
		}
	}
}

func TestHalfAnEventIsNotSkipped(t *testing.T) {
	for _, client := range llm.Protocols {
		b := streaming(t, client, llm.Chat)
		b.Feed(nil, []byte(chatRole+chatText+chatText[:20]))
		if _, step := b.Finish(nil, Cut); step != Failed || b.Skipped() != 0 {
			t.Errorf("%v: step %d, %d events skipped, want %d and none", client, step, b.Skipped(), Failed)
		}
	}
}

// streaming returns a bridge in the middle of a call: a streamed request of client for target was appended.
func streaming(t *testing.T, client, target llm.Protocol) Bridge {
	t.Helper()
	body := map[llm.Protocol]string{
		llm.Chat:      `{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}`,
		llm.Responses: `{"model":"m","stream":true,"input":"Hello"}`,
		llm.Messages:  `{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}`,
	}[client]
	var r Request
	if err := r.Peek(client, []byte(body)); err != nil {
		t.Fatal(err)
	}
	b := Acquire(client, target)
	t.Cleanup(func() { Release(b) })
	if _, err := b.AppendRequest(nil, &r, &Target{Protocol: target, Model: "m"}); err != nil {
		t.Fatal(err)
	}
	return b
}
