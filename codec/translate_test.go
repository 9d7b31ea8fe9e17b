package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// translated returns the golden vectors of a kind between different protocols.
func translated(t testing.TB, kind string) []vector {
	return slices.DeleteFunc(vectors(t, kind), func(v vector) bool { return v.client == v.target })
}

// TestTranslatedStreamsAreLegal checks what clients get of every golden stream by the rules of their protocol.
func TestTranslatedStreamsAreLegal(t *testing.T) {
	for _, v := range translated(t, "sse") {
		t.Run(v.String(), func(t *testing.T) {
			out, err := os.ReadFile(v.path + ".out")
			if err != nil {
				t.Fatal(err)
			}
			if len(out) == 0 {
				return // The relay answers with an error before any byte of the stream.
			}
			if err := newClientStream(t, v.client, v.Request).check(out); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLegality breaks legal streams: a rule that lets the breach pass is none.
func TestLegality(t *testing.T) {
	for _, c := range []struct{ vector, old, new string }{
		{"cc-am/sse/tool_index", "data: [DONE]\n\n", ""},
		{"cc-am/sse/tool_index", `"choices":[]`, `"choices":null`},
		{"cc-am/sse/tool_index", `"finish_reason":"tool_calls"`, `"finish_reason":"stop"`},
		{"cc-am/sse/tool_index", `"finish_reason":"tool_calls"`, `"finish_reason":null`},
		{"cc-am/sse/tool_index", `"index":1,"id"`, `"index":2,"id"`},
		{"cc-am/sse/tool_index", `"role":"assistant",`, ``},
		{"cc-am/sse/tool_index", `"usage":null`, `"error":null,"usage":null`},
		{"cc-am/sse/tool_index", `"type":"function",`, ``},
		{"cc-am/sse/tool_index", "data: {", "data:{"},
		{"cc-am/sse/tool_index", `[{"index":0,"function"`, `[{"index":0,"id":"x","function"`},
		{"cc-am/sse/zero_arg", `{}"}}]`, `"}}]`},
		{"cc-rs/sse/custom_declared", `"name":"run"`, `"name":"walk"`},
		{"rs-cc/sse/reasoning_text_tools", `"sequence_number":5,`, `"sequence_number":6,`},
		{"rs-cc/sse/reasoning_text_tools", `"delta":"Look"`, `"delta":"Lock"`},
		{"rs-cc/sse/reasoning_text_tools", "response.output_text.delta", "response.output_text.delt"},
		{"rs-cc/sse/reasoning_text_tools", `"status":"completed","background"`, `"status":"in_progress","background"`},
		{"rs-cc/sse/reasoning_text_tools", `"output_index":2`, `"output_index":5`},
		{"rs-cc/sse/reasoning_text_tools", `"call_id":"call_Bq1uLw8mXvRk0PzTeJ5nYd7C"`, `"call_id":"call_9rWmDmIVkpPbVGqcZ3oYxT2K"`},
		{"rs-cc/sse/reasoning_text_tools", `"input_tokens_details":{"cached_tokens":0,`, `"input_tokens_details":{`},
		{"rs-cc/sse/annotations", `"title":"https://weather.example/paris"`, `"title":""`},
		{"rs-cc/sse/eof", `"sequence_number":9,`, ``},
		{"am-cc/sse/reasoning_tool", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", ""},
		{"am-cc/sse/reasoning_tool", "event: content_block_stop\n", ""},
		{"am-cc/sse/reasoning_tool", `"index":1`, `"index":2`},
		{"am-cc/sse/reasoning_tool", `"type":"signature_delta"`, `"type":"text_delta"`},
		{"am-cc/sse/reasoning_tool", `"stop_reason":"tool_use"`, `"stop_reason":"end_turn"`},
		{"am-cc/sse/reasoning_tool", `"stop_reason":"tool_use"`, `"stop_reason":null`},
		{"am-cc/sse/reasoning_tool", `"input_tokens":0,`, `"input_tokens":null,`},
		{"am-cc/sse/reasoning_tool", `{\"city\":\"Paris\"}`, `{\"city\":\"Paris\"`},
		{"am-cc/sse/text", `"text":"It is"`, `"text":""`},
		{"am-cc/sse/eof_text", `"type":"api_error"`, `"type":"server_error"`},
		{"am-cc/sse/annotations", `web_search_result_location`, `url_citation`},
	} {
		v := readVector(t, "testdata/"+c.vector, "sse")
		out, err := os.ReadFile(v.path + ".out")
		if err != nil {
			t.Fatal(err)
		}
		broken := bytes.ReplaceAll(out, []byte(c.old), []byte(c.new))
		if bytes.Equal(broken, out) {
			t.Errorf("%s: there is no %s", c.vector, c.old)
		}
		if newClientStream(t, v.client, v.Request).check(broken) == nil {
			t.Errorf("%s: %s in place of %s is legal", c.vector, c.new, c.old)
		}
	}
}

// TestStreamEqualsWholeAnswer adds up what clients get of every golden stream: it must be the answer that they get of the
// same steps when they ask for no stream.
func TestStreamEqualsWholeAnswer(t *testing.T) {
	for _, v := range translated(t, "sse") {
		t.Run(v.String(), func(t *testing.T) {
			stream, err := os.ReadFile(v.path + ".out")
			if err != nil {
				t.Fatal(err)
			}
			b, _ := v.start(t, v.Request)
			defer Release(b)
			whole, step := b.Answer(nil, v.in)
			if v.cause() != EOF || len(stream) == 0 || isFailed(v.client, stream) {
				if step != Failed && v.cause() == EOF {
					t.Errorf("the stream failed, the answer did not: %s", whole)
				}
				return
			}
			if step != End {
				t.Fatalf("step %d, %v", step, b.Failure())
			}
			// Where the gateway finds a stop sequence, a stream ends at once, before its usage comes.
			compareAnswers(t, v.client, stream, whole, b.(*translation).gate.matched == "")
		})
	}
}

// isFailed reports whether a stream ends with an error.
func isFailed(p llm.Protocol, stream []byte) bool {
	mark := map[llm.Protocol]string{llm.Chat: `data: {"error":`, llm.Responses: "event: response.failed", llm.Messages: "event: error"}[p]
	return bytes.Contains(stream, []byte(mark))
}

// compareAnswers adds up a stream and compares it with a whole answer, with their usage or without.
func compareAnswers(t *testing.T, p llm.Protocol, stream, whole []byte, usage bool) {
	t.Helper()
	var want object
	if err := json.Unmarshal(whole, &want); err != nil {
		t.Fatalf("%v in %s", err, whole)
	}
	events, err := splitEvents(stream)
	if err != nil {
		t.Fatal(err)
	}
	var got object
	switch p {
	case llm.Chat:
		got = addUpChat(t, events)
		normalizeChat(want, got)
	case llm.Responses:
		last, err := events[len(events)-1].decode()
		if err != nil {
			t.Fatal(err)
		}
		got = last["response"].(object)
	case llm.Messages:
		got = addUpMessages(t, events)
		normalizeMessages(want, got)
	}
	if !usage {
		delete(got, "usage")
		delete(want, "usage")
	}
	if !reflect.DeepEqual(got, want) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		t.Errorf("the stream adds up to\n%s\nthe whole answer is\n%s", g, w)
	}
}

// addUpChat makes the answer of chunks, as the SDKs do.
func addUpChat(t *testing.T, events []streamEvent) object {
	t.Helper()
	message := object{"role": "assistant", "content": "", "refusal": nil}
	choice := object{"index": 0.0, "message": message, "logprobs": nil}
	answer := object{"object": "chat.completion", "choices": []any{choice}}
	var logprobs, refusals []any
	for i := range events {
		if string(events[i].data) == "[DONE]" {
			break
		}
		chunk, err := events[i].decode()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"id", "created", "model", "service_tier", "usage"} {
			if value, ok := chunk[name]; ok {
				answer[name] = value
			}
		}
		for _, c := range chunk["choices"].([]any) {
			c := c.(object)
			choice["finish_reason"] = c["finish_reason"]
			if probs, ok := c["logprobs"].(object); ok {
				content, _ := probs["content"].([]any)
				refusal, _ := probs["refusal"].([]any)
				logprobs, refusals = append(logprobs, content...), append(refusals, refusal...)
			}
			addDelta(message, c["delta"].(object))
		}
	}
	if len(logprobs)+len(refusals) > 0 {
		choice["logprobs"] = object{"content": listOrNil(logprobs), "refusal": listOrNil(refusals)}
	}
	return answer
}

func listOrNil(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// addDelta adds a delta of Chat to its message.
func addDelta(message, delta object) {
	for name, value := range delta {
		switch value := value.(type) {
		case string:
			so, _ := message[name].(string)
			if message[name] = so + value; name == "role" {
				message[name] = value
			}
		case object:
			so, _ := message[name].(object)
			if so == nil {
				message[name] = value
				continue
			}
			so["arguments"] = so["arguments"].(string) + value["arguments"].(string)
		case []any:
			so, _ := message[name].([]any)
			if name != "tool_calls" {
				message[name] = append(so, value...)
				continue
			}
			call := value[0].(object)
			index := int(call["index"].(float64))
			delete(call, "index")
			if index == len(so) {
				message[name] = append(so, call)
				continue
			}
			for _, kind := range []string{"function", "custom"} {
				into, _ := so[index].(object)[kind].(object)
				from, _ := call[kind].(object)
				for member, text := range from {
					into[member] = into[member].(string) + text.(string)
				}
			}
		}
	}
}

// normalizeChat makes equal what streams and answers of Chat may say in two ways: no text at all is null or empty, usage
// comes with a stream only where it is asked for, and a text of reasoning_details comes in pieces.
func normalizeChat(answers ...object) {
	for _, a := range answers {
		message := a["choices"].([]any)[0].(object)["message"].(object)
		if message["content"] == nil {
			message["content"] = ""
		}
		if a["usage"] == nil || answers[1]["usage"] == nil {
			delete(a, "usage")
		}
		if details, ok := message["reasoning_details"].([]any); ok {
			message["reasoning_details"] = joinTexts(details)
		}
	}
}

// joinTexts joins the texts of neighbours with one index.
func joinTexts(details []any) (joined []any) {
	for _, d := range details {
		d := d.(object)
		text, ok := d["text"].(string)
		if n := len(joined); ok && n > 0 {
			last := joined[n-1].(object)
			if so, ok := last["text"].(string); ok && last["index"] == d["index"] {
				last["text"] = so + text
				continue
			}
		}
		joined = append(joined, maps.Clone(d))
	}
	return joined
}

// addUpMessages makes the answer of Anthropic's events, as the SDKs do.
func addUpMessages(t *testing.T, events []streamEvent) (answer object) {
	t.Helper()
	var blocks []any
	var input strings.Builder
	for i := range events {
		o, err := events[i].decode()
		if err != nil {
			t.Fatal(err)
		}
		switch o["type"] {
		case "message_start":
			answer = o["message"].(object)
		case "content_block_start":
			blocks = append(blocks, o["content_block"])
			input.Reset()
		case "content_block_delta":
			block, d := blocks[len(blocks)-1].(object), o["delta"].(object)
			switch d["type"] {
			case "text_delta":
				block["text"] = block["text"].(string) + d["text"].(string)
			case "thinking_delta":
				block["thinking"] = block["thinking"].(string) + d["thinking"].(string)
			case "signature_delta":
				block["signature"] = d["signature"]
			case "citations_delta":
				so, _ := block["citations"].([]any)
				block["citations"] = append(so, d["citation"])
			case "input_json_delta":
				input.WriteString(d["partial_json"].(string))
			}
		case "content_block_stop":
			if input.Len() > 0 {
				var value any
				if json.Unmarshal([]byte(input.String()), &value) != nil {
					value = "cut"
				}
				blocks[len(blocks)-1].(object)["input"] = value
				input.Reset()
			}
		case "message_delta":
			for name, value := range o["delta"].(object) {
				answer[name] = value
			}
			answer["usage"] = o["usage"]
		}
	}
	if answer["content"] = blocks; blocks == nil {
		answer["content"] = []any{}
	}
	return answer
}

// normalizeMessages makes equal what streams and answers of Anthropic may say in two ways: the text that a citation cites is
// known only at the end, and what is left of a call that was cut off becomes JSON only in a whole answer.
func normalizeMessages(want, got object) {
	gotBlocks, _ := got["content"].([]any)
	wantBlocks, _ := want["content"].([]any)
	for i := range min(len(gotBlocks), len(wantBlocks)) {
		g, w := gotBlocks[i].(object), wantBlocks[i].(object)
		if g["input"] == "cut" && got["stop_reason"] == "max_tokens" {
			g["input"] = w["input"]
		}
		citations, _ := w["citations"].([]any)
		for _, c := range citations {
			if c := c.(object); c["encrypted_index"] == "" {
				c["cited_text"] = ""
			}
		}
	}
}

// TestRandomStepsStreamAndWhole writes random answers twice, as a stream and as a whole (F 183): both must be legal and say
// the same.
func TestRandomStepsStreamAndWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(183, 1))
	options := llm.DefaultOptions()
	for _, p := range llm.Protocols {
		for _, target := range llm.Protocols {
			if p == target {
				continue
			}
			for range 300 {
				steps := randomSteps(random)
				x := &llm.Exchange{
					Request: &llm.Request{Protocol: p, IncludeUsage: true}, Target: target, Model: "m", Options: &options,
					Warnings: new(llm.Warnings), AnswerID: "random", Created: 1, Sealer: NewSealer(sealKey, "family", "channel"),
				}
				stream, answer := dialects[p].newStream(), dialects[p].newAnswer()
				stream.Reset(x)
				answer.Reset(x)
				for i := range steps {
					stream.Emit(&steps[i])
					answer.Emit(&steps[i])
				}
				out := stream.Take(nil)
				whole, err := answer.Append(nil)
				if err != nil {
					t.Fatal(err)
				}
				rules := clientStream{protocol: p, includeUsage: true}
				if err := rules.check(out); err != nil {
					t.Fatalf("%v to %v: %v\n%s", target, p, err, out)
				}
				if compareAnswers(t, p, out, whole, true); t.Failed() {
					return
				}
			}
		}
	}
}

// randomSteps returns the steps of an answer as a decoder may emit them: calls overlap one another, other items don't.
func randomSteps(random *rand.Rand) []llm.Event {
	usage := llm.Usage{Input: 7, CacheRead: 5, Output: 3, Reasoning: 2, Knowledge: llm.Reported}
	steps := []llm.Event{{Kind: llm.EventStart, Model: "up", ServiceTier: "default"}}
	type call struct {
		index int
		rest  []string
		item  llm.Item
	}
	var open []call
	next, called := 0, false
	advance := func(c *call) {
		steps = append(steps, llm.Event{Kind: llm.EventDelta, Index: c.index, Text: []byte(c.rest[0])})
		c.rest = c.rest[1:]
	}
	for range random.IntN(8) {
		item := llm.Item{}
		var texts []string
		switch random.IntN(5) {
		case 0:
			item.Kind, texts = llm.Thought, []string{"Hm", "…\n", "\"so\""}[:1+random.IntN(3)]
		case 1:
			item = llm.Item{Kind: llm.Thought, Redacted: true}
		case 2, 3:
			called = true
			item = llm.Item{Kind: llm.Call, CallID: fmt.Sprint("call_", next), Name: "f"}
			texts = []string{`{"a":`, `"\"}é`, `🙂"`, `,"b":[1.0]`, `}`}
			if random.IntN(4) == 0 {
				texts = nil
			}
		default:
			texts = []string{"One ", "two\u2028", "</b>", "🙂"}[:1+random.IntN(4)]
		}
		opening := item
		steps = append(steps, llm.Event{Kind: llm.EventOpen, Index: next, Item: &opening})
		c := call{next, texts, item}
		next++
		if item.Kind == llm.Call {
			open = append(open, c)
			continue
		}
		for len(c.rest) > 0 {
			advance(&c)
			for i := range open {
				if len(open[i].rest) > 0 && random.IntN(3) == 0 {
					advance(&open[i])
				}
			}
		}
		if item.Kind == llm.Thought {
			item.Seal = []byte("c2lnbmF0dXJl")
		}
		steps = append(steps, llm.Event{Kind: llm.EventClose, Index: c.index, Item: &item})
	}
	for i := range open {
		for len(open[i].rest) > 0 {
			advance(&open[i])
		}
		steps = append(steps, llm.Event{Kind: llm.EventClose, Index: open[i].index, Item: &open[i].item})
	}
	stop := llm.Stop{Reason: []llm.StopReason{llm.StopEnd, llm.StopLength, llm.StopFilter}[random.IntN(3)]}
	if called && stop.Reason == llm.StopEnd {
		stop.Reason = llm.StopTool
	}
	return append(steps, llm.Event{Kind: llm.EventUsage, Usage: &usage}, llm.Event{Kind: llm.EventStop, Usage: &usage, Stop: stop})
}

// TestPausedAnswerGoesOn pauses an answer because of a hosted tool (F 154): the follow-up call carries what there is, both
// answers are one for the client, and their tokens are added up.
func TestPausedAnswerGoesOn(t *testing.T) {
	const (
		first = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":10,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Searching."}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"pause_turn","stop_sequence":null},"usage":{"output_tokens":4}}

event: message_stop
data: {"type":"message_stop"}

`
		answer = `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Searching."}],` +
			`"stop_reason":"pause_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":4}}`
		more = `{"role":"assistant","content":[{"type":"text","text":"Searching."}]}]}`
	)
	second := strings.NewReplacer("Searching.", " Sunny.", "pause_turn", "end_turn", `"input_tokens":10`, `"input_tokens":20`,
		`"output_tokens":4`, `"output_tokens":6`).Replace
	request := `{"model":"my-group","stream":true,"stream_options":{"include_usage":true},"web_search_options":{},` +
		`"messages":[{"role":"user","content":"Weather?"}]}`
	v := vector{client: llm.Chat, target: llm.Messages, settings: settings{Model: "claude-sonnet-4-5"}}
	begin := func(request string) Bridge {
		b, _ := v.start(t, []byte(request))
		t.Cleanup(func() { Release(b) })
		return b
	}
	goOn := func(b Bridge) {
		t.Helper()
		body, ok := b.FollowUp(nil)
		if !ok || !strings.HasSuffix(string(body), more) {
			t.Fatalf("follow-up %t: %s", ok, body)
		}
	}

	b := begin(request)
	out, step := b.Feed(nil, []byte(first))
	if step != Again {
		t.Fatalf("step %d", step)
	}
	goOn(b)
	rest, step := b.Feed(nil, []byte(second(first)))
	if step != End {
		t.Fatalf("step %d, %v", step, b.Failure())
	}
	stream := append(out, rest...)
	if err := newClientStream(t, llm.Chat, []byte(request)).check(stream); err != nil {
		t.Errorf("%v\n%s", err, stream)
	}

	b = begin(strings.Replace(request, `"stream":true,`, "", 1))
	if out, step := b.Answer(nil, []byte(answer)); step != Again || len(out) > 0 {
		t.Fatalf("step %d, %s", step, out)
	}
	goOn(b)
	whole, step := b.Answer(nil, []byte(second(answer)))
	if step != End {
		t.Fatalf("step %d, %v", step, b.Failure())
	}
	compareAnswers(t, llm.Chat, stream, whole, true)
	if want := `"content":"Searching. Sunny."`; !bytes.Contains(whole, []byte(want)) {
		t.Errorf("%s is not in %s", want, whole)
	}
	if u := b.Usage(); u.Input != 30 || u.Output != 10 || u.Knowledge != llm.Reported {
		t.Errorf("usage %+v", u)
	}
}

// fuzzRequests are the requests whose answers FuzzTranslation makes up, by the client's protocol.
var fuzzRequests = map[llm.Protocol]string{
	llm.Chat: `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}],"tools":[` +
		`{"type":"function","function":{"name":"get_weather"}},{"type":"custom","custom":{"name":"run"}}]}`,
	llm.Responses: `{"model":"m","stream":true,"input":"x","tools":[{"type":"function","name":"get_weather","parameters":{}},` +
		`{"type":"custom","name":"apply_patch"},{"type":"web_search"}]}`,
	llm.Messages: `{"model":"m","stream":true,"max_tokens":99,"stop_sequences":["STOP","OPS"],"messages":[{"role":"user","content":"x"}],` +
		`"tools":[{"name":"get_weather","input_schema":{"type":"object"}},{"type":"web_search_20250305","name":"web_search"}]}`,
}

// translatedPairs are the pairs of different protocols, the client's first.
var translatedPairs = [...][2]llm.Protocol{
	{llm.Chat, llm.Responses}, {llm.Chat, llm.Messages}, {llm.Responses, llm.Chat}, {llm.Responses, llm.Messages},
	{llm.Messages, llm.Chat}, {llm.Messages, llm.Responses},
}

// FuzzTranslation feeds anything to the bridges between different protocols (F 184): the client gets a legal stream with
// exactly one end, or an error before any of it, however the bytes are cut.
func FuzzTranslation(f *testing.F) {
	for _, v := range append(translated(f, "sse"), translated(f, "res")...) {
		f.Add(uint8(slices.Index(translatedPairs[:], [2]llm.Protocol{v.client, v.target})), uint16(len(v.in)/2), v.in)
	}
	f.Fuzz(func(t *testing.T, pair uint8, cut uint16, data []byte) {
		p := translatedPairs[int(pair)%len(translatedPairs)]
		checkAnything(t, p[0], p[1], data, min(int(cut), len(data)))
	})
}

// TestMangledStreams feeds the golden streams with their events left out, doubled, moved, exchanged with those of others and
// cut off: what byte by byte is hard to come by.
func TestMangledStreams(t *testing.T) {
	random := rand.New(rand.NewPCG(184, 1))
	events := map[llm.Protocol][][]byte{}
	streams := translated(t, "sse")
	for _, v := range streams {
		events[v.target] = append(events[v.target], bytes.SplitAfter(v.in, []byte("\n\n"))...)
	}
	for _, v := range streams {
		for range 20 {
			mangled := bytes.SplitAfter(v.in, []byte("\n\n"))
			for range 1 + random.IntN(3) {
				i, j := random.IntN(len(mangled)), random.IntN(len(mangled))
				switch random.IntN(5) {
				case 0:
					mangled = slices.Delete(mangled, i, i+1)
				case 1:
					mangled = slices.Insert(mangled, i, mangled[j])
				case 2:
					mangled[i], mangled[j] = mangled[j], mangled[i]
				case 3:
					others := events[v.target]
					mangled[i] = others[random.IntN(len(others))]
				default:
					mangled = mangled[:i+1]
				}
				if len(mangled) == 0 {
					break
				}
			}
			data := bytes.Join(mangled, nil)
			if checkAnything(t, v.client, v.target, data, random.IntN(len(data)+1)); t.Failed() {
				t.Fatalf("%v:\n%s", &v, data)
			}
		}
	}
}

// checkAnything checks what a client gets of whatever its upstream sends.
func checkAnything(t *testing.T, client, target llm.Protocol, data []byte, cut int) {
	t.Helper()
	v := vector{client: client, target: target, settings: settings{Model: "claude-sonnet-4-5"}}
	request := []byte(fuzzRequests[client])
	run := func(pieces ...[]byte) (sent []byte, last Step) {
		b, _ := v.start(t, request)
		defer Release(b)
		sent, last = relay(b, EOF, pieces...)
		if (last == Failed) != (b.Failure() != nil) {
			t.Errorf("step %d, failure %v", last, b.Failure())
		}
		return sent, last
	}
	sent, last := run(data[:cut], data[cut:])
	switch {
	case last == Again:
		return // The rest is another answer.
	case last != End && last != Failed:
		t.Errorf("the last step is %d", last)
	case len(sent) == 0 && last != Failed:
		t.Error("an answer without any byte")
	case len(sent) > 0:
		rules := newClientStream(t, client, request)
		rules.anyArguments = true
		if err := rules.check(sent); err != nil {
			t.Errorf("%v\n%s", err, sent)
		}
	}
	if blob, step := run(data); step == last && len(blob) > 0 && len(sent) > 0 && !bytes.Equal(blob, sent) {
		t.Errorf("cut at %d:\n%s\nin one piece:\n%s", cut, sent, blob)
	}
	b, _ := v.start(t, request)
	defer Release(b)
	switch whole, step := b.Answer(nil, data); {
	case step == End && !json.Valid(whole):
		t.Errorf("the whole answer is %q", whole)
	case step == Failed && len(whole) > 0:
		t.Errorf("a failed answer has %q", whole)
	}
}

// TestHugeEvents takes a line of 5 MiB in pieces of 64 KiB (F 167) between all pairs, and refuses what is beyond all measure.
func TestHugeEvents(t *testing.T) {
	const size = 5 << 20
	text := strings.Repeat("0123456789abcdef", size/16)
	for _, p := range translatedPairs {
		s := newTimedStream(t, p[0], p[1], 1)
		stream := string(s.first) + strings.Replace(string(s.events), " tokens", text, 1) + string(s.last)
		b := Acquire(p[0], p[1])
		if _, err := b.AppendRequest(nil, &s.request, &s.to); err != nil {
			t.Fatal(err)
		}
		sent, step := relay(b, EOF, slices.Collect(slices.Chunk([]byte(stream), 64<<10))...)
		if step != End || !bytes.Contains(sent, []byte(text)) {
			t.Errorf("%v client, %v upstream: step %d, %v", p[0], p[1], step, b.Failure())
		}
		if err := newClientStream(t, p[0], []byte(timedRequests[p[0]])).check(sent); err != nil {
			t.Errorf("%v client, %v upstream: %.200s", p[0], p[1], err)
		}
		Release(b)
	}
}
