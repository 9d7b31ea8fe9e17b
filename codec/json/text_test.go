package json

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendString(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := string(AppendString([]byte("<"), s)); got != "<"+want {
			t.Errorf("%q: got %s, want %s", s, got[1:], want)
		}
		if got := string(AppendString([]byte("<"), []byte(s))); got != "<"+want {
			t.Errorf("%q as bytes: got %s, want %s", s, got[1:], want)
		}
	}
	f("", `""`)
	f("gpt-5.4", `"gpt-5.4"`)
	f("a\"b\\c", `"a\"b\\c"`)
	f("\n\r\t\x00\x1f\x7f", `"\n\r\t\u0000\u001f`+"\x7f\"")
	f("<b>&</b>", `"<b>&</b>"`)
	f("\u4f60\u597d \U0001f600 \u2028", "\"\u4f60\u597d \U0001f600 \u2028\"")
	f("a\xffb\xc3", "\"a\ufffdb\ufffd\"")
	f("\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\"")
}

func TestUnquote(t *testing.T) {
	f := func(value, want string, wantOK bool) {
		t.Helper()
		got, ok := Unquote([]byte(value))
		if string(got) != want || ok != wantOK {
			t.Errorf("%s: got %q, %v, want %q, %v", value, got, ok, want, wantOK)
		}
	}
	f(`""`, "", true)
	f(`"abc"`, "abc", true)
	f(`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", true)
	f(`"\u0041\u00e9\u4F60"`, "A\u00e9\u4f60", true)
	f(`"\ud83d\ude00!"`, "\U0001f600!", true)
	f(`"\ud83dx"`, "\ufffdx", true)
	f(`"\ud83d\u0041"`, "\ufffdA", true)
	f(`"\ude00"`, "\ufffd", true)
	f(`"\q"`, "", false)
	f(`"\u12g4"`, "", false)
	f(`"\u12"`, "", false)
	f(`"\"`, "", false)
	f(`1`, "", false)
	f(`null`, "", false)
	f(``, "", false)
	value := []byte(`"abc"`)
	if got, _ := Unquote(value); &got[0] != &value[1] {
		t.Error("a string without escapes was copied")
	}
}

func TestInvalidUTF8(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		if got := InvalidUTF8([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
	f("", -1)
	f("abc \u4f60 \U0001f600", -1)
	f("abc\xff", 3)
	f("\u4f60\xe4\xbd", 3)
	f("ab\xc0\x80", 2)
}

// FuzzText holds the conversions against encoding/json.
func FuzzText(f *testing.F) {
	f.Add("a\"\\\u4f60\xff\n\x00\u2028")
	f.Add(`\ud83d\ude00\q\u00zz`)
	f.Fuzz(func(t *testing.T, s string) {
		if (InvalidUTF8([]byte(s)) < 0) != utf8.ValidString(s) {
			t.Errorf("InvalidUTF8(%q) = %d", s, InvalidUTF8([]byte(s)))
		}
		quoted := AppendString(nil, s)
		var want string
		if err := json.Unmarshal(quoted, &want); err != nil {
			t.Fatalf("%q becomes %s: %v", s, quoted, err)
		}
		if got, ok := Unquote(quoted); !ok || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", quoted, got, ok, want)
		}
		value := []byte(`"` + s + `"`)
		if err := json.Unmarshal(value, &want); err != nil {
			return
		}
		got, ok := AppendUnquoted([]byte("<"), value)
		if !ok || string([]rune(string(got[1:]))) != want { // encoding/json corrects invalid UTF-8, as []rune does
			t.Errorf("%s: got %q, %v, want %q", value, got[1:], ok, want)
		}
	})
}

func TestAppendStringEverywhere(t *testing.T) {
	// Every byte that needs care, at every place of a text longer than the words it is read in.
	for at := range 20 {
		for _, odd := range []string{"\"", "\\", "\n", "\x00", "\x1f", "\x7f", "\u00e9", "\u2028", "\U0001f600", "\xff", "\xc3"} {
			text := strings.Repeat("a", at) + odd + strings.Repeat("b", 20-at)
			var got string
			if err := json.Unmarshal(AppendString(nil, text), &got); err != nil || got != strings.ToValidUTF8(text, "\ufffd") {
				t.Errorf("%q came back as %q, %v", text, got, err)
			}
			if bytes := AppendString(nil, []byte(text)); string(bytes) != string(AppendString(nil, text)) {
				t.Errorf("%q as bytes: %s", text, bytes)
			}
		}
	}
}

func TestAppendStringDoesNotAllocate(t *testing.T) {
	dst, text := make([]byte, 0, 1000), strings.Repeat("text with \"quotes\" ", 20)
	if n := testing.AllocsPerRun(100, func() { dst = AppendString(dst[:0], text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendString(b *testing.B) {
	text := strings.Repeat("A sentence of a prompt, as they are, without much to escape. ", 1600)
	dst := make([]byte, 0, 2*len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		dst = AppendString(dst[:0], text)
	}
}
