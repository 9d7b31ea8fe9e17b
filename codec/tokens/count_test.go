package tokens

import (
	"strings"
	"sync"
	"testing"
)

// TestKnownCounts has the examples of OpenAI's cookbook for o200k_base
// (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken) and what npm's gpt-tokenizer 4.0.0 says of others.
func TestKnownCounts(t *testing.T) {
	f := func(text string, want int64) {
		t.Helper()
		if got := Count([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
	f("", 0)
	f("antidisestablishmentarianism", 6)
	f("2 + 2 = 4", 7)
	f("お誕生日おめでとう", 8)
	f("hello world", 2)
	f(" ", 1)
	f("\n\n", 1)
	f("<|endoftext|>", 7) // a text, not the special token
	f(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`, 19)
	f("你好,世界。今天天气怎么样?", 9)
	f("a\x7fb", 3)
	f("👩\u200d👩\u200d👧 family\u0301", 10)
}

func TestTextsAreCountedTogether(t *testing.T) {
	if got := Count([]byte("hello world"), nil, []byte("2 + 2 = 4")); got != 9 {
		t.Errorf("got %d, want 9", got)
	}
	if got := Count(nil, nil); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
}

// whole counts a text that is handed to the tokenizer in one piece.
func whole(t *testing.T, text string) int64 {
	t.Helper()
	n, err := vocabulary().Count(text)
	if err != nil {
		t.Fatal(err)
	}
	return int64(n)
}

func TestCuttingChangesNoCountWhereThereAreWords(t *testing.T) {
	for name, text := range map[string]string{
		"prose":    strings.Repeat("It's the quick  brown fox, isn't it? 12345 times.\r\n\tAnd then he'll jump.\n\n", 300),
		"code":     strings.Repeat("\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"read %s: %w\", path, err)\n\t}\n\n", 300),
		"numbers":  strings.Repeat("1234567890 ", 3000),
		"accented": strings.Repeat("Größe naïve façade été Ελληνικά русский ", 500),
	} {
		if got, want := Count([]byte(text)), whole(t, text); got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
}

func TestCuttingInsideWordsCostsOneTokenPerPiece(t *testing.T) {
	for name, text := range map[string]string{
		"letters": strings.Repeat("a", 100_000),
		"base64":  strings.Repeat("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", 2000),
		"chinese": strings.Repeat("你好世界今天天气", 4000),
		"emoji":   strings.Repeat("😀", 20_000),
	} {
		got, want := Count([]byte(text)), whole(t, text)
		if slack := int64(2 * (len(text)/(maxPiece-4) + 1)); got < want-slack || got > want+slack {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
}

func TestLongTextsAreSampledFromAllOfThem(t *testing.T) {
	// The second half has four times the tokens of the first, so a prefix alone would be far off.
	half := 2 << 20
	text := []byte(strings.Repeat("understanding ", half/14) + strings.Repeat("a, ", half/3))
	want := whole(t, "understanding understanding") - whole(t, "understanding")
	if want != 1 {
		t.Fatalf("a repeated word is %d tokens, want 1", want)
	}
	want = int64(half/14 + 2*half/3)
	for name, got := range map[string]int64{"one": Count(text), "many": Count(text[:100_000], text[100_000:3<<20], text[3<<20:])} {
		if got < want*97/100 || got > want*103/100 {
			t.Errorf("%s: got %d, want about %d", name, got, want)
		}
	}
	several := make([][]byte, 200_000)
	for i := range several {
		several[i] = []byte("hello world")
	}
	if got := Count(several...); got < 396_000 || got > 404_000 {
		t.Errorf("short texts: got %d, want about 400000", got)
	}
}

func TestGuess(t *testing.T) {
	for n, want := range map[int]int64{0: 0, 1: 1, 3: 1, 4: 2, 7: 2, 8: 3, 3500: 1000, 1 << 30: 306783379} {
		if got := Guess(n); got != want {
			t.Errorf("%d bytes: got %d, want %d", n, got, want)
		}
	}
}

func TestTextsAreCountedAtTheSameTime(t *testing.T) {
	text := []byte(strings.Repeat("The quick brown fox. ", 500))
	want := Count(text)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got := Count(text); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
	group.Wait()
}

// FuzzCount checks that any bytes are counted, in pieces that put together are the text: no token is longer than 128 bytes or
// shorter than one, and another text costs what it costs alone.
func FuzzCount(f *testing.F) {
	for _, seed := range []string{"", "hello world", "a\xff\xfeb", "\r\n \r\n ", "\x7f", strings.Repeat("é ", 900), strings.Repeat("!/\n", 800)} {
		f.Add([]byte(seed), uint16(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		n := Count(text)
		if n < int64(len(text)+127)/128 || n > int64(len(text)) {
			t.Errorf("%d tokens of %d bytes", n, len(text))
		}
		half := min(int(at), len(text))
		first, second := text[:half], text[half:]
		if got, want := Count(first, second), Count(first)+Count(second); got != want && len(text) <= maxCounted {
			t.Errorf("%d tokens of two texts, want %d", got, want)
		}
		for rest := text; len(rest) > 0; {
			i := cut(rest)
			if i < 1 || i > maxPiece || i < len(rest) && i <= maxPiece/2 {
				t.Fatalf("cut at %d of %d", i, len(rest))
			}
			rest = rest[i:]
		}
	})
}
