package messages

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// plainSealer makes envelopes without secrets: gw1.KIND.ITEM.OPAQUE. It opens those of its own family.
type plainSealer struct{ foreign bool }

func (s plainSealer) Seal(dst []byte, sealed llm.Sealed) []byte {
	dst = append(dst, "gw1."+string(sealed.Kind)+"."+sealed.Item+"."...)
	return append(dst, sealed.Opaque...)
}

func (s plainSealer) Open(envelope []byte) (llm.Sealed, bool, bool) {
	parts := bytes.SplitN(envelope, []byte{'.'}, 4)
	if len(parts) != 4 || string(parts[0]) != "gw1" {
		return llm.Sealed{}, false, false
	}
	return llm.Sealed{Kind: llm.SealKind(parts[1]), Item: string(parts[2]), Opaque: parts[3]}, true, !s.foreign
}

// exchange returns an exchange of a client's request with a first-party channel.
func exchange(r *llm.Request, model string) *llm.Exchange {
	options := llm.DefaultOptions()
	options.FirstParty, options.AutoCache = true, false
	return &llm.Exchange{
		Request: r, Model: model, Target: llm.Messages, Options: &options, Warnings: new(llm.Warnings),
		Sealer: plainSealer{}, AnswerID: "A1",
	}
}

// body returns what the writer makes of an exchange, which must be valid JSON.
func body(t *testing.T, x *llm.Exchange) string {
	t.Helper()
	out, err := AppendRequest(nil, x)
	if err != nil {
		t.Fatalf("refused: %s (param %q, code %q)", err.Message, err.Param, err.Code)
	}
	if !json.Valid(out) {
		t.Fatalf("no JSON: %s", out)
	}
	return string(out)
}

// look returns the value at a path of names and indexes, separated by blanks, or nothing.
func look(text, path string) string {
	value := []byte(text)
	for _, step := range strings.Fields(path) {
		if i, err := strconv.Atoi(step); err == nil {
			e := json.Array(value)
			value = nil
			for n := 0; e.Next(); n++ {
				if n == i {
					value = e.Value()
				}
			}
		} else {
			value = json.Get(value, step)
		}
	}
	return string(value)
}

// warned returns the warnings as the header has them.
func warned(x *llm.Exchange) string { return string(x.Warnings.Append(nil)) }

func number64(n int64) *int64 { return &n }

func boolean(b bool) *bool { return &b }

// said returns a turn with one text.
func said(role llm.Role, text string) llm.Turn {
	return llm.Turn{Role: role, Items: []llm.Item{{Kind: llm.Text, Text: []byte(text)}}}
}

// asked returns a request of a client that says hi.
func asked(p llm.Protocol) *llm.Request {
	return &llm.Request{Protocol: p, Turns: []llm.Turn{said(llm.User, "hi")}}
}

// function returns a tool without parameters.
func function(name string) llm.Tool {
	return llm.Tool{Name: name, Schema: []byte(`{"type":"object","properties":{}}`)}
}

// calling and answering return a call of a tool and its result.
func calling(id, name, arguments string) llm.Item {
	return llm.Item{Kind: llm.Call, CallID: id, Name: name, Arguments: []byte(arguments)}
}

func answering(id, text string) llm.Item {
	return llm.Item{Kind: llm.Result, CallID: id, Parts: []llm.Item{{Kind: llm.Text, Text: []byte(text)}}}
}

func turn(role llm.Role, items ...llm.Item) llm.Turn { return llm.Turn{Role: role, Items: items} }

// largeBody returns a request of an Anthropic client with that many rounds of a call and its result, 1 KB each.
func largeBody(rounds int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"claude-x","max_tokens":1024,"tools":[{"name":"read","description":"reads a file","input_schema":` +
		`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}],"messages":[{"role":"user","content":"go"}`)
	filler := bytes.Repeat([]byte("all work and no play "), 44)
	for range rounds {
		b.WriteString(`,{"role":"assistant","content":[{"type":"text","text":"Let me see."},{"type":"tool_use","id":"toolu_01A",` +
			`"name":"read","input":{"path":"a/b/c.go"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A",` +
			`"content":"`)
		b.Write(filler)
		b.WriteString(`"}]}`)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}
