package messages

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

func TestWriteTools(t *testing.T) {
	tools := func(list ...llm.Tool) func(r *llm.Request, _ *llm.Exchange) {
		return func(r *llm.Request, _ *llm.Exchange) { r.Tools = list }
	}
	strict := function("f")
	strict.Strict = boolean(true)
	strict.Schema = []byte(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`)
	open := function("f")
	open.Strict, open.Schema = boolean(true), []byte(`{"type":"object","additionalProperties":true}`)
	loose := function("f")
	loose.Strict = boolean(false)
	search := llm.Tool{Kind: llm.SearchTool, Search: &llm.WebSearch{
		AllowedDomains: []byte(`["a.b"]`), Location: []byte(`{"type":"approximate","city":"B","region":null}`),
		ContextSize: "high",
	}}
	other := llm.Tool{Kind: llm.OtherTool, Name: "code_interpreter"}
	server := llm.Tool{Kind: llm.RemoteTool, RawProtocol: llm.Responses, Raw: []byte(`{"type":"mcp","server_label":"s",` +
		`"server_url":"https://s","authorization":"tok","allowed_tools":["a"],"require_approval":"never"}`)}
	asking := llm.Tool{Kind: llm.RemoteTool, RawProtocol: llm.Responses, Raw: []byte(`{"type":"mcp","server_label":"s",` +
		`"server_url":"https://s","require_approval":"always"}`)}
	deferred := function("f")
	deferred.RawProtocol, deferred.Raw = llm.Responses, []byte(`{"type":"function","name":"f","defer_loading":true,"async":null}`)
	for _, c := range []written{
		{"none", modelModern, tools(), "tools", "", "", "", ""},
		{"description", modelModern, tools(llm.Tool{Name: "f", Description: "d"}), "tools",
			`[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}]`, "", "", ""},
		{"strict", modelModern, tools(strict), "tools 0 strict", "true", "", "", ""},
		{"strict by a schema that can't be", modelModern, tools(open), "tools 0 strict", "", "dropped=tools.strict", "", ""},
		{"not strict", modelModern, tools(loose), "tools 0 strict", "", "", "", ""},
		{"strict where it is not known", modelOld, tools(strict), "tools 0 strict", "", "dropped=tools.strict", "", ""},
		{"members of Responses", modelModern, tools(deferred), "tools 0 defer_loading", "", "dropped=tools.defer_loading", "", ""},
		// router-for-me/CLIProxyAPI#5753: the grammar must not get lost.
		{"custom", modelModern, tools(llm.Tool{Kind: llm.CustomTool, Name: "p", Description: "d", Grammar: "start: x", Syntax: "lark"}),
			"tools 0", `{"name":"p","description":"d\n\nThe input must follow this lark grammar:\nstart: x",` +
				`"input_schema":` + freeformSchema + `}`, "", "", ""},
		{"namespace", modelModern, tools(llm.Tool{Namespace: "ns", Name: "f"}), "tools 0 name", `"ns__f"`, "", "", ""},
		{"tool_search", modelModern, tools(llm.Tool{Kind: llm.ToolSearchTool}), "tools 0 name", `"tool_search"`, "", "", ""},
		{"web search", modelModern, tools(search), "tools 0", `{"type":"web_search_20250305","name":"web_search",` +
			`"allowed_domains":["a.b"],"user_location":{"type":"approximate","city":"B"}}`,
			"dropped=tools.search_context_size", "", ""},
		{"bound of searches", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Tools, r.MaxToolCalls = []llm.Tool{{Kind: llm.SearchTool}}, number64(3)
		}, "tools 0 max_uses", "3", "", "", ""},
		{"bound of nothing", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.MaxToolCalls = number64(3) }, "tools", "",
			"dropped=max_tool_calls", "", ""},
		// looplj/axonhub#1843: other providers don't know Anthropic's hosted tools.
		{"web search elsewhere", modelCompat, func(r *llm.Request, x *llm.Exchange) {
			r.Tools, x.Options.FirstParty = []llm.Tool{search, function("f")}, false
		}, "tools", `[{"name":"f","input_schema":{"type":"object","properties":{}}}]`, "dropped=tools.web_search", "", ""},
		// HarnessRouter/harnessrouter#202: a hosted tool among others is no reason to refuse.
		{"hosted tool beside another", modelModern, tools(other, function("f")), "tools",
			`[{"name":"f","input_schema":{"type":"object","properties":{}}}]`, "dropped=tools.code_interpreter", "", ""},
		{"hosted tool alone", modelModern, tools(other), "", "", "", codeUnsupportedValue, "tools"},
		{"hosted tool dropped by the channel", modelModern, func(r *llm.Request, x *llm.Exchange) {
			r.Tools, x.Options.HostedTools = []llm.Tool{other}, llm.HostedDrop
		}, "tools", "", "dropped=tools.code_interpreter", "", ""},
		{"hosted tool refused by the channel", modelModern, func(r *llm.Request, x *llm.Exchange) {
			r.Tools, x.Options.HostedTools = []llm.Tool{other, function("f")}, llm.HostedReject
		}, "", "", "", codeUnsupportedValue, "tools"},
		{"hosted tool that must be called", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Tools = []llm.Tool{other, function("f")}
			r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Kind: llm.OtherTool, Name: "code_interpreter"}}}
		}, "", "", "", codeUnsupportedValue, "tools"},
		{"hosted tool that was called", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Tools = []llm.Tool{other, function("f")}
			r.Turns = append(r.Turns, turn(llm.Assistant, llm.Item{Kind: llm.Hosted, Name: "code_interpreter"}), said(llm.User, "x"))
		}, "", "", "", codeUnsupportedValue, "tools"},
		{"MCP", modelModern, tools(server), "mcp_servers", `[{"type":"url","url":"https://s","name":"s",` +
			`"authorization_token":"tok","tool_configuration":{"enabled":true,"allowed_tools":["a"]}}]`, "", "", ""},
		{"MCP is no tool", modelModern, tools(server), "tools", "", "", "", ""},
		{"MCP with approval", modelModern, tools(asking), "", "", "", codeUnsupportedValue, "tools.require_approval"},
	} {
		c.run(t, llm.Responses)
	}
	c := written{"web_search_options", modelModern, func(r *llm.Request, _ *llm.Exchange) {
		r.Search = &llm.WebSearch{Location: []byte(`{"country":"DE"}`)}
	}, "tools 0", `{"type":"web_search_20250305","name":"web_search","user_location":{"type":"approximate","country":"DE"}}`, "",
		"", ""}
	c.run(t, llm.Chat)
}

func TestWriteToolNames(t *testing.T) {
	long := strings.Repeat("n", 140)
	r := &llm.Request{Protocol: llm.Chat, Tools: []llm.Tool{function("a.b"), function("a_b"), function(long)}, Turns: []llm.Turn{
		said(llm.User, "hi"),
		turn(llm.Assistant, calling("1", "a.b", "{}"), calling("2", long, "{}"), calling("3", "gone.tool", "{}")),
		turn(llm.User, answering("1", "x"), answering("2", "x"), answering("3", "x")),
	}}
	r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Name: long}}}
	x := exchange(r, modelModern)
	text := body(t, x)
	dotted, cut := look(text, "tools 0 name"), look(text, "tools 2 name")
	if strings.Contains(dotted, ".") || dotted == `"a_b"` || len(cut) > maxToolName+2 {
		t.Errorf("got names %s %s", dotted, cut)
	}
	if look(text, "tools 1 name") != `"a_b"` {
		t.Errorf("a legal name became %s", look(text, "tools 1 name"))
	}
	if look(text, "messages 1 content 0 name") != dotted || look(text, "messages 1 content 1 name") != cut ||
		look(text, "tool_choice name") != cut {
		t.Errorf("the names differ in %s", text)
	}
	if got := look(text, "messages 1 content 2 name"); strings.Contains(got, ".") {
		t.Errorf("a tool that is gone is called %s", got)
	}
	if got := x.Names.Tool(strings.Trim(dotted, `"`)).Name; got != "a.b" {
		t.Errorf("the name comes back as %q", got)
	}
}

func TestWriteToolNamesOfOtherProvidersAreShorter(t *testing.T) {
	r := asked(llm.Chat)
	r.Tools = []llm.Tool{function(strings.Repeat("n", 83))}
	x := exchange(r, modelCompat)
	x.Options.FirstParty = false
	if got := look(body(t, x), "tools 0 name"); len(got) > maxOtherToolName+2 {
		t.Errorf("got %s", got)
	}
}

func TestWriteToolChoice(t *testing.T) {
	named := []llm.ToolName{{Name: "f"}}
	yes, no := boolean(true), boolean(false)
	f := func(name, model string, change func(r *llm.Request), want, warnings string) {
		t.Helper()
		c := written{name, model, func(r *llm.Request, _ *llm.Exchange) {
			r.Tools = []llm.Tool{function("f"), function("g")}
			change(r)
		}, "tool_choice", want, warnings, "", ""}
		c.run(t, llm.Chat)
	}
	choice := func(c llm.ToolChoice) func(r *llm.Request) { return func(r *llm.Request) { r.Choice = c } }
	f("absent", modelModern, choice(llm.ToolChoice{}), "", "")
	f("auto", modelModern, choice(llm.ToolChoice{Mode: llm.ChoiceAuto}), `{"type":"auto"}`, "")
	f("none", modelModern, choice(llm.ToolChoice{Mode: llm.ChoiceNone, Parallel: no}), `{"type":"none"}`, "")
	f("required", modelModern, choice(llm.ToolChoice{Mode: llm.ChoiceRequired}), `{"type":"any"}`, "")
	f("named", modelModern, choice(llm.ToolChoice{Mode: llm.ChoiceNamed, Names: named}), `{"type":"tool","name":"f"}`, "")
	f("parallel", modelModern, choice(llm.ToolChoice{Parallel: yes}), "", "")
	f("not parallel", modelModern, choice(llm.ToolChoice{Parallel: no}), `{"type":"auto","disable_parallel_tool_use":true}`, "")
	f("required, not parallel", modelModern, choice(llm.ToolChoice{Mode: llm.ChoiceRequired, Parallel: no}),
		`{"type":"any","disable_parallel_tool_use":true}`, "")
	f("deprecated functions", modelModern, func(r *llm.Request) { r.Legacy = true },
		`{"type":"auto","disable_parallel_tool_use":true}`, "")
	f("allowed", modelModern, choice(llm.ToolChoice{Mode: llm.ChoiceAllowed, Names: named, Required: true}), `{"type":"any"}`,
		"approx=tool_choice")
	f("no tools", modelModern, func(r *llm.Request) {
		r.Tools, r.Choice = nil, llm.ToolChoice{Mode: llm.ChoiceAuto, Parallel: no}
	}, "", "")
	f("no tools, but required", modelModern, func(r *llm.Request) {
		r.Tools, r.Choice = nil, llm.ToolChoice{Mode: llm.ChoiceRequired}
	}, "", "dropped=tool_choice")
	f("a model that can't be forced", modelAlways, choice(llm.ToolChoice{Mode: llm.ChoiceRequired}), `{"type":"auto"}`,
		"approx=tool_choice")
	// BerriAI/litellm#8901: thinking gives way to a forced call.
	f("forced while thinking", modelBudget, func(r *llm.Request) {
		r.Choice, r.Reasoning.Effort = llm.ToolChoice{Mode: llm.ChoiceRequired}, llm.EffortLow
	}, `{"type":"any"}`, "dropped=reasoning_effort")
	f("forced while thinking on purpose", modelBudget, func(r *llm.Request) {
		r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: named}
		r.Reasoning.Thinking, r.Reasoning.Budget = llm.ThinkingBudget, 2000
	}, `{"type":"auto"}`, "approx=tool_choice")
	f("forced while thinking adaptively", modelModern, func(r *llm.Request) {
		r.Choice, r.Reasoning.Effort = llm.ToolChoice{Mode: llm.ChoiceRequired}, llm.EffortLow
	}, `{"type":"any"}`, "")
}

func TestWriteToolChoiceKeepsTheOnlyTool(t *testing.T) {
	f := func(name, model string, c llm.ToolChoice) {
		t.Helper()
		r := asked(llm.Chat)
		r.Tools, r.Choice = []llm.Tool{function("f"), function("g")}, c
		if got := look(body(t, exchange(r, model)), "tools"); strings.Contains(got, `"g"`) || !strings.Contains(got, `"f"`) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	names := []llm.ToolName{{Name: "f"}}
	f("allowed", modelModern, llm.ToolChoice{Mode: llm.ChoiceAllowed, Names: names})
	f("named, but the model can't be forced", modelAlways, llm.ToolChoice{Mode: llm.ChoiceNamed, Names: names})
}

func TestWriteFormat(t *testing.T) {
	schema := []byte(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`)
	open := []byte(`{"type":"object","additionalProperties":{"type":"string"}}`)
	f := func(name, model string, change func(r *llm.Request), path, want, tool, warnings string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := asked(llm.Chat)
			change(r)
			x := exchange(r, model)
			text := body(t, x)
			if got := look(text, path); got != want || x.JSONTool != tool || warned(x) != warnings {
				t.Errorf("\n got %s, tool %q (%s)\nwant %s, tool %q (%s)\nin %s", got, x.JSONTool, warned(x), want, tool, warnings, text)
			}
		})
	}
	format := func(s []byte, tools ...llm.Tool) func(r *llm.Request) {
		return func(r *llm.Request) { r.Format, r.Tools = llm.Format{Kind: llm.FormatSchema, Schema: s}, tools }
	}
	f("native", modelModern, format(schema), "output_config format", `{"type":"json_schema","schema":{"type":"object",`+
		`"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}`, "", "")
	f("an open object", modelModern, format(open), "tools 0 input_schema", string(open), jsonTool, "")
	f("must be called", modelModern, format(open), "tool_choice",
		`{"type":"tool","name":"json_response","disable_parallel_tool_use":true}`, jsonTool, "")
	f("a model without formats", "claude-sonnet-4", format(schema), "tools 0 input_schema", string(schema), jsonTool, "")
	// BerriAI/litellm#35637: the client's tools stay.
	f("beside other tools", modelModern, format(open, function("f")), "tool_choice",
		`{"type":"any","disable_parallel_tool_use":true}`, jsonTool, "")
	f("a tool of that name", modelModern, format(open, function(jsonTool)), "tools 0 name", `"json_response"`,
		llm.WireName("", jsonTool, maxToolName, func(s string) bool { return s == jsonTool }), "")
	// mastra-ai/mastra#7507.
	f("while thinking", modelBudget, func(r *llm.Request) {
		format(open)(r)
		r.Reasoning.Effort = llm.EffortLow
	}, "thinking", "", jsonTool, "dropped=reasoning_effort")
	f("a model that can't be forced", modelAlways, format(open), "system",
		`[{"type":"text","text":"Answer by calling the tool json_response."}]`, jsonTool, "approx=response_format")
	f("any object", modelModern, func(r *llm.Request) { r.Format.Kind = llm.FormatJSON }, "system",
		`[{"type":"text","text":"`+jsonInstruction+`"}]`, "", "approx=response_format")
}
