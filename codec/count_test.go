package codec

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// counting returns a request to count tokens that was peeked.
func counting(t *testing.T, p llm.Protocol, body string) *Request {
	t.Helper()
	r := new(Request)
	if err := r.Peek(p, []byte(body)); err != nil {
		t.Fatal(err)
	}
	r.Count = true
	return r
}

// messagesPrompt and responsesPrompt have fields that say how to answer, which no endpoint for counting takes.
const (
	messagesPrompt = `{"model":"m","system":"be short","messages":[{"role":"user","content":"hello"}],"stop_sequences":["x"],` +
		`"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"temperature":0.5,"stream":true,"metadata":{"user_id":"u"}}`
	responsesPrompt = `{"model":"m","instructions":"be short","input":"hello","max_output_tokens":50,"stream":true,"store":true,` +
		`"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}],"metadata":{"k":"v"},"temperature":0.5,"user":"u"}`
)

func TestCountsAreConverted(t *testing.T) {
	params, err := CompileParams([]byte(`{"max_tokens":7,"max_output_tokens":7,"temperature":1,"tool_choice":"PARAM"}`))
	if err != nil {
		t.Fatal(err)
	}
	const (
		messagesAnswer  = `{"input_tokens":12}`
		responsesAnswer = `{"object":"response.input_tokens","input_tokens":12}`
	)
	f := func(client, target llm.Protocol, params *Params, body, wantMembers string) {
		t.Helper()
		b := Acquire(client, target)
		defer Release(b)
		head := []byte("head")
		got, err := b.AppendRequest(head, counting(t, client, body), &Target{Protocol: target, Model: "up", Params: params})
		if err != nil || string(got[:len(head)]) != "head" {
			t.Fatalf("%v on %v: got %s, %v", client, target, got, err)
		}
		got = got[len(head):]
		if members := membersOf(got); members != wantMembers || !json.Valid(got) || string(json.Get(got, "model")) != `"up"` ||
			!strings.Contains(string(got), `"hello"`) || !strings.Contains(string(got), `"be short"`) {
			t.Errorf("%v on %v: got %s with %s, want %s", client, target, members, got, wantMembers)
		}
		answer, want := messagesAnswer, responsesAnswer
		if client == llm.Messages {
			answer, want = responsesAnswer, messagesAnswer
		}
		if out, step := b.Answer([]byte("head"), []byte(answer)); step != End || string(out) != "head"+want {
			t.Errorf("%v on %v: got %s, %v, want %s", client, target, out, step, want)
		}
		if u := b.Usage(); u.Knowledge != llm.Unknown {
			t.Errorf("%v on %v: counting is said to have used %+v", client, target, u)
		}
	}
	f(llm.Messages, llm.Responses, nil, messagesPrompt, "input instructions model tools")
	f(llm.Messages, llm.Responses, params, messagesPrompt, "input instructions model tool_choice tools")
	f(llm.Responses, llm.Messages, nil, responsesPrompt, "messages model system tools")
	f(llm.Responses, llm.Messages, params, responsesPrompt, "messages model system tool_choice tools")
}

// membersOf returns the names of an object's members in the order of the alphabet.
func membersOf(object []byte) string {
	var names []string
	for m := json.Object(object); m.Next(); {
		names = append(names, string(m.Key))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestCountsWithEnvelopesGoWithoutThem(t *testing.T) {
	body := `{"model":"m","messages":[{"role":"user","content":"hello"},{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"hm","signature":"` + envelopePrefix + `nonsense"},{"type":"text","text":"hi"}]},{"role":"user","content":"bye"}]}`
	b := Acquire(llm.Messages, llm.Messages)
	defer Release(b)
	got, err := b.AppendRequest(nil, counting(t, llm.Messages, body), &Target{Protocol: llm.Messages, Model: "up"})
	if err != nil || strings.Contains(string(got), envelopePrefix) || membersOf(got) != "messages model" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAnswersThatAreNoCount(t *testing.T) {
	for answer, want := range map[string]llm.ErrorKind{
		`{"error":{"message":"slow down","type":"rate_limit_error"}}`: llm.RateLimit,
		`{"input_tokens":"12"}`:   llm.Upstream,
		`{"input_tokens":-1}`:     llm.Upstream,
		`{"input_tokens":12`:      llm.Upstream,
		`<html></html>`:           llm.Upstream,
		``:                        llm.Upstream,
		`{"content":[],"id":"1"}`: llm.Upstream,
	} {
		for _, target := range []llm.Protocol{llm.Messages, llm.Responses} {
			b := Acquire(llm.Messages, target)
			if _, err := b.AppendRequest(nil, counting(t, llm.Messages, messagesPrompt), &Target{Protocol: target, Model: "up"}); err != nil {
				t.Fatal(err)
			}
			out, step := b.Answer(nil, []byte(answer))
			if step != Failed || len(out) > 0 || b.Failure() == nil || b.Failure().Kind != want {
				t.Errorf("%s of %v: got %s, %v, %+v", answer, target, out, step, b.Failure())
			}
			Release(b)
		}
	}
}

func TestCountsThatCannotBeConverted(t *testing.T) {
	b := Acquire(llm.Messages, llm.Responses)
	defer Release(b)
	_, err := b.AppendRequest(nil, counting(t, llm.Messages, `{"model":"m","messages":7}`), &Target{Protocol: llm.Responses, Model: "up"})
	var e *llm.Error
	if !errors.As(err, &e) || e.Kind != llm.InvalidRequest || e.Param != "messages" {
		t.Errorf("got %v", err)
	}
}
