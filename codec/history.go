package codec

import (
	"slices"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Bounds of what previous_response_id may lead to (protocols.md B.8).
const (
	// maxChain is how many responses a conversation may go back.
	maxChain = 1024
	// maxHistory is how large a conversation may become, in bytes.
	maxHistory = 64 << 20
)

// Recall finds what is remembered of earlier answers to the client that asks.
type Recall interface {
	// Response returns the record that Bridge.Remember made of the response with that id, or nil. It must not be changed.
	Response(id string) []byte
	// Item returns the record of the response that has an output item with that id, or nil. It must not be changed.
	Item(id string) []byte
	// Thoughts returns the record of the reasoning before the call with that id, or nil. It must not be changed.
	Thoughts(callID string) []byte
}

// A record of a response is a JSON object: "previous", the id of the response before it or null; "input", the array of items
// that the request brought; "response", the response object.

// appendRecord appends the record of a response. The input is the raw value of the request's "input".
func appendRecord(dst, input []byte, previous string, response []byte) []byte {
	dst = append(dst, `{"previous":`...)
	if previous == "" {
		dst = append(dst, "null"...)
	} else {
		dst = json.AppendString(dst, previous)
	}
	dst = append(appendItems(append(dst, `,"input":[`...), input), `],"response":`...)
	return append(append(dst, response...), '}')
}

// appendItems appends the items of an input, which is a string or an array, without brackets.
func appendItems(dst, input []byte) []byte {
	if len(input) > 0 && input[0] == '"' {
		return append(append(append(dst, `{"type":"message","role":"user","content":`...), input...), '}')
	}
	first := true
	for e := json.Array(input); e.Next(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		dst = append(dst, e.Value()...)
	}
	return dst
}

// needsHistory reports whether a request refers to earlier answers.
func needsHistory(r *llm.Request) bool {
	if r.PreviousResponseID != "" {
		return true
	}
	for i := range r.Turns {
		if slices.ContainsFunc(r.Turns[i].Items, func(it llm.Item) bool { return it.Kind == llm.Reference }) {
			return true
		}
	}
	return false
}

// appendResolved appends the body of a Responses request with everything in its input that it refers to: the responses before
// previous, and the items that stand for themselves. Instructions are not inherited.
func appendResolved(dst, body []byte, previous string, recall Recall) ([]byte, *llm.Error) {
	var chain [][]byte
	for id := previous; id != ""; {
		record := recall.Response(id)
		if record == nil || len(chain) == maxChain {
			return dst, &llm.Error{Kind: llm.NotFound, Code: "previous_response_not_found", Param: "previous_response_id", NoRetry: true,
				Message: "Previous response '" + id + "' is not known here. Send the whole conversation as input, with \"store\": false."}
		}
		chain = append(chain, record)
		text, _ := json.Unquote(json.Get(record, "previous"))
		id = string(text)
	}
	dst = append(dst, '{')
	var input []byte
	for m := json.Object(body); m.Next(); {
		switch string(m.Key) {
		case "input":
			input = m.Value()
		case "previous_response_id":
		default:
			dst = append(json.AppendString(dst, m.Key), ':')
			dst = append(append(dst, m.Value()...), ',')
		}
	}
	dst = append(dst, `"input":[`...)
	start := len(dst)
	for _, record := range slices.Backward(chain) {
		for _, part := range [...][]byte{json.Get(record, "input"), json.Get(json.Get(record, "response"), "output")} {
			var err *llm.Error
			if dst, err = appendReferred(dst, start, part, recall); err != nil {
				return dst, err
			}
		}
	}
	dst, err := appendReferred(dst, start, append(appendItems([]byte{'['}, input), ']'), recall)
	return append(dst, "]}"...), err
}

// appendReferred appends the items of an array, with a comma before all but the one at start, and in place of a reference the
// item that it means.
func appendReferred(dst []byte, start int, items []byte, recall Recall) ([]byte, *llm.Error) {
	for e := json.Array(items); e.Next(); {
		item := e.Value()
		if id, ok := referenceOf(item); ok {
			if item = outputItem(recall.Item(id), id); item == nil {
				return dst, &llm.Error{Kind: llm.NotFound, Code: "item_not_found", Param: "input", NoRetry: true,
					Message: "Item '" + id + "' is not known here. Send the item itself, and \"store\": false with requests."}
			}
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, item...)
		if len(dst) > maxHistory {
			return dst, &llm.Error{Kind: llm.TooLarge, Code: "request_too_large", Param: "previous_response_id", NoRetry: true,
				Message: "The conversation before this request is too large."}
		}
	}
	return dst, nil
}

// referenceOf returns the id that an item refers to, if it is a reference: by its type, or because there is nothing else.
func referenceOf(item []byte) (id string, ok bool) {
	var kind, name []byte
	members := 0
	for m := json.Object(item); m.Next(); members++ {
		switch string(m.Key) {
		case "type":
			kind = m.Value()
		case "id":
			name = m.Value()
		}
	}
	text, isText := json.Unquote(name)
	return string(text), isText && (string(kind) == `"item_reference"` || members == 1 || members == 2 && json.IsNull(kind) && kind != nil)
}

// outputItem returns the output item with that id of a record, or nil.
func outputItem(record []byte, id string) []byte {
	for e := json.Array(json.Get(json.Get(record, "response"), "output")); e.Next(); {
		if text, ok := json.Unquote(json.Get(e.Value(), "id")); ok && string(text) == id {
			return e.Value()
		}
	}
	return nil
}

// Remembered is what later requests of a client may refer to of an answer.
type Remembered struct {
	// ID is the id of a response, empty when nothing is to be remembered.
	ID string
	// Items are the ids of its output items.
	Items []string
	// Record is what Recall returns for these ids. It is nil where the upstream remembers the response itself.
	Record []byte
	// Calls are the ids of calls, Thoughts is what Recall returns for them.
	Calls    []string
	Thoughts []byte
}

// remember makes what is remembered of a response object.
func remember(input []byte, previous string, response []byte) Remembered {
	text, _ := json.Unquote(json.Get(response, "id"))
	record := appendRecord(nil, input, previous, response)
	return Remembered{ID: string(text), Items: OutputItems(record), Record: record}
}

// AppendInputItems appends the list of a record's input items, as GET /v1/responses/{id}/input_items answers it.
func AppendInputItems(dst, record []byte) []byte {
	input := json.Get(record, "input")
	first, last := []byte("null"), []byte("null")
	for e := json.Array(input); e.Next(); {
		if id := json.Get(e.Value(), "id"); len(id) > 0 {
			if last = id; string(first) == "null" {
				first = id
			}
		}
	}
	dst = append(append(dst, `{"object":"list","data":`...), input...)
	dst = append(append(dst, `,"first_id":`...), first...)
	dst = append(append(dst, `,"last_id":`...), last...)
	return append(dst, `,"has_more":false}`...)
}

// OutputItems returns the ids of a record's output items.
func OutputItems(record []byte) (ids []string) {
	for e := json.Array(json.Get(json.Get(record, "response"), "output")); e.Next(); {
		if text, ok := json.Unquote(json.Get(e.Value(), "id")); ok {
			ids = append(ids, string(text))
		}
	}
	return ids
}
