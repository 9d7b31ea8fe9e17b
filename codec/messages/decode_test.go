package messages

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

// upstreamExchange returns an exchange with an Anthropic upstream, of a Responses client.
func upstreamExchange() *llm.Exchange {
	return exchange(asked(llm.Responses), modelModern)
}

func TestDecodeStreams(t *testing.T) {
	f := func(name string, prepare func(x *llm.Exchange), stream, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			for _, size := range []int{1, 7, len(stream) + 1} {
				x := upstreamExchange()
				if prepare != nil {
					prepare(x)
				}
				s := newSteps(t)
				var d Decoder
				d.Reset(x)
				feed(&d, stream, size, s)
				if got := s.String(); got != want {
					t.Fatalf("in pieces of %d:\n got %s\nwant %s", size, got, want)
				}
				if !d.Done() {
					t.Fatal("not done")
				}
			}
		})
	}
	const start = "start msg_u claude-u; "
	f("text", nil, streamOf(evStart, `{"type": "ping"}`, evBlock(0, blockOfText), evText(0, `"Hel"`), evText(0, `"l\u00f6\n"`),
		evEnd(0), evReason("end_turn"), evStop), start+"open text; 0+Hel; 0+lö; close 0; stop 1")
	f("interleaved thinking", nil, streamOf(evStart, evBlock(0, blockOfThinking), evDelta(0, "thinking_delta", "thinking", `"hm"`),
		evDelta(0, "signature_delta", "signature", `"S1"`), evEnd(0), evBlock(1, blockOfText), evText(1, `"a"`), evEnd(1),
		evBlock(2, blockOfCall("c1", "f")), evInput(2, `"{\"a\""`), evInput(2, `":1}"`), evEnd(2),
		evBlock(3, blockOfThinking), evDelta(3, "signature_delta", "signature", `"S2"`), evEnd(3), evReason("tool_use"), evStop),
		start+`open thought; 0+hm; close 0 S1; open text; 1+a; close 1; open call c1 f; 2+{"a"; 2+:1}; close 2; `+
			`open thought; close 3 S2; stop 3`)
	f("redacted thinking", nil, streamOf(evStart, evBlock(0, `{"type":"redacted_thinking","data":"D"}`), evEnd(0),
		evReason("end_turn"), evStop), start+"open thought redacted; close 0 D; stop 1")
	// jataware/archytas#69.
	f("a call without input", nil, streamOf(evStart, evBlock(0, blockOfCall("c1", "f")), evInput(0, `""`), evEnd(0),
		evReason("tool_use"), evStop), start+"open call c1 f; 0+{}; close 0; stop 3")
	f("input at the beginning", nil, streamOf(evStart, evBlock(0, `{"type":"tool_use","id":"c","name":"f","input":{"a":1}}`),
		evEnd(0), evReason("tool_use"), evStop), start+`open call c f; 0+{"a":1}; close 0; stop 3`)
	f("input at the beginning and in pieces", nil, streamOf(evStart,
		evBlock(0, `{"type":"tool_use","id":"c","name":"f","input":{"a":1}}`), evInput(0, `"{\"b\":2}"`), evEnd(0),
		evReason("tool_use"), evStop), start+`open call c f; 0+{"b":2}; close 0; stop 3`)
	f("text at the beginning", nil, streamOf(evStart, evBlock(0, `{"type":"text","text":"a"}`), evText(0, `"b"`), evEnd(0),
		evReason("end_turn"), evStop), start+"open text; 0+a; 0+b; close 0; stop 1")
	f("content in the start", nil, streamOf(`{"type":"message_start","message":{"id":"msg_u","model":"claude-u","content":[`+
		`{"type":"tool_use","id":"c","name":"f","input":{"a":1}}]}}`, evReason("tool_use"), evStop),
		start+`open call c f; 0+{"a":1}; close 0; stop 3`)
	f("an empty text is none", nil, streamOf(evStart, evBlock(0, blockOfText), evText(0, `""`), evEnd(0), evReason("end_turn"),
		evStop), start+"stop 1")
	f("a name is translated back", func(x *llm.Exchange) {
		x.Names.Add("ns__f", llm.ToolName{Namespace: "ns", Name: "f"})
	}, streamOf(evStart, evBlock(0, blockOfCall("c1", "ns__f")), evInput(0, `"{}"`), evEnd(0), evReason("tool_use"), evStop),
		start+"open call c1 ns f; 0+{}; close 0; stop 3")
	f("a custom tool is unwrapped", func(x *llm.Exchange) {
		x.Names.Add("patch", llm.ToolName{Kind: llm.CustomTool, Name: "patch"})
	}, streamOf(evStart, evBlock(0, blockOfCall("c1", "patch")), evInput(0, `"{\"inp"`), evInput(0, `"ut\": \"a\\"`),
		evInput(0, `"nb\\u00"`), evInput(0, `"e9\"}"`), evEnd(0), evReason("tool_use"), evStop),
		start+"open call c1 patch custom; 0+a; 0+\nb; 0+é; close 0; stop 3")
	f("a hosted search", nil, streamOf(evStart,
		evBlock(0, `{"type":"server_tool_use","id":"s1","name":"web_search","input":{}}`), evInput(0, `"{\"query\":\"q\"}"`), evEnd(0),
		evBlock(1, `{"type":"web_search_tool_result","tool_use_id":"s1","content":[{"type":"web_search_result","url":"u"}]}`), evEnd(1),
		evBlock(2, blockOfText), evText(2, `"a"`),
		evDelta(2, "citations_delta", "citation", `{"type":"web_search_result_location","url":"u"}`), evEnd(2),
		evReason("end_turn"), evStop),
		start+`open hosted s1 web_search; close 0 {"query":"q"}; open text; 1+a; 1 cites u; close 1; stop 1`)
	f("a hosted search without result", nil, streamOf(evStart,
		evBlock(0, `{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"q"}}`), evEnd(0),
		evReason("end_turn"), evStop), start+`open hosted s1 web_search; close 0 {"query":"q"}; stop 1`)
	// maximhq/bifrost#4932: what is left out takes no index.
	f("unknown blocks and events", nil, streamOf(evStart, evBlock(0, `{"type":"weather"}`), evDelta(0, "rain_delta", "mm", "3"),
		evEnd(0), `{"type":"weather_changed"}`, evBlock(1, blockOfText), evText(1, `"a"`), evEnd(1), evReason("end_turn"), evStop),
		start+"open text; 0+a; close 0; stop 1")
	f("a character in two pieces", nil, streamOf(evStart, evBlock(0, blockOfText), evText(0, "\"a\xe2\x82\""), evText(0, "\"\xacb\""),
		evEnd(0), evReason("end_turn"), evStop), start+"open text; 0+a; 0+€b; close 0; stop 1")

	// Why it ended (D.2).
	f("calls, but another reason", nil, streamOf(evStart, evBlock(0, blockOfCall("c", "f")), evEnd(0), evReason("end_turn"), evStop),
		start+"open call c f; 0+{}; close 0; stop 3")
	f("no calls, but their reason", nil, streamOf(evStart, evReason("tool_use"), evStop), start+"stop 1")
	f("cut by the limit inside a call", nil, streamOf(evStart, evBlock(0, blockOfCall("c", "f")), evInput(0, `"{\"a"`), evEnd(0),
		evReason("max_tokens"), evStop), start+`open call c f; 0+{"a; close 0; stop 4`)
	f("the context is full", nil, streamOf(evStart, evReason("model_context_window_exceeded"), evStop), start+"stop 4")
	f("a stop sequence", nil, streamOf(evStart, `{"type":"message_delta","delta":{"stop_reason":"stop_sequence",`+
		`"stop_sequence":"END"}}`, evStop), start+"stop 2 END")
	f("a refusal", nil, streamOf(evStart, evReason("refusal"), evStop), start+"stop 5")
	f("a pause that nobody goes on with", nil, streamOf(evStart, evReason("pause_turn"), evStop), start+"stop 6")
	f("a reason of its own", nil, streamOf(evStart, evReason("bored"), evStop), start+"stop 1")

	// What goes wrong (C.7).
	f("the end is missing, the reason is there", nil, streamOf(evStart, evBlock(0, blockOfText), evText(0, `"a"`),
		evReason("end_turn")), start+"open text; 0+a; close 0; stop 1")
	f("cut inside a text", nil, streamOf(evStart, evBlock(0, blockOfText), evText(0, `"a"`)),
		start+"open text; 0+a; fault upstream closed the stream")
	f("cut inside arguments", nil, streamOf(evStart, evBlock(0, blockOfCall("c", "f")), evInput(0, `"{"`)),
		start+"open call c f; 0+{; fault upstream closed the stream")
	f("nothing at all", nil, "", "fault the upstream sent an empty stream")
	f("an error", nil, streamOf(evStart, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`, evStop),
		start+"fault busy")
	f("an error without type", nil, "data: {\"error\":\"odd\"}\n\n", "fault odd")
	f("an event that is no JSON", nil, streamOf(evStart, evBlock(0, blockOfText))+"data: <html>\n\n"+streamOf(evText(0, `"a"`),
		evReason("end_turn"), evStop), start+"open text; 0+a; close 0; stop 1")
	f("nothing but that", nil, "data: <html>\n\n", "fault the upstream sent an empty stream")
	f("[DONE]", nil, streamOf(evStart, evReason("end_turn"), evStop)+"data: [DONE]\n\n", start+"stop 1")
	f("[DONE] in place of the end", nil, streamOf(evStart, evReason("end_turn"))+"data: [DONE]\n\n", start+"stop 1")
	// maximhq/bifrost#4556.
	f("started twice", nil, streamOf(evStart, evStart, evReason("end_turn"), evStop), start+"stop 1")
	f("ended twice", nil, streamOf(evStart, evReason("end_turn"), evStop, evBlock(0, blockOfText), evText(0, `"x"`), evStop),
		start+"stop 1")
	f("without a start", nil, streamOf(evBlock(0, blockOfText), evText(0, `"a"`), evReason("end_turn"), evStop),
		"start; open text; 0+a; close 0; stop 1")
	f("blocks that overlap", nil, streamOf(evStart, evBlock(0, blockOfCall("a", "f")), evBlock(1, blockOfCall("b", "g")),
		evInput(1, `"{}"`), evInput(0, `"{}"`), evReason("tool_use"), evStop),
		start+"open call a f; open call b g; 1+{}; 0+{}; close 0; close 1; stop 3")
	f("a block begins twice", nil, streamOf(evStart, evBlock(0, blockOfText), evBlock(0, blockOfText)),
		start+"fault the upstream opened a content block twice")
	f("pieces of no block", nil, streamOf(evStart, evText(4, `"a"`), evEnd(4), evReason("end_turn"), evStop), start+"stop 1")
	f("a signature on a text", nil, streamOf(evStart, evBlock(0, blockOfText), evText(0, `"a"`),
		evDelta(0, "signature_delta", "signature", `"S"`), evEnd(0), evReason("end_turn"), evStop),
		start+"open text; 0+a; close 0; stop 1")
	f("a call without name", nil, streamOf(evStart, evBlock(0, blockOfText), evText(0, `"a"`), evEnd(0),
		evBlock(1, blockOfCall("c", "")), evInput(1, `"{}"`), evEnd(1), evReason("tool_use"), evStop),
		start+"open text; 0+a; close 0; stop 1")
	f("nothing but a call without name", nil, streamOf(evStart, evBlock(0, blockOfCall("c", "")), evEnd(0), evReason("tool_use"),
		evStop), start+"fault the upstream called a tool without naming it")
	f("a call without id", nil, streamOf(evStart, evBlock(0, blockOfCall("", "f")), evEnd(0), evReason("tool_use"), evStop),
		start+"open call call_0_0 f; 0+{}; close 0; stop 3")
}

func TestDecodeJSONTool(t *testing.T) {
	f := func(name, want string, events ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			x := upstreamExchange()
			x.JSONTool = "json_response"
			s := newSteps(t)
			var d Decoder
			d.Reset(x)
			feed(&d, streamOf(append([]string{evStart}, append(events, evStop)...)...), 1000, s)
			if got := strings.TrimPrefix(s.String(), "start msg_u claude-u; "); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
	f("its input is the answer", `open text; 0+{"a"; 0+:1}; close 0; stop 1`, evBlock(0, blockOfText), evText(0, `"Sure!"`), evEnd(0),
		evBlock(1, blockOfCall("c", "json_response")), evInput(1, `"{\"a\""`), evInput(1, `":1}"`), evEnd(1), evReason("tool_use"))
	f("no call, but a text", `open text; 0+{"a":1}; close 0; stop 1`, evBlock(0, blockOfText), evText(0, `"{\"a\":"`),
		evText(0, `"1}"`), evEnd(0), evReason("end_turn"))
	f("another tool is called", "open call c f; 0+{}; close 0; stop 3", evBlock(0, blockOfText), evText(0, `"Let me see"`), evEnd(0),
		evBlock(1, blockOfCall("c", "f")), evEnd(1), evReason("tool_use"))
	f("cut by the limit", `open text; 0+{"a; close 0; stop 4`, evBlock(0, blockOfCall("c", "json_response")), evInput(0, `"{\"a"`),
		evEnd(0), evReason("max_tokens"))
}

func TestDecodeUsage(t *testing.T) {
	f := func(name, stream string, want llm.Usage) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			s := newSteps(t)
			var d Decoder
			d.Reset(upstreamExchange())
			feed(&d, stream, 1000, s)
			if got := d.Usage(); got != want || s.err == nil && s.usage != want {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
	f("totals of the end win", streamOf(evStart, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{`+
		`"input_tokens":12,"cache_read_input_tokens":0,"cache_creation_input_tokens":30,"cache_creation":{`+
		`"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":7,`+
		`"output_tokens_details":{"thinking_tokens":4}}}`, evStop),
		llm.Usage{Input: 12, CacheRead: 3, CacheWrite5m: 10, CacheWrite1h: 20, Output: 7, Reasoning: 4, Knowledge: llm.Reported})
	f("cut off", streamOf(evStart), llm.Usage{Input: 10, CacheRead: 3, Output: 1, Knowledge: llm.Partial})
	f("none", streamOf(`{"type":"message_start","message":{"id":"m"}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, evStop), llm.Usage{})
}

func TestDecodeTiers(t *testing.T) {
	f := func(usage, want string) {
		t.Helper()
		var d Decoder
		d.Reset(upstreamExchange())
		feed(&d, streamOf(`{"type":"message_start","message":{"id":"m","usage":`+usage+`}}`), 1000, nowhere{})
		if d.tier != want {
			t.Errorf("%s: got %q, want %q", usage, d.tier, want)
		}
	}
	f(`{"input_tokens":1,"service_tier":"standard"}`, "standard")
	f(`{"input_tokens":1,"service_tier":"batch"}`, "batch")
	f(`{"input_tokens":1,"service_tier":"standard","speed":"fast"}`, "priority")
	f(`{"input_tokens":1,"service_tier":null}`, "")
}

func TestDecodeErrors(t *testing.T) {
	f := func(kind, message string, want llm.ErrorKind) {
		t.Helper()
		s := newSteps(t)
		var d Decoder
		d.Reset(upstreamExchange())
		feed(&d, streamOf(`{"type":"error","error":{"type":"`+kind+`","message":"`+message+`"}}`), 1000, s)
		if s.err == nil || s.err.Kind != want || s.err.Message != message || s.err.Type != kind {
			t.Errorf("%s: got %+v, want kind %d", kind, s.err, want)
		}
	}
	f("overloaded_error", "m", llm.Overloaded)
	f("rate_limit_error", "m", llm.RateLimit)
	f("api_error", "m", llm.Upstream)
	f("timeout_error", "m", llm.Timeout)
	f("authentication_error", "m", llm.Authentication)
	f("permission_error", "m", llm.Permission)
	f("billing_error", "m", llm.Billing)
	f("not_found_error", "m", llm.NotFound)
	f("request_too_large", "m", llm.TooLarge)
	f("invalid_request_error", "m", llm.InvalidRequest)
	f("invalid_request_error", "prompt is too long: 3 tokens", llm.ContextLength)
	f("odd_error", "m", llm.Upstream)
}

func TestDecodeAnswers(t *testing.T) {
	f := func(name, answer, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			s := newSteps(t)
			var d Decoder
			x := upstreamExchange()
			x.Request.Format.Kind = llm.FormatJSON
			d.Reset(x)
			d.Answer([]byte(answer), s)
			if got := s.String(); got != want || !d.Done() {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
	message := func(content, reason string) string {
		return `{"id":"m","type":"message","model":"c","content":[` + content + `],"stop_reason":"` + reason +
			`","stop_sequence":"X","usage":{"input_tokens":1,"output_tokens":2}}`
	}
	f("everything", message(`{"type":"thinking","thinking":"hm","signature":"S"},{"type":"redacted_thinking","data":"D"},`+
		`{"type":"tool_use","id":"c1","name":"f","input":{"a":1}},{"type":"tool_use","id":"c2","name":"g","input":{}}`, "tool_use"),
		`start m c; open thought; 0+hm; close 0 S; open thought redacted; close 1 D; open call c1 f; 2+{"a":1}; close 2; `+
			`open call c2 g; 3+{}; close 3; stop 3 X`)
	f("a fence around JSON", message(`{"type":"text","text":"`+"```json\\n{\\\"a\\\":1}\\n```"+`"}`, "end_turn"),
		`start m c; open text; 0+{"a":1}; close 0; stop 1 X`)
	f("nothing", message("", "end_turn"), "start m c; stop 1 X")
	f("an error", `{"type":"error","error":{"type":"api_error","message":"bad"}}`, "fault bad")
	f("something else", `{"choices":[]}`, "fault the upstream's answer is no message")
	f("no JSON", `<html>`, "fault the upstream's answer is no message")
}

func TestDecodePause(t *testing.T) {
	r := asked(llm.Chat)
	r.Tools = []llm.Tool{{Kind: llm.SearchTool}}
	x := exchange(r, modelModern)
	request := body(t, x)
	paused := streamOf(evStart, evBlock(0, blockOfThinking), evDelta(0, "thinking_delta", "thinking", `"h\n"`),
		evDelta(0, "signature_delta", "signature", `"S"`), evEnd(0),
		evBlock(1, `{"citations":null,"type":"text","text":""}`), evText(1, `"a\"b"`),
		evDelta(1, "citations_delta", "citation", `{"url":"u"}`), evEnd(1),
		evBlock(2, `{"type":"server_tool_use","id":"s","name":"web_search","input":{}}`), evInput(2, `"{\"query\""`),
		evInput(2, `":\"q\"}"`), evEnd(2),
		evBlock(3, `{"type":"web_search_tool_result","tool_use_id":"s","content":[]}`), evEnd(3),
		evReason("pause_turn"), evStop)
	s := newSteps(t)
	var d Decoder
	d.Reset(x)
	d.AllowPause()
	feed(&d, paused, 11, s)
	if !d.Paused() || d.Done() {
		t.Fatalf("paused %t, done %t", d.Paused(), d.Done())
	}
	got := string(d.AppendContinuation(nil, []byte(request)))
	want := `[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"h\n","signature":"S"},{"type":"text","text":"a\"b","citations":[{"url":"u"}]},` +
		`{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},` +
		`{"type":"web_search_tool_result","tool_use_id":"s","content":[]}]}]`
	if look(got, "messages") != want {
		t.Fatalf("\n got %s\nwant %s", look(got, "messages"), want)
	}
	// The second half is the same answer: no other start, the tokens of both.
	feed(&d, streamOf(evStart, evBlock(0, blockOfText), evText(0, `"c"`), evEnd(0), evReason("end_turn"), evStop), 11, s)
	steps := "start msg_u claude-u; open thought; 0+h\n; close 0 S; open text; 1+a\"b; 1 cites u; close 1; " +
		`open hosted s web_search; close 2 {"query":"q"}; open text; 3+c; close 3; stop 1`
	if s.String() != strings.ReplaceAll(steps, "0+h\n;", "0+h;") {
		t.Errorf("\n got %s\nwant %s", s, steps)
	}
	if u := d.Usage(); u.Input != 20 || u.Output != 40 || u.CacheRead != 6 || u.Knowledge != llm.Reported {
		t.Errorf("got usage %+v", u)
	}
}

func TestDecodePauseEnds(t *testing.T) {
	r := asked(llm.Chat)
	r.Search = &llm.WebSearch{}
	x := exchange(r, modelModern)
	request := []byte(body(t, x))
	s := newSteps(t)
	var d Decoder
	d.Reset(x)
	d.AllowPause()
	calls := 0
	for !d.Done() {
		calls++
		feed(&d, streamOf(evStart, evBlock(0, blockOfText), evText(0, `"x"`), evEnd(0), evReason("pause_turn"), evStop), 100, s)
		if d.Paused() {
			d.AppendContinuation(nil, request)
		}
	}
	if calls != maxRounds || s.stop.Reason != llm.StopPause {
		t.Errorf("%d calls, stop %d", calls, s.stop.Reason)
	}
}

func TestFreeform(t *testing.T) {
	f := func(wire, want string) {
		t.Helper()
		for size := 1; size <= len(wire); size++ {
			var f freeform
			got := ""
			for rest := wire; rest != ""; {
				n := min(size, len(rest))
				got += string(f.add([]byte(rest[:n])))
				rest = rest[n:]
			}
			if got += string(f.rest()); got != want {
				t.Errorf("%s in pieces of %d: got %q, want %q", wire, size, got, want)
			}
		}
	}
	f(`{"input":"a"}`, "a")
	f(" {\n \"input\" :\t\"\" }", "")
	f(`{"input":"\"\\\/\n\t\u00e9\ud83d\ude00|\ud83dx|\ud83d\n"}`, "\"\\/\n\té😀|\ufffdx|\ufffd\n")
	f(`{"input":"cut`, "cut")
	f(`{"patch":"x"}`, `{"patch":"x"}`)
	f(`{}`, ``)
	f(`{"in`, `{"in`)
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte(streamOf(evStart, evBlock(0, blockOfThinking), evDelta(0, "thinking_delta", "thinking", `"hm"`), evEnd(0),
		evBlock(1, blockOfCall("c1", "f")), evInput(1, `"{}"`), evEnd(1), evReason("tool_use"), evStop)), 3)
	f.Add([]byte(streamOf(evStart, evBlock(0, blockOfText), evText(0, `"a\u00e9"`), evReason("max_tokens"))), 1)
	f.Add([]byte(streamOf(evStart, evBlock(0, `{"type":"server_tool_use","id":"s","name":"web_search","input":{}}`), evEnd(0),
		`{"type":"error","error":{}}`)), 5)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		x := upstreamExchange()
		x.Request.Protocol, x.Request.Tools = llm.Messages, []llm.Tool{{Kind: llm.SearchTool}}
		x.Names.Add("f", llm.ToolName{Kind: llm.CustomTool, Name: "f"})
		checked, answer := newSteps(t), new(AnswerWriter)
		writer := new(StreamWriter)
		writer.Reset(x)
		answer.Reset(x)
		var d Decoder
		d.Reset(x)
		feed(&d, string(stream), max(1, size%64), both{checked, both{writer, answer}})
		if !checked.ended || !d.Done() {
			t.Error("no end")
		}
		written := string(writer.Take(nil))
		message := checkStream(t, written)
		whole, err := answer.Append(nil)
		if (err == nil) != (checked.err == nil) {
			t.Errorf("the whole answer has error %v, the stream %v", err, checked.err)
		}
		if err == nil && checked.stop.Reason != llm.StopLength {
			compareMessages(t, message, string(whole))
		}
	})
}
