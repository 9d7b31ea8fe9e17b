package llm

import (
	"hash/fnv"
	"testing"
)

func TestTextHash(t *testing.T) {
	f := func(pieces ...string) {
		t.Helper()
		var got TextHash
		want, none := fnv.New64a(), fnv.New64a().Sum64()
		for _, piece := range pieces {
			got.Add([]byte(piece))
			want.Write([]byte(piece))
		}
		if got != TextHash(want.Sum64()^none) {
			t.Errorf("%q: got %x, want %x", pieces, got, want.Sum64()^none)
		}
	}
	f()
	f("")
	f("thinking")
	f("think", "", "ing")
	f("é", "\n\n", "\x00")
}

func TestSealedFits(t *testing.T) {
	var hash TextHash
	hash.Add([]byte("text"))
	f := func(name string, s Sealed, text string, want bool) {
		t.Helper()
		if got := s.Fits([]byte(text)); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	f("the same text", Sealed{Model: "m", Text: hash}, "text", true)
	f("another text", Sealed{Model: "m", Text: hash}, "texts", false)
	f("the text left out", Sealed{Model: "m", Text: hash}, "", false)
	f("no text, then or now", Sealed{Model: "m"}, "", true)
	f("a text where there was none", Sealed{Model: "m"}, "text", false)
	f("an envelope of before, which knows of neither", Sealed{}, "text", true)
}
