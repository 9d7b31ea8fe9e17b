package gatewaytest

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// pixel is a PNG of one pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestValidateChat(t *testing.T) {
	more := func(members string) string {
		return `{"model":"m","messages":[{"role":"user","content":"x"}],` + members + `}`
	}
	of := func(model, members string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":"x"}],` + members + `}`
	}
	said := func(messages string) string {
		return `{"model":"m","messages":[{"role":"user","content":"x"},` + messages + `]}`
	}
	part := func(p string) string { return `{"model":"m","messages":[{"role":"user","content":[` + p + `]}]}` }
	call := func(id string) string {
		return `{"id":"` + id + `","type":"function","function":{"name":"f","arguments":"{}"}}`
	}
	result := func(id string) string { return `{"role":"tool","tool_call_id":"` + id + `","content":"1"}` }
	calls := func(ids ...string) string {
		for i := range ids {
			ids[i] = call(ids[i])
		}
		return `{"role":"assistant","content":null,"tool_calls":[` + strings.Join(ids, ",") + `]}`
	}
	tool := `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":null}}]`
	schema := func(strict, s string) string {
		return more(`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":` + strict + `,"schema":` + s + `}}`)
	}
	judgeAll(t, start(t, Options{Validate: true}), llm.Chat, []verdictCase{
		{name: "the least", body: `{"model":"m","messages":[{"role":"user","content":"x"}]}`},
		{name: "not quite JSON", body: `{"model":"m","messages":[{"role":"user","content":"x"},]}`, want: "JSON"},
		{name: "null is absent", body: more(`"tools":null,"stop":null`)},
		{name: "an integer is a number", body: more(`"temperature":1`)},
		{name: "all there is", body: more(tool + `,"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,` +
			`"temperature":0.5,"top_p":1,"n":2,"stop":["a"],"logprobs":true,"top_logprobs":3,"logit_bias":{"1":-100},"seed":1,"user":"u",` +
			`"presence_penalty":-2,"frequency_penalty":2,"stream":true,"stream_options":{"include_usage":true},"store":true,` +
			`"metadata":{"a":"b"},"service_tier":"flex","verbosity":"low","reasoning_effort":"max","modalities":["text"],` +
			`"prediction":{"type":"content","content":"x"},"web_search_options":{"search_context_size":"low","user_location":` +
			`{"type":"approximate","approximate":{"city":"c"}}},"prompt_cache_key":"k","prompt_cache_options":{"mode":"explicit"}`)},
		{name: "all parts", body: part(`{"type":"text","text":"x","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}},{"type":"image_url",` +
			`"image_url":{"url":"https://example.com/a.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,` +
			pixel + `"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"file","file":{"file_data":` +
			`"data:application/pdf;base64,JVBERi0x","filename":"a.pdf"}},{"type":"file","file":{"file_id":"file-1"}}`)},
		{name: "calls and results", body: said(calls("a", "b") + "," + result("b") + "," + result("a"))},
		{name: "a custom call", body: said(`{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{"name":"f","input":"x"}}]},` + result("a"))},
		{name: "what OpenAI sent comes back", body: said(`{"role":"assistant","content":"x","refusal":null,"annotations":[]},{"role":"user","content":"y"}`)},
		{name: "reasoning comes back to another vendor", body: said(`{"role":"assistant","content":"x","reasoning_content":"y"},{"role":"user","content":"y"}`)},
		{name: "a legacy call", body: said(`{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}`)},

		{name: "unknown field", body: more(`"max_output_tokens":1`), want: "Unrecognized request argument supplied: max_output_tokens"},
		{name: "unknown nested field", body: part(`{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`),
			want: "Unknown parameter: 'messages[0].content[0].cache_control'.", param: "messages[0].content[0].cache_control", code: "unknown_parameter"},
		{name: "wrong type", body: more(`"temperature":"1"`), want: "Invalid type for 'temperature': expected a decimal, but got a string instead.",
			param: "temperature", code: "invalid_type"},
		{name: "one of two types", body: more(`"stop":1`), want: "expected one of string or array, but got an integer"},
		{name: "no messages", body: `{"model":"m"}`, want: "Missing required parameter: 'messages'.", param: "messages", code: "missing_required_parameter"},
		{name: "empty messages", body: `{"model":"m","messages":[]}`, want: "empty array", code: "empty_array"},
		{name: "messages of another type", body: `{"model":"m","messages":["x"]}`, want: "'messages[0]'"},
		{name: "unknown role", body: `{"model":"m","messages":[{"role":"human","content":"x"}]}`, want: "Invalid value: 'human'. Supported values are: " +
			"'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", param: "messages[0].role", code: "invalid_value"},
		{name: "no content", body: `{"model":"m","messages":[{"role":"user"}]}`, want: "messages[0].content"},
		{name: "an empty content", body: part(``), want: "empty array", param: "messages[0].content"},
		{name: "another protocol's part", body: part(`{"type":"input_text","text":"x"}`), want: "Invalid value: 'input_text'", param: "messages[0].content[0].type"},
		{name: "an image for the assistant", body: said(`{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}`), want: "'image_url'"},
		{name: "an image for the system", body: said(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}`), want: "'image_url'"},
		{name: "an image that is none", body: part(`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}`), want: "unsupported image", code: "invalid_image_format"},
		{name: "an image by a path", body: part(`{"type":"image_url","image_url":{"url":"/tmp/a.png"}}`), want: "Expected a valid URL"},
		{name: "a file without its name", body: part(`{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0x"}}`), want: "file.filename"},
		{name: "a file in bare base64", body: part(`{"type":"file","file":{"file_data":"JVBERi0x","filename":"a.pdf"}}`), want: "without the 'data:' prefix"},
		{name: "audio in another format", body: part(`{"type":"input_audio","input_audio":{"data":"AAAA","format":"ogg"}}`), want: "'ogg'"},
		{name: "too warm", body: more(`"temperature":2.1`), want: "Expected a value <= 2, but got 2.1", code: "decimal_above_max_value"},
		{name: "a small penalty", body: more(`"presence_penalty":-2.5`), want: ">= -2", code: "decimal_below_min_value"},
		{name: "no token", body: more(`"max_completion_tokens":0`), want: ">= 1", code: "integer_below_min_value"},
		{name: "half a token", body: more(`"max_completion_tokens":1.5`), want: "expected an integer, but got a decimal"},
		{name: "two limits", body: more(`"max_completion_tokens":5,"max_tokens":5`), want: "at the same time"},
		{name: "a huge number", body: more(`"n":1e999`), want: "'n'"},
		{name: "too many choices", body: more(`"n":129`), want: "<= 128"},
		{name: "five stops", body: more(`"stop":["1","2","3","4","5"]`), want: "maximum length 4", code: "array_above_max_length"},
		{name: "a strong bias", body: more(`"logit_bias":{"5":101}`), want: "<= 100", param: "logit_bias.5"},
		{name: "logprobs unasked", body: more(`"top_logprobs":1`), want: "'logprobs' is enabled"},
		{name: "usage without a stream", body: more(`"stream_options":{}`), want: "'stream_options'"},
		{name: "metadata without store", body: more(`"metadata":{"a":"b"}`), want: "'store' is enabled"},
		{name: "metadata that are no strings", body: more(`"store":true,"metadata":{"a":1}`), want: "metadata.a"},
		{name: "a long identifier", body: more(`"safety_identifier":"` + strings.Repeat("x", 65) + `"`), want: "maximum length 64", code: "string_above_max_length"},
		{name: "no tools", body: more(`"tools":[]`), want: "empty array", param: "tools"},
		{name: "a flat tool", body: more(`"tools":[{"type":"function","name":"f"}]`), want: "'tools[0].function'", code: "missing_required_parameter"},
		{name: "a hosted tool", body: more(`"tools":[{"type":"web_search"}]`), want: "'function'", param: "tools[0].type"},
		{name: "a tool with a point", body: more(`"tools":[{"type":"function","function":{"name":"a.b"}}]`), want: "does not match pattern", param: "tools[0].function.name"},
		{name: "a tool with a long name", body: more(`"tools":[{"type":"function","function":{"name":"` + strings.Repeat("x", 65) + `"}}]`), want: "maximum length 64"},
		{name: "parameters that are no object's", body: more(`"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]`),
			want: `got 'type: "None"'`, param: "tools[0].function.parameters", code: "invalid_function_parameters"},
		{name: "an array of nothing", body: more(`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",` +
			`"properties":{"a":{"type":"array"}}}}}]`), want: "In context=('properties', 'a'), array schema missing items."},
		{name: "not strict enough", body: more(`"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object",` +
			`"properties":{"a":{"type":"string"}},"additionalProperties":false}}}]`), want: "Missing 'a'"},
		{name: "a choice without tools", body: more(`"tool_choice":"auto"`), want: "only allowed when 'tools' are specified", param: "tool_choice"},
		{name: "parallel without tools", body: more(`"parallel_tool_calls":true`), want: "only allowed when 'tools' are specified", param: "parallel_tool_calls"},
		{name: "the choice of another tool", body: more(tool + `,"tool_choice":{"type":"function","function":{"name":"g"}}`), want: "named 'g'"},
		{name: "another protocol's choice", body: more(tool + `,"tool_choice":{"type":"tool","name":"f"}`), want: "'tool'"},
		{name: "an allowed tool that is not there", body: more(tool + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto",` +
			`"tools":[{"type":"function","function":{"name":"g"}}]}}`), want: "named 'g'"},
		{name: "a strict schema", body: schema("true", `{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"],"additionalProperties":false}`)},
		{name: "an open schema", body: schema("false", `{"type":"object","properties":{"a":{"type":"string"}}}`)},
		{name: "a strict but open schema", body: schema("true", `{"type":"object","properties":{},"required":[]}`), want: "'additionalProperties' is required", param: "response_format"},
		{name: "a strict schema of a union", body: schema("true", `{"anyOf":[]}`), want: `got 'type: "None"'`},
		{name: "a strict schema with oneOf", body: schema("true", `{"type":"object","properties":{"a":{"oneOf":[]}},"required":["a"],"additionalProperties":false}`), want: "'oneOf' is not permitted"},
		{name: "another protocol's format", body: more(`"response_format":{"type":"json_schema","schema":{}}`), want: "response_format.json_schema"},
		{name: "JSON unsaid", body: more(`"response_format":{"type":"json_object"}`), want: "the word 'json'"},
		{name: "JSON", body: `{"model":"m","response_format":{"type":"json_object"},"messages":[{"role":"user","content":"some JSON"}]}`},

		{name: "a result without a call", body: said(result("a")), want: "role 'tool'", param: "messages[1].role"},
		{name: "a call without a result", body: said(calls("a") + `,{"role":"user","content":"x"}`), want: "did not have response messages: a", param: "messages[1].role"},
		{name: "a last call without a result", body: said(calls("a")), want: "did not have response messages: a"},
		{name: "two results of a call", body: said(calls("a") + "," + result("a") + "," + result("a")), want: "Duplicate value"},
		{name: "a result that comes late", body: said(calls("a", "b") + "," + result("a") + `,{"role":"user","content":"x"},` + result("b")), want: "response messages: b"},
		{name: "a long id", body: said(calls(strings.Repeat("x", 65)) + "," + result("a")), want: "maximum length 64", param: "messages[1].tool_calls[0].id"},
		{name: "arguments that are no string", body: said(`{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{}}}]}`),
			want: "arguments'", code: "invalid_type"},
		{name: "an image as a result", body: said(calls("a") + `,{"role":"tool","tool_call_id":"a","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}`), want: "'image_url'"},
		{name: "OpenAI takes no reasoning back", body: `{"model":"gpt-5.4","messages":[{"role":"assistant","content":"x","reasoning_content":"y"}]}`, want: "reasoning_content"},

		{name: "a model that reasons", body: of("gpt-5.4", `"max_completion_tokens":5,"reasoning_effort":"xhigh"`)},
		{name: "which takes no max_tokens", body: of("gpt-5.4", `"max_tokens":5`), want: "Use 'max_completion_tokens' instead.", param: "max_tokens", code: "unsupported_parameter"},
		{name: "nor a temperature", body: of("o3", `"temperature":0.5`), want: "Only the default (1) value is supported.", param: "temperature", code: "unsupported_value"},
		{name: "unless it is the default", body: of("o3", `"temperature":1.0`)},
		{name: "or the effort is none", body: of("gpt-5.4", `"temperature":0.5,"reasoning_effort":"none"`)},
		{name: "which older ones don't have", body: of("gpt-5", `"reasoning_effort":"none"`), want: "does not support 'none'", code: "unsupported_value"},
		{name: "nor do newer ones sample", body: of("gpt-6-sol", `"temperature":0.5,"reasoning_effort":"none"`), want: "'temperature'"},
		{name: "nor a penalty", body: of("gpt-5.4", `"presence_penalty":1`), want: "'presence_penalty' is not supported"},
		{name: "nor logprobs", body: of("o4-mini", `"logprobs":true`), want: "'logprobs' is not supported"},
		{name: "nor stops", body: of("o3", `"stop":"x"`), want: "'stop' is not supported"},
		{name: "chat models do", body: of("gpt-5-chat-latest", `"stop":"x","temperature":0.5,"max_tokens":5`)},
		{name: "but have no effort", body: of("gpt-4o", `"reasoning_effort":"low"`), want: "'reasoning_effort' is not supported"},
	})
}
