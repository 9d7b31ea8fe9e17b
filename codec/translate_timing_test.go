package codec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/bytedance/sonic"

	"octopus/codec/llm"
)

// The requests of the timed translations.
var timedRequests = map[llm.Protocol]string{
	llm.Chat:      `{"model":"group","stream":true,"messages":[{"role":"user","content":"Hello"}]}`,
	llm.Responses: `{"model":"group","stream":true,"input":"Hello"}`,
	llm.Messages:  `{"model":"group","stream":true,"max_tokens":1024,"messages":[{"role":"user","content":"Hello"}]}`,
}

// timedEvents are an upstream's stream: what begins it, one delta of its text, and what ends it.
var timedEvents = map[llm.Protocol][3]string{
	llm.Chat: {strings.Replace(chatEvent, `{"content":" tokens"}`, `{"role":"assistant","content":""}`, 1), chatEvent,
		strings.NewReplacer(`{"content":" tokens"}`, `{}`, `"finish_reason":null`, `"finish_reason":"stop"`).Replace(chatEvent) +
			"data: [DONE]\n\n"},
	llm.Responses: {"event: response.created\n" +
		`data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress",` +
		`"model":"gpt-5.4-mini-2026-03-05","output":[]}}` + "\n\n", responsesEvent,
		"event: response.completed\n" +
			`data: {"type":"response.completed","sequence_number":99,"response":{"id":"resp_1","object":"response","status":"completed",` +
			`"model":"gpt-5.4-mini-2026-03-05","output":[],"usage":{"input_tokens":9,"output_tokens":9,"total_tokens":18}}}` + "\n\n"},
	llm.Messages: {"event: message_start\n" +
		`data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5","content":[],` +
		`"usage":{"input_tokens":9,"output_tokens":1}}}` + "\n\n" +
		"event: content_block_start\n" +
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n", messagesEvent,
		"event: message_delta\n" +
			`data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}` + "\n\n" +
			"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
}

// timedStream is one call between a client and an upstream: a stream of some events.
type timedStream struct {
	client, target      llm.Protocol
	request             Request
	to                  Target
	first, events, last []byte
	wire, out           []byte
}

func newTimedStream(tb testing.TB, client, target llm.Protocol, events int) *timedStream {
	tb.Helper()
	s := &timedStream{client: client, target: target, to: Target{Protocol: target, Model: "gpt-4.1"}}
	if err := s.request.Peek(client, []byte(timedRequests[client])); err != nil {
		tb.Fatal(err)
	}
	s.request.AnswerID, s.request.Created = "timing", 1
	e := timedEvents[target]
	s.first, s.events, s.last = []byte(e[0]), bytes.Repeat([]byte(e[1]), events), []byte(e[2])
	return s
}

// run makes the call, with all the events in one piece.
func (s *timedStream) run(tb testing.TB) {
	b := Acquire(s.client, s.target)
	defer Release(b)
	var err error
	if s.wire, err = b.AppendRequest(s.wire[:0], &s.request, &s.to); err != nil {
		tb.Fatal(err)
	}
	s.out, _ = b.Feed(s.out[:0], s.first)
	s.out, _ = b.Feed(s.out, s.events)
	step := Hold
	if s.out, step = b.Feed(s.out, s.last); step != End {
		tb.Fatalf("step %d, %v", step, b.Failure())
	}
}

// BenchmarkBurst measures a call with a burst of 100 events, request and end included, between all pairs of protocols:
// those of one protocol pass the bytes on, which is what the others are compared with.
//
//	go test -run '^$' -bench 'Burst|Conversion' -count 6 ./codec | go tool benchstat -
func BenchmarkBurst(b *testing.B) {
	const events = 100
	for _, client := range llm.Protocols {
		for _, target := range llm.Protocols {
			b.Run(fmt.Sprintf("%v-client-%v-upstream", client, target), func(b *testing.B) {
				s := newTimedStream(b, client, target, events)
				b.SetBytes(int64(len(s.events)))
				b.ReportAllocs()
				for b.Loop() {
					s.run(b)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
			})
		}
	}
}

// agentChat returns a Chat request of about 100 KB: an agent's session with tools, texts and code.
func agentChat() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"group","stream":true,"max_completion_tokens":4096,"tools":[`)
	for i := range 20 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"function","function":{"name":"tool_%d","description":"%s","parameters":{"type":"object",`+
			`"properties":{"path":{"type":"string","description":"a path"},"limit":{"type":"integer"}},"required":["path"]}}}`,
			i, strings.Repeat("what it does ", 20))
	}
	b.WriteString(`],"messages":[{"role":"system","content":"` + strings.Repeat("You are an agent. ", 200) + `"}`)
	for i := range 50 {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"}`, strings.Repeat("Please look at it.\\n", 10))
		fmt.Fprintf(&b, `,{"role":"assistant","content":"%s","tool_calls":[{"id":"call_%d","type":"function","function":`+
			`{"name":"tool_1","arguments":"{\"path\":\"/a/%d\"}"}}]}`, strings.Repeat("I will read the file. ", 5), i, i)
		fmt.Fprintf(&b, `,{"role":"tool","tool_call_id":"call_%d","content":"%s"}`, i,
			strings.Repeat("func main() {\\n\\tprintln(\\\"x\\\")\\n}\\n", 40))
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// agentMessages returns the same as an Anthropic client writes it.
func agentMessages() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"group","stream":true,"max_tokens":4096,"tools":[`)
	for i := range 20 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"tool_%d","description":"%s","input_schema":{"type":"object","properties":{"path":{"type":"string",`+
			`"description":"a path"},"limit":{"type":"integer"}},"required":["path"]}}`, i, strings.Repeat("what it does ", 20))
	}
	b.WriteString(`],"system":[{"type":"text","text":"` + strings.Repeat("You are an agent. ", 200) + `"}],"messages":[`)
	for i := range 50 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"role":"user","content":[{"type":"text","text":"%s"}]}`, strings.Repeat("Please look at it.\\n", 10))
		fmt.Fprintf(&b, `,{"role":"assistant","content":[{"type":"text","text":"%s"},{"type":"tool_use","id":"toolu_%d","name":"tool_1",`+
			`"input":{"path":"/a/%d"}}]}`, strings.Repeat("I will read the file. ", 5), i, i)
		fmt.Fprintf(&b, `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%d","content":"%s"}]}`, i,
			strings.Repeat("func main() {\\n\\tprintln(\\\"x\\\")\\n}\\n", 40))
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// chatWire and messagesWire are structs as other gateways have them, for the comparison with sonic.
type chatWire struct {
	Model               string `json:"model"`
	Stream              bool   `json:"stream"`
	MaxCompletionTokens int64  `json:"max_completion_tokens"`
	Tools               []struct {
		Type     string `json:"type"`
		Function struct {
			Name        string         `json:"name"`
			Description string         `json:"description"`
			Parameters  map[string]any `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	Messages []struct {
		Role      string `json:"role"`
		Content   string `json:"content"`
		ToolCalls []struct {
			ID       string `json:"id"`
			Type     string `json:"type"`
			Function struct {
				Name      string `json:"name"`
				Arguments string `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls,omitempty"`
		ToolCallID string `json:"tool_call_id,omitempty"`
	} `json:"messages"`
}

type messagesWire struct {
	Model     string `json:"model"`
	Stream    bool   `json:"stream"`
	MaxTokens int64  `json:"max_tokens"`
	Tools     []struct {
		Name        string         `json:"name"`
		Description string         `json:"description"`
		InputSchema map[string]any `json:"input_schema"`
	} `json:"tools"`
	System []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"system"`
	Messages []struct {
		Role    string `json:"role"`
		Content []struct {
			Type      string         `json:"type"`
			Text      string         `json:"text,omitempty"`
			ID        string         `json:"id,omitempty"`
			Name      string         `json:"name,omitempty"`
			Input     map[string]any `json:"input,omitempty"`
			ToolUseID string         `json:"tool_use_id,omitempty"`
			Content   string         `json:"content,omitempty"`
		} `json:"content"`
	} `json:"messages"`
}

// BenchmarkConversion measures the conversion of a request of about 100 KB, and, as what to compare it with, one decoding
// plus one encoding of the same body by sonic.
func BenchmarkConversion(b *testing.B) {
	f := func(name string, client, target llm.Protocol, model string, body []byte) {
		b.Run(name, func(b *testing.B) {
			var r Request
			if err := r.Peek(client, body); err != nil {
				b.Fatal(err)
			}
			to := &Target{Protocol: target, Model: model}
			dst := make([]byte, 0, 2*len(body))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				bridge := Acquire(client, target)
				var err error
				if dst, err = bridge.AppendRequest(dst[:0], &r, to); err != nil {
					b.Fatal(err)
				}
				Release(bridge)
			}
		})
	}
	chat, messages := agentChat(), agentMessages()
	f("chat-to-messages", llm.Chat, llm.Messages, "claude-opus-5", chat)
	b.Run("chat-sonic", func(b *testing.B) { measureSonic[chatWire](b, chat) })
	f("messages-to-chat", llm.Messages, llm.Chat, "gpt-4.1", messages)
	b.Run("messages-sonic", func(b *testing.B) { measureSonic[messagesWire](b, messages) })
}

// measureSonic measures one decoding plus one encoding.
func measureSonic[T any](b *testing.B, body []byte) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var v T
		if err := sonic.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
		if _, err := sonic.Marshal(&v); err != nil {
			b.Fatal(err)
		}
	}
}
