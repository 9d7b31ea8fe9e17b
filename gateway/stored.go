package gateway

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// storedAction is what a client wants of a response that it made earlier.
type storedAction uint8

const (
	storedWhole  storedAction = iota // GET or DELETE /v1/responses/{id}
	storedInput                      // GET /v1/responses/{id}/input_items
	storedCancel                     // POST /v1/responses/{id}/cancel
)

// storedPath reads what stands behind /v1/responses/.
func storedPath(rest []byte) (id string, action storedAction, ok bool) {
	name, tail, more := strings.Cut(string(rest), "/")
	switch {
	case name == "":
		return "", 0, false
	case !more:
		return name, storedWhole, true
	case tail == "input_items":
		return name, storedInput, true
	case tail == "cancel":
		return name, storedCancel, true
	}
	return "", 0, false
}

// serveStored answers a request about an earlier response: from the memory when the gateway made it, else by the upstream
// that did.
func (g *Gateway) serveStored(ctx *fasthttp.RequestCtx, id string, action storedAction) {
	c := g.acquireCall(clientOf(ctx.Conn()))
	c.outcome.Protocol, c.request.Protocol, c.outcome.Operation = llm.Responses, llm.Responses, outcome.Stored
	if err := c.acceptStored(ctx, action); err != nil {
		c.refuse(ctx, err)
		return
	}
	c.recall = recall{memory: g.memory, key: c.key.id}
	switch kept := c.recall.find(responseKey, id); {
	case len(kept) == 0:
		c.refuse(ctx, &llm.Error{Kind: llm.NotFound, Code: "response_not_found", Param: "id", NoRetry: true,
			Message: fmt.Sprintf("Response %q is not known here.", cut(id))})
	case kept[0] == '{':
		c.answerStored(ctx, id, action, kept)
	default:
		c.forwardStored(ctx, string(kept))
	}
}

func (c *call) acceptStored(ctx *fasthttp.RequestCtx, action storedAction) *llm.Error {
	if c.snapshot == nil {
		return &llm.Error{Kind: llm.Unavailable, Message: "The gateway has no configuration yet."}
	}
	switch {
	case action == storedCancel && !ctx.IsPost():
		return methodNotAllowed(ctx, "POST")
	case action == storedInput && !ctx.IsGet():
		return methodNotAllowed(ctx, "GET")
	case action == storedWhole && !ctx.IsGet() && !ctx.IsDelete():
		return methodNotAllowed(ctx, "GET or DELETE")
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	if err := c.admit(); err != nil {
		return err
	}
	if err := c.takeKeyLimits(); err != nil {
		return err
	}
	return c.collectForwarded(ctx)
}

// answerStored answers from the record of a response.
func (c *call) answerStored(ctx *fasthttp.RequestCtx, id string, action storedAction, record []byte) {
	response := json.Get(record, "response")
	query := ctx.QueryArgs()
	switch {
	case action == storedWhole && ctx.IsGet() && string(query.Peek("stream")) == "true":
		c.refuse(ctx, notReplayed("stream"))
	case action == storedWhole && ctx.IsGet() && query.Has("starting_after"):
		c.refuse(ctx, notReplayed("starting_after"))
	case action == storedCancel:
		c.refuse(ctx, &llm.Error{Kind: llm.InvalidRequest, Param: "id", NoRetry: true,
			Message: "Only responses that run in the background can be cancelled."})
	case action == storedInput:
		c.answerJSON(ctx, codec.AppendInputItems(nil, record))
	case ctx.IsDelete():
		c.recall.forget(id, codec.OutputItems(record))
		b := json.AppendString([]byte(`{"id":`), id)
		c.answerJSON(ctx, append(b, `,"object":"response","deleted":true}`...))
	default:
		c.answerJSON(ctx, bytes.Clone(response))
	}
}

// notReplayed refuses a parameter that asks for the events of a response of which only the end is kept.
func notReplayed(parameter string) *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Code: "unsupported_parameter", Param: parameter, NoRetry: true,
		Message: "The events of this response are not kept. Leave out " + parameter + " to get the response as a whole."}
}

// answerJSON answers the call with status 200 and finishes it.
func (c *call) answerJSON(ctx *fasthttp.RequestCtx, body []byte) {
	c.setStatus(ctx, fasthttp.StatusOK)
	c.outcome.BytesOut = int64(len(body))
	ctx.Response.Header.SetContentTypeBytes(headerContentTypeDefault)
	ctx.Response.SetBodyRaw(body)
	c.finish()
}

// forwardStored asks the upstream that made the response, on the channel with that id.
func (c *call) forwardStored(ctx *fasthttp.RequestCtx, channelID string) {
	var on *channel
	for _, ch := range c.snapshot.channels {
		if ch.id == channelID && ch.endpoints[llm.Responses] != nil && len(ch.keys) > 0 {
			on = ch
		}
	}
	if on == nil {
		c.refuse(ctx, &llm.Error{Kind: llm.NotFound, Code: "response_not_found", Param: "id", NoRetry: true,
			Message: "The channel that made the response is not available."})
		return
	}
	c.stored = storedRequest{method: string(ctx.Method()), suffix: string(ctx.Path()[len("/v1/responses"):])}
	c.body = acquireBuffer()
	c.outcome.Requested = on.name
	c.route.toChannel(on, "", &c.snapshot.pricing)
	c.route.direct.metrics = c.gateway.metrics.noGroup
	if ctx.IsGet() && string(ctx.QueryArgs().Peek("stream")) == "true" {
		c.request.Stream, c.outcome.Stream = true, true
		c.lastWrite = now() // from here on the client waits for us
		c.relayStream(ctx)
		return
	}
	c.relayWhole(ctx)
}

// streams reports whether the answer that the call waits for is a stream, and passes as one.
func (c *call) streams() bool {
	return c.request.Stream && (c.outcome.Operation == outcome.Generate || c.outcome.Operation == outcome.Stored)
}

// storedRequest is a request about an earlier response that is forwarded: its method and what follows /responses in its path.
// The zero value is none.
type storedRequest struct {
	method, suffix string
}
