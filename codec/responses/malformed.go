package responses

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// The codes of errors about a request's fields.
const (
	codeMissing          = "missing_required_parameter"
	codeType             = "invalid_type"
	codeValue            = "invalid_value"
	codeUnsupportedValue = "unsupported_value"
	codeUnsupportedField = "unsupported_parameter"
	codeUnsupportedItem  = "unsupported_item"
)

// malformed makes an error about the value that is being read. The message is what has to be said behind the field's name,
// which is put together by under and within on the way up.
func malformed(code, message string) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Code: code, Message: message, NoRetry: true}
}

// under says that err is about something below the member name. It returns nil for nil.
func under(name string, err *llm.Error) *llm.Error {
	if err == nil {
		return nil
	}
	if err.Param != "" && err.Param[0] != '[' {
		name += "."
	}
	err.Param = name + err.Param
	return err
}

// within says that err is about something in element index of the list name. It returns nil for nil.
func within(name string, index int, err *llm.Error) *llm.Error {
	if err == nil {
		return nil
	}
	return under(name+"["+strconv.Itoa(index)+"]", err)
}

// worded puts the name of the field in front of the message. It returns nil for nil.
func worded(err *llm.Error) *llm.Error {
	if err != nil && err.Param != "" {
		err.Message = "`" + err.Param + "` " + err.Message
	}
	return err
}

// The functions below read one value that a cursor found. A missing or null value leaves the target as it is.

func readString(value []byte, into *string) *llm.Error {
	text, err := readText(value)
	if text != nil {
		*into = json.Borrow(text)
	}
	return err
}

func readText(value []byte) ([]byte, *llm.Error) {
	if json.IsNull(value) {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, malformed(codeType, "must be a string")
	}
	text, ok := json.Unquote(value)
	if !ok {
		return nil, malformed(codeValue, "holds an escape that JSON does not know")
	}
	return text, nil
}

func readInt(value []byte, into **int64) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	n, ok := json.Int(value)
	if !ok {
		return malformed(codeType, "must be an integer")
	}
	*into = &n
	return nil
}

func readNumber(value []byte, into *[]byte) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	if value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return malformed(codeType, "must be a number")
	}
	*into = value
	return nil
}

func readBool(value []byte, into **bool) *llm.Error {
	switch string(value) {
	case "", "null":
		return nil
	case "true", "false":
		b := len(value) == len("true")
		*into = &b
		return nil
	}
	return malformed(codeType, "must be true or false")
}

func readObject(value []byte, into *[]byte) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	if value[0] != '{' {
		return malformed(codeType, "must be an object")
	}
	*into = value
	return nil
}

func readArray(value []byte, into *[]byte) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	if value[0] != '[' {
		return malformed(codeType, "must be an array")
	}
	*into = value
	return nil
}
