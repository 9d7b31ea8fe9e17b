package config

import (
	"math"
	"strconv"
	"strings"
)

// byteUnits are the units of sizes, longest suffix first.
var byteUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

// ParseByteSize returns the bytes of a size such as 256MiB, 10 GB or 4096, or what is wrong with it.
func ParseByteSize(text string) (size int64, problem string) {
	number, unit := text, int64(1)
	for _, u := range byteUnits {
		if before, found := strings.CutSuffix(text, u.suffix); found {
			number, unit = strings.TrimSuffix(before, " "), u.bytes
			break
		}
	}
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return 0, "must be a size such as 256MiB or 10GiB"
	}
	whole, err := strconv.ParseInt(number, 10, 64)
	if err != nil || whole > math.MaxInt64/unit {
		return 0, "is too large"
	}
	return whole * unit, ""
}
