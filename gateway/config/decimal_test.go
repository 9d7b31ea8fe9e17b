package config

import (
	"math"
	"strings"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text   string
		places int
		want   int64
	}{
		{"0", 6, 0},
		{"0.000", 6, 0},
		{"0e999", 6, 0},
		{"1", 6, 1_000_000},
		{"1.25", 6, 1_250_000},
		{"1.5625", 6, 1_562_500},
		{"0.000001", 6, 1},
		{"0.1", 9, 100_000_000}, // 0.1 has no exact float64
		{"0.30000000000000000000", 6, 300_000},
		{"00010", 0, 10},
		{".5", 1, 5},
		{"5.", 1, 50},
		{"1e-6", 6, 1},
		{"1.5E+1", 6, 15_000_000},
		{"1250000e-6", 6, 1_250_000},
		{"100e-8", 6, 1},
		{"9223372036854775807", 0, math.MaxInt64},
		{"9223372036.854775807", 9, math.MaxInt64},
	} {
		if got, problem := parseDecimal(c.text, c.places); got != c.want || problem != "" {
			t.Errorf("parseDecimal(%q, %d) = %d, %q; want %d", c.text, c.places, got, problem, c.want)
		}
	}
}

func TestBadDecimals(t *testing.T) {
	const notNumber, places, large = "must be a decimal number", "must have at most 6 decimal places", "is too large"
	for text, want := range map[string]string{
		"":                       notNumber,
		".":                      notNumber,
		"e1":                     notNumber,
		"1e":                     notNumber,
		"1e1000":                 notNumber,
		"+1":                     notNumber,
		"1_000":                  notNumber,
		"1,5":                    notNumber,
		"0x10":                   notNumber,
		"NaN":                    notNumber,
		".inf":                   notNumber,
		"1 ":                     notNumber,
		"-1":                     "must not be negative",
		"-0":                     "must not be negative",
		"0.0000001":              places,
		"1.0000001":              places,
		"1e-7":                   places,
		"1e-999":                 places,
		"9223372036854.775808":   large,
		"9223372036855":          large,
		"1e13":                   large,
		"1e999":                  large,
		strings.Repeat("9", 999): large,
	} {
		if got, problem := parseDecimal(text, 6); got != 0 || problem != want {
			t.Errorf("parseDecimal(%q) = %d, %q; want %q", text, got, problem, want)
		}
	}
}
