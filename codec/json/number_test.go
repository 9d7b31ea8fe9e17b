package json

import (
	"math"
	"strconv"
	"testing"
)

func TestInt(t *testing.T) {
	f := func(value string, want int64, wantOK bool) {
		t.Helper()
		if got, ok := Int([]byte(value)); got != want || ok != wantOK {
			t.Errorf("%s: got %d, %v, want %d, %v", value, got, ok, want, wantOK)
		}
	}
	f("0", 0, true)
	f("42", 42, true)
	f("999999999999999999", 999999999999999999, true)
	f("-7", -7, true)
	f("12.0", 12, true)
	f("12.9", 12, true)
	f("1.5e3", 1500, true)
	f("1e400", math.MaxInt64, true)
	f("-1e400", math.MinInt64, true)
	f("99999999999999999999", math.MaxInt64, true)
	f("1e-400", 0, true)
	f(`"12"`, 0, false)
	f("null", 0, false)
	f("true", 0, false)
	f("", 0, false)
	f("-", 0, false)
}

func FuzzInt(f *testing.F) {
	f.Add("123")
	f.Add("-1.5E+7")
	f.Fuzz(func(t *testing.T, value string) {
		want, err := strconv.ParseInt(value, 10, 53)
		if got, ok := Int([]byte(value)); err == nil && value[0] != '+' && (!ok || got != want) {
			t.Errorf("%q: got %d, %v, want %d", value, got, ok, want)
		}
	})
}
