package gatewaytest

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// output returns the output of a response without its brackets: its items.
func output(t *testing.T, p *Provider, request string) string {
	t.Helper()
	got := fetch(t, p, question{protocol: llm.Responses, body: request})
	items := string(member([]byte(got.body), "output"))
	if got.status != 200 || len(items) < 3 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return items[1 : len(items)-1]
}

// first returns the first of several JSON values.
func first(t *testing.T, values string) string {
	t.Helper()
	for v := range elements([]byte("[" + values + "]")) {
		return string(v)
	}
	t.Fatal("no value")
	return ""
}

func TestValidateResponses(t *testing.T) {
	p, other := start(t, Options{Validate: true}), start(t, Options{Validate: true})
	more := func(members string) string { return `{"model":"m","input":"x",` + members + `}` }
	of := func(model, members string) string { return `{"model":"` + model + `","input":"x",` + members + `}` }
	items := func(list string) string { return `{"model":"m","input":[{"role":"user","content":"x"},` + list + `]}` }
	part := func(p string) string {
		return `{"model":"m","input":[{"type":"message","role":"user","content":[` + p + `]}]}`
	}
	const (
		call   = `{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}`
		result = `{"type":"function_call_output","call_id":"a","output":"1"}`
		then   = `,{"role":"user","content":"y"}`
		tools  = `"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false},{"type":"web_search"},` +
			`{"type":"namespace","name":"n","description":"d","tools":[{"type":"function","name":"g","parameters":{"type":"object"}}]},` +
			`{"type":"custom","name":"c","format":{"type":"grammar","definition":"x","syntax":"lark"}}]`
	)
	thought := output(t, p, `{"model":"m!reasoning=2,tokens=2","input":"x","store":false}`)
	called := output(t, p, `{"model":"m!reasoning=2,tools","input":"x","store":false}`)
	bare := output(t, p, `{"model":"m!tokens=2","input":"x","store":false}`)
	foreign := output(t, other, `{"model":"m!reasoning=2,tokens=2","input":"x"}`)
	reasoning := first(t, thought)
	withoutID := func(item string) string {
		return strings.Replace(item, `"id":"`+decoded(member([]byte(item), "id"))+`",`, "", 1)
	}
	withoutSecret := strings.Replace(reasoning, `"encrypted_content":"`+decoded(member([]byte(reasoning), "encrypted_content"))+`",`, "", 1)
	callID := decoded(member([]byte(strings.TrimPrefix(called, first(t, called)+",")), "call_id"))
	answered := `,{"type":"function_call_output","call_id":"` + callID + `","output":[{"type":"input_text","text":"1"}]}`
	stored := fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m!reasoning=2,tools","input":"x"}`}).body
	storedID := idOf(t, stored)
	storedItems := string(member([]byte(stored), "output"))
	storedItems = storedItems[1 : len(storedItems)-1]
	storedCall := decoded(member([]byte(strings.TrimPrefix(storedItems, first(t, storedItems)+",")), "call_id"))

	judgeAll(t, p, llm.Responses, []verdictCase{
		{name: "the least", body: `{"model":"m","input":"x"}`},
		{name: "all there is", body: more(tools + `,"tool_choice":{"type":"function","name":"g"},"instructions":"i","max_output_tokens":16,` +
			`"max_tool_calls":1,"temperature":0.5,"top_p":1,"top_logprobs":2,"reasoning":{"effort":"max","summary":"auto","context":"auto"},` +
			`"text":{"format":{"type":"text"},"verbosity":"low"},"parallel_tool_calls":false,"store":false,"truncation":"auto","include":` +
			`["reasoning.encrypted_content"],"metadata":{"a":"b"},"prompt_cache_options":{"mode":"implicit","ttl":"30m"},"service_tier":` +
			`"ultrafast","stream":true,"stream_options":{"include_obfuscation":false},"context_management":[{"type":"compaction",` +
			`"compact_threshold":1000}]`)},
		{name: "all parts", body: part(`{"type":"input_text","text":"x"},{"type":"input_image","image_url":"data:image/png;base64,` + pixel +
			`","detail":"auto"},{"type":"input_file","file_url":"https://x/a.pdf"},{"type":"input_file","filename":"a.pdf","file_data":` +
			`"data:application/pdf;base64,JVBERi0x"}`)},
		{name: "calls and results", body: items(`{"type":"reasoning","summary":[]},` + call + "," + result)},
		{name: "an assistant's text", body: items(`{"role":"assistant","content":[{"type":"output_text","text":"y"}],"phase":"commentary"}` + then)},
		{name: "an assistant's string", body: items(`{"role":"assistant","content":"y"}` + then)},
		{name: "an answer comes back", body: items(thought + then)},
		{name: "a call comes back", body: items(called + answered)},
		{name: "reasoning without its id", body: items(withoutID(reasoning) + "," + strings.TrimPrefix(thought, reasoning+",") + then)},
		{name: "opaque items", body: items(`{"type":"computer_call","id":"x","whatever":1},{"type":"agent_message","text":"x"}`)},

		{name: "unknown field", body: more(`"messages":[]`), want: "Unknown parameter: 'messages'.", param: "messages", code: "unknown_parameter"},
		{name: "no stop", body: more(`"stop":"x"`), want: "Unknown parameter: 'stop'."},
		{name: "no model", body: `{"input":"x"}`, want: "'model'"},
		{name: "no input", body: `{"model":"m"}`, want: "Missing required parameter: 'input'."},
		{name: "low limit", body: more(`"max_output_tokens":15`), want: "Expected a value >= 16, but got 15 instead.", code: "integer_below_min_value"},
		{name: "an unknown include", body: more(`"include":["usage"]`), want: "'usage'", param: "include[0]"},
		{name: "an unknown truncation", body: more(`"truncation":"middle"`), want: "'middle'"},
		{name: "options without a stream", body: more(`"stream_options":{}`), want: "'stream' is enabled"},
		{name: "both kinds of state", body: more(`"previous_response_id":"a","conversation":"b"`), want: "Mutually exclusive"},
		{name: "an unknown conversation", body: more(`"conversation":{"id":"conv_1"}`), want: "Conversation", status: 404},
		{name: "an unknown prompt", body: `{"model":"m","prompt":{"id":"pmpt_1"}}`, want: "pmpt_1", status: 404},
		{name: "in the background, unstored", body: more(`"background":true,"store":false`), want: "must be stored"},
		{name: "a nested tool", body: more(`"tools":[{"type":"function","function":{"name":"f"}}]`), want: "'tools[0].name'", code: "missing_required_parameter"},
		{name: "an unknown tool", body: more(`"tools":[{"type":"bash"}]`), want: "'bash'", param: "tools[0].type"},
		{name: "a strict but open function", body: more(`"tools":[{"type":"function","name":"f","strict":true,"parameters":{"type":"object","properties":{}}}]`),
			want: "'additionalProperties' is required", param: "tools[0].parameters", code: "invalid_function_parameters"},
		{name: "a required call without tools", body: more(`"tool_choice":"required"`), want: "must be specified with 'tools'"},
		{name: "the choice of another tool", body: more(tools + `,"tool_choice":{"type":"function","name":"h"}`), want: "Tool choice 'h' not found"},
		{name: "the choice of a hosted tool", body: more(tools + `,"tool_choice":{"type":"web_search"}`)},
		{name: "a choice among tools", body: more(tools + `,"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"custom","name":"c"}]}`)},
		{name: "another protocol's choice", body: more(tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`), want: "'tool_choice.name'"},
		{name: "a nested format", body: more(`"text":{"format":{"type":"json_schema","json_schema":{}}}`), want: "text.format.name"},
		{name: "a strict but open schema", body: more(`"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}}`),
			want: "'additionalProperties' is required", param: "text.format.schema", code: "invalid_json_schema"},
		{name: "JSON unsaid", body: more(`"text":{"format":{"type":"json_object"}}`), want: "the word 'json'"},

		{name: "unknown role", body: `{"model":"m","input":[{"role":"tool","content":"x"}]}`, want: "'tool'", param: "input[0].role"},
		{name: "an item without type", body: items(`{"call_id":"a"}`), want: "input[1].type"},
		{name: "an unknown item", body: items(`{"type":"tool_result"}`), want: "'tool_result'"},
		{name: "an assistant's input", body: items(`{"role":"assistant","content":[{"type":"input_text","text":"y"}]}`),
			want: "Supported values are: 'output_text' and 'refusal'.", param: "input[1].content[0].type"},
		{name: "a user's output", body: part(`{"type":"output_text","text":"x"}`), want: "'output_text'"},
		{name: "another protocol's part", body: part(`{"type":"text","text":"x"}`), want: "Invalid value: 'text'"},
		{name: "an image as an object", body: part(`{"type":"input_image","image_url":{"url":"https://x"}}`), want: "expected a string, but got an object"},
		{name: "an image of nothing", body: part(`{"type":"input_image","detail":"auto"}`), want: "image_url"},
		{name: "an error as a result", body: items(call + `,{"type":"function_call_output","call_id":"a","output":"1","error":"x"}`), want: "input[2].error"},
		{name: "arguments that are an object", body: items(`{"type":"function_call","call_id":"a","name":"f","arguments":{}},` + result), want: "input[1].arguments"},
		{name: "a result without a call", body: items(result), want: "No tool call found for function call output with call_id a."},
		{name: "a call without a result", body: items(`{"type":"custom_tool_call","call_id":"a","name":"f","input":""}`), want: "No tool output found for function call a."},
		{name: "a long id", body: items(strings.ReplaceAll(call+","+result, `"a"`, `"`+strings.Repeat("x", 65)+`"`)), want: "maximum length 64", param: "input[1].call_id"},
		{name: "a call's id as the item's", body: items(strings.Replace(call, `{`, `{"id":"call_1",`, 1) + "," + result), want: "begins with 'fc'"},
		{name: "an unknown item's id", body: items(strings.Replace(call, `{`, `{"id":"fc_1",`, 1) + "," + result), want: "'fc_1' not found", status: 404},
		{name: "an item twice", body: items(bare + then + "," + bare + then), want: "Duplicate item"},

		{name: "reasoning without summary", body: items(`{"type":"reasoning","encrypted_content":"x"}`), want: "input[1].summary"},
		{name: "reasoning of another", body: items(foreign + then), want: "not found", status: 404},
		{name: "reasoning of another, without its id", body: items(withoutID(first(t, foreign)) + `,{"role":"assistant","content":"y"}` + then),
			want: "could not be verified", code: "invalid_encrypted_content"},
		{name: "altered reasoning", body: items(strings.Replace(thought, `"gAAAAABo5mU7`, `"gAAAAABo5mU7AA`, 1) + then), want: "could not be verified"},
		{name: "reasoning that nobody kept", body: items(withoutSecret + `,{"role":"assistant","content":"y"}` + then), want: "not found", status: 404},
		{name: "reasoning at the end", body: items(reasoning), want: "without its required following item"},
		{name: "reasoning before the user", body: items(reasoning + then), want: "without its required following item"},
		{name: "a call without its reasoning", body: items(strings.TrimPrefix(called, first(t, called)+",") + answered), want: "without its required 'reasoning' item"},

		{name: "an unknown response", body: more(`"previous_response_id":"resp_1"`), want: "'resp_1' not found", code: "previous_response_not_found"},
		{name: "a known response, its call answered", body: `{"model":"m","previous_response_id":"` + storedID +
			`","input":[{"type":"function_call_output","call_id":"` + storedCall + `","output":"1"}]}`},
		{name: "a known response, its call unanswered", body: `{"model":"m","previous_response_id":"` + storedID + `","input":"x"}`, want: "No tool output found"},
		{name: "known items", body: items(`{"type":"item_reference","id":"` + decoded(member([]byte(storedItems), "id")) +
			`x"}`), want: "not found", status: 404},
		{name: "kept items", body: items(reference(t, storedItems, 0) + "," + reference(t, storedItems, 1) +
			`,{"type":"function_call_output","call_id":"` + storedCall + `","output":"1"}`)},
		{name: "kept items without their reasoning", body: items(reference(t, storedItems, 1) +
			`,{"type":"function_call_output","call_id":"` + storedCall + `","output":"1"}`), want: "required 'reasoning' item"},

		{name: "a model that reasons takes no temperature", body: of("o3", `"temperature":0`), want: "does not support 0", code: "unsupported_value"},
		{name: "nor logprobs", body: of("o3", `"include":["message.output_text.logprobs"]`), want: "logprobs are not supported"},
		{name: "nor any effort", body: of("o3", `"reasoning":{"effort":"minimal"}`), want: "'minimal'", param: "reasoning.effort"},
		{name: "others have no effort", body: of("gpt-4.1", `"reasoning":{"effort":"low"}`), want: "'reasoning.effort' is not supported"},
		{name: "nor a summary", body: of("gpt-4.1", `"reasoning":{"summary":"auto"}`), want: "'reasoning.summary' is not supported"},
	})
}

// reference returns a reference to one of several items.
func reference(t *testing.T, items string, which int) string {
	t.Helper()
	i := 0
	for item := range elements([]byte("[" + items + "]")) {
		if i == which {
			return `{"type":"item_reference","id":"` + decoded(member(item, "id")) + `"}`
		}
		i++
	}
	t.Fatalf("no item %d in %s", which, items)
	return ""
}
