package gatewaytest

import (
	"bytes"
	"encoding/json"
	"iter"
)

// The scanner walks JSON without decoding it. It looks only as closely as finding the ends of values needs: brackets are
// counted, not matched, and literals are not spelled out. Options.Validate checks bodies with encoding/json first.

// valueEnd returns the index behind the JSON value that starts at or after b[i], or -1.
func valueEnd(b []byte, i int) int {
	i = skipSpace(b, i)
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			case '"':
				if i = stringEnd(b, i); i < 0 {
					return -1
				}
				continue
			}
			i++
		}
		return -1
	}
	start := i
	for i < len(b) && (b[i] == '-' || b[i] == '+' || b[i] == '.' || b[i]-'0' < 10 || b[i]|0x20-'a' < 26) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// stringEnd returns the index behind the string whose opening quote is b[i], or -1.
func stringEnd(b []byte, i int) int {
	i++
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		end := i + n
		slashes := 0
		for slashes < end-i && b[end-1-slashes] == '\\' {
			slashes++
		}
		i = end + 1
		if slashes%2 == 0 {
			return i
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// members yields the keys, without quotes and as spelled, and the values of the JSON object that value is. It yields
// nothing for another value and stops at what is not JSON.
func members(value []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		i := skipSpace(value, 0)
		if i >= len(value) || value[i] != '{' {
			return
		}
		for {
			if i = skipSpace(value, i+1); i >= len(value) || value[i] != '"' {
				return
			}
			keyEnd := stringEnd(value, i)
			if keyEnd < 0 {
				return
			}
			key := value[i+1 : keyEnd-1]
			if i = skipSpace(value, keyEnd); i >= len(value) || value[i] != ':' {
				return
			}
			start := skipSpace(value, i+1)
			end := valueEnd(value, start)
			if end < 0 || !yield(key, value[start:end]) {
				return
			}
			if i = skipSpace(value, end); i >= len(value) || value[i] != ',' {
				return
			}
		}
	}
}

// elements yields the elements of the JSON array that value is. It yields nothing for another value.
func elements(value []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(value, 0)
		if i >= len(value) || value[i] != '[' {
			return
		}
		for {
			start := skipSpace(value, i+1)
			if start >= len(value) || value[start] == ']' {
				return
			}
			end := valueEnd(value, start)
			if end < 0 || !yield(value[start:end]) {
				return
			}
			if i = skipSpace(value, end); i >= len(value) || value[i] != ',' {
				return
			}
		}
	}
}

// member returns the last member of object with that key, or nil when there is none or it is null.
func member(object []byte, key string) []byte {
	var found []byte
	for k, v := range members(object) {
		if string(k) == key {
			found = v
		}
	}
	if string(found) == "null" {
		return nil
	}
	return found
}

// isString reports whether value is a JSON string.
func isString(value []byte) bool { return len(value) >= 2 && value[0] == '"' }

// appendDecoded appends the text of the JSON string that value is, and nothing for another value.
func appendDecoded(dst, value []byte) []byte {
	if !isString(value) {
		return dst
	}
	// Fast path: nothing is escaped.
	if bytes.IndexByte(value, '\\') < 0 {
		return append(dst, value[1:len(value)-1]...)
	}
	// Slow path: escapes, surrogate pairs among them.
	var s string
	if json.Unmarshal(value, &s) != nil {
		return dst
	}
	return append(dst, s...)
}

// decodedLen returns how many bytes appendDecoded would append.
func decodedLen(value []byte) int {
	if !isString(value) {
		return 0
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return len(value) - 2
	}
	return len(appendDecoded(nil, value))
}
