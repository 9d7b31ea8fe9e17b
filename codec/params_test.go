package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// apply returns body with a patch merged in, and the model replaced if one is given.
func apply(t testing.TB, patch, body, model string) string {
	t.Helper()
	p, err := CompileParams([]byte(patch))
	if err != nil {
		t.Fatalf("%s: %v", patch, err)
	}
	if p == nil {
		return body
	}
	var quoted []byte
	if model != "" {
		quoted = []byte(`"` + model + `"`)
	}
	return string(p.patch.appendTo(nil, []byte(body), quoted))
}

func TestParams(t *testing.T) {
	f := func(name, patch, body, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			if got := apply(t, patch, body, ""); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	f("nothing", `{}`, `{ "a": 1 }`, `{ "a": 1 }`)
	f("null", `null`, `{"a":1}`, `{"a":1}`)
	f("set", `{"a":2}`, `{ "b" : 1, "a" : 1 , "c":3}`, `{ "b" : 1, "a" : 2 , "c":3}`)
	f("add", `{"b":2,"c":[null]}`, `{ "a": 1 }`, `{ "a": 1,"b":2,"c":[null] }`)
	f("add to an empty object", `{"b":2}`, `{ }`, `{"b":2 }`)
	f("remove the first", `{"a":null}`, `{ "a": 1, "b": 2}`, `{ "b": 2}`)
	f("remove one in the middle", `{"b":null}`, `{"a":1 , "b":2 , "c":3}`, `{"a":1 , "c":3}`)
	f("remove the last", `{"c":null}`, "{\"a\":1,\n \"c\":3\n}", "{\"a\":1\n}")
	f("remove the last two", `{"b":null,"c":null}`, `{"a":1, "b":2, "c":3 }`, `{"a":1 }`)
	f("remove all", `{"a":null,"b":null}`, `{ "a":1, "b":2 }`, `{ }`)
	f("remove all and add", `{"a":null,"b":null,"c":1}`, `{ "a":1, "b":2 }`, `{"c":1 }`)
	f("remove what is not there", `{"x":null}`, `{"a":1}`, `{"a":1}`)
	f("remove the last and add", `{"b":null,"c":3}`, `{"a":1,"b":2}`, `{"a":1,"c":3}`)
	f("merge", `{"a":{"x":1,"y":null}}`, `{"a":{ "y":0,"z":2 },"b":{"x":0}}`, `{"a":{ "z":2,"x":1 },"b":{"x":0}}`)
	f("an object replaces what is none", `{"a":{"x":1,"y":null,"z":{"v":null}}}`, `{"a":[1]}`, `{"a":{"x":1,"z":{}}}`)
	f("an object that is not there", `{"a":{"x":null}}`, `{}`, `{"a":{}}`)
	f("what is no object replaces one", `{"a":1}`, `{"a":{"x":1}}`, `{"a":1}`)
	f("every duplicate", `{"a":2,"b":null}`, `{"a":1,"b":1,"a":1,"b":1}`, `{"a":2,"a":2}`)
	f("names with escapes", `{"tempe\u0072ature":1}`, `{"t\u0065mperature":0}`, `{"t\u0065mperature":1}`)
	f("names that need escapes", `{"a\"b":1}`, `{}`, `{"a\"b":1}`)
	f("the last of two in the patch", `{"a":1,"a":2}`, `{}`, `{"a":2}`)
	f("numbers and escapes as they are", `{"a":1.0e5}`, `{"a":0,"b":12345678901234567890,"c":"\u00e9\/"}`,
		`{"a":1.0e5,"b":12345678901234567890,"c":"\u00e9\/"}`)
}

func TestParamsAndModel(t *testing.T) {
	f := func(patch, want string) {
		t.Helper()
		if got := apply(t, patch, `{"model":"a","b":{"model":"c"},"model":"d"}`, "up"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", patch, got, want)
		}
	}
	f(`{"x":1}`, `{"model":"up","b":{"model":"c"},"model":"up","x":1}`)
	f(`{"model":"own"}`, `{"model":"own","b":{"model":"c"},"model":"own"}`)
	f(`{"model":null}`, `{"b":{"model":"c"}}`)
	f(`{"b":{"y":1}}`, `{"model":"up","b":{"model":"c","y":1},"model":"up"}`)
}

func TestCompileParamsRefuses(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		p, err := CompileParams([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want an error with %q", raw, p, err, want)
		}
	}
	f(`[1]`, "not a JSON object")
	f(`"x"`, "not a JSON object")
	f(`{"a":1`, "unexpected end of JSON input at byte 7")
	f(`{"a":{"b":}}`, "byte 11")
}

func TestManyParams(t *testing.T) {
	object := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"` + strings.Repeat("k", i+1) + `":1`)
		}
		return "{" + b.String()[1:] + "}"
	}
	if _, err := CompileParams([]byte(object(maxChanges + 1))); err == nil {
		t.Errorf("%d members are accepted", maxChanges+1)
	}
	p, err := CompileParams([]byte(object(maxChanges)))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.withUsage) != maxChanges+1 {
		t.Fatalf("%d members with the usage, want %d", len(p.withUsage), maxChanges+1)
	}
	body := object(maxChanges)
	body = body[:len(body)-1] + `,"stream_options":{}}`
	want := strings.Replace(body, "{}", `{"include_usage":true}`, 1)
	if got := string(p.withUsage.appendTo(nil, []byte(body), nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzParams holds the patch against RFC 7396's own pseudo code over maps.
func FuzzParams(f *testing.F) {
	f.Add(`{"a":{"b":null,"c":1},"d":null,"e":[1]}`, ` { "a" : {"b":1}, "d": 2 , "e":3 , "f":{} } `)
	f.Add(`{"a":{"b":{"c":null}}}`, `{"a":{"b":{"c":1,"d":2}},"a":1}`)
	f.Fuzz(func(t *testing.T, patch, body string) {
		if !utf8.ValidString(patch + body) {
			return
		}
		target, ok := decode(body).(map[string]any)
		if !ok || len(body) > 1000 {
			return
		}
		p, err := CompileParams([]byte(patch))
		if err != nil {
			return
		}
		got := body
		if p != nil {
			got = string(p.patch.appendTo(nil, []byte(body), nil))
		}
		var want any = target
		if change := decode(patch); change != nil {
			want = mergePatch(target, change)
		}
		if result := decode(got); !reflect.DeepEqual(result, want) {
			t.Errorf("%s merged into %s is %s, want %v", patch, body, got, want)
		}
	})
}

// decode returns the value that text is, numbers as they are written, or nil.
func decode(text string) (value any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil || len(bytes.TrimSpace([]byte(text[d.InputOffset():]))) > 0 {
		return nil
	}
	return value
}

// mergePatch is section 2 of RFC 7396.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = make(map[string]any)
	}
	for name, value := range changes {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = mergePatch(object[name], value)
		}
	}
	return object
}
