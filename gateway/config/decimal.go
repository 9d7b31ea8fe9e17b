package config

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// decimalText is a number without sign as YAML and JSON write it.
var decimalText = regexp.MustCompile(`^([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?$`)

// parseDecimal returns the number in text times 10 to the power of places, exactly. It returns what is wrong with text
// when that is no number, is less than zero, has digits beyond places, or does not fit.
func parseDecimal(text string, places int) (value int64, problem string) {
	if strings.HasPrefix(text, "-") {
		return 0, "must not be negative"
	}
	parts := decimalText.FindStringSubmatch(text)
	if parts == nil || parts[1]+parts[2] == "" {
		return 0, "must be a decimal number"
	}
	exponent := 0
	if parts[3] != "" {
		exponent, _ = strconv.Atoi(parts[3]) // three digits always fit
	}
	digits := strings.TrimLeft(parts[1]+parts[2], "0")
	if digits == "" {
		return 0, ""
	}
	zeros := places + exponent - len(parts[2])
	if zeros < 0 {
		significant := strings.TrimRight(digits, "0")
		if len(digits)-len(significant) < -zeros {
			return 0, "must have at most " + strconv.Itoa(places) + " decimal places"
		}
		digits = digits[:len(digits)+zeros]
		zeros = 0
	}
	const longest = len("9223372036854775807")
	if len(digits)+zeros > longest {
		return 0, "is too large"
	}
	whole, err := strconv.ParseUint(digits+strings.Repeat("0", zeros), 10, 64)
	if err != nil || whole > math.MaxInt64 {
		return 0, "is too large"
	}
	return int64(whole), ""
}
