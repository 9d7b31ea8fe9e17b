package responses

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
)

// script plays an answer to an emitter.
type script struct {
	out    llm.Emitter
	opened int
	kinds  []llm.Item
}

func (s *script) start() *script {
	s.out.Emit(&llm.Event{Kind: llm.EventStart, ID: "up-1", Model: "up", Usage: &llm.Usage{}})
	return s
}

func (s *script) open(item llm.Item) *script {
	s.out.Emit(&llm.Event{Kind: llm.EventOpen, Index: s.opened, Item: &item})
	s.kinds = append(s.kinds, item)
	s.opened++
	return s
}

func (s *script) add(index int, text string) *script {
	s.out.Emit(&llm.Event{Kind: llm.EventDelta, Index: index, Text: []byte(text)})
	return s
}

func (s *script) close(index int, item llm.Item) *script {
	item.Kind = s.kinds[index].Kind
	s.out.Emit(&llm.Event{Kind: llm.EventClose, Index: index, Item: &item})
	return s
}

// say plays a whole item.
func (s *script) say(item llm.Item, text string) *script {
	index := s.opened
	s.open(item)
	if text != "" {
		s.add(index, text)
	}
	return s.close(index, item)
}

func (s *script) cite(index int, c llm.Citation) *script {
	s.out.Emit(&llm.Event{Kind: llm.EventCite, Index: index, Citation: &c})
	return s
}

func (s *script) stop(reason llm.StopReason) {
	s.out.Emit(&llm.Event{Kind: llm.EventStop, Usage: &llm.Usage{Input: 3, CacheRead: 2, CacheWrite5m: 1, Output: 4, Reasoning: 1, Knowledge: llm.Reported}, Stop: llm.Stop{Reason: reason}})
}

// client returns an exchange for the answer of an upstream to a Responses client that asked for body.
func client(t testing.TB, target llm.Protocol, body string) *llm.Exchange {
	options := llm.DefaultOptions()
	return &llm.Exchange{
		Request: read(t, body), Model: "target", Target: target, Options: &options, Warnings: new(llm.Warnings),
		Sealer: sealer{}, AnswerID: "seed", Created: 1700000000,
	}
}

const plain = `{"model":"m","input":"x"}`

// play runs a script through both writers, checks the stream, and returns its last response.
func play(t *testing.T, x *llm.Exchange, run func(s *script)) (object, string) {
	t.Helper()
	var w StreamWriter
	w.Reset(x)
	run(&script{out: &w})
	stream := string(w.Take(nil))
	last, err := checkStream(stream)
	if err != nil {
		t.Fatalf("%v\n%s", err, stream)
	}
	var a AnswerWriter
	a.Reset(x)
	run(&script{out: &a})
	body, fault := a.Append(nil)
	if last["status"] == "failed" {
		if fault == nil {
			t.Errorf("the stream failed, the answer did not: %s", body)
		}
		return last, stream
	}
	var whole object
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if !reflect.DeepEqual(whole, last) {
		t.Errorf("the answer and the end of the stream differ:\n%v\n%v", whole, last)
	}
	return last, stream
}

// words puts the output of a response into short words.
func words(t *testing.T, response object) string {
	t.Helper()
	var b strings.Builder
	for _, item := range response["output"].([]any) {
		it := item.(object)
		kind := it["type"].(string)
		b.WriteString(strings.TrimSuffix(kind, "_call"))
		if status, ok := it["status"]; ok && status != "completed" {
			b.WriteString("!" + status.(string))
		}
		b.WriteString("(")
		for _, list := range []string{"summary", "content"} {
			parts, _ := it[list].([]any)
			for _, part := range parts {
				p := part.(object)
				for _, name := range []string{"text", "refusal"} {
					if text, ok := p[name].(string); ok {
						b.WriteString("<" + p["type"].(string) + ":" + text + ">")
					}
				}
				cites, _ := p["annotations"].([]any)
				for _, c := range cites {
					text, _ := json.Marshal(c)
					b.Write(text)
				}
			}
		}
		for _, name := range []string{"call_id", "namespace", "name", "arguments", "input", "encrypted_content", "action"} {
			if v, ok := it[name]; ok {
				text, _ := json.Marshal(v)
				b.WriteString(" " + name + "=" + string(text))
			}
		}
		b.WriteString(") ")
	}
	return strings.ReplaceAll(b.String(), "( ", "(") + response["status"].(string)
}

func TestEmit(t *testing.T) {
	said := llm.Item{Kind: llm.Text}
	f := func(name string, target llm.Protocol, run func(s *script), want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			last, _ := play(t, client(t, target, plain), run)
			if got := words(t, last); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	f("text", llm.Chat, func(s *script) { s.start().open(said).add(0, "a\"").add(0, "\né<").close(0, said).stop(llm.StopEnd) },
		"message(<output_text:a\"\né<>) completed")
	f("rs←cc/reasoning_text_tools", llm.Chat, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Thought}, "hm").say(said, "t").say(llm.Item{Kind: llm.Call, CallID: "c1", Name: "f"}, `{"a":1}`).
			say(llm.Item{Kind: llm.Call, CallID: "c2", Name: "g"}, "").stop(llm.StopTool)
	}, `reasoning(<summary_text:hm>) message(<output_text:t>) function(call_id="c1" name="f" arguments="{\"a\":1}") function(call_id="c2" name="g" arguments="{}") completed`)
	f("parallel calls may be open at once", llm.Chat, func(s *script) {
		s.start().open(llm.Item{Kind: llm.Call, CallID: "a", Name: "f"}).open(llm.Item{Kind: llm.Call, CallID: "b", Name: "f"}).
			add(0, "{").add(1, "[").add(0, "}").add(1, "]").close(1, said).close(0, said).stop(llm.StopTool)
	}, `function(call_id="a" name="f" arguments="{}") function(call_id="b" name="f" arguments="[]") completed`)
	f("rs←am/interleaved: order and identity stay (E row 50)", llm.Messages, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Thought, Seal: []byte("S1")}, "t1").say(said, "x").say(llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}, "{}").
			say(llm.Item{Kind: llm.Thought, Seal: []byte("S2")}, "t2").say(said, "y").stop(llm.StopEnd)
	}, `reasoning(<summary_text:t1> encrypted_content="gw1.am-sig..S1") message(<output_text:x>) function(call_id="c" name="f" arguments="{}") `+
		`reasoning(<summary_text:t2> encrypted_content="gw1.am-sig..S2") message(<output_text:y>) completed`)
	f("rs←am/redacted_signature_only", llm.Messages, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Thought, Redacted: true, Seal: []byte("R")}, "").say(llm.Item{Kind: llm.Thought, Seal: []byte("S")}, "").stop(llm.StopEnd)
	}, `reasoning(encrypted_content="gw1.am-red..R") reasoning(encrypted_content="gw1.am-sig..S") completed`)
	f("neighbouring texts are parts of one message", llm.Messages, func(s *script) { s.start().say(said, "a").say(said, "b").stop(llm.StopEnd) },
		"message(<output_text:a><output_text:b>) completed")
	f("citations: a range that is not known is the part's, in characters", llm.Messages, func(s *script) {
		s.start().open(said).cite(0, llm.Citation{URL: "http://u"}).add(0, "é😀\n").cite(0, llm.Citation{URL: "http://v", Title: "V", Start: 1, End: 2}).
			cite(0, llm.Citation{Title: "page 3"}).close(0, said).stop(llm.StopEnd)
	}, "message(<output_text:é😀\n>"+`{"end_index":2,"start_index":1,"title":"V","type":"url_citation","url":"http://v"}`+
		`{"end_index":3,"start_index":0,"title":"http://u","type":"url_citation","url":"http://u"}) completed`)
	f("rs←am/hidden_server_tools leave no gap", llm.Messages, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Hosted, Name: "code_execution"}, "").say(said, "a").stop(llm.StopEnd)
	}, "message(<output_text:a>) completed")
	f("a web search", llm.Messages, func(s *script) {
		s.start().say(said, "a").say(llm.Item{Kind: llm.Hosted, Name: "web_search", Arguments: []byte(`{"query":"q"}`)}, "").say(said, "b").stop(llm.StopEnd)
	}, `message(<output_text:a>) web_search(action={"query":"q","type":"search"}) message(<output_text:b>) completed`)
	f("rs←cc/length: what the limit cut is incomplete", llm.Chat, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Call, CallID: "a", Name: "f"}, "{}").say(llm.Item{Kind: llm.Call, CallID: "b", Name: "f"}, `{"x`).stop(llm.StopLength)
	}, `function(call_id="a" name="f" arguments="{}") function!incomplete(call_id="b" name="f" arguments="{\"x") incomplete`)
	f("a text that the limit cut", llm.Chat, func(s *script) { s.start().say(said, "a").stop(llm.StopLength) }, "message!incomplete(<output_text:a>) incomplete")
	f("a thought that the limit cut (E row 74)", llm.Messages, func(s *script) { s.start().say(llm.Item{Kind: llm.Thought}, "t").stop(llm.StopLength) },
		"reasoning!incomplete(<summary_text:t>) incomplete")
	f("a pause that nobody resumes", llm.Messages, func(s *script) { s.start().stop(llm.StopPause) }, "incomplete")
	f("a legal empty answer has no message", llm.Chat, func(s *script) { s.start().say(said, "").stop(llm.StopEnd) }, "completed")
	f("a refusal", llm.Chat, func(s *script) { s.start().say(llm.Item{Kind: llm.Refusal}, "no").stop(llm.StopEnd) }, "message(<refusal:no>) completed")
	f("Anthropic's refusal with its reason", llm.Messages, func(s *script) {
		s.start().say(said, "a")
		s.out.Emit(&llm.Event{Kind: llm.EventStop, Stop: llm.Stop{Reason: llm.StopFilter, Explanation: "why"}})
	}, "message!incomplete(<output_text:a><refusal:why>) incomplete")
	f("a custom tool", llm.Chat, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Call, CallID: "c", Name: "p", Namespace: "n", Custom: true}, "*** Begin").stop(llm.StopTool)
	}, `custom_tool(call_id="c" namespace="n" name="p" input="*** Begin") completed`)
	f("one id for all calls", llm.Chat, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}, "{}").say(llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}, "{}").stop(llm.StopTool)
	}, `function(call_id="c" name="f" arguments="{}") function(call_id="c_2" name="f" arguments="{}") completed`)
	f("rs←cc/eof: an error closes what is open", llm.Chat, func(s *script) {
		s.start().say(said, "t").open(llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}).add(1, `{"a`).
			out.Emit(&llm.Event{Kind: llm.EventFault, Err: &llm.Error{Kind: llm.Upstream, Message: "gone"}})
	}, `message(<output_text:t>) function!incomplete(call_id="c" name="f" arguments="{\"a") failed`)
	f("an error before anything", llm.Chat, func(s *script) { s.out.Emit(&llm.Event{Kind: llm.EventFault, Err: &llm.Error{}}) }, "failed")
	f("the provider's own ids and items stay", llm.Responses, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Thought, ID: "rs_9", Summary: true, Seal: []byte("BLOB")}, "s").say(llm.Item{Kind: llm.Text, ID: "msg_1"}, "a").
			say(llm.Item{Kind: llm.Text, ID: "msg_2"}, "b").
			say(llm.Item{Kind: llm.Opaque, ID: "x", RawProtocol: llm.Responses, Raw: []byte("{\"id\":\"x\",\n\"type\":\"file_search_call\"}")}, "").stop(llm.StopEnd)
	}, `reasoning(<summary_text:s> encrypted_content="BLOB") message(<output_text:a>) message(<output_text:b>) file_search() completed`)
}

func TestEmitReasoningInFull(t *testing.T) {
	x := client(t, llm.Chat, plain)
	x.Options.ReasoningAsSummary = false
	last, stream := play(t, x, func(s *script) {
		s.start().open(llm.Item{Kind: llm.Thought}).add(0, "a").add(0, "b").close(0, llm.Item{}).stop(llm.StopEnd)
	})
	if got, want := words(t, last), "reasoning(<reasoning_text:ab>) completed"; got != want || !strings.Contains(stream, "response.reasoning_text.delta") {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEmitToolSearch(t *testing.T) {
	x := client(t, llm.Chat, `{"model":"m","input":"x","tools":[{"type":"tool_search","execution":"client"}]}`)
	last, _ := play(t, x, func(s *script) {
		s.start().say(llm.Item{Kind: llm.Call, CallID: "c", Name: "tool_search"}, "{\"query\":\n\"q\"}").stop(llm.StopTool)
	})
	if got, want := words(t, last), `tool_search(call_id="c" arguments={"query":"q"}) completed`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestEchoes is for vector rs←am/echo: the answer repeats what the client wrote, on one line.
func TestEchoes(t *testing.T) {
	last, _ := play(t, client(t, llm.Messages, "{\"model\":\"m\",\"input\":\"x\",\"instructions\":\"i\",\"tools\":[\n{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}],"+
		`"tool_choice":"required","temperature":0.5,"store":false,"metadata":{"a":"b"},"previous_response_id":"resp_0","max_output_tokens":9,"text":{"verbosity":"low"},"user":"u"}`),
		func(s *script) { s.start().stop(llm.StopEnd) })
	f := func(name, want string) {
		t.Helper()
		if got, _ := json.Marshal(last[name]); string(got) != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	f("instructions", `"i"`)
	f("tools", `[{"name":"f","parameters":{},"type":"function"}]`)
	f("tool_choice", `"required"`)
	f("temperature", "0.5")
	f("top_p", "1")
	f("store", "false")
	f("metadata", `{"a":"b"}`)
	f("previous_response_id", `"resp_0"`)
	f("max_output_tokens", "9")
	f("parallel_tool_calls", "true")
	f("truncation", `"disabled"`)
	f("reasoning", `{"effort":null,"summary":null}`)
	f("text", `{"verbosity":"low"}`)
	f("model", `"up"`)
	f("user", `"u"`)
	f("usage", `{"input_tokens":6,"input_tokens_details":{"cache_write_tokens":1,"cached_tokens":2},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":10}`)
}

func TestEmitModelTierAndMissingUsage(t *testing.T) {
	x := client(t, llm.Messages, plain)
	x.AnswerModel = "alias"
	last, _ := play(t, x, func(s *script) {
		s.out.Emit(&llm.Event{Kind: llm.EventStart, Model: "claude", ServiceTier: "standard"})
		s.out.Emit(&llm.Event{Kind: llm.EventStop, Stop: llm.Stop{Reason: llm.StopEnd}})
	})
	if last["model"] != "alias" || last["service_tier"] != "default" {
		t.Errorf("got the model %v and the tier %v, want alias and default", last["model"], last["service_tier"])
	}
	if usage := last["usage"].(object); usage["total_tokens"] != 0.0 {
		t.Errorf("got %v, want zeros", usage)
	}
}

func TestEmitLogprobs(t *testing.T) {
	_, stream := play(t, client(t, llm.Chat, plain), func(s *script) {
		s.start().open(llm.Item{Kind: llm.Text})
		for range 2 {
			s.out.Emit(&llm.Event{Kind: llm.EventDelta, Index: 0, Text: []byte("é"),
				Logprobs: []byte("[{\"token\":\"é\",\"logprob\":-0.10,\"bytes\":null,\"top_logprobs\":[{\"token\":\"e\",\"logprob\":-2,\"bytes\":[101]}]}]")})
		}
		s.close(0, llm.Item{}).stop(llm.StopEnd)
	})
	one := `{"token":"é","logprob":-0.10,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-2,"bytes":[101]}]}`
	for _, want := range []string{`"delta":"é","logprobs":[` + one + `]}`, `"text":"éé","logprobs":[` + one + `,` + one + `]}`} {
		if !strings.Contains(stream, want) {
			t.Errorf("got %s, want %s in it", stream, want)
		}
	}
}

func TestErrorAtAnyMoment(t *testing.T) {
	f := func(run func(s *script)) {
		t.Helper()
		var w StreamWriter
		w.Reset(client(t, llm.Chat, plain))
		run(&script{out: &w})
		stream := string(w.AppendError(nil, &llm.Error{Kind: llm.RateLimit, Message: "slow", RetryAfter: 1500 * time.Millisecond}))
		last, err := checkStream(stream)
		if err != nil {
			t.Fatalf("%v\n%s", err, stream)
		}
		fault := last["error"].(object)
		if last["status"] != "failed" || fault["code"] != "rate_limit_exceeded" || fault["message"] != "slow Please try again in 1.5s." {
			t.Errorf("got %v, want a failed response", last)
		}
		if again := w.AppendError(nil, &llm.Error{}); len(again) > 0 {
			t.Errorf("a second end: %s", again)
		}
	}
	f(func(*script) {})
	f(func(s *script) { s.start() })
	f(func(s *script) { s.start().open(llm.Item{Kind: llm.Text}).add(0, "a") })
	f(func(s *script) { s.start().open(llm.Item{Kind: llm.Thought}).add(0, "a") })
	f(func(s *script) { s.start().open(llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}) })
}

func TestAnswerWithoutAnEndIsAnError(t *testing.T) {
	var w AnswerWriter
	w.Reset(client(t, llm.Chat, plain))
	(&script{out: &w}).start()
	if body, err := w.Append([]byte("kept")); err == nil || string(body) != "kept" {
		t.Errorf("got %s, want an error", body)
	}
}

// TestWritersAreReused shows that nothing of one answer comes into the next.
func TestWritersAreReused(t *testing.T) {
	var w StreamWriter
	var first string
	for i := range 3 {
		w.Reset(client(t, llm.Messages, plain))
		s := &script{out: &w}
		s.start().say(llm.Item{Kind: llm.Thought, Seal: []byte("S")}, "t").say(llm.Item{Kind: llm.Text}, "x").say(llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}, "{}").stop(llm.StopTool)
		stream := string(w.Take(nil))
		if i == 0 {
			first = stream
		} else if stream != first {
			t.Fatalf("got %s, want %s", stream, first)
		}
		if i == 1 {
			w.Reset(client(t, llm.Chat, plain))
			(&script{out: &w}).start().open(llm.Item{Kind: llm.Text}).add(0, "left open")
		}
	}
}

// TestDecodedStreamsAreLegal sends every recorded stream on to a client of the same protocol.
func TestDecodedStreamsAreLegal(t *testing.T) {
	for _, c := range streams {
		x := client(t, llm.Responses, plain)
		var w StreamWriter
		w.Reset(x)
		var d Decoder
		d.Reset(x)
		feed(&d, c.stream, len(c.stream)+1, &w)
		stream := string(w.Take(nil))
		if _, err := checkStream(stream); err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, stream)
		}
	}
}
