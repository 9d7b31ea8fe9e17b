package responses

import (
	"strconv"

	"octopus/codec/json"
)

// appendLogprobs appends the elements of an array of log probabilities, Chat's or our own, without its brackets. Here every
// token has its bytes; where the upstream gives none they are those of its text.
func appendLogprobs(dst, array []byte) []byte {
	first := true
	e := json.Array(array)
	for e.Next() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendLogprob(dst, e.Value(), true), '}')
	}
	return dst
}

// appendLogprob appends one token without the closing brace, and its alternatives when there can be some.
func appendLogprob(dst, object []byte, alternatives bool) []byte {
	var token, logprob, list, top []byte
	m := json.Object(object)
	for m.Next() {
		value := nonNull(m.Value())
		switch string(m.Key) {
		case "token":
			token = value
		case "logprob":
			logprob = value
		case "bytes":
			list = value
		case "top_logprobs":
			top = value
		}
	}
	text, ok := json.Unquote(token)
	dst = append(dst, `{"token":`...)
	if ok {
		dst = json.AppendString(dst, text)
	} else {
		dst = append(dst, `""`...)
	}
	dst = append(dst, `,"logprob":`...)
	if len(logprob) == 0 {
		logprob = []byte("0")
	}
	dst = append(append(dst, logprob...), `,"bytes":`...)
	if len(list) > 0 && list[0] == '[' {
		dst = appendLine(dst, list)
	} else {
		dst = append(dst, '[')
		for i, c := range text {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(dst, int64(c), 10)
		}
		dst = append(dst, ']')
	}
	if !alternatives {
		return dst
	}
	dst = append(dst, `,"top_logprobs":[`...)
	first := true
	e := json.Array(top)
	for e.Next() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendLogprob(dst, e.Value(), false), '}')
	}
	return append(dst, ']')
}
