package config

import "testing"

func TestParseByteSize(t *testing.T) {
	const notSize, large = "must be a size such as 256MiB or 10GiB", "is too large"
	for _, c := range []struct {
		text    string
		want    int64
		problem string
	}{
		{"0", 0, ""},
		{"4096", 4096, ""},
		{"4096B", 4096, ""},
		{"1KiB", 1024, ""},
		{"256MiB", 256 << 20, ""},
		{"10GiB", 10 << 30, ""},
		{"10 GiB", 10 << 30, ""},
		{"2TiB", 2 << 40, ""},
		{"3kB", 3000, ""},
		{"3KB", 3000, ""},
		{"5MB", 5e6, ""},
		{"6GB", 6e9, ""},
		{"7TB", 7e12, ""},
		{"9223372036854775807", 9223372036854775807, ""},
		{"9223372036854775808", 0, large},
		{"8388608TiB", 0, large},
		{"99999999999999999999GiB", 0, large},
		{"", 0, notSize},
		{"GiB", 0, notSize},
		{"-1GiB", 0, notSize},
		{"1.5GiB", 0, notSize},
		{"1  GiB", 0, notSize},
		{"1gib", 0, notSize},
		{"1PiB", 0, notSize},
		{"1 ", 0, notSize},
	} {
		if got, problem := ParseByteSize(c.text); got != c.want || problem != c.problem {
			t.Errorf("ParseByteSize(%q) = %d, %q; want %d, %q", c.text, got, problem, c.want, c.problem)
		}
	}
}
