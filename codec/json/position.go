package json

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Fault says where a text stops being JSON, and why.
type Fault struct {
	// Offset is where, counted in bytes from 0. It is the length of the text when something is missing at its end.
	Offset int
	// Line and Column are the same place for people, counted from 1. Columns are characters.
	Line, Column int
	// Reason is what is wrong there, in English.
	Reason string
}

// String returns the reason and the place: "unexpected end of JSON input at byte 8 (line 1, column 9)". Bytes are
// counted from 1 here, as people do.
func (f Fault) String() string {
	return fmt.Sprintf("%s at byte %d (line %d, column %d)", f.Reason, f.Offset+1, f.Line, f.Column)
}

// Check returns nil when text is JSON to the letter, the insides of strings included, else an error with the place of
// the first fault. It is slow, and meant for configuration and for what models write
// as JSON.
func Check(text []byte) error {
	if json.Valid(text) && Valid(text) {
		return nil
	}
	return errors.New(FindFault(text).String())
}

// FindFault returns what is wrong with text, which Valid or a cursor has refused. It reads the text a second time,
// slowly but with good words; it is meant for error messages.
func FindFault(text []byte) Fault {
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	offset, reason := 0, "" // without an error of encoding/json, it is the depth, of which it allows more
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset, reason = int(syntax.Offset), syntax.Error()
		// It counts the offending byte as read, and has none to count at the end of the text.
		if offset > 0 && reason != "unexpected end of JSON input" {
			offset--
		}
	}
	if reason == "" || strings.HasSuffix(reason, "exceeded max depth") {
		reason = fmt.Sprintf("nested deeper than %d levels", MaxDepth)
	}
	return FaultAt(text, offset, reason)
}

// FaultAt returns a Fault for a place that the caller knows.
func FaultAt(text []byte, offset int, reason string) Fault {
	f := Fault{Offset: offset, Line: 1, Reason: reason}
	lineStart := 0
	for i, c := range text[:offset] {
		if c == '\n' {
			f.Line++
			lineStart = i + 1
		}
	}
	f.Column = utf8.RuneCount(text[lineStart:offset]) + 1
	return f
}
