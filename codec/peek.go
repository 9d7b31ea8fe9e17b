package codec

import (
	"bytes"
	"cmp"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Request is a client's request as far as the gateway must understand it to find a target: the top level of its body.
// The zero value is ready for Peek. It belongs to one goroutine at a time and may be pooled.
type Request struct {
	// Protocol is what the client speaks.
	Protocol llm.Protocol
	// Body is the body as it came, borrowed from Peek's caller until Reset.
	Body []byte
	// Model is what the client asks for, never empty. It is borrowed from Body: clone what outlives the call.
	Model string
	// Stream tells whether the client wants a stream.
	Stream bool
	// IncludeUsage tells whether a Chat client wants the usage chunk at the end of its stream.
	IncludeUsage bool
	// AnswerModel, when not empty, is what answers give as their model, whole or streamed, in place of what the
	// upstream says (the setting response_model). The relay sets it between Peek and AppendRequest.
	AnswerModel string
	// Count tells that the request goes to an endpoint that counts input tokens: the answer is a number and no
	// message. The relay sets it between Peek and AppendRequest.
	Count bool
	// NoEnvelopes tells that no client of this protocol is given envelopes of opaque reasoning, so that the body need not be
	// searched for them. The relay sets it between Peek and AppendRequest.
	NoEnvelopes bool
	// Omit is what the request goes without. The relay sets it before AppendRequest, anew for each target.
	Omit Omission
	// AnswerID seeds the ids of a converted answer: letters and digits, unique per call. Created is its time in seconds since
	// 1970. The relay sets both between Peek and AppendRequest.
	AnswerID string
	Created  int64

	// Store tells whether a Responses client wants its answer to be remembered: unless it says no.
	Store bool
	// Thread tells whether an Anthropic client wants its conversation to be kept (protocols.md H.2).
	Thread bool
	// Previous is the response that a Responses client goes on from, or the message that an Anthropic client continues a thread
	// from, or empty. It is borrowed from Body.
	Previous string
	// Recall finds what is remembered for the client, nil for nothing. The relay sets it between Peek and AppendRequest.
	Recall Recall
	// Downloads is what was found at addresses in the request, by address. The relay adds what a Missing names.
	Downloads map[string]*Download

	// foreign tells that a Chat body has "input" and no "messages": it is one of Responses (protocols.md D.21, Cursor).
	foreign bool

	edits   []edit // the values that AppendRequest replaces, in the order of Body
	first   int    // the offset of the first name in Body
	choices int    // how many choices a Chat client wants
	output  int64  // the most tokens that the client wants of each; zero when it doesn't say
}

// edit is a value at the top level of a body that is not forwarded as it is.
type edit struct {
	json.Span
	options bool // the value of stream_options; else that of model
}

// maxEdits is how many edits a Request keeps room for.
const maxEdits = 64

// Reset empties r for its next use. It gives up Body.
func (r *Request) Reset() {
	edits := r.edits[:0]
	if cap(edits) > maxEdits {
		edits = nil
	}
	*r = Request{edits: edits}
}

// Peek reads the top level of body, a request in protocol p, in one pass and without allocating. It returns nil or
// the error for the client: the body must be one JSON object in UTF-8, model a string that is not empty, stream a
// boolean or null. All else is for the provider to judge, the insides of strings included (raw control characters,
// unknown escapes). After an error r holds nothing of use.
//
// When a name occurs twice, the last value counts. AppendRequest replaces every model all the same, so that no other
// reading of the body leads to another model.
func (r *Request) Peek(p llm.Protocol, body []byte) *llm.Error {
	r.Reset()
	r.Protocol, r.Body, r.first, r.choices = p, body, -1, 1
	input, conversation := false, false
	r.Store = p == llm.Responses
	m := json.Object(body)
	for m.Next() {
		if r.first < 0 {
			r.first = m.KeyStart
		}
		switch string(m.Key) {
		case "model":
			if err := r.readModel(m.Value()); err != nil {
				return err
			}
			r.edits = append(r.edits, edit{Span: m.Span})
		case "stream":
			switch string(m.Value()) {
			case "true":
				r.Stream = true
			case "false", "null":
				r.Stream = false
			default:
				return badField("stream", "invalid_type", "stream must be a boolean")
			}
		case "input":
			input = true
		case "store":
			r.Store = r.Store && string(m.Value()) != "false"
		case "previous_response_id":
			if p == llm.Responses {
				r.Previous = textOf(m.Value())
			}
		case "thread":
			if p == llm.Messages && !json.IsNull(m.Value()) {
				r.Thread = true
				r.Previous = textOf(json.Get(m.Value(), "previous_message_id"))
			}
		case "messages":
			conversation = true
		case "stream_options":
			if p == llm.Chat {
				r.edits = append(r.edits, edit{Span: m.Span, options: true})
				r.IncludeUsage = string(json.Get(m.Value(), "include_usage")) == "true"
			}
		case "max_tokens", "max_completion_tokens", "max_output_tokens":
			if n, ok := json.Int(m.Value()); ok {
				r.output = max(r.output, min(n, llm.MaxTokens))
			}
		case "n":
			if n, ok := json.Int(m.Value()); ok && p == llm.Chat {
				r.choices = int(min(max(n, 1), 128))
			}
		}
	}
	if !m.Complete() {
		return badBody(body)
	}
	if i := json.InvalidUTF8(body); i >= 0 {
		return badJSON(json.FaultAt(body, i, "invalid UTF-8"))
	}
	r.foreign = p == llm.Chat && input && !conversation
	if r.Model == "" {
		return badField("model", "missing_required_parameter", "model is missing")
	}
	return nil
}

// usualOutput is how many tokens an answer has at most, where neither the client nor anybody else says.
const usualOutput = 4096

// MostOutput returns how many tokens of output the request may lead to at a model, all its choices together: as many as the
// client allows, else as many as the model usually or at most gives.
func (r *Request) MostOutput(of *llm.Capabilities) int64 {
	most := cmp.Or(r.output, of.DefaultOutput, of.MaxOutput, usualOutput)
	if of.MaxOutput > 0 {
		most = min(most, of.MaxOutput)
	}
	return most * int64(r.choices)
}

// textOf returns the text of a JSON string, or nothing for any other value.
func textOf(value []byte) string {
	text, _ := json.Unquote(value)
	return json.Borrow(text)
}

// readModel sets Model to what value says.
func (r *Request) readModel(value []byte) *llm.Error {
	r.Model = ""
	if json.IsNull(value) {
		return nil
	}
	text, ok := json.Unquote(value)
	if !ok {
		return badField("model", "invalid_type", "model must be a string")
	}
	r.Model = json.Borrow(text)
	return nil
}

// badBody returns the error for a body that is not one JSON object.
func badBody(body []byte) *llm.Error {
	start := len(body) - len(bytes.TrimLeft(body, " \t\r\n"))
	switch {
	case start == len(body):
		return badJSON(json.FaultAt(body, start, "the request body is empty"))
	case json.Valid(body):
		return badJSON(json.FaultAt(body, start, "the request body must be a JSON object"))
	}
	fault := json.FindFault(body)
	fault.Reason = "the request body is not valid JSON: " + fault.Reason
	return badJSON(fault)
}

func badJSON(fault json.Fault) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Message: fault.String(), Code: "invalid_json", NoRetry: true}
}

func badField(param, code, message string) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Message: message, Code: code, Param: param, NoRetry: true}
}
