package codec

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"octopus/codec/llm"
)

func TestReadFault(t *testing.T) {
	f := func(name string, status int, body string, want llm.Error) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			if got := readFault(status, []byte(body)); *got != want {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		})
	}
	f("another provider's body inside a broker's", 400,
		`{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"too much\",\"code\":\"context_length_exceeded\"}}","provider_name":"X"}}}`,
		llm.Error{Kind: llm.ContextLength, Status: 400, Message: "too much", Code: "context_length_exceeded"})
	f("a broker's words when the inside says nothing", 502, `{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"{}"}}}`,
		llm.Error{Kind: llm.Upstream, Status: 502, Message: "{}"})
	f("JSON in a message", 500, `{"error":{"message":"{\"error\":{\"message\":\"deep\",\"type\":\"overloaded_error\"}}"}}`,
		llm.Error{Kind: llm.Overloaded, Status: 500, Message: "deep", Type: "overloaded_error"})
	f("a message that is an object", 422, `{"object":"error","message":{"detail":[{"type":"missing","loc":["body","messages",0,"content"],"msg":"Field required"}]}}`,
		llm.Error{Kind: llm.InvalidRequest, Status: 422, Message: "Field required", Type: "missing", Param: "messages[0].content"})
	f("a key as param", 401, `{"error":{"message":"no","type":"requests","param":"sk-zgvjbgxrZZudp1XFj","code":null}}`,
		llm.Error{Kind: llm.Authentication, Status: 401, Message: "no", Type: "requests", Param: "sk-***"})
	f("a code that means any refusal gives way", 400, `{"error":{"message":"maximum context length is 9","code":"invalid_request_error"}}`,
		llm.Error{Kind: llm.ContextLength, Status: 400, Message: "maximum context length is 9"})
	f("how long to wait, in words", 429, `{"error":{"message":"Please try again in 6m0s","code":"rate_limit_exceeded"}}`,
		llm.Error{Kind: llm.RateLimit, Status: 429, Message: "Please try again in 6m0s", Code: "rate_limit_exceeded", RetryAfter: 6 * time.Minute})
	f("how long to wait, in a field, before words", 429, `{"error":{"code":429,"message":"Please retry in 9s","details":[{"retryDelay":"2s"}]}}`,
		llm.Error{Kind: llm.RateLimit, Status: 429, Message: "Please retry in 9s", RetryAfter: 2 * time.Second})
	f("a status as code inside a stream", 200, `{"error":{"code":"503","message":"no"}}`, llm.Error{Kind: llm.Overloaded, Message: "no", Code: "503"})
	f("the field that is not known", 422, `{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}`,
		llm.Error{Kind: llm.ForeignPart, Status: 422, Message: "Extra inputs are not permitted", Type: "extra_forbidden", Param: "stream_options"})
	f("a member of the field is the client's matter", 400, `{"error":{"message":"Unknown parameter: 'stream_options.foo'.","param":"stream_options.foo","code":"unknown_parameter"}}`,
		llm.Error{Kind: llm.InvalidRequest, Status: 400, Message: "Unknown parameter: 'stream_options.foo'.", Code: "unknown_parameter", Param: "stream_options.foo"})
}

func TestWhatClientsCanWriteDoesNotBlameKeysAndModels(t *testing.T) {
	for _, p := range phrases {
		harmless := p.kind == llm.ForeignPart || p.kind == llm.ContentPolicy || p.kind == llm.ContextLength
		if p.on&onRefusal != 0 && p.where == anywhere && !harmless {
			t.Errorf("%q: a provider that quotes the request says so wherever the client wants", p.words)
		}
		if p.words != strings.ToLower(p.words) || p.and != strings.ToLower(p.and) {
			t.Errorf("%q, %q: not in lower case", p.words, p.and)
		}
	}
	for word := range faultWords {
		if word != strings.ToLower(word) {
			t.Errorf("%q: not in lower case", word)
		}
	}
}

func FuzzReadFault(f *testing.F) {
	f.Add(400, `{"error":{"message":"prompt is too long","type":"invalid_request_error"}}`)
	f.Add(429, `[{"error":{"code":429,"details":[{"retryDelay":"2s"}],"status":"RESOURCE_EXHAUSTED"}}]`)
	f.Add(200, `{"error":{"code":429,"metadata":{"raw":"{\"error\":\"x\"}","headers":{"X-RateLimit-Reset":"1767240000000"}}}}`)
	f.Add(422, `{"message":{"detail":[{"loc":["body",0]}]},"resets_in_seconds":99999999999}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := readFault(status, []byte(body))
		if e.RetryAfter < 0 || e.RetryAfter > llm.MaxWait {
			t.Errorf("RetryAfter: got %v", e.RetryAfter)
		}
		if status >= 300 && e.Message == "" {
			t.Error("no message")
		}
		if utf8.ValidString(body) && !utf8.ValidString(e.Message) {
			t.Errorf("the message is not UTF-8: %q", e.Message)
		}
		if e.Kind > llm.ForeignPart {
			t.Errorf("kind %d", e.Kind)
		}
	})
}
