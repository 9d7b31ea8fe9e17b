package json

import (
	"fmt"
	"testing"
)

// TestOmissions leaves every set of elements out of an array, and checks that what is left is well-formed and untouched.
func TestOmissions(t *testing.T) {
	f := func(text string, omit func(i int) bool, want string) {
		t.Helper()
		var edits Edits
		var o Omissions
		i := 0
		for e := Array([]byte(text)); e.Next(); i++ {
			if omit(i) {
				edits = o.Omit(edits, e.Span)
			} else {
				edits = o.Keep(edits, e.Span)
			}
		}
		edits = o.Close(edits)
		got := string(edits.AppendTo([]byte("> "), []byte(text)))
		if got != "> "+want {
			t.Errorf("%s: got %s, want %s", text, got[2:], want)
		}
	}
	const text = `[ 1 , {"a":2} ,3, "4" ]`
	f(text, func(int) bool { return false }, text)
	f(text, func(int) bool { return true }, `[  ]`)
	f(text, func(i int) bool { return i == 0 }, `[ {"a":2} ,3, "4" ]`)
	f(text, func(i int) bool { return i == 1 }, `[ 1 ,3, "4" ]`)
	f(text, func(i int) bool { return i == 3 }, `[ 1 , {"a":2} ,3 ]`)
	f(text, func(i int) bool { return i != 2 }, `[ 3 ]`)
	f(text, func(i int) bool { return i < 2 }, `[ 3, "4" ]`)
	f(text, func(i int) bool { return i == 0 || i == 2 }, `[ {"a":2}, "4" ]`)
	f(`[]`, func(int) bool { return true }, `[]`)
	for set := range 16 {
		var edits Edits
		var o Omissions
		left := ""
		for e, i := Array([]byte(text)), 0; e.Next(); i++ {
			if set>>i&1 == 1 {
				edits = o.Omit(edits, e.Span)
				continue
			}
			edits, left = o.Keep(edits, e.Span), left+text[e.Start:e.End]+";"
		}
		out := o.Close(edits).AppendTo(nil, []byte(text))
		got := ""
		for e := Array(out); e.Next(); {
			got += string(e.Value()) + ";"
		}
		if got != left || !Valid(out) {
			t.Errorf("set %04b: got %s", set, out)
		}
	}
}

func TestEditsInAnyOrder(t *testing.T) {
	text := []byte(`{"a":1,"b":[true]}`)
	e := Edits{
		{Span: Span{Start: 0, End: 1}.Within(12), With: []byte("x")},
		{Span: Span{Start: 5, End: 6}, With: []byte("22")},
		{Span: Span{Start: 18, End: 18}, With: []byte("!")},
	}
	if got := string(e.AppendTo(nil, text)); got != `{"a":22,"b":[xrue]}!` {
		t.Error(got)
	}
	if got := string(Edits(nil).AppendTo(nil, text)); got != string(text) {
		t.Error(got)
	}
}

func ExampleOmissions() {
	text := []byte(`{ "a": 1, "b": 2 }`)
	var edits Edits
	var o Omissions
	for m := Object(text); m.Next(); {
		at := Span{Start: m.KeyStart, End: m.End}
		if string(m.Key) == "a" {
			edits = o.Omit(edits, at)
		} else {
			edits = o.Keep(edits, at)
		}
	}
	fmt.Printf("%s\n", o.Close(edits).AppendTo(nil, text))
	// Output: { "b": 2 }
}
