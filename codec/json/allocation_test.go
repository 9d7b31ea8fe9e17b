//go:build !race

package json

import "testing"

func TestCursorsDoNotAllocate(t *testing.T) {
	text := []byte(`{"a":1,"b":"x","c":[1,{"d":2}],"e":{"f":null},"g":"\u00e9","h":[]}`)
	dst := make([]byte, 0, 100)
	f := func(name string, run func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, run); n != 0 {
			t.Errorf("%s: %v allocations per run, want none", name, n)
		}
	}
	f("Members", func() {
		m := Object(text)
		for m.Next() {
			if string(m.Key) != "c" {
				continue
			}
			for e := Array(m.Value()); e.Next(); {
			}
		}
	})
	f("Get", func() { Get(text, "e") })
	f("Valid", func() { Valid(text) })
	f("Int", func() { Int(text[5:6]) })
	f("AppendString", func() { dst = AppendString(dst[:0], "gpt-\u4f60\n") })
	f("AppendUnquoted", func() { dst, _ = AppendUnquoted(dst[:0], []byte(`"\u00e9\n"`)) })
	f("Unquote", func() { Unquote([]byte(`"gpt"`)) })
	f("InvalidUTF8", func() { InvalidUTF8(text) })
}
