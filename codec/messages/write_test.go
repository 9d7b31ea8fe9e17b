package messages

import (
	"bytes"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Models of the rows of protocols.md D.5.
const (
	modelAlways   = "claude-opus-5-5"   // thinks always, no forced choice
	modelBetween  = "claude-sonnet-5-5" // thinks between tools at least
	modelModern   = "claude-opus-4-8"   // no sampling, adaptive
	modelBoth     = "claude-opus-4-6"   // sampling, adaptive and budget
	modelBudget   = "claude-sonnet-4-5" // sampling, budget
	modelOld      = "claude-3-5-haiku"  // no thinking
	modelCompat   = "kimi-k2"           // of a compatible provider
	modelOfNoName = "claude-next"
)

func TestWriteBasicText(t *testing.T) {
	r := asked(llm.Chat)
	r.System = []llm.Item{{Kind: llm.Text, Text: []byte("be brief")}}
	r.Tools = []llm.Tool{function("f")}
	r.Stream = true
	got := body(t, exchange(r, modelModern))
	want := `{"model":"claude-opus-4-8","max_tokens":32000,"stream":true,` +
		`"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],` +
		`"system":[{"type":"text","text":"be brief"}],"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// written is a case of the table tests: a request is changed, and one place of the body it makes is looked at.
type written struct {
	name, model string
	change      func(r *llm.Request, x *llm.Exchange)
	path, want  string
	warnings    string
	code, param string // of a refusal
}

func (c *written) run(t *testing.T, client llm.Protocol) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		t.Helper()
		r := asked(client)
		x := exchange(r, c.model)
		c.change(r, x)
		out, err := AppendRequest(nil, x)
		if c.code != "" {
			if err == nil {
				t.Fatalf("not refused: %s", out)
			}
			if err.Code != c.code || err.Param != c.param {
				t.Errorf("got code %q param %q, want %q %q (%s)", err.Code, err.Param, c.code, c.param, err.Message)
			}
			return
		}
		if err != nil {
			t.Fatalf("refused: %s (%s)", err.Message, err.Param)
		}
		checkBody(t, string(out), client)
		if got := look(string(out), c.path); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s\nin %s", c.path, got, c.want, out)
		}
		if got := warned(x); got != c.warnings {
			t.Errorf("got warnings %q, want %q", got, c.warnings)
		}
	})
}

func TestWriteSampling(t *testing.T) {
	one := []byte("1")
	for _, c := range []written{
		{"temperature within", modelBudget, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Temperature = []byte("0.70") },
			"temperature", "0.70", "", "", ""},
		{"temperature above", modelBudget, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Temperature = []byte("1.7") },
			"temperature", "1", "approx=temperature", "", ""},
		{"temperature below", modelBudget, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Temperature = []byte("-1") },
			"temperature", "0", "approx=temperature", "", ""},
		// BerriAI/litellm#26444: the newest models answer 400.
		{"temperature refused by the model", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Sampling.Temperature = []byte("0.5")
		}, "temperature", "", "dropped=temperature", "", ""},
		{"the default is no loss", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Sampling.Temperature, r.Sampling.TopP = []byte("1.0"), one
		}, "temperature", "", "", "", ""},
		{"an unknown claude", modelOfNoName, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.TopP = []byte("0.5") },
			"top_p", "", "dropped=top_p", "", ""},
		// cloud-apim/otoroshi-llm-extension#140.
		{"temperature wins over top_p", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Sampling.Temperature, r.Sampling.TopP = []byte("0.5"), []byte("0.9")
		}, "top_p", "", "dropped=top_p", "", ""},
		{"top_p alone", modelBudget, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.TopP = []byte("0.9") },
			"top_p", "0.9", "", "", ""},
		{"top_k", modelBudget, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.TopK = []byte("40") }, "top_k", "40", "", "", ""},
		{"thinking rules sampling out", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Sampling.Temperature, r.Sampling.TopK = llm.EffortLow, []byte("0.5"), []byte("4")
		}, "temperature", "", "dropped=temperature,top_k", "", ""},
		{"stop", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Stop = []string{"a", " \n", "b"} },
			"stop_sequences", `["a","b"]`, "dropped=stop", "", ""},
		{"hints", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			s := &r.Sampling
			s.Seed, s.LogitBias, s.FrequencyPenalty, s.PresencePenalty = one, []byte(`{"1":2}`), one, []byte("0.0")
			s.Verbosity = "low"
		}, "seed", "", "dropped=frequency_penalty,seed,logit_bias,verbosity", "", ""},
		{"one answer", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.N = 1 }, "n", "", "", "", ""},
		{"two answers", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.N = 2 }, "", "", "",
			codeUnsupportedValue, "n"},
		{"logprobs", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Logprobs = true }, "", "", "",
			codeUnsupportedParameter, "logprobs"},
		{"no alternatives", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.TopLogprobs = number64(0) },
			"top_logprobs", "", "", "", ""},
		{"alternatives", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.TopLogprobs = number64(3) }, "", "", "",
			codeUnsupportedParameter, "top_logprobs"},
		{"strict", modelModern, func(r *llm.Request, x *llm.Exchange) { r.Sampling.Seed, x.Options.Strict = one, true }, "", "", "",
			codeUnsupportedParameter, "seed"},
		{"strict refuses approximations", modelBudget, func(r *llm.Request, x *llm.Exchange) {
			r.Sampling.Temperature, x.Options.Strict = []byte("2"), true
		}, "", "", "", codeUnsupportedValue, "temperature"},
	} {
		c.run(t, llm.Chat)
	}
	for _, c := range []written{
		{"alternatives alone", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.TopLogprobs = number64(3) },
			"top_logprobs", "", "dropped=top_logprobs", "", ""},
		{"included logprobs", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Logprobs = true }, "", "", "",
			codeUnsupportedParameter, "include"},
		{"verbosity", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Sampling.Verbosity = "high" }, "verbosity", "",
			"dropped=text.verbosity", "", ""},
	} {
		c.run(t, llm.Responses)
	}
}

func TestWriteMaxTokens(t *testing.T) {
	f := func(name, model string, want string, change func(r *llm.Request, x *llm.Exchange), warnings string, chosen bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := asked(llm.Chat)
			x := exchange(r, model)
			change(r, x)
			if got := look(body(t, x), "max_tokens"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := warned(x); got != warnings || x.MaxTokensChosen != chosen {
				t.Errorf("got warnings %q chosen %t, want %q %t", got, x.MaxTokensChosen, warnings, chosen)
			}
		})
	}
	none := func(*llm.Request, *llm.Exchange) {}
	f("new", modelModern, "32000", none, "", true)
	f("3.5", modelOld, "8192", none, "", true)
	f("opus 4", "claude-opus-4-0", "32000", none, "", true)
	f("unknown claude", modelOfNoName, "32000", none, "", true)
	f("compatible", modelCompat, "8192", none, "", true)
	f("compatible, by the channel", modelCompat, "16000", func(_ *llm.Request, x *llm.Exchange) {
		x.Options.MaxTokens = 16000
	}, "", true)
	f("highest effort", modelModern, "64000", func(r *llm.Request, _ *llm.Exchange) { r.Reasoning.Effort = llm.EffortMax }, "", true)
	f("budget", modelBudget, "36000", func(r *llm.Request, _ *llm.Exchange) { r.Reasoning.Effort = llm.EffortHigh }, "", true)
	f("budget up to the ceiling", modelBudget, "64000", func(r *llm.Request, _ *llm.Exchange) {
		r.Reasoning.Effort = llm.EffortMax
	}, "", true)
	f("given", modelModern, "5", func(r *llm.Request, _ *llm.Exchange) { r.Sampling.MaxTokens = number64(5) }, "", false)
	f("given too much", modelOld, "8192", func(r *llm.Request, _ *llm.Exchange) { r.Sampling.MaxTokens = number64(100_000) },
		"approx=max_completion_tokens", false)
	f("the catalog's limit", modelCompat, "4096", func(r *llm.Request, x *llm.Exchange) {
		x.Capabilities.MaxOutput, r.Sampling.MaxTokens = 4096, number64(5000)
	}, "approx=max_completion_tokens", false)
	f("filling the cache", modelModern, "0", func(r *llm.Request, _ *llm.Exchange) { r.Cache.Prewarm = true }, "", false)
}

func TestWriteEfforts(t *testing.T) {
	efforts := []llm.Effort{
		"", llm.EffortNone, llm.EffortMinimal, llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh, llm.EffortMax,
	}
	f := func(model string, want ...string) {
		t.Helper()
		for i, effort := range efforts {
			r := asked(llm.Chat)
			r.Reasoning.Effort = effort
			x := exchange(r, model)
			text := body(t, x)
			got := look(text, "thinking type") + look(text, "thinking budget_tokens") + look(text, "output_config effort")
			got = strings.ReplaceAll(got, `"`, " ") + warned(x)
			if got != want[i] {
				t.Errorf("%s, effort %q: got %q, want %q", model, effort, got, want[i])
			}
		}
	}
	f(modelModern, "", " disabled ", " adaptive  low approx=reasoning_effort", " adaptive  low ", " adaptive  medium ",
		" adaptive  high ", " adaptive  xhigh ", " adaptive  max ")
	f(modelBoth, "", " disabled ", " adaptive  low approx=reasoning_effort", " adaptive  low ", " adaptive  medium ",
		" adaptive  high ", " adaptive  high approx=reasoning_effort", " adaptive  max ")
	f(modelAlways, "", " low approx=reasoning_effort", " adaptive  low approx=reasoning_effort", " adaptive  low ",
		" adaptive  medium ", " adaptive  high ", " adaptive  xhigh ", " adaptive  max ")
	f(modelBetween, "", " between_tools approx=reasoning_effort", " adaptive  low approx=reasoning_effort", " adaptive  low ",
		" adaptive  medium ", " adaptive  high ", " adaptive  xhigh ", " adaptive  max ")
	f(modelBudget, "", "", " enabled 1024", " enabled 4096", " enabled 10000", " enabled 20000", " enabled 32000",
		" enabled 48000")
	f(modelOld, "", "", "dropped=reasoning_effort", "dropped=reasoning_effort", "dropped=reasoning_effort",
		"dropped=reasoning_effort", "dropped=reasoning_effort", "dropped=reasoning_effort")
}

func TestWriteThinking(t *testing.T) {
	for _, c := range []written{
		// agentgateway#2856: the budget must stay below max_tokens.
		{"the budget fits the client's limit", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Sampling.MaxTokens = llm.EffortHigh, number64(8000)
		}, "thinking", `{"type":"enabled","budget_tokens":6000}`, "", "", ""},
		{"no room for thinking", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Sampling.MaxTokens = llm.EffortHigh, number64(2000)
		}, "thinking", "", "dropped=reasoning_effort", "", ""},
		{"an explicit budget", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Thinking, r.Reasoning.Budget = llm.ThinkingBudget, 3000
		}, "thinking", `{"type":"enabled","budget_tokens":3000}`, "", "", ""},
		{"a budget where there is none", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Thinking, r.Reasoning.Budget = llm.ThinkingBudget, 20_000
		}, "output_config effort", `"high"`, "approx=thinking", "", ""},
		{"adaptive where there is none", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Thinking = llm.ThinkingAdaptive
		}, "thinking budget_tokens", "10000", "approx=thinking", "", ""},
		{"adaptive", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Reasoning.Thinking = llm.ThinkingAdaptive },
			"thinking", `{"type":"adaptive"}`, "", "", ""},
		{"an effort without thinking", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Thinking, r.Reasoning.Effort = llm.ThinkingOff, llm.EffortMax
		}, "output_config effort", `"max"`, "", "", ""},
		{"not the highest effort without thinking", "claude-opus-5", func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Thinking, r.Reasoning.Effort = llm.ThinkingOff, llm.EffortMax
		}, "output_config effort", `"high"`, "approx=reasoning_effort", "", ""},
		{"off", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Reasoning.Thinking = llm.ThinkingOff },
			"thinking", `{"type":"disabled"}`, "", "", ""},
	} {
		c.run(t, llm.Chat)
	}
	for _, c := range []written{
		// maximhq/bifrost#5185: display is never forced.
		{"display is left alone", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Reasoning.Effort = llm.EffortHigh },
			"thinking display", "", "", "", ""},
		{"a summary is asked for", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Reasoning.Summary = llm.EffortHigh, "auto"
		}, "thinking display", `"summarized"`, "", "", ""},
		{"context and mode", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Context, r.Reasoning.Mode = "all_turns", "pro"
		}, "thinking", "", "dropped=reasoning.context,reasoning.mode", "", ""},
	} {
		c.run(t, llm.Responses)
	}
}

// looped returns a conversation that ends with the result of a call, with thought before the call or nothing.
func looped(thought ...llm.Item) []llm.Turn {
	return []llm.Turn{
		said(llm.User, "hi"), turn(llm.Assistant, append(thought, calling("c1", "f", "{}"))...), turn(llm.User, answering("c1", "r")),
	}
}

func TestWriteThoughtsLostInALoop(t *testing.T) {
	signed := llm.Item{Kind: llm.Thought, Text: []byte("hm"), Seal: []byte("gw1.am-sig..S")}
	for _, c := range []written{
		{"budget thinking is turned off", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Turns = llm.EffortHigh, looped()
		}, "thinking", "", "dropped=reasoning_effort", "", ""},
		{"budget thinking stays with its thought", modelBudget, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Turns = llm.EffortHigh, looped(signed)
		}, "thinking type", `"enabled"`, "", "", ""},
		{"adaptive thinking stays", modelModern, func(r *llm.Request, _ *llm.Exchange) {
			r.Reasoning.Effort, r.Turns = llm.EffortHigh, looped()
		}, "thinking type", `"adaptive"`, "", "", ""},
	} {
		c.run(t, llm.Chat)
	}
}

func TestWriteThoughts(t *testing.T) {
	f := func(name string, item llm.Item, foreign bool, want, warnings string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r := asked(llm.Responses)
			r.Turns = append(r.Turns, turn(llm.Assistant, item, llm.Item{Kind: llm.Text, Text: []byte("a")}), said(llm.User, "b"))
			x := exchange(r, modelModern)
			x.Sealer = plainSealer{foreign: foreign}
			if got := look(body(t, x), "messages 1 content 0"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := warned(x); got != warnings {
				t.Errorf("got warnings %q, want %q", got, warnings)
			}
		})
	}
	const text = `{"type":"text","text":"a"}`
	thought := func(seal, text string) llm.Item {
		return llm.Item{Kind: llm.Thought, Seal: []byte(seal), Text: []byte(text), RawProtocol: llm.Responses, Raw: []byte("{}")}
	}
	f("signature", thought("gw1.am-sig..SIG=", "hm"), false,
		`{"type":"thinking","thinking":"hm","signature":"SIG="}`, "")
	f("signature without text", thought("gw1.am-sig..SIG=", ""), false,
		`{"type":"thinking","thinking":"","signature":"SIG="}`, "")
	f("redacted", thought("gw1.am-red..DATA", ""), false, `{"type":"redacted_thinking","data":"DATA"}`, "")
	// looplj/axonhub#715: a signature of another channel is refused by the provider.
	f("another channel's", thought("gw1.am-sig..SIG=", "hm"), true, text, "dropped=input.encrypted_content")
	f("another family's", thought("gw1.rs-enc.rs_1.ENC", "hm"), false, text, "dropped=input.encrypted_content")
	f("of no use to anybody", thought("gw1.none..", "hm"), false, text, "dropped=input.encrypted_content")
	f("bare and foreign", thought("gAAAA", "hm"), false, text, "dropped=input.encrypted_content")
	f("unsigned", thought("", "hm"), false, text, "dropped=input.encrypted_content")
	f("of Anthropic, re-attached", llm.Item{
		Kind: llm.Thought, RawProtocol: llm.Messages, Raw: []byte(`{"type":"thinking","thinking":"x","signature":"y"}`),
		Seal: []byte("y"),
	}, false, `{"type":"thinking","thinking":"x","signature":"y"}`, "")
}

func TestWriteIdentity(t *testing.T) {
	for _, c := range []written{
		{"user", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.User = "u-1" }, "metadata", `{"user_id":"u-1"}`, "", "", ""},
		{"metadata", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Metadata = []byte(`{"team":"x","user_id":"u"}`) },
			"metadata", `{"user_id":"u"}`, "dropped=metadata", "", ""},
		{"default tier", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier = "default" }, "service_tier",
			`"standard_only"`, "", "", ""},
		{"auto tier", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier = "auto" }, "service_tier", "", "", "", ""},
		{"priority", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier = "priority" }, "service_tier", `"auto"`,
			"", "", ""},
		{"priority as speed", modelModern, func(r *llm.Request, x *llm.Exchange) {
			r.ServiceTier, x.Options.TierToSpeed = "fast", true
		}, "speed", `"fast"`, "", "", ""},
		{"flex", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.ServiceTier = "flex" }, "service_tier", "",
			"dropped=service_tier", "", ""},
	} {
		c.run(t, llm.Chat)
	}
	r := asked(llm.Chat)
	r.User = "someone@example.com"
	if got := look(body(t, exchange(r, modelModern)), "metadata user_id"); len(got) != 66 || strings.Contains(got, "@") {
		t.Errorf("an e-mail address became %s", got)
	}
}

func TestLooksPersonal(t *testing.T) {
	for user, want := range map[string]bool{
		"a@b.com": true, "+49 171 1234567": true, "0171-1234567": true, "12345678": false, "user_1": false, "@": false, "x@y": false,
	} {
		if got := looksPersonal(user); got != want {
			t.Errorf("%q: got %t, want %t", user, got, want)
		}
	}
}

func TestWriteFieldsOfOtherProtocols(t *testing.T) {
	extra := func(name, value string) func(r *llm.Request, _ *llm.Exchange) {
		return func(r *llm.Request, _ *llm.Exchange) {
			r.Extra = append(r.Extra, llm.Field{Name: name, Value: []byte(value)})
		}
	}
	for _, c := range []written{
		{"prediction", modelModern, extra("prediction", `{"type":"content"}`), "prediction", "", "dropped=prediction", "", ""},
		{"modalities of text", modelModern, extra("modalities", `["text"]`), "modalities", "", "", "", ""},
		{"audio", modelModern, extra("modalities", `["text","audio"]`), "", "", "", codeUnsupportedValue, "modalities"},
		{"background", modelModern, extra("background", "true"), "", "", "", codeUnsupportedParameter, "background"},
		{"prompt", modelModern, extra("prompt", `{"id":"p"}`), "", "", "", codeUnsupportedParameter, "prompt"},
		{"truncation", modelModern, extra("truncation", `"auto"`), "truncation", "", "dropped=truncation", "", ""},
		{"moderation", modelModern, extra("moderation", `{"model":"m"}`), "moderation", "", "dropped=moderation", "", ""},
		{"blocking moderation", modelModern, extra("moderation", `{"policy":{"mode":"block"}}`), "", "", "",
			codeUnsupportedParameter, "moderation"},
		{"include", modelModern, extra("include", `["reasoning.encrypted_content","x"]`), "include", "", "dropped=include", "", ""},
		{"encrypted reasoning is always included", modelModern, extra("include", `["reasoning.encrypted_content"]`), "include", "",
			"", "", ""},
		{"something new", modelModern, extra("weather", `"fair"`), "weather", "", "dropped=weather", "", ""},
		{"something new that is off", modelModern, extra("weather", `false`), "weather", "", "", "", ""},
		{"something new that the channel wants", modelModern, func(r *llm.Request, x *llm.Exchange) {
			extra("weather", `"fair"`)(r, x)
			x.Options.ForwardUnknown = []string{"weather"}
		}, "weather", `"fair"`, "", "", ""},
		{"previous response", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.PreviousResponseID = "resp_1" }, "", "", "",
			codePreviousNotFound, "previous_response_id"},
		{"conversation", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Conversation = "conv_1" }, "", "", "",
			codeUnsupportedParameter, "conversation"},
		{"store", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Store = boolean(true) }, "store", "", "", "", ""},
	} {
		c.run(t, llm.Responses)
	}
	c := written{"store of Chat", modelModern, func(r *llm.Request, _ *llm.Exchange) { r.Store = boolean(true) }, "store", "",
		"dropped=store", "", ""}
	c.run(t, llm.Chat)
}

// A request of an Anthropic client is not adapted to the model.
func TestWriteNative(t *testing.T) {
	const text = `{"model":"x","max_tokens":7,"stream":true,"temperature":0.5,"top_p":0.4,"top_k":3,"stop_sequences":["a"],` +
		`"thinking":{"type":"enabled","budget_tokens":9,"display":"omitted"},` +
		`"output_config":{"effort":"max","format":{"type":"json_schema","schema":{"minimum":1}},"task_budget":{"total":1}},` +
		`"tool_choice":{"type":"any","disable_parallel_tool_use":false},"metadata":{"user_id":"a@b.c"},` +
		`"service_tier":"auto","speed":"fast","cache_control":{"type":"ephemeral","ttl":"1h"},"container":"c",` +
		`"mcp_servers":[{"type":"url","name":"s","url":"u"}],` +
		`"tools":[{"name":"f.g","input_schema":{},"eager_input_streaming":true},{"type":"bash_20250124","name":"bash"}],` +
		`"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],` +
		`"messages":[{"role":"assistant","content":[{"type":"text","text":""},{"type":"thinking","thinking":"t","signature":"s"},` +
		`{"type":"tool_use","id":"x.1","name":"f.g","input":{"a" : 1.0}},{"type":"server_tool_use","id":"s","name":"w","input":{}},` +
		`{"type":"new","x":1}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"x.1","content":"r"}]}]}`
	r := read(t, text)
	x := exchange(r, "x")
	if got := body(t, x); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
	if got := warned(x); got != "" {
		t.Errorf("got warnings %q", got)
	}
}

func TestWriteNativeWithoutForeignReasoning(t *testing.T) {
	const text = `{"model":"x","max_tokens":7,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"a","signature":"gw1.rs-enc.rs_1.E"},{"type":"thinking","thinking":"b","signature":"own"},` +
		`{"type":"thinking","thinking":"c","signature":"gw1.am-sig..SIG"},{"type":"text","text":"t"}]},` +
		`{"role":"assistant","content":[{"type":"thinking","thinking":"d","signature":"gw1.none"}]},` +
		`{"role":"user","content":"more"}]}`
	x := exchange(read(t, text), modelModern)
	got := look(body(t, x), "messages")
	want := `[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"b","signature":"own"},{"type":"thinking","thinking":"c","signature":"SIG"},` +
		`{"type":"text","text":"t"}]},{"role":"user","content":[{"type":"text","text":"more"}]}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := warned(x); got != "dropped=messages.content.thinking" {
		t.Errorf("got warnings %q", got)
	}
}

func TestWriteAgainIsTheSame(t *testing.T) {
	r := asked(llm.Responses)
	r.System = []llm.Item{{Kind: llm.Text, Text: []byte("s")}}
	r.Tools = []llm.Tool{function("a.b"), function("a_b"), {Kind: llm.CustomTool, Name: "patch", Namespace: "ns"}}
	r.Turns = append(looped(), turn(llm.Assistant, calling("c1", "a.b", "")), turn(llm.User, answering("c1", "x")))
	r.Format = llm.Format{Kind: llm.FormatSchema, Schema: []byte(`{"type":"object","additionalProperties":true}`)}
	r.Reasoning.Effort = llm.EffortHigh
	x := exchange(r, modelModern)
	first := body(t, x)
	for range 100 {
		if again := body(t, x); again != first {
			t.Fatalf("got %s\nthen %s", first, again)
		}
	}
}

func TestWriteKeepsWhatIsBefore(t *testing.T) {
	x := exchange(asked(llm.Chat), modelModern)
	out, err := AppendRequest([]byte("before"), x)
	if err != nil || !bytes.HasPrefix(out, []byte(`before{"model"`)) {
		t.Errorf("got %s, %v", out, err)
	}
	x.Request.Sampling.N = 2
	if out, err = AppendRequest([]byte("before"), x); err == nil || string(out) != "before" {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestWriteBetas(t *testing.T) {
	x := exchange(asked(llm.Responses), modelModern)
	if got := AppendBetas(nil, x); len(got) != 0 {
		t.Errorf("got %s", got)
	}
	x.Request.Tools = []llm.Tool{{Kind: llm.RemoteTool}}
	if got := string(AppendBetas(nil, x)); got != betaMCP {
		t.Errorf("got %s", got)
	}
}

func TestInputSchema(t *testing.T) {
	f := func(schema, want string) {
		t.Helper()
		got := string(appendInputSchema(nil, []byte(schema)))
		if got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s:\n got %s\nwant %s", schema, got, want)
		}
	}
	f("", `{"type":"object","properties":{}}`)
	f("null", `{"type":"object","properties":{}}`)
	f("true", `{"type":"object","properties":{}}`)
	f(`{}`, `{"type":"object"}`)
	f(`{"type": "object", "b":1.0, "a":"<x>"}`, `{"type": "object", "b":1.0, "a":"<x>"}`)
	f(`{"anyOf":[{"type":"object"}]}`, `{"type":"object","anyOf":[{"type":"object"}]}`)
	f(`{"$schema":"x","type":"object","properties":null}`, `{"type":"object"}`)
	f(`{"type":["object","null"]}`, `{"type":"object"}`)
	f(`{"type":"object","properties":{"a":{"description":null,"default":null,"enum":["x",null]}}}`,
		`{"type":"object","properties":{"a":{"default":null,"enum":["x",null]}}}`)
	f(`{"type":"object","description":"null is fine"}`, `{"type":"object","description":"null is fine"}`)
}

func TestAnswerSchema(t *testing.T) {
	f := func(name, schema, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			got, ok := appendAnswerSchema(nil, []byte(schema))
			if string(got) != want || ok != (want != "") {
				t.Errorf("got  %s %t\nwant %s", got, ok, want)
			}
		})
	}
	f("objects are closed", `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`)
	f("constraints move into the description", `{"type":"integer","minimum":1,"maximum":5,"description":"n"}`,
		`{"type":"integer","description":"n\n\n{minimum: 1, maximum: 5}"}`)
	f("oneOf", `{"oneOf":[{"type":"string"},{"type":"null"}]}`, `{"anyOf":[{"type":"string"},{"type":"null"}]}`)
	f("formats", `{"anyOf":[{"type":"string","format":"date"},{"type":"string","format":"odd"}]}`,
		`{"anyOf":[{"type":"string","format":"date"},{"type":"string","description":"{format: \"odd\"}"}]}`)
	f("definitions", `{"$ref":"#/definitions/A","definitions":{"A":{"enum":[1,null]}}}`,
		`{"$ref":"#/$defs/A","$defs":{"A":{"enum":[1,null]}}}`)
	f("arrays", `{"type":"array","items":{"type":"string"},"minItems":2}`,
		`{"type":"array","items":{"type":"string"},"description":"{minItems: 2}"}`)
	f("open object", `{"type":"object","properties":{"a":{}},"additionalProperties":true}`, "")
	f("map", `{"type":"object","additionalProperties":{"type":"string"}}`, "")
	f("patterns", `{"type":"object","properties":{"a":{}},"patternProperties":{"x":{}}}`, "")
	f("any object", `{"type":"object"}`, "")
	f("recursive", `{"$ref":"#/$defs/A","$defs":{"A":{"type":"array","items":{"$ref":"#/$defs/B"}},"B":{"$ref":"#/$defs/A"}}}`, "")
	f("of itself", `{"type":"array","items":{"$ref":"#"}}`, "")
	f("shared, not recursive",
		`{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"$defs":{"A":{"$ref":"#/$defs/B"},"B":{"type":"string"}}}`,
		`{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"$defs":{"A":{"$ref":"#/$defs/B"},"B":{"type":"string"}}}`)
	f("no schema", `true`, "")
	f("eleven optional properties", `{"type":"object","properties":{"a":{},"b":{},"c":{},"d":{},"e":{},"f":{},"g":{},"h":{},`+
		`"i":{},"j":{},"k":{}}}`, "")
	deep := strings.Repeat(`{"type":"array","items":`, 1000) + "{}" + strings.Repeat("}", 1000)
	f("deep", deep, "")
}
