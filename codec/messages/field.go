package messages

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// The codes of errors about a client's body, in OpenAI's words as everywhere.
const (
	codeInvalidJSON  = "invalid_json"
	codeMissing      = "missing_required_parameter"
	codeInvalidType  = "invalid_type"
	codeInvalidValue = "invalid_value"
)

// Readers make errors with the path from where they stand and a message that is only the predicate; at puts the path of the
// outer value before it while the error goes up, and sayPath makes a whole sentence of it at the end. So a path costs nothing
// until there is an error.

func missing(path string) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Code: codeMissing, Param: path, Message: "is required"}
}

func invalidType(path, want string) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Code: codeInvalidType, Param: path, Message: "must be " + want}
}

func invalidValue(path, message string) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Code: codeInvalidValue, Param: path, Message: message}
}

// at puts outer before the path of err.
func at(err *llm.Error, outer string) *llm.Error {
	switch {
	case err.Param == "":
		err.Param = outer
	case err.Param[0] == '[':
		err.Param = outer + err.Param
	default:
		err.Param = outer + "." + err.Param
	}
	return err
}

// sayPath makes a sentence of the path and the predicate of err.
func sayPath(err *llm.Error) *llm.Error {
	if err.Param != "" {
		err.Message = "`" + err.Param + "` " + err.Message
	}
	return err
}

// readText reads a string as bytes. Null leaves *text alone.
func readText(text *[]byte, value []byte, path string) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	decoded, ok := json.Unquote(value)
	switch {
	case ok:
		*text = decoded
	case value[0] == '"':
		return invalidValue(path, "has an escape that JSON doesn't know")
	default:
		return invalidType(path, "a string")
	}
	return nil
}

// readString reads a string, borrowed from value where it has no escapes. Null leaves *s alone.
func readString(s *string, value []byte, path string) *llm.Error {
	var text []byte
	if err := readText(&text, value, path); err != nil {
		return err
	}
	if text != nil {
		*s = json.Borrow(text)
	}
	return nil
}

// readStrings reads an array of strings. Null leaves *list alone.
func readStrings(list *[]string, value []byte, path string) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	e := json.Array(value)
	for e.Next() {
		var s string
		if json.IsNull(e.Value()) {
			return invalidType(path, "an array of strings")
		}
		if err := readString(&s, e.Value(), ""); err != nil {
			return invalidType(path, "an array of strings")
		}
		*list = append(*list, s)
	}
	if !e.Complete() {
		return invalidType(path, "an array of strings")
	}
	return nil
}

// readNumber keeps the text of a number. Null leaves *number alone.
func readNumber(number *[]byte, value []byte, path string) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	if _, ok := json.Int(value); !ok {
		return invalidType(path, "a number")
	}
	*number = value
	return nil
}

// readCount reads an integer that is not negative. Null leaves *count alone.
func readCount(count **int64, value []byte, path string) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	n, ok := json.Int(value)
	switch {
	case !ok:
		return invalidType(path, "an integer")
	case n < 0 || value[0] == '-' && n != 0:
		return invalidValue(path, "must not be negative")
	}
	*count = &n
	return nil
}

// readBool reads true or false. Null leaves *b alone.
func readBool(b *bool, value []byte, path string) *llm.Error {
	switch string(value) {
	case "", "null":
	case "true":
		*b = true
	case "false":
		*b = false
	default:
		return invalidType(path, "a boolean")
	}
	return nil
}

// readCache reads a mark of caching, {"type":"ephemeral","ttl":"1h"}. Null leaves *ttl alone.
func readCache(ttl *llm.CacheTTL, value []byte, path string) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	if value[0] != '{' {
		return invalidType(path, "an object")
	}
	*ttl = llm.CacheShort
	if string(json.Get(value, "ttl")) == `"1h"` {
		*ttl = llm.CacheLong
	}
	return nil
}
