package gatewaytest

import "octopus/codec/llm"

// failure is an error as one of the providers words it.
type failure struct {
	status int
	// kind is error.type.
	kind string
	// code and param are OpenAI's; empty means null.
	code, param string
	message     string
}

// fail returns the failure that a provider of protocol p reports with a status, and, unless it is empty, a code.
func fail(p llm.Protocol, status int, code, model string) failure {
	var f failure
	if p == llm.Messages {
		f = failMessages(status, code, model)
	} else {
		f = failOpenAI(status, code, model)
	}
	f.status = status
	return f
}

// failOpenAI has the texts of OpenAI, as seen in 2025 and 2026; those of statuses that OpenAI does not use are of vendors
// that speak its protocol.
func failOpenAI(status int, code, model string) failure {
	const invalid = "invalid_request_error"
	switch code {
	case "context_length_exceeded":
		return failure{kind: invalid, code: code, param: "messages", message: "This model's maximum context length is " +
			"128000 tokens. However, your messages resulted in 150000 tokens. Please reduce the length of the messages."}
	case "content_policy_violation", "content_filter":
		return failure{kind: invalid, code: code, message: "Your request was rejected as a result of our safety system."}
	case "insufficient_quota":
		return failure{kind: code, code: code, message: "You exceeded your current quota, please check your plan and " +
			"billing details."}
	}
	f := failure{kind: invalid, code: code, message: "The request is invalid, says the script."}
	var usual string
	switch status {
	case 401:
		usual = "invalid_api_key"
		f.message = "Incorrect API key provided: sk-sc************pted. You can find your API key at " +
			"https://platform.openai.com/account/api-keys."
	case 402:
		usual = "insufficient_balance"
		f.kind, f.message = "insufficient_balance", "Insufficient Balance"
	case 403:
		usual = "permission_denied"
		f.message = "Project proj_scripted0000 does not have access to model `" + model + "`."
	case 404:
		usual = "model_not_found"
		f.message = "The model `" + model + "` does not exist or you do not have access to it."
	case 408:
		f.kind, f.message = "timeout", "Request timed out."
	case 413:
		f.message = "Maximum content size limit exceeded."
	case 422:
		f.message = "Unprocessable entity."
	case 429:
		usual = "rate_limit_exceeded"
		f.kind = "requests"
		f.message = "Rate limit reached for " + model + " in organization org-scripted0000 on requests per min (RPM): " +
			"Limit 500, Used 500, Requested 1. Please try again in 2s."
	case 500:
		f.kind = "server_error"
		f.message = "The server had an error while processing your request. Sorry about that!"
	case 502:
		f.kind, f.message = "server_error", "Bad gateway."
	case 503, 529:
		f.kind, f.message = "server_error", "The engine is currently overloaded, please try again later."
	case 504:
		f.kind, f.message = "server_error", "Gateway timeout."
	}
	if f.code == "" {
		f.code = usual
	}
	return f
}

// failMessages has the texts of Anthropic (https://docs.anthropic.com/en/api/errors). A code that is one of its error
// types replaces the status's own.
func failMessages(status int, code, model string) failure {
	const invalid = "invalid_request_error"
	switch code {
	case "context_length_exceeded":
		return failure{kind: invalid, message: "prompt is too long: 208310 tokens > 200000 maximum"}
	case "content_policy_violation", "content_filter":
		return failure{kind: invalid, message: "Output blocked by content filtering policy"}
	case "insufficient_quota":
		return failure{kind: "billing_error", message: "Your credit balance is too low to access the Anthropic API. " +
			"Please go to Plans & Billing to upgrade or purchase credits."}
	}
	f := failure{kind: invalid, message: "The request is invalid, says the script."}
	switch status {
	case 401:
		f.kind, f.message = "authentication_error", "invalid x-api-key"
	case 402:
		f.kind, f.message = "billing_error", "Your credit balance is too low to access the Anthropic API."
	case 403:
		f.kind, f.message = "permission_error", "Your API key does not have permission to use the specified resource."
	case 404:
		f.kind, f.message = "not_found_error", "model: "+model
	case 408, 504:
		f.kind, f.message = "timeout_error", "Request timed out."
	case 413:
		f.kind, f.message = "request_too_large", "Request exceeds the maximum size"
	case 429:
		f.kind = "rate_limit_error"
		f.message = "This request would exceed the rate limit for your organization (00000000-5c12-79ed-0000-scripted0000) " +
			"of 50 requests per minute."
	case 500:
		f.kind, f.message = "api_error", "Internal server error"
	case 502, 503:
		f.kind, f.message = "api_error", "Service unavailable"
	case 529:
		f.kind, f.message = "overloaded_error", "Overloaded"
	}
	if code != "" {
		f.kind = code
	}
	return f
}

// append appends the body of f in protocol p.
func (f *failure) append(dst []byte, p llm.Protocol, requestID []byte) []byte {
	if p == llm.Messages {
		return put(dst, `{"type":"error","error":{"type":"`, f.kind, `","message":`, quoted(f.message), `},"request_id":"`,
			requestID, `"}`)
	}
	return append(f.appendObject(append(dst, `{"error":`...)), '}')
}

// appendObject appends OpenAI's error object.
func (f *failure) appendObject(dst []byte) []byte {
	dst = put(dst, `{"message":`, quoted(f.message), `,"type":"`, f.kind, `","param":`)
	dst = appendOrNull(dst, f.param)
	dst = append(dst, `,"code":`...)
	return append(appendOrNull(dst, f.code), '}')
}

// appendOrNull appends text as a JSON string, or null when it is empty.
func appendOrNull(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, "null"...)
	}
	return put(dst, quoted(text))
}

// failEvent sends f as an event in the stream and ends the stream there.
func (r *reply) failEvent() {
	status := r.script.status
	switch {
	case status != 0:
	case r.ask.protocol == llm.Messages:
		status = 529
	default:
		status = 500
	}
	f := fail(r.ask.protocol, status, r.script.code, r.ask.model)
	switch r.ask.protocol {
	case llm.Chat:
		r.buf = f.appendObject(append(r.buf[:0], `data: {"error":`...))
		r.sendEvent()
	case llm.Responses:
		// Recordings of 2025-07 and 2026-05 show both events, and the error nested, not flat as the reference says.
		code := f.code
		if code == "" {
			code = f.kind
		}
		r.event("error")
		r.buf = f.appendObject(append(r.buf, `,"error":`...))
		r.sendEvent()
		r.event("response.failed")
		r.buf = append(r.buf, `,"response":`...)
		r.buf = r.appendResponse(r.buf, "failed", &responsesFailure{code: code, message: f.message})
		r.sendEvent()
	default:
		r.named("error")
		r.buf = put(r.buf, `,"error":{"type":"`, f.kind, `","message":`, quoted(f.message), `}`)
		r.sendEvent()
	}
	if r.err == nil {
		r.err = errOver
	}
}
