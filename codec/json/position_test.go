package json

import "testing"

func TestFindFault(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := FindFault([]byte(text)).String(); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
	f(`{"a":}`, "invalid character '}' looking for beginning of value at byte 6 (line 1, column 6)")
	f("{\n  \"a\": 1,\n  \"b\" 2\n}", "invalid character '2' after object key at byte 19 (line 3, column 7)")
	f("{\"\u4f60\u597d\":x}", "invalid character 'x' looking for beginning of value at byte 11 (line 1, column 7)")
	f(`{"a":1`, "unexpected end of JSON input at byte 7 (line 1, column 7)")
	f("", "unexpected end of JSON input at byte 1 (line 1, column 1)")
	f("{}\n{}", "invalid character '{' after top-level value at byte 4 (line 2, column 1)")
	f("x", "invalid character 'x' looking for beginning of value at byte 1 (line 1, column 1)")
}

func TestFaultAt(t *testing.T) {
	got := FaultAt([]byte("ab\ncd\xff"), 5, "invalid UTF-8")
	want := Fault{Offset: 5, Line: 2, Column: 3, Reason: "invalid UTF-8"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCheck(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got := ""
		if err := Check([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
	f(`{"a":[1,"x"]}`, "")
	f(`{"a":"\q"}`, "invalid character 'q' in string escape code at byte 8 (line 1, column 8)")
	f("[\"\n\"]", `invalid character '\n' in string literal at byte 3 (line 1, column 3)`)
	f(`{"a":}`, "invalid character '}' looking for beginning of value at byte 6 (line 1, column 6)")
}
