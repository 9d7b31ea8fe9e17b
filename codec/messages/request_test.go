package messages

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// read reads a body that must be right.
func read(t *testing.T, text string) *llm.Request {
	t.Helper()
	var r llm.Request
	if err := ReadRequest([]byte(text), &r); err != nil {
		t.Fatalf("got error %q at %q", err.Message, err.Param)
	}
	return &r
}

func TestReadScalars(t *testing.T) {
	r := read(t, `{"model":"claude-x","max_tokens":12,"temperature":0.70,"top_p":null,"top_k":5,"stop_sequences":["a","\u0062"],
		"stream":true,"service_tier":"standard_only","speed":"fast","metadata":{"user_id":"u1"},
		"cache_control":{"type":"ephemeral","ttl":"1h"},"thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"},
		"output_config":{"effort":"xhigh","task_budget":{"total":5},"format":{"type":"json_schema","schema":{"type":"object"}}},
		"container":"c1","inference_geo":null,"thread":{"type":"create"},"messages":[{"role":"user","content":"hi"}]}`)
	f := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	f("protocol", r.Protocol, llm.Messages)
	f("model", r.Model, "claude-x")
	f("max_tokens", *r.Sampling.MaxTokens, int64(12))
	f("temperature", string(r.Sampling.Temperature), "0.70")
	f("top_p", r.Sampling.TopP == nil, true)
	f("top_k", string(r.Sampling.TopK), "5")
	f("stop", strings.Join(r.Sampling.Stop, "|"), "a|b")
	f("stream", r.Stream, true)
	f("tier", r.ServiceTier, "standard_only")
	f("speed", r.Speed, "fast")
	f("user", r.User, "u1")
	f("metadata", r.Metadata == nil, true)
	f("auto cache", r.Cache.Auto, llm.CacheLong)
	f("thinking", r.Reasoning.Thinking, llm.ThinkingBudget)
	f("budget", r.Reasoning.Budget, int64(2048))
	f("display", r.Reasoning.Display, "omitted")
	f("effort", r.Reasoning.Effort, llm.EffortXHigh)
	f("format", r.Format.Kind, llm.FormatSchema)
	f("schema", string(r.Format.Schema), `{"type":"object"}`)
	names := ""
	for _, field := range r.Extra {
		names += field.Name + "=" + string(field.Value) + " "
	}
	f("extra", names, `container="c1" thread={"type":"create"} output_config.task_budget={"total":5} `)
}

func TestReadOutputFormatIsTheOlderName(t *testing.T) {
	r := read(t, `{"model":"m","max_tokens":1,"output_format":{"type":"json_schema","schema":{"a":1}},`+
		`"messages":[{"role":"user","content":"x"}]}`)
	if r.Format.Kind != llm.FormatSchema || string(r.Format.Schema) != `{"a":1}` {
		t.Errorf("got %+v", r.Format)
	}
}

func TestReadDuplicateNamesLastWins(t *testing.T) {
	r := read(t, `{"model":"a","model":"b","max_tokens":1,"max_tokens":2,"x":1,"x":2,"messages":[],`+
		`"messages":[{"role":"user","role":"assistant","content":"1","content":"2"}]}`)
	if r.Model != "b" || *r.Sampling.MaxTokens != 2 || len(r.Extra) != 1 || string(r.Extra[0].Value) != "2" {
		t.Errorf("got model %q, max_tokens %d, extra %v", r.Model, *r.Sampling.MaxTokens, r.Extra)
	}
	if len(r.Turns) != 1 || r.Turns[0].Role != llm.Assistant || string(r.Turns[0].Items[0].Text) != "2" {
		t.Errorf("got turns %+v", r.Turns)
	}
}

func TestReadMaxTokensZeroFillsTheCacheOnly(t *testing.T) {
	r := read(t, `{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]}`)
	if !r.Cache.Prewarm {
		t.Error("prewarm is not set")
	}
}

func TestReadBlocks(t *testing.T) {
	f := func(name, block string, check func(item *llm.Item) bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := read(t, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[`+block+`]}]}`)
			item := &r.Turns[0].Items[0]
			if string(item.Raw) != block || item.RawProtocol != llm.Messages {
				t.Errorf("raw is %s", item.Raw)
			}
			if !check(item) {
				t.Errorf("got %+v", item)
			}
		})
	}
	f("text", `{"type":"text","text":"a\nb","cache_control":{"type":"ephemeral"}}`, func(i *llm.Item) bool {
		return i.Kind == llm.Text && string(i.Text) == "a\nb" && i.Cache == llm.CacheShort
	})
	f("text with citations", `{"type":"text","text":"a","citations":[{"type":"web_search_result_location","url":"u",`+
		`"title":"t","cited_text":"c","encrypted_index":"e"}]}`, func(i *llm.Item) bool {
		return len(i.Citations) == 1 && i.Citations[0].URL == "u" && i.Citations[0].Title == "t" && i.Citations[0].Cited == "c"
	})
	f("image", `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}`, func(i *llm.Item) bool {
		return i.Kind == llm.Image && i.Media.Type == "image/png" && string(i.Media.Data) == "AA=="
	})
	f("image by address", `{"type":"image","source":{"type":"url","url":"https://x/y"}}`, func(i *llm.Item) bool {
		return i.Media.URL == "https://x/y"
	})
	f("image by file", `{"type":"image","source":{"type":"file","file_id":"f1"}}`, func(i *llm.Item) bool {
		return i.Media.FileID == "f1"
	})
	f("document", `{"type":"document","title":"T","context":"C","citations":{"enabled":true},`+
		`"source":{"type":"text","media_type":"text/plain","data":"body"}}`, func(i *llm.Item) bool {
		return i.Kind == llm.File && i.Media.Name == "T" && i.Media.Context == "C" && i.Media.Citations &&
			string(i.Media.Text) == "body"
	})
	f("document with content", `{"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},`+
		`{"type":"image","source":{"type":"url","url":"u"}},{"type":"text","text":"b"}]}}`, func(i *llm.Item) bool {
		return string(i.Media.Text) == "a\n\nb" && len(i.Parts) == 3 && i.Parts[1].Kind == llm.Image
	})
	f("search result", `{"type":"search_result","source":"https://s","title":"T","content":[{"type":"text","text":"a"}]}`,
		func(i *llm.Item) bool {
			return i.Kind == llm.File && i.Media.Name == "T" && i.Media.Context == "https://s" && string(i.Media.Text) == "a"
		})
	f("thinking", `{"type":"thinking","thinking":"hm","signature":"sig"}`, func(i *llm.Item) bool {
		return i.Kind == llm.Thought && string(i.Text) == "hm" && string(i.Seal) == "sig" && !i.Redacted
	})
	f("redacted thinking", `{"type":"redacted_thinking","data":"d"}`, func(i *llm.Item) bool {
		return i.Kind == llm.Thought && i.Redacted && string(i.Seal) == "d"
	})
	f("tool_use", `{"type":"tool_use","id":"c1","name":"f","input":{"n":9007199254740993}}`, func(i *llm.Item) bool {
		return i.Kind == llm.Call && i.CallID == "c1" && i.Name == "f" && string(i.Arguments) == `{"n":9007199254740993}`
	})
	f("tool_result", `{"type":"tool_result","tool_use_id":"c1","is_error":true,"content":[{"type":"text","text":"x"},`+
		`{"type":"image","source":{"type":"url","url":"u"}}]}`, func(i *llm.Item) bool {
		return i.Kind == llm.Result && i.CallID == "c1" && i.IsError && len(i.Parts) == 2 && i.Parts[1].Kind == llm.Image
	})
	f("tool_result without content", `{"type":"tool_result","tool_use_id":"c1"}`, func(i *llm.Item) bool {
		return i.Kind == llm.Result && len(i.Parts) == 0
	})
	f("server_tool_use", `{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"q"}}`,
		func(i *llm.Item) bool { return i.Kind == llm.Hosted && i.Name == "web_search" && i.CallID == "s1" })
	f("web_search_tool_result", `{"type":"web_search_tool_result","tool_use_id":"s1","content":[]}`,
		func(i *llm.Item) bool { return i.Kind == llm.Hosted && i.CallID == "s1" })
	f("something new", `{"type":"container_upload","file_id":"f"}`, func(i *llm.Item) bool {
		return i.Kind == llm.Opaque && i.Name == "container_upload"
	})
}

func TestReadTools(t *testing.T) {
	r := read(t, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[
		{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,"cache_control":{"type":"ephemeral"}},
		{"type":"custom","name":"g","input_schema":{"type":"object"}},
		{"type":"web_search_20990101","name":"web_search","max_uses":3,"allowed_domains":["a"],"user_location":{"city":"B"}},
		{"type":"bash_20250124","name":"bash"}],
		"mcp_servers":[{"type":"url","name":"srv","url":"https://s"}],
		"tool_choice":{"type":"tool","name":"g","disable_parallel_tool_use":true}}`)
	if len(r.Tools) != 5 {
		t.Fatalf("got %d tools", len(r.Tools))
	}
	if f := r.Tools[0]; f.Kind != llm.FunctionTool || f.Description != "d" || !*f.Strict || f.Cache != llm.CacheShort {
		t.Errorf("got %+v", f)
	}
	if g := r.Tools[1]; g.Kind != llm.FunctionTool || g.Name != "g" || g.Strict != nil {
		t.Errorf("got %+v", g)
	}
	// Versions are dates: maximhq/bifrost#4932.
	if s := r.Tools[2]; s.Kind != llm.SearchTool || *s.Search.MaxUses != 3 || string(s.Search.AllowedDomains) != `["a"]` ||
		string(s.Search.Location) != `{"city":"B"}` {
		t.Errorf("got %+v", s)
	}
	if b := r.Tools[3]; b.Kind != llm.OtherTool || b.Name != "bash_20250124" || b.Raw == nil {
		t.Errorf("got %+v", b)
	}
	if s := r.Tools[4]; s.Kind != llm.RemoteTool || s.Name != "srv" {
		t.Errorf("got %+v", s)
	}
	if c := r.Choice; c.Mode != llm.ChoiceNamed || c.Names[0].Name != "g" || *c.Parallel {
		t.Errorf("got %+v", c)
	}
}

func TestReadRolesInPlace(t *testing.T) {
	r := read(t, `{"model":"m","max_tokens":1,"system":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"messages":[
		{"role":"user","content":"x"},{"role":"system","content":"s"},{"role":"assistant","content":[]}]}`)
	if len(r.System) != 2 || string(r.System[1].Text) != "b" {
		t.Errorf("got system %+v", r.System)
	}
	if len(r.Turns) != 3 || r.Turns[1].Role != llm.System || r.Turns[2].Role != llm.Assistant {
		t.Errorf("got turns %+v", r.Turns)
	}
	if p := r.Turns[1].Path; p.List != "messages" || p.Index != 1 {
		t.Errorf("got path %+v", p)
	}
}

func TestReadRefuses(t *testing.T) {
	message := func(content string) string {
		return `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"user","content":` + content + `}]}`
	}
	field := func(member string) string {
		return `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"}],` + member + `}`
	}
	f := func(name, text, param, code string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			var r llm.Request
			err := ReadRequest([]byte(text), &r)
			if err == nil {
				t.Fatal("no error")
			}
			if err.Param != param || err.Code != code || err.Kind != llm.InvalidRequest {
				t.Errorf("got param %q code %q kind %d, want %q %q", err.Param, err.Code, err.Kind, param, code)
			}
			if param != "" && !strings.Contains(err.Message, "`"+param+"`") {
				t.Errorf("the message does not name the field: %s", err.Message)
			}
		})
	}
	f("no object", `[]`, "", codeInvalidJSON)
	f("cut off", `{"model":"m"`, "", codeInvalidJSON)
	f("no model", `{"max_tokens":1,"messages":[]}`, "model", codeMissing)
	f("no max_tokens", `{"model":"m","messages":[{"role":"user","content":"a"}]}`, "max_tokens", codeMissing)
	f("negative max_tokens", `{"model":"m","max_tokens":-1,"messages":[]}`, "max_tokens", codeInvalidValue)
	f("no messages", `{"model":"m","max_tokens":1}`, "messages", codeMissing)
	f("empty messages", `{"model":"m","max_tokens":1,"messages":[]}`, "messages", codeInvalidValue)
	f("messages of another type", `{"model":"m","max_tokens":1,"messages":{}}`, "messages", codeInvalidType)
	f("message of another type", `{"model":"m","max_tokens":1,"messages":[1]}`, "messages[0]", codeInvalidType)
	f("no role", `{"model":"m","max_tokens":1,"messages":[{"content":"a"}]}`, "messages[0].role", codeMissing)
	f("a role of its own", `{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"a"}]}`, "messages[0].role",
		codeInvalidValue)
	f("no content", `{"model":"m","max_tokens":1,"messages":[{"role":"user"}]}`, "messages[0].content", codeMissing)
	f("content of another type", message(`7`), "messages[1].content", codeInvalidType)
	f("block of another type", message(`["a"]`), "messages[1].content[0]", codeInvalidType)
	f("block without type", message(`[{"text":"a"}]`), "messages[1].content[0].type", codeMissing)
	f("text without text", message(`[{"type":"text"}]`), "messages[1].content[0].text", codeMissing)
	f("text of another type", message(`[{"type":"text","text":1}]`), "messages[1].content[0].text", codeInvalidType)
	f("image without source", message(`[{"type":"image"}]`), "messages[1].content[0].source", codeMissing)
	f("source without data", message(`[{"type":"image","source":{"type":"base64"}}]`),
		"messages[1].content[0].source.data", codeMissing)
	f("source of its own", message(`[{"type":"image","source":{"type":"ftp"}}]`), "messages[1].content[0].source.type",
		codeInvalidValue)
	f("call without id", message(`[{"type":"tool_use","name":"f","input":{}}]`), "messages[1].content[0].id", codeMissing)
	f("input of another type", message(`[{"type":"tool_use","id":"a","name":"f","input":"x"}]`),
		"messages[1].content[0].input", codeInvalidType)
	f("result without id", message(`[{"type":"tool_result"}]`), "messages[1].content[0].tool_use_id", codeMissing)
	f("inside a result", message(`[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]}]`),
		"messages[1].content[0].content[0].text", codeMissing)
	f("results in results", message(`[{"type":"tool_result","tool_use_id":"a","content":[{"type":"tool_result","tool_use_id":"b",`+
		`"content":[{"type":"tool_result","tool_use_id":"c","content":"x"}]}]}]`),
		"messages[1].content[0].content[0].content[0].content", codeInvalidValue)
	f("an escape of its own", message(`"\q"`), "messages[1].content", codeInvalidValue)
	f("temperature", field(`"temperature":"hot"`), "temperature", codeInvalidType)
	f("stream", field(`"stream":1`), "stream", codeInvalidType)
	f("stop_sequences", field(`"stop_sequences":[1]`), "stop_sequences", codeInvalidType)
	f("thinking", field(`"thinking":{"type":"deep"}`), "thinking.type", codeInvalidValue)
	f("budget", field(`"thinking":{"type":"enabled"}`), "thinking.budget_tokens", codeMissing)
	f("effort", field(`"output_config":{"effort":"huge"}`), "output_config.effort", codeInvalidValue)
	f("format", field(`"output_config":{"format":{"type":"json_schema"}}`), "output_config.format.schema", codeMissing)
	f("tool without name", field(`"tools":[{"input_schema":{}}]`), "tools[0].name", codeMissing)
	f("tool without schema", field(`"tools":[{"name":"a"}]`), "tools[0].input_schema", codeMissing)
	f("tool_choice", field(`"tool_choice":{"type":"tool"}`), "tool_choice.name", codeMissing)
	f("user_id", field(`"metadata":{"user_id":1}`), "metadata.user_id", codeInvalidType)
	f("system", field(`"system":[{"type":"image","source":{"type":"url","url":"u"}}]`), "system[0].type", codeInvalidValue)
}

func TestReadAgainForgetsTheLast(t *testing.T) {
	var r llm.Request
	bodies := []string{
		`{"model":"a","max_tokens":1,"stream":true,"tools":[{"name":"f","input_schema":{}}],"x":1,"system":"s","messages":[` +
			`{"role":"user","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"b"}]}]}`,
		`{"model":"b","max_tokens":2,"messages":[{"role":"user","content":"x"}]}`,
	}
	for _, text := range bodies {
		if err := ReadRequest([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
	}
	item := r.Turns[0].Items[0]
	if r.Stream || len(r.Tools)+len(r.Extra)+len(r.System) != 0 || len(r.Turns[0].Items) != 1 || item.Seal != nil {
		t.Errorf("got %+v", r)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}`))
	f.Add([]byte(`{"model":"m","max_tokens":1,"system":"s","tools":[{"name":"f","input_schema":{}}],"messages":[` +
		`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}]}`))
	f.Add([]byte(`{"model":"m","max_tokens":1,"thinking":{"type":"enabled","budget_tokens":1e9},"messages":[` +
		`{"role":"user","content":[{"type":"document","source":{"type":"content","content":"x"}}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r llm.Request
		if err := ReadRequest(text, &r); err != nil {
			if err.Kind != llm.InvalidRequest || err.Code == "" || err.Message == "" {
				t.Errorf("got error %+v", err)
			}
			return
		}
		if len(r.Turns) == 0 || r.Model == "" || r.Sampling.MaxTokens == nil {
			t.Errorf("accepted %s", text)
		}
		// What was read can be written, for both kinds of clients, and is JSON.
		for _, p := range []llm.Protocol{llm.Messages, llm.Chat, llm.Responses} {
			r.Protocol = p
			x := exchange(&r, "claude-opus-4-8")
			if out, err := AppendRequest(nil, x); err == nil {
				checkBody(t, string(out), p)
			}
		}
	})
}
