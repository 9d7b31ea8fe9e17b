package responses

import (
	"slices"
	"strings"
	"testing"

	"octopus/codec/llm"
)

func read(t testing.TB, body string) *llm.Request {
	t.Helper()
	r := new(llm.Request)
	if err := ReadRequest([]byte(body), r); err != nil {
		t.Fatalf("ReadRequest(%s): %s: %s", body, err.Param, err.Message)
	}
	return r
}

func TestReadConversation(t *testing.T) {
	f := func(name, members, want string) {
		t.Helper()
		r := read(t, `{"model":"m",`+members+`}`)
		if got := strings.TrimSuffix(describe(r), "\n"); got != want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, want)
		}
	}
	f("a plain text", `"input":"hi","instructions":"be \u00e9"`, "system: text(be é)\ninput[0] user: text(hi)")
	f("leading system texts follow the instructions", `"instructions":"a","input":[{"role":"system","content":"b"},
		{"role":"developer","content":[{"type":"input_text","text":"c","prompt_cache_breakpoint":{"mode":"explicit"}}]},{"role":"user","content":"d"}]`,
		"system: text(a)\nsystem: text(b)\nsystem: text(c cache=short)\ninput[2] user: text(d)")
	f("a later system text stays in place", `"input":[{"role":"user","content":"a"},{"role":"developer","content":"b"},{"role":"user","content":"c"}]`,
		"input[0] user: text(a)\ninput[1] system: text(b)\ninput[2] user: text(c)")
	f("what the model does becomes one turn, in order", `"input":[{"role":"user","content":"q"},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"x"},{"type":"summary_text","text":"y"}],"encrypted_content":"E"},
		{"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"t","annotations":[{"type":"url_citation","url":"http://u","title":"T","start_index":0,"end_index":1}]},{"type":"refusal","refusal":"no"}]},
		{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","namespace":"n","arguments":"{\"a\":1.0}"},
		{"type":"custom_tool_call","call_id":"c2","name":"g","input":"raw"},
		{"type":"function_call_output","call_id":"c1","output":"[tool_error] bad"},
		{"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"o"},{"type":"input_image","image_url":"https://i/x.png"}]},
		{"role":"user","content":"next"}]`,
		"input[0] user: text(q)\n"+
			"input[1] assistant: thought(x\n\ny id=rs_1 seal=E summary) text(t id=msg_1 phase=commentary cites=http://u) refusal(no id=msg_1 phase=commentary)"+
			" call(id=fc_1 call=c1 ns=n name=f args={\"a\":1.0}) call(raw call=c2 name=g custom)\n"+
			"input[5] user: result(call=c1 error text(bad)) result(call=c2 custom text(o) image(url=https://i/x.png)) text(next)")
	f("a result that comes late goes behind its call", `"input":[{"type":"function_call","call_id":"a","name":"f","arguments":""},
		{"type":"function_call","call_id":"b","name":"f","arguments":""},{"type":"function_call_output","call_id":"a","output":"1"},
		{"role":"assistant","content":"thinking"},{"type":"function_call_output","call_id":"b","output":"2"}]`,
		"input[0] assistant: call(call=a name=f) call(call=b name=f)\ninput[2] user: result(call=a text(1)) result(call=b text(2))\n"+
			"input[3] assistant: text(thinking)")
	f("a developer's text does not part a call from its result", `"input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
		{"role":"developer","content":"d"},{"type":"function_call_output","call_id":"a","output":"1"}]`,
		"input[0] assistant: call(call=a name=f args={})\ninput[2] user: result(call=a text(1))\ninput[1] system: text(d)")
	f("calls without ids are paired by their order", `"input":[{"role":"user","content":"q"},{"type":"function_call","name":"f","arguments":"{}"},
		{"type":"function_call","name":"g","arguments":"{}"},{"type":"function_call_output","output":"1"},{"type":"function_call_output","output":"2"}]`,
		"input[0] user: text(q)\ninput[1] assistant: call(call=call_1_0 name=f args={}) call(call=call_1_1 name=g args={})\n"+
			"input[3] user: result(call=call_1_0 text(1)) result(call=call_1_1 text(2))")
	f("media", `"input":[{"role":"user","content":[
		{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"high"},{"type":"input_image","file_id":"file-1"},
		{"type":"input_image","image_url":{"url":"http://x/y"}},
		{"type":"input_file","file_data":"data:application/pdf;base64,JVBE","filename":"a.pdf"},{"type":"input_file","file_data":"aGk=","filename":"a.txt"},
		{"type":"input_file","file_url":"https://x/z.pdf"},{"type":"input_file","file_id":"file-2"}]}]`,
		"input[0] user: image(type=image/png data=AAAA detail=high) image(file=file-1) image(url=http://x/y)"+
			" file(type=application/pdf data=JVBE title=a.pdf) file(type=text/plain title=a.txt plain=hi) file(url=https://x/z.pdf) file(file=file-2)")
	f("cache marks of both kinds", `"input":[{"role":"user","content":[{"type":"input_text","text":"a","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}},
		{"type":"input_text","text":"b","cache_control":{"type":"ephemeral"}}]}]`,
		"input[0] user: text(a cache=long) text(b cache=short)")
	f("a cache mark of a whole message", `"input":[{"role":"user","cache_control":{"type":"ephemeral","ttl":"1h"},"content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]}]`,
		"input[0] user: text(a) text(b cache=long)")
	f("instructions of an earlier answer, as a list", `"instructions":[{"role":"developer","content":"a"}],"input":[{"role":"system","content":"b"},{"role":"user","content":"c"}]`,
		"system: text(a)\nsystem: text(b)\ninput[1] user: text(c)")
	f("a reference without a type", `"input":[{"id":"msg_1"}]`, "input[0] assistant: reference(id=msg_1)")
	f("a tool search that the provider ran", `"input":[{"type":"tool_search_call","execution":"server","id":"ts_1"},{"type":"tool_search_output","execution":"server","tools":[]}]`,
		"input[0] assistant: hosted(id=ts_1 name=tool_search) hosted(name=tool_search)")
	f("a search by several queries, or none", `"input":[{"type":"web_search_call","action":{"queries":["a","b"]}},{"type":"web_search_call","action":{"type":"open_page"}}]`,
		"input[0] assistant: hosted(name=web_search args={\"query\":\"a\"}) hosted(name=web_search args={})")
	f("a result without an id or a call", `"input":[{"type":"function_call_output","output":""}]`, "input[0] user: result(call=call_0_0 text())")
	f("files by the endings of their names", `"input":[{"role":"user","content":[{"type":"input_file","file_data":"AA==","filename":"a.docx"},{"type":"input_file","file_data":"AA==","filename":"a.XLSX"},
		{"type":"input_file","file_data":"AA==","filename":"a.pptx"},{"type":"input_file","file_data":"AA==","filename":"a.json"},{"type":"input_file","file_data":"YQ==","filename":"a.md"},
		{"type":"input_file","file_data":"YQ==","filename":"a.csv"},{"type":"input_file","file_data":"YQ==","filename":"a.htm"},{"type":"input_file","file_data":"AA=="}]}]`,
		"input[0] user: file(type=application/vnd.openxmlformats-officedocument.wordprocessingml.document data=AA== title=a.docx)"+
			" file(type=application/vnd.openxmlformats-officedocument.spreadsheetml.sheet data=AA== title=a.XLSX)"+
			" file(type=application/vnd.openxmlformats-officedocument.presentationml.presentation data=AA== title=a.pptx)"+
			" file(type=application/json data=AA== title=a.json) file(type=text/markdown title=a.md plain=a) file(type=text/csv title=a.csv plain=a)"+
			" file(type=text/html title=a.htm plain=a) file(type=application/pdf data=AA==)")
	f("items of hosted tools, references and what nobody else knows", `"input":[{"type":"item_reference","id":"msg_9"},
		{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}},
		{"type":"file_search_call","id":"fs_1"},{"type":"compaction","encrypted_content":"x"},{"type":"mcp_approval_response"},
		{"type":"agent_message","content":[{"type":"input_text","text":"from another"}]}]`,
		"input[0] assistant: reference(id=msg_9) hosted(id=ws_1 name=web_search args={\"query\":\"q\"}) hosted(id=fs_1 name=file_search)"+
			"\ninput[3] assistant: opaque(name=compaction)\ninput[4] user: opaque(name=mcp_approval_response)\ninput[5] system: text(from another name=agent_message)")
	f("a tool search is a call", `"input":[{"type":"tool_search_call","call_id":"c","execution":"client","arguments":{"query":"x"}},
		{"type":"tool_search_output","call_id":"c","execution":"client","tools":[{"type":"function","name":"found","parameters":{}}]}]`,
		"input[0] assistant: call(call=c name=tool_search args={\"query\":\"x\"})\ninput[1] user: result(call=c name=tool_search text(Tools found: found))")
	f("the last of members with one name counts", `"input":"a","input":"b"`, "input[0] user: text(b)")
	f("reasoning told in full", `"input":[{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"all"}]}]`,
		"input[0] assistant: thought(all)")
}

func TestReadTools(t *testing.T) {
	f := func(name, members, want string) {
		t.Helper()
		if got := describeTools(read(t, `{"model":"m","input":"x",`+members+`}`)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	f("functions, flat and nested", `"tools":[{"type":"function","name":"f","parameters":{"z":1,"a":2},"strict":true},
		{"type":"function","function":{"name":"g","parameters":null}}]`, `function f {"z":1,"a":2} strict=true; function g`)
	f("custom tools, flat and nested", `"tools":[{"type":"custom","name":"c","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
		{"type":"custom","custom":{"name":"d","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a+"}}}},
		{"type":"custom","name":"e","format":{"type":"text"}}]`, "custom c lark=start: x; custom d regex=a+; custom e")
	f("a namespace", `"tools":[{"type":"namespace","name":"n","description":"d","tools":[{"type":"function","name":"f"},{"type":"custom","name":"g"}]}]`,
		"function n/f; custom n/g")
	f("hosted tools of any version", `"tools":[{"type":"web_search_2099_01_01"},{"type":"mcp","server_label":"s"},{"type":"file_search"},
		{"type":"tool_search","execution":"client"},{"type":"tool_search"}]`,
		"search web_search; remote s; other file_search; toolsearch tool_search; other tool_search")
	body := `{"model":"m","tools":[{"type":"function","name":"f","parameters":{"top":1}}],"input":[
		{"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"f","parameters":{"late":1}},{"type":"function","name":"g"}]}]}`
	if got, want := describeTools(read(t, body)), `function f {"top":1}; function g`; got != want {
		t.Errorf("additional tools: got %s, want %s", got, want)
	}
}

func TestReadScalars(t *testing.T) {
	r := read(t, `{"model":"gpt-5.6","input":"x","max_output_tokens":100,"temperature":0.70,"top_p":1,"top_logprobs":3,
		"parallel_tool_calls":false,"store":false,"stream":true,"metadata":{"k":"v"},"user":"u","safety_identifier":"s","service_tier":"flex",
		"previous_response_id":"resp_1","prompt_cache_key":"k","prompt_cache_options":{"prewarm":true},"max_tool_calls":7,
		"reasoning":{"effort":"xhigh","summary":"auto","context":"all_turns"},"truncation":"auto","background":false,"vendor":[1],
		"include":["reasoning.encrypted_content","message.output_text.logprobs","web_search_call.results"],
		"text":{"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}},
		"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"web_search"}]}}`)
	f := func(name string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	s := &r.Sampling
	f("model", r.Model, "gpt-5.6")
	f("max_output_tokens", *s.MaxTokens, int64(100))
	f("temperature is kept as written", string(s.Temperature), "0.70")
	f("top_logprobs", *s.TopLogprobs, int64(3))
	f("logprobs", s.Logprobs, true)
	f("verbosity", s.Verbosity, "low")
	f("parallel", *r.Choice.Parallel, false)
	f("store", *r.Store, false)
	f("stream", r.Stream, true)
	f("metadata", string(r.Metadata), `{"k":"v"}`)
	f("safety_identifier wins over user", r.User, "s")
	f("tier", r.ServiceTier, "flex")
	f("previous", r.PreviousResponseID, "resp_1")
	f("cache key", r.Cache.Key, "k")
	f("prewarm", r.Cache.Prewarm, true)
	f("max_tool_calls", *r.MaxToolCalls, int64(7))
	f("reasoning", r.Reasoning, llm.Reasoning{Effort: llm.EffortXHigh, Summary: "auto", Context: "all_turns", Encrypted: true})
	f("format", r.Format.Kind == llm.FormatSchema && r.Format.Name == "n" && *r.Format.Strict && string(r.Format.Schema) == `{"type":"object"}`, true)
	f("choice", r.Choice.Mode == llm.ChoiceAllowed && r.Choice.Required && len(r.Choice.Names) == 2 &&
		r.Choice.Names[0] == llm.ToolName{Name: "f"} && r.Choice.Names[1] == llm.ToolName{Kind: llm.SearchTool, Name: "web_search"}, true)
	var extra []string
	for _, field := range r.Extra {
		extra = append(extra, field.Name+"="+string(field.Value))
	}
	f("extra", strings.Join(extra, " "),
		`vendor=[1] truncation="auto" include=["reasoning.encrypted_content","message.output_text.logprobs","web_search_call.results"]`)
}

func TestReadChoice(t *testing.T) {
	f := func(choice string, mode llm.ChoiceMode, names ...llm.ToolName) {
		t.Helper()
		c := read(t, `{"model":"m","input":"x","tool_choice":`+choice+`}`).Choice
		if c.Mode != mode || !slices.Equal(c.Names, names) {
			t.Errorf("%s: got %+v, want mode %d of %v", choice, c, mode, names)
		}
	}
	f(`"none"`, llm.ChoiceNone)
	f(`"auto"`, llm.ChoiceAuto)
	f(`"required"`, llm.ChoiceRequired)
	f(`null`, llm.ChoiceUnset)
	f(`{"type":"function","name":"f","namespace":"n"}`, llm.ChoiceNamed, llm.ToolName{Namespace: "n", Name: "f"})
	f(`{"type":"function","function":{"name":"f"}}`, llm.ChoiceNamed, llm.ToolName{Name: "f"})
	f(`{"type":"custom","name":"f"}`, llm.ChoiceNamed, llm.ToolName{Kind: llm.CustomTool, Name: "f"})
	f(`{"type":"web_search_preview"}`, llm.ChoiceNamed, llm.ToolName{Kind: llm.SearchTool, Name: "web_search"})
	f(`{"type":"mcp","server_label":"s"}`, llm.ChoiceNamed, llm.ToolName{Kind: llm.RemoteTool, Name: "s"})
	f(`{"type":"tool_search"}`, llm.ChoiceNamed, llm.ToolName{Kind: llm.ToolSearchTool, Name: "tool_search"})
	f(`{"type":"shell"}`, llm.ChoiceNamed, llm.ToolName{Kind: llm.OtherTool, Name: "shell"})
	f(`{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","name":"f"}]}}`, llm.ChoiceAllowed, llm.ToolName{Name: "f"})
}

func TestReadSearchTool(t *testing.T) {
	s := read(t, `{"model":"m","input":"x","tools":[{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate","city":"B"},
		"filters":{"allowed_domains":["a"],"blocked_domains":["b"]}}]}`).Tools[0].Search
	got := []string{s.ContextSize, string(s.Location), string(s.AllowedDomains), string(s.BlockedDomains)}
	if want := []string{"low", `{"type":"approximate","city":"B"}`, `["a"]`, `["b"]`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadState(t *testing.T) {
	for body, want := range map[string]string{`"conv_1"`: "conv_1", `{"id":"conv_2"}`: "conv_2"} {
		if got := read(t, `{"model":"m","conversation":`+body+`}`).Conversation; got != want {
			t.Errorf("got the conversation %q, want %q", got, want)
		}
	}
	r := read(t, `{"model":"m","input":"x","metadata":{"user_id":"u"},"reasoning":{"generate_summary":"concise","mode":"pro"}}`)
	if r.User != "u" || r.Reasoning.Summary != "concise" || r.Reasoning.Mode != "pro" {
		t.Errorf("got the user %q and %+v", r.User, r.Reasoning)
	}
	r = read(t, `{"model":"m","input":[{"role":"user","content":"x"},{"type":"configuration_update","reasoning":{"effort":"low"}}],"reasoning":{"effort":"high"}}`)
	if r.Reasoning.Effort != llm.EffortLow {
		t.Errorf("got the effort %s, want the update's", r.Reasoning.Effort)
	}
}

func TestReadDefaultsAreNotExtra(t *testing.T) {
	r := read(t, `{"model":"m","input":"x","truncation":"disabled","background":false,"stream_options":{"include_obfuscation":false},
		"include":["reasoning.encrypted_content"],"conversation":null,"unknown":null}`)
	if len(r.Extra) > 0 {
		t.Errorf("got %v, want nothing", r.Extra)
	}
}

func TestReadRefusesWhatIsMalformed(t *testing.T) {
	f := func(body, param, code string) {
		t.Helper()
		err := ReadRequest([]byte(body), new(llm.Request))
		switch {
		case err == nil:
			t.Errorf("%s: got no error, want one about %s", body, param)
		case err.Param != param || err.Code != code || err.Kind != llm.InvalidRequest:
			t.Errorf("%s: got %s about %q (%s), want %s about %q", body, err.Code, err.Param, err.Message, code, param)
		case param != "" && !strings.Contains(err.Message, "`"+param+"`"):
			t.Errorf("%s: the message %q does not name the field", body, err.Message)
		}
	}
	f(`[]`, "", "invalid_json")
	f(`{"model":"m","input":"x"`, "", "invalid_json")
	f(`{"input":"x"}`, "model", codeMissing)
	f(`{"model":1,"input":"x"}`, "model", codeType)
	f(`{"model":"m"}`, "input", codeMissing)
	f(`{"model":"m","input":7}`, "input", codeType)
	f(`{"model":"m","input":"\q"}`, "input", codeValue)
	f(`{"model":"m","input":[1]}`, "input[0]", codeType)
	f(`{"model":"m","input":[{}]}`, "input[0].type", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":"a"},{"role":"robot","content":"a"}]}`, "input[1].role", codeValue)
	f(`{"model":"m","input":[{"role":"user"}]}`, "input[0].content", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text"}]}]}`, "input[0].content[1].text", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_audio"}]}]}`, "input[0].content[0].type", codeUnsupportedValue)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"ftp://x"}]}]}`, "input[0].content[0].image_url", codeValue)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_file","filename":"a.txt","file_data":"***"}]}]}`, "input[0].content[0].file_data", codeValue)
	f(`{"model":"m","input":[{"role":"system","content":[{"type":"input_image","image_url":"http://x"}]}]}`, "input[0].content", codeUnsupportedValue)
	f(`{"model":"m","input":[{"type":"function_call","call_id":"c","arguments":"{}"}]}`, "input[0].name", codeMissing)
	f(`{"model":"m","input":[{"type":"function_call","call_id":"c","name":"f","arguments":{}}]}`, "input[0].arguments", codeType)
	f(`{"model":"m","input":[{"type":"function_call_output","call_id":"c"}]}`, "input[0].output", codeMissing)
	f(`{"model":"m","input":[{"type":"item_reference"}]}`, "input[0].id", codeMissing)
	f(`{"model":"m","input":[{"type":"reasoning","summary":"x"}]}`, "input[0].summary", codeType)
	f(`{"model":"m","input":[{"type":"reasoning","summary":[{"text":1}]}]}`, "input[0].summary[0].text", codeType)
	f(`{"model":"m","input":"x","temperature":"hot"}`, "temperature", codeType)
	f(`{"model":"m","input":"x","max_output_tokens":"many"}`, "max_output_tokens", codeType)
	f(`{"model":"m","input":"x","store":"yes"}`, "store", codeType)
	f(`{"model":"m","input":"x","metadata":[]}`, "metadata", codeType)
	f(`{"model":"m","input":"x","text":{"format":{"type":"xml"}}}`, "text.format.type", codeValue)
	f(`{"model":"m","input":"x","text":{"format":{"type":"json_schema"}}}`, "text.format.schema", codeMissing)
	f(`{"model":"m","input":"x","reasoning":{"effort":"huge"}}`, "reasoning.effort", codeValue)
	f(`{"model":"m","input":"x","include":[1]}`, "include[0]", codeType)
	f(`{"model":"m","input":"x","tools":[{"type":"function"}]}`, "tools[0].name", codeMissing)
	f(`{"model":"m","input":"x","tools":[{"name":"f"}]}`, "tools[0].type", codeMissing)
	f(`{"model":"m","input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"function"}]}]}`, "tools[0].tools[0].name", codeMissing)
	f(`{"model":"m","input":"x","tools":{}}`, "tools", codeType)
	f(`{"model":"m","input":"x","tool_choice":"any"}`, "tool_choice", codeValue)
	f(`{"model":"m","input":"x","tool_choice":{"type":"function"}}`, "tool_choice.name", codeMissing)
	f(`{"model":"m","input":"x","tool_choice":{"type":"allowed_tools"}}`, "tool_choice.tools", codeMissing)
	f(`{"model":"m","input":"x","previous_response_id":"a","conversation":"b"}`, "conversation", codeValue)
	f(`{"model":"m","input":"x","conversation":7}`, "conversation", codeType)
	f(`{"model":"m","input":"x","instructions":7}`, "instructions", codeType)
	f(`{"model":"m","input":"x","instructions":[{}]}`, "instructions[0].type", codeMissing)
	f(`{"model":"m","input":[{"type":"message","role":7,"content":"x"}]}`, "input[0].role", codeType)
	f(`{"model":"m","input":[{"role":"","content":"x"}]}`, "input[0].role", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":"\q"}]}`, "input[0].content", codeValue)
	f(`{"model":"m","input":[{"role":"user","content":7}]}`, "input[0].content", codeType)
	f(`{"model":"m","input":[{"role":"user","content":[7]}]}`, "input[0].content[0]", codeType)
	f(`{"model":"m","input":[{"role":"user","content":[{}]}]}`, "input[0].content[0].type", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":7}]}]}`, "input[0].content[0].type", codeType)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]}`, "input[0].content[0].image_url", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"https://x","detail":7}]}]}`, "input[0].content[0].detail", codeType)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":7}]}]}`, "input[0].content[0].image_url", codeType)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_file"}]}]}`, "input[0].content[0].file_data", codeMissing)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_data":"data:text/plain,hi"}]}]}`, "input[0].content[0].file_data", codeValue)
	f(`{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_url":"x"}]}]}`, "input[0].content[0].file_url", codeValue)
	f(`{"model":"m","input":[{"type":"custom_tool_call","name":"f","input":{}}]}`, "input[0].input", codeType)
	f(`{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":[{"type":"x"}]}]}`, "input[0].output[0].type", codeUnsupportedValue)
	f(`{"model":"m","input":[{"type":"reasoning","encrypted_content":7}]}`, "input[0].encrypted_content", codeType)
	f(`{"model":"m","input":[{"type":"configuration_update","reasoning":{"effort":"x"}}]}`, "input[0].reasoning.effort", codeValue)
	f(`{"model":"m","input":[{"type":"additional_tools","tools":[{}]}]}`, "input[0].tools[0].type", codeMissing)
	f(`{"model":"m","input":"x","text":7}`, "text", codeType)
	f(`{"model":"m","input":"x","text":{"format":7}}`, "text.format", codeType)
	f(`{"model":"m","input":"x","text":{"format":{"type":"json_schema","schema":[]}}}`, "text.format.schema", codeType)
	f(`{"model":"m","input":"x","reasoning":7}`, "reasoning", codeType)
	f(`{"model":"m","input":"x","reasoning":{"summary":7}}`, "reasoning.summary", codeType)
	f(`{"model":"m","input":"x","include":7}`, "include", codeType)
	f(`{"model":"m","input":"x","tools":[7]}`, "tools[0]", codeType)
	f(`{"model":"m","input":"x","tools":[{"type":"function","name":"f","strict":7}]}`, "tools[0].strict", codeType)
	f(`{"model":"m","input":"x","tools":[{"type":"function","function":{"name":7}}]}`, "tools[0].function.name", codeType)
	f(`{"model":"m","input":"x","tools":[{"type":"custom","name":"f","format":{"type":"grammar","definition":7}}]}`, "tools[0].format.definition", codeType)
	f(`{"model":"m","input":"x","tools":[{"type":"mcp"}]}`, "tools[0].name", codeMissing)
	f(`{"model":"m","input":"x","tools":[{"type":"namespace","tools":[]}]}`, "tools[0].name", codeMissing)
	f(`{"model":"m","input":"x","tool_choice":7}`, "tool_choice", codeType)
	f(`{"model":"m","input":"x","tool_choice":{}}`, "tool_choice.type", codeMissing)
	f(`{"model":"m","input":"x","tool_choice":{"type":7}}`, "tool_choice.type", codeType)
	f(`{"model":"m","input":"x","tool_choice":{"type":"allowed_tools","mode":"x","tools":[]}}`, "tool_choice.mode", codeValue)
	f(`{"model":"m","input":"x","tool_choice":{"type":"allowed_tools","tools":[{}]}}`, "tool_choice.tools[0].type", codeMissing)
}

func TestReadStaysBounded(t *testing.T) {
	f := func(body, param string) {
		t.Helper()
		if err := ReadRequest([]byte(body), new(llm.Request)); err == nil || err.Param != param {
			t.Errorf("got %v, want an error about %q", err, param)
		}
	}
	f(`{"model":"m","input":"x","tools":[`+strings.Repeat(`{"type":"function","name":"f"},`, maxTools)+`{"type":"function","name":"f"}]}`, "tools[4096]")
	var unknown strings.Builder
	for range maxUnknown + 1 {
		unknown.WriteString(`,"x":1`)
	}
	f(`{"model":"m","input":"x"`+unknown.String()+`}`, "")
	f(`{"model":"m","input":`+strings.Repeat("[", 100_000)+`}`, "")
}
