package json

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// walkObject returns what a Members finds in text, and whether text was an object.
func walkObject(text string) (found string, complete bool) {
	var b strings.Builder
	m := Object([]byte(text))
	for m.Next() {
		fmt.Fprintf(&b, "%s=%s;", m.Key, m.Value())
		if text[m.KeyStart] != '"' {
			b.WriteString("KeyStart is not at the quote;")
		}
	}
	return b.String(), m.Complete()
}

func TestMembers(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			if got, complete := walkObject(text); got != want || !complete {
				t.Errorf("got %q, complete %v, want %q", got, complete, want)
			}
		})
	}
	f("empty", "{}", "")
	f("empty with white space", " { \t\r\n} ", "")
	f("every kind of value", `{"a":1,"b":-2.5e3,"c":"x","d":null,"e":true,"f":false,"g":[1,2],"h":{"i":{}},"j":[],"k":{}}`,
		`a=1;b=-2.5e3;c="x";d=null;e=true;f=false;g=[1,2];h={"i":{}};j=[];k={};`)
	f("white space everywhere", "\n{ \"a\" : 1 ,\t\"b\"\r\n:\n\"x\" }\n", `a=1;b="x";`)
	f("names with escapes are decoded", `{"mod\u0065l":1,"a\"b":2,"":3}`, `model=1;a"b=2;=3;`)
	f("escaped quotes in values", `{"a":"\"","b":"\\","c":"\\\"x"}`, `a="\"";b="\\";c="\\\"x";`)
	f("duplicates are both there", `{"a":1,"a":2}`, `a=1;a=2;`)
	f("brackets and commas in strings", `{"a":"}],{[","b":1}`, `a="}],{[";b=1;`)
}

func TestMembersOfNoObject(t *testing.T) {
	for _, text := range []string{
		"", " ", "[]", "1", `"a"`, "null", "{", "{]", `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{"a":1,,"b":2}`, `{,"a":1}`,
		`{a:1}`, `{"a":1}x`, `{"a":1}{}`, `{"a":01}`, `{"a":1.}`, `{"a":tru}`, `{"a":nul`, `{"a":"x}`, `{"a" 1}`,
		`{"a":1 "b":2}`,
		`{"a\`, `{"a\u00`, `{"\x":1}`, "{\"a\":1}\x00", `{"a":-}`, `{"a":1e}`, `{"a":[1,]}`, `{"a":1;}`,
	} {
		if got, complete := walkObject(text); complete {
			t.Errorf("%q passes for an object: %q", text, got)
		}
	}
}

func TestNextStaysFalse(t *testing.T) {
	m := Object([]byte(`{"a":1}`))
	for m.Next() {
	}
	if m.Next() || !m.Complete() {
		t.Error("another Next after the end changes something")
	}
	e := Array([]byte(`[1]`))
	for e.Next() {
	}
	if e.Next() || !e.Complete() {
		t.Error("another Next after the end changes something")
	}
}

func TestElements(t *testing.T) {
	f := func(name, text, want string, wantComplete bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var got []string
			e := Array([]byte(text))
			for e.Next() {
				got = append(got, string(e.Value()))
			}
			if strings.Join(got, ";") != want || e.Complete() != wantComplete {
				t.Errorf("got %q, complete %v, want %q, %v", got, e.Complete(), want, wantComplete)
			}
		})
	}
	f("empty", "[]", "", true)
	f("values", ` [ 1 , "a,b" ,{"c":[1]}, [ ] ] `, `1;"a,b";{"c":[1]};[ ]`, true)
	f("trailing comma", "[1,]", "1", false)
	f("no comma", "[1 2]", "1", false)
	f("no end", "[1", "1", false)
	f("no array", "{}", "", false)
	f("something behind it", "[1]]", "1", false)
	f("nothing", "", "", false)
}

func TestGet(t *testing.T) {
	f := func(text, name, want string) {
		t.Helper()
		if got := Get([]byte(text), name); string(got) != want {
			t.Errorf("%s of %s: got %q, want %q", name, text, got, want)
		}
	}
	f(`{"a":1,"b":2}`, "b", "2")
	f(`{"a":1,"a":2}`, "a", "2")
	f(`{"a":1}`, "b", "")
	f(`{"a":1`, "a", "")
	f(`[1]`, "a", "")
}

func TestKindsOfNothing(t *testing.T) {
	f := func(value string, wantNull, wantEmpty, wantTruthy bool) {
		t.Helper()
		v := []byte(value)
		if IsNull(v) != wantNull || IsEmpty(v) != wantEmpty || Truthy(v) != wantTruthy {
			t.Errorf("%q: null %v, empty %v, truthy %v, want %v, %v, %v",
				value, IsNull(v), IsEmpty(v), Truthy(v), wantNull, wantEmpty, wantTruthy)
		}
	}
	f("", true, true, false)
	f("null", true, true, false)
	f(`""`, false, true, false)
	f("[]", false, true, true)
	f("[ \n]", false, true, true)
	f("{ }", false, true, true)
	f("[0]", false, false, true)
	f(`"x"`, false, false, true)
	f("0", false, false, false)
	f("false", false, false, false)
	f("1", false, false, true)
}

func TestDeepNesting(t *testing.T) {
	for _, open := range []string{"[", `{"a":`} {
		text := []byte(`{"a":` + strings.Repeat(open, 10_000))
		if Valid(text) {
			t.Errorf("10 000 times %s without an end is valid", open)
		}
		if _, complete := walkObject(string(text)); complete {
			t.Errorf("10 000 times %s without an end is an object", open)
		}
	}
	nested := func(depth int) []byte {
		return []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))
	}
	if !Valid(nested(MaxDepth - 1)) {
		t.Errorf("%d levels are refused", MaxDepth-1)
	}
	if Valid(nested(MaxDepth + 1)) {
		t.Errorf("%d levels are accepted", MaxDepth+1)
	}
	if got := FindFault(nested(5000)).Reason; !strings.Contains(got, "nested") {
		t.Errorf("the reason for 5000 levels is %q", got)
	}
}

// FuzzMembers compares the cursor with encoding/json: what encoding/json calls an object the cursor does too, and the
// reverse holds but for the insides of strings, which the cursor does not check.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(` {"a" : [1, {"b": "c\"d\\"}], "mod\u0065l": -1.5e+7, "x": null} `))
	f.Add([]byte(`{"a":"\q","b":01}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := Object(text)
		got := make(map[string]string)
		for m.Next() {
			got[string(m.Key)] = string(m.Value())
		}
		if m.Complete() && !Valid(text) {
			t.Errorf("%q is an object, but not valid", text)
		}
		var plain, exact map[string]json.RawMessage
		if err := json.Unmarshal(plainStrings(text), &plain); m.Complete() && (err != nil || plain == nil) {
			t.Errorf("%q is no object: %v", text, err)
		}
		if json.Unmarshal(text, &exact) != nil || exact == nil {
			return
		}
		if !m.Complete() {
			t.Errorf("%q is refused", text)
		}
		if !utf8.Valid(text) {
			return // encoding/json corrects names
		}
		for name, value := range exact {
			if got[name] != string(value) {
				t.Errorf("%q of %q: got %q, want %q", name, text, got[name], value)
			}
		}
	})
}

// plainStrings returns text with the insides of its strings replaced by letters, so that they can't be refused.
func plainStrings(text []byte) []byte {
	text = append([]byte(nil), text...)
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
