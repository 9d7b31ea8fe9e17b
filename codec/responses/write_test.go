package responses

import (
	"bytes"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// sealer makes envelopes that can be read in a test. It opens those of its own family only.
type sealer struct{}

func (sealer) Seal(dst []byte, s llm.Sealed) []byte {
	return append(append(append(dst, "gw1."...), s.Kind...), ("." + s.Item + "." + string(s.Opaque))...)
}

func (sealer) Open(envelope []byte) (s llm.Sealed, ours, ok bool) {
	words := strings.SplitN(string(envelope), ".", 4)
	if len(words) != 4 || words[0] != "gw1" {
		return s, false, false
	}
	if words[1] == "stolen" {
		return s, true, false
	}
	return llm.Sealed{Kind: llm.SealKind(words[1]), Item: words[2], Opaque: []byte(words[3])}, true, true
}

// exchange returns an exchange for a request to a Responses upstream.
func exchange(r *llm.Request, model string) *llm.Exchange {
	options := llm.DefaultOptions()
	options.FirstParty, options.PromptCacheKey = true, false
	return &llm.Exchange{
		Request: r, Model: model, Target: llm.Responses, Options: &options, Warnings: new(llm.Warnings), Sealer: sealer{},
		AnswerID: "seed", Created: 1700000000,
	}
}

func warnings(x *llm.Exchange) string { return string(x.Warnings.Append(nil)) }

// compact takes the white space between the values of a test's JSON away.
func compact(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		b.WriteString(strings.TrimSpace(line))
	}
	return b.String()
}

func write(t testing.TB, x *llm.Exchange) string {
	t.Helper()
	body, err := AppendRequest([]byte("before"), x)
	if err != nil {
		t.Fatalf("AppendRequest: %s: %s", err.Param, err.Message)
	}
	body, ok := bytes.CutPrefix(body, []byte("before"))
	if !ok || !json.Valid(body) {
		t.Fatalf("not JSON behind what was there: %s", body)
	}
	return string(body)
}

func number(n int64) *int64 { return &n }
func truth(b bool) *bool    { return &b }

func text(s string) llm.Item { return llm.Item{Kind: llm.Text, Text: []byte(s)} }

func TestWriteKeepsItsOwnProtocol(t *testing.T) {
	f := func(name, body, want string) {
		t.Helper()
		x := exchange(read(t, compact(body)), "up")
		if got := write(t, x); got != compact(want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, compact(want))
		}
		if w := warnings(x); w != "" {
			t.Errorf("%s: warned of %s", name, w)
		}
	}
	f("scalars and unknown fields", `{"model":"m","vendor":{"b":1,"a":[1.0]},"input":"x","instructions":"i","temperature":0.70,"reasoning":{"effort":"high","summary":"auto"},
		"text":{"verbosity":"low"},"store":true,"previous_response_id":"resp_1","user":"u","safety_identifier":"s","metadata":{"a":"b"},"include":["a.b"],
		"top_logprobs":2,"max_output_tokens":5,"truncation":"auto","service_tier":"ultrafast","prompt_cache_key":"k","max_tool_calls":3}`,
		`{"model":"up","max_output_tokens":5,"reasoning":{"effort":"high","summary":"auto"},"temperature":0.70,"top_logprobs":2,"max_tool_calls":3,
		"store":true,"previous_response_id":"resp_1","safety_identifier":"s","user":"u","service_tier":"ultrafast","metadata":{"a":"b"},"prompt_cache_key":"k",
		"text":{"verbosity":"low"},"vendor":{"b":1,"a":[1.0]},"truncation":"auto","include":["a.b"],"instructions":"i",
		"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}]}`)
	f("items are sent as they came", `{"model":"m","instructions":"i","input":[{"role":"developer","content":"d"},
		{"role":"user","content":[{"type":"input_text","text":"a","vendor":1}]},
		{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"E","x":1},
		{"type":"message","id":"msg_1","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"t","annotations":[],"logprobs":[]}]},
		{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{\u0022a\u0022:9007199254740993}","caller":{"type":"x"}},
		{"type":"function_call_output","call_id":"c","output":"[tool_error] no"},{"type":"compaction","encrypted_content":"y"},
		{"type":"web_search_call","id":"ws_1","action":{}},{"type":"item_reference","id":"msg_2"},{"type":"mcp_approval_response","approve":true}]}`,
		`{"model":"up","instructions":"i","input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"d"}]},
		{"type":"message","role":"user","content":[{"type":"input_text","text":"a","vendor":1}]},
		{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"E","x":1},
		{"type":"message","role":"assistant","id":"msg_1","status":"completed","phase":"final_answer","content":[{"type":"output_text","text":"t","annotations":[],"logprobs":[]}]},
		{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{\u0022a\u0022:9007199254740993}","caller":{"type":"x"}},
		{"type":"function_call_output","call_id":"c","output":"[tool_error] no"},{"type":"compaction","encrypted_content":"y"},
		{"type":"web_search_call","id":"ws_1","action":{}},{"type":"item_reference","id":"msg_2"},{"type":"mcp_approval_response","approve":true}]}`)
	f("unknown names are names", `{"model":"m","input":"x","a\"b\u000a":1}`,
		`{"model":"up","a\"b\n":1,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}]}`)
	f("tools and choice", `{"model":"m","input":"x","tools":[{"type":"function","name":"a.b","parameters":{},"defer_loading":true},
		{"type":"namespace","name":"n","description":"what","tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}]},{"type":"web_search_preview"},{"type":"shell"}],
		"tool_choice":{"type":"web_search_preview"},"parallel_tool_calls":true}`,
		`{"model":"up","tools":[{"type":"function","name":"a.b","parameters":{},"defer_loading":true},
		{"type":"namespace","name":"n","description":"what","tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}]},{"type":"web_search_preview"},{"type":"shell"}],
		"tool_choice":{"type":"web_search_preview"},"parallel_tool_calls":true,
		"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}]}`)
}

func TestEnvelopesAreOpenedForTheirOwnUpstream(t *testing.T) {
	f := func(name, seal, want, warned string) {
		t.Helper()
		x := exchange(read(t, `{"model":"m","input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"`+seal+`"},
			{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"t"}]},
			{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"},
			{"type":"function_call_output","id":"fco_1","call_id":"c","output":"r"}]}`), "up")
		if got := write(t, x); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s in it", name, got, want)
		}
		if got := warnings(x); got != warned {
			t.Errorf("%s: got the warnings %q, want %q", name, got, warned)
		}
	}
	f("ours of this channel", "gw1.rs-enc.rs_7.BLOB", `{"type":"reasoning","id":"rs_7","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"BLOB"},`+
		`{"type":"message","role":"assistant","id":"msg_1"`, "")
	// E rows 48, 56 and 57: what another provider minted goes, and with it the ids of its turn
	f("Anthropic's", "gw1.am-sig..SIG", `"input":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]},`+
		`{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","id":"fco_1"`, "dropped=input.encrypted_content")
	f("another channel's", "gw1.stolen.x.y", `"input":[{"type":"message","role":"assistant","content"`, "dropped=input.encrypted_content")
	f("the provider's own", "NATIVE", `"encrypted_content":"NATIVE"`, "")
}

// anthropic returns a request as the reader of Anthropic Messages makes it.
func anthropic(turns ...llm.Turn) *llm.Request {
	return &llm.Request{Protocol: llm.Messages, Model: "m", Turns: turns}
}

// chat returns a request as the reader of Chat Completions makes it.
func chat(turns ...llm.Turn) *llm.Request {
	return &llm.Request{Protocol: llm.Chat, Model: "m", Turns: turns}
}

func user(items ...llm.Item) llm.Turn {
	return llm.Turn{Role: llm.User, Items: items, Path: llm.Path{List: "messages"}}
}

func model(items ...llm.Item) llm.Turn {
	return llm.Turn{Role: llm.Assistant, Items: items, Path: llm.Path{List: "messages", Index: 1}}
}

func call(id, name, arguments string) llm.Item {
	return llm.Item{Kind: llm.Call, CallID: id, Name: name, Arguments: []byte(arguments)}
}

func result(id string, parts ...llm.Item) llm.Item {
	return llm.Item{Kind: llm.Result, CallID: id, Parts: parts}
}

const hi = `{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}`

func TestWriteConversation(t *testing.T) {
	f := func(name string, r *llm.Request, want, warned string) {
		t.Helper()
		x := exchange(r, "gpt-4.1")
		body := write(t, x)
		if _, got, _ := strings.Cut(body, `"input":`); got != compact(want)+"}" {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, compact(want))
		}
		if got := warnings(x); got != warned {
			t.Errorf("%s: got the warnings %q, want %q", name, got, warned)
		}
	}
	f("the assistant's text is output_text (E row 34)", chat(user(text("hi")), model(text("a"), text("b")), user(text("hi"))),
		`[`+hi+`,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]},{"type":"output_text","text":"b","annotations":[]}]},`+hi+`]`, "")
	f("results stand right behind their calls, in the order of the calls",
		chat(user(text("hi")), model(text("t"), call("a", "f", `{"x":1e21,"y":9007199254740993}`), call("b", "g", "")),
			user(result("b", text("2")), result("a", text("1")), text("hi"))),
		`[`+hi+`,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t","annotations":[]}]},
		{"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1e21,\"y\":9007199254740993}"},
		{"type":"function_call","call_id":"b","name":"g","arguments":"{}"},
		{"type":"function_call_output","call_id":"a","output":"1"},{"type":"function_call_output","call_id":"b","output":"2"},`+hi+`]`, "")
	f("a failed result has a prefix and no field of its own (E rows 103, 104)",
		anthropic(model(call("a", "f", "{}")), user(llm.Item{Kind: llm.Result, CallID: "a", IsError: true, Parts: []llm.Item{text("no")}})),
		`[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"a","status":"incomplete","output":"[tool_error] no"}]`, "")
	f("images in results (E row 105)",
		anthropic(model(call("a", "f", "{}")), user(result("a", text("see"), llm.Item{Kind: llm.Image, Media: llm.Media{Data: []byte("/9j/AA")}}))),
		`[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[
		{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/jpeg;base64,/9j/AA","detail":"auto"}]}]`, "")
	f("foreign ids fit, for the call and its result (E rows 93 to 95)", chat(model(call("functions.x:0", "f", "{}")), user(result("functions.x:0", text("1")))),
		`[{"type":"function_call","call_id":"call_isdcj5ov26beoveteg6tfufxwb","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"call_isdcj5ov26beoveteg6tfufxwb","output":"1"}]`, "")
	f("an id used again is told apart", chat(model(call("c", "f", "{}")), user(result("c", text("1"))), model(call("c", "f", "{}")), user(result("c", text("2")))),
		`[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"1"},
		{"type":"function_call","call_id":"c_2","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c_2","output":"2"}]`, "")
	f("also from one that looks like it", chat(model(call("c", "f", "{}"), call("c", "f", "{}"), call("c_2", "f", "{}")),
		user(result("c", text("1")), result("c", text("2")), result("c_2", text("3")))),
		`[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c_2","name":"f","arguments":"{}"},
		{"type":"function_call","call_id":"c_2_2","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"1"},
		{"type":"function_call_output","call_id":"c_2","output":"2"},{"type":"function_call_output","call_id":"c_2_2","output":"3"}]`, "")
	f("a result without its call becomes text (E row 22)", anthropic(user(result("zz", text("r")), text("hi"))),
		`[{"type":"message","role":"user","content":[{"type":"input_text","text":"[orphan tool result zz] r"},{"type":"input_text","text":"hi"}]}]`, "approx=messages")
	f("a call without a result gets one (E row 23)", anthropic(model(call("a", "f", "{}")), user(text("hi"))),
		`[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"a","status":"incomplete","output":"[tool_error] [no result recorded]"},`+hi+`]`, "approx=messages")
	f("of two results the last one counts", chat(model(call("a", "f", "{}")), user(result("a", text("1")), result("a", text("2")))),
		`[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"2"}]`, "approx=messages")
	f("system texts in the middle stay there", chat(user(text("hi")), llm.Turn{Role: llm.System, Items: []llm.Item{text("s")}}),
		`[`+hi+`,{"type":"message","role":"developer","content":[{"type":"input_text","text":"s"}]}]`, "")
	f("reasoning of a Chat client has a summary (E row 55)", chat(user(text("hi")), model(llm.Item{Kind: llm.Thought, Text: []byte("r")}, text("a"))),
		`[`+hi+`,{"type":"reasoning","summary":[{"type":"summary_text","text":"r"}]},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]}]`, "")
	f("an envelope comes back as the reasoning item that it holds",
		anthropic(user(text("hi")), model(llm.Item{Kind: llm.Thought, Text: []byte("r"), Seal: []byte("gw1.rs-enc.rs_1.BLOB")}), user(text("hi"))),
		`[`+hi+`,{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"r"}],"encrypted_content":"BLOB"},`+hi+`]`, "")
	f("Anthropic's own thoughts are dropped, and nothing put in their place (E row 54)",
		anthropic(user(text("hi")), model(llm.Item{Kind: llm.Thought, Text: []byte("r"), Seal: []byte("SIG")}), user(text("hi"))),
		`[`+hi+`,`+hi+`]`, "dropped=messages.content.thinking")
	f("a prefill becomes an instruction", anthropic(user(text("hi")), model(text("a"))),
		`[`+hi+`,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]},
		{"type":"message","role":"developer","content":[{"type":"input_text","text":"Continue the last assistant message exactly where it stops; do not repeat it."}]}]`, "approx=messages")
	f("media", anthropic(user(
		llm.Item{Kind: llm.Image, Media: llm.Media{URL: "https://x/y", Detail: "high"}},
		llm.Item{Kind: llm.Image, Media: llm.Media{Type: "image/jpg", Data: []byte("AA")}},
		llm.Item{Kind: llm.File, Media: llm.Media{Type: "application/pdf", Data: []byte("JV")}},
		llm.Item{Kind: llm.File, Media: llm.Media{URL: "https://x/z.pdf"}},
		llm.Item{Kind: llm.File, Media: llm.Media{Text: []byte("body"), Name: `a"b`, Context: "c", Citations: true}})),
		`[{"type":"message","role":"user","content":[{"type":"input_image","image_url":"https://x/y","detail":"high"},
		{"type":"input_image","image_url":"data:image/jpeg;base64,AA","detail":"auto"},
		{"type":"input_file","filename":"document.pdf","file_data":"data:application/pdf;base64,JV"},
		{"type":"input_file","file_url":"https://x/z.pdf"},
		{"type":"input_text","text":"<document title=\"a&quot;b\" context=\"c\">body</document>"}]}]`, "dropped=messages.content.citations")
	f("hosted calls of another provider are dropped, the text stays", anthropic(user(text("hi")), model(llm.Item{Kind: llm.Hosted, Name: "web_search"}, text("a")), user(text("hi"))),
		`[`+hi+`,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]},`+hi+`]`, "dropped=messages.web_search")
	f("empty texts of the model are left out (E row 30)", chat(user(text("hi")), model(text(""), call("a", "f", "{}")), user(result("a"))),
		`[`+hi+`,{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":""}]`, "")
	f("refusals of the model, and marks that nobody takes", chat(user(text("hi")), model(llm.Item{Kind: llm.Refusal, Text: []byte("no")},
		llm.Item{Kind: llm.Call, CallID: "a", Name: "f", Cache: llm.CacheShort}),
		user(llm.Item{Kind: llm.Result, CallID: "a", Cache: llm.CacheShort, IsError: true, Parts: []llm.Item{{Kind: llm.Image, Media: llm.Media{URL: "https://x"}}}})),
		`[`+hi+`,{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"a","status":"incomplete","output":[{"type":"input_text","text":"[tool_error] "},{"type":"input_image","image_url":"https://x","detail":"auto"}]}]`,
		"dropped=cache_control")
	f("a custom tool's call and result", chat(model(llm.Item{Kind: llm.Call, CallID: "a", Name: "p", Custom: true, Text: []byte("in\nput")}), user(result("a", text("1")))),
		`[{"type":"custom_tool_call","call_id":"a","name":"p","input":"in\nput"},{"type":"custom_tool_call_output","call_id":"a","output":"1"}]`, "")
	f("participants have no names", chat(llm.Turn{Role: llm.User, Name: "ann", Items: []llm.Item{text("hi")}}), `[`+hi+`]`, "dropped=messages.name")
	f("a document of parts", anthropic(user(llm.Item{Kind: llm.File, Media: llm.Media{Text: []byte("a")}, Parts: []llm.Item{text("a"), {Kind: llm.Image, Media: llm.Media{URL: "https://x"}}}})),
		`[{"type":"message","role":"user","content":[{"type":"input_text","text":"<document>a</document>"},{"type":"input_image","image_url":"https://x","detail":"auto"}]}]`, "")
	alone := chat()
	alone.System = []llm.Item{text("only")}
	f("system texts alone are a message", alone, `[{"type":"message","role":"developer","content":[{"type":"input_text","text":"only"}]}]`, "")
}

func TestWriteMembers(t *testing.T) {
	f := func(name, target string, change func(r *llm.Request, x *llm.Exchange), want, warned string) {
		t.Helper()
		r := anthropic(user(text("hi")))
		x := exchange(r, target)
		change(r, x)
		got := strings.TrimPrefix(write(t, x), `{"model":"`+target+`"`)
		got = strings.TrimSuffix(got, `,"input":[`+hi+`]}`)
		if got != compact(want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, compact(want))
		}
		if got := warnings(x); got != warned {
			t.Errorf("%s: got the warnings %q, want %q", name, got, warned)
		}
	}
	f("nothing asked", "gpt-4.1", func(*llm.Request, *llm.Exchange) {}, `,"store":false`, "")
	f("the least limit", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.Sampling.MaxTokens = number(1) }, `,"max_output_tokens":16,"store":false`, "")
	f("sampling on a reasoning model", "gpt-5.4", func(r *llm.Request, _ *llm.Exchange) {
		r.Sampling.Temperature, r.Sampling.TopP, r.Sampling.TopK = []byte("0.5"), []byte("1.0"), []byte("4")
	}, `,"include":["reasoning.encrypted_content"],"store":false`, "dropped=temperature,top_k")
	f("sampling where the effort is none", "gpt-5.4", func(r *llm.Request, _ *llm.Exchange) {
		r.Sampling.Temperature, r.Reasoning.Thinking = []byte("0.5"), llm.ThinkingOff
	}, `,"reasoning":{"effort":"none"},"temperature":0.5,"include":["reasoning.encrypted_content"],"store":false`, "")
	f("hints of Chat that nobody knows here", "gpt-4.1", func(r *llm.Request, x *llm.Exchange) {
		r.Protocol = llm.Chat
		r.Sampling = llm.Sampling{
			FrequencyPenalty: []byte("0"), PresencePenalty: []byte("0.1"), Seed: []byte("7"), LogitBias: []byte(`{"1":2}`),
			N: 1, Stop: []string{"a", "b"}, Logprobs: true, TopLogprobs: number(2), Verbosity: "low",
		}
		r.Extra = []llm.Field{{Name: "prediction", Value: []byte("{}")}, {Name: "moderation", Value: []byte(`{"model":"x"}`)}, {Name: "mine", Value: []byte("1")}}
		x.Options.ForwardUnknown = []string{"mine"}
		r.Metadata = []byte(`{"a":"b"}`)
		r.Store = truth(true)
		r.ServiceTier = "flex"
	}, `,"include":["message.output_text.logprobs"],"top_logprobs":2,"store":true,"service_tier":"flex","metadata":{"a":"b"},"text":{"verbosity":"low"},
		"moderation":{"model":"x"},"mine":1`, "dropped=presence_penalty,seed,logit_bias,prediction")
	f("a budget of thinking", "gpt-5.4", func(r *llm.Request, _ *llm.Exchange) {
		r.Reasoning = llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 10_000}
	}, `,"reasoning":{"effort":"medium","summary":"auto"},"include":["reasoning.encrypted_content"],"store":false`, "approx=thinking")
	f("thinking that is not to be shown", "gpt-5.4", func(r *llm.Request, _ *llm.Exchange) {
		r.Reasoning = llm.Reasoning{Thinking: llm.ThinkingAdaptive, Display: "omitted", Effort: llm.EffortMax}
	}, `,"reasoning":{"effort":"xhigh"},"include":["reasoning.encrypted_content"],"store":false`, "approx=output_config.effort")
	f("an effort where none is known", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol, r.Reasoning.Effort = llm.Chat, llm.EffortHigh
	}, `,"store":false`, "dropped=reasoning_effort")
	f("Anthropic's format", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.Format = llm.Format{Kind: llm.FormatSchema, Schema: []byte(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`)}
	}, `,"store":false,"text":{"format":{"type":"json_schema","name":"output","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false},"strict":true}}`, "")
	f("Chat's format", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol = llm.Chat
		r.Format = llm.Format{Kind: llm.FormatSchema, Schema: []byte(`{"z":1,"a":1.0}`), Description: "d"}
		r.Sampling.Verbosity = "high"
	}, `,"store":false,"text":{"format":{"type":"json_schema","name":"response","description":"d","schema":{"z":1,"a":1.0}},"verbosity":"high"}`, "")
	f("any JSON", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.Format.Kind = llm.FormatJSON }, `,"store":false,"text":{"format":{"type":"json_object"}}`, "")
	f("a long user id is hashed (E row 112)", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.User = strings.Repeat("u", 65) },
		`,"store":false,"safety_identifier":"f20e249d15fa4b9f44ba21d154f62e1efa76ddfdce5d25139a33a4787cee5a8b"`, "")
	f("a third party knows user only", "gpt-4.1", func(r *llm.Request, x *llm.Exchange) { r.User, x.Options.FirstParty = "u", false }, `,"store":false,"user":"u"`, "")
	f("Anthropic's tiers", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier = "standard_only" }, `,"store":false,"service_tier":"default"`, "")
	f("Anthropic's usual tier", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier = "auto" }, `,"store":false,"service_tier":"auto"`, "")
	f("Anthropic's speed", "gpt-4.1", func(r *llm.Request, x *llm.Exchange) { r.Speed, x.Options.TierToSpeed = "fast", true }, `,"store":false,"service_tier":"priority"`, "")
	f("prewarming where it is known", "gpt-5.6", func(r *llm.Request, _ *llm.Exchange) { r.Cache.Prewarm, r.Sampling.MaxTokens = true, number(0) },
		`,"prompt_cache_options":{"prewarm":true},"include":["reasoning.encrypted_content"],"store":false`, "")
	f("prewarming where it is not", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.Cache.Prewarm, r.Sampling.MaxTokens = true, number(0) }, `,"max_output_tokens":16,"store":false`, "")
	f("system texts, the billing block left out", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.System = []llm.Item{text("x-anthropic-billing-header: cc"), text("a"), text(""), text("b")}
	}, `,"store":false,"instructions":"a\n\nb"`, "")
	f("marks in system texts where they are not known", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.System = []llm.Item{{Kind: llm.Text, Text: []byte("a"), Cache: llm.CacheShort}}
	}, `,"store":false,"instructions":"a"`, "dropped=cache_control")
	f("the cache key is derived of system texts and tools", "gpt-4.1", func(r *llm.Request, x *llm.Exchange) {
		x.Options.PromptCacheKey = true
		r.System = []llm.Item{text("x-anthropic-billing-header: cc; cch=1"), text("a")}
	}, `,"store":false,"prompt_cache_key":"gw_ca978112ca1bbdcafac231b39a23dc4d","instructions":"a"`, "")
	f("a tier that nobody knows", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier, r.Speed = "x", "fast" }, `,"store":false`, "dropped=service_tier,speed")
	f("reasoning on a model that nobody knows", "other", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol, r.Reasoning.Effort, r.Reasoning.Summary = llm.Chat, llm.EffortMinimal, "detailed"
		r.Sampling.Logprobs = true
	}, `,"reasoning":{"effort":"minimal","summary":"detailed"},"include":["reasoning.encrypted_content","message.output_text.logprobs"],"store":false`, "")
	f("log probabilities on a reasoning model", "gpt-5", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol, r.Sampling.Logprobs, r.Sampling.TopLogprobs = llm.Chat, true, number(1)
	}, `,"include":["reasoning.encrypted_content"],"store":false`, "dropped=logprobs")
	f("an audio voice without audio", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol = llm.Chat
		r.Extra = []llm.Field{{Name: "audio", Value: []byte("{}")}, {Name: "modalities", Value: []byte(`["text"]`)}}
	}, `,"store":false`, "")
	f("the cache key is derived", "gpt-4.1", func(r *llm.Request, x *llm.Exchange) { r.User, x.Options.PromptCacheKey = "u", true },
		`,"store":false,"safety_identifier":"u","prompt_cache_key":"gw_0bfe935e70c321c7ca3afc75ce0d0ca2"`, "")
	f("Anthropic's other fields", "gpt-4.1", func(r *llm.Request, _ *llm.Exchange) {
		r.Extra = []llm.Field{{Name: "diagnostics", Value: []byte("{}")}, {Name: "context_management", Value: []byte("{}")}}
	}, `,"store":false`, "dropped=diagnostics,context_management")
}

func TestNamesOfParticipantsMayGoInFront(t *testing.T) {
	ask, reply := user(llm.Item{Kind: llm.Image, Media: llm.Media{URL: "https://x"}}, text("hi"), text("there")), model(text("yes"))
	ask.Name, reply.Name = "ann", "bot"
	x := exchange(chat(ask, reply, user(text("hi"))), "gpt-4.1")
	x.Options.NamePrefix = true
	body := write(t, x)
	for _, want := range []string{`"text":"ann: hi"}`, `"text":"there"}`, `"text":"bot: yes"`} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s, want %s in it", body, want)
		}
	}
	if got := warnings(x); got != "approx=messages.name" {
		t.Errorf("got the warnings %q", got)
	}
}

func TestMarksInSystemTextsMakeThemAMessage(t *testing.T) {
	r := anthropic(user(llm.Item{Kind: llm.Text, Text: []byte("hi"), Cache: llm.CacheLong}))
	r.System = []llm.Item{{Kind: llm.Text, Text: []byte("a"), Cache: llm.CacheShort}, text("b")}
	want := `"input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}},` +
		`{"type":"input_text","text":"b"}]},{"type":"message","role":"user","content":[{"type":"input_text","text":"hi","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}}]}]}`
	x := exchange(r, "gpt-5.6")
	if got := write(t, x); !strings.HasSuffix(got, want) || warnings(x) != "" {
		t.Errorf("got %s (%s), want %s", got, warnings(x), want)
	}
}

func TestWriteTools(t *testing.T) {
	f := func(name string, change func(r *llm.Request, x *llm.Exchange), want, warned string) {
		t.Helper()
		r := anthropic(user(text("hi")))
		x := exchange(r, "gpt-4.1")
		change(r, x)
		got := strings.TrimPrefix(write(t, x), `{"model":"gpt-4.1","store":false`)
		got = strings.TrimSuffix(got, `,"input":[`+hi+`]}`)
		if got != compact(want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, compact(want))
		}
		if got := warnings(x); got != warned {
			t.Errorf("%s: got the warnings %q, want %q", name, got, warned)
		}
	}
	function := llm.Tool{Name: "f", Description: "d", Schema: []byte(`{"z":1,"a":2}`)}
	f("a function: strict is said, parameters are there", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{function, {Name: "g", Strict: truth(true)}}
		r.Choice.Parallel = truth(false)
	}, `,"tools":[{"type":"function","name":"f","description":"d","parameters":{"z":1,"a":2},"strict":false},
		{"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":true}],"parallel_tool_calls":false`, "")
	f("no choice without tools (E row 38)", func(r *llm.Request, _ *llm.Exchange) {
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceAuto, Parallel: truth(false)}
	}, ``, "")
	f("a custom tool", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Kind: llm.CustomTool, Name: "p", Syntax: "lark", Grammar: "start: x"}}
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Kind: llm.CustomTool, Name: "p"}}}
	}, `,"tools":[{"type":"custom","name":"p","format":{"type":"grammar","syntax":"lark","definition":"start: x"}}],"tool_choice":{"type":"custom","name":"p"}`, "")
	f("allowed tools", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{function}
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceAllowed, Required: true, Names: []llm.ToolName{{Name: "f"}}}
	}, `,"tools":[{"type":"function","name":"f","description":"d","parameters":{"z":1,"a":2},"strict":false}],
		"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}`, "")
	f("web search", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{function, {Kind: llm.SearchTool, Name: "web_search", Search: &llm.WebSearch{
			AllowedDomains: []byte(`["a.b"]`), BlockedDomains: []byte(`["c.d"]`), MaxUses: number(3),
			Location: []byte(`{"type":"approximate","city":"Bern","vendor":1}`),
		}}}
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Name: "web_search"}}}
	}, `,"tools":[{"type":"function","name":"f","description":"d","parameters":{"z":1,"a":2},"strict":false},
		{"type":"web_search","user_location":{"type":"approximate","city":"Bern"},"filters":{"allowed_domains":["a.b"]}}],
		"tool_choice":{"type":"web_search"},"max_tool_calls":3`, "dropped=tools.blocked_domains")
	f("Chat's web search options", func(r *llm.Request, _ *llm.Exchange) {
		r.Search = &llm.WebSearch{ContextSize: "low", Location: []byte(`{"type":"approximate","approximate":{"country":"CH"}}`)}
	}, `,"tools":[{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate","country":"CH"}}]`, "")
	f("a server of the MCP connector", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Kind: llm.RemoteTool, Name: "s", RawProtocol: llm.Messages,
			Raw: []byte(`{"type":"url","url":"https://s","name":"s","authorization_token":"t","tool_configuration":{"allowed_tools":["a"]}}`)}}
	}, `,"tools":[{"type":"mcp","server_label":"s","server_url":"https://s","authorization":"t","allowed_tools":["a"],"require_approval":"never"}]`, "")
	f("a hosted tool beside others is dropped (E row 101)", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{function, {Kind: llm.OtherTool, Name: "code_execution_20250825", RawProtocol: llm.Messages}}
	}, `,"tools":[{"type":"function","name":"f","description":"d","parameters":{"z":1,"a":2},"strict":false}]`, "dropped=tools.code_execution_20250825")
	f("typed client tools where they are emulated", func(r *llm.Request, x *llm.Exchange) {
		x.Options.EmulateClientTools = true
		r.Tools = []llm.Tool{{Kind: llm.OtherTool, Name: "bash_20250124", RawProtocol: llm.Messages, Raw: []byte(`{"type":"bash_20250124","name":"bash"}`)}}
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Name: "bash"}}}
	}, `,"tools":[{"type":"function","name":"bash","parameters":`+clientTools[0].schema+`,"strict":false}],"tool_choice":{"type":"function","name":"bash"}`, "approx=tools")
	f("two bounds of hosted tools", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Kind: llm.SearchTool, Search: &llm.WebSearch{MaxUses: number(3)}}, {Kind: llm.SearchTool}}
		r.Choice.Mode = llm.ChoiceNone
	}, `,"tools":[{"type":"web_search"},{"type":"web_search"}],"tool_choice":"none"`, "dropped=tools.max_uses")
	f("required, and a mark at a tool", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Name: "f", Cache: llm.CacheShort}}
		r.Choice.Mode = llm.ChoiceRequired
	}, `,"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}],"tool_choice":"required"`, "dropped=tools.cache_control")
	f("a forced choice among no tools", func(r *llm.Request, _ *llm.Exchange) { r.Choice.Mode = llm.ChoiceRequired }, ``, "dropped=tool_choice")
	f("functions know one call a turn", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol, r.Legacy = llm.Chat, true
		r.Tools = []llm.Tool{{Name: "f", Schema: []byte("{}")}}
	}, `,"tools":[{"type":"function","name":"f","parameters":{},"strict":false}],"parallel_tool_calls":false`, "")
}

// TestLongToolNames is the regression test of protocols.md E, row 92: the history and the choice are renamed as well, and the
// answer has the client's names.
func TestLongToolNames(t *testing.T) {
	long := strings.Repeat("n", 83)
	r := anthropic(model(call("a", long, "{}"), call("b", "x.y", "{}")), user(result("a"), result("b")))
	r.Tools = []llm.Tool{{Name: long}, {Name: "a.b"}}
	r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Name: "a.b"}}}
	x := exchange(r, "gpt-4.1")
	body := write(t, x)
	for _, name := range []string{long, "a.b", "x.y"} {
		wire := x.Names.Wire("", name)
		if wire == name || len(wire) > 64 || x.Names.Tool(wire).Name != name {
			t.Errorf("%s goes by %s and comes back as %s", name, wire, x.Names.Tool(wire).Name)
		}
		if !strings.Contains(body, `"name":"`+wire+`"`) || strings.Contains(body, `"name":"`+name+`"`) {
			t.Errorf("got %s, want %s as %s", body, name, wire)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	f := func(name string, change func(r *llm.Request, x *llm.Exchange), param, code string) {
		t.Helper()
		r := anthropic(user(text("hi")))
		x := exchange(r, "gpt-4.1")
		change(r, x)
		body, err := AppendRequest([]byte("kept"), x)
		if err == nil || err.Param != param || err.Code != code || err.Kind != llm.InvalidRequest || string(body) != "kept" {
			t.Errorf("%s: got %+v and %q, want %s about %q", name, err, body, code, param)
		}
	}
	f("an image in a system text", func(r *llm.Request, _ *llm.Exchange) {
		r.Turns = append(r.Turns, llm.Turn{Role: llm.System, Path: llm.Path{List: "messages", Index: 1}, Items: []llm.Item{{Kind: llm.Image}}})
	}, "messages[1]", codeUnsupportedValue)
	f("the choice of a hosted tool that is not there", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Name: "f"}, {Kind: llm.OtherTool, Name: "x", RawProtocol: llm.Messages}}
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Kind: llm.OtherTool, Name: "x"}}}
	}, "tools[1]", codeUnsupportedField)
	f("several answers", func(r *llm.Request, _ *llm.Exchange) { r.Sampling.N = 2 }, "n", codeUnsupportedValue)
	f("audio", func(r *llm.Request, _ *llm.Exchange) { r.Turns[0].Items[0].Kind = llm.Audio }, "messages[0].content", codeUnsupportedField)
	f("audio answers", func(r *llm.Request, _ *llm.Exchange) {
		r.Protocol, r.Extra = llm.Chat, []llm.Field{{Name: "modalities", Value: []byte(`["text","audio"]`)}}
	}, "modalities", codeUnsupportedField)
	f("where the data may go", func(r *llm.Request, _ *llm.Exchange) {
		r.Extra = []llm.Field{{Name: "inference_geo", Value: []byte(`"us"`)}}
	}, "inference_geo", codeUnsupportedField)
	f("threads", func(r *llm.Request, _ *llm.Exchange) { r.Extra = []llm.Field{{Name: "thread", Value: []byte(`{}`)}} }, "thread", "thread_unsupported_request")
	f("file ids of another provider", func(r *llm.Request, _ *llm.Exchange) {
		r.Turns[0].Items[0] = llm.Item{Kind: llm.File, Media: llm.Media{FileID: "file_1"}}
	}, "messages[0].content.source.file_id", codeUnsupportedValue)
	f("a file of the model's", func(r *llm.Request, _ *llm.Exchange) {
		r.Turns = append(r.Turns, model(llm.Item{Kind: llm.Image}), user(text("x")))
	}, "messages[1]", codeUnsupportedValue)
	f("an item of another protocol", func(r *llm.Request, _ *llm.Exchange) {
		r.Turns = append(r.Turns, model(llm.Item{Kind: llm.Opaque, Name: "compaction"}))
	}, "messages[1]", codeUnsupportedItem)
	f("the last call has no result", func(r *llm.Request, _ *llm.Exchange) { r.Turns = append(r.Turns, model(call("a", "f", "{}"))) }, "messages[1]", codeMissing)
	f("a call has no result and nothing is mended", func(r *llm.Request, x *llm.Exchange) {
		x.Options.Repair = false
		r.Turns = append(r.Turns, model(call("a", "f", "{}")), user(text("x")))
	}, "messages[1]", codeMissing)
	f("a hosted tool alone", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Kind: llm.OtherTool, Name: "web_fetch_20250910", RawProtocol: llm.Messages}}
	}, "tools[0]", codeUnsupportedField)
	f("a hosted tool that was called before", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Name: "f"}, {Kind: llm.OtherTool, Name: "code_execution_20250825", RawProtocol: llm.Messages}}
		r.Turns = append(r.Turns, model(llm.Item{Kind: llm.Hosted, Name: "code_execution"}), user(text("x")))
	}, "tools[1]", codeUnsupportedField)
	f("a typed client tool", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools = []llm.Tool{{Name: "f"}, {Kind: llm.OtherTool, Name: "bash_20250124", RawProtocol: llm.Messages}}
	}, "tools[1]", codeUnsupportedField)
	f("a strict channel and a dropped field", func(r *llm.Request, x *llm.Exchange) {
		x.Options.Strict = true
		r.Sampling.Seed = []byte("1")
	}, "seed", codeUnsupportedField)
	f("a strict channel and an approximation", func(r *llm.Request, x *llm.Exchange) {
		x.Options.Strict = true
		r.Turns = append(r.Turns, model(text("a")))
	}, "messages", codeUnsupportedField)
}

func TestWritingTwiceIsTheSame(t *testing.T) {
	r := chat(user(text("hi")), model(call("a.1", "x.y", `{"b":1}`)), user(result("a.1", text("r"))))
	r.Tools = []llm.Tool{{Name: "x.y"}, {Name: "x:y"}, {Kind: llm.CustomTool, Name: "z"}}
	r.Sampling.Stop = []string{"s"}
	x := exchange(r, "gpt-5.6")
	first := write(t, x)
	for range 100 {
		if again := write(t, x); again != first {
			t.Fatalf("got %s, want %s", again, first)
		}
	}
	if len(x.StopEnforced) != 1 || x.StopEnforced[0] != "s" {
		t.Errorf("got %q to look for, want s once", x.StopEnforced)
	}
}
