package codec

import (
	"bytes"
	"fmt"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxRawMessage is how much of a body that is no error object becomes the error's message, in bytes.
const maxRawMessage = 512

// maxFaultDepth is how far an error object is looked for inside others.
const maxFaultDepth = 4

// readFault returns the error that a provider's body or event says, whatever its shape: OpenAI's and Anthropic's
// objects, an error that is a string, {"detail":…} with a string or a list (FastAPI), {"message":…}, a list of errors
// (Google), a failed response, or no JSON at all. The status is the HTTP status, or 200 inside a stream. Names of
// accounts and keys are masked.
func readFault(status int, body []byte) *llm.Error {
	var f providerFault
	f.read(bytes.TrimSpace(body), maxFaultDepth)
	e := &llm.Error{Type: f.typ, Code: f.code, Param: f.param}
	if status >= 300 {
		e.Status = status
	} else if status = 0; f.status >= 400 {
		status = f.status
	}
	if f.message == "" && e.Status != 0 {
		f.message = rawMessage(body)
	}
	e.Message = string(appendMasked(nil, []byte(f.message)))
	e.Kind = kindOf(status, f)
	if e.Message == "" && e.Status != 0 {
		e.Message = fmt.Sprintf("upstream answered with status %d", status)
	}
	return e
}

// rawMessage returns the beginning of a body as text.
func rawMessage(body []byte) string {
	cut := bytes.TrimSpace(body)
	cut = cut[:min(len(cut), maxRawMessage)]
	return strings.TrimSpace(strings.ToValidUTF8(string(cut), ""))
}

// providerFault is what is known of a provider's error.
type providerFault struct {
	message, typ, code, param string
	status                    int // the HTTP status that OpenRouter and Google give as code
}

// read takes in what value says. What stands further inside wins.
func (f *providerFault) read(value []byte, depth int) {
	if len(value) == 0 || depth == 0 {
		return
	}
	switch value[0] {
	case '"':
		f.set(&f.message, value)
	case '[':
		if e := json.Array(value); e.Next() {
			f.read(e.Value(), depth-1)
		}
	case '{':
		f.readObject(value, depth)
	}
}

func (f *providerFault) readObject(object []byte, depth int) {
	var inner []byte
	m := json.Object(object)
	for m.Next() {
		switch value := m.Value(); string(m.Key) {
		case "message", "msg":
			f.set(&f.message, value)
		case "type":
			// Of an event or of the outer object, this only says that there is an error.
			if text, _ := json.Unquote(value); string(text) != "error" && !bytes.HasPrefix(text, []byte("response.")) {
				f.set(&f.typ, value)
			}
		case "code":
			if n, ok := json.Int(value); ok {
				f.status = int(min(max(n, 0), 999))
			}
			f.set(&f.code, value)
		case "param":
			f.set(&f.param, value)
		case "error", "errors", "detail", "response":
			if json.Truthy(value) {
				inner = value
			}
		}
	}
	if m.Complete() {
		f.read(inner, depth-1)
	}
}

// set sets field to the text of value if it is a string with something in it.
func (f *providerFault) set(field *string, value []byte) {
	if text, ok := json.Unquote(value); ok && len(text) > 0 {
		*field = string(text)
	}
}

// kindOf decides what went wrong (protocols.md A.9, "Reading"). Words that mean one thing win over the status,
// because gateways on the way change statuses; the status wins over words that say little. A status of zero is an
// error inside a stream.
func kindOf(status int, f providerFault) llm.ErrorKind {
	for _, word := range [...]string{f.code, f.typ} {
		switch strings.ToLower(word) {
		case "overloaded_error", "overloaded", "server_is_overloaded", "slow_down":
			return llm.Overloaded
		case "context_length_exceeded":
			return llm.ContextLength
		case "content_policy_violation", "content_filter", "responsibleaipolicyviolation", "bio_policy",
			"misalignment_policy_violation":
			return llm.ContentPolicy
		case "insufficient_quota", "billing_error", "billing_hard_limit_reached", "usage_not_included":
			return llm.Billing
		case "rate_limit_exceeded", "rate_limit_error":
			return llm.RateLimit
		case "invalid_api_key", "authentication_error":
			return llm.Authentication
		case "permission_error", "permission_denied":
			return llm.Permission
		case "model_not_found", "not_found_error":
			return llm.NotFound
		case "request_too_large":
			return llm.TooLarge
		case "timeout_error":
			return llm.Timeout
		}
	}
	switch status {
	case 0:
		return kindOfWords(f)
	case 400, 413, 422:
		switch {
		case saysTooLong(f.message):
			return llm.ContextLength
		case strings.Contains(f.message, "credit balance is too low"): // Anthropic, with 400 and invalid_request_error
			return llm.Billing
		case status == 413:
			return llm.TooLarge
		}
		return llm.InvalidRequest
	case 401:
		return llm.Authentication
	case 402:
		return llm.Billing
	case 403:
		return llm.Permission
	case 404:
		return llm.NotFound
	case 408, 504:
		return llm.Timeout
	case 409:
		return llm.Conflict
	case 415:
		return llm.MediaType
	case 429:
		return llm.RateLimit
	case 503, 529:
		return llm.Overloaded
	}
	return llm.Upstream
}

// kindOfWords decides about an error without a status.
func kindOfWords(f providerFault) llm.ErrorKind {
	switch {
	case saysTooLong(f.message):
		return llm.ContextLength
	case f.typ == "invalid_request_error", f.code == "invalid_prompt":
		return llm.InvalidRequest
	}
	return llm.Upstream
}

// saysTooLong reports whether message is about a prompt beyond the context window, as OpenAI, Anthropic, vLLM,
// llama.cpp and Google word it.
func saysTooLong(message string) bool {
	message = strings.ToLower(message)
	for _, words := range [...]string{
		"context length", "context window", "context size", "prompt is too long", "exceed context limit",
		"exceeds the maximum number of tokens", "input is too long",
	} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}
