package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// The headers in which providers say what is left of a rate limit, with the protocols that they belong to:
//
//	anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}   reset is a time (RFC 3339)
//	x-ratelimit-{limit,remaining,reset}-{requests,tokens}           reset is a duration ("1.2s", "6m0s")
//
// (https://docs.anthropic.com/en/api/rate-limits, https://platform.openai.com/docs/guides/rate-limits). Anthropic's further
// limits, of input and output tokens, have no place in OpenAI's.
const (
	anthropicLimits = "Anthropic-Ratelimit-"
	openAILimits    = "X-Ratelimit-"
)

// passRateLimit adds an upstream's header about rate limits to the answer for a client of another protocol, in that one's
// words.
func passRateLimit(h *fasthttp.ResponseHeader, client llm.Protocol, name, value string) {
	if rest, ok := strings.CutPrefix(name, anthropicLimits); ok {
		what, field, _ := strings.Cut(rest, "-")
		if client == llm.Messages {
			h.Add(name, value)
		} else if isCounted(what) && isLimitField(field) {
			if value, ok = durationOf(field, value); ok {
				h.Add(openAILimits+field+"-"+what, value)
			}
		}
		return
	}
	rest, ok := strings.CutPrefix(name, openAILimits)
	if !ok {
		return
	}
	field, what, _ := strings.Cut(rest, "-")
	if client != llm.Messages {
		h.Add(name, value)
	} else if isCounted(what) && isLimitField(field) {
		if value, ok = timeOf(field, value); ok {
			h.Add(anthropicLimits+what+"-"+field, value)
		}
	}
}

func isCounted(what string) bool { return what == "Requests" || what == "Tokens" }

func isLimitField(field string) bool {
	return field == "Limit" || field == "Remaining" || field == "Reset"
}

// durationOf turns Anthropic's time of a reset into OpenAI's duration; other fields are numbers on both sides.
func durationOf(field, value string) (string, bool) {
	if field != "Reset" {
		return value, true
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return "", false
	}
	return max(0, time.Until(at)).Round(time.Millisecond).String(), true
}

// timeOf turns OpenAI's duration until a reset into Anthropic's time. Some compatible servers write bare seconds.
func timeOf(field, value string) (string, bool) {
	if field != "Reset" {
		return value, true
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || seconds < 0 || seconds > 1e7 {
			return "", false
		}
		d = time.Duration(seconds * float64(time.Second))
	}
	return time.Now().Add(max(0, d)).UTC().Format(time.RFC3339), true
}
