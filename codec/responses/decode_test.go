package responses

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// recorder writes the steps of an answer down and checks their order.
type recorder struct {
	log    strings.Builder
	faults []string

	kinds          []llm.ItemKind
	open           map[int]bool
	started, ended bool
	terminals      int
	deltas         int
	usage          llm.Usage
	err            *llm.Error
}

func (r *recorder) fault(format string, values ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, values...))
}

func (r *recorder) Emit(e *llm.Event) {
	if r.open == nil {
		r.open = make(map[int]bool)
	}
	if r.ended {
		r.fault("a step behind the end: %d", e.Kind)
	}
	if !r.started && e.Kind != llm.EventStart && e.Kind != llm.EventFault {
		r.fault("step %d before the start", e.Kind)
	}
	switch e.Kind {
	case llm.EventOpen, llm.EventDelta, llm.EventCite, llm.EventClose:
		if e.Kind != llm.EventOpen && !r.open[e.Index] {
			r.fault("step %d of item %d, which is not open", e.Kind, e.Index)
		}
	}
	switch e.Kind {
	case llm.EventStart:
		if r.started {
			r.fault("a second start")
		}
		r.started = true
		fmt.Fprintf(&r.log, "start(%s %s)", e.ID, e.Model)
	case llm.EventOpen:
		if e.Index != len(r.kinds) {
			r.fault("item %d is opened as number %d", e.Index, len(r.kinds))
		}
		r.kinds = append(r.kinds, e.Item.Kind)
		r.open[e.Index] = true
		fmt.Fprintf(&r.log, " open%d:%s", e.Index, describeItem(e.Item))
	case llm.EventDelta:
		r.deltas++
		if len(e.Text) == 0 {
			r.fault("an empty delta")
		}
		fmt.Fprintf(&r.log, " %d+%s", e.Index, e.Text)
		if e.Logprobs != nil {
			fmt.Fprintf(&r.log, "%s", e.Logprobs)
		}
	case llm.EventCite:
		fmt.Fprintf(&r.log, " %d^%s[%d,%d]", e.Index, e.Citation.URL, e.Citation.Start, e.Citation.End)
	case llm.EventClose:
		delete(r.open, e.Index)
		fmt.Fprintf(&r.log, " close%d", e.Index)
		if len(e.Item.Seal) > 0 {
			fmt.Fprintf(&r.log, "(seal=%s)", e.Item.Seal)
		}
	case llm.EventStop:
		if len(r.open) > 0 {
			r.fault("items are open at the stop: %v", r.open)
		}
		r.ended, r.usage = true, *e.Usage
		r.terminals++
		fmt.Fprintf(&r.log, " stop(%s)", [...]string{"?", "end", "sequence", "tool", "length", "filter", "pause"}[e.Stop.Reason])
	case llm.EventFault:
		r.ended, r.usage, r.err = true, *e.Usage, e.Err
		r.terminals++
		fmt.Fprintf(&r.log, " fault(%d %s: %s)", e.Err.Kind, e.Err.Code, e.Err.Message)
	}
}

// wire makes a stream of the data of its events.
func wire(events ...string) string {
	var b strings.Builder
	for _, data := range events {
		b.WriteString("data: " + data + "\n\n")
	}
	return b.String()
}

// decode runs a stream through a decoder, size bytes at a time.
func decode(x *llm.Exchange, stream string, size int) *recorder {
	rec := new(recorder)
	var d Decoder
	d.Reset(x)
	feed(&d, stream, size, rec)
	if !d.Done() {
		rec.fault("not done")
	}
	return rec
}

// feed runs a stream to its end.
func feed(d *Decoder, stream string, size int, out llm.Emitter) {
	var r sse.Reader
	var e sse.Event
	for len(stream) > 0 {
		n := min(size, len(stream))
		r.Feed([]byte(stream[:n]))
		stream = stream[n:]
		for r.Next(&e) {
			d.Event(&e, out)
		}
	}
	d.End(false, out)
}

// reply returns an exchange for the answer of a Responses upstream to a client of another protocol.
func reply(client llm.Protocol) *llm.Exchange {
	options := llm.DefaultOptions()
	return &llm.Exchange{
		Request: &llm.Request{Protocol: client}, Target: llm.Responses, Options: &options, Warnings: new(llm.Warnings),
		Sealer: sealer{}, AnswerID: "seed", Created: 1700000000,
	}
}

const (
	created   = `{"type":"response.created","response":{"id":"resp_1","model":"up","status":"in_progress","output":[]}}`
	completed = `{"type":"response.completed","response":{"id":"resp_1","model":"up","status":"completed","output":[],"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2}}}}`
)

// streams are recorded streams, trimmed, with the steps that come of them.
var streams = []struct{ name, stream, want string }{
	{"text", wire(created, `{"type":"response.in_progress","response":{}}`,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","content":[]}}`,
		`{"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}`,
		`{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hé","logprobs":[]}`,
		`{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"\u006c\"o","logprobs":[{"token":"x"}]}`,
		`{"type":"response.output_text.annotation.added","item_id":"msg_1","output_index":0,"content_index":0,"annotation":{"type":"url_citation","url":"http://u","start_index":0,"end_index":2}}`,
		`{"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"Hél\"o"}`,
		`{"type":"response.content_part.done","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hél\"o","annotations":[{"type":"url_citation","url":"http://u"}]}}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Hél\"o"}]}}`,
		completed, `[DONE]`),
		`start(resp_1 up) open0:text(id=msg_1) 0+Hé 0+l"o[{"token":"x"}] 0^http://u[0,2] close0 stop(end)`},
	{"am←rs/summary_parts: one thought, its seal from done only", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"part"}}`,
		`{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0}`,
		`{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"a"}`,
		`{"type":"response.reasoning_summary_text.done","item_id":"rs_1","output_index":0,"summary_index":0,"text":"a"}`,
		`{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":1}`,
		`{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":1,"delta":"b"}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"bc"}],"encrypted_content":"whole"}}`,
		completed),
		"start(resp_1 up) open0:thought(id=rs_1 summary) 0+a 0+\n\n 0+b 0+c close0(seal=whole) stop(end)"},
	{"reasoning without a word, sealed or not", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}`,
		`{"type":"response.output_item.added","output_index":1,"item":{"id":"rs_2","type":"reasoning","summary":[]}}`,
		`{"type":"response.output_item.done","output_index":1,"item":{"id":"rs_2","type":"reasoning","summary":[],"encrypted_content":"E"}}`,
		completed), "start(resp_1 up) open0:thought(id=rs_2 summary) close0(seal=E) stop(end)"},
	{"reasoning told in full", wire(created,
		`{"type":"response.reasoning_text.delta","item_id":"rs_1","output_index":0,"content_index":0,"delta":"full"}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"text":"short"}],"content":[{"type":"reasoning_text","text":"full"}]}}`,
		completed), "start(resp_1 up) open0:thought(id=rs_1) 0+full close0 stop(end)"},
	{"am←rs/args_done_only", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":""}}`,
		`{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"a\":1}"}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}}`,
		completed), `start(resp_1 up) open0:call(id=fc_1 call=c name=f) 0+{"a":1} close0 stop(tool)`},
	{"cc←rs/by_item_id: interleaved calls without output_index", wire(created,
		`{"type":"response.output_item.added","item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f"}}`,
		`{"type":"response.output_item.added","item":{"id":"fc_2","type":"function_call","call_id":"c2","name":"g"}}`,
		`{"type":"response.function_call_arguments.delta","item_id":"fc_1","delta":"{"}`,
		`{"type":"response.function_call_arguments.delta","item_id":"fc_2","delta":"["}`,
		`{"type":"response.function_call_arguments.delta","call_id":"c1","delta":"}"}`,
		`{"type":"response.output_item.done","item":{"id":"fc_2","type":"function_call","call_id":"c2","name":"g","arguments":"[]"}}`,
		`{"type":"response.output_item.done","item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":"{}"}}`,
		completed), "start(resp_1 up) open0:call(id=fc_1 call=c1 name=f) open1:call(id=fc_2 call=c2 name=g) 0+{ 1+[ 0+} 1+] close1 close0 stop(tool)"},
	{"arguments before the item (E row 16), a name that comes last", wire(created,
		`{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"a\""}`,
		`{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"a\":1}"}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}}`,
		completed), `start(resp_1 up) open0:call(id=fc_1 call=c name=f) 0+{"a":1} close0 stop(tool)`},
	{"text and calls both stay (E row 16)", wire(created,
		`{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"t"}`,
		`{"type":"response.output_item.added","output_index":1,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f"}}`,
		completed), "start(resp_1 up) open0:text(id=m) 0+t open1:call(id=fc_1 call=c name=f) close0 close1 stop(tool)"},
	{"am←rs/hydrate: what only the last event has", wire(created,
		`{"type":"response.completed","response":{"status":"completed","output":[{"id":"rs_1","type":"reasoning","summary":[{"text":"r"}]},{"id":"m","type":"message","content":[{"type":"output_text","text":"t","annotations":[{"type":"url_citation","url":"http://u"}]},{"type":"refusal","refusal":"no"}]},{"id":"fc","type":"function_call","call_id":"c","name":"f","arguments":""},{"id":"ct","type":"custom_tool_call","call_id":"d","name":"g","input":"in"}]}}`),
		"start(resp_1 up) open0:thought(id=rs_1 summary) 0+r close0 open1:text(id=m) 1+t 1^http://u[0,0] close1 open2:refusal(id=m) 2+no close2 open3:call(id=fc call=c name=f) close3 open4:call(id=ct call=d name=g custom) 4+in close4 stop(tool)"},
	{"half of it came before", wire(created,
		`{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"one "}`,
		`{"type":"response.completed","response":{"output":[{"id":"m","type":"message","content":[{"type":"output_text","text":"one two"}]}]}}`),
		"start(resp_1 up) open0:text(id=m) 0+one  0+two close0 stop(end)"},
	{"a final text that differs is ignored", wire(created,
		`{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"one"}`,
		`{"type":"response.output_text.done","item_id":"m","output_index":0,"text":"two and more"}`, completed),
		"start(resp_1 up) open0:text(id=m) 0+one close0 stop(end)"},
	{"a custom tool", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"ctc_1","type":"custom_tool_call","call_id":"c","name":"p","input":""}}`,
		`{"type":"response.custom_tool_call_input.delta","item_id":"ctc_1","output_index":0,"delta":"a\nb"}`,
		`{"type":"response.custom_tool_call_input.done","item_id":"ctc_1","output_index":0,"input":"a\nb!"}`, completed),
		"start(resp_1 up) open0:call(id=ctc_1 call=c name=p custom) 0+a\nb 0+! close0 stop(tool)"},
	{"a web search", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"ws_1","type":"web_search_call","status":"in_progress"}}`,
		`{"type":"response.web_search_call.searching","output_index":0,"item_id":"ws_1"}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"ws_1","type":"web_search_call","action":{"type":"search","query":"q","sources":[{"type":"url","url":"http://u"}]}}}`, completed),
		`start(resp_1 up) open0:hosted(id=ws_1 name=web_search args={"query":"q"} cites=http://u) close0 stop(end)`},
	{"hosted tools that nobody else knows leave no gap (E row 9)", wire(created,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"x","type":"file_search_call"}}`,
		`{"type":"response.output_text.delta","item_id":"m","output_index":1,"delta":"t"}`, completed),
		"start(resp_1 up) open0:text(id=m) 0+t close0 stop(end)"},
	{"am←rs/incomplete: cut at the limit, a call stays cut (E rows 21, 74)", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f"}}`,
		`{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"a"}`,
		`{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}}`),
		`start(resp_1 up) open0:call(id=fc_1 call=c name=f) 0+{"a close0 stop(length)`},
	{"filtered", wire(created, `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}`),
		"start(resp_1 up) stop(filter)"},
	{"steered", wire(created, `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"steered"}}}`),
		"start(resp_1 up) stop(end)"},
	{"a legal empty answer", wire(created, completed), "start(resp_1 up) stop(end)"},
	{"refused", wire(created, `{"type":"response.refusal.delta","item_id":"m","output_index":0,"delta":"no"}`, completed),
		"start(resp_1 up) open0:refusal(id=m) 0+no close0 stop(end)"},
	{"am←rs/failed", wire(created, `{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"Please try again in 1.5s."}}}`),
		"start(resp_1 up) fault(13 rate_limit_exceeded: Please try again in 1.5s.)"},
	{"an error event", wire(created, `{"type":"error","code":"server_error","message":"boom"}`), "start(resp_1 up) fault(14 server_error: boom)"},
	{"an error in an object", wire(created, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`), "start(resp_1 up) fault(16 : busy)"},
	{"an error without a type (E row 88)", wire(`{"error":{"code":"","message":""}}`), " fault(14 : the upstream failed)"},
	{"an error that is a text", wire(`{"error":"no luck"}`), " fault(14 : no luck)"},
	{"cancelled", wire(created, `{"type":"response.cancelled","response":{"status":"cancelled"}}`), "start(resp_1 up) fault(14 : the upstream cancelled the response)"},
	{"no end (E row 82)", wire(created, `{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"t"}`),
		"start(resp_1 up) open0:text(id=m) 0+t fault(14 : the upstream closed the stream before the answer was complete)"},
	{"nothing at all", "", " fault(14 : the upstream closed the stream before the answer was complete)"},
	{"what comes behind the end is ignored", wire(created, completed, created, `{"type":"response.output_text.delta","delta":"t"}`, completed),
		"start(resp_1 up) stop(end)"},
	{"a second start and unknown events are ignored", wire(created, created, `{"type":"response.hologram"}`, `{"type":"keepalive"}`, `{"x":1}`, `nonsense`, completed),
		"start(resp_1 up) stop(end)"},
	{"no start", wire(`{"type":"response.output_text.delta","delta":"t"}`, completed), "start( ) open0:text() 0+t close0 stop(end)"},
	{"a call whose name never comes", wire(created, `{"type":"response.function_call_arguments.delta","item_id":"x","delta":"{}"}`, completed),
		"start(resp_1 up) fault(14 : the upstream called a tool without saying which)"},
	{"a nameless call beside a text is dropped", wire(created, `{"type":"response.function_call_arguments.delta","item_id":"x","delta":"{}"}`,
		`{"type":"response.output_text.delta","item_id":"m","delta":"t"}`, completed), "start(resp_1 up) open0:text(id=m) 0+t close0 stop(end)"},
	{"several parts of one message", wire(created,
		`{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"a"}`,
		`{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":1,"delta":"b"}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"m","type":"message","content":[{"type":"output_text","text":"a"},{"type":"output_text","text":"b"},{"type":"output_text","text":""}]}}`,
		completed), "start(resp_1 up) open0:text(id=m) 0+a close0 open1:text(id=m) 1+b close1 stop(end)"},
	{"parts that are told by their last event only", wire(created,
		`{"type":"response.content_part.done","item_id":"m","output_index":0,"content_index":0,"part":{"type":"output_text","text":"t"}}`,
		`{"type":"response.content_part.done","item_id":"m","output_index":0,"content_index":1,"part":{"type":"refusal","refusal":"no"}}`,
		`{"type":"response.content_part.done","item_id":"rs","output_index":1,"content_index":0,"part":{"type":"reasoning_text","text":"r"}}`,
		`{"type":"response.refusal.done","item_id":"m2","output_index":2,"content_index":0,"refusal":"never"}`,
		`{"type":"response.reasoning_summary_text.done","item_id":"rs2","output_index":3,"summary_index":0,"text":"s"}`,
		`{"type":"response.reasoning_text.done","item_id":"rs3","output_index":4,"content_index":0,"text":"f"}`,
		`{"type":"response.custom_tool_call_input.done","item_id":"ct","output_index":5,"input":"i"}`,
		`{"type":"response.output_item.done","output_index":5,"item":{"id":"ct","type":"custom_tool_call","call_id":"c","name":"p","input":"i"}}`, completed),
		"start(resp_1 up) open0:text(id=m) 0+t close0 open1:refusal(id=m) 1+no close1 open2:thought(id=rs) 2+r open3:refusal(id=m2) 3+never" +
			" open4:thought(id=rs2 summary) 4+s open5:thought(id=rs3) 5+f open6:call(id=ct call=c name=p custom) 6+i close6 close2 close3 close4 close5 stop(tool)"},
	{"arguments as an object, and a name in the last event", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"fc","type":"function_call"}}`,
		`{"type":"response.function_call_arguments.delta","output_index":0,"delta":{"a":1}}`,
		`{"type":"response.function_call_arguments.done","output_index":0,"name":"f","arguments":{"a":1}}`, completed),
		`start(resp_1 up) open0:call(id=fc call=fc name=f) 0+{"a":1} close0 stop(tool)`},
	{"the name of the event is enough", "event: response.output_text.delta\ndata: {\"delta\":\"t\"}\n\nevent: response.completed\ndata: {\"response\":{}}\n\n",
		"start( ) open0:text() 0+t close0 stop(end)"},
	{"deltas that say nothing", wire(created, `{"type":"response.output_text.delta","delta":null}`, `{"type":"response.output_text.delta","delta":7}`,
		`{"type":"response.output_text.delta","delta":"\q"}`, `{"type":"response.output_text.delta","delta":""}`, completed), "start(resp_1 up) stop(end)"},
	{"an item that is added twice", wire(created,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"fc","type":"function_call","call_id":"c","name":"f"}}`,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"fc","type":"function_call","call_id":"c","name":"f"}}`,
		completed), "start(resp_1 up) open0:call(id=fc call=c name=f) close0 stop(tool)"},
	{"any/utf8_split: a character cut between two deltas", "data: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"a\xe2\x82\"}\n\n" +
		"data: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"\xacb\"}\n\n" + wire(completed),
		"start( ) open0:text(id=m) 0+a 0+€b close0 stop(end)"},
}

func TestDecodeStreams(t *testing.T) {
	for _, c := range streams {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1 << 20, 1} {
				rec := decode(reply(llm.Messages), c.stream, size)
				if got := rec.log.String(); got != c.want {
					t.Errorf("%d bytes at a time:\ngot  %s\nwant %s", size, got, c.want)
				}
				if len(rec.faults) > 0 {
					t.Errorf("%d bytes at a time: %v", size, rec.faults)
				}
			}
		})
	}
}

// TestDecodeCutStreams cuts every recorded stream behind each of its bytes: there is one end, and what came is in order.
func TestDecodeCutStreams(t *testing.T) {
	for _, c := range streams {
		for n := range c.stream {
			rec := decode(reply(llm.Chat), c.stream[:n], 64)
			if rec.terminals != 1 || len(rec.faults) > 0 {
				t.Fatalf("%s, cut behind %d bytes: %d ends, %v", c.name, n, rec.terminals, rec.faults)
			}
		}
	}
}

func TestDecodeWholeAnswers(t *testing.T) {
	f := func(name, body, want string) {
		t.Helper()
		var d Decoder
		d.Reset(reply(llm.Chat))
		rec := new(recorder)
		d.Answer([]byte(body), rec)
		d.Answer([]byte(body), rec)
		d.End(true, rec)
		if got := rec.log.String(); got != want || len(rec.faults) > 0 || !d.Done() {
			t.Errorf("%s:\ngot  %s %v\nwant %s", name, got, rec.faults, want)
		}
	}
	f("all kinds of items", `{"id":"resp_1","object":"response","model":"up","status":"completed","output":[{"id":"rs","type":"reasoning","summary":[],"encrypted_content":"E"},
		{"id":"m","type":"message","content":[{"type":"output_text","text":"t","logprobs":[{"token":"t"}]}]},{"id":"fc","type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}`,
		`start(resp_1 up) open0:thought(id=rs summary) close0(seal=E) open1:text(id=m) 1+t[{"token":"t"}] close1 open2:call(id=fc call=c name=f) 2+{} close2 stop(tool)`)
	f("reasoning that met the limit (E row 74)", `{"id":"r","model":"m","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"id":"rs","type":"reasoning","summary":[{"text":"x"}]}]}`,
		`start(r m) open0:thought(id=rs summary) 0+x close0 stop(length)`)
	f("failed", `{"id":"r","model":"m","status":"failed","error":{"code":"server_error","message":"x"},"output":[]}`, "start(r m) fault(14 server_error: x)")
	f("an error", `{"error":{"message":"x","type":"invalid_request_error","code":null}}`, " fault(1 : x)")
	f("something else", `<html>`, " fault(14 : the upstream's answer is no response)")
	f("not ready", `{"id":"r","status":"queued","output":[]}`, "start(r ) fault(14 : the upstream ended before the response was complete)")
}

func TestDecodeKeepsItsOwnItems(t *testing.T) {
	rec := decode(reply(llm.Responses), wire(created, `{"type":"response.output_item.done","output_index":0,"item":{"id":"x","type":"file_search_call"}}`, completed), 99)
	if got, want := rec.log.String(), "start(resp_1 up) open0:opaque(id=x name=file_search_call) close0 stop(end)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecodeUsage(t *testing.T) {
	rec := decode(reply(llm.Chat), wire(created, completed), 99)
	want := llm.Usage{Input: 6, CacheRead: 4, Output: 5, Reasoning: 2, Knowledge: llm.Reported}
	if rec.usage != want {
		t.Errorf("got %+v, want %+v", rec.usage, want)
	}
	if rec = decode(reply(llm.Chat), wire(created), 99); rec.usage.Knowledge == llm.Reported {
		t.Errorf("a stream without an end has reported %+v", rec.usage)
	}
}

func TestDecodeNames(t *testing.T) {
	x := reply(llm.Chat)
	x.Names.Add("short", llm.ToolName{Name: "the.long.name"})
	rec := decode(x, wire(created, `{"type":"response.output_item.added","item":{"id":"a","type":"function_call","call_id":"c","name":"short"}}`, completed), 99)
	if got := rec.log.String(); !strings.Contains(got, "name=the.long.name") {
		t.Errorf("got %s, want the client's name", got)
	}
}

// TestTooManyItems shows that an endless answer ends.
func TestTooManyItems(t *testing.T) {
	var d Decoder
	d.Reset(reply(llm.Chat))
	rec := new(recorder)
	for i := 0; i < maxItems+10 && !d.Done(); i++ {
		d.Event(event(t, wire(fmt.Sprintf(`{"type":"response.output_item.done","item":{"id":"fc_%d","type":"function_call","call_id":"c%d","name":"f"}}`, i, i))), rec)
	}
	if rec.err == nil || len(rec.kinds) != maxItems || len(rec.faults) > 0 {
		t.Errorf("got %d items and %v (%v), want an error", len(rec.kinds), rec.err, rec.faults)
	}
}

// TestArgumentsWithoutANameAreBounded shows that a call which never says its name can't fill the memory.
func TestArgumentsWithoutANameAreBounded(t *testing.T) {
	var d Decoder
	d.Reset(reply(llm.Chat))
	rec := new(recorder)
	e := event(t, wire(`{"type":"response.function_call_arguments.delta","item_id":"x","delta":"`+strings.Repeat("x", 1<<20)+`"}`))
	for range 20 {
		d.Event(e, rec)
	}
	if rec.err == nil || rec.terminals != 1 {
		t.Errorf("got %d ends and %v, want an error", rec.terminals, rec.err)
	}
}

func TestDecoderIsReused(t *testing.T) {
	var d Decoder
	for range 2 {
		for _, c := range streams {
			d.Reset(reply(llm.Messages))
			rec := new(recorder)
			feed(&d, c.stream, 99, rec)
			if got := rec.log.String(); got != c.want {
				t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
			}
		}
	}
}

func TestFaultKinds(t *testing.T) {
	f := func(object string, want llm.ErrorKind) {
		t.Helper()
		if got := readFault([]byte(object), nil); got.Kind != want {
			t.Errorf("%s: got kind %d, want %d", object, got.Kind, want)
		}
	}
	f(`{"code":"rate_limit_exceeded"}`, llm.RateLimit)
	f(`{"code":"insufficient_quota"}`, llm.Billing)
	f(`{"code":"context_length_exceeded"}`, llm.ContextLength)
	f(`{"code":"invalid_prompt"}`, llm.InvalidRequest)
	f(`{"code":"invalid_image_format"}`, llm.InvalidRequest)
	f(`{"code":"server_is_overloaded"}`, llm.Overloaded)
	f(`{"code":"bio_policy"}`, llm.ContentPolicy)
	f(`{"code":"vector_store_timeout"}`, llm.Timeout)
	f(`{"code":"server_error"}`, llm.Upstream)
	f(`{"type":"overloaded_error"}`, llm.Overloaded)
	f(`{"type":"rate_limit_error"}`, llm.RateLimit)
}

func TestTrimPartial(t *testing.T) {
	for _, c := range []string{"é", "€", "😀", "a😀b€"} {
		for n := range len(c) + 1 {
			whole, rest := trimPartial([]byte(c[:n]))
			if string(whole)+string(rest) != c[:n] || !utf8.Valid(whole) || utf8.Valid(rest) && len(rest) > 0 {
				t.Errorf("%q: got %q and %q", c[:n], whole, rest)
			}
		}
	}
	if whole, rest := trimPartial([]byte("a\x80\x80\x80\x80")); len(rest) > 0 || len(whole) != 5 {
		t.Errorf("what can never become a character waits: %q", rest)
	}
}
