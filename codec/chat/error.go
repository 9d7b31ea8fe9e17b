package chat

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// fault is how OpenAI says what went wrong.
type fault struct {
	status  int
	typ     string
	code    string // empty means null
	message string // when the error has none of its own
}

// faults is protocols.md A.9 for clients of both OpenAI protocols. Which status a client retries by itself is part of
// the choice: openai-node and openai-go repeat 408, 409, 429 and everything from 500 on, twice each.
var faults = [...]fault{
	llm.Internal:       {500, "server_error", "", "internal error of the gateway"},
	llm.InvalidRequest: {400, "invalid_request_error", "", "invalid request"},
	llm.ContextLength: {400, "invalid_request_error", "context_length_exceeded",
		"the prompt is longer than the model's context window"},
	llm.ContentPolicy: {400, "invalid_request_error", "content_policy_violation",
		"the provider refused the prompt for its content"},
	llm.ForeignPart: {400, "invalid_request_error", "",
		"the provider can't take a part of the request that was made for another one"},
	llm.Authentication: {401, "invalid_request_error", "invalid_api_key", "invalid API key"},
	llm.Permission:     {403, "invalid_request_error", "permission_denied", "this API key may not do this"},
	// With x-should-retry: false, which NoRetry stands for; an SDK would repeat a 429.
	llm.Billing:        {429, "insufficient_quota", "insufficient_quota", "the account is out of quota"},
	llm.NotFound:       {404, "invalid_request_error", "model_not_found", "not found"},
	llm.Method:         {405, "invalid_request_error", "method_not_allowed", "method not allowed"},
	llm.Conflict:       {409, "invalid_request_error", "", "conflict with another request"},
	llm.TooLarge:       {413, "invalid_request_error", "request_too_large", "the request is too large"},
	llm.HeaderTooLarge: {431, "invalid_request_error", "request_headers_too_large", "the request's headers are too large"},
	llm.MediaType:      {415, "invalid_request_error", "unsupported_media_type", "unsupported content encoding"},
	llm.RateLimit:      {429, "rate_limit_error", "rate_limit_exceeded", "rate limit reached"},
	llm.Upstream:       {502, "server_error", "upstream_error", "upstream failed"},
	llm.Timeout:        {504, "server_error", "upstream_timeout", "upstream took too long"},
	llm.Overloaded:     {503, "server_error", "overloaded", "overloaded, try again later"},
	llm.Unavailable:    {503, "server_error", "unavailable", "no target can serve this model now"},
}

// uploadTimeout stands in for the Timeout of a client's own upload.
var uploadTimeout = fault{
	408, "invalid_request_error", llm.CodeUploadTimeout, "the request body took too long to arrive",
}

// faultOf returns the row for e, with e's own code and message where it has them.
func faultOf(e *llm.Error) fault {
	f := faults[llm.Internal]
	switch {
	case e.Kind == llm.Timeout && e.Code == llm.CodeUploadTimeout:
		f = uploadTimeout
	case int(e.Kind) < len(faults):
		f = faults[e.Kind]
	}
	if e.Code != "" {
		f.code = e.Code
	}
	if e.Message != "" {
		f.message = e.Message
	}
	if e.Kind == llm.ContextLength && !saysTooLong(f.message) {
		f.message = strings.TrimSuffix(tooLong+": "+f.message, ": ")
	}
	return f
}

// tooLong is how the message about a prompt beyond the context window begins. LangChain knows such an error by these words
// alone (@langchain/openai 1.6, _isOpenAIContextOverflowError).
const tooLong = "This request exceeds the model's maximum context length"

func saysTooLong(message string) bool {
	return strings.Contains(message, "maximum context length") || strings.Contains(message, "exceeds the context window") ||
		strings.Contains(message, "context_length_exceeded")
}

// ErrorStatus returns the HTTP status that tells an OpenAI client of e.
func ErrorStatus(e *llm.Error) int { return faultOf(e).status }

// AppendErrorBody appends the JSON body that tells an OpenAI client of e, whether it speaks Chat or Responses
// (https://platform.openai.com/docs/guides/error-codes).
func AppendErrorBody(dst []byte, e *llm.Error) []byte {
	f := faultOf(e)
	dst = append(dst, `{"error":{"message":`...)
	dst = json.AppendString(dst, f.message)
	dst = append(dst, `,"type":`...)
	dst = json.AppendString(dst, f.typ)
	dst = append(dst, `,"param":`...)
	dst = appendOrNull(dst, e.Param)
	dst = append(dst, `,"code":`...)
	dst = appendOrNull(dst, f.code)
	return append(dst, `}}`...)
}

// appendOrNull appends s as a JSON string, or null when it is empty.
func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return json.AppendString(dst, s)
}

// AppendError appends the event that tells the client of a running stream of e, and the end of the stream. There is
// no chunk with a finish_reason: it would mark the answer as a success. Whether the answer has begun makes no
// difference here.
func (t *Tap) AppendError(dst []byte, e *llm.Error, _ bool) []byte {
	dst = append(dst, "data: "...)
	dst = AppendErrorBody(dst, e)
	dst = append(dst, "\n\n"...)
	return t.AppendEnd(dst)
}
