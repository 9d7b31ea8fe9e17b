package gatewaytest

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// body returns the body of a request that asks "Hello there", with more members.
func body(protocol llm.Protocol, model, more string) string {
	if more != "" {
		more = "," + more
	}
	if protocol == llm.Responses {
		return `{"model":"` + model + `","input":"Hello there"` + more + `}`
	}
	return `{"model":"` + model + `","max_tokens":9999,"messages":[{"role":"user","content":"Hello there"}]` + more + `}`
}

func TestAnswerObeysTheRequest(t *testing.T) {
	p := start(t, Options{})
	const schema = `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"array","items":{"enum":["x"]}}}}`
	const want = `{\"a\": 1, \"b\": [\"x\"]}`
	for _, c := range []struct {
		name     string
		protocol llm.Protocol
		more     string
		want     []string
	}{
		{"chat: JSON by a schema", llm.Chat, `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":` + schema + `}}`, []string{want}},
		{"responses: JSON by a schema", llm.Responses, `"text":{"format":{"type":"json_schema","name":"n","schema":` + schema + `}}`, []string{want}},
		{"messages: JSON by a schema", llm.Messages, `"output_config":{"format":{"type":"json_schema","schema":` + schema + `}}`, []string{want}},
		{"messages: JSON by a schema, as it was", llm.Messages, `"output_format":{"type":"json_schema","schema":` + schema + `}`, []string{want}},
		{"chat: any JSON", llm.Chat, `"response_format":{"type":"json_object"}`, []string{`"content":"{}"`}},
		{"chat: stop", llm.Chat, `"stop":[" not","scripted"]`, []string{`"content":"I am Octopus's "`, `"finish_reason":"stop"`}},
		{"messages: stop", llm.Messages, `"stop_sequences":["You"," not"]`,
			[]string{`"text":"I am Octopus's scripted provider,"`, `"stop_reason":"stop_sequence","stop_sequence":" not"`}},
		{"messages: stop at once", llm.Messages, `"stop_sequences":["I am"]`, []string{`"content":[]`, `"stop_sequence":"I am"`}},
		{"chat: a required call", llm.Chat, `"tool_choice":"required","tools":[{"type":"function","function":{"name":"f"}}]`, []string{`"name":"f"`}},
		{"chat: a named call", llm.Chat, `"tool_choice":{"type":"function","function":{"name":"g"}},"tools":[{"type":"function",` +
			`"function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]`, []string{`"name":"g"`}},
		{"chat: a named custom call", llm.Chat, `"tool_choice":{"type":"custom","custom":{"name":"g"}},"tools":[{"type":"function",` +
			`"function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]`, []string{`"type":"custom","custom":{"name":"g","input":"an example`}},
		{"chat: one of the allowed calls", llm.Chat, `"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[]}},` +
			`"tools":[{"type":"function","function":{"name":"f"}}]`, []string{`"name":"f"`}},
		{"responses: a call in a namespace", llm.Responses, `"tool_choice":"required","tools":[{"type":"namespace","name":"n","tools":` +
			`[{"type":"function","name":"f"}]}]`, []string{`"namespace":"n"`, `"name":"f"`}},
		{"responses: a named call", llm.Responses, `"tool_choice":{"type":"custom","name":"g"},"tools":[{"type":"custom","name":"g"}]`,
			[]string{`"type":"custom_tool_call"`, `"input":"an example`}},
		{"messages: any call", llm.Messages, `"tool_choice":{"type":"any"},"tools":[{"name":"f","input_schema":{}}]`, []string{`"name":"f","input":{}`}},
		{"messages: a named call", llm.Messages, `"tool_choice":{"type":"tool","name":"f"},"tools":[{"name":"f","input_schema":{}}]`, []string{`"name":"f"`}},
		{"messages: no call", llm.Messages, `"tool_choice":{"type":"none"},"tools":[{"name":"f","input_schema":{}}]`, []string{`"end_turn"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			contains(t, fetch(t, p, question{protocol: c.protocol, body: body(c.protocol, "m", c.more)}).body, c.want...)
		})
	}
}

func TestAnswerTellsAttachments(t *testing.T) {
	p := start(t, Options{})
	const data = "data:image/png;base64," + pixel
	for protocol, parts := range map[llm.Protocol]string{
		llm.Chat: `{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"` + data + `"}},{"type":"image_url","image_url":` +
			`{"url":"https://x/y"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0x"}}`,
		llm.Responses: `{"type":"input_text","text":"see"},{"type":"input_image","image_url":"` + data + `"},{"type":"input_image",` +
			`"image_url":"https://x/y"},{"type":"input_file","file_data":"data:application/pdf;base64,JVBERi0x"}`,
		llm.Messages: `{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixel + `"}},` +
			`{"type":"image","source":{"type":"url","url":"https://x/y"}},{"type":"document","source":{"type":"base64","media_type":` +
			`"application/pdf","data":"JVBERi0x"}}`,
	} {
		key := "messages"
		if protocol == llm.Responses {
			key = "input"
		}
		got := fetch(t, p, question{protocol: protocol, body: `{"model":"m","` + key + `":[{"role":"user","content":[` + parts + `]}]}`}).body
		contains(t, got, "You wrote: see [image/png of 70 bytes] [https://x/y] [application/pdf of 6 bytes]")
	}
}

func TestCustomCallsAreStreamed(t *testing.T) {
	p := start(t, Options{})
	chat := fetch(t, p, question{protocol: llm.Chat,
		body: body(llm.Chat, "m!tools", `"stream":true,"tools":[{"type":"custom","custom":{"name":"g"}}]`)}).body
	contains(t, chat, `"type":"custom","custom":{"name":"g","input":""}`, `{"index":0,"custom":{"input":"an examp"}}`)
	responses := fetch(t, p, question{protocol: llm.Responses,
		body: body(llm.Responses, "m!tools", `"stream":true,"tools":[{"type":"custom","name":"g"}]`)}).body
	contains(t, responses, "response.custom_tool_call_input.delta", `response.custom_tool_call_input.done`, `"id":"ctc_`)
}

func TestThinkingIsHiddenWhereTheModelHidesIt(t *testing.T) {
	p := start(t, Options{})
	for _, c := range []struct {
		model, thinking string
		want            bool
	}{
		{"claude-opus-4-8", `{"type":"adaptive"}`, true},
		{"claude-opus-4-8", `{"type":"adaptive","display":"summarized"}`, false},
		{"claude-opus-4-6", `{"type":"adaptive"}`, false},
		{"claude-opus-4-6", `{"type":"adaptive","display":"omitted"}`, true},
		{"claude-sonnet-4-5", `{"type":"enabled","budget_tokens":1024}`, false},
		{"m", `{"type":"adaptive"}`, false},
	} {
		for _, more := range []string{"", `,"stream":true`} {
			got := fetch(t, p, question{protocol: llm.Messages,
				body: body(llm.Messages, c.model+"!reasoning=3", `"thinking":`+c.thinking+more)}).body
			contains(t, got, `"signature":"Eq`, `"thinking_tokens":3`)
			if hidden := !strings.Contains(got, "The"); hidden != c.want {
				t.Errorf("%s, %s: hidden is %v, want %v: %s", c.model, c.thinking, hidden, c.want, got)
			}
		}
	}
}

func TestFunctionsAreCalledAsTheyOnceWere(t *testing.T) {
	p := start(t, Options{Validate: true})
	const functions = `"functions":[{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}]`
	whole := fetch(t, p, question{protocol: llm.Chat, body: body(llm.Chat, "m!calls=2", functions)}).body
	contains(t, whole, `"function_call":{"name":"f","arguments":"{\"a\":1}"}`, `"finish_reason":"function_call"`)
	streamed := fetch(t, p, question{protocol: llm.Chat, body: body(llm.Chat, "m!tools", functions+`,"stream":true`)}).body
	contains(t, streamed, `"delta":{"function_call":{"name":"f","arguments":""}}`, `"finish_reason":"function_call"`)
	lacks(t, whole+streamed, "tool_calls")
	result := strings.Replace(body(llm.Chat, "m!tools,rounds=1", functions), `}]`, `},{"role":"assistant","content":null,"function_call":`+
		`{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"sunny"}]`, 1)
	contains(t, fetch(t, p, question{protocol: llm.Chat, body: result}).body, "Your tools said: sunny")
}
