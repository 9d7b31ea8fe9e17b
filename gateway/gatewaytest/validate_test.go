package gatewaytest

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

func TestValidate(t *testing.T) {
	p := start(t, Options{Validate: true})
	const version = "anthropic-version: 2023-06-01\r\n"
	for _, c := range []struct {
		name     string
		protocol llm.Protocol
		body     string
		// want is a part of the refusal, empty for none.
		want string
	}{
		{"chat: the least", llm.Chat, `{"model":"m","messages":[{"role":"user","content":"x"}]}`, ""},
		{"chat: null is absent", llm.Chat, `{"model":"m","tools":null,"messages":[{"role":"user","content":"x"}]}`, ""},
		{"chat: an integer is a number", llm.Chat, `{"model":"m","temperature":1,"messages":[{"role":"user","content":"x"}]}`, ""},
		{"chat: calls and results", llm.Chat, `{"model":"m","messages":[{"role":"user","content":"x"},` +
			`{"role":"assistant","tool_calls":[{"id":"a","type":"function"},{"id":"b","type":"function"}]},` +
			`{"role":"tool","tool_call_id":"b","content":"1"},{"role":"tool","tool_call_id":"a","content":"2"}]}`, ""},
		{"chat: unknown field", llm.Chat, `{"model":"m","max_output_tokens":1,"messages":[]}`, "Unrecognized request argument supplied: max_output_tokens"},
		{"chat: wrong type", llm.Chat, `{"model":"m","temperature":"1","messages":[]}`, "'temperature'"},
		{"chat: no messages", llm.Chat, `{"model":"m"}`, "'messages'"},
		{"chat: empty messages", llm.Chat, `{"model":"m","messages":[]}`, "empty array"},
		{"chat: messages of another type", llm.Chat, `{"model":"m","messages":["x"]}`, "'messages'"},
		{"chat: unknown role", llm.Chat, `{"model":"m","messages":[{"role":"human","content":"x"}]}`, "'human'"},
		{"chat: no content", llm.Chat, `{"model":"m","messages":[{"role":"user"}]}`, "messages[0].content"},
		{"chat: usage without a stream", llm.Chat, `{"model":"m","stream_options":{},"messages":[{"role":"user","content":"x"}]}`, "'stream_options'"},
		{"chat: a flat tool", llm.Chat, `{"model":"m","tools":[{"type":"function","name":"f"}],"messages":[{"role":"user","content":"x"}]}`, "tools[0].function"},
		{"chat: a result without a call", llm.Chat, `{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"x"}]}`, "role 'tool'"},
		{"chat: a call without a result", llm.Chat, `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function"}]},` +
			`{"role":"user","content":"x"}]}`, "did not have response messages: a"},
		{"chat: a last call without a result", llm.Chat, `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function"}]}]}`, "did not have response messages: a"},
		{"chat: not quite JSON", llm.Chat, `{"model":"m","messages":[{"role":"user","content":"x"},]}`, "JSON"},

		{"responses: the least", llm.Responses, `{"model":"m","input":"x"}`, ""},
		{"responses: only a previous response", llm.Responses, `{"model":"m","previous_response_id":"resp_1"}`, ""},
		{"responses: calls and results", llm.Responses, `{"model":"m","input":[{"role":"user","content":"x"},{"type":"reasoning","summary":[]},` +
			`{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"}]}`, ""},
		{"responses: a result of an earlier call", llm.Responses, `{"model":"m","previous_response_id":"resp_1",` +
			`"input":[{"type":"function_call_output","call_id":"a","output":"1"}]}`, ""},
		{"responses: unknown field", llm.Responses, `{"model":"m","input":"x","messages":[]}`, "messages"},
		{"responses: no input", llm.Responses, `{"model":"m"}`, "'input'"},
		{"responses: both kinds of state", llm.Responses, `{"model":"m","previous_response_id":"a","conversation":"b"}`, "Mutually exclusive"},
		{"responses: low limit", llm.Responses, `{"model":"m","input":"x","max_output_tokens":15}`, ">= 16"},
		{"responses: a nested tool", llm.Responses, `{"model":"m","input":"x","tools":[{"type":"function","function":{"name":"f"}}]}`, "tools[0].name"},
		{"responses: unknown role", llm.Responses, `{"model":"m","input":[{"role":"tool","content":"x"}]}`, "'tool'"},
		{"responses: reasoning without summary", llm.Responses, `{"model":"m","input":[{"type":"reasoning","encrypted_content":"x"}]}`, "input[0].summary"},
		{"responses: a result without a call", llm.Responses, `{"model":"m","input":[{"type":"function_call_output","call_id":"a","output":"1"}]}`, "call_id a"},
		{"responses: a call without a result", llm.Responses, `{"model":"m","input":[{"type":"custom_tool_call","call_id":"a","name":"f","input":""}]}`, "function call a"},

		{"messages: the least", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]}`, ""},
		{"messages: calls and results", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},` +
			`{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"s"},{"type":"tool_use","id":"a","name":"f","input":{}}]},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},{"type":"text","text":"x"}]}]}`, ""},
		{"messages: unknown field", llm.Messages, `{"model":"m","max_tokens":1,"messages":[],"n":1}`, "n: Extra inputs"},
		{"messages: wrong type", llm.Messages, `{"model":"m","max_tokens":1,"messages":[],"tool_choice":"auto"}`, "tool_choice"},
		{"messages: no max_tokens", llm.Messages, `{"model":"m","messages":[{"role":"user","content":"x"}]}`, "max_tokens: Field required"},
		{"messages: no messages", llm.Messages, `{"model":"m","max_tokens":1,"messages":[]}`, "at least one message"},
		{"messages: unknown role", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]}`, "messages.0.role"},
		{"messages: the assistant first", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":"x"}]}`, "first message"},
		{"messages: empty text", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, "non-empty"},
		{"messages: a block without type", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"text":"x"}]}]}`, "type: Field required"},
		{"messages: arguments in a string", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},` +
			`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"{}"}]}]}`, "valid dictionary"},
		{"messages: a call without a result", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},` +
			`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":"x"}]}`, "messages.1: `tool_use` ids"},
		{"messages: a last call without a result", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},` +
			`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}]}`, "messages.1: `tool_use` ids"},
		{"messages: a result without a call", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[` +
			`{"type":"tool_result","tool_use_id":"a"}]}]}`, "unexpected `tool_use_id`"},
		{"messages: thinking without signature", llm.Messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},` +
			`{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]}]}`, "signature: Field required"},
		{"messages: small budget", llm.Messages, `{"model":"m","max_tokens":9999,"thinking":{"type":"enabled","budget_tokens":9},"messages":[]}`, "1024"},
		{"messages: budget over the limit", llm.Messages, `{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[]}`, "greater than `thinking.budget_tokens`"},
		{"messages: unknown thinking", llm.Messages, `{"model":"m","max_tokens":2000,"thinking":{"type":"deep"},"messages":[]}`, "thinking.type"},
		{"messages: a tool without schema", llm.Messages, `{"model":"m","max_tokens":1,"tools":[{"name":"f"}],"messages":[]}`, "input_schema"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := question{protocol: c.protocol, body: c.body}
			if c.protocol == llm.Messages {
				q.header = version
			}
			got := fetch(t, p, q)
			if c.want == "" && got.status != 200 {
				t.Errorf("refused: %d %s", got.status, got.body)
			}
			if message := strings.ReplaceAll(got.body, `\"`, `"`); c.want != "" && (got.status != 400 || !strings.Contains(message, c.want)) {
				t.Errorf("%d %s, want 400 and %q", got.status, got.body, c.want)
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
		{llm.Messages, "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n", 200},
		{llm.Messages, "Authorization: Bearer k\r\nanthropic-version: 2026-10-21\r\n", 200},
	} {
		if got := fetch(t, p, question{protocol: c.protocol, model: "m", header: c.header}); got.status != c.want {
			t.Errorf("%s, %q: %d %s, want %d", c.protocol, c.header, got.status, got.body, c.want)
		}
	}
	count := question{path: "/v1/messages/count_tokens", header: "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n",
		body: `{"model":"m","messages":[{"role":"user","content":"x"}]}`}
	if got := fetch(t, p, count); got.status != 200 {
		t.Errorf("counting needs no max_tokens: %d %s", got.status, got.body)
	}
}
