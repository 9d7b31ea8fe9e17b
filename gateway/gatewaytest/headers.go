package gatewaytest

import (
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// Names are in canonical form, so that fasthttp need not change them.
var (
	headerCacheControl = []byte("Cache-Control")
	headerRetryAfter   = []byte("Retry-After")

	openAIRequestID     = []byte("X-Request-Id")
	openAIProcessing    = []byte("Openai-Processing-Ms")
	openAIVersion       = []byte("Openai-Version")
	openAILimitRequests = []byte("X-Ratelimit-Limit-Requests")
	openAILeftRequests  = []byte("X-Ratelimit-Remaining-Requests")
	openAIResetRequests = []byte("X-Ratelimit-Reset-Requests")
	openAILimitTokens   = []byte("X-Ratelimit-Limit-Tokens")
	openAILeftTokens    = []byte("X-Ratelimit-Remaining-Tokens")
	openAIResetTokens   = []byte("X-Ratelimit-Reset-Tokens")

	anthropicRequestID     = []byte("Request-Id")
	anthropicLimitRequests = []byte("Anthropic-Ratelimit-Requests-Limit")
	anthropicLeftRequests  = []byte("Anthropic-Ratelimit-Requests-Remaining")
	anthropicResetRequests = []byte("Anthropic-Ratelimit-Requests-Reset")
	anthropicLimitTokens   = []byte("Anthropic-Ratelimit-Tokens-Limit")
	anthropicLeftTokens    = []byte("Anthropic-Ratelimit-Tokens-Remaining")
	anthropicResetTokens   = []byte("Anthropic-Ratelimit-Tokens-Reset")
)

// What the headers say.
var (
	noCache       = []byte("no-cache")
	processing    = []byte("42")
	version       = []byte("2020-10-01")
	limitRequests = []byte("5000")
	leftRequests  = []byte("4999")
	limitTokens   = []byte("2000000")
	leftTokens    = []byte("1999000")
	resetIn       = []byte("12ms")
	nothingLeft   = []byte("0")
)

// headers sets what every answer of a provider carries. After status=429 nothing is left of the limits.
func (r *reply) headers(ctx *fasthttp.RequestCtx, contentType string) {
	h := &ctx.Response.Header
	h.SetContentType(contentType)
	requests, tokens := leftRequests, leftTokens
	if r.script.status == fasthttp.StatusTooManyRequests {
		requests, tokens = nothingLeft, nothingLeft
	}
	if r.ask.protocol == llm.Messages {
		r.scratch = r.p.now().UTC().Truncate(time.Second).AppendFormat(r.scratch[:0], time.RFC3339)
		h.SetCanonical(anthropicRequestID, r.requestID)
		h.SetCanonical(anthropicLimitRequests, limitRequests)
		h.SetCanonical(anthropicLeftRequests, requests)
		h.SetCanonical(anthropicResetRequests, r.scratch)
		h.SetCanonical(anthropicLimitTokens, limitTokens)
		h.SetCanonical(anthropicLeftTokens, tokens)
		h.SetCanonical(anthropicResetTokens, r.scratch)
	} else {
		h.SetCanonical(openAIRequestID, r.requestID)
		h.SetCanonical(openAIProcessing, processing)
		h.SetCanonical(openAIVersion, version)
		h.SetCanonical(openAILimitRequests, limitRequests)
		h.SetCanonical(openAILeftRequests, requests)
		h.SetCanonical(openAIResetRequests, resetIn)
		h.SetCanonical(openAILimitTokens, limitTokens)
		h.SetCanonical(openAILeftTokens, tokens)
		h.SetCanonical(openAIResetTokens, resetIn)
	}
	if r.script.retryAfter != "" {
		h.SetCanonical(headerRetryAfter, []byte(r.script.retryAfter))
	}
}
