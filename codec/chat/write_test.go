package chat

import (
	"bytes"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// exchange is an exchange for a request to a Chat upstream with the default options.
func exchange(r *llm.Request, model string) *llm.Exchange {
	options := llm.DefaultOptions()
	return &llm.Exchange{
		Request: r, Model: model, Target: llm.Chat, Options: &options, Warnings: new(llm.Warnings), AnswerID: "answer",
		Created: 1700000000,
	}
}

// write writes a request that must be possible.
func write(t *testing.T, x *llm.Exchange) string {
	t.Helper()
	body, err := AppendRequest(nil, x)
	if err != nil {
		t.Fatalf("AppendRequest: %v (%s)", err, err.Param)
	}
	if !json.Valid(body) {
		t.Fatalf("AppendRequest: no JSON: %s", body)
	}
	return string(body)
}

// text is a text item; user, assistant and system are turns.
func text(s string) llm.Item { return llm.Item{Text: []byte(s)} }

func turn(role llm.Role, items ...llm.Item) llm.Turn {
	return llm.Turn{Role: role, Items: items, Path: llm.Path{List: "input"}}
}

func callItem(id, name, arguments string) llm.Item {
	return llm.Item{Kind: llm.Call, CallID: id, Name: name, Arguments: []byte(arguments)}
}

func resultItem(id string, parts ...llm.Item) llm.Item {
	return llm.Item{Kind: llm.Result, CallID: id, Parts: parts}
}

// request is a request of a protocol's client with one user turn, or the turns given.
func request(p llm.Protocol, turns ...llm.Turn) *llm.Request {
	if turns == nil {
		turns = []llm.Turn{turn(llm.User, text("hi"))}
	}
	return &llm.Request{Protocol: p, Turns: turns}
}

// hi is the conversation of such a request on the wire.
const hi = `"messages":[{"role":"user","content":"hi"}]`

func TestWriteScalars(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	for _, c := range []struct {
		name, model string
		set         func(r *llm.Request, o *llm.Options)
		want        string // between the model and the messages
		warnings    string
	}{
		{"nothing", "m", func(*llm.Request, *llm.Options) {}, ``, ``},
		{"streams ask for usage", "m", func(r *llm.Request, _ *llm.Options) { r.Stream = true },
			`"stream":true,"stream_options":{"include_usage":true},`, ``},
		{"limit of an ordinary model", "m", func(r *llm.Request, _ *llm.Options) { r.Sampling.MaxTokens = n(9) },
			`"max_tokens":9,`, ``},
		{"limit of a reasoning model", "gpt-5", func(r *llm.Request, _ *llm.Options) { r.Sampling.MaxTokens = n(9) },
			`"max_completion_tokens":9,`, ``},
		{"limit by the channel's word", "gpt-5", func(r *llm.Request, o *llm.Options) {
			r.Sampling.MaxTokens, o.MaxTokensField = n(9), "max_tokens"
		}, `"max_tokens":9,`, ``},
		{"Anthropic's limit of zero", "m", func(r *llm.Request, _ *llm.Options) { r.Cache.Prewarm = true },
			`"max_tokens":1,`, ``},
		{"sampling", "m", func(r *llm.Request, _ *llm.Options) {
			s := &r.Sampling
			s.Temperature, s.TopP, s.Seed, s.LogitBias = []byte("0.70"), []byte("0.9"), []byte("1"), []byte(`{"5":1}`)
			s.FrequencyPenalty, s.PresencePenalty = []byte("1"), []byte("-1")
		}, `"temperature":0.70,"top_p":0.9,"frequency_penalty":1,"presence_penalty":-1,"logit_bias":{"5":1},"seed":1,`, ``},
		{"sampling of a reasoning model (E 90)", "gpt-5.4", func(r *llm.Request, _ *llm.Options) {
			s := &r.Sampling
			s.Temperature, s.TopP, s.LogitBias = []byte("0.7"), []byte("1"), []byte(`{}`)
			s.FrequencyPenalty, s.PresencePenalty, s.Logprobs = []byte("1"), []byte("0"), true
		}, ``, `dropped=temperature,frequency_penalty,include`},
		{"sampling of a reasoning model with effort none", "gpt-5.4", func(r *llm.Request, _ *llm.Options) {
			r.Sampling.Temperature, r.Sampling.PresencePenalty = []byte("0.7"), []byte("1")
			r.Reasoning.Effort, r.Sampling.Logprobs = llm.EffortNone, true
		}, `"temperature":0.7,"logprobs":true,"reasoning_effort":"none",`, `dropped=presence_penalty`},
		{"top_k", "m", func(r *llm.Request, _ *llm.Options) { r.Sampling.TopK = []byte("4") }, ``, `dropped=top_k`},
		{"top_k by flag", "m", func(r *llm.Request, o *llm.Options) {
			r.Sampling.TopK, o.AcceptsTopK = []byte("4"),
				true
		}, `"top_k":4,`, ``},
		{"logprobs", "m", func(r *llm.Request, _ *llm.Options) { r.Sampling.Logprobs, r.Sampling.TopLogprobs = true, n(3) },
			`"logprobs":true,"top_logprobs":3,`, ``},
		{"top_logprobs alone", "m", func(r *llm.Request, _ *llm.Options) { r.Sampling.TopLogprobs = n(3) }, ``,
			`dropped=top_logprobs`},
		{"verbosity", "m", func(r *llm.Request, _ *llm.Options) { r.Sampling.Verbosity = "low" }, `"verbosity":"low",`, ``},
		{"effort", "gpt-5.2", func(r *llm.Request, _ *llm.Options) { r.Reasoning.Effort = llm.EffortXHigh },
			`"reasoning_effort":"xhigh",`, ``},
		{"effort that the model lacks", "gpt-5.2", func(r *llm.Request,
			_ *llm.Options) {
			r.Reasoning.Effort = llm.EffortMax
		},
			`"reasoning_effort":"xhigh",`, `approx=reasoning.effort`},
		{"effort of a model without any", "gpt-4o", func(r *llm.Request,
			_ *llm.Options) {
			r.Reasoning.Effort = llm.EffortLow
		},
			``, `dropped=reasoning.effort`},
		{"no effort of a model without any", "gpt-4o", func(r *llm.Request,
			_ *llm.Options) {
			r.Reasoning.Effort = llm.EffortNone
		}, ``, ``},
		{"summary", "gpt-5", func(r *llm.Request, _ *llm.Options) { r.Reasoning.Summary = "auto" }, ``,
			`dropped=reasoning.summary`},
		{"context and mode", "gpt-5", func(r *llm.Request, _ *llm.Options) {
			r.Reasoning.Context,
				r.Reasoning.Mode = "all_turns", "pro"
		},
			``, `dropped=reasoning.context,reasoning.mode`},
		{"JSON", "m", func(r *llm.Request, _ *llm.Options) { r.Format.Kind = llm.FormatJSON },
			`"response_format":{"type":"json_object"},`, ``},
		{"schema", "m", func(r *llm.Request, _ *llm.Options) {
			r.Format = llm.Format{Kind: llm.FormatSchema, Schema: []byte(`{"b":1,"a":2}`), Strict: &yes, Description: "d"}
		}, `"response_format":{"type":"json_schema","json_schema":{"name":"response","description":"d",` +
			`"schema":{"b":1,"a":2},"strict":true}},`, ``},
		{"user", "m", func(r *llm.Request, _ *llm.Options) { r.User = "u" }, `"user":"u",`, ``},
		{"user at OpenAI", "m", func(r *llm.Request, o *llm.Options) {
			r.User, o.FirstParty, o.PromptCacheKey = "u",
				true, false
		},
			`"safety_identifier":"u",`, ``},
		{"user too long (E 112)", "m", func(r *llm.Request, _ *llm.Options) { r.User = strings.Repeat("u", 65) },
			`"user":"b7a1a2f6b8f2b0a2f6d4b0c3"`, `hash`},
		{"store and metadata are OpenAI's", "m", func(r *llm.Request, o *llm.Options) {
			r.Store, r.Metadata, o.FirstParty, o.PromptCacheKey = &yes, []byte(`{"a":"b"}`), true, false
		}, `"store":true,"metadata":{"a":"b"},`, ``},
		{"store and metadata elsewhere", "m", func(r *llm.Request, _ *llm.Options) {
			r.Store, r.Metadata = &yes,
				[]byte(`{"a":"b"}`)
		},
			``, `dropped=metadata`},
		{"tier", "m", func(r *llm.Request, _ *llm.Options) { r.ServiceTier = "flex" }, `"service_tier":"flex",`, ``},
		{"ultrafast", "m", func(r *llm.Request, _ *llm.Options) { r.ServiceTier = "ultrafast" },
			`"service_tier":"priority",`, `approx=service_tier`},
		{"max_tool_calls", "m", func(r *llm.Request, _ *llm.Options) { r.MaxToolCalls = n(3) }, ``,
			`dropped=max_tool_calls`},
		{"cache key", "m", func(r *llm.Request, _ *llm.Options) { r.Cache.Key = "k" }, `"prompt_cache_key":"k",`, ``},
		{"cache options of a model that has them", "gpt-5.6", func(r *llm.Request, o *llm.Options) {
			r.Cache.Options, r.Cache.Retention, r.Cache.Key, o.FirstParty = []byte(`{"mode":"explicit"}`), "24h", "k", true
		}, `"prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{"mode":"explicit"},`, ``},
		{"cache options elsewhere", "m", func(r *llm.Request, _ *llm.Options) {
			r.Cache.Options, r.Cache.Retention = []byte(`{"mode":"explicit"}`), "24h"
		},
			``, `dropped=prompt_cache_retention,prompt_cache_options`},
		{"unknown fields", "m", func(r *llm.Request, o *llm.Options) {
			r.Extra = []llm.Field{{Name: "a", Value: []byte("1")}, {Name: "b", Value: []byte("[2]")}, {Name: "c",
				Value: []byte("null")}}
			o.ForwardUnknown = []string{"b"}
		}, `"b":[2],`, `dropped=a`},
		{"defaults of Responses", "m", func(r *llm.Request, _ *llm.Options) {
			r.Extra = []llm.Field{
				{Name: "truncation", Value: []byte(`"disabled"`)}, {Name: "background", Value: []byte("false")},
				{Name: "include", Value: []byte(`["reasoning.encrypted_content"]`)}, {Name: "stream_options",
					Value: []byte("{}")},
			}
		}, ``, ``},
		{"wishes of Responses", "m", func(r *llm.Request, _ *llm.Options) {
			r.Extra = []llm.Field{
				{Name: "truncation", Value: []byte(`"auto"`)}, {Name: "include",
					Value: []byte(`["file_search_call.results"]`)},
				{Name: "context_management", Value: []byte(`[{}]`)}, {Name: "moderation", Value: []byte(`{"mode":"log"}`)},
			}
		}, ``, `dropped=truncation,include,context_management,moderation`},
		{"moderation at OpenAI", "m", func(r *llm.Request, o *llm.Options) {
			r.Extra, o.FirstParty, o.PromptCacheKey = []llm.Field{{Name: "moderation",
				Value: []byte(`{"mode":"block"}`)}}, true, false
		}, `"moderation":{"mode":"block"},`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(llm.Responses)
			x := exchange(r, c.model)
			c.set(r, x.Options)
			if r.Cache.Prewarm {
				r.Protocol = llm.Messages
			}
			got := write(t, x)
			if c.warnings == "hash" {
				if user := json.Get([]byte(got), "user"); len(user) != 66 {
					t.Errorf("user: got %s, want 64 characters", user)
				}
				return
			}
			if want := `{"model":"` + c.model + `",` + c.want + hi + `}`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got := string(x.Warnings.Append(nil)); got != c.warnings {
				t.Errorf("warnings: got %q, want %q", got, c.warnings)
			}
		})
	}
}

func TestWriteStopSequences(t *testing.T) {
	six := []string{"1", "2", "3", "4", "5", "6"}
	for _, c := range []struct {
		name, model    string
		stop           []string
		enforce        bool
		sent, enforced string
	}{
		{"none", "m", nil, false, "", ""},
		{"four are the upstream's", "m", six[:4], false, `["1","2","3","4"]`, ""},
		{"the rest is the gateway's", "m", six, false, `["1","2","3","4"]`, "56"},
		{"a model that refuses stop (E 81)", "gpt-5", six[:2], false, "", "12"},
		{"a channel that ignores stop", "m", six[:2], true, `["1","2"]`, "12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(llm.Messages)
			r.Sampling.Stop = c.stop
			x := exchange(r, c.model)
			x.Options.EnforceStop = c.enforce
			body := write(t, x)
			if got := string(json.Get([]byte(body), "stop")); got != c.sent {
				t.Errorf("sent: got %s, want %s", got, c.sent)
			}
			if got := strings.Join(x.StopEnforced, ""); got != c.enforced {
				t.Errorf("enforced: got %s, want %s", got, c.enforced)
			}
		})
	}
}

func TestWriteThinkingOfAnthropic(t *testing.T) {
	for _, c := range []struct {
		name, model string
		reasoning   llm.Reasoning
		want        string
		warnings    string
	}{
		{"1024", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 1024}, `"low"`, `approx=thinking`},
		{"4096", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 4096}, `"medium"`, `approx=thinking`},
		{"16384", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 16384}, `"high"`, `approx=thinking`},
		{"64000", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 64000}, `"xhigh"`, `approx=thinking`},
		{"64000, no xhigh", "gpt-5", llm.Reasoning{Thinking: llm.ThinkingBudget, Budget: 64000}, `"high"`,
			`approx=thinking`},
		{"disabled", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingOff}, `"none"`, ``},
		{"disabled, no none", "gpt-5", llm.Reasoning{Thinking: llm.ThinkingOff}, `"minimal"`, `approx=thinking`},
		{"disabled, no none either", "o3", llm.Reasoning{Thinking: llm.ThinkingOff}, `"low"`, `approx=thinking`},
		{"between", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingBetween}, `"low"`, `approx=thinking`},
		{"adaptive", "gpt-5.2", llm.Reasoning{Thinking: llm.ThinkingAdaptive, Display: "summarized"}, ``,
			`dropped=thinking.display`},
		{"effort wins", "gpt-6", llm.Reasoning{Thinking: llm.ThinkingAdaptive, Effort: llm.EffortMax}, `"max"`, ``},
		{"effort too high", "gpt-5.1", llm.Reasoning{Effort: llm.EffortMax}, `"high"`, `approx=output_config.effort`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(llm.Messages)
			r.Reasoning = c.reasoning
			x := exchange(r, c.model)
			if got := string(json.Get([]byte(write(t, x)), "reasoning_effort")); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := string(x.Warnings.Append(nil)); got != c.warnings {
				t.Errorf("warnings: got %q, want %q", got, c.warnings)
			}
		})
	}
}

func TestWriteTierOfAnthropic(t *testing.T) {
	for _, c := range []struct {
		tier, speed    string
		toSpeed        bool
		want, warnings string
	}{
		{"auto", "", false, `"auto"`, ""},
		{"standard_only", "standard", false, `"default"`, ""},
		{"", "fast", true, `"priority"`, ""},
		{"", "fast", false, ``, "dropped=speed"},
	} {
		r := request(llm.Messages)
		r.ServiceTier, r.Speed = c.tier, c.speed
		x := exchange(r, "m")
		x.Options.TierToSpeed = c.toSpeed
		got := string(json.Get([]byte(write(t, x)), "service_tier"))
		if w := string(x.Warnings.Append(nil)); got != c.want || w != c.warnings {
			t.Errorf("%s/%s: got %s %q, want %s %q", c.tier, c.speed, got, w, c.want, c.warnings)
		}
	}
}

func TestWriteConversation(t *testing.T) {
	image := llm.Item{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: []byte("AA")}}
	parallel := turn(llm.Assistant, callItem("a", "f", `{"n":9007199254740993}`), callItem("b", "g", ""))
	for _, c := range []struct {
		name, model string
		from        llm.Protocol
		system      []llm.Item
		turns       []llm.Turn
		options     func(*llm.Options)
		want        string
		warnings    string
	}{
		{"system texts are joined", "m", llm.Messages, []llm.Item{text("a"), text("b")}, []llm.Turn{turn(llm.User,
			text("u"))}, nil,
			`{"role":"system","content":"a\n\nb"},{"role":"user","content":"u"}`, ``},
		{"developer for reasoning models", "gpt-5", llm.Responses, []llm.Item{text("a")}, []llm.Turn{turn(llm.User,
			text("u"))}, nil,
			`{"role":"developer","content":"a"},{"role":"user","content":"u"}`, ``},
		{"system by flag", "gpt-5", llm.Responses, []llm.Item{text("a")}, []llm.Turn{turn(llm.User, text("u"))},
			func(o *llm.Options) { o.SystemRole = true },
			`{"role":"system","content":"a"},{"role":"user","content":"u"}`, ``},
		{"Claude Code's billing header is left out (D.1)", "m", llm.Messages,
			[]llm.Item{text("x-anthropic-billing-header: cc_version=1; cch=abc"), text("a")},
			[]llm.Turn{turn(llm.User, text("u"))}, nil,
			`{"role":"system","content":"a"},{"role":"user","content":"u"}`, ``},
		{"marks are left out where nobody knows them", "m", llm.Messages, []llm.Item{{Text: []byte("a"),
			Cache: llm.CacheShort}},
			[]llm.Turn{turn(llm.User, llm.Item{Text: []byte("u"), Cache: llm.CacheLong})}, nil,
			`{"role":"system","content":"a"},{"role":"user","content":"u"}`, `dropped=cache_control`},
		{"marks are kept where they are known (E 106)", "gpt-5.6", llm.Messages, []llm.Item{{Text: []byte("a"),
			Cache: llm.CacheShort}},
			[]llm.Turn{turn(llm.User, llm.Item{Text: []byte("u"), Cache: llm.CacheLong})}, nil,
			`{"role":"developer","content":[{"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}}]},` +
				`{"role":"user","content":[{"type":"text","text":"u","prompt_cache_breakpoint":{"mode":"explicit",` +
				`"ttl":"12h"}}]}`, ``},
		{"a system text in the middle stays there", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.User, text("u")), turn(llm.System, text("s")), turn(llm.User, text("v"))}, nil,
			`{"role":"user","content":"u"},{"role":"system","content":"s"},{"role":"user","content":"v"}`, ``},
		{"or becomes the user's (E 38)", "m", llm.Messages, nil, []llm.Turn{turn(llm.User, text("u")),
			turn(llm.System, text("s"))},
			func(o *llm.Options) { o.MidSystem = false },
			`{"role":"user","content":"u"},{"role":"user","content":"<system-reminder>\ns\n</system-reminder>"}`,
			`approx=messages`},
		{"a message of another agent", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.User, text("u")), turn(llm.System, llm.Item{Text: []byte("s"),
				Name: "agent_message"})}, nil,
			`{"role":"user","content":"u"},{"role":"system","content":"s"}`, `approx=input.agent_message`},
		{"parts", "m", llm.Messages, nil, []llm.Turn{turn(llm.User, text("a"), text("b"), image)}, nil,
			`{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},` +
				`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}`, ``},
		{"one turn of calls and results is one message with its tool messages (E 27)", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.User, text("u")), parallel,
				turn(llm.User, resultItem("b", text("2")), resultItem("a", text("1")), text("go"))}, nil,
			`{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[` +
				`{"id":"a","type":"function","function":{"name":"f","arguments":"{\"n\":9007199254740993}"}},` +
				`{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"},` +
				`{"role":"user","content":"go"}`, ``},
		{"a late result moves to its call (F 69)", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.User, text("u")), turn(llm.Assistant, callItem("a", "f", "{}")), turn(llm.User,
				text("wait")),
				turn(llm.Assistant, text("ok")), turn(llm.User, resultItem("a", text("1")))}, nil,
			`{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function",` +
				`"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},` +
				`{"role":"user","content":"wait"},{"role":"assistant","content":"ok"}`, ``},
		{"a result without its call becomes text (E 22)", "m", llm.Messages, nil, []llm.Turn{turn(llm.User,
			resultItem("x", text("r")))}, nil,
			`{"role":"user","content":[{"type":"text","text":"[orphan tool result x] r"}]}`,
			`approx=messages.content.tool_result`},
		{"a call without its result is mended (E 23)", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.Assistant, callItem("a", "f", "{}")), turn(llm.User, text("u"))}, nil,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"[tool_error] [no result recorded]"},{"role":"user",` +
				`"content":"u"}`,
			`approx=messages.content.tool_result`},
		{"of two results the last counts", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.Assistant, callItem("a", "f", "{}")), turn(llm.User, resultItem("a", text("1")),
				resultItem("a", text("2")))}, nil,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"2"}`, `dropped=input.function_call_output`},
		{"reused ids are paired turn by turn (D.3)", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.Assistant, callItem("a", "f", "{}")), turn(llm.User, resultItem("a", text("1"))),
				turn(llm.Assistant, callItem("a", "g", "{}")), turn(llm.User, resultItem("a", text("2")))}, nil,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"1"},` +
				`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"g",` +
				`"arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"2"}`, ``},
		{"a failed result, and images behind all results (E 104, 105)", "m", llm.Messages, nil,
			[]llm.Turn{parallel, turn(llm.User, llm.Item{Kind: llm.Result, CallID: "a", IsError: true,
				Parts: []llm.Item{text("x"), image, text("y")}},
				resultItem("b", text("2")))}, nil,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
				`"arguments":"{\"n\":9007199254740993}"}},` +
				`{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"[tool_error] x\ny"},{"role":"tool","tool_call_id":"b",` +
				`"content":"2"},` +
				`{"role":"user","content":[{"type":"text","text":"[attachment of tool result a]"},` +
				`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}`, ``},
		{"images inside the tool message by flag", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.Assistant, callItem("a", "f", "{}")), turn(llm.User, resultItem("a", text("x"), image))},
			func(o *llm.Options) { o.ToolImageParts = true },
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"x"},{"type":"image_url",` +
				`"image_url":{"url":"data:image/png;base64,AA"}}]}`, ``},
		{"text, refusal and calls of one turn", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.Assistant, text("a"), llm.Item{Kind: llm.Refusal, Text: []byte("no")}, text("b"))}, nil,
			`{"role":"assistant","content":"ab","refusal":"no"}`, ``},
		{"reasoning is left out (B.6)", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.User, text("u")), turn(llm.Assistant, llm.Item{Kind: llm.Thought, Text: []byte("t"),
				Seal: []byte("s")}, text("a")),
				turn(llm.User, text("v"))}, nil,
			`{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}`,
			`dropped=messages.content.thinking`},
		{"or echoed by flag (E 53)", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.Assistant, llm.Item{Kind: llm.Thought, Text: []byte("t")}, llm.Item{Kind: llm.Thought,
				Text: []byte("w")}, text("a")),
				turn(llm.User, text("v"))}, func(o *llm.Options) { o.EchoReasoning = true },
			`{"role":"assistant","content":"a","reasoning_content":"t\n\nw"},{"role":"user","content":"v"}`, ``},
		{"an empty assistant's turn is no message", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.User, text("u")), turn(llm.Assistant, llm.Item{Kind: llm.Thought}), turn(llm.User,
				text("v"))}, nil,
			`{"role":"user","content":"u"},{"role":"user","content":"v"}`, `dropped=messages.content.thinking`},
		{"a prefilled answer (D.3)", "gpt-5", llm.Messages, nil, []llm.Turn{turn(llm.User, text("u")),
			turn(llm.Assistant, text("{"))}, nil,
			`{"role":"user","content":"u"},{"role":"assistant","content":"{"},` +
				`{"role":"developer","content":"Continue the last assistant message exactly where it ` +
				`stops; do not repeat it."}`, `approx=messages`},
		{"hosted calls are left out, their text stays (F 102)", "m", llm.Messages, nil,
			[]llm.Turn{turn(llm.Assistant, llm.Item{Kind: llm.Hosted, Name: "web_search"}, llm.Item{Text: []byte("a"),
				Citations: make([]llm.Citation, 1)}),
				turn(llm.User, text("v"))}, nil,
			`{"role":"assistant","content":"a"},{"role":"user","content":"v"}`,
			`dropped=messages.content.web_search,messages.content.citations`},
		{"marks of the model's texts are left out", "gpt-5.6", llm.Messages, nil,
			[]llm.Turn{turn(llm.Assistant, llm.Item{Text: []byte("a"), Cache: llm.CacheShort}), turn(llm.User,
				text("v"))}, nil,
			`{"role":"assistant","content":"a"},{"role":"user","content":"v"}`, `dropped=cache_control`},
		{"other documents", "m", llm.Responses, nil, []llm.Turn{turn(llm.User,
			llm.Item{Kind: llm.File, Media: llm.Media{Type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
				Data: []byte("AA")}},
			llm.Item{Kind: llm.File, Media: llm.Media{Type: "application/zip", Name: "a.zip", Data: []byte("AA")}})}, nil,
			`{"role":"user","content":[{"type":"file","file":{"filename":"document.xlsx","file_data":` +
				`"data:application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;base64,AA"}},` +
				`{"type":"file","file":{"filename":"a.zip","file_data":"data:application/zip;base64,AA"}}]}`, ``},
		{"an empty document", "m", llm.Responses, nil, []llm.Turn{turn(llm.User, llm.Item{Kind: llm.File,
			Media: llm.Media{Type: "text/plain"}})}, nil,
			`{"role":"user","content":[{"type":"text","text":"<document></document>"}]}`, ``},
		{"phase is left out (F 82)", "m", llm.Responses, nil, []llm.Turn{turn(llm.Assistant,
			llm.Item{Text: []byte("a"), Phase: "commentary"},
			llm.Item{Text: []byte("b"), Phase: "final_answer"})}, nil, `{"role":"assistant","content":"ab"}`,
			`dropped=input.phase`},
		{"long call ids are hashed, alike on both sides (E 93)", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.Assistant, callItem("functions.x:0", "f", "{}")), turn(llm.User,
				resultItem("functions.x:0", text("1")))}, nil,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"ID","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"ID","content":"1"}`, ``},
		{"custom calls are wrapped", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.Assistant, llm.Item{Kind: llm.Call, CallID: "a", Name: "p", Custom: true,
				Text: []byte("x\n\"y\"")}),
				turn(llm.User, resultItem("a", text("1")))}, nil,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"p",` +
				`"arguments":"{\"input\":\"x\\n\\\"y\\\"\"}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"1"}`, ``},
		{"custom calls as they are by flag", "m", llm.Responses, nil,
			[]llm.Turn{turn(llm.Assistant, llm.Item{Kind: llm.Call, CallID: "a", Name: "p", Custom: true,
				Text: []byte("x")}),
				turn(llm.User, resultItem("a", text("1")))}, func(o *llm.Options) { o.CustomTools = true },
			`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"custom","custom":{"name":"p",` +
				`"input":"x"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"1"}`, ``},
		{"documents (D.12)", "m", llm.Messages, nil, []llm.Turn{turn(llm.User,
			llm.Item{Kind: llm.File, Media: llm.Media{Type: "application/pdf", Data: []byte("JVBE")}},
			llm.Item{Kind: llm.File, Media: llm.Media{Type: "text/plain", Text: []byte("t<"), Name: `n"`,
				Context: "c", Citations: true}},
			llm.Item{Kind: llm.File, Media: llm.Media{Text: []byte("p")}, Parts: []llm.Item{text("p"), image}})}, nil,
			`{"role":"user","content":[{"type":"file","file":{"filename":"document.pdf",` +
				`"file_data":"data:application/pdf;base64,JVBE"}},` +
				`{"type":"text","text":"<document title=\"n&quot;\" context=\"c\">t<</document>"},` +
				`{"type":"text","text":"<document>p</document>"},{"type":"image_url",` +
				`"image_url":{"url":"data:image/png;base64,AA"}}]}`,
			`dropped=messages.content.citations`},
		{"sound and details", "m", llm.Responses, nil, []llm.Turn{turn(llm.User,
			llm.Item{Kind: llm.Audio, Media: llm.Media{Type: "audio/mpeg", Data: []byte("AA")}},
			llm.Item{Kind: llm.Image, Media: llm.Media{URL: "https://h/i", Detail: "low"}})}, nil,
			`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"mp3"}},` +
				`{"type":"image_url","image_url":{"url":"https://h/i","detail":"low"}}]}`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(c.from, c.turns...)
			r.System = c.system
			x := exchange(r, c.model)
			if c.options != nil {
				c.options(x.Options)
			}
			got := string(json.Get([]byte(write(t, x)), "messages"))
			want := strings.ReplaceAll("["+c.want+"]", `"ID"`, `"`+string(llm.AppendCallID(nil, "functions.x:0"))+`"`)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got := string(x.Warnings.Append(nil)); got != c.warnings {
				t.Errorf("warnings: got %q, want %q", got, c.warnings)
			}
		})
	}
}

func TestWriteClampsMarks(t *testing.T) {
	var items []llm.Item
	for _, s := range []string{"1", "2", "3", "4", "5"} {
		items = append(items, llm.Item{Text: []byte(s), Cache: llm.CacheShort})
	}
	r := request(llm.Messages, turn(llm.User, items...))
	r.System = []llm.Item{{Text: []byte("s"), Cache: llm.CacheShort}}
	x := exchange(r, "gpt-5.6")
	body := write(t, x)
	if n := strings.Count(body, "prompt_cache_breakpoint"); n != 4 {
		t.Errorf("got %d marks, want 4: %s", n, body)
	}
	if !strings.Contains(body, `{"type":"text","text":"2"},{"type":"text","text":"3","prompt_cache_breakpoint"`) {
		t.Errorf("the earliest marks were not the ones left out: %s", body)
	}
}

func TestWriteTools(t *testing.T) {
	function := llm.Tool{Name: "f", Description: "d", Schema: []byte(`{"type":"object","z":1}`), Strict: &yes}
	custom := llm.Tool{Kind: llm.CustomTool, Name: "p", Description: "d", Grammar: "g", Syntax: "lark"}
	search := llm.Tool{Kind: llm.SearchTool, Name: "web_search", RawProtocol: llm.Responses, Search: &llm.WebSearch{
		ContextSize: "low", Location: []byte(`{"type":"approximate","city":"Bonn"}`), AllowedDomains: []byte(`["a"]`)}}
	const f = `{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","z":1},` +
		`"strict":true}}`
	for _, c := range []struct {
		name, model string
		tools       []llm.Tool
		choice      llm.ToolChoice
		options     func(*llm.Options)
		want        string // between the model and the messages
		warnings    string
	}{
		{"function", "m", []llm.Tool{function}, llm.ToolChoice{}, nil, `"tools":[` + f + `],`, ``},
		{"no tools, no choice (E 38)", "m", nil, llm.ToolChoice{Mode: llm.ChoiceAuto, Parallel: &no}, nil, ``, ``},
		{"namespace", "m", []llm.Tool{{Namespace: "ns", Name: "f"}}, llm.ToolChoice{Mode: llm.ChoiceNamed,
			Names: []llm.ToolName{{Namespace: "ns", Name: "f"}}}, nil,
			`"tools":[{"type":"function","function":{"name":"ns__f"}}],"tool_choice":{"type":"function",` +
				`"function":{"name":"ns__f"}},`, ``},
		{"custom, wrapped with its grammar (E 100)", "m", []llm.Tool{custom}, llm.ToolChoice{Mode: llm.ChoiceNamed,
			Names: []llm.ToolName{{Kind: llm.CustomTool, Name: "p"}}}, nil,
			`"tools":[{"type":"function","function":{"name":"p","description":"d\n\nThe value of ` + "`input`" +
				` must match this lark grammar:\ng",` +
				`"parameters":` + wrapperSchema + `}}],"tool_choice":{"type":"function","function":{"name":"p"}},`,
			`approx=tools.custom`},
		{"custom, native", "m", []llm.Tool{custom}, llm.ToolChoice{Mode: llm.ChoiceNamed,
			Names: []llm.ToolName{{Kind: llm.CustomTool, Name: "p"}}},
			func(o *llm.Options) { o.CustomTools = true },
			`"tools":[{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"grammar",` +
				`"grammar":{"definition":"g","syntax":"lark"}}}}],` +
				`"tool_choice":{"type":"custom","custom":{"name":"p"}},`, ``},
		{"tool_search", "m", []llm.Tool{{Kind: llm.ToolSearchTool, Name: "tool_search"}}, llm.ToolChoice{}, nil,
			`"tools":[{"type":"function","function":{"name":"tool_search","parameters":` + searchSchema + `}}],`, ``},
		{"web search of a search model", "gpt-4o-search-preview", []llm.Tool{search, function}, llm.ToolChoice{}, nil,
			`"web_search_options":{"user_location":{"type":"approximate","approximate":{"city":"Bonn"}},` +
				`"search_context_size":"low"},"tools":[` + f + `],`,
			`dropped=tools.web_search.allowed_domains`},
		{"web search is left out beside others (E 101)", "m", []llm.Tool{search, function}, llm.ToolChoice{}, nil,
			`"tools":[` + f + `],`, `dropped=tools.web_search`},
		{"web search alone is left out by option", "m", []llm.Tool{search}, llm.ToolChoice{Mode: llm.ChoiceAuto},
			func(o *llm.Options) { o.HostedTools = llm.HostedDrop },
			``, `dropped=tools.web_search`},
		{"a forced hosted tool that is left out", "m", []llm.Tool{search, function},
			llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Kind: llm.SearchTool, Name: "web_search"}}},
			func(o *llm.Options) { o.HostedTools = llm.HostedDrop }, `"tools":[` + f + `],"tool_choice":"auto",`,
			`dropped=tools.web_search; approx=tool_choice`},
		{"other hosted tools", "m", []llm.Tool{{Kind: llm.OtherTool, Name: "file_search", RawProtocol: llm.Responses},
			function}, llm.ToolChoice{}, nil,
			`"tools":[` + f + `],`, `dropped=tools.file_search`},
		{"client tools of Anthropic by flag", "m", []llm.Tool{{Kind: llm.OtherTool, Name: "bash_20250124",
			Raw: []byte(`{"type":"bash_20250124","name":"bash"}`), RawProtocol: llm.Messages}},
			llm.ToolChoice{}, func(o *llm.Options) { o.EmulateClientTools = true },
			`"tools":[{"type":"function","function":{"name":"bash",` +
				`"description":"Run a command in a persistent bash session.","parameters":` +
				`{"type":"object","properties":{"command":{"type":"string"},"restart":{"type":"boolean"}}}}}],`,
			`approx=tools.bash_20250124`},
		{"none", "m", []llm.Tool{function}, llm.ToolChoice{Mode: llm.ChoiceNone}, nil, `"tools":[` + f +
			`],"tool_choice":"none",`, ``},
		{"auto", "m", []llm.Tool{function}, llm.ToolChoice{Mode: llm.ChoiceAuto}, nil, `"tools":[` + f +
			`],"tool_choice":"auto",`, ``},
		{"required, one at a time", "m", []llm.Tool{function}, llm.ToolChoice{Mode: llm.ChoiceRequired, Parallel: &no}, nil,
			`"tools":[` + f + `],"tool_choice":"required","parallel_tool_calls":false,`, ``},
		{"several at a time is how it is anyway", "m", []llm.Tool{function}, llm.ToolChoice{Parallel: &yes}, nil,
			`"tools":[` + f + `],`, ``},
		{"allowed (E 96)", "m", []llm.Tool{function, {Name: "g"}}, llm.ToolChoice{Mode: llm.ChoiceAllowed,
			Required: true, Names: []llm.ToolName{{Name: "f"}, {Kind: llm.SearchTool, Name: "web_search"}}}, nil,
			`"tools":[` + f + `,{"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools",` +
				`"allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}},`,
			`dropped=tool_choice.tools`},
		{"what Chat's functions don't have", "m", []llm.Tool{{Name: "f",
			Raw:         []byte(`{"name":"f","defer_loading":true,"eager_input_streaming":true,"async":false}`),
			RawProtocol: llm.Messages}},
			llm.ToolChoice{}, nil, `"tools":[{"type":"function","function":{"name":"f"}}],`,
			`dropped=tools.defer_loading,tools.eager_input_streaming`},
		{"marks on tools", "m", []llm.Tool{{Name: "f", Cache: llm.CacheShort}}, llm.ToolChoice{}, nil,
			`"tools":[{"type":"function","function":{"name":"f"}}],`, `dropped=prompt_cache_breakpoint`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(llm.Responses)
			r.Tools, r.Choice = c.tools, c.choice
			x := exchange(r, c.model)
			if c.options != nil {
				c.options(x.Options)
			}
			got := write(t, x)
			if want := `{"model":"` + c.model + `",` + c.want + hi + `}`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got := string(x.Warnings.Append(nil)); got != c.warnings {
				t.Errorf("warnings: got %q, want %q", got, c.warnings)
			}
		})
	}
}

func TestWriteToolNames(t *testing.T) {
	long := strings.Repeat("n", 83)
	r := request(llm.Messages, turn(llm.Assistant, callItem("a", long, "{}"), callItem("b", "gone.tool", "{}")),
		turn(llm.User, resultItem("a", text("1")), resultItem("b", text("2"))))
	r.Tools = []llm.Tool{{Name: long}, {Name: "a.b"}, {Name: "a/b"}}
	x := exchange(r, "m")
	body := write(t, x)
	for i := range r.Tools {
		wire := x.Names.Wire("", r.Tools[i].Name)
		if len(wire) > 64 || strings.ContainsAny(wire, "./") || x.Names.Tool(wire).Name != r.Tools[i].Name {
			t.Errorf("%s: got %s, which stands for %s", r.Tools[i].Name, wire, x.Names.Tool(wire).Name)
		}
	}
	if n := strings.Count(body, `"`+x.Names.Wire("", long)+`"`); n != 2 {
		t.Errorf("the long name is used %d times, want 2 (tool and history): %s", n, body)
	}
	if strings.Contains(body, "gone.tool") {
		t.Errorf("a name of the history is illegal: %s", body)
	}
}

func TestWriteRefuses(t *testing.T) {
	search := llm.Tool{Kind: llm.SearchTool, Name: "web_search", RawProtocol: llm.Responses}
	function := llm.Tool{Name: "f"}
	in := func(role llm.Role, item llm.Item) func(*llm.Request, *llm.Options) {
		return func(r *llm.Request, _ *llm.Options) { r.Turns = []llm.Turn{turn(role, item)} }
	}
	extra := func(name, value string) func(*llm.Request, *llm.Options) {
		return func(r *llm.Request, _ *llm.Options) { r.Extra = []llm.Field{{Name: name, Value: []byte(value)}} }
	}
	for _, c := range []struct {
		name  string
		set   func(r *llm.Request, o *llm.Options)
		param string
		code  string
	}{
		{"prewarm of Responses", func(r *llm.Request, _ *llm.Options) { r.Cache.Prewarm = true },
			"prompt_cache_options.prewarm", "unsupported_parameter"},
		{"previous response", func(r *llm.Request, _ *llm.Options) { r.PreviousResponseID = "x" },
			"previous_response_id", "previous_response_not_found"},
		{"conversation", func(r *llm.Request, _ *llm.Options) { r.Conversation = "x" }, "conversation",
			"unsupported_parameter"},
		{"prompt", extra("prompt", `{"id":"x"}`), "prompt", "unsupported_parameter"},
		{"background", extra("background", `true`), "background", "unsupported_value"},
		{"geography", extra("inference_geo", `"eu"`), "inference_geo", "unsupported_parameter"},
		{"container", extra("container", `"x"`), "container", "unsupported_parameter"},
		{"threads (H.2)", extra("thread", `{"type":"create"}`), "thread", "thread_unsupported_request"},
		{"blocking moderation", extra("moderation", `{"mode":"block"}`), "moderation", "unsupported_value"},
		{"hosted tool alone", func(r *llm.Request, _ *llm.Options) { r.Tools = []llm.Tool{search} }, "tools[0]",
			"unsupported_value"},
		{"hosted tool forced", func(r *llm.Request, _ *llm.Options) {
			r.Tools = []llm.Tool{function, search}
			r.Choice = llm.ToolChoice{Mode: llm.ChoiceNamed, Names: []llm.ToolName{{Kind: llm.SearchTool,
				Name: "web_search"}}}
		}, "tools[1]", "unsupported_value"},
		{"hosted tool by option", func(r *llm.Request, o *llm.Options) {
			r.Tools, o.HostedTools = []llm.Tool{function, search}, llm.HostedReject
		}, "tools[1]", "unsupported_value"},
		{"remote MCP server", func(r *llm.Request, _ *llm.Options) {
			r.Tools = []llm.Tool{function, {Kind: llm.RemoteTool, Name: "x"}}
		}, "tools[1]", "unsupported_value"},
		{"client tool of Anthropic", func(r *llm.Request, _ *llm.Options) {
			r.Tools = []llm.Tool{function, {Kind: llm.OtherTool, Name: "memory_20250818", RawProtocol: llm.Messages}}
		}, "tools[1]", "unsupported_value"},
		{"opaque item", in(llm.Assistant, llm.Item{Kind: llm.Opaque, Name: "compaction"}), "input[0]", "unsupported_item"},
		{"opaque item of a user", in(llm.User, llm.Item{Kind: llm.Opaque, Name: "compaction_trigger"}), "input[0]",
			"unsupported_item"},
		{"reference", in(llm.Assistant, llm.Item{Kind: llm.Reference, ID: "x"}), "input[0]", "item_not_found"},
		{"image of the model", in(llm.Assistant, llm.Item{Kind: llm.Image}), "input[0]", "unsupported_value"},
		{"file of another provider", func(r *llm.Request, o *llm.Options) {
			o.Family = "qwen"
			in(llm.User, llm.Item{Kind: llm.File, Media: llm.Media{FileID: "x"}})(r, o)
		}, "input[0].content.file_id", "unsupported_value"},
		{"image by its file id", in(llm.User, llm.Item{Kind: llm.Image, Media: llm.Media{FileID: "x"}}),
			"input.content.file_id", "unsupported_value"},
		{"document by address", in(llm.User, llm.Item{Kind: llm.File, Media: llm.Media{URL: "https://x"}}),
			"input.content.file_url", "unsupported_value"},
		{"last call without result", in(llm.Assistant, callItem("a", "f", "{}")), "input[0]", "invalid_value"},
		{"call without result, no repair", func(r *llm.Request, o *llm.Options) {
			o.Repair = false
			r.Turns = []llm.Turn{turn(llm.Assistant, callItem("a", "f", "{}")), turn(llm.User, text("x"))}
		}, "input[0]", "invalid_value"},
		{"result without call, no repair", func(r *llm.Request, o *llm.Options) {
			o.Repair = false
			r.Turns = []llm.Turn{turn(llm.User, resultItem("a", text("x")))}
		}, "input.function_call_output", "invalid_value"},
		{"strict: drop", func(r *llm.Request, o *llm.Options) { o.Strict, r.Sampling.TopK = true, []byte("1") },
			"top_k", "unsupported_parameter"},
		{"strict: approximation", func(r *llm.Request, o *llm.Options) {
			o.Strict, r.ServiceTier = true,
				"ultrafast"
		}, "service_tier", "unsupported_value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(llm.Responses)
			x := exchange(r, "m")
			c.set(r, x.Options)
			dst, err := AppendRequest([]byte("before"), x)
			if err == nil {
				t.Fatalf("no error: %s", dst)
			}
			if err.Param != c.param || err.Code != c.code {
				t.Errorf("got %q %q, want %q %q", err.Param, err.Code, c.param, c.code)
			}
			if string(dst) != "before" {
				t.Errorf("dst was changed: %s", dst)
			}
			if c.code != "item_not_found" && (!strings.Contains(err.Message, c.param) ||
				!strings.Contains(err.Message, "Chat Completions")) {
				t.Errorf("message %q names neither field nor target", err.Message)
			}
		})
	}
}

func TestWriteSchemaOfAnthropic(t *testing.T) {
	for _, c := range []struct {
		schema string
		strict bool
	}{
		{`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`, true},
		{`{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"required":["a"],"additionalProperties":false,` +
			`"$defs":{"x":{"type":["string","null"]}}}`, true},
		{`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, false},
		{`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, false},
		{`{"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],` +
			`"additionalProperties":false}`, false},
		{`{"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false}`, false},
		{`{"type":"object","properties":{"a":{"anyOf":[{"oneOf":[]}]}},"required":["a"],` +
			`"additionalProperties":false}`, false},
		{`{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}},"required":["a"],` +
			`"additionalProperties":false}`, false},
		{`{"type":"array","items":{"type":"string"}}`, false},
		{`{"anyOf":[],"type":"object","additionalProperties":false}`, false},
	} {
		r := request(llm.Messages)
		r.Format = llm.Format{Kind: llm.FormatSchema, Schema: []byte(c.schema)}
		got := string(json.Get([]byte(write(t, exchange(r, "m"))), "response_format"))
		want := `{"type":"json_schema","json_schema":{"name":"output","schema":` + c.schema + `,"strict":false}}`
		if c.strict {
			want = strings.Replace(want, `"strict":false`, `"strict":true`, 1)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWriteDerivesCacheKey(t *testing.T) {
	key := func(set func(*llm.Request)) string {
		r := request(llm.Messages)
		r.System = []llm.Item{text("s")}
		set(r)
		x := exchange(r, "gpt-5")
		x.Options.FirstParty = true
		return string(json.Get([]byte(write(t, x)), "prompt_cache_key"))
	}
	same := func(*llm.Request) {}
	first := key(same)
	if len(first) != 37 || !strings.HasPrefix(first, `"gw_`) {
		t.Errorf("got %s, want gw_ and 32 digits", first)
	}
	if again := key(func(r *llm.Request) { r.Turns = append(r.Turns, turn(llm.User, text("more"))) }); again != first {
		t.Errorf("the key changes with the turns: %s, then %s", first, again)
	}
	if other := key(func(r *llm.Request) { r.System = []llm.Item{text("t")} }); other == first {
		t.Error("the key does not depend on the system text")
	}
	if other := key(func(r *llm.Request) { r.User = "session_1" }); other == first {
		t.Error("the key does not depend on the session")
	}
}

// sealer is a Sealer whose envelopes tell their kind: gw1.KIND.OPAQUE.
type sealer struct{}

func (sealer) Seal(dst []byte, s llm.Sealed) []byte {
	return append(append(append(append(dst, "gw1."...), s.Kind...), '.'), s.Opaque...)
}

func (sealer) Open(envelope []byte) (s llm.Sealed, ours, ok bool) {
	rest, ours := bytes.CutPrefix(envelope, []byte("gw1."))
	kind, opaque, _ := bytes.Cut(rest, []byte("."))
	return llm.Sealed{Kind: llm.SealKind(kind), Opaque: opaque}, ours, ours
}

func TestWriteRestoresOwnReasoning(t *testing.T) {
	r := request(llm.Messages, turn(llm.Assistant,
		llm.Item{Kind: llm.Thought, Text: []byte("mine"), Seal: []byte("gw1.cc-rc.")},
		llm.Item{Kind: llm.Thought, Text: []byte("foreign"), Seal: []byte("gw1.am-sig.x")}, text("a")), turn(llm.User,
		text("u")))
	x := exchange(r, "m")
	x.Sealer = sealer{}
	body := write(t, x)
	if !strings.Contains(body, `"reasoning_content":"mine"`) {
		t.Errorf("got %s", body)
	}
	if w := string(x.Warnings.Append(nil)); w != "dropped=messages.content.thinking" {
		t.Errorf("warnings: got %q", w)
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	r := read(t, full)
	first := write(t, exchange(r, "gpt-5.6"))
	for range 100 {
		if again := write(t, exchange(r, "gpt-5.6")); again != first {
			t.Fatalf("got  %s\nthen %s", first, again)
		}
	}
}

// full is a body with nearly everything in it.
const full = `{"model":"m","max_tokens":9,"temperature":0.5,"stop":"x","stream":true,"reasoning_effort":"low",` +
	`"user":"u","store":false,` +
	`"metadata":{"b":"1","a":"2"},"vendor":{"z":1,"a":2},"response_format":{"type":"json_schema",` +
	`"json_schema":{"name":"n","schema":{"z":1,"a":2}}},` +
	`"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"z":1,"a":1.0},"strict":true}},` +
	`{"type":"custom","custom":{"name":"p","format":{"type":"grammar","grammar":{"definition":"g","syntax":"lark"}}}}],` +
	`"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,"messages":[` +
	`{"role":"system","content":"s"},` +
	`{"role":"user","name":"Al","content":[{"type":"text","text":"a"},{"type":"image_url",` +
	`"image_url":{"url":"https://h/i","detail":"low"}},` +
	`{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}},{"type":"file","file":{"file_id":"f"}}]},` +
	`{"role":"assistant","content":"b","reasoning_content":"r","tool_calls":[{"id":"c1","type":"function",` +
	`"function":{"name":"f","arguments":"{\"n\":1e21,\"s\":\"<b>\"}"}},` +
	`{"id":"c2","type":"custom","custom":{"name":"p","input":"x"}}]},` +
	`{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":[{"type":"text",` +
	`"text":"2"}]},` +
	`{"role":"assistant","content":null,"refusal":"no"},{"role":"system","content":"mid"},{"role":"user","content":"bye"}]}`

func TestRoundTripKeepsTheMeaning(t *testing.T) {
	r := read(t, full)
	x := exchange(r, "m")
	again := read(t, write(t, x))
	if got, want := sketch(again), sketch(r); got != want {
		t.Errorf("conversation: got  %s\nwant %s", got, want)
	}
	first, second := write(t, exchange(r, "m")), write(t, exchange(again, "m"))
	if first != second {
		t.Errorf("written twice: got  %s\nwant %s", second, first)
	}
	if !x.Warnings.Empty() {
		t.Errorf("warnings: %s", x.Warnings.Append(nil))
	}
	for _, want := range []string{`"vendor":{"z":1,"a":2}`, `\"n\":1e21,\"s\":\"<b>\"`, `{"z":1,"a":1.0}`,
		`"type":"custom"`} {
		if !strings.Contains(first, want) {
			t.Errorf("%s is missing in %s", want, first)
		}
	}
}
