package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// thinker is an answer with reasoning, as one of the providers gives it that want it back.
type thinker struct {
	blocks []thinkerBlock
}

// thinkerBlock is one block of the answer. Which fields count depends on its kind: thought, redacted, text or call.
type thinkerBlock struct {
	kind, id, text, opaque string
}

// newThinker returns the answer of a seed: thoughts, perhaps with text and calls between them, a call at the end.
// Thoughts that Responses gives out have an id, and are never redacted.
func newThinker(seed uint64, upstream llm.Protocol) *thinker {
	r := rand.New(rand.NewPCG(seed, 2))
	a := &thinker{}
	for i := range 1 + r.IntN(5) {
		b := thinkerBlock{kind: []string{"thought", "thought", "redacted", "text", "call"}[r.IntN(5)]}
		if i == 0 || upstream == llm.Responses && b.kind == "redacted" {
			b.kind = "thought"
		}
		switch b.kind {
		case "thought":
			if r.IntN(4) > 0 {
				b.text = randomText(r)
			}
			b.opaque = randomOpaque(r)
			if upstream == llm.Responses {
				b.id = fmt.Sprintf("rs_%d", i)
			}
		case "redacted":
			b.opaque = randomOpaque(r)
		case "text":
			b.id, b.text = fmt.Sprintf("msg_%d", i), randomText(r)
		case "call":
			b.id, b.text = fmt.Sprintf("call_%d", i), randomObject(r, 1)
		}
		a.blocks = append(a.blocks, b)
	}
	a.blocks = append(a.blocks, thinkerBlock{kind: "call", id: "call_last", text: "{}"})
	return a
}

// randomOpaque returns what a provider may mint: base64, short or long.
func randomOpaque(r *rand.Rand) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	out := make([]byte, 8+r.IntN(300))
	for i := range out {
		out[i] = digits[r.IntN(len(digits))]
	}
	return string(out) + "=="
}

// body returns the answer as the upstream sends it.
func (a *thinker) body(t *testing.T, upstream llm.Protocol) []byte {
	t.Helper()
	var list []any
	for _, b := range a.blocks {
		list = append(list, b.object(upstream))
	}
	answer := members{
		"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": list, "stop_reason": "tool_use",
		"usage": members{"input_tokens": 1, "output_tokens": 1},
	}
	if upstream == llm.Responses {
		answer = members{
			"id": "resp_1", "object": "response", "status": "completed", "model": "up", "output": list,
			"usage": members{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
		}
	}
	return marshal(t, answer)
}

// object returns a block as the upstream sends it.
func (b *thinkerBlock) object(upstream llm.Protocol) members {
	if upstream == llm.Messages {
		switch b.kind {
		case "thought":
			return members{"type": "thinking", "thinking": b.text, "signature": b.opaque}
		case "redacted":
			return members{"type": "redacted_thinking", "data": b.opaque}
		case "text":
			return members{"type": "text", "text": b.text}
		}
		return members{"type": "tool_use", "id": b.id, "name": "f", "input": json.RawMessage(b.text)}
	}
	switch b.kind {
	case "thought":
		summary := []any{}
		if b.text != "" {
			summary = append(summary, members{"type": "summary_text", "text": b.text})
		}
		return members{"type": "reasoning", "id": b.id, "summary": summary, "encrypted_content": b.opaque}
	case "text":
		return members{"type": "message", "id": b.id, "role": "assistant", "status": "completed",
			"content": []any{members{"type": "output_text", "text": b.text, "annotations": []any{}}}}
	}
	return members{"type": "function_call", "id": "fc_" + b.id, "call_id": b.id, "name": "f", "arguments": b.text,
		"status": "completed"}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// next returns the client's request behind an answer that it got: everything sent back, and the results of the calls.
func (a *thinker) next(t *testing.T, client llm.Protocol, answer []byte) []byte {
	t.Helper()
	var got struct {
		Output, Content []any
		Choices         []struct{ Message members }
	}
	if answer != nil {
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatalf("%v\n%s", err, answer)
		}
	}
	function := members{"name": "f", "parameters": members{"type": "object"}}
	body := members{"model": "my-group"}
	var results []any
	for _, b := range a.blocks {
		if b.kind == "call" && answer != nil {
			results = append(results, map[llm.Protocol]any{
				llm.Chat:      members{"role": "tool", "tool_call_id": b.id, "content": "ok"},
				llm.Responses: members{"type": "function_call_output", "call_id": b.id, "output": "ok"},
				llm.Messages:  members{"type": "tool_result", "tool_use_id": b.id, "content": "ok"},
			}[client])
		}
	}
	conversation := []any{members{"role": "user", "content": "Go"}}
	switch client {
	case llm.Chat:
		body["tools"] = []any{members{"type": "function", "function": function}}
		if answer != nil {
			conversation = append(conversation, got.Choices[0].Message)
		}
		body["messages"] = append(conversation, results...)
	case llm.Responses:
		function["type"] = "function"
		body["tools"], body["input"] = []any{function}, append(append(conversation, got.Output...), results...)
	case llm.Messages:
		body["max_tokens"], body["tools"] = 100, []any{members{"name": "f", "input_schema": members{"type": "object"}}}
		if answer != nil {
			conversation = append(conversation, members{"role": "assistant", "content": got.Content},
				members{"role": "user", "content": results})
		}
		body["messages"] = conversation
	}
	return marshal(t, body)
}

// describe returns the answer's blocks a line each; without order the thoughts only.
func (a *thinker) describe(inOrder bool) (lines []string) {
	for _, b := range a.blocks {
		switch {
		case b.kind == "thought" || b.kind == "redacted":
			lines = append(lines, fmt.Sprintf("%s %q [%s] %s", b.kind, b.id, b.text, b.opaque))
		case inOrder:
			lines = append(lines, b.kind)
		}
	}
	return lines
}

// describeSent returns the model's blocks in an upstream's request, as describe does.
func describeSent(t *testing.T, upstream llm.Protocol, body []byte, inOrder bool) (lines []string) {
	t.Helper()
	var r llm.Request
	if err := dialects[upstream].read(body, &r); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	for i := range r.Turns {
		if r.Turns[i].Role != llm.Assistant {
			continue
		}
		for j := range r.Turns[i].Items {
			switch it := &r.Turns[i].Items[j]; {
			case it.Kind == llm.Thought && it.Redacted:
				lines = append(lines, fmt.Sprintf("redacted %q [] %s", it.ID, it.Seal))
			case it.Kind == llm.Thought:
				lines = append(lines, fmt.Sprintf("thought %q [%s] %s", it.ID, it.Text, it.Seal))
			case inOrder && it.Kind == llm.Text:
				lines = append(lines, "text")
			case inOrder && it.Kind == llm.Call:
				lines = append(lines, "call")
			}
		}
	}
	return lines
}

// TestReasoningSurvivesATurn sends answers with reasoning to clients of the other protocols, and what these send back to the
// upstream again: it must get its signatures and encrypted reasoning as it gave them out, in their places. To another channel
// nothing of them may go (protocols.md B.6, F 182).
func TestReasoningSurvivesATurn(t *testing.T) {
	options := llm.DefaultOptions()
	options.ReasoningDetails = true
	target := func(upstream llm.Protocol, channel string) *Target {
		family := map[llm.Protocol]string{llm.Messages: "anthropic", llm.Responses: "openai"}[upstream]
		model := map[llm.Protocol]string{llm.Messages: "claude-opus-4-8", llm.Responses: "gpt-5.4"}[upstream]
		return &Target{Protocol: upstream, Model: model, Options: &options, Sealer: NewSealer(sealKey, family, channel)}
	}
	send := func(client llm.Protocol, body []byte, to *Target) (Bridge, []byte) {
		var r Request
		if err := r.Peek(client, body); err != nil {
			t.Fatal(err)
		}
		r.AnswerID = "trip"
		b := Acquire(client, to.Protocol)
		out, err := b.AppendRequest(nil, &r, to)
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		return b, out
	}
	for _, upstream := range []llm.Protocol{llm.Messages, llm.Responses} {
		for _, client := range llm.Protocols {
			if client == upstream {
				continue
			}
			for seed := range uint64(60) {
				a := newThinker(seed, upstream)
				b, _ := send(client, a.next(t, client, nil), target(upstream, "1"))
				answer, step := b.Answer(nil, a.body(t, upstream))
				if step != End {
					t.Fatalf("seed %d, %v from %v: step %d, %v", seed, client, upstream, step, b.Failure())
				}
				again := a.next(t, client, bytes.Clone(answer))
				Release(b)

				// Chat has no order between reasoning, text and calls.
				inOrder := client != llm.Chat
				b, sent := send(client, again, target(upstream, "1"))
				if got, want := describeSent(t, upstream, sent, inOrder), a.describe(inOrder); !slices.Equal(got, want) {
					t.Fatalf("seed %d, %v from %v:\ngot\n%s\nwant\n%s\nby\n%s", seed, client, upstream,
						strings.Join(got, "\n"), strings.Join(want, "\n"), again)
				}
				if warnings := b.Warnings(); !warnings.Empty() {
					t.Errorf("seed %d, %v from %v: %s", seed, client, upstream, warnings.Append(nil))
				}
				Release(b)

				b, sent = send(client, again, target(upstream, "2"))
				for _, block := range a.blocks {
					if block.opaque != "" && bytes.Contains(sent, []byte(block.opaque)) {
						t.Errorf("seed %d, %v from %v: another channel gets %s", seed, client, upstream, block.opaque)
					}
				}
				if bytes.Contains(sent, []byte(envelopePrefix)) {
					t.Errorf("seed %d, %v from %v: another channel gets an envelope", seed, client, upstream)
				}
				Release(b)
			}
		}
	}
}
