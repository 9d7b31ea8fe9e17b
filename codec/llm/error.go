package llm

import "time"

// ErrorKind is what went wrong, in words that all three protocols can say. Which status, type and code each becomes is
// the table of the protocol packages' error.go (protocols.md A.9). The zero value is Internal.
type ErrorKind uint8

// The kinds of errors.
const (
	// Internal is a fault of the gateway itself.
	Internal ErrorKind = iota
	// InvalidRequest is a request that can't succeed as it is.
	InvalidRequest
	// ContextLength is a prompt that does not fit the model.
	ContextLength
	// ContentPolicy is a prompt that the provider refuses to answer.
	ContentPolicy
	// Authentication is a missing or wrong API key.
	Authentication
	// Permission is an API key that may not do this.
	Permission
	// Billing is an exhausted account or budget.
	Billing
	// NotFound is an unknown model, route or object.
	NotFound
	// Method is a known route with another method.
	Method
	// Conflict is a clash with another request.
	Conflict
	// TooLarge is a body beyond the limit.
	TooLarge
	// HeaderTooLarge is a header section beyond the limit.
	HeaderTooLarge
	// MediaType is a content encoding that can't be read.
	MediaType
	// RateLimit is too many requests or tokens in a period.
	RateLimit
	// Upstream is an upstream that failed or answered nonsense.
	Upstream
	// Timeout is an upstream, or a client's upload, that took too long.
	Timeout
	// Overloaded is an upstream, or a gateway, that can't take more now.
	Overloaded
	// Unavailable is a group that no target can serve now.
	Unavailable
	// ForeignPart is a part of the request that this provider can't take and another may: reasoning that it did not make, a
	// field that it does not know (Param is its name then).
	ForeignPart
)

// CodeUploadTimeout is the Code of a Timeout error for a client whose request body came too slowly. It makes the status
// 408; without it a Timeout is the upstream's, 504.
const CodeUploadTimeout = "request_timeout"

// Error is an error made for a client, or read from a provider. It is safe to show: no key, no upstream address.
type Error struct {
	// Kind decides status and type.
	Kind ErrorKind
	// Status is the upstream's own HTTP status when the error was read from one, else 0.
	Status int
	// Message is for people.
	Message string
	// Code is the machine-readable code in OpenAI's words ("model_not_found"). Empty means the kind's default.
	Code string
	// Param is the JSON path of the field at fault, or empty.
	Param string
	// Type is the provider's own error type when the error was read from one.
	Type string
	// RetryAfter is how long the client should wait, or how long the provider's words ask us to. Zero means unknown.
	RetryAfter time.Duration
	// NoRetry asks SDKs not to try again by themselves (x-should-retry: false).
	NoRetry bool
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }
