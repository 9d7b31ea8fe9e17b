package gatewaytest

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWordsAgree(t *testing.T) {
	for _, base := range []string{" a", " one two  three", " 你好 wörld\n👩‍🚀 end ", " x y z", greeting + `"quoted" \ and` + "\x00"} {
		for _, limit := range []words{
			{tokens: 1, size: never}, {tokens: 2, size: never}, {tokens: 3, size: never}, {tokens: 97, size: never},
			{tokens: never, size: 1}, {tokens: never, size: 2}, {tokens: never, size: 3}, {tokens: never, size: 4},
			{tokens: never, size: 5}, {tokens: never, size: 14}, {tokens: never, size: 15}, {tokens: never, size: 16},
			{tokens: never, size: 1000}, {tokens: 5, size: 1000}, {tokens: 5, size: 3}, {},
			{tokens: 2, size: never, big: []byte("xxx")},
		} {
			w := limit
			w.repeat([]byte(base))
			var joined []byte
			tokens := 0
			for token := range w.all {
				if len(token) == 0 {
					t.Fatalf("%q, %d tokens, %d bytes: empty token", base, limit.tokens, limit.size)
				}
				if !utf8.Valid(token) {
					t.Errorf("%q, %d tokens, %d bytes: token %q splits a character", base, limit.tokens, limit.size, token)
				}
				joined = append(joined, token...)
				tokens++
			}
			if got := w.count(); got != tokens {
				t.Errorf("%q, %d tokens, %d bytes: count = %d, want %d", base, limit.tokens, limit.size, got, tokens)
			}
			if got, want := w.appendEscaped([]byte("<")), appendEscaped([]byte("<"), joined); !bytes.Equal(got, want) {
				t.Errorf("%q, %d tokens, %d bytes: whole text\n got %q\nwant %q", base, limit.tokens, limit.size, got, want)
			}
			if limit.tokens == never && len(joined) != limit.size {
				t.Errorf("%q: %d bytes, want %d", base, len(joined), limit.size)
			}
			if limit.size == never && limit.big == nil && tokens != limit.tokens {
				t.Errorf("%q: %d tokens, want %d", base, tokens, limit.tokens)
			}
			if limit.tokens > 0 && limit.size > 1 && strings.HasPrefix(string(joined), " ") {
				t.Errorf("%q: the text begins with a space", base)
			}
		}
	}
}

func TestTokensAreWordsWithTheirSpace(t *testing.T) {
	w := words{tokens: never, size: 26}
	w.repeat([]byte(" Hello big wörld 你好 x"))
	var got []string
	for token := range w.all {
		got = append(got, string(token))
	}
	want := []string{"Hello", " big", " wörld", " 你", "好", " x", " "} // the last is cut short
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("tokens = %q, want %q", got, want)
	}
}
