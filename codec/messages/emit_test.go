package messages

import (
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// clientExchange returns an exchange of an Anthropic client with an upstream of another protocol.
func clientExchange(target llm.Protocol) *llm.Exchange {
	x := exchange(asked(llm.Messages), "gpt-x")
	x.Target = target
	return x
}

// The steps of answers.
func opening(index int, item llm.Item) llm.Event {
	return llm.Event{Kind: llm.EventOpen, Index: index, Item: &item}
}

func adding(index int, text string) llm.Event {
	return llm.Event{Kind: llm.EventDelta, Index: index, Text: []byte(text)}
}

func citing(index int, c llm.Citation) llm.Event {
	return llm.Event{Kind: llm.EventCite, Index: index, Citation: &c}
}

func closing(index int, item llm.Item) llm.Event {
	return llm.Event{Kind: llm.EventClose, Index: index, Item: &item}
}

func stopping(reason llm.StopReason) llm.Event {
	return llm.Event{Kind: llm.EventStop, Stop: llm.Stop{Reason: reason},
		Usage: &llm.Usage{Input: 5, CacheRead: 2, Output: 9, Knowledge: llm.Reported}}
}

func faulting(kind llm.ErrorKind, message string) llm.Event {
	return llm.Event{Kind: llm.EventFault, Err: &llm.Error{Kind: kind, Message: message}}
}

// answered lets both writers make an answer of steps, behind a start, and returns the stream's message and the whole one.
func answered(t *testing.T, x *llm.Exchange, events ...llm.Event) (*streamed, string) {
	t.Helper()
	var stream StreamWriter
	var answer AnswerWriter
	stream.Reset(x)
	answer.Reset(x)
	out := both{newSteps(t), both{&stream, &answer}}
	out.Emit(&llm.Event{Kind: llm.EventStart, ID: "up", Model: "gpt-u"})
	for i := range events {
		out.Emit(&events[i])
	}
	m := checkStream(t, string(stream.Take(nil)))
	whole, err := answer.Append(nil)
	if err != nil {
		return m, "error: " + err.Message
	}
	return m, string(whole)
}

// told returns a message in short.
func told(m *streamed) string {
	var b strings.Builder
	for i := range m.blocks {
		block := &m.blocks[i]
		b.WriteString(block.kind)
		for _, name := range []string{"id", "name", "data"} {
			if value := look(block.start, name); value != "" {
				b.WriteString(" " + strings.Trim(value, `"`))
			}
		}
		for _, text := range []string{block.text, block.signature, block.input} {
			if text != "" {
				b.WriteString(" " + text)
			}
		}
		if block.citations > 0 {
			b.WriteString(" cited")
		}
		b.WriteString("; ")
	}
	if m.failed != "" {
		return b.String() + "error " + look(m.failed, "type") + look(m.failed, "message")
	}
	return b.String() + strings.Trim(look(m.delta, "stop_reason"), `"`)
}

func TestEmit(t *testing.T) {
	text := llm.Item{Kind: llm.Text}
	refusal := llm.Item{Kind: llm.Refusal}
	thought := llm.Item{Kind: llm.Thought}
	sealed := llm.Item{Kind: llm.Thought, ID: "rs_1", Seal: []byte("ENC")}
	a := llm.Item{Kind: llm.Call, CallID: "call_a", Name: "f"}
	b := llm.Item{Kind: llm.Call, CallID: "call_b", Name: "g"}
	page := llm.Citation{URL: "https://p", Start: 1, End: 3}
	f := func(name string, target llm.Protocol, want string, events ...llm.Event) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			m, whole := answered(t, clientExchange(target), events...)
			if got := told(m); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if m.failed == "" {
				compareMessages(t, m, whole)
			}
		})
	}
	f("text", llm.Chat, "text Hello; end_turn", opening(0, text), adding(0, "Hel"), adding(0, "lo"), closing(0, text),
		stopping(llm.StopEnd))
	// BerriAI/litellm#29600, musistudio/claude-code-router: thinking and a call, without an empty text between them.
	f("reasoning and a call", llm.Chat, "thinking hm gw1.cc-rc..; tool_use call_a f {\"x\":1}; tool_use",
		opening(0, thought), adding(0, "hm"), closing(0, thought), opening(1, a), adding(1, `{"x"`), adding(1, ":1}"), closing(1, a),
		stopping(llm.StopTool))
	// mozilla-ai/any-llm#1312: every reasoning item is a block with a signature of its own.
	f("two reasoning items", llm.Responses, "thinking a gw1.rs-enc.rs_1.ENC; thinking gw1.none..; text x; end_turn",
		opening(0, thought), adding(0, "a"), closing(0, sealed), opening(1, thought), closing(1, thought),
		opening(2, text), adding(2, "x"), closing(2, text), stopping(llm.StopEnd))
	f("own reasoning", llm.Messages, "thinking a ENC; redacted_thinking D; end_turn",
		opening(0, thought), adding(0, "a"), closing(0, sealed),
		opening(1, llm.Item{Kind: llm.Thought, Redacted: true}), closing(1, llm.Item{Kind: llm.Thought, Redacted: true, Seal: []byte("D")}),
		stopping(llm.StopEnd))
	// maximhq/bifrost#3441: calls that arrive together become blocks one after the other.
	f("parallel calls, interleaved", llm.Chat, `tool_use call_a f {"x":1}; tool_use call_b g {"y":2}; text z; tool_use`,
		opening(0, a), opening(1, b), adding(1, `{"y"`), adding(0, `{"x"`), opening(2, text), adding(2, "z"), adding(0, ":1}"),
		adding(1, ":2}"), closing(1, b), closing(2, text), closing(0, a), stopping(llm.StopTool))
	// jataware/archytas#69.
	f("calls without input", llm.Chat, "tool_use call_a f; tool_use call_b g; tool_use",
		opening(0, a), adding(0, "{}"), closing(0, a), opening(1, b), closing(1, b), stopping(llm.StopTool))
	f("an empty object inside an input", llm.Chat, `tool_use call_a f {"x":{}}; tool_use`,
		opening(0, a), adding(0, `{"x":`), adding(0, "{}"), adding(0, "}"), closing(0, a), stopping(llm.StopTool))
	// anthropics/claude-code#88536.
	f("white space before a call", llm.Chat, "tool_use call_a f; tool_use",
		opening(0, text), adding(0, "\n\n"), closing(0, text), opening(1, a), closing(1, a), stopping(llm.StopTool))
	f("white space before a text", llm.Chat, "text \n x; end_turn",
		opening(0, text), adding(0, "\n"), adding(0, " x"), closing(0, text), stopping(llm.StopEnd))
	f("white space alone", llm.Chat, "text \n; end_turn", opening(0, text), adding(0, "\n"), closing(0, text), stopping(llm.StopEnd))
	f("nothing", llm.Chat, "end_turn", stopping(llm.StopEnd))
	f("a refusal", llm.Chat, "text no; refusal", opening(0, refusal), adding(0, "no"), closing(0, refusal), stopping(llm.StopEnd))
	f("filtered", llm.Responses, "refusal", stopping(llm.StopFilter))
	f("cut by the limit", llm.Chat, "text a; max_tokens", opening(0, text), adding(0, "a"), closing(0, text), stopping(llm.StopLength))
	f("an id with other characters", llm.Chat, "tool_use "+string(llm.AppendCallID(nil, "functions.x:0"))+" f; tool_use",
		opening(0, llm.Item{Kind: llm.Call, CallID: "functions.x:0", Name: "f"}), closing(0, a), stopping(llm.StopTool))
	f("a custom call", llm.Responses, `tool_use call_a f {"input":"x\n\"y\""}; tool_use`,
		opening(0, llm.Item{Kind: llm.Call, CallID: "call_a", Name: "f", Custom: true}), adding(0, "x\n"), adding(0, `"y"`),
		closing(0, a), stopping(llm.StopTool))
	f("citations", llm.Responses, "text abcd cited; end_turn", opening(0, text), adding(0, "abcd"), citing(0, page),
		closing(0, text), stopping(llm.StopEnd))
	f("citations before the text", llm.Responses, "text abcd cited; end_turn", opening(0, text), citing(0, page), adding(0, "abcd"),
		closing(0, text), stopping(llm.StopEnd))
	f("a search that the client knows nothing of", llm.Responses, "text a; end_turn",
		opening(0, llm.Item{Kind: llm.Hosted, Name: "web_search"}), closing(0, llm.Item{Kind: llm.Hosted, Name: "web_search"}),
		opening(1, text), adding(1, "a"), closing(1, text), stopping(llm.StopEnd))
	// BerriAI/litellm#41826.
	f("an error in the middle", llm.Chat, `text a; error "overloaded_error""busy"`, opening(0, text), adding(0, "a"),
		faulting(llm.Overloaded, "busy"))
}

func TestEmitSearch(t *testing.T) {
	x := clientExchange(llm.Responses)
	x.Request.Tools = []llm.Tool{{Kind: llm.SearchTool, Name: "web_search"}}
	hosted := llm.Item{Kind: llm.Hosted, Name: "web_search", Arguments: []byte("{\"query\":\n\"q\"}"), Citations: []llm.Citation{
		{URL: "https://a", Title: "A"}, {URL: "https://b"},
	}}
	text := llm.Item{Kind: llm.Text}
	m, whole := answered(t, x, opening(0, llm.Item{Kind: llm.Hosted, Name: "web_search"}), closing(0, hosted),
		opening(1, text), adding(1, "x"), closing(1, text), stopping(llm.StopEnd))
	compareMessages(t, m, whole)
	want := `[{"type":"server_tool_use","id":"srvtoolu_A1_0","name":"web_search","input":{"query": "q"}},` +
		`{"type":"web_search_tool_result","tool_use_id":"srvtoolu_A1_0","content":[` +
		`{"type":"web_search_result","url":"https://a","title":"A","encrypted_content":"","page_age":null},` +
		`{"type":"web_search_result","url":"https://b","title":"https://b","encrypted_content":"","page_age":null}]},` +
		`{"type":"text","text":"x"}]`
	if got := look(whole, "content"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestEmitHead(t *testing.T) {
	x := clientExchange(llm.Chat)
	var w StreamWriter
	w.Reset(x)
	w.Emit(&llm.Event{Kind: llm.EventStart, ID: "up", Model: "gpt-u", Usage: &llm.Usage{Input: 7, CacheRead: 1, Output: 3}})
	want := `event: message_start
data: {"type":"message_start","message":{"id":"msg_A1","type":"message","role":"assistant","model":"gpt-u","content":[],` +
		`"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,` +
		`"cache_read_input_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},` +
		`"output_tokens":0}}}

event: ping
data: {"type": "ping"}

`
	if got := string(w.Take(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, c := range []struct{ answer, upstream, want string }{
		{"mine", "theirs", `"mine"`}, {"", "theirs", `"theirs"`}, {"", "", `"gpt-x"`},
	} {
		x.AnswerModel = c.answer
		if got := look(string(appendMessageHead(nil, x, c.upstream))+"}", "model"); got != c.want {
			t.Errorf("got model %s, want %s", got, c.want)
		}
	}
}

// Clients want a signature, also where nobody can seal.
func TestEmitThoughtsWithoutSealer(t *testing.T) {
	x := clientExchange(llm.Chat)
	x.Sealer = nil
	thought := llm.Item{Kind: llm.Thought}
	m, whole := answered(t, x, opening(0, thought), adding(0, "hm"), closing(0, thought), stopping(llm.StopEnd))
	compareMessages(t, m, whole)
	if got := told(m); got != "thinking hm gw1.none; end_turn" {
		t.Errorf("got %s", got)
	}
	// Coming back, it is nobody's, for any sealer and for none.
	for _, sealer := range []llm.Sealer{nil, plainSealer{}} {
		w := writer{x: &llm.Exchange{Sealer: sealer}}
		if got := w.restore(&llm.Item{Kind: llm.Thought, Seal: []byte("gw1.none"), RawProtocol: llm.Messages, Raw: []byte("{}")}); got.kind != thoughtGone {
			t.Errorf("restored as %d", got.kind)
		}
	}
}

func TestEmitUsage(t *testing.T) {
	f := func(u llm.Usage, tier, want string) {
		t.Helper()
		if got := string(appendUsage(nil, &u, tier)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f(llm.Usage{Input: 1, CacheRead: 2, CacheWrite5m: 3, CacheWrite1h: 4, Output: 9, Reasoning: 5}, "fast",
		`{"input_tokens":1,"cache_creation_input_tokens":7,"cache_read_input_tokens":2,"cache_creation":{`+
			`"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4},"output_tokens":9,`+
			`"output_tokens_details":{"thinking_tokens":5},"service_tier":"priority"}`)
	for tier, want := range map[string]string{
		"": "", "default": "standard", "flex": "standard", "priority": "priority", "standard": "standard", "batch": "batch", "x": "",
	} {
		if got := answerTier(tier); got != want {
			t.Errorf("tier %q: got %q, want %q", tier, got, want)
		}
	}
}

func TestEmitStop(t *testing.T) {
	f := func(stop llm.Stop, want string) {
		t.Helper()
		if got := string(appendStop(nil, clientExchange(llm.Chat), &stop, false)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(llm.Stop{Reason: llm.StopSequence, Sequence: "E\"D"}, `"stop_reason":"stop_sequence","stop_sequence":"E\"D"`)
	f(llm.Stop{Reason: llm.StopTool, Sequence: "x"}, `"stop_reason":"tool_use","stop_sequence":null`)
	f(llm.Stop{Reason: llm.StopPause}, `"stop_reason":"pause_turn","stop_sequence":null`)
	f(llm.Stop{}, `"stop_reason":"end_turn","stop_sequence":null`)
	f(llm.Stop{Reason: llm.StopFilter, Explanation: "why"}, `"stop_reason":"refusal","stop_sequence":null,`+
		`"stop_details":{"type":"refusal","category":null,"explanation":"why"}`)
	f(llm.Stop{Reason: llm.StopFilter}, `"stop_reason":"refusal","stop_sequence":null,`+
		`"stop_details":{"type":"refusal","category":null,"explanation":null}`)
}

func TestEmitNothingWhenOnlyTheCacheIsFilled(t *testing.T) {
	x := clientExchange(llm.Chat)
	x.Request.Cache.Prewarm = true
	text := llm.Item{Kind: llm.Text}
	m, whole := answered(t, x, opening(0, text), adding(0, "x"), closing(0, text), stopping(llm.StopEnd))
	compareMessages(t, m, whole)
	if got := told(m); got != "max_tokens" || look(m.usage, "input_tokens") != "5" {
		t.Errorf("got %s, usage %s", got, m.usage)
	}
}

func TestEmitErrorsAtAnyMoment(t *testing.T) {
	x := clientExchange(llm.Chat)
	events := []llm.Event{
		{Kind: llm.EventStart}, opening(0, llm.Item{Kind: llm.Thought}), adding(0, "a"), closing(0, llm.Item{Kind: llm.Thought}),
		opening(1, llm.Item{Kind: llm.Call, CallID: "c", Name: "f"}), adding(1, "{"),
	}
	for n := range len(events) + 1 {
		var w StreamWriter
		w.Reset(x)
		for i := range n {
			w.Emit(&events[i])
		}
		stream := w.AppendError(nil, &llm.Error{Kind: llm.Timeout, Message: "slow"})
		w.Emit(&events[0]) // nothing counts behind it
		m := checkStream(t, string(w.Take(stream)))
		if look(m.failed, "type") != `"timeout_error"` {
			t.Errorf("after %d steps: got %s", n, m.failed)
		}
	}
}

func TestEmitTakesWholeEvents(t *testing.T) {
	x := clientExchange(llm.Chat)
	var w StreamWriter
	w.Reset(x)
	text := llm.Item{Kind: llm.Text}
	out := []byte("")
	for _, e := range []llm.Event{{Kind: llm.EventStart}, opening(0, text), adding(0, "a"), closing(0, text), stopping(llm.StopEnd)} {
		w.Emit(&e)
		if out = w.Take(out); len(out) > 0 && !strings.HasSuffix(string(out), "\n\n") {
			t.Errorf("got half an event: %q", out)
		}
	}
	checkStream(t, string(out))
	if got := w.Take(nil); len(got) != 0 {
		t.Errorf("taken twice: %q", got)
	}
}

func TestAnswerCitationsQuoteTheText(t *testing.T) {
	text := llm.Item{Kind: llm.Text}
	_, whole := answered(t, clientExchange(llm.Responses), opening(0, text), adding(0, "a😀bc"),
		citing(0, llm.Citation{URL: "u", Start: 1, End: 3}), citing(0, llm.Citation{Title: "no page"}), closing(0, text),
		stopping(llm.StopEnd))
	want := `[{"type":"web_search_result_location","cited_text":"😀b","url":"u","title":"u","encrypted_index":""}]`
	if got := look(whole, "content 0 citations"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnswerInputs(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		it := answerItem{text: []byte(text)}
		if got := string(it.appendInput(nil, true)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	f(``, `{}`)
	f(` {"a" : 9007199254740993} `, `{"a" : 9007199254740993}`)
	f(`[1]`, `{"value":[1]}`)
	// mattmezza/humux#77: what was cut off is ended, and the stop reason tells.
	f(`{"a":"b`, `{"a":"b"}`)
	f(`{"a":"b\`, `{"a":"b"}`)
	f(`{"a":[1,{"b":2`, `{"a":[1,{"b":2}]}`)
	f(`{"a":`, `{"a":null}`)
	f(`{"a":1,`, `{"a":1}`)
	f(`{"a`, `{}`)
	f(`{"a":tr`, `{}`)
	f(`nonsense`, `{}`)
}

func TestAnswerErrors(t *testing.T) {
	var w AnswerWriter
	w.Reset(clientExchange(llm.Chat))
	if _, err := w.Append(nil); err == nil || err.Kind != llm.Upstream {
		t.Errorf("an answer without end: got %v", err)
	}
	fault := faulting(llm.RateLimit, "slow down")
	w.Emit(&fault)
	if out, err := w.Append([]byte("x")); err == nil || err.Kind != llm.RateLimit || string(out) != "x" {
		t.Errorf("got %s, %v", out, err)
	}
}

// FuzzEmit lets steps come in any order that a decoder may choose, and checks that both writers say the same, legally.
func FuzzEmit(f *testing.F) {
	f.Add([]byte("\x00\x10a\x11{}\x20"))
	f.Add([]byte("\x02\x01\x12\x22\x11x\x21"))
	f.Fuzz(func(t *testing.T, script []byte) {
		x := clientExchange(llm.Protocol(1 + len(script)%3))
		x.Request.Tools = []llm.Tool{{Kind: llm.SearchTool}}
		kinds := []llm.ItemKind{llm.Text, llm.Thought, llm.Call, llm.Refusal, llm.Hosted}
		pieces := []string{"x", " ", "{}", "{\"a\":", "1}", "\xe2\x82", "\n\""}
		var events []llm.Event
		var open []int
		items := make([]llm.Item, 0, len(script))
		for _, c := range script {
			n := int(c & 15)
			switch {
			case c>>4 == 0:
				item := llm.Item{Kind: kinds[n%len(kinds)], CallID: "c" + string(rune('a'+n)), Name: "web_search", Custom: n > 12}
				item.Redacted = item.Kind == llm.Thought && n > 8
				open = append(open, len(items))
				events = append(events, opening(len(items), item))
				items = append(items, item)
			case len(open) == 0:
			case c>>4 < 8:
				events = append(events, adding(open[n%len(open)], pieces[int(c>>4)%len(pieces)]))
			case c>>4 == 8:
				events = append(events, citing(open[n%len(open)], llm.Citation{URL: "u"}))
			default:
				i := n % len(open)
				events = append(events, closing(open[i], items[open[i]]))
				open = append(open[:i], open[i+1:]...)
			}
		}
		for _, i := range open {
			events = append(events, closing(i, items[i]))
		}
		m, whole := answered(t, x, append(events, stopping(llm.StopEnd))...)
		compareMessages(t, m, whole)
	})
}
