package gateway

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"octopus/gateway/outcome"
)

// respondWhole answers with the whole answer in c.pending. The body is written by WriteTo, and Close finishes the call.
func (c *call) respondWhole(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	if c.estimated {
		c.setStatus(ctx, fasthttp.StatusOK)
		h.SetContentTypeBytes(headerContentTypeDefault)
	} else {
		c.setStatus(ctx, c.attempt.exchange.header.StatusCode())
		c.passHeaders(h, &c.attempt.exchange.header)
	}
	c.setRelayHeaders(h)
	ctx.Response.SetBodyStream(c, len(c.pending))
}

// respondStream answers with a stream, whose bytes WriteTo produces. An early answer has no target yet.
func (c *call) respondStream(ctx *fasthttp.RequestCtx) {
	c.setStatus(ctx, fasthttp.StatusOK)
	if !ctx.Request.Header.IsHTTP11() {
		ctx.SetConnectionClose() // such a client may wait for the end to read chunks
	}
	h := &ctx.Response.Header
	if c.state != stateEarly {
		c.passHeaders(h, &c.attempt.exchange.header)
		c.setRelayHeaders(h)
	} else {
		c.pending = c.attempt.bridge.AppendKeepAlive(nil)
	}
	h.SetContentType("text/event-stream; charset=utf-8")
	h.SetCanonical(headerCacheControl, noCache)
	// nginx in front of us would hold events back without it.
	h.SetCanonical(headerXAccelBuffering, no)
	ctx.Response.SetBodyStream(c, -1)
}

var (
	headerCacheControl    = []byte("Cache-Control")
	noCache               = []byte("no-cache")
	headerXAccelBuffering = []byte("X-Accel-Buffering")
	no                    = []byte("no")

	headerXRequestID         = []byte("X-Request-Id")
	headerRequestID          = []byte("Request-Id")
	headerUpstreamRequestID  = []byte("X-Upstream-Request-Id")
	headerUpstreamResponseID = []byte("X-Upstream-Response-Id")
	headerOctopusChannel     = []byte("X-Octopus-Channel")
	headerOctopusModel       = []byte("X-Octopus-Model")
	headerOctopusAttempts    = []byte("X-Octopus-Attempts")
	headerOctopusWarnings    = []byte("X-Octopus-Warnings")
	headerContentTypeDefault = []byte("application/json")
)

// setStatus sets the status, what is left of the API key's limits, and the request's id, which every answer carries under both
// names that SDKs look for.
func (c *call) setStatus(ctx *fasthttp.RequestCtx, status int) {
	c.outcome.Status = status
	ctx.SetStatusCode(status)
	setRequestID(&ctx.Response.Header, c.id)
	c.setKeyLimits(&ctx.Response.Header)
}

func setRequestID(h *fasthttp.ResponseHeader, id []byte) {
	h.SetCanonical(headerXRequestID, id)
	h.SetCanonical(headerRequestID, id)
}

// setRelayHeaders tells where the answer comes from.
func (c *call) setRelayHeaders(h *fasthttp.ResponseHeader) {
	if !c.snapshot.config.Settings.RelayHeaders {
		return
	}
	h.SetCanonical(headerOctopusChannel, c.attempt.target.member.channel.nameHeader)
	h.SetCanonical(headerOctopusModel, appendHeaderValue(c.scratch[:0], c.attempt.target.member.model))
	if w := c.appendWarnings(c.scratch[:0]); len(w) > 0 {
		h.SetCanonical(headerOctopusWarnings, w)
	}
	if c.attempt.bridge != nil {
		if id := c.attempt.bridge.AnswerID(); id != "" {
			h.SetCanonical(headerUpstreamResponseID, appendHeaderValue(c.scratch[:0], id))
		}
	}
	h.SetCanonical(headerOctopusAttempts, strconv.AppendInt(c.scratch[:0], int64(c.begun), 10))
}

// appendWarnings appends what the answer is not exact in, as the header x-octopus-warnings has it.
func (c *call) appendWarnings(dst []byte) []byte {
	if c.estimated {
		return append(dst, "approx=input_tokens"...)
	}
	if c.attempt.bridge != nil {
		if w := c.attempt.bridge.Warnings(); w != nil {
			return w.Append(dst)
		}
	}
	return dst
}

// appendHeaderValue appends text as a header value: control characters and bytes beyond ASCII become question marks.
func appendHeaderValue(dst []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if b := text[i]; b >= ' ' && b < 0x7f {
			dst = append(dst, b)
		} else {
			dst = append(dst, '?')
		}
	}
	return dst
}

// passHeaders copies the upstream's headers that clients need; as they are when both sides speak the client's protocol. Where the
// API key's own limits are told, nothing is told of the upstream's.
func (c *call) passHeaders(h, from *fasthttp.ResponseHeader) {
	h.SetContentTypeBytes(headerContentTypeDefault)
	var id []byte
	for name, value := range from.All() {
		switch passOf(name) {
		case passAsIs:
			h.AddBytesKV(name, value)
		case passLimit:
			switch {
			case c.tellsKeyLimits():
			case c.attempt.passes():
				h.AddBytesKV(name, value)
			default:
				passRateLimit(h, c.request.Protocol, string(name), string(value))
			}
		case passContentType:
			h.SetContentTypeBytes(value)
		case passRequestID:
			id = value
		}
	}
	if len(id) > 0 {
		h.SetCanonical(headerUpstreamRequestID, id)
	}
}

// passing is what happens to a header of an upstream's answer.
type passing uint8

const (
	passNot passing = iota
	passAsIs
	passLimit // about a rate limit
	passContentType
	passRequestID
)

// passOf decides by an allow-list: what SDKs and people use to slow down or to look into a problem. Everything else stays:
// cookies, hop-by-hop headers, and what names the account.
func passOf(name []byte) passing {
	switch string(name) {
	case "Content-Type":
		return passContentType
	case "X-Request-Id", "Request-Id":
		return passRequestID
	case "Retry-After", "Retry-After-Ms", "X-Should-Retry", "Openai-Processing-Ms", "Openai-Version", "Openai-Model":
		return passAsIs
	}
	if len(name) > len(openAILimits) && string(name[:len(openAILimits)]) == openAILimits ||
		len(name) > len(anthropicLimits) && string(name[:len(anthropicLimits)]) == anthropicLimits {
		return passLimit
	}
	return passNot
}

// noteGone notes that the client did not get its answer to the end.
func (c *call) noteGone() {
	c.outcome.Status = statusClientGone
	c.outcome.Class = outcome.ClassClientGone
	if a := c.attempt; a.running {
		a.record.Class, a.record.Verdict = outcome.ClassClientGone, outcome.GiveUp
	}
}

// statusClientGone is nginx's status for a client that closed the connection before its answer.
const statusClientGone = 499
