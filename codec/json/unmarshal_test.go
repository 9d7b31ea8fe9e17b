package json

import (
	"encoding/json"
	"strings"
	"testing"
)

type answer struct {
	Model string          `json:"model"`
	Count int             `json:"count"`
	Raw   json.RawMessage `json:"raw"`
}

func TestUnmarshal(t *testing.T) {
	text := []byte(`{"model":"gpt","Model":"other","count":3,"raw":{"a":1},"more":[]}`)
	var a answer
	if err := Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	clear(text)
	if a.Model != "gpt" || a.Count != 3 || string(a.Raw) != `{"a":1}` {
		t.Errorf("after the text was wiped: %+v", a)
	}
}

func TestUnmarshalBorrowed(t *testing.T) {
	text := []byte(`{"model":"gpt","count":3}`)
	var a answer
	if err := UnmarshalBorrowed(text, &a); err != nil {
		t.Fatal(err)
	}
	if a.Model != "gpt" || a.Count != 3 {
		t.Errorf("got %+v", a)
	}
	text[10] = 'G'
	if Native && a.Model != "Gpt" {
		t.Errorf("the model is %q: the string was copied", a.Model)
	}
}

func TestErrorsDoNotQuoteTheText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var a answer
		err := Unmarshal([]byte(text), &a)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%s: error is %v, want %q in it", text, err, want)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error quotes the text: %v", err)
		}
	}
	f(`{"model":"secret","count":}`, "at byte 27 (line 1, column 27)")
	f(`{"model":"secret","count":"three"}`, "does not fit *json.answer")
	f(`{"model":"secret"`, "unexpected end")
}

func TestMismatchFillsTheOtherFields(t *testing.T) {
	var a answer
	if err := Unmarshal([]byte(`{"count":"three","model":"gpt"}`), &a); err == nil || a.Model != "gpt" {
		t.Errorf("error %v, got %+v", err, a)
	}
}

func TestPretouch(t *testing.T) {
	type late struct {
		Name string `json:"name"`
	}
	if err := Pretouch(late{}, answer{}); err != nil {
		t.Fatal(err)
	}
	var l late
	if err := Unmarshal([]byte(`{"name":"x"}`), &l); err != nil || l.Name != "x" {
		t.Errorf("got %+v, error %v", l, err)
	}
}

// TestNativePath fails where sonic would silently become encoding/json: on another architecture, or with a Go release
// that it does not know yet.
func TestNativePath(t *testing.T) {
	if !Native {
		t.Error("sonic's machine code is not in use: ten times slower, see skip_portable.go")
	}
}
