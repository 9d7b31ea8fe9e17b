package chat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bytedance/sonic"

	"octopus/codec/llm"
)

// conversation is a body of about 100 KB: an agent's session with tools, text and code.
func conversation() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-5","stream":true,"tools":[`)
	for i := range 20 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"function","function":{"name":"tool_%d","description":"%s",`+
			`"parameters":{"type":"object","properties":{"path":{"type":"string","description":"a path"},`+
			`"limit":{"type":"integer"}},"required":["path"]}}}`,
			i, strings.Repeat("what it does ", 20))
	}
	b.WriteString(`],"messages":[{"role":"system","content":"` + strings.Repeat("You are an agent. ", 200) + `"}`)
	for i := range 50 {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"}`, strings.Repeat("Please look at it.\\n", 10))
		fmt.Fprintf(&b, `,{"role":"assistant","content":"%s","tool_calls":[{"id":"call_%d","type":"function",`+
			`"function":{"name":"tool_1","arguments":"{\"path\":\"/a/%d\"}"}}]}`,
			strings.Repeat("I will read the file. ", 5), i, i)
		fmt.Fprintf(&b, `,{"role":"tool","tool_call_id":"call_%d","content":"%s"}`, i,
			strings.Repeat("func main() {\\n\\tprintln(\\\"x\\\")\\n}\\n", 40))
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// BenchmarkReadRequest and BenchmarkAppendRequest are the two halves of a conversion; compare their sum with
// BenchmarkUnmarshal, which is what the same body costs to be put into structs by sonic alone:
//
//	go test -run xxx -bench 'Request|Unmarshal' ./codec/chat
func BenchmarkReadRequest(b *testing.B) {
	body := conversation()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := ReadRequest(body, new(llm.Request)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	body := conversation()
	r := new(llm.Request)
	if err := ReadRequest(body, r); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	x := exchange(r, "gpt-5")
	var dst []byte
	for b.Loop() {
		var err *llm.Error
		if dst, err = AppendRequest(dst[:0], x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	type call struct {
		ID, Type string
		Function struct{ Name, Arguments string }
	}
	type message struct {
		Role, Content string
		ToolCallID    string `json:"tool_call_id"`
		ToolCalls     []call `json:"tool_calls"`
	}
	body := conversation()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var v struct {
			Model    string    `json:"model"`
			Messages []message `json:"messages"`
		}
		if err := sonic.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStream is what one event costs from a Chat upstream to a Chat client through the neutral form.
func BenchmarkStream(b *testing.B) {
	x := exchange(request(llm.Chat), "m")
	var d Decoder
	var w StreamWriter
	d.Reset(x)
	w.Reset(x)
	e := eventOf(frames(`{"id":"chatcmpl-abc","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5",` +
		`"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" hello"},` +
		`"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abcdefgh"}`))
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		d.Event(e, &w)
		out = w.Take(out[:0])
	}
}
