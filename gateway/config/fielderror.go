package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// FieldError is one bad value of a configuration.
type FieldError struct {
	// Path is the field in the words of the file, as in channels["main"].base_url: objects stand under their name, or under
	// their place in the list when they have none of their own. Empty when the file as a whole is meant.
	Path string
	// Line is the line of the file, from 1; 0 when unknown or when the value came from elsewhere.
	Line int
	// Message says what is wrong. It never shows a secret.
	Message string
}

// Error returns line, path and message, as far as known.
func (e *FieldError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Bounds of an error list, so that a broken file of any size gives a readable answer.
const (
	maxFieldErrors = 100
	maxShownErrors = 10
)

// FieldErrors are all bad values of a configuration; the first 100 when there are more. Never empty when returned.
type FieldErrors []*FieldError

// Error returns the first ten on one line.
func (e FieldErrors) Error() string {
	var b strings.Builder
	for i, field := range e[:min(len(e), maxShownErrors)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(field.Error())
	}
	if more := len(e) - maxShownErrors; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns the single errors, so that errors.As finds the first *FieldError.
func (e FieldErrors) Unwrap() []error {
	all := make([]error, len(e))
	for i, field := range e {
		all[i] = field
	}
	return all
}

// add notes one bad value. Beyond the bound it does nothing.
func (e *FieldErrors) add(path string, line int, message string) {
	if len(*e) < maxFieldErrors {
		*e = append(*e, &FieldError{Path: path, Line: line, Message: message})
	}
}

// sorted sorts by line, errors without one last, and returns e.
func (e FieldErrors) sorted() FieldErrors {
	// 0 becomes the largest.
	slices.SortStableFunc(e, func(a, b *FieldError) int { return cmp.Compare(uint(a.Line)-1, uint(b.Line)-1) })
	return e
}

// orNil returns nil as a nil error when there are none.
func (e FieldErrors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
