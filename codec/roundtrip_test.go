package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// The models that round trips go through: of each protocol one that takes everything that dialogs have.
var tripModels = map[llm.Protocol]string{llm.Chat: "gpt-4.1", llm.Responses: "gpt-4.1", llm.Messages: "claude-sonnet-4-5"}

// dialog is a random conversation that all three protocols can hold.
type dialog struct {
	system string
	tools  []dialogTool
	choice string // auto, none, required, the name of a tool, or empty
	turns  []dialogTurn
}

type dialogTool struct{ name, description, schema string }

// dialogTurn is what the user says, or what the model says and calls, with the results of that.
type dialogTurn struct {
	user, assistant string
	calls           []dialogCall
}

type dialogCall struct {
	id, tool, arguments, result string
	failed                      bool
}

// words are texts that are easily spoilt on the way.
var words = []string{
	"hello", `"quoted"`, `back\slash`, "<b>&amp;</b>", "line\nbreak", "tab\tstop", "é", "日本語", "👩‍👩‍👧", "\u2028",
	"\x7f", "data: [DONE]", "{}", "null", "[tool]", "\u0000", "</system-reminder>",
}

// tripSchema is the schema of all tools; what is required differs.
const tripSchema = `{"type": "object","properties":{"b":{"type":"integer","maximum":18446744073709551615},` +
	`"a":{"type":"string","pattern":"^\\d+$"}},"required":["%c"]}`

func randomText(r *rand.Rand) string {
	var parts []string
	for range 1 + r.IntN(4) {
		parts = append(parts, words[r.IntN(len(words))])
	}
	return strings.Join(parts, " ") + "."
}

// randomJSON returns a value as a provider or a client might have written it: numbers, escapes and the order of members must
// stay as they are.
func randomJSON(r *rand.Rand, depth int) string {
	switch n := r.IntN(10); {
	case n < 2 && depth > 0:
		return randomObject(r, depth-1)
	case n < 3 && depth > 0:
		return "[" + randomJSON(r, depth-1) + ", " + randomJSON(r, depth-1) + "]"
	case n < 4:
		return "9007199254740993"
	case n < 5:
		return "1.0"
	case n < 6:
		return "-1.5e+300"
	case n < 7:
		return `"\u00e9\ud83d\ude00\/"`
	case n < 8:
		return "true"
	}
	text, err := json.Marshal(randomText(r))
	if err != nil {
		panic(err)
	}
	return string(text)
}

func randomObject(r *rand.Rand, depth int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range r.IntN(4) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q: %s", fmt.Sprintf("%c%d", 'z'-rune(i), i), randomJSON(r, depth))
	}
	return b.String() + "}"
}

// newDialog returns the dialog of a seed.
func newDialog(seed uint64) *dialog {
	r := rand.New(rand.NewPCG(seed, 1))
	d := &dialog{}
	if r.IntN(3) > 0 {
		d.system = randomText(r)
	}
	for i := range 1 + r.IntN(4) {
		d.tools = append(d.tools, dialogTool{
			fmt.Sprintf("tool-%d_%s", i, strings.Repeat("x", r.IntN(50))), randomText(r),
			fmt.Sprintf(tripSchema, 'a'+rune(r.IntN(2))),
		})
	}
	d.choice = []string{"", "auto", "none", "required", d.tools[0].name}[r.IntN(5)]
	calls := 0
	for range 1 + r.IntN(4) {
		d.turns = append(d.turns, dialogTurn{user: randomText(r)})
		for range r.IntN(3) {
			t := dialogTurn{}
			if r.IntN(2) > 0 {
				t.assistant = randomText(r)
			}
			for range 1 + r.IntN(3) {
				calls++
				t.calls = append(t.calls, dialogCall{
					fmt.Sprintf("call_%d_%d", seed, calls), d.tools[r.IntN(len(d.tools))].name, randomObject(r, 2),
					randomText(r), r.IntN(4) == 0,
				})
			}
			d.turns = append(d.turns, t)
		}
		if r.IntN(2) > 0 {
			d.turns = append(d.turns, dialogTurn{assistant: randomText(r)})
		}
	}
	if d.turns[len(d.turns)-1].calls == nil {
		d.turns = append(d.turns, dialogTurn{user: randomText(r)})
	}
	return d
}

// members is a JSON object in the making; encoding/json writes its members in the order of their names.
type members = map[string]any

// body returns a dialog's request in a protocol, as a client would write it.
func (d *dialog) body(t *testing.T, p llm.Protocol) []byte {
	t.Helper()
	body := members{"model": "my-group"}
	switch p {
	case llm.Chat:
		d.fillChat(body)
	case llm.Responses:
		d.fillResponses(body)
	case llm.Messages:
		d.fillMessages(body)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// failedText returns the text of a result in the protocols that have no word for a failure.
func (c *dialogCall) failedText() string {
	if c.failed {
		return "[tool_error] " + c.result
	}
	return c.result
}

func (d *dialog) fillChat(body members) {
	var messages, tools []any
	if d.system != "" {
		messages = append(messages, members{"role": "system", "content": d.system})
	}
	for _, turn := range d.turns {
		if turn.user != "" {
			messages = append(messages, members{"role": "user", "content": turn.user})
			continue
		}
		message := members{"role": "assistant", "content": turn.assistant}
		var calls, results []any
		for _, c := range turn.calls {
			function := members{"name": c.tool, "arguments": c.arguments}
			calls = append(calls, members{"id": c.id, "type": "function", "function": function})
			results = append(results, members{"role": "tool", "tool_call_id": c.id, "content": c.failedText()})
		}
		if len(calls) > 0 {
			message["tool_calls"] = calls
		}
		messages = append(append(messages, message), results...)
	}
	for _, tool := range d.tools {
		tools = append(tools, members{"type": "function", "function": members{
			"name": tool.name, "description": tool.description, "parameters": json.RawMessage(tool.schema),
		}})
	}
	body["messages"], body["tools"] = messages, tools
	switch d.choice {
	case "":
	case "auto", "none", "required":
		body["tool_choice"] = d.choice
	default:
		body["tool_choice"] = members{"type": "function", "function": members{"name": d.choice}}
	}
}

func (d *dialog) fillResponses(body members) {
	var input, tools []any
	if d.system != "" {
		body["instructions"] = d.system
	}
	for _, turn := range d.turns {
		if turn.user != "" {
			input = append(input, members{"role": "user", "content": turn.user})
			continue
		}
		if turn.assistant != "" {
			content := []any{members{"type": "output_text", "text": turn.assistant}}
			input = append(input, members{"type": "message", "role": "assistant", "content": content})
		}
		for _, c := range turn.calls {
			input = append(input, members{"type": "function_call", "call_id": c.id, "name": c.tool, "arguments": c.arguments})
		}
		for _, c := range slices.Backward(turn.calls) {
			input = append(input, members{"type": "function_call_output", "call_id": c.id, "output": c.failedText()})
		}
	}
	for _, tool := range d.tools {
		tools = append(tools, members{
			"type": "function", "name": tool.name, "description": tool.description, "strict": false,
			"parameters": json.RawMessage(tool.schema),
		})
	}
	body["input"], body["tools"] = input, tools
	switch d.choice {
	case "":
	case "auto", "none", "required":
		body["tool_choice"] = d.choice
	default:
		body["tool_choice"] = members{"type": "function", "name": d.choice}
	}
}

func (d *dialog) fillMessages(body members) {
	var messages, tools []any
	if d.system != "" {
		body["system"] = d.system
	}
	var pending []any // results, and the user's text behind them
	for _, turn := range d.turns {
		if turn.user != "" {
			content := append(pending, members{"type": "text", "text": turn.user})
			messages = append(messages, members{"role": "user", "content": content})
			pending = nil
			continue
		}
		if len(pending) > 0 {
			messages = append(messages, members{"role": "user", "content": pending})
			pending = nil
		}
		var content []any
		if turn.assistant != "" {
			content = append(content, members{"type": "text", "text": turn.assistant})
		}
		for _, c := range turn.calls {
			content = append(content, members{"type": "tool_use", "id": c.id, "name": c.tool, "input": json.RawMessage(c.arguments)})
			pending = append(pending, members{"type": "tool_result", "tool_use_id": c.id, "content": c.result, "is_error": c.failed})
		}
		messages = append(messages, members{"role": "assistant", "content": content})
	}
	if len(pending) > 0 {
		messages = append(messages, members{"role": "user", "content": pending})
	}
	for _, tool := range d.tools {
		tools = append(tools, members{
			"name": tool.name, "description": tool.description, "input_schema": json.RawMessage(tool.schema),
		})
	}
	body["max_tokens"], body["messages"], body["tools"] = 1000, messages, tools
	switch d.choice {
	case "":
	case "auto", "none":
		body["tool_choice"] = members{"type": d.choice}
	case "required":
		body["tool_choice"] = members{"type": "any"}
	default:
		body["tool_choice"] = members{"type": "tool", "name": d.choice}
	}
}

// transcript says what a dialog means, a line for each thing that must survive. Turns of one speaker in a row are one.
type transcript struct {
	lines []string
	said  string // who the last line is of, while it may go on
}

func (t *transcript) add(format string, args ...any) {
	t.lines, t.said = append(t.lines, fmt.Sprintf(format, args...)), ""
}

func (t *transcript) say(who, text string) {
	if text == "" {
		return
	}
	if t.said == who {
		last := &t.lines[len(t.lines)-1]
		*last = (*last)[:len(*last)-1] + text + "]"
		return
	}
	t.add("%s [%s]", who, text)
	t.said = who
}

// transcript returns what the dialog means.
func (d *dialog) transcript() []string {
	var t transcript
	t.say("system", d.system)
	for _, turn := range d.turns {
		t.say("user", turn.user)
		t.say("assistant", turn.assistant)
		for _, c := range turn.calls {
			t.add("call %s %s %s", c.id, c.tool, compacted(c.arguments))
		}
		for _, c := range turn.calls {
			t.add("result %s %t [%s]", c.id, c.failed, c.result)
		}
	}
	for _, tool := range d.tools {
		t.add("tool %s [%s] %s", tool.name, tool.description, compacted(tool.schema))
	}
	t.add("choice %q", d.choice)
	return t.lines
}

// compacted returns JSON without white space: json.RawMessage loses it in the rendering of a dialog.
func compacted(text string) string {
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil {
		return text
	}
	return out.String()
}

// transcriptOf returns what a request in the neutral form means.
func transcriptOf(r *llm.Request) []string {
	var t transcript
	for i := range r.System {
		t.say("system", string(r.System[i].Text))
	}
	for i := range r.Turns {
		turn := &r.Turns[i]
		who := [...]string{llm.User: "user", llm.Assistant: "assistant", llm.System: "mid-system"}[turn.Role]
		for j := range turn.Items {
			switch it := &turn.Items[j]; it.Kind {
			case llm.Text:
				t.say(who, string(it.Text))
			case llm.Call:
				t.add("call %s %s %s", it.CallID, it.Name, compacted(string(it.Arguments)))
			case llm.Result:
				var text []byte
				for k := range it.Parts {
					text = append(text, it.Parts[k].Text...)
				}
				t.add("result %s %t [%s]", it.CallID, it.IsError, text)
			default:
				t.add("kind %d", it.Kind)
			}
		}
	}
	for i := range r.Tools {
		tool := &r.Tools[i]
		t.add("tool %s [%s] %s", tool.Name, tool.Description, compacted(string(tool.Schema)))
	}
	choice := [...]string{
		llm.ChoiceAuto: "auto", llm.ChoiceNone: "none", llm.ChoiceRequired: "required", llm.ChoiceAllowed: "allowed",
	}[r.Choice.Mode]
	if r.Choice.Mode == llm.ChoiceNamed {
		choice = r.Choice.Names[0].Name
	}
	t.add("choice %q", choice)
	return t.lines
}

// convert returns a client's request as a target gets it, which must lose nothing.
func convert(t *testing.T, client, target llm.Protocol, body []byte) []byte {
	t.Helper()
	var r Request
	if err := r.Peek(client, body); err != nil {
		t.Fatalf("%v: %v\n%s", client, err, body)
	}
	b := Acquire(client, target)
	defer Release(b)
	out, err := b.AppendRequest(nil, &r, &Target{Protocol: target, Model: tripModels[target]})
	if err != nil {
		t.Fatalf("from %v to %v: %v\n%s", client, target, err, body)
	}
	if w := b.Warnings(); w != nil && !w.Empty() {
		t.Fatalf("from %v to %v: %s\n%s", client, target, w.Append(nil), body)
	}
	return out
}

// TestRequestsSurviveRoundTrips takes random dialogs from each protocol through another one, and through both others, and
// back: texts, ids, arguments, results, tools and the choice must be what they were (protocols.md F 181, 182).
func TestRequestsSurviveRoundTrips(t *testing.T) {
	for seed := range uint64(150) {
		d := newDialog(seed)
		want := d.transcript()
		for _, from := range llm.Protocols {
			start := d.body(t, from)
			for _, over := range llm.Protocols {
				for _, last := range llm.Protocols {
					if over == from || last == from {
						continue
					}
					body := convert(t, from, over, start)
					if last != over {
						body = convert(t, over, last, body)
					}
					body = convert(t, last, from, body)
					var r llm.Request
					if err := dialects[from].read(body, &r); err != nil {
						t.Fatalf("seed %d, %v, %v, %v: %v\n%s", seed, from, over, last, err, body)
					}
					if got := transcriptOf(&r); !slices.Equal(got, want) {
						t.Fatalf("seed %d, from %v over %v and %v:\ngot\n%s\nwant\n%s\n%s", seed, from, over, last,
							strings.Join(got, "\n"), strings.Join(want, "\n"), body)
					}
				}
			}
		}
	}
}

// TestEncodingIsDeterministic writes random dialogs for every other protocol, again and again (protocols.md F 185).
func TestEncodingIsDeterministic(t *testing.T) {
	for seed := range uint64(5) {
		d := newDialog(1000 + seed)
		for _, client := range llm.Protocols {
			body := d.body(t, client)
			for _, target := range llm.Protocols {
				first := convert(t, client, target, body)
				for range encodings - 1 {
					if again := convert(t, client, target, body); !bytes.Equal(again, first) {
						t.Fatalf("seed %d, from %v to %v:\n%s\nand\n%s", seed, client, target, first, again)
					}
				}
			}
		}
	}
}
