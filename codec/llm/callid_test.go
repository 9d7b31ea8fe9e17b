package llm

import (
	"strings"
	"testing"
)

// TestForeignCallIDsAreHashed is the regression test of protocols.md E, rows 93 to 95.
func TestForeignCallIDsAreHashed(t *testing.T) {
	f := func(id, want string) {
		t.Helper()
		if got := string(AppendCallID(nil, id)); got != want {
			t.Errorf("AppendCallID(%q) = %q, want %q", id, got, want)
		}
	}
	// what every provider accepts is never changed
	f("call_abc-DEF_123", "call_abc-DEF_123")
	f("toolu_01A", "toolu_01A")
	f("0", "0")
	f(strings.Repeat("a", 64), strings.Repeat("a", 64))
	// an empty id is the reader's
	f("", "")
	// Kimi's ids have dots and colons
	f("functions.x:0", "call_isdcj5ov26beoveteg6tfufxwb")
	for _, id := range []string{"functions.x:1", strings.Repeat("a", 65), strings.Repeat("z", 446), "é", " "} {
		got := string(AppendCallID(nil, id))
		if len(got) != 31 || !isWireName(got, maxCallID) {
			t.Errorf("AppendCallID(%q) = %q, want call_ and 26 characters", id, got)
		}
		if again := string(AppendCallID(nil, got)); again != got {
			t.Errorf("AppendCallID(%q) = %q, want no further change", got, again)
		}
	}
	if a, b := AppendCallID(nil, strings.Repeat("a", 65)), AppendCallID(nil, strings.Repeat("a", 66)); string(a) == string(b) {
		t.Errorf("two long ids became one: %q", a)
	}
}

func TestCallIDByPlace(t *testing.T) {
	if got := string(AppendCallIDAt([]byte("x"), 12, 3)); got != "xcall_12_3" {
		t.Errorf("got %q, want xcall_12_3", got)
	}
}

func TestCallIDsWithinTheBoundsOfAnUpstream(t *testing.T) {
	f := func(kind CallIDs, id, want string) {
		t.Helper()
		got := string(kind.Append([]byte("x"), id))
		if got != "x"+want {
			t.Errorf("CallIDs(%d).Append(%q) = %q, want %q", kind, id, got, want)
		}
		if again := string(kind.Append(nil, want)); again != want {
			t.Errorf("CallIDs(%d).Append(%q) = %q, want no further change", kind, want, again)
		}
	}
	f(CallIDsNative, strings.Repeat("a", 64), strings.Repeat("a", 64))
	f(CallIDsNative, "functions.x:0", "call_isdcj5ov26beoveteg6tfufxwb")
	f(CallIDsShort, strings.Repeat("a", 40), strings.Repeat("a", 40))
	f(CallIDsShort, strings.Repeat("a", 41), "call_yd4l2tn4fmgaged4dq3zcpzkou")
	f(CallIDsShort, "functions.x:0", "call_isdcj5ov26beoveteg6tfufxwb")
	f(CallIDsShort, "", "")
	f(CallIDsMistral, "aB3456789", "aB3456789")
	f(CallIDsMistral, "call_0_01", "fygpdcbj2")
	f(CallIDsMistral, "toolu_01A", "lk6i274r2")
	f(CallIDsMistral, "functions.x:0", "isdcj5ov2")
	f(CallIDsMistral, "", "")
}
