package gatewaytest

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

const (
	older = "anthropic-version: 2023-06-01\r\n"
	newer = "anthropic-version: 2026-10-21\r\n"
)

// verdictCase is a request and what a validating provider says to it.
type verdictCase struct {
	name, body string
	// want is a part of the refusal, empty for none.
	want string
	// param and code are OpenAI's, unless they are empty.
	param, code string
	// status is 400 when 0, header more than the usual ones.
	status int
	header string
}

// judgeAll sends requests to p and compares what it says.
func judgeAll(t *testing.T, p *Provider, protocol llm.Protocol, cases []verdictCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := question{protocol: protocol, body: c.body, header: c.header}
			if protocol == llm.Messages && !strings.Contains(c.header, "anthropic-version") {
				q.header += older
			}
			got := fetch(t, p, q)
			if c.want == "" {
				if got.status != 200 {
					t.Errorf("refused: %d %s", got.status, got.body)
				}
				return
			}
			e := member([]byte(got.body), "error")
			if status := max(c.status, 400); got.status != status || !strings.Contains(decoded(member(e, "message")), c.want) {
				t.Errorf("%d %s, want %d and %q", got.status, got.body, status, c.want)
			}
			if param := decoded(member(e, "param")); c.param != "" && param != c.param {
				t.Errorf("param %q, want %q: %s", param, c.param, got.body)
			}
			if code := decoded(member(e, "code")); c.code != "" && code != c.code {
				t.Errorf("code %q, want %q: %s", code, c.code, got.body)
			}
		})
	}
}

func TestValidateHeaders(t *testing.T) {
	p := start(t, Options{Validate: true})
	for _, c := range []struct {
		protocol llm.Protocol
		header   string
		want     int
	}{
		{llm.Chat, "x-api-key: k\r\n", 401},
		{llm.Chat, "api-key: k\r\n", 200},
		{llm.Messages, "x-api-key: k\r\n", 400},
		{llm.Messages, "x-api-key: k\r\n" + older, 200},
		{llm.Messages, "Authorization: Bearer k\r\n" + newer, 200},
		{llm.Messages, "x-api-key: k\r\nanthropic-version: 2024-01-01\r\n", 400},
	} {
		if got := fetch(t, p, question{protocol: c.protocol, model: "m", header: c.header}); got.status != c.want {
			t.Errorf("%s, %q: %d %s, want %d", c.protocol, c.header, got.status, got.body, c.want)
		}
	}
}

func TestValidateCounting(t *testing.T) {
	p := start(t, Options{Validate: true})
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, 200},
		{"/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":""}]}`, 400},
		{"/v1/responses/input_tokens", `{"model":"m","input":"x","instructions":"y"}`, 200},
		{"/v1/responses/input_tokens", `{"model":"m","instructions":"y"}`, 400},
	} {
		if got := fetch(t, p, question{path: c.path, body: c.body, header: older}); got.status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.path, c.body, got.status, got.body, c.want)
		}
	}
}

func TestValidateSpellsErrorsAsTheProviderDoes(t *testing.T) {
	p := start(t, Options{Validate: true})
	chat := fetch(t, p, question{protocol: llm.Chat, body: body(llm.Chat, "m", `"temperature":3`)})
	contains(t, chat.body, `{"error":{"message":"Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 `+
		`instead.","type":"invalid_request_error","param":"temperature","code":"decimal_above_max_value"}}`)
	messages := fetch(t, p, question{protocol: llm.Messages, header: older, body: body(llm.Messages, "m", `"temperature":1.5`)})
	contains(t, messages.body, `{"type":"error","error":{"type":"invalid_request_error","message":"temperature: Input should be less `+
		`than or equal to 1"},"request_id":"req_`)
}
