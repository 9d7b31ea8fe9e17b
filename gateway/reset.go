package gateway

import (
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// limitHeaders are the pairs of headers in which providers say what is left of a limit and when it is lifted: OpenAI and those
// like it ("1s", "6m0s"), OpenRouter (one limit, milliseconds since 1970), Anthropic (RFC 3339). Sources are at
// passRateLimit.
var limitHeaders = [...]struct{ remaining, reset string }{
	{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset"},
}

// leftAlone returns how long a target asks to be left alone that answered with an error: what its header says outright, else what
// its words say (e), else when the limits are lifted that are used up. Zero means that it doesn't say; the most is llm.MaxWait.
func leftAlone(h *fasthttp.ResponseHeader, e *llm.Error) time.Duration {
	if wait := parseRetryAfter(h.Peek("Retry-After"), h.Peek("Retry-After-Ms")); wait > 0 {
		return wait
	}
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	if e.Kind != llm.RateLimit && e.Kind != llm.Billing {
		return 0 // limits are reported with every answer
	}
	return untilLifted(h)
}

// untilLifted returns how long it takes until nothing is used up. A limit of which something is left did not refuse the request,
// so that of several the latest counts that have nothing left or don't say.
func untilLifted(h *fasthttp.ResponseHeader) (wait time.Duration) {
	for i := range limitHeaders {
		names := &limitHeaders[i]
		if left := h.Peek(names.remaining); len(left) > 0 && string(left) != "0" {
			continue
		}
		if lifted, ok := llm.ParseReset(string(h.Peek(names.reset))); ok {
			wait = max(wait, lifted)
		}
	}
	return wait
}

// parseRetryAfter reads the headers Retry-After and retry-after-ms; zero means none. Dates (RFC 9110, section 10.2.3) count
// from now. Some servers write spans with a unit, or the time itself.
func parseRetryAfter(seconds, milliseconds []byte) time.Duration {
	if wait, ok := llm.ParseWait(string(milliseconds) + "ms"); ok && wait > 0 {
		return wait
	}
	if at, err := time.Parse(time.RFC1123, string(seconds)); err == nil {
		return max(0, min(time.Until(at), llm.MaxWait))
	}
	wait, _ := llm.ParseReset(string(seconds))
	return wait
}
