package llm

import (
	"strings"
	"testing"
)

// TestToolNamesFitTheirTarget is the regression test of protocols.md E, row 92.
func TestToolNamesFitTheirTarget(t *testing.T) {
	taken := map[string]bool{}
	name := func(namespace, name string, limit int) string {
		return WireName(namespace, name, limit, func(s string) bool { return taken[s] })
	}
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(name("", "get_weather", 64), "get_weather")
	f(name("files", "read", 64), "files__read")
	long := strings.Repeat("n", 83)
	cut := name("", long, 64)
	if len(cut) != 64 || !strings.HasPrefix(cut, strings.Repeat("n", 54)+"_") {
		t.Errorf("got %q, want 54 characters, an underscore and 9 of a hash", cut)
	}
	f(name("", long, 128), long)
	dotted := name("", "a.b", 64)
	if !strings.HasPrefix(dotted, "a_b_") || len(dotted) != 13 {
		t.Errorf("got %q, want a_b_ and 9 characters", dotted)
	}
	if other := name("", "a:b", 64); other == dotted {
		t.Errorf("a.b and a:b are both %q", other)
	}
	// a legal name that is taken, and a hash that is taken
	taken["files__read"] = true
	hashed := name("files", "read", 64)
	if hashed == "files__read" || !strings.HasPrefix(hashed, "files__read_") {
		t.Errorf("got %q, want files__read_ and a hash", hashed)
	}
	taken[hashed] = true
	if longer := name("files", "read", 64); len(longer) != len(hashed)+1 || !strings.HasPrefix(longer, hashed) {
		t.Errorf("got %q, want %q and one more character", longer, hashed)
	}
	if a, b := name("a", "b__files.", 64), name("a__b", "files.", 64); a == b {
		t.Errorf("two tools are both %q", a)
	}
	if got := name("", "", 64); !isWireName(got, 64) {
		t.Errorf("an empty name became %q", got)
	}
}
