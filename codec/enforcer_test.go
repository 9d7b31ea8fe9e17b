package codec

import (
	"strings"
	"testing"
)

// TestEnforcer cuts every text into two pieces at every byte: what passes and what matches must not depend on it.
func TestEnforcer(t *testing.T) {
	f := func(text, wantText, wantMatch string, sequences ...string) {
		t.Helper()
		for cut := range len(text) + 1 {
			var e enforcer
			e.reset(sequences)
			var passed strings.Builder
			matched := ""
			for _, piece := range []string{text[:cut], text[cut:]} {
				if matched == "" {
					var out []byte
					out, matched = e.next([]byte(piece))
					passed.Write(out)
				}
			}
			if matched == "" {
				passed.Write(e.rest())
			}
			if passed.String() != wantText || matched != wantMatch {
				t.Errorf("%q cut at %d: %q and %q, want %q and %q", text, cut, passed.String(), matched, wantText, wantMatch)
			}
		}
	}
	f("", "", "", "END")
	f("nothing to see", "nothing to see", "", "END")
	f("one END two", "one ", "END", "END")
	f("END", "", "END", "END")
	f("one EN", "one EN", "", "END")
	f("EEND", "E", "END", "END")
	f("ababac", "ab", "abac", "abac")
	f("abcd", "a", "bc", "abcd", "bc")
	f("abc", "", "abc", "bc", "abc")
	f("a</blöck>b", "a", "</blöck>", "</blöck>", "Human:")
	f("one\n\ntwo", "one", "\n\n", "\n\n")
}

// TestEnforcerHoldsBackLittle holds back no more than may begin a sequence.
func TestEnforcerHoldsBackLittle(t *testing.T) {
	var e enforcer
	e.reset([]string{"</block>"})
	for _, c := range []struct{ piece, want string }{
		{"some text", "some text"}, {" <", " "}, {"/bl", ""}, {"ue>", "</blue>"}, {"</bloc", ""}, {"k", ""},
	} {
		if got, matched := e.next([]byte(c.piece)); string(got) != c.want || matched != "" {
			t.Errorf("%q: %q and %q, want %q", c.piece, got, matched, c.want)
		}
	}
	if got, matched := e.next([]byte(">")); len(got) > 0 || matched != "</block>" {
		t.Errorf("%q and %q", got, matched)
	}
	e.reset(nil)
	if e.active() {
		t.Error("there is nothing to look for")
	}
}
