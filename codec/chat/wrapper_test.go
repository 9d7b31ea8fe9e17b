package chat

import "testing"

func TestUnwrapCustomInput(t *testing.T) {
	for _, c := range []struct{ name, arguments, want string }{
		{"plain", `{"input":"abc"}`, "abc"},
		{"white space", " {\n\"input\" :\t\"abc\" } ", "abc"},
		{"escapes", `{"input":"a\n\t\"\\\/\u00e9\u20ac"}`, "a\n\t\"\\/é€"},
		{"a surrogate pair", `{"input":"a\ud83d\ude00b"}`, "a😀b"},
		{"half a pair at the end", `{"input":"a\ud83d"}`, "a\ufffd"},
		{"half a pair before another escape", `{"input":"a\ud83d\nb"}`, "a\ufffd\nb"},
		{"half a pair before text", `{"input":"a\ud83db"}`, "a\ufffdb"},
		{"an escape that JSON doesn't know", `{"input":"a\qb"}`, "a\ufffdb"},
		{"empty", `{"input":""}`, ""},
		{"no arguments", ``, ""},
		{"an empty object", `{}`, ""},
		{"cut off", `{"input":"ab`, "ab"},
		{"cut off in an escape", `{"input":"ab\u00`, "ab\ufffd"},
		{"cut off before the input", `{"inp`, `{"inp`},
		{"another member first", `{"x":1,"input":"a"}`, `{"x":1,"input":"a"}`},
		{"input that is no string", `{"input":{"a":1}}`, `{"input":{"a":1}}`},
		{"no object", `just text`, `just text`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for first := range len(c.arguments) + 1 {
				for second := first; second <= len(c.arguments); second++ {
					var w wrapper
					var got []byte
					for _, piece := range []string{c.arguments[:first], c.arguments[first:second], c.arguments[second:]} {
						got = w.feed(got, []byte(piece))
					}
					if got = w.end(got); string(got) != c.want {
						t.Fatalf("cut at %d and %d: got %q, want %q", first, second, got, c.want)
					}
				}
			}
		})
	}
}
