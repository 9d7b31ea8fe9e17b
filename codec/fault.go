package codec

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxRawMessage is how much of a body that is no error object becomes the error's message, in bytes.
const maxRawMessage = 512

// maxFaultDepth is how far an error object is looked for inside others.
const maxFaultDepth = 6

// readFault returns the error that a provider's body or event says, whatever its shape: OpenAI's and Anthropic's
// objects, an error that is a string, {"detail":…} with a string or a list (FastAPI), {"message":…}, a list of errors
// (Google), a failed response, another provider's body inside (OpenRouter), or no JSON at all. The status is the HTTP status,
// or 200 inside a stream. Names of accounts and keys are masked. RetryAfter is what the body says of waiting.
func readFault(status int, body []byte) *llm.Error {
	var f providerFault
	if body = bytes.TrimSpace(body); len(body) > 0 && (body[0] != '"' || json.Valid(body)) {
		f.read(body, maxFaultDepth)
	}
	e := &llm.Error{Type: f.typ, Code: f.code, Param: string(appendMasked(nil, []byte(f.param)))}
	if status >= 300 {
		e.Status = status
	} else if status = 0; f.status >= 400 {
		status = f.status
	}
	if f.message == "" && e.Status != 0 {
		f.message = rawMessage(body)
	}
	e.Kind = kindOf(status, &f)
	switch {
	case e.Kind == llm.ForeignPart && f.param == "" && strings.Contains(f.message, streamOptions):
		e.Param = streamOptions
	case e.Kind == llm.ContextLength || e.Kind == llm.ContentPolicy:
		if faultWords[strings.ToLower(f.code)] != e.Kind {
			e.Code = "" // a word for every request that is at fault; clients look for this one's own
		}
	}
	if e.RetryAfter = f.wait; e.RetryAfter == 0 {
		e.RetryAfter = llm.WaitOf(f.message)
	}
	e.Message = string(appendMasked(nil, []byte(f.message)))
	if e.Message == "" && e.Status != 0 {
		e.Message = fmt.Sprintf("upstream answered with status %d", status)
	}
	return e
}

// streamOptions is the field of Chat that providers know last.
const streamOptions = "stream_options"

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
	// state is Google's status ("RESOURCE_EXHAUSTED"), reason the one of its details ("API_KEY_INVALID"), inner the code of
	// Azure's innererror ("ResponsibleAIPolicyViolation").
	state, reason, inner string
	// flagged is whether OpenRouter says what a moderation found.
	flagged bool
	// wait is how long the body asks us to wait, its message apart.
	wait time.Duration
}

// read takes in what value says. What stands further inside wins.
func (f *providerFault) read(value []byte, depth int) {
	if len(value) == 0 || depth == 0 {
		return
	}
	switch value[0] {
	case '"':
		f.setMessage(value, depth)
	case '[':
		if e := json.Array(value); e.Next() {
			f.read(e.Value(), depth-1)
		}
	case '{':
		f.readObject(value, depth)
	}
}

func (f *providerFault) readObject(object []byte, depth int) {
	var inner, metadata []byte
	m := json.Object(object)
	for m.Next() {
		switch value := m.Value(); string(m.Key) {
		case "message", "msg":
			f.setMessage(value, depth)
		case "type":
			// Of an event or of the outer object, this only says that there is an error.
			if text, _ := json.Unquote(value); string(text) != "error" && !bytes.HasPrefix(text, []byte("response.")) {
				f.set(&f.typ, value)
			}
		case "code":
			f.readCode(value)
		case "param":
			f.set(&f.param, value)
		case "loc":
			f.readPlace(value)
		case "status":
			f.set(&f.state, value)
		case "innererror":
			f.set(&f.inner, json.Get(value, "code"))
		case "details":
			f.readDetails(value)
		case "metadata":
			metadata = value
		case "resets_in_seconds": // of the limits of a plan, OpenAI with Codex
			if n, ok := json.Int(value); ok && n > 0 {
				f.wait = min(time.Duration(min(n, int64(llm.MaxWait/time.Second)))*time.Second, llm.MaxWait)
			}
		case "error", "errors", "detail", "response":
			if json.Truthy(value) {
				inner = value
			}
		}
	}
	if m.Complete() {
		f.read(inner, depth-1)
		f.readMetadata(metadata, depth-1)
	}
}

// readCode reads an error's code: a word, or a number that may be an HTTP status.
func (f *providerFault) readCode(value []byte) {
	n, ok := json.Int(value)
	if text, isText := json.Unquote(value); isText && len(text) == 3 {
		var err error
		n, err = strconv.ParseInt(string(text), 10, 64)
		ok = err == nil
	}
	if ok {
		f.status = int(min(max(n, 0), 999))
	}
	f.set(&f.code, value)
}

// readDetails reads the details of Google's errors (https://cloud.google.com/apis/design/errors): why, and how long to wait.
func (f *providerFault) readDetails(list []byte) {
	for e := json.Array(list); e.Next(); {
		f.set(&f.reason, json.Get(e.Value(), "reason"))
		if text, ok := json.Unquote(json.Get(e.Value(), "retryDelay")); ok {
			f.wait, _ = llm.ParseWait(string(text))
		}
	}
}

// readMetadata reads what OpenRouter adds to an error (https://openrouter.ai/docs/api/reference/errors-and-debugging): the
// provider's own body, the headers of a limit, what a moderation found.
func (f *providerFault) readMetadata(metadata []byte, depth int) {
	m := json.Object(metadata)
	for m.Next() {
		switch string(m.Key) {
		case "raw":
			if depth > 0 {
				f.setMessage(m.Value(), depth)
			}
		case "reasons", "flagged_input":
			f.flagged = f.flagged || json.Truthy(m.Value())
		case "headers":
			if text, ok := json.Unquote(json.Get(m.Value(), "X-RateLimit-Reset")); ok {
				f.wait, _ = llm.ParseReset(string(text))
			}
		}
	}
}

// readPlace reads where pydantic found a fault: ["body","messages",0,"content"].
func (f *providerFault) readPlace(list []byte) {
	path := ""
	for e := json.Array(list); e.Next(); {
		text, isText := json.Unquote(e.Value())
		switch {
		case !isText:
			path += "[" + string(e.Value()) + "]"
		case path == "" && string(text) == "body":
		case path == "":
			path = string(text)
		default:
			path += "." + string(text)
		}
	}
	if f.param == "" && len(path) <= maxRawMessage {
		f.param = path
	}
}

// setMessage sets the message to the text of value. Where that is another error, as an object (Mistral) or as its JSON in a
// string (behind gateways), it is read.
func (f *providerFault) setMessage(value []byte, depth int) {
	text, ok := json.Unquote(value)
	if !ok {
		if len(value) > 0 && value[0] == '{' {
			f.read(value, depth-1)
		}
		return
	}
	if text = bytes.TrimSpace(text); len(text) > 0 && (text[0] == '{' || text[0] == '[') && depth > 1 && json.Valid(text) {
		before := f.message
		if f.read(text, depth-1); f.message != before {
			return
		}
	}
	f.set(&f.message, value)
}

// set sets field to the text of value if it is a string with something in it.
func (f *providerFault) set(field *string, value []byte) {
	if text, ok := json.Unquote(value); ok && len(text) > 0 {
		*field = string(text)
	}
}

// faultWords are the codes and types of errors that mean one thing whatever the status, because gateways on the way change
// statuses. In lower case.
var faultWords = map[string]llm.ErrorKind{
	"overloaded_error":     llm.Overloaded, // Anthropic, with 529, 500 or in a stream
	"overloaded":           llm.Overloaded,
	"server_is_overloaded": llm.Overloaded, // OpenAI, Responses
	"slow_down":            llm.Overloaded,
	// Moonshot, with 429 (https://github.com/666ghj/BettaFish/issues/292, 2025-11).
	"engine_overloaded_error": llm.Overloaded,
	"engine_overloaded":       llm.Overloaded,
	"no_capacity":             llm.Overloaded, // Azure, with 429 or 503
	// Mistral, with 429 (https://github.com/continuedev/continue/issues/6185, 2025-06).
	"service_tier_capacity_exceeded": llm.Overloaded,
	"serviceunavailableexception":    llm.Overloaded, // Bedrock
	"modelnotreadyexception":         llm.Overloaded,
	// Google, with 503 (https://github.com/google-gemini/gemini-cli/issues/23520, 2026-03).
	"model_capacity_exhausted": llm.Overloaded,
	"unavailable":              llm.Overloaded,

	"context_length_exceeded":   llm.ContextLength,
	"context_window_exceeded":   llm.ContextLength,
	"exceed_context_size_error": llm.ContextLength, // llama.cpp

	"content_policy_violation":      llm.ContentPolicy, // OpenAI; OpenRouter with 403
	"content_filter":                llm.ContentPolicy, // Azure
	"responsibleaipolicyviolation":  llm.ContentPolicy, // Azure, inside
	"bio_policy":                    llm.ContentPolicy,
	"cyber_policy":                  llm.ContentPolicy,
	"misalignment_policy_violation": llm.ContentPolicy,
	"moderation_blocked":            llm.ContentPolicy,
	"data_inspection_failed":        llm.ContentPolicy, // Alibaba
	"datainspectionfailed":          llm.ContentPolicy,

	"insufficient_quota":           llm.Billing,
	"billing_error":                llm.Billing, // Anthropic
	"billing_hard_limit_reached":   llm.Billing, // OpenAI, with 400
	"billing_not_active":           llm.Billing,
	"usage_not_included":           llm.Billing,
	"usage_limit_reached":          llm.Billing,
	"exceeded_current_quota_error": llm.Billing, // Moonshot, with 429
	"insufficient_user_quota":      llm.Billing, // one-api and its heirs, with 403
	"insufficient_balance":         llm.Billing,
	"arrearage":                    llm.Billing, // Alibaba, with 400
	"accountoverdueerror":          llm.Billing, // Volcengine, with 403

	// OpenAI; Groq also with 413 (https://github.com/assafelovic/gpt-researcher/issues/985, 2024-11).
	"rate_limit_exceeded": llm.RateLimit,
	"rate_limit_error":    llm.RateLimit,
	"rate_limited":        llm.RateLimit, // Mistral (https://github.com/raycast/extensions/issues/31107, 2026-09)
	"throttlingexception": llm.RateLimit, // Bedrock
	"resource_exhausted":  llm.RateLimit, // Google

	"invalid_api_key":              llm.Authentication,
	"authentication_error":         llm.Authentication,
	"invalid_authentication_error": llm.Authentication, // Moonshot
	// OpenAI (https://github.com/nat/openplayground/issues/143, 2024-11).
	"account_deactivated": llm.Authentication,
	"token_invalidated":   llm.Authentication,
	"token_revoked":       llm.Authentication,
	"api_key_invalid":     llm.Authentication, // Google, with 400
	"unauthenticated":     llm.Authentication,

	"permission_error":  llm.Permission,
	"permission_denied": llm.Permission,
	// OpenAI, with 403 (https://github.com/home-assistant/core/issues/120072, 2024-06).
	"unsupported_country_region_territory": llm.Permission,
	"ip_not_authorized":                    llm.Permission,

	// OpenAI, also with 403 (https://github.com/cursor/cursor/issues/2953, 2025-03).
	"model_not_found":      llm.NotFound,
	"not_found_error":      llm.NotFound,
	"deploymentnotfound":   llm.NotFound, // Azure
	"invalid_model":        llm.NotFound, // Mistral, with 400
	"unknown_model":        llm.NotFound, // GitHub Models
	"model_not_supported":  llm.NotFound, // Copilot, with 400
	"model_not_available":  llm.NotFound, // Together, with 400
	"model_decommissioned": llm.NotFound, // Groq, with 400
	"model_terms_required": llm.NotFound, // Groq, with 400

	"request_too_large": llm.TooLarge,

	"timeout_error":         llm.Timeout,
	"deadline_exceeded":     llm.Timeout, // Google
	"modeltimeoutexception": llm.Timeout, // Bedrock

	// OpenAI, with 400 (https://github.com/openai/codex/issues/8145, 2025-12).
	"invalid_encrypted_content": llm.ForeignPart,
}

// kindOf decides what went wrong (protocols.md A.9, "Reading"). Words that mean one thing win over the status, and the status
// over words that say little. A status of zero is an error inside a stream.
func kindOf(status int, f *providerFault) llm.ErrorKind {
	if f.flagged {
		return llm.ContentPolicy
	}
	message := strings.ToLower(f.message[:min(len(f.message), maxPhraseText)])
	// A type or state says less than a message that is known: Anthropic's "invalid_request_error" is many things.
	for _, word := range [...]string{f.code, f.inner, f.reason} {
		if kind, ok := faultWords[strings.ToLower(word)]; ok {
			return kind
		}
	}
	if kind, ok := kindOfPhrase(status, message, f.param); ok {
		return kind
	}
	for _, word := range [...]string{f.typ, f.state} {
		if kind, ok := faultWords[strings.ToLower(word)]; ok {
			return kind
		}
	}
	switch status {
	case 0:
		if f.typ == "invalid_request_error" || f.code == "invalid_prompt" {
			return llm.InvalidRequest
		}
		return llm.Upstream
	case 400, 422:
		return llm.InvalidRequest
	case 401:
		return llm.Authentication
	case 402:
		return llm.Billing
	case 403, 451:
		return llm.Permission
	case 404, 410:
		return llm.NotFound
	case 408, 504, 524:
		return llm.Timeout
	case 409:
		return llm.Conflict
	case 413:
		return llm.TooLarge
	case 415:
		return llm.MediaType
	case 429:
		return llm.RateLimit
	case 503, 529:
		return llm.Overloaded
	}
	return llm.Upstream
}
