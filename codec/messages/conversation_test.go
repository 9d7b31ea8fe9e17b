package messages

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// shortened returns the messages of a body, each as its role and its blocks in short.
func shortened(t *testing.T, text string) string {
	t.Helper()
	checkBody(t, text, llm.Chat)
	out := look(text, "messages")
	for _, cut := range [...][2]string{
		{`"type":"text","text":`, "text "}, {`"type":"tool_use","id":`, "call "}, {`,"name":`, " "}, {`,"input":`, " "},
		{`"type":"tool_result","tool_use_id":`, "result "}, {`"type":"thinking","thinking":`, "thinking "},
		{`{"role":"user","content":`, "user"}, {`{"role":"assistant","content":`, "assistant"},
		{`{"role":"system","content":`, "system"}, {`]}`, "]"}, {`"`, ""},
	} {
		out = strings.ReplaceAll(out, cut[0], cut[1])
	}
	return strings.TrimSuffix(strings.TrimPrefix(out, "["), "]")
}

func TestWriteConversation(t *testing.T) {
	f := func(name, model string, turns []llm.Turn, want, warnings string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := &llm.Request{Protocol: llm.Chat, Turns: turns}
			x := exchange(r, model)
			if got := shortened(t, body(t, x)); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if got := warned(x); got != warnings {
				t.Errorf("got warnings %q, want %q", got, warnings)
			}
		})
	}
	hi := said(llm.User, "hi")
	f("one role twice", modelModern, []llm.Turn{hi, said(llm.User, "ho"), said(llm.Assistant, "a"), said(llm.Assistant, "b"), hi},
		"user[{text hi},{text ho}],assistant[{text a},{text b}],user[{text hi}]", "")
	f("the assistant begins", modelModern, []llm.Turn{said(llm.Assistant, "a"), hi},
		"user[{text (continue)}],assistant[{text a}],user[{text hi}]", "")
	// anomalyco/opencode#13768: no prefill from 4.6 on.
	f("the assistant ends", modelModern, []llm.Turn{hi, said(llm.Assistant, "a ")},
		"user[{text hi}],assistant[{text a }],user[{text Continue.}]", "")
	f("the assistant's beginning", modelBudget, []llm.Turn{hi, said(llm.Assistant, "a \n")},
		"user[{text hi}],assistant[{text a}]", "")
	// NousResearch/hermes-agent#11906, musistudio/claude-code-router#4: no empty texts.
	f("empty texts", modelModern, []llm.Turn{hi, turn(llm.Assistant, llm.Item{Kind: llm.Text}, calling("c1", "f", "")),
		turn(llm.User, answering("c1", ""))},
		"user[{text hi}],assistant[{call c1 f {}}],user[{result c1}]", "")
	f("an empty assistant", modelModern, []llm.Turn{hi, said(llm.Assistant, " "), said(llm.User, "ho")},
		"user[{text hi},{text ho}]", "")
	f("an empty user", modelModern, []llm.Turn{said(llm.User, "\n")}, "user[{text (empty)}]", "")
	f("refusals are texts", modelModern, []llm.Turn{hi,
		turn(llm.Assistant, llm.Item{Kind: llm.Refusal, Text: []byte("no")}), hi},
		"user[{text hi}],assistant[{text no}],user[{text hi}]", "")
	f("results first, in the order of the calls", modelModern, []llm.Turn{hi,
		turn(llm.Assistant, calling("a", "f", "{}"), calling("b", "f", "{}")),
		turn(llm.User, answering("b", "2"), llm.Item{Kind: llm.Text, Text: []byte("so")}, answering("a", "1"))},
		"user[{text hi}],assistant[{call a f {}},{call b f {}}],"+
			"user[{result a,content:[{text 1}],{result b,content:[{text 2}],{text so}]", "")
	f("results come late", modelModern, []llm.Turn{hi, turn(llm.Assistant, calling("a", "f", "{}")), said(llm.User, "x"),
		said(llm.Assistant, "y"), turn(llm.User, answering("a", "1"))},
		"user[{text hi}],assistant[{call a f {}}],user[{result a,content:[{text 1}],{text x}],assistant[{text y}],"+
			"user[{text Continue.}]", "")
	// router-for-me/CLIProxyAPI#497.
	f("a result of nothing", modelModern, []llm.Turn{turn(llm.User, answering("zz", "1"))},
		"user[{text [orphan tool result zz] 1}]", "approx=messages.tool_call_id")
	// anthropics/claude-code#1237.
	f("a call without result", modelModern, []llm.Turn{hi, turn(llm.Assistant, calling("a", "f", "{}")), said(llm.User, "stop")},
		"user[{text hi}],assistant[{call a f {}}],user[{result a,content:[no result recorded],is_error:true},{text stop}]",
		"approx=messages.tool_call_id")
	f("two results", modelModern, []llm.Turn{hi, turn(llm.Assistant, calling("a", "f", "{}")),
		turn(llm.User, answering("a", "1"), answering("a", "2"))},
		"user[{text hi}],assistant[{call a f {}}],user[{result a,content:[{text 2}]]", "dropped=messages.content")
	// Some upstreams call every call call_0.
	f("ids used again", modelModern, []llm.Turn{hi, turn(llm.Assistant, calling("call_0", "f", "{}")),
		turn(llm.User, answering("call_0", "1")), turn(llm.Assistant, calling("call_0", "f", "{}")),
		turn(llm.User, answering("call_0", "2"))},
		"user[{text hi}],assistant[{call call_0 f {}}],user[{result call_0,content:[{text 1}]],"+
			"assistant[{call call_0_2 f {}}],user[{result call_0_2,content:[{text 2}]]", "")
	// D.20: the same function of the id on both sides.
	id := string(llm.AppendCallID(nil, "functions.x:0"))
	f("ids with other characters", modelModern, []llm.Turn{hi, turn(llm.Assistant, calling("functions.x:0", "f", "{}")),
		turn(llm.User, answering("functions.x:0", "1"))},
		"user[{text hi}],assistant[{call "+id+" f {}}],user[{result "+id+",content:[{text 1}]]", "")
	f("system in place", modelModern, []llm.Turn{hi, said(llm.System, "s"), said(llm.Assistant, "a"), hi},
		"user[{text hi}],system[{text s}],assistant[{text a}],user[{text hi}]", "")
	f("system where it is not known", modelBudget, []llm.Turn{hi, said(llm.System, "s"), said(llm.Assistant, "a"), hi},
		`user[{text hi},{text <system-reminder>\ns\n</system-reminder>}],assistant[{text a}],user[{text hi}]`, "")
	f("system behind the assistant", modelModern, []llm.Turn{hi, said(llm.Assistant, "a"), said(llm.System, "s"), hi},
		`user[{text hi}],assistant[{text a}],user[{text <system-reminder>\ns\n</system-reminder>},{text hi}]`, "")
	f("system between a call and its result", modelModern, []llm.Turn{hi, turn(llm.Assistant, calling("a", "f", "{}")),
		said(llm.System, "s"), turn(llm.User, answering("a", "1"))},
		`user[{text hi}],assistant[{call a f {}}],user[{result a,content:[{text 1}],{text <system-reminder>\ns\n</system-reminder>}]`,
		"")
	named := said(llm.User, "hi")
	named.Name = "bob"
	f("names", modelModern, []llm.Turn{named}, "user[{text hi}]", "dropped=messages.name")
	f("hosted calls", modelModern, []llm.Turn{hi, turn(llm.Assistant, llm.Item{Kind: llm.Hosted, Name: "web_search"},
		llm.Item{Kind: llm.Text, Text: []byte("a")}), hi},
		"user[{text hi}],assistant[{text a}],user[{text hi}]", "dropped=messages.content")
}

func TestWriteConversationOptions(t *testing.T) {
	named := said(llm.User, "hi")
	named.Name = "bob"
	r := &llm.Request{Protocol: llm.Chat, Turns: []llm.Turn{named}}
	x := exchange(r, modelModern)
	x.Options.NamePrefix = true
	if got := shortened(t, body(t, x)); got != "user[{text bob: hi}]" {
		t.Errorf("got %s", got)
	}
}

func TestWriteNoPrefillWhileThinking(t *testing.T) {
	f := func(reasoning llm.Reasoning, want string) {
		t.Helper()
		r := &llm.Request{Protocol: llm.Chat, Turns: []llm.Turn{said(llm.User, "hi"), said(llm.Assistant, "a")}, Reasoning: reasoning}
		if got := shortened(t, body(t, exchange(r, modelBudget))); got != want {
			t.Errorf("%+v: got %s, want %s", reasoning, got, want)
		}
	}
	f(llm.Reasoning{Effort: llm.EffortNone}, "user[{text hi}],assistant[{text a}]")
	f(llm.Reasoning{Thinking: llm.ThinkingOff}, "user[{text hi}],assistant[{text a}]")
	f(llm.Reasoning{Effort: llm.EffortLow}, "user[{text hi}],assistant[{text a}],user[{text Continue.}]")
	f(llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 2000}, "user[{text hi}],assistant[{text a}],user[{text Continue.}]")
}

func TestWriteConversationRefused(t *testing.T) {
	f := func(name string, client llm.Protocol, repair bool, turns []llm.Turn, kind llm.ErrorKind, code, param, word string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			x := exchange(&llm.Request{Protocol: client, Turns: turns}, modelModern)
			x.Options.Repair = repair
			_, err := AppendRequest(nil, x)
			if err == nil {
				t.Fatal("not refused")
			}
			if err.Kind != kind || err.Code != code || err.Param != param || !strings.Contains(err.Message, word) || !err.NoRetry {
				t.Errorf("got %+v", err)
			}
		})
	}
	hi := said(llm.User, "hi")
	at := func(t llm.Turn, list string, i int) llm.Turn {
		t.Path = llm.Path{List: list, Index: i}
		return t
	}
	f("the last call has no result", llm.Chat, true, []llm.Turn{hi, turn(llm.Assistant, calling("call_9", "f", "{}"))},
		llm.InvalidRequest, codeInvalidValue, "messages", "call_9")
	f("a call has no result, unrepaired", llm.Responses, false,
		[]llm.Turn{hi, turn(llm.Assistant, calling("call_9", "f", "{}")), hi}, llm.InvalidRequest, codeInvalidValue, "input", "call_9")
	f("a reference", llm.Responses, true, []llm.Turn{at(turn(llm.Assistant, llm.Item{Kind: llm.Reference, ID: "rs_1"}), "input", 4)},
		llm.NotFound, codeItemNotFound, "input[4].id", "rs_1")
	f("an item of its own", llm.Responses, true,
		[]llm.Turn{at(turn(llm.User, llm.Item{Kind: llm.Opaque, Name: "compaction"}), "input", 2)},
		llm.InvalidRequest, codeUnsupportedItem, "input[2]", "compaction")
	f("audio", llm.Chat, true, []llm.Turn{at(turn(llm.User, llm.Item{Kind: llm.Audio}), "messages", 0)},
		llm.InvalidRequest, codeUnsupportedValue, "messages[0].content", "audio")
	f("a picture of the assistant's", llm.Chat, true, []llm.Turn{hi, at(turn(llm.Assistant, llm.Item{Kind: llm.Image}), "messages", 1)},
		llm.InvalidRequest, codeUnsupportedValue, "messages[1]", "user message")
}

func TestWriteSystem(t *testing.T) {
	text := func(s string) llm.Item { return llm.Item{Kind: llm.Text, Text: []byte(s)} }
	r := asked(llm.Chat)
	r.System = []llm.Item{text("a"), text(""), text("b")}
	got := body(t, exchange(r, modelModern))
	if want := `[{"type":"text","text":"a"},{"type":"text","text":"b"}]`; look(got, "system") != want {
		t.Errorf("got %s, want %s", look(got, "system"), want)
	}
	if len(r.System) != 3 {
		t.Error("the request was changed")
	}
	r.Turns = nil
	got = body(t, exchange(r, modelModern))
	if look(got, "system") != `[{"type":"text","text":"a"}]` || look(got, "messages 0 content 0 text") != `"b"` {
		t.Errorf("without messages: got %s", got)
	}
}

func TestWriteArguments(t *testing.T) {
	f := func(arguments, want, warnings string) {
		t.Helper()
		r := &llm.Request{Protocol: llm.Chat, Turns: []llm.Turn{said(llm.User, "hi"),
			turn(llm.Assistant, calling("a", "f", arguments)), turn(llm.User, answering("a", "1"))}}
		x := exchange(r, modelModern)
		if got := look(body(t, x), "messages 1 content 0 input"); got != want || warned(x) != warnings {
			t.Errorf("%s: got %s (%s), want %s (%s)", arguments, got, warned(x), want, warnings)
		}
	}
	// mark3labs/mcp-go#913, openai/openai-go#467: not a byte is changed.
	f(`{"n": 9007199254740993, "z":1.0,"a":1e21,"s":"<b>"}`, `{"n": 9007199254740993, "z":1.0,"a":1e21,"s":"<b>"}`, "")
	// jataware/archytas#69.
	f(" ", "{}", "")
	f("[1]", `{"value":[1]}`, "approx=messages.tool_calls.function.arguments")
	f(`{"a":`, `{"_raw_arguments":"{\"a\":"}`, "approx=messages.tool_calls.function.arguments")
}

func TestWriteResults(t *testing.T) {
	result := llm.Item{Kind: llm.Result, CallID: "a", IsError: true, Parts: []llm.Item{
		{Kind: llm.Text, Text: []byte("no")},
		{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: []byte("AA==")}, Cache: llm.CacheShort},
	}}
	r := &llm.Request{Protocol: llm.Chat, Turns: []llm.Turn{said(llm.User, "hi"),
		turn(llm.Assistant, calling("a", "f", "{}")), turn(llm.User, result)}}
	want := `{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"no"},{"type":"image",` +
		`"source":{"type":"base64","media_type":"image/png","data":"AA=="}}],"is_error":true,"cache_control":{"type":"ephemeral"}}`
	got := look(body(t, exchange(r, modelModern)), "messages 2 content 0")
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestWriteCustomCall(t *testing.T) {
	r := &llm.Request{Protocol: llm.Responses, Tools: []llm.Tool{{Kind: llm.CustomTool, Name: "apply_patch"}}, Turns: []llm.Turn{
		said(llm.User, "hi"),
		turn(llm.Assistant, llm.Item{Kind: llm.Call, CallID: "a", Name: "apply_patch", Custom: true, Text: []byte("x\n\"y\"")}),
		turn(llm.User, answering("a", "1")),
	}}
	got := look(body(t, exchange(r, modelModern)), "messages 1 content 0")
	if want := `{"type":"tool_use","id":"a","name":"apply_patch","input":{"input":"x\n\"y\""}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWriteMedia(t *testing.T) {
	f := func(name string, item llm.Item, want, warnings, code string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := &llm.Request{Protocol: llm.Chat, Turns: []llm.Turn{turn(llm.User, item)}}
			x := exchange(r, modelModern)
			out, err := AppendRequest(nil, x)
			if code != "" {
				if err == nil || err.Code != code || err.Param != "messages.content" {
					t.Errorf("got %s, error %+v", out, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := look(string(out), "messages 0 content 0"); got != want || warned(x) != warnings {
				t.Errorf("\n got %s (%s)\nwant %s (%s)", got, warned(x), want, warnings)
			}
		})
	}
	image := func(m llm.Media) llm.Item { return llm.Item{Kind: llm.Image, Media: m} }
	file := func(m llm.Media) llm.Item { return llm.Item{Kind: llm.File, Media: m} }
	f("by address", image(llm.Media{URL: "https://x/y", Detail: "high"}),
		`{"type":"image","source":{"type":"url","url":"https://x/y"}}`, "dropped=messages.content.image_url.detail", "")
	f("a data URL", image(llm.Media{URL: "data:image/jpg;base64,/9j/AA=="}),
		`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/AA=="}}`, "", "")
	f("base64 of an unknown type", image(llm.Media{Data: []byte("iVBORw0KGgoA"), Detail: "auto"}),
		`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgoA"}}`, "", "")
	f("SVG", image(llm.Media{Type: "image/svg+xml", Data: []byte("AA==")}), "", "", codeUnsupportedValue)
	f("PDF", file(llm.Media{Type: "application/pdf", Data: []byte("JVBERi0="), Name: "a.pdf"}),
		`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"a.pdf"}`, "", "")
	f("PDF as a data URL", file(llm.Media{Data: []byte("data:application/pdf;base64,JVBERi0=")}),
		`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}`, "", "")
	f("PDF by address", file(llm.Media{URL: "https://x/a.pdf"}),
		`{"type":"document","source":{"type":"url","url":"https://x/a.pdf"}}`, "", "")
	f("text", file(llm.Media{Text: []byte("a\nb"), Type: "text/plain", Context: "c", Citations: true}),
		`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a\nb"},"context":"c",`+
			`"citations":{"enabled":true}}`, "", "")
	f("text in base64", file(llm.Media{Data: []byte("aGk="), Type: "text/markdown"}),
		`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"}}`, "", "")
	f("a data URL without base64", file(llm.Media{URL: "data:text/plain,hi"}),
		`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"}}`, "", "")
	f("a spreadsheet", file(llm.Media{Type: "application/vnd.ms-excel", Data: []byte("AA==")}), "", "", codeUnsupportedValue)
}

func TestWriteMarks(t *testing.T) {
	marked := func(text string, ttl llm.CacheTTL) llm.Item {
		return llm.Item{Kind: llm.Text, Text: []byte(text), Cache: ttl}
	}
	f := func(name string, change func(r *llm.Request, x *llm.Exchange), want, warnings string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := asked(llm.Chat)
			x := exchange(r, modelModern)
			change(r, x)
			got := body(t, x)
			got = strings.ReplaceAll(got, `"cache_control":{"type":"ephemeral"}`, "#5m#")
			got = strings.ReplaceAll(got, `"cache_control":{"type":"ephemeral","ttl":"1h"}`, "#1h#")
			seen := ""
			for _, part := range strings.Split(got, "#") {
				if part == "5m" || part == "1h" {
					seen += part + " "
				} else {
					for _, name := range []string{"tA", "sA", "uA", "uB", "uC", "uD", "uE"} {
						if strings.Contains(part, `"`+name+`"`) {
							seen += name + " "
						}
					}
				}
			}
			if seen = strings.TrimSpace(seen); seen != want || warned(x) != warnings {
				t.Errorf("\n got %q (%s)\nwant %q (%s)", seen, warned(x), want, warnings)
			}
		})
	}
	tool := function("tA")
	tool.Cache = llm.CacheShort
	f("on tools, system and texts", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools, r.System = []llm.Tool{tool}, []llm.Item{marked("sA", llm.CacheShort)}
		r.Turns = []llm.Turn{turn(llm.User, marked("uA", llm.CacheShort))}
	}, "tA 5m sA 5m uA 5m", "")
	// maximhq/bifrost#6290: the earliest in the conversation go.
	f("more than four", func(r *llm.Request, _ *llm.Exchange) {
		r.Tools, r.System = []llm.Tool{tool}, []llm.Item{marked("sA", llm.CacheShort)}
		r.Turns = []llm.Turn{turn(llm.User, marked("uA", llm.CacheShort), marked("uB", llm.CacheShort),
			marked("uC", llm.CacheShort), marked("uD", llm.CacheShort))}
	}, "tA 5m sA 5m uA uB uC 5m uD 5m", "dropped=cache_control")
	f("an hour", func(r *llm.Request, _ *llm.Exchange) {
		r.Turns = []llm.Turn{turn(llm.User, marked("uA", llm.CacheLong), marked("uB", llm.CacheShort))}
	}, "uA 1h uB 5m", "")
	f("an hour behind five minutes", func(r *llm.Request, _ *llm.Exchange) {
		r.Turns = []llm.Turn{turn(llm.User, marked("uA", llm.CacheShort), marked("uB", llm.CacheLong))}
	}, "uA 5m uB 5m", "approx=cache_control")
	f("retention", func(r *llm.Request, _ *llm.Exchange) {
		r.Cache.Retention = "24h"
		r.Turns = []llm.Turn{turn(llm.User, marked("uA", llm.CacheShort))}
	}, "uA 1h", "")
	f("retention without marks", func(r *llm.Request, _ *llm.Exchange) { r.Cache.Retention = "24h" }, "",
		"dropped=prompt_cache_retention")
	f("by itself", func(r *llm.Request, x *llm.Exchange) {
		x.Options.AutoCache, r.Tools = true, []llm.Tool{function("tA")}
	}, "5m tA", "")
	f("by itself for long", func(r *llm.Request, x *llm.Exchange) {
		x.Options.AutoCache, r.Tools, r.Cache.Options = true, []llm.Tool{function("tA")}, []byte(`{"ttl":"12h"}`)
	}, "1h tA", "")
	f("not by itself without reason", func(_ *llm.Request, x *llm.Exchange) { x.Options.AutoCache = true }, "", "")
	f("not by itself beside marks", func(r *llm.Request, x *llm.Exchange) {
		x.Options.AutoCache, r.Tools = true, []llm.Tool{tool}
	}, "tA 5m", "")
	f("not by itself at other providers", func(r *llm.Request, x *llm.Exchange) {
		x.Options.AutoCache, x.Options.FirstParty, r.Tools = true, false, []llm.Tool{function("tA")}
	}, "tA", "")
	f("not by itself when the client decides", func(r *llm.Request, x *llm.Exchange) {
		x.Options.AutoCache, r.Tools, r.Cache.Options = true, []llm.Tool{function("tA")}, []byte(`{"mode":"explicit"}`)
	}, "tA", "")
	f("the key", func(r *llm.Request, _ *llm.Exchange) { r.Cache.Key = "k" }, "", "dropped=prompt_cache_key")
}
