package json

import (
	"math"
	"strconv"
)

// Int reads value, a JSON number, as an integer. Fractions are cut off; what is beyond int64 becomes its largest or
// smallest value. It returns false for anything but a number.
func Int(value []byte) (n int64, ok bool) {
	// Fast path: a plain integer that can't overflow.
	if d := digits(value); d == len(value) && d > 0 && d <= 18 {
		for _, c := range value {
			n = n*10 + int64(c-'0')
		}
		return n, true
	}
	if len(value) == 0 || value[0] != '-' && digits(value[:1]) == 0 {
		return 0, false
	}
	// Slow path: signs, fractions, exponents. The syntax was checked by the cursor that found the value; a number out
	// of range comes as an infinity together with an error.
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f <= math.MinInt64:
		return math.MinInt64, true
	}
	return int64(f), true
}
