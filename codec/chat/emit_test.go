package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// wireChunk is a chunk as a strict SDK reads it.
type wireChunk struct {
	ID      string
	Object  string
	Created *int64
	Model   string
	Tier    string `json:"service_tier"`
	Choices *[]struct {
		Index  *int
		Delta  map[string]json.RawMessage
		Finish *string `json:"finish_reason"`
	}
	Usage json.RawMessage
	Error json.RawMessage
}

// illegal returns what the strictest client refuses in a Chat stream (protocols.md A.3, A.10), or nothing.
func illegal(stream []byte, includeUsage bool) string {
	var events sse.Reader
	var e sse.Event
	var first wireChunk
	state := "start"
	names := map[int]string{}
	arguments := map[int]string{}
	events.Feed(stream)
	for events.Next(&e) {
		switch {
		case state == "done":
			return "an event behind [DONE]"
		case e.Lines != 1 || e.Name != nil || !bytes.HasPrefix(e.Raw, []byte("data: ")):
			return "no plain data line: " + string(e.Raw)
		}
		if string(e.Data) == "[DONE]" {
			if state != "finished" && state != "usage" && state != "error" {
				return "[DONE] in state " + state
			}
			if includeUsage && state == "finished" {
				return "no usage"
			}
			state = "done"
			continue
		}
		var c wireChunk
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return err.Error() + ": " + string(e.Data)
		}
		switch {
		case c.Error != nil:
			state = "error"
			continue
		case state == "error" || state == "usage":
			return "a chunk in state " + state
		case c.Choices == nil || c.Created == nil || c.Object != "chat.completion.chunk":
			return "a member is missing: " + string(e.Data)
		}
		if state == "start" {
			first = c
		}
		if c.ID == "" || c.Model == "" || c.ID != first.ID || c.Model != first.Model || *c.Created != *first.Created {
			return "id, model or created change: " + string(e.Data)
		}
		if len(*c.Choices) == 0 {
			if state != "finished" || !includeUsage || len(c.Usage) == 0 || c.Usage[0] != '{' {
				return "usage in state " + state
			}
			state = "usage"
			continue
		}
		if includeUsage != (string(c.Usage) == "null") {
			return "usage of a chunk with a choice: " + string(c.Usage)
		}
		h := (*c.Choices)[0]
		switch {
		case len(*c.Choices) != 1 || h.Index == nil || *h.Index != 0 || h.Delta == nil:
			return "choice: " + string(e.Data)
		case state == "start":
			if string(h.Delta["role"]) != `"assistant"` {
				return "no role first"
			}
			state = "running"
			continue
		case h.Delta["role"] != nil:
			return "second role"
		case state == "finished":
			return "a choice behind the stop reason"
		}
		if fault := illegalCalls(h.Delta["tool_calls"], names, arguments); fault != "" {
			return fault + ": " + string(e.Data)
		}
		if h.Finish != nil {
			if len(h.Delta) != 0 {
				return "a delta beside the stop reason"
			}
			for i, a := range arguments {
				if names[i] == "function" && a == "" && *h.Finish == "tool_calls" {
					return "empty arguments"
				}
			}
			state = "finished"
		}
	}
	if state != "done" {
		return "the end is missing: " + state
	}
	return ""
}

func illegalCalls(list json.RawMessage, names, arguments map[int]string) string {
	if list == nil {
		return ""
	}
	var calls []struct {
		Index            *int
		ID, Type         *string
		Function, Custom *struct{ Name, Arguments, Input *string }
	}
	if err := json.Unmarshal(list, &calls); err != nil {
		return err.Error()
	}
	for _, c := range calls {
		part := c.Function
		if part == nil {
			part = c.Custom
		}
		switch {
		case c.Index == nil || part == nil:
			return "call without index or function"
		case names[*c.Index] == "":
			if *c.Index != len(names) || c.ID == nil || *c.ID == "" || c.Type == nil || part.Name == nil ||
				*part.Name == "" {
				return "call begins incompletely"
			}
			names[*c.Index] = *c.Type
		case c.ID != nil || c.Type != nil || part.Name != nil:
			return "call is named twice"
		}
		if c.Function != nil && part.Arguments != nil {
			arguments[*c.Index] += *part.Arguments
		}
	}
	return ""
}

// accumulate returns what a client makes of a stream: the members of the deltas put together.
func accumulate(t *testing.T, stream []byte) (members map[string]string, finish string) {
	t.Helper()
	members = map[string]string{}
	var events sse.Reader
	var e sse.Event
	events.Feed(stream)
	for events.Next(&e) {
		var c wireChunk
		if string(e.Data) == "[DONE]" || json.Unmarshal(e.Data, &c) != nil || c.Choices == nil {
			continue
		}
		if len(*c.Choices) == 0 {
			members["usage"] = string(c.Usage)
			continue
		}
		h := (*c.Choices)[0]
		for name, value := range h.Delta {
			var s string
			if json.Unmarshal(value, &s) == nil {
				members[name] += s
			} else {
				members[name] += string(value)
			}
		}
		if h.Finish != nil {
			finish = *h.Finish
		}
	}
	return members, finish
}

// play feeds steps to an emitter: Start, the items one after the other with their texts in single characters, and Stop.
func play(out llm.Emitter, stop llm.Stop, usage llm.Usage, items ...played) {
	out.Emit(&llm.Event{Kind: llm.EventStart, ID: "up", Model: "um", ServiceTier: "standard"})
	for i, p := range items {
		item := p.item
		out.Emit(&llm.Event{Kind: llm.EventOpen, Index: i, Item: &item})
		for _, c := range p.text {
			out.Emit(&llm.Event{Kind: llm.EventDelta, Index: i, Text: []byte(string(c))})
		}
		for _, c := range p.cites {
			out.Emit(&llm.Event{Kind: llm.EventCite, Index: i, Citation: &c})
		}
		out.Emit(&llm.Event{Kind: llm.EventClose, Index: i, Item: &item})
	}
	out.Emit(&llm.Event{Kind: llm.EventStop, Stop: stop, Usage: &usage})
}

// played is an item and its text.
type played struct {
	item  llm.Item
	text  string
	cites []llm.Citation
}

func TestEmitAnswers(t *testing.T) {
	call := func(id, name string) llm.Item { return llm.Item{Kind: llm.Call, CallID: id, Name: name} }
	custom := func(name string) llm.Item { return llm.Item{Kind: llm.Call, CallID: "c", Name: name, Custom: true} }
	thought := llm.Item{Kind: llm.Thought}
	sealed := llm.Item{Kind: llm.Thought, Seal: []byte("sig")}
	for _, c := range []struct {
		name  string
		set   func(x *llm.Exchange)
		items []played
		stop  llm.Stop
		want  string // of the whole answer: the message, and the stop reason
	}{
		{"text blocks are joined", nil, []played{{text: "a"}, {text: "b"}}, llm.Stop{Reason: llm.StopEnd},
			`"content":"ab","refusal":null stop`},
		{"nothing (C.7)", nil, nil, llm.Stop{Reason: llm.StopEnd}, `"content":"","refusal":null stop`},
		{"reasoning, then the limit (E 74)", nil, []played{{item: thought, text: "t"}}, llm.Stop{Reason: llm.StopLength},
			`"content":"","refusal":null,"reasoning_content":"t" length`},
		{"two thoughts (F 112)", nil, []played{{item: thought, text: "t"}, {text: "a"}, {item: thought, text: "u"},
			{text: "b"}}, llm.Stop{Reason: llm.StopEnd},
			`"content":"ab","refusal":null,"reasoning_content":"t\n\nu" stop`},
		{"calls count from 0, whatever stands before them (E 1, 3, 5)", nil, []played{{item: thought, text: "t"},
			{text: "a"}, {item: call("c1", "f"), text: `{"a":"é"}`}, {item: call("c2", "g")}},
			llm.Stop{Reason: llm.StopTool},
			`"content":"a","refusal":null,"reasoning_content":"t","tool_calls":[{"id":"c1","type":"function",` +
				`"function":{"name":"f","arguments":"{\"a\":\"é\"}"}},` +
				`{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}] tool_calls`},
		{"a call alone has null beside it", nil, []played{{item: call("c1", "f"), text: `{}`}},
			llm.Stop{Reason: llm.StopTool},
			`"content":null,"refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f",` +
				`"arguments":"{}"}}] tool_calls`},
		{"refusal", nil, []played{{item: llm.Item{Kind: llm.Refusal}, text: "no"}}, llm.Stop{Reason: llm.StopEnd},
			`"content":null,"refusal":"no" stop`},
		{"refusal of Anthropic (F 113)", nil, []played{{text: "a"}}, llm.Stop{Reason: llm.StopFilter,
			Explanation: "why"}, `"content":"a","refusal":"why" content_filter`},
		{"pause that stays (D.2)", nil, []played{{text: "a"}}, llm.Stop{Reason: llm.StopPause},
			`"content":"a","refusal":null length`},
		{"stop sequence", nil, []played{{text: "a"}}, llm.Stop{Reason: llm.StopSequence, Sequence: "x"},
			`"content":"a","refusal":null stop`},
		{"unknown (E 79)", nil, []played{{text: "a"}}, llm.Stop{}, `"content":"a","refusal":null stop`},
		{"the deprecated form (F 155)", func(x *llm.Exchange) { x.Request.Legacy = true }, []played{{item: call("c1",
			"f"), text: `{}`}, {item: call("c2", "g"), text: `{}`}},
			llm.Stop{Reason: llm.StopTool}, `"content":null,"refusal":null,"function_call":{"name":"f",` +
				`"arguments":"{}"} function_call`},
		{"a custom call that the client declared (F 157)",
			func(x *llm.Exchange) { x.Request.Tools = []llm.Tool{{Kind: llm.CustomTool, Name: "p"}} },
			[]played{{item: custom("p"), text: "a\"\n"}}, llm.Stop{Reason: llm.StopTool},
			`"content":null,"refusal":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"p",` +
				`"input":"a\"\n"}}] tool_calls`},
		{"a custom call that it did not", nil, []played{{item: custom("p"), text: "a\"\n"}}, llm.Stop{Reason: llm.StopTool},
			`"content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"p",` +
				`"arguments":"{\"input\":\"a\\\"\\n\"}"}}] tool_calls`},
		{"an empty custom call that it did not", nil, []played{{item: custom("p")}}, llm.Stop{Reason: llm.StopTool},
			`"content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"p",` +
				`"arguments":"{\"input\":\"\"}"}}] tool_calls`},
		{"sources, counted in characters (F 116)", nil, []played{{text: "😀 "}, {text: "né",
			cites: []llm.Citation{{URL: "u", Title: "t"}, {URL: "v", Start: 1, End: 2}, {Title: "no page"}}}},
			llm.Stop{Reason: llm.StopEnd},
			`"content":"😀 né","refusal":null,"annotations":[{"type":"url_citation","url_citation":{"start_index":2,` +
				`"end_index":4,"title":"t","url":"u"}},` +
				`{"type":"url_citation","url_citation":{"start_index":3,"end_index":4,"title":"v","url":"v"}}] stop`},
		{"hosted calls have no form", nil, []played{{item: llm.Item{Kind: llm.Hosted, Name: "web_search"}},
			{text: "a"}}, llm.Stop{Reason: llm.StopEnd}, `"content":"a","refusal":null stop`},
		{"seals are not shown unasked", nil, []played{{item: sealed, text: "t"}, {text: "a"}},
			llm.Stop{Reason: llm.StopEnd},
			`"content":"a","refusal":null,"reasoning_content":"t" stop`},
		{"signatures in details (B.6)", details(llm.Messages), []played{{item: sealed, text: "t"},
			{item: llm.Item{Kind: llm.Thought, Redacted: true, Seal: []byte("red")}}, {text: "a"}},
			llm.Stop{Reason: llm.StopEnd},
			`"content":"a","refusal":null,"reasoning_content":"t","reasoning_details":[{"type":"reasoning.text",` +
				`"text":"t","format":"anthropic-claude-v1","index":0},` +
				`{"type":"reasoning.text","signature":"gw1.am-sig.sig","format":"anthropic-claude-v1","index":0},` +
				`{"type":"reasoning.encrypted","data":"gw1.am-red.red","format":"anthropic-claude-v1","index":1}] stop`},
		{"encrypted reasoning in details", details(llm.Responses), []played{{item: llm.Item{Kind: llm.Thought,
			ID: "rs_1", Seal: []byte("enc")}, text: "t"}, {text: "a"}}, llm.Stop{Reason: llm.StopEnd},
			`"content":"a","refusal":null,"reasoning_content":"t","reasoning_details":[{"type":"reasoning.summary",` +
				`"summary":"t","format":"openai-responses-v1","index":0},` +
				`{"type":"reasoning.encrypted","data":"gw1.rs-enc.enc","id":"rs_1","format":"openai-responses-v1",` +
				`"index":0}] stop`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange(request(llm.Chat), "m")
			x.Target = llm.Messages
			x.Request.IncludeUsage = true
			if c.set != nil {
				c.set(x)
			}
			usage := llm.Usage{Input: 5, CacheRead: 3, CacheWrite5m: 2, CacheWrite1h: 1, Output: 7, Reasoning: 4}
			var a AnswerWriter
			a.Reset(x)
			play(&a, c.stop, usage, c.items...)
			body, err := a.Append(nil)
			if err != nil || !json.Valid(body) {
				t.Fatalf("got %v %s", err, body)
			}
			message, finish, _ := strings.Cut(c.want, " ")
			if i := strings.LastIndexByte(c.want, ' '); i > 0 {
				message, finish = c.want[:i], c.want[i+1:]
			}
			const counted = `{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,` +
				`"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":3},` +
				`"completion_tokens_details":{"reasoning_tokens":4}}`
			want := fmt.Sprintf(`{"id":"%s","object":"chat.completion","created":1700000000,"model":"um",`+
				`"service_tier":"default",`+
				`"choices":[{"index":0,"message":{"role":"assistant",%s},"logprobs":null,"finish_reason":"%s"}],`+
				`"usage":%s}`,
				appendID(nil, "chatcmpl-", "answer", none), message, finish, counted)
			if string(body) != want {
				t.Errorf("whole:\ngot  %s\nwant %s", body, want)
			}

			var w StreamWriter
			w.Reset(x)
			play(&w, c.stop, usage, c.items...)
			stream := w.Take(nil)
			if fault := illegal(stream, true); fault != "" {
				t.Errorf("stream: %s\n%s", fault, stream)
			}
			compareWithWhole(t, stream, body)
		})
	}
}

// details turns reasoning_details on, for an upstream of protocol p.
func details(p llm.Protocol) func(*llm.Exchange) {
	return func(x *llm.Exchange) {
		x.Options.ReasoningDetails = true
		x.Sealer = sealer{}
		x.Target = p
	}
}

// compareWithWhole checks that a stream says what the whole answer does.
func compareWithWhole(t *testing.T, stream, body []byte) {
	t.Helper()
	got, finish := accumulate(t, stream)
	var whole struct {
		Choices []struct {
			Message struct {
				Content, Refusal *string
				Reasoning        string          `json:"reasoning_content"`
				Annotations      json.RawMessage `json:"annotations"`
			}
			Finish string `json:"finish_reason"`
		}
		Usage json.RawMessage
	}
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatal(err)
	}
	m := whole.Choices[0].Message
	or := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	for name, want := range map[string]string{
		"content": or(m.Content), "refusal": or(m.Refusal), "reasoning_content": m.Reasoning,
		"annotations": string(m.Annotations), "usage": string(whole.Usage),
	} {
		if got[name] != want {
			t.Errorf("%s: the stream says %q, the whole answer %q", name, got[name], want)
		}
	}
	if finish != whole.Choices[0].Finish {
		t.Errorf("stop reason: the stream says %s, the whole answer %s", finish, whole.Choices[0].Finish)
	}
}

func TestEmitStreamOfCalls(t *testing.T) {
	x := exchange(request(llm.Chat), "m")
	var w StreamWriter
	w.Reset(x)
	x.AnswerModel = "asked"
	emit := func(e llm.Event) { w.Emit(&e) }
	emit(llm.Event{Kind: llm.EventStart, Model: "um"})
	emit(llm.Event{Kind: llm.EventOpen, Index: 0, Item: &llm.Item{Kind: llm.Call, CallID: "a", Name: "f"}})
	emit(llm.Event{Kind: llm.EventOpen, Index: 1, Item: &llm.Item{Kind: llm.Call, CallID: "b", Name: "g"}})
	emit(llm.Event{Kind: llm.EventDelta, Index: 1, Text: []byte(`{"x"`)})
	emit(llm.Event{Kind: llm.EventDelta, Index: 0, Text: []byte(`{}`)})
	emit(llm.Event{Kind: llm.EventDelta, Index: 1, Text: []byte(`:1}`)})
	emit(llm.Event{Kind: llm.EventClose, Index: 0})
	emit(llm.Event{Kind: llm.EventClose, Index: 1})
	emit(llm.Event{Kind: llm.EventStop, Stop: llm.Stop{Reason: llm.StopTool}, Usage: &llm.Usage{}})
	stream := w.Take(nil)
	if fault := illegal(stream, false); fault != "" {
		t.Fatalf("%s\n%s", fault, stream)
	}
	head := fmt.Sprintf(`data: {"id":"%s","object":"chat.completion.chunk","created":1700000000,"model":"asked",`+
		`"choices":[{"index":0,"delta":{`, appendID(nil, "chatcmpl-", "answer", none))
	const tail = `},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	want := head + `"role":"assistant","content":""` + tail +
		head + `"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]` + tail +
		head + `"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]` + tail +
		head + `"tool_calls":[{"index":1,"function":{"arguments":"{\"x\""}}]` + tail +
		head + `"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]` + tail +
		head + `"tool_calls":[{"index":1,"function":{"arguments":":1}"}}]` + tail +
		head + `},"logprobs":null,"finish_reason":"tool_calls"}]}` + "\n\ndata: [DONE]\n\n"
	if string(stream) != want {
		t.Errorf("got\n%s\nwant\n%s", stream, want)
	}
}

func TestEmitLogprobs(t *testing.T) {
	x := exchange(request(llm.Chat), "m")
	run := func(out llm.Emitter) {
		out.Emit(&llm.Event{Kind: llm.EventStart})
		out.Emit(&llm.Event{Kind: llm.EventOpen, Item: &llm.Item{}})
		out.Emit(&llm.Event{Kind: llm.EventDelta, Text: []byte("a"), Logprobs: []byte(`[{"token":"a"}]`)})
		out.Emit(&llm.Event{Kind: llm.EventDelta, Text: []byte("b"), Logprobs: []byte(`[{"token":"b"}]`)})
		out.Emit(&llm.Event{Kind: llm.EventClose, Item: &llm.Item{}})
		out.Emit(&llm.Event{Kind: llm.EventStop, Usage: &llm.Usage{}})
	}
	var w StreamWriter
	w.Reset(x)
	run(&w)
	if s := string(w.Take(nil)); !strings.Contains(s,
		`"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}],"refusal":null}`) {
		t.Errorf("stream: %s", s)
	}
	var a AnswerWriter
	a.Reset(x)
	run(&a)
	if body, _ := a.Append(nil); !strings.Contains(string(body),
		`"logprobs":{"content":[{"token":"a"},{"token":"b"}],"refusal":null}`) {
		t.Errorf("whole: %s", body)
	}
}

func TestEmitErrorAtAnyMoment(t *testing.T) {
	x := exchange(request(llm.Chat), "m")
	steps := []llm.Event{
		{Kind: llm.EventStart}, {Kind: llm.EventOpen, Item: &llm.Item{Kind: llm.Call, CallID: "a", Name: "f"}},
		{Kind: llm.EventDelta, Text: []byte(`{"a`)},
	}
	for n := range len(steps) + 1 {
		var w StreamWriter
		w.Reset(x)
		for i := range n {
			w.Emit(&steps[i])
		}
		stream := w.AppendError(w.Take(nil), &llm.Error{Kind: llm.Overloaded, Message: "later"})
		if fault := illegal(stream, false); fault != "" {
			t.Errorf("after %d steps: %s\n%s", n, fault, stream)
		}
		if !strings.HasSuffix(string(stream), `data: {"error":{"message":"later","type":"server_error","param":null,`+
			`"code":"overloaded"}}`+"\n\ndata: [DONE]\n\n") {
			t.Errorf("after %d steps: %s", n, stream)
		}
		if strings.Contains(string(stream), `"finish_reason":"`) {
			t.Errorf("after %d steps there is a stop reason: %s", n, stream)
		}
	}
}

func TestEmitFault(t *testing.T) {
	x := exchange(request(llm.Chat), "m")
	fault := &llm.Error{Kind: llm.RateLimit, Message: "slow down"}
	var w StreamWriter
	w.Reset(x)
	w.Emit(&llm.Event{Kind: llm.EventFault, Err: fault})
	if s := string(w.Take(nil)); !strings.Contains(s, "rate_limit_exceeded") || !strings.HasSuffix(s, "[DONE]\n\n") {
		t.Errorf("stream: %s", s)
	}
	var a AnswerWriter
	a.Reset(x)
	a.Emit(&llm.Event{Kind: llm.EventFault, Err: fault})
	if body, err := a.Append([]byte("x")); err != fault || string(body) != "x" {
		t.Errorf("whole: got %s %v", body, err)
	}
}

func TestAnswerTakesJSONOutOfItsFence(t *testing.T) {
	for _, c := range []struct {
		target     llm.Protocol
		format     llm.FormatKind
		text, want string
	}{
		{llm.Messages, llm.FormatJSON, "```json\n{\"a\":1}\n```\n", `"{\"a\":1}"`},
		{llm.Messages, llm.FormatJSON, "```json\n{\"a\":1}", `"` + "```json" + `\n{\"a\":1}"`},
		{llm.Messages, llm.FormatText, "```json\n{}\n```", `"` + "```json" + `\n{}\n` + "```" + `"`},
		{llm.Responses, llm.FormatJSON, "```json\n{}\n```", `"` + "```json" + `\n{}\n` + "```" + `"`},
	} {
		x := exchange(request(llm.Chat), "m")
		x.Target, x.Request.Format.Kind = c.target, c.format
		var a AnswerWriter
		a.Reset(x)
		play(&a, llm.Stop{Reason: llm.StopEnd}, llm.Usage{}, played{text: c.text})
		if body, _ := a.Append(nil); !strings.Contains(string(body), `"content":`+c.want+`,`) {
			t.Errorf("got %s, want %s", body, c.want)
		}
	}
}

// TestStreamThroughChatKeepsTheMeaning decodes a stream and writes it again: both say the same.
func TestStreamThroughChatKeepsTheMeaning(t *testing.T) {
	stream := frames(`"delta":{"role":"assistant","content":""}`, `"delta":{"reasoning_content":"t"}`, says(`a\n`),
		says("é"),
		calls(`{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}`),
		calls(`{"index":0,"function":{"arguments":"{\"n\":1e21}"}}`),
		calls(`{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":""}}`), stopped("tool_calls"),
		`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}}`, end)
	x := exchange(request(llm.Chat), "m")
	x.Request.IncludeUsage = true
	var w StreamWriter
	w.Reset(x)
	decodeStream(x, stream, 1<<20, &w)
	again := string(w.Take(nil))
	if fault := illegal([]byte(again), true); fault != "" {
		t.Fatalf("%s\n%s", fault, again)
	}
	var first, second recorder
	decodeStream(x, stream, 1<<20, &first)
	decodeStream(x, again, 1<<20, &second)
	want := strings.Replace(first.String(), "c2=g |", "c2=g{} |", 1)
	if got := second.String(); got != want || first.usage != second.usage {
		t.Errorf("got  %s %+v\nwant %s %+v", got, second.usage, want, first.usage)
	}
}
