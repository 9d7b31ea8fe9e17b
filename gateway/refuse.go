package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// refuse answers the call with an error in the client's protocol and finishes it. A client that has left is told nothing, and
// e may be nil.
func (c *call) refuse(ctx *fasthttp.RequestCtx, e *llm.Error) {
	if c.ended() == abandonedByClient {
		c.noteGone()
		ctx.SetConnectionClose()
		ctx.SetStatusCode(statusClientGone)
		c.finish()
		return
	}
	status := codec.ErrorStatus(c.outcome.Protocol, e)
	if e == errUpgrade {
		status = e.Status
	}
	if c.failure.answer != nil && c.failure.err == e {
		// The provider's own words and status: the request is at fault, and the client knows best what they mean.
		status = c.failure.status
		c.passHeaders(&ctx.Response.Header, c.failure.header)
		ctx.Response.SetBodyRaw(c.failure.answer)
	} else {
		ctx.Response.SetBodyRaw(codec.AppendErrorBody(nil, c.outcome.Protocol, e, string(c.id)))
	}
	if c.outcome.Class == outcome.ClassNone {
		c.outcome.Class = outcome.ClassRefused
		if c.failure.err != nil {
			c.outcome.Class = c.failure.class
		}
	}
	c.outcome.Message = e.Message
	c.outcome.BytesOut = int64(len(ctx.Response.Body()))
	c.transcript.answer(ctx.Response.Body())
	c.setStatus(ctx, status)
	ctx.Response.Header.SetContentTypeBytes(headerContentTypeDefault)
	setErrorHeaders(&ctx.Response.Header, e)
	c.finish()
}

// maxDrained is the largest upload that fasthttp reads on to its end for a handler that has not, so that the connection
// can be used again.
const maxDrained = 256 << 10

// closeUnread ends the connection after the answer to an upload that nobody reads, so that the client sees the answer and
// not a reset.
func closeUnread(ctx *fasthttp.RequestCtx) {
	if length := ctx.Request.Header.ContentLength(); length == -1 || length > maxDrained {
		ctx.SetConnectionClose()
		clientOf(ctx.Conn()).linger = true
	}
}

// refuse answers a request that is no call with an error.
func (g *Gateway) refuse(ctx *fasthttp.RequestCtx, p llm.Protocol, e *llm.Error) {
	closeUnread(ctx)
	id := appendRequestID(nil, g.requestIDPrefix, g.requestIDs.Add(1))
	status := codec.ErrorStatus(p, e)
	ctx.SetStatusCode(status)
	setRequestID(&ctx.Response.Header, id)
	ctx.Response.Header.SetContentTypeBytes(headerContentTypeDefault)
	setErrorHeaders(&ctx.Response.Header, e)
	ctx.Response.SetBodyRaw(codec.AppendErrorBody(nil, p, e, string(id)))
	g.metrics.noGroup.count(p, status)
}

// setErrorHeaders sets what tells SDKs when, and whether, to try again.
func setErrorHeaders(h *fasthttp.ResponseHeader, e *llm.Error) {
	if e.RetryAfter > 0 {
		seconds := (e.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if e.NoRetry {
		h.Set("X-Should-Retry", "false")
	}
}

// handleBadRequest answers what fasthttp could not read as a request.
func (g *Gateway) handleBadRequest(ctx *fasthttp.RequestCtx, err error) {
	client := clientOf(ctx.Conn())
	if !client.spoke.Load() {
		// Opened in advance, or by a health check that resets it: nobody asked, so nobody is answered or counted.
		_ = client.Conn.Close()
		return
	}
	client.linger = true
	e := &llm.Error{Kind: llm.InvalidRequest, NoRetry: true, Message: "The request is not valid HTTP/1.1."}
	var small *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &small):
		e.Kind, e.Code = llm.HeaderTooLarge, "header_too_large"
		e.Message = fmt.Sprintf("The request's header section is larger than the limit of %d bytes.", maxRequestHeader)
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, fasthttp.ErrTimeout):
		e = &llm.Error{Kind: llm.Timeout, Code: llm.CodeUploadTimeout, Message: "The request did not arrive in time."}
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Message = "The request ended too early."
	}
	g.refuse(ctx, protocolOf(ctx), e)
}

// answerProbe answers without a body.
func (g *Gateway) answerProbe(ctx *fasthttp.RequestCtx, status int) {
	if !ctx.IsGet() && !ctx.IsHead() {
		g.refuse(ctx, protocolOf(ctx), methodNotAllowed(ctx, "GET"))
		return
	}
	ctx.SetStatusCode(status)
}

func methodNotAllowed(ctx *fasthttp.RequestCtx, use string) *llm.Error {
	ctx.Response.Header.Set(fasthttp.HeaderAllow, strings.ReplaceAll(use, " or ", ", "))
	return &llm.Error{Kind: llm.Method, NoRetry: true,
		Message: fmt.Sprintf("Method %s is not allowed here. Use %s.", printable(ctx.Method()), use)}
}
