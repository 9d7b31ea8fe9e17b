package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestAliasesStandForValues(t *testing.T) {
	c := mustApply(t, Empty(), `
groups:
  - {name: a, policy: &careful {attempts: 1, cooldown: {base: 1s, max: 1s}}}
  - {name: b, policy: *careful, &m mode: random}
  - {name: c, *m : failover}
api_keys:
  - {name: k, key: &x sk-octopus-0123456789abcdef, groups: &all ["*"], channels: *all}
`)
	if c.Groups[1].Policy != c.Groups[0].Policy || c.Groups[1].Policy.Attempts != 1 {
		t.Errorf("policy %+v, want that of the other group", c.Groups[1].Policy)
	}
	if c.Groups[1].Mode != ModeRandom || c.Groups[2].Mode != ModeFailover {
		t.Errorf("modes %s and %s, want random and failover", c.Groups[1].Mode, c.Groups[2].Mode)
	}
	if got := c.APIKeys[0].Channels; len(got) != 1 || got[0] != "*" {
		t.Errorf("channels %q, want all", got)
	}
}

func TestAliasesAreBounded(t *testing.T) {
	const want = "the aliases up to here stand for too much text or too deep lists"
	var wide, long, deep strings.Builder
	wide.WriteString("channels:\n- &a0 {k: v}\n")
	for i := range 30 {
		fmt.Fprintf(&wide, "- &a%d [*a%d, *a%d, *a%d]\n", i+1, i, i, i)
	}
	long.WriteString("channels:\n- &a " + strings.Repeat("x", 1<<20) + "\n")
	long.WriteString(strings.Repeat("- *a\n", 16))
	deep.WriteString("channels:\n- &a0 x\n")
	for i := range 20 {
		fmt.Fprintf(&deep, "- &a%d %s*a%d%s\n", i+1, strings.Repeat("[", 10), i, strings.Repeat("]", 10))
	}
	for _, c := range []struct {
		name, text string
		line       int
	}{
		{"many values", wide.String(), 16},
		{"much text", long.String(), 17},
		{"deep lists", deep.String(), 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseFile([]byte(c.text), nil)
			if want := fmt.Sprintf("line %d: %s", c.line, want); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestJSONEscapes(t *testing.T) {
	for _, c := range []struct{ name, json, want string }{
		{"a pair", `"\ud83d\ude00"`, "😀"},
		{"a pair in capitals between other escapes", `"\u00e9\uD83D\uDE00\n\/\t"`, "é😀\n/\t"},
		{"an escaped backslash before the u", `"\\ud83d\\ude00 \\\ud83d\ude00"`, `\ud83d\ude00 \😀`},
		{"no pair", `"\u0041"`, "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := `{"channels":[{"name":"a","type":"anthropic","base_url":"https://a.example","params":{"x":` + c.json + `}}]}`
			got := mustApply(t, Empty(), text).Channels[0].Params
			if want := string(appendJSONText([]byte(`{"x":`), c.want)) + "}"; string(got) != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	const half = "{\"settings\":\n{\"proxy\":\"\\ud83d\"}}"
	if _, err := ParseFile([]byte(half), nil); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("half a pair: error %v, want one on line 2", err)
	}
	const text = `settings: {price_sync_url: '\ud83d\ude00'}`
	if got := string(joinSurrogates([]byte(text))); got == text {
		t.Fatal("the test proves nothing: no pair to replace")
	}
	root, problem := parseDocument([]byte(text))
	if problem != nil || root.Content[1].Content[1].Value != `\ud83d\ude00` {
		t.Errorf("YAML without escapes was taken for JSON: %v", problem)
	}
}
