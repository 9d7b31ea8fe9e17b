package config

import (
	"errors"
	"fmt"
	"strings"
)

// expand replaces each ${VAR} of text by the value that lookup has for VAR, and each $${ by ${. Values are not expanded
// again. It returns an error when a variable is unset or not written as such; the error shows no text but the name of an
// unset variable. At most limit bytes come of it.
func expand(text string, limit int, lookup func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			b.WriteString(text)
			return b.String(), nil
		}
		if literal, escaped := strings.CutSuffix(before, "$"); escaped {
			b.WriteString(literal)
			b.WriteString("${")
			text = after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !isVariable(name) {
			return "", errors.New(`"${" does not begin the name of a variable as in ${NAME}; write "$${" for the characters themselves`)
		}
		value, set := lookup(name)
		if !set {
			return "", fmt.Errorf("the variable %s is not set", name)
		}
		b.WriteString(before)
		b.WriteString(value)
		if b.Len() > limit {
			return "", errors.New("the variables up to here stand for more than 8 MiB")
		}
		text = rest
	}
}

// maxVariable is the longest name of a variable.
const maxVariable = 128

// isVariable says whether name is one of letters, digits and underscores, not beginning with a digit.
func isVariable(name string) bool {
	if name == "" || len(name) > maxVariable || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	for i := range len(name) {
		if !isAlphanumeric(name[i]) && name[i] != '_' {
			return false
		}
	}
	return true
}
