package messages

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// fault is how Anthropic says what went wrong.
type fault struct {
	status  int
	typ     string
	message string // when the error has none of its own
}

// faults is protocols.md A.9 for clients of this protocol (https://docs.anthropic.com/en/api/errors). The SDKs repeat
// 408, 409, 429 and everything from 500 on.
//
// Unavailable is 503, not the 529 of Overloaded: no provider said that it is overloaded, and clients react to a 529
// in particular (Claude Code changes the model after a few). Its type says what is true all the same, that a later
// call may succeed.
var faults = [...]fault{
	llm.Internal:       {500, "api_error", "internal error of the gateway"},
	llm.InvalidRequest: {400, "invalid_request_error", "invalid request"},
	llm.ContextLength:  {400, "invalid_request_error", ""},
	llm.ContentPolicy:  {400, "invalid_request_error", "the provider refused the prompt for its content"},
	llm.ForeignPart: {400, "invalid_request_error",
		"the provider can't take a part of the request that was made for another one"},
	llm.Authentication: {401, "authentication_error", "invalid API key"},
	llm.Permission:     {403, "permission_error", "this API key may not do this"},
	llm.Billing:        {402, "billing_error", "the account is out of quota"},
	llm.NotFound:       {404, "not_found_error", "not found"},
	llm.Method:         {405, "invalid_request_error", "method not allowed"},
	llm.Conflict:       {409, "invalid_request_error", "conflict with another request"},
	llm.TooLarge:       {413, "request_too_large", "the request is too large"},
	llm.HeaderTooLarge: {431, "invalid_request_error", "the request's headers are too large"},
	llm.MediaType:      {415, "invalid_request_error", "unsupported content encoding"},
	llm.RateLimit:      {429, "rate_limit_error", "rate limit reached"},
	llm.Upstream:       {502, "api_error", "upstream failed"},
	llm.Timeout:        {504, "timeout_error", "upstream took too long"},
	llm.Overloaded:     {529, "overloaded_error", "overloaded, try again later"},
	llm.Unavailable:    {503, "overloaded_error", "no target can serve this model now"},
}

// uploadTimeout stands in for the Timeout of a client's own upload.
var uploadTimeout = fault{408, "timeout_error", "the request body took too long to arrive"}

// tooLong is how the message about a prompt beyond the context window begins. Claude Code looks for it and compacts the
// conversation.
const tooLong = "prompt is too long"

// faultOf returns the row for e, with e's own message where it has one.
func faultOf(e *llm.Error) fault {
	f := faults[llm.Internal]
	switch {
	case e.Kind == llm.Timeout && e.Code == llm.CodeUploadTimeout:
		f = uploadTimeout
	case int(e.Kind) < len(faults):
		f = faults[e.Kind]
	}
	if e.Message != "" {
		f.message = e.Message
	}
	if e.Kind == llm.ContextLength && !strings.HasPrefix(f.message, tooLong) {
		f.message = strings.TrimSuffix(tooLong+": "+f.message, ": ")
	}
	return f
}

// ErrorStatus returns the HTTP status that tells an Anthropic client of e.
func ErrorStatus(e *llm.Error) int { return faultOf(e).status }

// AppendErrorBody appends the JSON body that tells an Anthropic client of e. An empty requestID is left out.
func AppendErrorBody(dst []byte, e *llm.Error, requestID string) []byte {
	f := faultOf(e)
	dst = append(dst, `{"type":"error","error":{"type":`...)
	dst = json.AppendString(dst, f.typ)
	dst = append(dst, `,"message":`...)
	dst = json.AppendString(dst, f.message)
	dst = appendDetails(dst, e)
	dst = append(dst, '}')
	if requestID != "" {
		dst = append(dst, `,"request_id":`...)
		dst = json.AppendString(dst, requestID)
	}
	return append(dst, '}')
}

// AppendError appends the event that tells the client of a running stream of e. Nothing follows it, no message_stop
// either. Whether the answer has begun makes no difference here.
func (t *Tap) AppendError(dst []byte, e *llm.Error, _ bool) []byte {
	dst = append(dst, "event: error\ndata: "...)
	dst = AppendErrorBody(dst, e, "")
	return append(dst, "\n\n"...)
}
