package codec

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"octopus/codec/llm"
)

func TestPeek(t *testing.T) {
	f := func(name string, p llm.Protocol, body, wantModel string, wantStream, wantUsage bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var r Request
			if err := r.Peek(p, []byte(body)); err != nil {
				t.Fatal(err)
			}
			if r.Protocol != p || string(r.Body) != body {
				t.Errorf("protocol %v, body %q", r.Protocol, r.Body)
			}
			if r.Model != wantModel || r.Stream != wantStream || r.IncludeUsage != wantUsage {
				t.Errorf("got model %q, stream %v, usage %v, want %q, %v, %v",
					r.Model, r.Stream, r.IncludeUsage, wantModel, wantStream, wantUsage)
			}
		})
	}
	f("only a model", llm.Chat, `{"model":"m"}`, "m", false, false)
	f("white space", llm.Messages, " \n{ \"stream\" : true , \"model\" : \"m\" } \r\n", "m", true, false)
	f("stream null is false", llm.Responses, `{"model":"m","stream":null}`, "m", false, false)
	f("the last of two counts", llm.Chat, `{"model":"a","stream":true,"model":"b","stream":false}`, "b", false, false)
	f("names and values with escapes", llm.Chat, `{"mod\u0065l":"a\u002fb","str\u0065am":true}`, "a/b", true, false)
	f("a model further down is none", llm.Chat, `{"metadata":{"model":"x"},"model":"m","note":"\"model\":\"y\""}`,
		"m", false, false)
	f("usage asked for", llm.Chat, `{"model":"m","stream":true,"stream_options":{"include_usage":true}}`, "m", true, true)
	f("usage declined", llm.Chat, `{"model":"m","stream":true,"stream_options":{"include_usage":false}}`, "m", true, false)
	f("odd stream options", llm.Chat, `{"model":"m","stream_options":[{"include_usage":true}]}`, "m", false, false)
	f("stream options of another protocol", llm.Responses, `{"model":"m","stream_options":{"include_usage":true}}`,
		"m", false, false)
	f("a long conversation", llm.Chat, `{"messages":[`+strings.Repeat(`{"role":"user","content":"hi"},`, 20_000)+
		`{}],"model":"m"}`, "m", false, false)
}

func TestPeekRefuses(t *testing.T) {
	f := func(name, body, wantCode, wantParam, wantMessage string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var r Request
			err := r.Peek(llm.Chat, []byte(body))
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Kind != llm.InvalidRequest || err.Code != wantCode || err.Param != wantParam || err.Message != wantMessage {
				t.Errorf("got %s\nwant code %q, param %q, %q", describe(err), wantCode, wantParam, wantMessage)
			}
		})
	}
	const missing, invalid = "missing_required_parameter", "invalid_type"
	f("no model", `{"messages":[]}`, missing, "model", "model is missing")
	f("empty object", `{}`, missing, "model", "model is missing")
	f("model null", `{"model":null}`, missing, "model", "model is missing")
	f("model empty", `{"model":""}`, missing, "model", "model is missing")
	f("the last model is null", `{"model":"m","model":null}`, missing, "model", "model is missing")
	f("model a number", `{"model":5}`, invalid, "model", "model must be a string")
	f("model an object", `{"model":{"id":"m"}}`, invalid, "model", "model must be a string")
	f("model with an unknown escape", `{"model":"\q"}`, invalid, "model", "model must be a string")
	f("stream a string", `{"model":"m","stream":"true"}`, invalid, "stream", "stream must be a boolean")
	f("stream a number", `{"model":"m","stream":1}`, invalid, "stream", "stream must be a boolean")
	const bad = "invalid_json"
	f("empty body", "", bad, "", "the request body is empty at byte 1 (line 1, column 1)")
	f("white space", " \n ", bad, "", "the request body is empty at byte 4 (line 2, column 2)")
	f("array", "\n[]", bad, "", "the request body must be a JSON object at byte 2 (line 2, column 1)")
	f("string", `"model"`, bad, "", "the request body must be a JSON object at byte 1 (line 1, column 1)")
	f("no value", "{\n  \"model\": \"m\",\n  \"stream\":\n}", bad, "",
		"the request body is not valid JSON: invalid character '}' looking for beginning of value "+
			"at byte 31 (line 4, column 1)")
	f("cut off", `{"model":"m","messages":[`, bad, "",
		"the request body is not valid JSON: unexpected end of JSON input at byte 26 (line 1, column 26)")
	f("something behind it", `{"model":"m"}{}`, bad, "",
		"the request body is not valid JSON: invalid character '{' after top-level value at byte 14 (line 1, column 14)")
	f("deep nesting", `{"model":"m","a":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`}`, bad, "",
		"the request body is not valid JSON: nested deeper than 4096 levels at byte 10017 (line 1, column 10017)")
	f("invalid UTF-8", "{\"model\":\"m\",\"a\":\"\u4f60\xff\"}", bad, "", "invalid UTF-8 at byte 22 (line 1, column 20)")
}

func TestResetRequest(t *testing.T) {
	var r Request
	body := []byte(`{"model":"m","stream":true,"stream_options":{"include_usage":true},"n":3}`)
	if err := r.Peek(llm.Chat, body); err != nil {
		t.Fatal(err)
	}
	r.AnswerModel = "x"
	r.Reset()
	if want := (Request{edits: r.edits[:0]}); !reflect.DeepEqual(r, want) {
		t.Errorf("after Reset: %+v", r)
	}
	if err := r.Peek(llm.Chat, []byte(`{`+strings.Repeat(`"model":"m",`, 2*maxEdits)+`"n":1}`)); err != nil {
		t.Fatal(err)
	}
	if r.Reset(); cap(r.edits) > maxEdits {
		t.Errorf("room for %d edits is kept", cap(r.edits))
	}
}

// FuzzPeek holds Peek against encoding/json: what Peek accepts is an object with that model and that stream. The
// insides of strings are not Peek's to judge, so they are made harmless before.
func FuzzPeek(f *testing.F) {
	f.Add([]byte(`{"model":"m","stream":true,"stream_options":{"include_usage":true},"mod\u0065l":"n"}`))
	f.Add([]byte(` {"a":[1,{"b":null}],"model":"a\u002fb","stream":null}x`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r Request
		if err := r.Peek(llm.Chat, body); err != nil {
			if err.Message == "" || err.Code == "" {
				t.Errorf("an error without words: %s", describe(err))
			}
			return
		}
		if r.Model == "" || !utf8.Valid(body) {
			t.Errorf("model %q of %q", r.Model, body)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			if json.Unmarshal(harmlessStrings(body), &want) != nil {
				t.Errorf("%q is accepted: %v", body, err)
			}
			return
		}
		var model string
		var stream bool
		if json.Unmarshal(want["model"], &model) != nil || model != r.Model {
			t.Errorf("model of %q: got %q, want %q", body, r.Model, model)
		}
		if want["stream"] != nil && json.Unmarshal(want["stream"], &stream) != nil || stream != r.Stream {
			t.Errorf("stream of %q: got %v, want %v", body, r.Stream, stream)
		}
	})
}

// harmlessStrings returns text with escapes and control characters inside strings replaced.
func harmlessStrings(text []byte) []byte {
	text = []byte(string(text))
	inside, escaped := false, false
	for i, c := range text {
		switch {
		case !inside:
			inside = c == '"'
		case escaped:
			escaped = false
			text[i] = 'x'
		case c == '"':
			inside = false
		case c == '\\':
			escaped = true
			text[i] = 'x'
		case c < ' ':
			text[i] = 'x'
		}
	}
	return text
}

func TestMostOutput(t *testing.T) {
	for _, c := range []struct {
		name string
		p    llm.Protocol
		body string
		of   llm.Capabilities
		want int64
	}{
		{"nobody says", llm.Chat, `{"model":"m"}`, llm.Capabilities{}, 4096},
		{"what the model usually gives", llm.Chat, `{"model":"m"}`, llm.Capabilities{DefaultOutput: 100, MaxOutput: 200}, 100},
		{"what the model gives at most", llm.Responses, `{"model":"m","max_output_tokens":null}`, llm.Capabilities{MaxOutput: 200}, 200},
		{"what the client says", llm.Messages, `{"model":"m","max_tokens":70}`, llm.Capabilities{DefaultOutput: 100, MaxOutput: 200}, 70},
		{"in Responses", llm.Responses, `{"model":"m","max_output_tokens":70}`, llm.Capabilities{}, 70},
		{"in Chat, the newer name", llm.Chat, `{"model":"m","max_completion_tokens":70}`, llm.Capabilities{}, 70},
		{"the larger of two", llm.Chat, `{"model":"m","max_completion_tokens":70,"max_tokens":90}`, llm.Capabilities{}, 90},
		{"more than the model gives", llm.Chat, `{"model":"m","max_tokens":700}`, llm.Capabilities{MaxOutput: 200}, 200},
		{"several choices", llm.Chat, `{"model":"m","max_tokens":70,"n":3}`, llm.Capabilities{}, 210},
		{"absurd", llm.Chat, `{"model":"m","max_tokens":9223372036854775807,"n":128}`, llm.Capabilities{}, 128 * llm.MaxTokens},
		{"below none", llm.Chat, `{"model":"m","max_tokens":-5}`, llm.Capabilities{}, 4096},
		{"no number", llm.Chat, `{"model":"m","max_tokens":"70"}`, llm.Capabilities{}, 4096},
	} {
		var r Request
		if err := r.Peek(c.p, []byte(c.body)); err != nil {
			t.Fatal(err)
		}
		if got := r.MostOutput(&c.of); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
