package chat

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// recorder is an emitter that puts an answer into a few words, and checks the order that llm.EventKind promises.
type recorder struct {
	open    map[int]bool
	kinds   []llm.ItemKind
	texts   []string // of the items
	items   []llm.Item
	cites   []string
	started bool
	ended   bool
	usage   llm.Usage
	fault   *llm.Error
	stop    llm.Stop
	broken  string // the first breach of the order
}

func (r *recorder) breach(format string, args ...any) {
	if r.broken == "" {
		r.broken = fmt.Sprintf(format, args...)
	}
}

func (r *recorder) Emit(e *llm.Event) {
	if r.ended {
		r.breach("step %d behind the end", e.Kind)
	}
	if !r.started && e.Kind != llm.EventStart && e.Kind != llm.EventFault {
		r.breach("step %d before Start", e.Kind)
	}
	switch e.Kind {
	case llm.EventOpen, llm.EventDelta, llm.EventCite, llm.EventClose:
		if e.Kind == llm.EventOpen {
			if e.Index != len(r.kinds) {
				r.breach("item %d opened as %d", len(r.kinds), e.Index)
				return
			}
			break
		}
		if !r.open[e.Index] {
			r.breach("step %d for item %d, which is not open", e.Kind, e.Index)
			return
		}
	}
	switch e.Kind {
	case llm.EventStart:
		if r.started {
			r.breach("second Start")
		}
		r.started, r.open = true, make(map[int]bool)
	case llm.EventOpen:
		r.open[e.Index] = true
		r.kinds = append(r.kinds, e.Item.Kind)
		r.texts = append(r.texts, "")
		item := *e.Item
		item.CallID, item.Name = strings.Clone(item.CallID), strings.Clone(item.Name)
		r.items = append(r.items, item)
	case llm.EventDelta:
		if len(e.Text) == 0 {
			r.breach("empty delta")
		}
		r.texts[e.Index] += string(e.Text)
	case llm.EventCite:
		r.cites = append(r.cites, e.Citation.URL+"/"+e.Citation.Title)
	case llm.EventClose:
		r.open[e.Index] = false
	case llm.EventUsage:
		r.usage = *e.Usage
	case llm.EventStop:
		for i, open := range r.open {
			if open {
				r.breach("item %d is open at Stop", i)
			}
		}
		r.ended, r.stop, r.usage = true, e.Stop, *e.Usage
	case llm.EventFault:
		r.ended, r.fault = true, e.Err
		if e.Err == nil {
			r.breach("Fault without an error")
		}
	}
}

// String returns the items and the end of the answer.
func (r *recorder) String() string {
	var words []string
	for i, kind := range r.kinds {
		word := r.texts[i]
		switch kind {
		case llm.Thought:
			word = "thought:" + word
		case llm.Refusal:
			word = "refusal:" + word
		case llm.Call:
			word = r.items[i].CallID + "=" + r.items[i].Name + word
			if r.items[i].Custom {
				word = "custom:" + word
			}
		}
		words = append(words, word)
	}
	words = append(words, r.cites...)
	switch {
	case r.fault != nil:
		words = append(words, "fault: "+r.fault.Message)
	case r.ended:
		words = append(words, [...]string{"unknown", "end", "sequence", "tool", "length", "filter", "pause"}[r.stop.Reason])
	default:
		words = append(words, "no end")
	}
	return strings.Join(words, " | ")
}

// frames is a stream of these chunks. A chunk that begins with a choice's member is put into one.
func frames(chunks ...string) string {
	var b strings.Builder
	for _, c := range chunks {
		switch {
		case strings.HasPrefix(c, `{`), strings.HasPrefix(c, "["), c == "":
		default:
			c = `{"id":"up","model":"um","choices":[{"index":0,` + c + `}]}`
		}
		b.WriteString("data: " + c + "\n\n")
	}
	return b.String()
}

// says is a delta with text; stopped is the choice with a stop reason.
func says(text string) string { return `"delta":{"content":"` + text + `"}` }

func stopped(reason string) string { return `"delta":{},"finish_reason":"` + reason + `"` }

// calls is a delta with elements of tool_calls.
func calls(elements string) string { return `"delta":{"tool_calls":[` + elements + `]}` }

const end = "[DONE]"

// decodeStream feeds a stream to a decoder in pieces of n bytes.
func decodeStream(x *llm.Exchange, stream string, n int, out llm.Emitter) {
	var d Decoder
	d.Reset(x)
	var events sse.Reader
	var e sse.Event
	for rest := []byte(stream); len(rest) > 0; {
		piece := rest[:min(n, len(rest))]
		rest = rest[len(piece):]
		events.Feed(piece)
		for events.Next(&e) {
			d.Event(&e, out)
		}
	}
	if events.Rest(&e) {
		d.Event(&e, out)
	}
	if !d.Done() {
		d.End(false, out)
	}
	d.End(true, out) // has no effect any more
}

func TestDecodeStream(t *testing.T) {
	const named = `{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}`
	for _, c := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{"text", []string{`"delta":{"role":"assistant","content":""}`, says("Hel"), says(`lo\n`), stopped("stop"),
			end}, "Hello\n | end"},
		{"role only", []string{`"delta":{"role":"assistant"}`, stopped("stop"), end}, "end"},
		{"stop reason beside text", []string{`"delta":{"content":"a"},"finish_reason":"stop"`, end}, "a | end"},
		{"text behind the stop reason", []string{stopped("stop"), says("a"), end}, "a | end"},
		{"no terminal event, but a stop reason", []string{says("a"), stopped("stop")}, "a | end"},
		{"terminal event, but no stop reason (E 78)", []string{says("a"), end}, "a | end"},
		{"call, terminal event, but no stop reason", []string{calls(named), end}, "c1=f | tool"},
		{"cut in text (C.7)", []string{says("a")}, "a | fault: upstream closed the stream"},
		{"cut in arguments (C.7)", []string{calls(named), calls(`{"index":0,"function":{"arguments":"{\"a"}}`)},
			`c1=f{"a | fault: upstream closed the stream`},
		{"nothing at all", nil, "fault: upstream closed the stream"},
		{"nothing but the terminal event", []string{end}, "fault: upstream sent an empty answer"},
		{"nothing but a role", []string{`"delta":{"role":"assistant"}`, end}, "fault: upstream sent an empty answer"},
		{"what comes behind the end", []string{says("a"), stopped("stop"), end, says("b"), end}, "a | end"},
		{"error object", []string{says("a"), `{"error":{"message":"boom","type":"server_error","code":500}}`,
			says("b"), end}, "a | fault: boom"},
		{"error text", []string{`{"error":"boom"}`}, "fault: boom"},
		{"null error (A.10)", []string{`{"error":null,"choices":[{"index":0,"delta":{"content":"a"},` +
			`"finish_reason":"stop"}]}`, end}, "a | end"},
		{"stop reason error", []string{says("a"), stopped("error"), end},
			"a | fault: upstream ended the answer with an error"},
		{"junk in between", []string{says("a"), `{"choices":[`, `[1]`, ``, says("b"), stopped("stop"), end}, "ab | end"},
		{"reasoning, then text (E 51)", []string{`"delta":{"reasoning_content":"t1"}`,
			`"delta":{"reasoning_content":"t2","content":null}`, says("a"), stopped("stop"), end},
			"thought:t1t2 | a | end"},
		{"reasoning under two names at once", []string{`"delta":{"reasoning":"t","reasoning_content":"t",` +
			`"reasoning_details":[{"type":"reasoning.text","text":"t"}]}`, stopped("length"), end},
			"thought:t | length"},
		{"reasoning", []string{`"delta":{"reasoning":"t"}`, says("a"), stopped("stop"), end}, "thought:t | a | end"},
		{"reasoning_details", []string{`"delta":{"reasoning_details":[{"type":"reasoning.text","text":"t"},` +
			`{"type":"reasoning.summary","summary":"s"}]}`, says("a"), stopped("stop"), end},
			"thought:ts | a | end"},
		{"interleaved reasoning keeps its order (E 50)", []string{`"delta":{"reasoning_content":"1"}`, says("a"),
			`"delta":{"reasoning_content":"2"}`, says("b"), stopped("stop"), end},
			"thought:1 | a | thought:2 | b | end"},
		{"parts", []string{`"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},` +
			`{"type":"thinking","thinking":"u"},{"type":"text","text":"a"}]}`, stopped("stop"), end},
			"thought:tu | a | end"},
		{"refusal", []string{says("a"), `"delta":{"refusal":"no"}`, stopped("stop"), end}, "a | refusal:no | end"},
		{"one call", []string{calls(named), calls(`{"index":0,"function":{"arguments":"{\"a\""}}`),
			calls(`{"index":0,"function":{"arguments":":1}"}}`), stopped("tool_calls"), end},
			`c1=f{"a":1} | tool`},
		{"text before a call", []string{says("a"), calls(named), stopped("tool_calls"), end}, "a | c1=f | tool"},
		{"parallel calls, interleaved (F 130)", []string{calls(named +
			`,{"index":1,"id":"c2","function":{"name":"g","arguments":""}}`),
			calls(`{"index":0,"function":{"arguments":"{\"a\":"}}`),
			calls(`{"index":1,"function":{"arguments":"{\"b\":"}}`),
			calls(`{"index":0,"function":{"arguments":"1}"}}`), calls(`{"index":1,"function":{"arguments":"2}"}}`),
			stopped("tool_calls"), end},
			`c1=f{"a":1} | c2=g{"b":2} | tool`},
		{"late id and name (F 131)", []string{calls(`{"index":0,"function":{"arguments":"{\"a\":"}}`),
			calls(`{"index":0,"id":"c1"}`),
			calls(`{"index":0,"function":{"name":"f","arguments":"1}"}}`), stopped("tool_calls"), end},
			`c1=f{"a":1} | tool`},
		{"name repeated on every delta (E 6)", []string{calls(named),
			calls(`{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}`),
			calls(`{"index":0,"id":"","function":{"name":"","arguments":""}}`), stopped("tool_calls"), end},
			`c1=f{} | tool`},
		{"all with index 0 (E 2)", []string{calls(`{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}}`),
			calls(`{"index":0,"id":"c2","function":{"name":"g","arguments":"{\"a\":1}"}}`),
			stopped("tool_calls"), end}, `c1=f{} | c2=g{"a":1} | tool`},
		{"no index (E 4)", []string{calls(`{"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}`),
			calls(`{"index":null,"function":{"arguments":"1}"}}`),
			calls(`{"id":"c2","function":{"name":"g","arguments":"{"}}`),
			calls(`{"id":"c1","function":{"arguments":" "}}`), calls(`{"id":"c2","function":{"arguments":"}"}}`),
			stopped("tool_calls"), end},
			`c1=f{"a":1} | c2=g{} | tool`},
		{"neither index nor id", []string{calls(`{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f",` +
			`"arguments":"{\"a\":1}"}}`), calls(`{"function":{"name":"g","arguments":"{}"}}`),
			stopped("tool_calls"), end}, `ID0=f{} | ID1=f{"a":1} | ID2=g{} | tool`},
		{"an id that never comes", []string{calls(`{"index":0,"function":{"name":"f"}}`), stopped("tool_calls"), end},
			`ID0=f | tool`},
		{"an id used twice", []string{calls(`{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}`),
			calls(`{"index":1,"id":"x","function":{"name":"g","arguments":"{}"}}`), stopped("tool_calls"), end},
			`x=f{} | ID1=g{} | tool`},
		{"a name that never comes", []string{says("a"), calls(`{"index":0,"id":"c1","function":{"arguments":"{}"}}`),
			stopped("tool_calls"), end}, "a | end"},
		{"a name that never comes, and nothing else",
			[]string{calls(`{"index":0,"id":"c1","function":{"arguments":"{}"}}`), stopped("tool_calls"), end},
			"fault: upstream sent a tool call without a name"},
		{"arguments that are an object", []string{calls(`{"index":0,"id":"c1","function":{"name":"f",` +
			`"arguments":{"a":[1, 2]}}}`), stopped("tool_calls"), end}, `c1=f{"a":[1, 2]} | tool`},
		{"an empty object before the arguments", []string{calls(`{"index":0,"id":"c1","function":{"name":"f",` +
			`"arguments":"{}"}}`), calls(`{"index":0,"function":{"arguments":"{\"a\":1}"}}`), stopped("tool_calls"), end},
			`c1=f{"a":1} | tool`},
		{"the deprecated form", []string{`"delta":{"function_call":{"name":"f","arguments":"{\"a\":"}}`,
			`"delta":{"function_call":{"arguments":"1}"}}`, stopped("function_call"), end},
			`ID0=f{"a":1} | tool`},
		{"custom call", []string{calls(`{"index":0,"id":"c1","type":"custom","custom":{"name":"p","input":"a"}}`),
			calls(`{"index":0,"custom":{"input":"\nb"}}`), stopped("tool_calls"), end},
			"custom:c1=p" + "a\nb | tool"},
		{"custom call in a function (F 162)", []string{calls(`{"index":0,"id":"c1","function":{"name":"wire",` +
			`"arguments":"{\"inp"}}`), calls(`{"index":0,"function":{"arguments":"ut\": \"x\\n\\u00"}}`),
			calls(`{"index":0,"function":{"arguments":"e9\\ud83d"}}`),
			calls(`{"index":0,"function":{"arguments":"\\ude00\\\"\"}"}}`), stopped("tool_calls"), end},
			"custom:c1=patchx\né😀\" | tool"},
		{"custom call of another form", []string{calls(`{"index":0,"id":"c1","function":{"name":"wire",` +
			`"arguments":"{\"x\":"}}`), calls(`{"index":0,"function":{"arguments":"1}"}}`), stopped("tool_calls"), end},
			`custom:c1=patch{"x":1} | tool`},
		{"renamed tool", []string{calls(`{"index":0,"id":"c1","function":{"name":"short","arguments":"{}"}}`),
			stopped("tool_calls"), end}, `c1=long.name{} | tool`},
		{"calls, but stop reason stop (E 76)", []string{calls(named), stopped("stop"), end}, "c1=f | tool"},
		{"stop reason tool_calls, but no calls", []string{says("a"), stopped("tool_calls"), end}, "a | end"},
		{"length in the middle of a call (E 21)", []string{calls(named),
			calls(`{"index":0,"function":{"arguments":"{\"a"}}`), stopped("length"), end}, `c1=f{"a | length`},
		{"filter", []string{stopped("content_filter"), end}, "filter"},
		{"words of other providers", []string{says("a"), stopped("max_tokens"), end}, "a | length"},
		{"unknown words", []string{says("a"), stopped("whatever"), end}, "a | end"},
		{"other choices are left out", []string{says("a"), `{"choices":[{"index":1,"delta":{"content":"b"}}]}`,
			stopped("stop"), `{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}`, end}, "a | end"},
		{"sources", []string{says("a"), `"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"u",` +
			`"title":"t","start_index":0,"end_index":1}}]}`, stopped("stop"), end}, "a | u/t | end"},
		{"Perplexity's sources, once", []string{`{"citations":["u","v"],"choices":[{"delta":{"content":"a"}}]}`,
			`{"citations":["u","v"],"choices":[{"delta":{"content":"b"}}]}`, stopped("stop"), end},
			"ab | u/ | v/ | end"},
		{"an emoji cut in two escapes (F 166)", []string{says(`a\ud83d`), says(`\ude00b`), stopped("stop"), end},
			"a😀b | end"},
		{"an emoji cut in two pieces of bytes", []string{says("a\xf0\x9f"), says("\x98\x80b"), stopped("stop"), end},
			"a😀b | end"},
		{"half an emoji", []string{says(`a\ud83d`), stopped("stop"), end}, "a\ufffd | end"},
		{"a backslash before what looks like an escape", []string{says(`a\\ud83d`), says(`b`), stopped("stop"), end},
			`a\ud83db | end`},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := frames(c.chunks...)
			want := c.want
			for i := range 3 {
				want = strings.ReplaceAll(want, fmt.Sprintf("ID%d", i), string(appendID(nil, "call_", "answer", i)))
			}
			for _, n := range []int{len(stream) + 1, 1, 7} {
				x := exchange(request(llm.Messages), "m")
				x.Names.Add("wire", llm.ToolName{Kind: llm.CustomTool, Name: "patch"})
				x.Names.Add("short", llm.ToolName{Name: "long.name"})
				var r recorder
				decodeStream(x, stream, n, &r)
				if r.broken != "" {
					t.Errorf("in pieces of %d: %s", n, r.broken)
				}
				if got := r.String(); got != want {
					t.Errorf("in pieces of %d:\ngot  %s\nwant %s", n, got, want)
				}
			}
		})
	}
}

func TestDecodeThinkTags(t *testing.T) {
	for _, c := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{"tags", []string{says(`\n<think>a`), says(`b</think>\n\nc`), says("d"), stopped("stop"), end},
			"thought:ab | cd | end"},
		{"tags cut anywhere", []string{says(`<th`), says(`ink>a</th`), says(`ink>`), says(`b`), stopped("stop"), end},
			"thought:a | b | end"},
		{"what looks like the end of a tag", []string{says(`<think>a</th`), says(`is</think>b`), stopped("stop"),
			end}, "thought:a</this | b | end"},
		{"no tags", []string{says(`<b>`), says(`a`), stopped("stop"), end}, "<b>a | end"},
		{"a tag in the middle is text", []string{says(`a<think>`), stopped("stop"), end}, "a<think> | end"},
		{"a tag without its end", []string{says(`<think>a</`), stopped("length"), end}, "thought:a</ | length"},
		{"an answer that is the beginning of a tag", []string{says(`<thi`), stopped("stop"), end}, "<thi | end"},
		{"nothing between the tags", []string{says(`<think></think>`), says("a"), stopped("stop"), end}, "a | end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange(request(llm.Messages), "m")
			x.Options.ThinkTags = true
			var r recorder
			decodeStream(x, frames(c.chunks...), 1<<20, &r)
			if got := r.String(); got != c.want || r.broken != "" {
				t.Errorf("got  %s\nwant %s %s", got, c.want, r.broken)
			}
		})
	}
}

func TestDecodeLenientEnd(t *testing.T) {
	const open = `{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a\""}}`
	for _, c := range []struct {
		name  string
		chunk string
		cut   bool
		want  string
	}{
		{"text", says("a"), false, "a | end"},
		{"text, connection broken", says("a"), true, "a | fault: the connection to the upstream broke"},
		{"in a call", calls(open), false, `c1=f{"a" | fault: upstream closed the stream`},
		{"nothing", `"delta":{}`, false, "fault: upstream closed the stream"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange(request(llm.Messages), "m")
			x.Options.LenientEOF = true
			var d Decoder
			var r recorder
			d.Reset(x)
			decodeEvents(&d, frames(c.chunk), &r)
			d.End(c.cut, &r)
			if got := r.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// decodeEvents feeds the events of a stream to a decoder.
func decodeEvents(d *Decoder, stream string, out llm.Emitter) {
	var events sse.Reader
	var e sse.Event
	events.Feed([]byte(stream))
	for events.Next(&e) {
		d.Event(&e, out)
	}
}

// eventOf returns the first event of a stream.
func eventOf(stream string) *sse.Event {
	var events sse.Reader
	e := new(sse.Event)
	events.Feed([]byte(stream))
	events.Next(e)
	return e
}

func TestDecodeUsage(t *testing.T) {
	for _, c := range []struct {
		name   string
		chunks []string
		want   llm.Usage
	}{
		{"beside the stop reason and behind it (E 66)", []string{
			`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,` +
				`"completion_tokens":5,"total_tokens":15}}`,
			`{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,` +
				`"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},` +
				`"completion_tokens_details":{"reasoning_tokens":2}}}`, end},
			llm.Usage{Input: 5, CacheRead: 4, CacheWrite5m: 1, Output: 5, Reasoning: 2, Knowledge: llm.Reported}},
		{"early only", []string{`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":10,` +
			`"completion_tokens":5}}`, stopped("stop"), end},
			llm.Usage{Input: 10, Output: 5, Knowledge: llm.Reported}},
		{"Groq's", []string{`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],` +
			`"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":1}}}`, end},
			llm.Usage{Input: 3, Output: 1, Knowledge: llm.Reported}},
		{"none (F 137)", []string{says("a"), stopped("stop"), end}, llm.Usage{}},
		{"a prompt that excludes the caches (F 124)",
			[]string{`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,` +
				`"completion_tokens":1,"cache_read_input_tokens":50}}`, end},
			llm.Usage{Input: 3, CacheRead: 50, Output: 1, Knowledge: llm.Reported}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r recorder
			decodeStream(exchange(request(llm.Messages), "m"), frames(c.chunks...), 1<<20, &r)
			if r.usage != c.want {
				t.Errorf("got  %+v\nwant %+v", r.usage, c.want)
			}
		})
	}
}

func TestDecodeStartTellsOfTheUpstream(t *testing.T) {
	var d Decoder
	d.Reset(exchange(request(llm.Messages), "m"))
	var got llm.Event
	decodeEvents(&d, frames(`{"id":"up","model":"um","service_tier":"flex","choices":[]}`),
		emitterFunc(func(e *llm.Event) { got = *e }))
	if got.Kind != llm.EventStart || got.ID != "up" || got.Model != "um" || got.ServiceTier != "flex" {
		t.Errorf("got %+v", got)
	}
}

type emitterFunc func(*llm.Event)

func (f emitterFunc) Emit(e *llm.Event) { f(e) }

func TestDecodePrewarmLeavesOutWhatWasGenerated(t *testing.T) {
	r := request(llm.Messages)
	r.Cache.Prewarm = true
	var rec recorder
	decodeStream(exchange(r, "m"), frames(says("a"), stopped("length"),
		`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1}}`, end), 1<<20, &rec)
	if got := rec.String(); got != "length" || rec.usage.Input != 9 {
		t.Errorf("got %s %+v", got, rec.usage)
	}
}

func TestDecodeLogprobs(t *testing.T) {
	var got []string
	decodeStream(exchange(request(llm.Responses), "m"),
		frames(`"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}],"refusal":null}`, says("b"),
			stopped("stop"), end), 1<<20,
		emitterFunc(func(e *llm.Event) {
			if e.Kind == llm.EventDelta {
				got = append(got, string(e.Text)+string(e.Logprobs))
			}
		}))
	if s := strings.Join(got, " "); s != `a[{"token":"a"}] b` {
		t.Errorf("got %s", s)
	}
}

func TestDecodeClosesACompleteCallWhenTheNextBegins(t *testing.T) {
	var steps []string
	decodeStream(exchange(request(llm.Messages), "m"), frames(
		calls(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\"}\\\"\"}"}}`),
		calls(`{"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\":"}}`),
		calls(`{"index":2,"id":"c","function":{"name":"h","arguments":"{}"}}`),
		calls(`{"index":1,"function":{"arguments":"1}"}}`), end), 1<<20,
		emitterFunc(func(e *llm.Event) {
			switch e.Kind {
			case llm.EventOpen:
				steps = append(steps, fmt.Sprintf("open %d", e.Index))
			case llm.EventClose:
				steps = append(steps, fmt.Sprintf("close %d", e.Index))
			}
		}))
	if got, want := strings.Join(steps, ", "), "open 0, close 0, open 1, open 2, close 1, close 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecodeIsBounded(t *testing.T) {
	var many strings.Builder
	for i := range maxCalls + 1 {
		many.WriteString("data: " + `{"choices":[{"delta":{` +
			calls(fmt.Sprintf(`{"index":%d,"id":"c%d","function":{"name":"f"}}`, i, i))[9:] + `}]}` + "\n\n")
	}
	var r recorder
	decodeStream(exchange(request(llm.Messages), "m"), many.String(), 1<<20, &r)
	if r.fault == nil || !strings.Contains(r.fault.Message, "too many") || r.broken != "" {
		t.Errorf("many calls: got %v %s", r.fault, r.broken)
	}
	piece := frames(calls(`{"index":0,"id":"c","function":{"arguments":"` + strings.Repeat("a", 8<<20) + `"}}`))
	r = recorder{}
	decodeStream(exchange(request(llm.Messages), "m"), strings.Repeat(piece, 5), 1<<30, &r)
	if r.fault == nil || !strings.Contains(r.fault.Message, "without a name") {
		t.Errorf("endless arguments: got %v", r.fault)
	}
}

func TestDecodeFaultKeepsTheUpstreamsWords(t *testing.T) {
	var r recorder
	decodeStream(exchange(request(llm.Messages), "m"),
		"event: error\ndata: {\"error\":{\"message\":\"slow\",\"type\":\"t\",\"code\":\"c\",\"param\":\"p\"}}\n\n",
		1<<20, &r)
	if f := r.fault; f == nil || f.Kind != llm.Upstream || f.Message != "slow" || f.Type != "t" || f.Code != "c" ||
		f.Param != "p" {
		t.Errorf("got %+v", r.fault)
	}
}

func TestDecodeAnswer(t *testing.T) {
	whole := func(message, finish string) string {
		return `{"id":"up","model":"um","choices":[{"index":0,"message":` + message + `,"finish_reason":` + finish +
			`}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`
	}
	for _, c := range []struct{ name, body, want string }{
		{"text", whole(`{"role":"assistant","content":"a","refusal":null}`, `"stop"`), "a | end"},
		{"everything", whole(`{"content":"a","reasoning_content":"t","refusal":"no",`+
			`"annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t"}}],`+
			`"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2",`+
			`"function":{"name":"g","arguments":""}}]}`, `"tool_calls"`),
			`thought:t | a | refusal:no | c1=f{"a":1} | c2=g | u/t | tool`},
		{"calls with the same id and index", whole(`{"content":null,"tool_calls":[{"index":0,"id":"x",`+
			`"function":{"name":"f","arguments":"{}"}},{"index":0,"id":"x","function":{"name":"g",`+
			`"arguments":"{}"}}]}`, `"stop"`),
			`x=f{} | ID1=g{} | tool`},
		{"the deprecated form", whole(`{"content":null,"function_call":{"name":"f","arguments":"{}"}}`,
			`"function_call"`), `ID0=f{} | tool`},
		{"nothing", whole(`{"content":null}`, `"content_filter"`), "filter"},
		{"no stop reason", whole(`{"content":"a"}`, `null`), "a | end"},
		{"error", `{"error":{"message":"boom"}}`, "fault: boom"},
		{"no choices", `{"choices":[]}`, "fault: upstream sent an answer that can't be read"},
		{"no message", `{"choices":[{"index":0,"finish_reason":"stop"}]}`,
			"fault: upstream sent an answer that can't be read"},
		{"no JSON", `<html>`, "fault: upstream sent an answer that can't be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			var r recorder
			d.Reset(exchange(request(llm.Messages), "m"))
			d.Answer([]byte(c.body), &r)
			want := c.want
			for i := range 2 {
				want = strings.ReplaceAll(want, fmt.Sprintf("ID%d", i), string(appendID(nil, "call_", "answer", i)))
			}
			if got := r.String(); got != want || r.broken != "" || !d.Done() {
				t.Errorf("got  %s\nwant %s %s", got, want, r.broken)
			}
		})
	}
}

func TestDecoderIsReusable(t *testing.T) {
	x := exchange(request(llm.Messages), "m")
	var d Decoder
	for range 2 {
		var r recorder
		d.Reset(x)
		decodeEvents(&d, frames(says("a"), calls(`{"index":0,"id":"c","function":{"name":"f",`+
			`"arguments":"{\"a\":1}"}}`), stopped("stop"), end), &r)
		if got := r.String(); got != `a | c=f{"a":1} | tool` || r.broken != "" {
			t.Errorf("got %s %s", got, r.broken)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte(frames(says("a"), calls(`{"index":0,"id":"c","function":{"name":"wire",`+
		`"arguments":"{\"input\":\"x\"}"}}`), stopped("stop"), end)), false, uint8(3))
	f.Add([]byte(frames(says(`<think>a</think>b`), `"delta":{"reasoning_content":"\ud83d"}`, `{"error":"x"}`)), true,
		uint8(1))
	f.Add([]byte(`{"choices":[{"message":{"content":[{"type":"text","text":"a"}],`+
		`"tool_calls":[{"function":{"name":"f","arguments":{}}}]}}]}`), false, uint8(9))
	f.Fuzz(func(t *testing.T, stream []byte, lenient bool, n uint8) {
		x := exchange(request(llm.Chat), "m")
		x.Request.IncludeUsage = true
		x.Options.ThinkTags, x.Options.LenientEOF = lenient, lenient
		x.Names.Add("wire", llm.ToolName{Kind: llm.CustomTool, Name: "p"})
		var r recorder
		decodeStream(x, string(stream), int(n)+1, &r)
		if r.broken != "" || !r.ended {
			t.Fatalf("stream: %s (ended: %v)", r.broken, r.ended)
		}
		var w StreamWriter
		w.Reset(x)
		decodeStream(x, string(stream), int(n)+1, &w)
		if fault := illegal(w.Take(nil), true); fault != "" {
			t.Fatalf("illegal stream: %s", fault)
		}
		var d Decoder
		d.Reset(x)
		r = recorder{}
		d.Answer(bytes.Clone(stream), &r)
		if r.broken != "" || !r.ended {
			t.Fatalf("answer: %s (ended: %v)", r.broken, r.ended)
		}
	})
}
