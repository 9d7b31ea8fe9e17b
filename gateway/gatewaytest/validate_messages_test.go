package gatewaytest

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// blocks returns the content of an answer without its brackets: its blocks.
func blocks(t *testing.T, p *Provider, request string) string {
	t.Helper()
	got := fetch(t, p, question{protocol: llm.Messages, body: request, header: older})
	content := string(member([]byte(got.body), "content"))
	if got.status != 200 || len(content) < 3 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return content[1 : len(content)-1]
}

func TestValidateMessages(t *testing.T) {
	p, other := start(t, Options{Validate: true}), start(t, Options{Validate: true})
	of := func(model, members string) string { return body(llm.Messages, model, members) }
	more := func(members string) string { return of("m", members) }
	said := func(messages string) string {
		return `{"model":"m","max_tokens":99,"messages":[{"role":"user","content":"x"},` + messages + `]}`
	}
	saidTo := func(model, messages, members string) string {
		return strings.Replace(said(messages), `"model":"m"`, `"model":"`+model+`"`+members, 1)
	}
	block := func(b string) string {
		return `{"model":"m","max_tokens":99,"messages":[{"role":"user","content":[` + b + `]}]}`
	}
	assistant := func(b string) string { return `{"role":"assistant","content":[` + b + `]}` }
	user := func(b string) string { return `{"role":"user","content":[` + b + `]}` }
	const (
		then  = `,{"role":"user","content":"y"}`
		text  = `{"type":"text","text":"y"}`
		tool  = `"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}]`
		mark  = `"cache_control":{"type":"ephemeral"}`
		ask   = `{"model":"m!reasoning=2,redacted,search,cite,tokens=2","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`
		image = `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixel + `"}}`
	)
	use := func(id string) string { return `{"type":"tool_use","id":"` + id + `","name":"f","input":{}}` }
	result := func(id string) string { return `{"type":"tool_result","tool_use_id":"` + id + `","content":"1"}` }
	marked := func(n int) string {
		return block(strings.TrimSuffix(strings.Repeat(`{"type":"text","text":"x",`+mark+`},`, n), ","))
	}
	format := func(model, schema string) string {
		return of(model, `"output_config":{"format":{"type":"json_schema","schema":`+schema+`}}`)
	}
	own, foreign := blocks(t, p, ask), blocks(t, other, ask)
	paused := blocks(t, p, `{"model":"m!pause","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`)
	thinking := first(t, own)

	judgeAll(t, p, llm.Messages, []verdictCase{
		{name: "the least", body: `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]}`},
		{name: "all there is", body: more(tool + `,"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"system":[{"type":` +
			`"text","text":"s",` + mark + `}],"temperature":1,"top_k":5,"stop_sequences":["a"],"metadata":{"user_id":"u"},"service_tier":"auto",` +
			`"stream":true,"cache_control":{"type":"ephemeral","ttl":"1h"},"speed":"fast","inference_geo":null,"output_config":{"effort":"max"}`)},
		{name: "all blocks", body: block(text + `,` + image + `,{"type":"image","source":{"type":"url","url":"https://x/a.png"}},{"type":"document",` +
			`"source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"},"title":"t","citations":{"enabled":true}},{"type":` +
			`"document","source":{"type":"text","media_type":"text/plain","data":"x"}},{"type":"search_result","source":"s","title":"t",` +
			`"content":[` + text + `]}`)},
		{name: "calls and results", body: said(assistant(text+","+use("a")+","+use("b")) + "," + user(result("b")+","+result("a")+","+text))},
		{name: "results in two messages", body: said(assistant(use("a")+","+use("b")) + "," + user(result("b")) + "," + user(result("a")))},
		{name: "a result with an image", body: said(assistant(use("a")) + "," + user(`{"type":"tool_result","tool_use_id":"a","is_error":true,`+
			`"content":[`+text+","+image+`]}`))},
		{name: "an answer comes back", body: said(assistant(own) + then)},
		{name: "a paused turn goes on", body: saidTo("claude-opus-4-8", assistant(paused), "")},
		{name: "all kinds of tools", body: more(`"tools":[{"type":"custom","name":"f","input_schema":{"type":"object"},"eager_input_streaming":true},` +
			`{"type":"bash_20250124","name":"bash"},{"type":"web_search_20250305","name":"web_search","max_uses":2,"user_location":{"type":` +
			`"approximate","city":"c"}}]`)},

		{name: "unknown field", body: more(`"n":1`), want: "n: Extra inputs are not permitted"},
		{name: "unknown nested field", body: block(`{"type":"text","text":"x","annotations":[]}`), want: "messages.0.content.0.text.annotations: Extra inputs"},
		{name: "wrong type", body: more(tool + `,"tool_choice":"auto"`), want: "tool_choice: Input should be a valid dictionary"},
		{name: "null is not absent", body: more(`"system":null`), want: "system: Input should be a valid string"},
		{name: "no max_tokens", body: `{"model":"m","messages":[{"role":"user","content":"x"}]}`, want: "max_tokens: Field required"},
		{name: "no messages", body: `{"model":"m","max_tokens":1,"messages":[]}`, want: "at least one message"},
		{name: "unknown role", body: `{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]}`, want: "messages.0.role"},
		{name: "the assistant first", body: `{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":"x"}]}`, want: "first message"},
		{name: "too warm", body: more(`"temperature":1.1`), want: "temperature: Input should be less than or equal to 1"},
		{name: "a blank stop", body: more(`"stop_sequences":["\n"]`), want: "non-whitespace"},
		{name: "a user's address", body: more(`"metadata":{"user_id":"a@example.com"}`), want: "email address"},
		{name: "more metadata", body: more(`"metadata":{"a":"b"}`), want: "metadata.a: Extra inputs"},
		{name: "another tier", body: more(`"service_tier":"flex"`), want: "service_tier: Input should be 'auto' or 'standard_only'"},
		{name: "a beta without its header", body: more(`"mcp_servers":[]`), want: "mcp_servers: Extra inputs"},
		{name: "a beta with its header", body: more(`"mcp_servers":[]`), header: "anthropic-beta: other-1, mcp-client-2025-11-20\r\n"},
		{name: "a thread", body: more(`"thread":{"type":"create"}`), header: "anthropic-beta: message-threads-2026-08-12\r\n"},
		{name: "a thread of nothing", body: more(`"thread":{"type":"continue"}`), header: "anthropic-beta: message-threads-2026-08-12\r\n", want: "previous_message_id"},

		{name: "empty text", body: block(`{"type":"text","text":""}`), want: "must be non-empty"},
		{name: "blank text", body: block(`{"type":"text","text":" \n"}`), want: "non-whitespace"},
		{name: "empty content", body: block(``), want: "messages.0: all messages must have non-empty content"},
		{name: "an empty string", body: said(`{"role":"assistant","content":""}` + then), want: "messages.1: all messages must have non-empty content"},
		{name: "a block without type", body: block(`{"text":"x"}`), want: "messages.0.content.0.type: Field required"},
		{name: "another protocol's block", body: block(`{"type":"image_url","image_url":{}}`), want: "messages.0.content.0: Input tag 'image_url'"},
		{name: "a user's call", body: block(use("a")), want: "can only be in `assistant` messages"},
		{name: "an assistant's image", body: said(assistant(image) + then), want: "can only be in `user` messages"},
		{name: "an image in another format", body: block(strings.Replace(image, "image/png", "image/svg+xml", 1)), want: "base64.media_type: Input should be 'image/jpeg'"},
		{name: "an image of another format", body: block(strings.Replace(image, "image/png", "image/jpeg", 1)), want: "appears to be a image/png image"},
		{name: "an image that is none", body: block(strings.Replace(image, pixel, "AAAA", 1)), want: "Could not process image"},
		{name: "an image with its prefix", body: block(strings.Replace(image, pixel, "data:image/png;base64,"+pixel, 1)), want: "Invalid base64 data"},
		{name: "a document that is none", body: block(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}`), want: "not valid"},

		{name: "arguments in a string", body: said(assistant(`{"type":"tool_use","id":"a","name":"f","input":"{}"}`) + "," + user(result("a"))), want: "tool_use.input: Input should be a valid dictionary"},
		{name: "a call's id with a point", body: said(assistant(use("a.b")) + "," + user(result("a.b"))), want: "tool_use.id: String should match pattern"},
		{name: "a call without a result", body: said(assistant(use("a")) + then), want: "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a"},
		{name: "a last call without a result", body: said(assistant(use("a"))), want: "messages.1: `tool_use` ids"},
		{name: "a result without a call", body: block(result("a")), want: "unexpected `tool_use_id` found in `tool_result` blocks: a"},
		{name: "a result behind a text", body: said(assistant(use("a")) + "," + user(text+","+result("a"))), want: "immediately after: a"},
		{name: "a result behind another message", body: said(assistant(use("a")) + then + `,{"role":"assistant","content":"z"},` + user(result("a"))), want: "messages.1: `tool_use` ids"},
		{name: "two results of a call", body: said(assistant(use("a")) + "," + user(result("a")+","+result("a"))), want: "must have a single result"},
		{name: "an id in two calls", body: said(assistant(use("a")) + "," + user(result("a")) + "," + assistant(use("a")) + "," + user(result("a"))), want: "must be unique"},
		{name: "an empty error", body: said(assistant(use("a")) + "," + user(`{"type":"tool_result","tool_use_id":"a","is_error":true,"content":[]}`)), want: "content cannot be empty"},

		{name: "thinking without signature", body: said(assistant(`{"type":"thinking","thinking":"x"}`) + then), want: "messages.1.content.0.thinking.signature: Field required"},
		{name: "thinking of another", body: said(assistant(foreign) + then), want: "messages.1.content.0: Invalid `signature` in `thinking` block"},
		{name: "altered thinking", body: said(assistant(strings.Replace(own, `"thinking":"The`, `"thinking":"the`, 1)) + then), want: "Invalid `signature`"},
		{name: "redacted thinking of another", body: said(assistant(thinking+","+redactedOf(t, foreign)) + then), want: "messages.1.content.1: Invalid `data`"},
		{name: "a page of another", body: said(assistant(strings.TrimPrefix(foreign, first(t, foreign)+","+redactedOf(t, foreign)+",")) + then), want: "Invalid encrypted_content"},
		{name: "a search without a result", body: said(assistant(paused) + then), want: "without a corresponding `web_search_tool_result`"},
		{name: "a mark on thinking", body: said(assistant(strings.Replace(thinking, `{`, `{`+mark+`,`, 1)+","+text) + then), want: "thinking.cache_control: Extra inputs"},
		{name: "thinking at the end", body: said(assistant(thinking)), want: "cannot be `thinking`"},

		{name: "a small budget", body: more(`"thinking":{"type":"enabled","budget_tokens":9}`), want: "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"},
		{name: "a budget over the limit", body: more(`"thinking":{"type":"enabled","budget_tokens":9999}`), want: "greater than `thinking.budget_tokens`"},
		{name: "unknown thinking", body: more(`"thinking":{"type":"deep"}`), want: "thinking: Input tag 'deep'"},
		{name: "a temperature while thinking", body: more(`"temperature":0.5,"thinking":{"type":"adaptive"}`), want: "may only be set to 1"},
		{name: "top_k while thinking", body: more(`"top_k":5,"thinking":{"type":"adaptive"}`), want: "`top_k` must be unset"},
		{name: "top_p while thinking", body: more(`"top_p":0.9,"thinking":{"type":"adaptive"}`), want: "greater than or equal to 0.95"},
		{name: "a forced call while thinking", body: of("claude-sonnet-4", tool+`,"tool_choice":{"type":"any"},"thinking":{"type":"enabled","budget_tokens":1024}`), want: "forces tool use"},
		{name: "a call without its thinking", body: strings.Replace(saidTo("m", assistant(use("a"))+","+user(result("a")),
			`,"thinking":{"type":"enabled","budget_tokens":1024}`), `"max_tokens":99`, `"max_tokens":9999`, 1),
			want: "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`"},

		{name: "a tool without schema", body: more(`"tools":[{"name":"f"}]`), want: "tools.0.custom.input_schema: Field required"},
		{name: "a tool of any type", body: more(`"tools":[{"name":"f","input_schema":{}}]`), want: "tools.0.custom.input_schema.type: Field required"},
		{name: "OpenAI's tool", body: more(`"tools":[{"type":"function","name":"f","input_schema":{"type":"object"}}]`), want: "tools.0: Input tag 'function'"},
		{name: "a tool with a point", body: more(`"tools":[{"name":"a.b","input_schema":{"type":"object"}}]`), want: "tools.0.custom.name: String should match pattern"},
		{name: "two tools of a name", body: more(`"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"f","input_schema":{"type":"object"}}]`), want: "must be unique"},
		{name: "a choice without tools", body: more(`"tool_choice":{"type":"auto"}`), want: "while providing tools"},
		{name: "the choice of another tool", body: more(tool + `,"tool_choice":{"type":"tool","name":"g"}`), want: "'g' not found"},
		{name: "none and parallel", body: more(tool + `,"tool_choice":{"type":"none","disable_parallel_tool_use":true}`), want: "tool_choice.none.disable_parallel_tool_use: Extra inputs"},
		{name: "strict", body: of("claude-opus-4-6", `"tools":[{"name":"f","strict":true,"input_schema":{"type":"object","properties":{},"additionalProperties":false}}]`)},
		{name: "not strict enough", body: of("claude-opus-4-6", `"tools":[{"name":"f","strict":true,"input_schema":{"type":"object"}}]`), want: "'additionalProperties' must be explicitly set to false"},
		{name: "a schema", body: format("claude-opus-4-6", `{"type":"object","properties":{"a":{"type":"string","format":"date"}},"additionalProperties":false}`)},
		{name: "a schema for an older model", body: format("claude-sonnet-4", `{"type":"object","additionalProperties":false}`), want: "does not support output format"},
		{name: "a schema with a bound", body: format("m", `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer","minimum":1}}}`), want: "For 'integer' type, property 'minimum'"},
		{name: "a schema with oneOf", body: format("m", `{"oneOf":[{"type":"string"}]}`), want: "'oneOf'"},
		{name: "a schema with another format", body: format("m", `{"type":"string","format":"phone"}`), want: "'phone'"},
		{name: "a schema with much that is optional", body: format("m", `{"type":"object","additionalProperties":false,"properties":{`+
			strings.TrimSuffix(strings.Repeat(`"abc":{},`, 25), ",")+`}}`), want: "too many optional parameters (25)"},
		{name: "a recursive schema", body: format("m", `{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","additionalProperties":false,"properties":{"b":{"$ref":"#/$defs/a"}},"required":["b"]}}}`), want: "Recursive"},

		{name: "four marks", body: marked(4)},
		{name: "five marks", body: marked(5), want: "Found 5."},
		{name: "a late long mark", body: block(`{"type":"text","text":"x",` + mark + `},{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}`), want: "must not come after"},
		{name: "a mark of another age", body: block(`{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"2h"}}`), want: "'5m' or '1h'"},

		{name: "a system message", body: saidTo("claude-opus-4-8", `{"role":"system","content":"s"},{"role":"assistant","content":"y"}`+then, "")},
		{name: "a system message to an older model", body: saidTo("claude-opus-4-7", `{"role":"system","content":"s"}`+then, ""), want: "role 'system' is not supported"},
		{name: "a system message behind the assistant", body: saidTo("claude-opus-4-8", `{"role":"assistant","content":"y"},{"role":"system","content":"s"}`+then, ""), want: "must directly follow"},
		{name: "a beginning of the answer", body: saidTo("claude-opus-4-5", `{"role":"assistant","content":"y"}`, "")},
		{name: "which newer models don't take", body: saidTo("claude-opus-4-6", `{"role":"assistant","content":"y"}`, ""), want: "assistant message prefill"},
		{name: "nor with a space", body: saidTo("claude-opus-4-5", `{"role":"assistant","content":"y "}`, ""), want: "trailing whitespace"},
		{name: "sampling", body: of("claude-opus-4-6", `"temperature":0.5`)},
		{name: "sampling of two kinds", body: of("claude-opus-4-6", `"temperature":0.5,"top_p":0.5`), want: "cannot both"},
		{name: "sampling on newer models", body: of("claude-opus-4-7", `"temperature":1`), want: "`temperature` is deprecated"},
		{name: "sampling on an unknown model", body: of("claude-next", `"top_k":1`), want: "`top_k` is deprecated"},
		{name: "sampling with the newest version", body: more(`"temperature":1`), header: newer, want: "temperature: Extra inputs"},
		{name: "too many tokens", body: `{"model":"claude-3-5-haiku","max_tokens":9000,"messages":[{"role":"user","content":"x"}]}`, want: "max_tokens: 9000 > 8192"},
		{name: "adaptive thinking", body: of("claude-sonnet-4-6", `"thinking":{"type":"adaptive"}`)},
		{name: "adaptive thinking on older models", body: of("claude-sonnet-4-5-20250929", `"thinking":{"type":"adaptive"}`), want: "adaptive thinking is not supported"},
		{name: "a budget on newer models", body: of("claude-opus-4-8", `"thinking":{"type":"enabled","budget_tokens":1024}`), want: `"thinking.type.enabled" is not supported`},
		{name: "a model that must think", body: of("claude-opus-5.5", `"thinking":{"type":"disabled"}`), want: `"thinking.type.disabled" is not supported`},
		{name: "which can't be forced to call", body: of("claude-opus-5-5", tool+`,"tool_choice":{"type":"any"}`), want: `"any" is not supported`},
		{name: "disabled at a high effort", body: of("claude-opus-5", `"thinking":{"type":"disabled"},"output_config":{"effort":"max"}`), want: "with effort 'max'"},
		{name: "an effort that is too high", body: of("claude-opus-4-5", `"output_config":{"effort":"max"}`), want: "Supported levels: low, medium, high"},
		{name: "no effort at all", body: of("claude-haiku-4-5", `"output_config":{"effort":"low"}`), want: "does not support the effort parameter"},
	})
}

// redactedOf returns the redacted thinking among blocks.
func redactedOf(t *testing.T, blocks string) string {
	t.Helper()
	for b := range elements([]byte("[" + blocks + "]")) {
		if string(member(b, "type")) == `"redacted_thinking"` {
			return string(b)
		}
	}
	t.Fatalf("none in %s", blocks)
	return ""
}
