package codec

import (
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// omitted appends a request for t without o, and returns its body and its warnings.
func omitted(t *testing.T, client llm.Protocol, body string, o Omission, target *Target) (out, warnings string) {
	t.Helper()
	var r Request
	if err := r.Peek(client, []byte(body)); err != nil {
		t.Fatal(err)
	}
	r.Omit = o
	b := Acquire(client, target.Protocol)
	defer Release(b)
	got, err := b.AppendRequest([]byte("> "), &r, target)
	if err != nil {
		t.Fatal(err)
	}
	if got = got[len("> "):]; !json.Valid(got) {
		t.Fatalf("not JSON: %s", got)
	}
	if w := b.Warnings(); w != nil {
		warnings = string(w.Append(nil))
	}
	return string(got), warnings
}

func params(t *testing.T, raw string) *Params {
	t.Helper()
	p, err := CompileParams([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReasoningIsCutOutOfRequests(t *testing.T) {
	f := func(name string, p llm.Protocol, body, want, warnings string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			got, warned := omitted(t, p, body, OmitReasoning, &Target{Protocol: p, Model: "up"})
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if warned != warnings {
				t.Errorf("warnings: got %q, want %q", warned, warnings)
			}
		})
	}
	const lostThinking, lostItems = "dropped=messages.content.thinking", "dropped=input.encrypted_content"
	f("thinking, the rest as it is", llm.Messages,
		`{ "x":1.0, "model":"m", "messages":[ {"role":"user","content":"a"}, {"role":"assistant","content":[ {"type":"thinking","thinking":"t","signature":"s"}, {"type":"text", "text":"b\u00e9"}]},{"role":"assistant","content":"c"}], "y":[ ] }`,
		`{ "x":1.0, "model":"up", "messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text", "text":"b\u00e9"}]},{"role":"assistant","content":"c"}], "y":[ ] }`,
		lostThinking)
	f("a message of nothing else", llm.Messages,
		`{"model":"m","messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"d"}]},{"role":"user","content":"a"}]}`,
		`{"model":"up","messages":[{"role":"user","content":"a"}]}`, lostThinking)
	f("a budget of thinking goes with the thinking before calls", llm.Messages,
		`{"model":"m","thinking":{"type":"enabled","budget_tokens":1024},"context_management":{"edits":[{"type":"clear_thinking_20251015"}]},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}]}`,
		`{"model":"up","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}]}`,
		lostThinking)
	f("adaptive thinking stays", llm.Messages,
		`{"model":"m","thinking":{"type":"adaptive"},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}]}`,
		`{"model":"up","thinking":{"type":"adaptive"},"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}]}`,
		lostThinking)
	f("a budget stays in a new turn", llm.Messages,
		`{"model":"m","thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"b"}]},{"role":"user","content":"more"}]}`,
		`{"model":"up","thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"assistant","content":[{"type":"text","text":"b"}]},{"role":"user","content":"more"}]}`,
		lostThinking)
	f("reasoning items and the ids that belong to them", llm.Responses,
		`{"model":"m","include":["reasoning.encrypted_content"],"input":[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"e"},{"type":"item_reference","id":"rs_2"},{"id":"msg_1","type":"message","role":"assistant","content":[]},{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"},{"type":"web_search_call","id":"ws_1"},{"type":"function_call_output","call_id":"c","output":"o"},{"type":"item_reference","id":"msg_2"}]}`,
		`{"model":"up","include":["reasoning.encrypted_content"],"input":[{"role":"user","content":"a"},{"type":"message","role":"assistant","content":[]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"web_search_call","id":"ws_1"},{"type":"function_call_output","call_id":"c","output":"o"},{"type":"item_reference","id":"msg_2"}]}`,
		lostItems)
	f("input that is a text", llm.Responses, `{"model":"m","input":"rs_"}`, `{"model":"up","input":"rs_"}`, "")
	f("details of brokers", llm.Chat,
		`{"model":"m","messages":[{"role":"assistant","content":"b","reasoning_content":"r","reasoning_details":[{"type":"reasoning.text","signature":"s"}]},7]}`,
		`{"model":"up","messages":[{"role":"assistant","content":"b","reasoning_content":"r"},7]}`, "dropped=messages.reasoning_details")
	f("nothing there", llm.Chat, `{"model":"m","messages":[]}`, `{"model":"up","messages":[]}`, "")
	f("no conversation", llm.Messages, `{"model":"m"}`, `{"model":"up"}`, "")
}

func TestReasoningIsLeftOutOfConvertedRequests(t *testing.T) {
	sealer := NewSealer([]byte("0123456789abcdef0123456789abcdef"), "anthropic", "ch")
	seal := string(sealer.Seal(nil, llm.Sealed{Kind: llm.SealSignature, Opaque: []byte("minted")}))
	body := `{"model":"m","input":[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"` + seal + `"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"o"}],"reasoning":{"effort":"high"},"tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]}`
	target := &Target{Protocol: llm.Messages, Model: "claude-sonnet-4-5", Sealer: sealer}
	if got, _ := omitted(t, llm.Responses, body, 0, target); !strings.Contains(got, `"signature":"minted"`) || !strings.Contains(got, `"budget_tokens"`) {
		t.Fatalf("not restored at all: %s", got)
	}
	got, warnings := omitted(t, llm.Responses, body, OmitReasoning, target)
	if strings.Contains(got, "minted") || strings.Contains(got, `"budget_tokens"`) || !strings.Contains(got, `"tool_use"`) {
		t.Errorf("got %s", got)
	}
	if !strings.HasPrefix(warnings, "dropped=") {
		t.Errorf("warnings: %q", warnings)
	}

	sealer = NewSealer([]byte("0123456789abcdef0123456789abcdef"), "openai", "ch")
	seal = string(sealer.Seal(nil, llm.Sealed{Kind: llm.SealEncrypted, Item: "rs_1", Opaque: []byte("minted")}))
	body = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"` + seal + `"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}`
	target = &Target{Protocol: llm.Responses, Model: "gpt-5", Sealer: sealer}
	if got, _ := omitted(t, llm.Messages, body, 0, target); !strings.Contains(got, `"encrypted_content":"minted"`) {
		t.Fatalf("not restored at all: %s", got)
	}
	if got, _ := omitted(t, llm.Messages, body, OmitReasoning, target); strings.Contains(got, "minted") || strings.Contains(got, `"type":"reasoning"`) {
		t.Errorf("got %s", got)
	}
}

func TestStreamOptionsAreLeftOut(t *testing.T) {
	f := func(name string, client llm.Protocol, body, patch, want, warnings string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			got, warned := omitted(t, client, body, OmitStreamOptions, &Target{Protocol: llm.Chat, Model: "up", Params: params(t, patch)})
			if want != "" && got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if strings.Contains(got, "stream_options") || warned != warnings {
				t.Errorf("got %s with the warnings %q, want %q", got, warned, warnings)
			}
		})
	}
	f("ours", llm.Chat, `{"model":"m","stream":true,"x":1}`, "{}", `{"model":"up","stream":true,"x":1}`, "")
	f("the client's", llm.Chat, `{"model":"m","stream_options":{"include_usage":true},"stream":true}`, "{}", `{"model":"up","stream":true}`, "dropped=stream_options")
	f("the client's, without usage", llm.Chat, `{"model":"m","stream":true,"stream_options":{"include_obfuscation":false}}`, "{}", `{"model":"up","stream":true}`, "dropped=stream_options")
	f("the channel's", llm.Chat, `{"model":"m","stream":true}`, `{"stream_options":{"include_usage":true},"x":2}`, `{"model":"up","stream":true,"x":2}`, "")
	f("those of an Anthropic client", llm.Messages, `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"a"}]}`, "{}", "", "")
	f("no stream", llm.Chat, `{"model":"m"}`, "{}", `{"model":"up"}`, "")
	if got, _ := omitted(t, llm.Messages, `{"model":"m","max_tokens":9,"stream":true,"messages":[]}`, OmitStreamOptions, &Target{Protocol: llm.Messages, Model: "up"}); !strings.Contains(got, `"stream":true`) {
		t.Errorf("got %s", got)
	}
}

func TestCarries(t *testing.T) {
	f := func(client llm.Protocol, body string, o Omission, target Target, want bool) {
		t.Helper()
		var r Request
		if err := r.Peek(client, []byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := r.Carries(o, &target); got != want {
			t.Errorf("%s to %v: got %v", body, target.Protocol, got)
		}
		r.Omit = o
		if r.Carries(o, &target) {
			t.Errorf("%s: what is left out already is not there", body)
		}
	}
	chat, responses, messages := Target{Protocol: llm.Chat}, Target{Protocol: llm.Responses}, Target{Protocol: llm.Messages}
	f(llm.Chat, `{"model":"m","stream":true}`, OmitStreamOptions, chat, true)
	f(llm.Chat, `{"model":"m"}`, OmitStreamOptions, chat, false)
	f(llm.Chat, `{"model":"m","stream":true}`, OmitStreamOptions, messages, false)
	f(llm.Messages, `{"model":"m"}`, OmitStreamOptions, Target{Protocol: llm.Chat, AlwaysStream: true}, true)
	f(llm.Messages, `{"model":"m","thinking":{"type":"enabled"}}`, OmitReasoning, messages, false)
	f(llm.Messages, `{"model":"m","thinking":{"type":"enabled"},"messages":[{"type": "thinking","thinking":""}]}`, OmitReasoning, messages, true)
	f(llm.Messages, `{"model":"m","messages":[{"signature":"x"}]}`, OmitReasoning, responses, true)
	f(llm.Messages, `{"model":"m","messages":[{"signature":"x"}]}`, OmitReasoning, chat, false)
	f(llm.Responses, `{"model":"m","reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"]}`, OmitReasoning, responses, false)
	f(llm.Responses, `{"model":"m","input":[{"type":"reasoning","id":"rs_1"}]}`, OmitReasoning, responses, true)
	f(llm.Responses, `{"model":"m","previous_response_id":"resp_1"}`, OmitReasoning, messages, true)
	f(llm.Chat, `{"model":"m","messages":[]}`, OmitReasoning, chat, false)
	f(llm.Chat, `{"model":"m","messages":[{"reasoning_details":[]}]}`, OmitReasoning, chat, true)
	f(llm.Chat, `{"model":"m"}`, 0, chat, false)
}

func FuzzWithoutReasoning(f *testing.F) {
	f.Add(uint8(llm.Messages), `{"messages":[{"role":"assistant","content":[{"type":"thinking"},{"type":"text"}]},7]}`)
	f.Add(uint8(llm.Responses), `{"input":[{"type":"reasoning"},{"id":"msg_1"},[]]}`)
	f.Add(uint8(llm.Chat), `{"messages":[{"reasoning_details":[]},{}]}`)
	f.Fuzz(func(t *testing.T, protocol uint8, body string) {
		p := llm.Protocols[int(protocol)%len(llm.Protocols)]
		if !json.Valid([]byte(body)) || strings.TrimSpace(body)[0] != '{' {
			return
		}
		once, more := withoutReasoning(nil, []byte(body), p)
		if once = more.appendTo(nil, once, nil); !json.Valid(once) || len(once) > len(body) {
			t.Fatalf("%s became %s", body, once)
		}
		if twice, _ := withoutReasoning(nil, once, p); string(twice) != string(once) {
			t.Errorf("%s is not without reasoning: %s", once, twice)
		}
	})
}
