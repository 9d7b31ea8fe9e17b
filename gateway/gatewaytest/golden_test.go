package gatewaytest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"octopus/codec/llm"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// TestTranscripts compares whole answers, byte for byte, with those that were reviewed.
func TestTranscripts(t *testing.T) {
	const conversation = `[{"role":"system","content":"Be nice."},{"role":"user","content":"Hällo \"wörld\"\n🐙"}]`
	for _, c := range []struct {
		name     string
		question question
	}{
		{"chat.json", question{protocol: llm.Chat, body: `{"model":"gpt-5.4","messages":` + conversation + `}`}},
		{"chat.sse", question{protocol: llm.Chat, body: `{"model":"gpt-5.4","messages":` + conversation + `,"stream":true}`}},
		{"chat-usage.sse", question{protocol: llm.Chat, body: `{"model":"gpt-5.4!tokens=2,cached=4,cachewrite=2","messages":` +
			conversation + `,"stream":true,"stream_options":{"include_usage":true}}`}},
		{"chat-everything.sse", question{protocol: llm.Chat,
			body: `{"model":"gpt-5.4!reasoning=2,tokens=2,calls=2","messages":` + conversation + `,"stream":true}`}},
		{"chat-everything.json", question{protocol: llm.Chat,
			body: `{"model":"gpt-5.4!reasoning=2,tokens=2,calls=2","messages":` + conversation + `}`}},
		{"chat-error.json", question{protocol: llm.Chat, model: "gpt-5.4!status=429"}},
		{"chat-error.sse", question{protocol: llm.Chat, stream: true, model: "gpt-5.4!tokens=9,errorevent=1"}},

		{"responses.json", question{protocol: llm.Responses,
			body: `{"model":"gpt-5.4","instructions":"Be nice.","input":"Hällo","temperature":0.5,"metadata":{"a":"b"}}`}},
		{"responses.sse", question{protocol: llm.Responses,
			body: `{"model":"gpt-5.4!tokens=2,cached=4","instructions":"Be nice.","input":` + conversation + `,"stream":true}`}},
		{"responses-everything.sse", question{protocol: llm.Responses,
			body: `{"model":"gpt-5.4!reasoning=2,tokens=2,calls=2","input":"Hello","stream":true}`}},
		{"responses-refusal.sse", question{protocol: llm.Responses,
			body: `{"model":"gpt-5.4!refusal,tokens=3","input":"Hello","stream":true}`}},
		{"responses-length.sse", question{protocol: llm.Responses,
			body: `{"model":"gpt-5.4","input":"Hello","max_output_tokens":3,"stream":true}`}},
		{"responses-error.sse", question{protocol: llm.Responses, stream: true, model: "gpt-5.4!tokens=9,errorevent=1"}},

		{"messages.json", question{protocol: llm.Messages, body: `{"model":"claude","max_tokens":99,"system":"Be nice.",` +
			`"messages":[{"role":"user","content":[{"type":"text","text":"Hällo"}]}]}`}},
		{"messages.sse", question{protocol: llm.Messages, stream: true, model: "claude!tokens=2,cached=4,cachewrite=2"}},
		{"messages-everything.json", question{protocol: llm.Messages, model: "claude!reasoning=2,tokens=2,calls=2"}},
		{"messages-everything.sse", question{protocol: llm.Messages, stream: true,
			model: "claude!reasoning=2,tokens=2,calls=2"}},
		{"messages-refusal.sse", question{protocol: llm.Messages, stream: true, model: "claude!refusal,tokens=3"}},
		{"messages-error.json", question{protocol: llm.Messages, model: "claude!status=529"}},
		{"messages-error.sse", question{protocol: llm.Messages, stream: true, model: "claude!tokens=9,errorevent=1"}},

		{"models.json", question{path: "/v1/models", body: "GET"}},
		{"models-anthropic.json", question{path: "/v1/models", body: "GET", header: "anthropic-version: 2023-06-01\r\n"}},
		{"model.json", question{path: "/v1/models/any", body: "GET"}},
		{"count-messages.json", question{protocol: llm.Messages, path: "/v1/messages/count_tokens", model: "claude"}},
		{"count-responses.json", question{protocol: llm.Responses, path: "/v1/responses/input_tokens", model: "gpt-5.4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, Options{Seed: 1, Now: fixedNow})
			got := fetch(t, p, c.question)
			if got.err != nil {
				t.Fatal(got.err)
			}
			file := filepath.Join("testdata", c.name)
			if *update {
				if err := os.WriteFile(file, []byte(got.body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got.body != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got.body, want)
			}
		})
	}
}
