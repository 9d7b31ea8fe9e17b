package chat

import (
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// read reads a body that must be right.
func read(t *testing.T, body string) *llm.Request {
	t.Helper()
	r := new(llm.Request)
	if err := ReadRequest([]byte(body), r); err != nil {
		t.Fatalf("ReadRequest(%s): %v (%s)", body, err, err.Param)
	}
	return r
}

// withMessages is a body with these messages and further members.
func withMessages(messages, more string) string {
	return `{"model":"m","messages":[` + messages + `]` + more + `}`
}

// hello is the shortest conversation.
const hello = `{"role":"user","content":"hi"}`

// sketch puts a conversation into a few words, so that tests can compare it.
func sketch(r *llm.Request) string {
	var b strings.Builder
	if len(r.System) > 0 {
		b.WriteString("S" + sketchItems(r.System) + " ")
	}
	for i := range r.Turns {
		t := &r.Turns[i]
		b.WriteString([]string{"U", "A", "M"}[t.Role])
		if t.Name != "" {
			b.WriteString("(" + t.Name + ")")
		}
		b.WriteString(sketchItems(t.Items) + " ")
	}
	return strings.TrimSpace(b.String())
}

func sketchItems(items []llm.Item) string {
	var words []string
	for i := range items {
		it := &items[i]
		word := ""
		switch it.Kind {
		case llm.Text:
			word = string(it.Text)
		case llm.Refusal:
			word = "refusal:" + string(it.Text)
		case llm.Thought:
			word = fmt.Sprintf("thought:%s/%s", it.Text, it.Seal)
			if it.Redacted {
				word = "redacted:" + string(it.Seal)
			}
		case llm.Call:
			word = "call:" + it.CallID + "=" + it.Name + string(it.Arguments)
			if it.Custom {
				word = "custom:" + it.CallID + "=" + it.Name + "<" + string(it.Text) + ">"
			}
		case llm.Result:
			word = "result:" + it.CallID + sketchItems(it.Parts)
			if it.IsError {
				word = "failed " + word
			}
		case llm.Image, llm.Audio, llm.File:
			m := &it.Media
			word = fmt.Sprintf("%s:%s%s%s%s", m.Type, m.Data, m.URL, m.FileID, m.Text)
		default:
			word = fmt.Sprintf("%d:%s", it.Kind, it.Name)
		}
		words = append(words, word+strings.Repeat("*", int(it.Cache)))
	}
	return "[" + strings.Join(words, "|") + "]"
}

func TestReadConversation(t *testing.T) {
	for _, c := range []struct{ name, messages, want string }{
		{"string content", hello, `U[hi]`},
		{"parts", `{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b\n"}],"name":"Al"}`,
			"U(Al)[a|b\n]"},
		{"leading system and developer messages are system texts",
			`{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d"}]},` + hello,
			`S[s|d] U[hi]`},
		{"a later system message stays in its place", hello + `,{"role":"system","content":"s"},` + hello,
			`U[hi] M[s] U[hi]`},
		{"assistant order: reasoning, text, refusal, calls",
			hello + `,{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f",` +
				`"arguments":"{\"a\":1.0}"}}],` +
				`"refusal":"no","content":"yes","reasoning_content":"hm"}`,
			`U[hi] A[thought:hm/|yes|refusal:no|call:c1=f{"a":1.0}]`},
		{"empty and null content beside calls is no item (E 32)",
			hello + `,{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function",` +
				`"function":{"name":"f","arguments":""}}]}` +
				`,{"role":"tool","tool_call_id":"c1","content":"r"}` +
				`,{"role":"assistant","content":null,"tool_calls":[{"id":"c2","type":"function",` +
				`"function":{"name":"f","arguments":"{}"}}]}`,
			`U[hi] A[call:c1=f] U[result:c1[r]] A[call:c2=f{}]`},
		{"results and the user's message behind them are one turn",
			hello + `,{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}},` +
				`{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"b","content":"2"},{"role":"tool","tool_call_id":"a",` +
				`"content":[{"type":"text","text":"1"}]},` +
				`{"role":"user","content":"go","name":"Al"},` + hello,
			`U[hi] A[call:a=f{}|call:b=f{}] U(Al)[result:b[2]|result:a[1]|go] U[hi]`},
		{"a failed result is recognised by its prefix (E 104)",
			`{"role":"tool","tool_call_id":"a","content":"[tool_error] boom"}`, `U[failed result:a[boom]]`},
		{"an image in a tool's result", `{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"x"},` +
			`{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}`, `U[result:a[x|:https://h/i.png]]`},
		{"custom calls", hello + `,{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"p",` +
			`"input":"a\"b"}}]}`,
			`U[hi] A[custom:c=p<a"b>]`},
		{"calls without ids are paired by order",
			`{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}},` +
				`{"id":"","type":"function","function":{"name":"g","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"","content":"1"},{"role":"tool","content":"2"}`,
			`A[call:call_0_0=f{}|call:call_0_1=g{}] U[result:call_0_0[1]|result:call_0_1[2]]`},
		{"deprecated function calls (D.10)",
			hello + `,{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},` +
				`{"role":"function","name":"f","content":"1"},` +
				`{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function",` +
				`"name":"f","content":"2"}`,
			`U[hi] A[call:call_fn_0=f{}] U[result:call_fn_0[1]] A[call:call_fn_1=f{}] U[result:call_fn_1[2]]`},
		{"arguments that are an object in place of a string",
			`{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{"n": 9007199254740993}}}]}`,
			`A[call:c=f{"n": 9007199254740993}]`},
		{"reasoning_details win and keep their order (E 46, 50)",
			`{"role":"assistant","content":"x","reasoning_content":"ab","reasoning_details":[` +
				`{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","signature":"s",` +
				`"format":"anthropic-claude-v1","index":0},` +
				`{"type":"reasoning.encrypted","data":"r","index":1},{"type":"reasoning.summary","summary":"b",` +
				`"index":2,"id":"rs_1"},` +
				`{"type":"reasoning.encrypted","data":"e","index":2}]}`,
			`A[thought:a/s|redacted:r|thought:b/e|x]`},
		{"thinking parts of Mistral", `{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text",` +
			`"text":"h"}]},{"type":"text","text":"x"}]}`,
			`A[thought:h/|x]`},
		{"images", `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpg;base64,/9j/AA"}},` +
			`{"type":"image_url","image_url":"https://h/i"},{"type":"image_url","image_url":{"url":"data:;base64,` +
			`iVBORw0KGgoA"}}]}`,
			`U[image/jpeg:/9j/AA|:https://h/i|image/png:iVBORw0KGgoA]`},
		{"sound", `{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAA","format":"mp3"}}]}`,
			`U[audio/mp3:AAA]`},
		{"documents", `{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,` +
			`JVBERi0x","filename":"a.pdf"}},` +
			`{"type":"file","file":{"file_data":"JVBERi0x"}},{"type":"file","file":{"file_id":"f1"}},` +
			`{"type":"file","file":{"file_data":"data:text/plain;base64,aGk="}},{"type":"file",` +
			`"file":{"file_data":"data:text/plain,h%20i"}}]}`,
			`U[application/pdf:JVBERi0x|application/pdf:JVBERi0x|:f1|text/plain:hi|text/plain:h i]`},
		{"documents by their names", `{"role":"user","content":[{"type":"file","file":{"file_data":"eA==","filename":"a.TXT"}},` +
			`{"type":"file","file":{"file_data":"eA==","filename":"a.md"}},` +
			`{"type":"file","file":{"file_data":"data:application/octet-stream;base64,eA==","filename":"a.docx"}},` +
			`{"type":"file","file":{"file_data":"https://h/f"}}]}`,
			`U[text/plain:x|text/markdown:x|application/vnd.openxmlformats-officedocument.wordprocessingml.document:eA==|:https://h/f]`},
		{"Responses' parts on the wrong route (E 35)",
			`{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image",` +
				`"image_url":"https://h/i","detail":"low"},` +
				`{"type":"input_file","file_url":"https://h/f"}]},{"role":"assistant",` +
				`"content":[{"type":"output_text","text":"b"}]}`,
			`U[a|:https://h/i|:https://h/f] A[b]`},
		{"marks of prompt caching", `{"role":"system","content":"s","cache_control":{"type":"ephemeral","ttl":"1h"}},` +
			`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},` +
			`{"type":"text","text":"b","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}}]}`, `S[s**] U[a*|b**]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sketch(read(t, withMessages(c.messages, ""))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReadScalars(t *testing.T) {
	r := read(t, withMessages(hello, `,"max_tokens":5,"max_completion_tokens":7,"temperature":0.70,"top_p":1,"top_k":40,`+
		`"frequency_penalty":-1,"presence_penalty":2,"seed":9007199254740993,"logit_bias":{"1":2},"n":3,"stop":["a","b"],`+
		`"logprobs":true,"top_logprobs":2,"verbosity":"low","reasoning_effort":"xhigh","stream":true,`+
		`"stream_options":{"include_usage":true,"include_obfuscation":false},"modalities":["text"],`+
		`"service_tier":"flex","store":true,`+
		`"metadata":{"a":"b"},"user":"u","safety_identifier":"s","prompt_cache_key":"k",`+
		`"prompt_cache_options":{"mode":"implicit"},`+
		`"prompt_cache_retention":"24h","web_search_options":{"search_context_size":"high",`+
		`"user_location":{"type":"approximate",`+
		`"approximate":{"city":"Bonn"}}},"response_format":{"type":"json_schema","json_schema":{"name":"n",`+
		`"schema":{"a": 1.0},"strict":true}},`+
		`"prediction":{"type":"content","content":"x"},"vendor":[1]`))
	s := &r.Sampling
	for _, c := range []struct {
		field     string
		got, want any
	}{
		{"max tokens", *s.MaxTokens, int64(7)},
		{"temperature", string(s.Temperature), "0.70"},
		{"top_p", string(s.TopP), "1"},
		{"top_k", string(s.TopK), "40"},
		{"frequency_penalty", string(s.FrequencyPenalty), "-1"},
		{"presence_penalty", string(s.PresencePenalty), "2"},
		{"seed", string(s.Seed), "9007199254740993"},
		{"logit_bias", string(s.LogitBias), `{"1":2}`},
		{"n", s.N, int64(3)},
		{"stop", strings.Join(s.Stop, "+"), "a+b"},
		{"logprobs", s.Logprobs, true},
		{"top_logprobs", *s.TopLogprobs, int64(2)},
		{"verbosity", s.Verbosity, "low"},
		{"effort", r.Reasoning.Effort, llm.EffortXHigh},
		{"stream", r.Stream, true},
		{"include_usage", r.IncludeUsage, true},
		{"service_tier", r.ServiceTier, "flex"},
		{"store", *r.Store, true},
		{"metadata", string(r.Metadata), `{"a":"b"}`},
		{"user", r.User, "s"},
		{"cache key", r.Cache.Key, "k"},
		{"cache options", string(r.Cache.Options), `{"mode":"implicit"}`},
		{"cache retention", r.Cache.Retention, "24h"},
		{"search size", r.Search.ContextSize, "high"},
		{"search location", string(r.Search.Location), `{"city":"Bonn"}`},
		{"format", r.Format.Kind, llm.FormatSchema},
		{"format name", r.Format.Name, "n"},
		{"format schema", string(r.Format.Schema), `{"a": 1.0}`},
		{"format strict", *r.Format.Strict, true},
		{"extra", fmt.Sprintf("%s", r.Extra), `[{prediction {"type":"content","content":"x"}} {vendor [1]}]`},
		{"protocol", r.Protocol, llm.Chat},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.field, c.got, c.want)
		}
	}
}

func TestReadLastDuplicateWins(t *testing.T) {
	r := read(t, `{"model":"a","messages":[],"temperature":1,"model":"b","messages":[`+hello+`],"temperature":null,`+
		`"v":1,"v":2,"n":2,"n":null}`)
	if r.Model != "b" || r.Sampling.Temperature != nil || r.Sampling.N != 0 || len(r.Turns) != 1 ||
		len(r.Extra) != 1 || string(r.Extra[0].Value) != "2" {
		t.Errorf("got %+v", r)
	}
}

func TestReadKeepsTheWishForSound(t *testing.T) {
	if r := read(t, withMessages(hello, `,"modalities":["text"]`)); len(r.Extra) != 0 {
		t.Errorf("text alone: got %s", r.Extra)
	}
	r := read(t, withMessages(hello, `,"modalities":["text","audio"]`))
	if got := fmt.Sprintf("%s", r.Extra); got != `[{modalities ["text","audio"]}]` {
		t.Errorf("text and sound: got %s", got)
	}
}

func TestReadNotesUnknownFieldsInsideOfOthers(t *testing.T) {
	r := read(t, withMessages(`{"role":"assistant","content":"a","prefix":true,"annotations":[],"weight":null},`+hello,
		`,"reasoning":{"exclude":true,"enabled":true}`))
	if got := fmt.Sprintf("%s", r.Extra); got != "[{reasoning.exclude true} {messages.prefix true}]" {
		t.Errorf("got %s", got)
	}
	x := exchange(r, "m")
	if body := write(t, x); strings.Contains(body, "exclude") || strings.Contains(body, "prefix") {
		t.Errorf("got %s", body)
	}
	if got := string(x.Warnings.Append(nil)); got != "dropped=reasoning.exclude,messages.prefix" {
		t.Errorf("warnings: got %s", got)
	}
}

func TestReadNullIsAbsent(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{
		"max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "frequency_penalty",
		"presence_penalty", "seed",
		"logit_bias", "n", "stop", "logprobs", "top_logprobs", "verbosity", "reasoning_effort", "reasoning",
		"thinking", "stream",
		"stream_options", "modalities", "service_tier", "store", "metadata", "user", "safety_identifier",
		"prompt_cache_key",
		"prompt_cache_options", "prompt_cache_retention", "web_search_options", "response_format", "tools", "tool_choice",
		"parallel_tool_calls", "functions", "function_call", "cache_control",
	} {
		b.WriteString(`,"` + name + `":null`)
	}
	r := read(t, withMessages(hello, b.String()))
	want := read(t, withMessages(hello, ""))
	if got, want := fmt.Sprintf("%+v", *r), fmt.Sprintf("%+v", *want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadReasoningOfAggregators(t *testing.T) {
	for _, c := range []struct {
		name, more string
		want       llm.Reasoning
	}{
		{"effort", `,"reasoning_effort":"low"`, llm.Reasoning{Effort: llm.EffortLow}},
		{"OpenRouter's effort and summary", `,"reasoning":{"effort":"high","summary":"auto"}`,
			llm.Reasoning{Effort: llm.EffortHigh, Summary: "auto"}},
		{"the official field wins", `,"reasoning_effort":"low","reasoning":{"effort":"high"}`,
			llm.Reasoning{Effort: llm.EffortLow}},
		{"OpenRouter's budget", `,"reasoning":{"max_tokens":2000}`, llm.Reasoning{Thinking: llm.ThinkingBudget,
			Budget: 2000}},
		{"OpenRouter's switch", `,"reasoning":{"enabled":false}`, llm.Reasoning{Effort: llm.EffortNone}},
		{"Anthropic's budget", `,"thinking":{"type":"enabled","budget_tokens":3000}`,
			llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 3000}},
		{"a switch without an amount", `,"thinking":{"type":"enabled"}`, llm.Reasoning{Thinking: llm.ThinkingAdaptive}},
		{"off", `,"thinking":{"type":"disabled"}`, llm.Reasoning{Thinking: llm.ThinkingOff}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, withMessages(hello, c.more)).Reasoning; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestReadTools(t *testing.T) {
	r := read(t, withMessages(hello, `,"tools":[`+
		`{"type":"function","function":{"name":"f","description":"d","parameters":{"z":1,"a":2},"strict":true}},`+
		`{"type":"function","name":"flat","parameters":{}},`+
		`{"type":"custom","custom":{"name":"c","format":{"type":"grammar","grammar":{"definition":"g","syntax":"lark"}}}},`+
		`{"type":"custom","name":"fc","format":{"type":"grammar","definition":"h","syntax":"regex"}},`+
		`{"type":"web_search_preview","search_context_size":"low"},{"type":"browser"}],`+
		`"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function",`+
		`"function":{"name":"f"}},{"type":"custom","name":"c"}]}},`+
		`"parallel_tool_calls":false`))
	var got []string
	for i := range r.Tools {
		tool := &r.Tools[i]
		got = append(got, fmt.Sprintf("%d:%s%s%s%s%s", tool.Kind, tool.Name, tool.Description, tool.Schema,
			tool.Grammar, tool.Syntax))
	}
	want := `0:fd{"z":1,"a":2} 0:flat{} 1:cglark 1:fchregex 2:web_search 5:browser`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("tools: got %s, want %s", s, want)
	}
	if c := fmt.Sprintf("%+v", r.Choice.Names); r.Choice.Mode != llm.ChoiceAllowed || !r.Choice.Required ||
		*r.Choice.Parallel ||
		c != "[{Kind:0 Namespace: Name:f} {Kind:1 Namespace: Name:c}]" {
		t.Errorf("choice: got %+v", r.Choice)
	}
	if *r.Tools[0].Strict != true || r.Tools[1].Strict != nil || r.Tools[4].Search.ContextSize != "low" {
		t.Errorf("got %+v", r.Tools)
	}
}

func TestReadChoices(t *testing.T) {
	for _, c := range []struct {
		choice string
		want   llm.ToolChoice
	}{
		{`"none"`, llm.ToolChoice{Mode: llm.ChoiceNone}},
		{`"auto"`, llm.ToolChoice{Mode: llm.ChoiceAuto}},
		{`"required"`, llm.ToolChoice{Mode: llm.ChoiceRequired}},
		{`{"type":"function","function":{"name":"f"}}`, llm.ToolChoice{Mode: llm.ChoiceNamed,
			Names: []llm.ToolName{{Name: "f"}}}},
		{`{"type":"function","name":"f"}`, llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Name: "f"}}}},
		{`{"type":"custom","custom":{"name":"f"}}`, llm.ToolChoice{Mode: llm.ChoiceNamed,
			Names: []llm.ToolName{{Kind: llm.CustomTool, Name: "f"}}}},
		{`{"type":"web_search_preview"}`, llm.ToolChoice{Mode: llm.ChoiceNamed,
			Names: []llm.ToolName{{Kind: llm.SearchTool, Name: "web_search"}}}},
	} {
		if got := read(t, withMessages(hello, `,"tool_choice":`+c.choice)).Choice; fmt.Sprintf("%+v",
			got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s: got %+v, want %+v", c.choice, got, c.want)
		}
	}
}

func TestReadDeprecatedFunctions(t *testing.T) {
	r := read(t, withMessages(hello, `,"functions":[{"name":"f","description":"d","parameters":{"a":1}}],`+
		`"function_call":{"name":"f"}`))
	if !r.Legacy || len(r.Tools) != 1 || r.Tools[0].Name != "f" || string(r.Tools[0].Schema) != `{"a":1}` ||
		r.Choice.Mode != llm.ChoiceNamed || r.Choice.Names[0].Name != "f" || r.Choice.Parallel == nil ||
		*r.Choice.Parallel {
		t.Errorf("got %+v", r)
	}
}

func TestReadCursorSendsResponsesBody(t *testing.T) {
	r := new(llm.Request)
	body := `{"model":"m","input":[{"role":"user","content":"hi"}],"tools":[{"type":"function","name":"f"}],` +
		`"temperature":"x"}`
	if err := ReadRequest([]byte(body), r); err != ErrResponsesShape {
		t.Errorf("got %v, want ErrResponsesShape", err)
	}
	if err := ReadRequest([]byte(withMessages(hello, `,"input":[]`)), r); err != nil {
		t.Errorf("with messages: got %v", err)
	}
}

func TestReadErrorsNameTheField(t *testing.T) {
	for _, c := range []struct{ body, param, code string }{
		{`[]`, "", "invalid_json"},
		{`{"model":"m"`, "", "invalid_json"},
		{`{}`, "model", "missing_required_parameter"},
		{`{"model":5,"messages":[]}`, "model", "invalid_type"},
		{`{"model":"m"}`, "messages", "missing_required_parameter"},
		{`{"model":"m","messages":[]}`, "messages", "missing_required_parameter"},
		{`{"model":"m","messages":{}}`, "messages", "invalid_type"},
		{withMessages(`5`, ""), "messages[0]", "invalid_type"},
		{withMessages(hello+`,{"content":"x"}`, ""), "messages[1].role", "missing_required_parameter"},
		{withMessages(`{"role":"robot","content":"x"}`, ""), "messages[0].role", "invalid_value"},
		{withMessages(`{"role":"user"}`, ""), "messages[0].content", "missing_required_parameter"},
		{withMessages(`{"role":"user","content":5}`, ""), "messages[0].content", "invalid_type"},
		{withMessages(`{"role":"user","content":"\q"}`, ""), "messages[0].content", "invalid_value"},
		{withMessages(`{"role":"user","content":[5]}`, ""), "messages[0].content[0]", "invalid_type"},
		{withMessages(`{"role":"user","content":[{"text":"x"}]}`, ""), "messages[0].content[0].type",
			"missing_required_parameter"},
		{withMessages(`{"role":"user","content":[{"type":"video"}]}`, ""), "messages[0].content[0].type", "invalid_value"},
		{withMessages(`{"role":"user","content":[{"type":"image_url","image_url":{"url":5}}]}`, ""),
			"messages[0].content[0].image_url.url", "invalid_type"},
		{withMessages(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}`, ""),
			"messages[0].content[0].image_url.url", "invalid_value"},
		{withMessages(`{"role":"user","content":[{"type":"image_url"}]}`, ""), "messages[0].content[0].image_url",
			"missing_required_parameter"},
		{withMessages(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"A"}}]}`, ""),
			"messages[0].content[0].input_audio.format", "missing_required_parameter"},
		{withMessages(`{"role":"user","content":[{"type":"file","file":{}}]}`, ""),
			"messages[0].content[0].file.file_data", "missing_required_parameter"},
		{withMessages(`{"role":"user","content":[{"type":"file","file":{"file_data":"data:text/plain;base64,@"}}]}`,
			""), "messages[0].content[0].file.file_data", "invalid_value"},
		{withMessages(`{"role":"assistant","content":[{"type":"image_url","image_url":"https://h"}]}`, ""),
			"messages[0].content[0].type", "invalid_value"},
		{withMessages(`{"role":"system","content":[{"type":"refusal","refusal":"x"}]}`, ""),
			"messages[0].content[0].type", "invalid_value"},
		{withMessages(`{"role":"assistant","tool_calls":{}}`, ""), "messages[0].tool_calls", "invalid_type"},
		{withMessages(`{"role":"assistant","tool_calls":[{"id":"x"}]}`, ""), "messages[0].tool_calls[0].function",
			"missing_required_parameter"},
		{withMessages(`{"role":"assistant","tool_calls":[{"function":{"arguments":"{}"}}]}`, ""),
			"messages[0].tool_calls[0].function.name", "missing_required_parameter"},
		{withMessages(`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":[]}}]}`, ""),
			"messages[0].tool_calls[0].function.arguments", "invalid_type"},
		{withMessages(`{"role":"assistant","tool_calls":[{"custom":{"input":"x"}}]}`, ""),
			"messages[0].tool_calls[0].custom.name", "missing_required_parameter"},
		{withMessages(`{"role":"tool","content":"x"}`, ""), "messages[0].tool_call_id", "missing_required_parameter"},
		{withMessages(`{"role":"tool","tool_call_id":"x"}`, ""), "messages[0].content", "missing_required_parameter"},
		{withMessages(`{"role":"assistant","reasoning_details":[5]}`, ""), "messages[0].reasoning_details[0]",
			"invalid_type"},
		{withMessages(hello, `,"temperature":"hot"`), "temperature", "invalid_type"},
		{withMessages(hello, `,"temperature":1e999`), "temperature", "invalid_value"},
		{withMessages(hello, `,"top_p":1.1`), "top_p", "invalid_value"},
		{withMessages(hello, `,"n":0`), "n", "invalid_value"},
		{withMessages(hello, `,"max_tokens":0`), "max_tokens", "invalid_value"},
		{withMessages(hello, `,"max_completion_tokens":"7"`), "max_completion_tokens", "invalid_type"},
		{withMessages(hello, `,"stop":5`), "stop", "invalid_type"},
		{withMessages(hello, `,"stop":["a",5]`), "stop[1]", "invalid_type"},
		{withMessages(hello, `,"logprobs":1`), "logprobs", "invalid_type"},
		{withMessages(hello, `,"top_logprobs":21`), "top_logprobs", "invalid_value"},
		{withMessages(hello, `,"reasoning_effort":"huge"`), "reasoning_effort", "invalid_value"},
		{withMessages(hello, `,"reasoning":{"effort":"huge"}`), "reasoning.effort", "invalid_value"},
		{withMessages(hello, `,"thinking":{"type":"x"}`), "thinking.type", "invalid_value"},
		{withMessages(hello, `,"verbosity":"x"`), "verbosity", "invalid_value"},
		{withMessages(hello, `,"response_format":{}`), "response_format.type", "missing_required_parameter"},
		{withMessages(hello, `,"response_format":{"type":"json_schema"}`), "response_format.json_schema",
			"missing_required_parameter"},
		{withMessages(hello, `,"response_format":{"type":"json_schema","json_schema":{"schema":5}}`),
			"response_format.json_schema.schema", "invalid_type"},
		{withMessages(hello, `,"tools":{}`), "tools", "invalid_type"},
		{withMessages(hello, `,"tools":[5]`), "tools[0]", "invalid_type"},
		{withMessages(hello, `,"tools":[{}]`), "tools[0].type", "missing_required_parameter"},
		{withMessages(hello, `,"tools":[{"type":"function","function":{}}]`), "tools[0].function.name",
			"missing_required_parameter"},
		{withMessages(hello, `,"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`),
			"tools[0].function.parameters", "invalid_type"},
		{withMessages(hello, `,"tools":[{"type":"custom","custom":{"name":"c",`+
			`"format":{"grammar":{"definition":5}}}}]`), "tools[0].custom.format.grammar.definition", "invalid_type"},
		{withMessages(hello, `,"tool_choice":"any"`), "tool_choice", "invalid_value"},
		{withMessages(hello, `,"tool_choice":5`), "tool_choice", "invalid_type"},
		{withMessages(hello, `,"tool_choice":{"type":"function"}`), "tool_choice.name", "missing_required_parameter"},
		{withMessages(hello, `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}`),
			"tool_choice.allowed_tools.tools", "missing_required_parameter"},
		{withMessages(hello, `,"functions":[{}]`), "functions[0].name", "missing_required_parameter"},
		{withMessages(hello, `,"function_call":{}`), "function_call.name", "missing_required_parameter"},
		{withMessages(hello, `,"stream_options":{"include_usage":1}`), "stream_options.include_usage", "invalid_type"},
		{withMessages(hello, `,"web_search_options":{"search_context_size":"x"}`),
			"web_search_options.search_context_size", "invalid_value"},
		{withMessages(hello, `,"metadata":"x"`), "metadata", "invalid_type"},
	} {
		err := ReadRequest([]byte(c.body), new(llm.Request))
		switch {
		case err == nil:
			t.Errorf("%s: no error", c.body)
		case err.Param != c.param || err.Code != c.code || err.Kind != llm.InvalidRequest:
			t.Errorf("%s: got %q %q, want %q %q", c.body, err.Param, err.Code, c.param, c.code)
		case c.param != "" && !strings.Contains(err.Message, c.param):
			t.Errorf("%s: message %q does not name the field", c.body, err.Message)
		}
	}
}

func TestReadSurvivesHostileBodies(t *testing.T) {
	deep := strings.Repeat("[", 100000) + strings.Repeat("]", 100000)
	for name, body := range map[string]string{
		"deep nesting":     withMessages(hello, `,"x":`+deep),
		"invalid UTF-8":    withMessages("{\"role\":\"user\",\"content\":\"\xff\xfe\"}", ""),
		"half a surrogate": withMessages(`{"role":"user","content":"\ud83d"}`, ""),
		"huge number":      withMessages(hello, `,"seed":`+strings.Repeat("9", 5000)),
		"many unanswered calls": withMessages(`{"role":"assistant","tool_calls":[`+strings.Repeat(`{"id":"a",`+
			`"function":{"name":"f"}},`, 3000)+
			`{"id":"b","function":{"name":"f"}}]}`, ""),
	} {
		t.Run(name, func(*testing.T) { _ = ReadRequest([]byte(body), new(llm.Request)) })
	}
}
