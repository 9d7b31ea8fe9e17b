package codec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// Bodies and events as large as the real ones: chunks of about 300 bytes, events of Responses with their obfuscation.
const (
	chatEvent = `data: {"id":"chatcmpl-BxYzAbCdEfGhIjKlMnOpQrStUvWxY","object":"chat.completion.chunk",` +
		`"created":1754000000,"model":"gpt-5.4-mini-2026-03-05","service_tier":"default",` +
		`"system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" tokens"},"logprobs":null,` +
		`"finish_reason":null}],"usage":null,"obfuscation":"aB3dE6gH"}` + "\n\n"
	responsesEvent = "event: response.output_text.delta\n" +
		`data: {"type":"response.output_text.delta","sequence_number":42,"item_id":"msg_0123456789abcdef0123456789abcdef",` +
		`"output_index":0,"content_index":0,"delta":" tokens","logprobs":[],"obfuscation":"aB3dE6gH"}` + "\n\n"
	messagesEvent = "event: content_block_delta\n" +
		`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" tokens"}}` + "\n\n"
)

// chatBody returns a Chat request of about size bytes.
func chatBody(size int, stream bool) []byte {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog.\\n", 1+(size-300)/46)
	return fmt.Appendf(nil, `{"model":"gpt-5.4","messages":[{"role":"system","content":"You are a helpful assistant."},`+
		`{"role":"user","content":"%s"}],"temperature":0.7,"max_completion_tokens":1024,"stream":%v,"tools":[`+
		`{"type":"function","function":{"name":"search","parameters":{"type":"object","properties":{}}}}]}`, text, stream)
}

// chatAnswer returns a Chat answer of about size bytes.
func chatAnswer(size int) []byte {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog.\\n", 1+(size-600)/46)
	return fmt.Appendf(nil, `{"id":"chatcmpl-BxYzAbCdEfGhIjKlMnOpQrStUvWxY","object":"chat.completion",`+
		`"created":1754000000,"model":"gpt-5.4-2026-03-05","choices":[{"index":0,"message":{"role":"assistant",`+
		`"content":"%s","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1117,"completion_tokens":46,`+
		`"total_tokens":1163,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0},"completion_tokens_details":`+
		`{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},`+
		`"service_tier":"default","system_fingerprint":null}`, text)
}

// BenchmarkPeek measures finding model and stream in a request.
//
//	go test -run '^$' -bench 'Peek|AppendRequest|Feed|Answer' -count 6 ./codec | go tool benchstat -
func BenchmarkPeek(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		body := chatBody(size, true)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			var r Request
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Peek(llm.Chat, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAppendRequest measures the copy of a request with its model replaced and the usage asked for; "params"
// with a merge patch besides.
func BenchmarkAppendRequest(b *testing.B) {
	params, err := CompileParams([]byte(`{"temperature":null,"service_tier":"flex"}`))
	if err != nil {
		b.Fatal(err)
	}
	f := func(name string, size int, params *Params) {
		b.Run(name, func(b *testing.B) {
			var r Request
			body := chatBody(size, true)
			if err := r.Peek(llm.Chat, body); err != nil {
				b.Fatal(err)
			}
			target := &Target{Protocol: llm.Chat, Model: "gpt-5.4-mini", Params: params}
			bridge := Acquire(llm.Chat, llm.Chat)
			defer Release(bridge)
			dst := make([]byte, 0, 2*len(body))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = bridge.AppendRequest(dst[:0], &r, target)
			}
		})
	}
	f("1KB", 1<<10, nil)
	f("100KB", 100<<10, nil)
	f("1KB-params", 1<<10, params)
}

// BenchmarkFeed measures one event of the middle of a stream: alone, and among 20 that arrived together. "renamed"
// has the model replaced in each.
func BenchmarkFeed(b *testing.B) {
	f := func(name string, p llm.Protocol, event, answerModel string, together int) {
		b.Run(name, func(b *testing.B) {
			bridge := Acquire(p, p)
			defer Release(bridge)
			if _, err := bridge.AppendRequest(nil, &Request{AnswerModel: answerModel}, &Target{Protocol: p}); err != nil {
				b.Fatal(err)
			}
			src := bytes.Repeat([]byte(event), together)
			dst := make([]byte, 0, 2*len(src))
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for range b.N / together {
				if _, step := bridge.Feed(dst, src); step != Commit {
					b.Fatal(bridge.Failure())
				}
			}
		})
	}
	f("chat", llm.Chat, chatEvent, "", 1)
	f("chat-20", llm.Chat, chatEvent, "", 20)
	f("chat-renamed", llm.Chat, chatEvent, "alias", 1)
	f("responses", llm.Responses, responsesEvent, "", 1)
	f("responses-20", llm.Responses, responsesEvent, "", 20)
	f("messages", llm.Messages, messagesEvent, "", 1)
	f("messages-20", llm.Messages, messagesEvent, "", 20)
}

// BenchmarkAnswer measures checking a whole answer and reading its usage.
func BenchmarkAnswer(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		body := chatAnswer(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			bridge := Acquire(llm.Chat, llm.Chat)
			defer Release(bridge)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, step := bridge.Answer(nil, body); step != End {
					b.Fatal(bridge.Failure())
				}
			}
		})
	}
}
