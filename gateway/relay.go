package gateway

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/valyala/fasthttp"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// handle answers one request. It is fasthttp's handler for the data port.
func (g *Gateway) handle(ctx *fasthttp.RequestCtx) {
	clientOf(ctx.Conn()).headRead()
	if g.draining.Load() {
		ctx.SetConnectionClose()
	}
	defer g.recoverHandler(ctx)
	if g.snapshot.Load() != nil && g.answerCORS(ctx) {
		return
	}
	// The path is the normalized one, here and everywhere: dispatch and authentication see the same.
	switch string(ctx.Path()) {
	case "/v1/chat/completions":
		g.relay(ctx, llm.Chat, outcome.Generate)
	case "/v1/responses":
		g.relay(ctx, llm.Responses, outcome.Generate)
	case "/v1/messages":
		g.relay(ctx, llm.Messages, outcome.Generate)
	case "/v1/responses/compact":
		g.relay(ctx, llm.Responses, outcome.Compact)
	case "/v1/messages/count_tokens":
		g.relay(ctx, llm.Messages, outcome.CountTokens)
	case "/v1/responses/input_tokens":
		g.relay(ctx, llm.Responses, outcome.CountTokens)
	case "/v1/models":
		g.listModels(ctx)
	case "/":
		g.answerProbe(ctx, fasthttp.StatusOK)
	case "/healthz":
		g.answerProbe(ctx, fasthttp.StatusOK)
	case "/readyz":
		if g.Ready() {
			g.answerProbe(ctx, fasthttp.StatusOK)
		} else {
			g.answerProbe(ctx, fasthttp.StatusServiceUnavailable)
		}
	default:
		if id, ok := bytes.CutPrefix(ctx.Path(), []byte("/v1/models/")); ok && len(id) > 0 {
			g.showModel(ctx, string(id))
			return
		}
		if rest, ok := bytes.CutPrefix(ctx.Path(), []byte("/v1/responses/")); ok {
			if id, action, ok := storedPath(rest); ok {
				g.serveStored(ctx, id, action)
				return
			}
		}
		g.refuse(ctx, protocolOf(ctx), &llm.Error{
			Kind: llm.NotFound, Code: "unknown_url", NoRetry: true,
			Message: fmt.Sprintf("Unknown request URL: %s %s. See the documentation for the endpoints there are.",
				printable(ctx.Method()), printable(ctx.Path())),
		})
	}
}

// relay takes a request the whole line: authenticate, read, peek, route, attempts, respond.
func (g *Gateway) relay(ctx *fasthttp.RequestCtx, p llm.Protocol, op outcome.Operation) {
	c := g.acquireCall(clientOf(ctx.Conn()))
	c.outcome.Protocol, c.outcome.Operation = p, op
	c.request.Protocol = p
	if err := c.accept(ctx); err != nil {
		if c.request.Body == nil {
			closeUnread(ctx)
		}
		c.refuse(ctx, err)
		return
	}
	if c.streams() {
		c.relayStream(ctx)
	} else {
		c.relayWhole(ctx)
	}
}

// accept runs the checks of design.md section 2.2 in their order, and leaves the call ready for its first attempt.
func (c *call) accept(ctx *fasthttp.RequestCtx) *llm.Error {
	if c.snapshot == nil {
		return &llm.Error{Kind: llm.Unavailable, Message: "The gateway has no configuration yet."}
	}
	if !ctx.IsPost() {
		if c.outcome.Protocol == llm.Responses && len(ctx.Request.Header.Peek(fasthttp.HeaderUpgrade)) > 0 {
			return errUpgrade
		}
		return methodNotAllowed(ctx, "POST")
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	if err := c.admit(); err != nil {
		return err
	}
	if err := c.readBody(ctx); err != nil {
		return err
	}
	c.transcript.begin(c.snapshot.config.Settings.LogBodies, c.body.bytes)
	if err := c.request.Peek(c.outcome.Protocol, c.body.bytes); err != nil {
		return err
	}
	if c.snapshot.config.Settings.ResponseModel == "requested" {
		c.request.AnswerModel = strings.Clone(c.request.Model)
	}
	c.request.Count = c.outcome.Operation == outcome.CountTokens
	c.request.AnswerID, c.request.Created = json.Borrow(c.id[len(requestIDPrefix):]), c.outcome.Start.Unix()
	c.request.NoEnvelopes = c.request.Protocol == llm.Chat && !c.snapshot.reasoningDetails
	c.outcome.Stream = c.request.Stream
	c.outcome.BytesIn = int64(len(c.body.bytes))
	if err := c.findRoute(); err != nil {
		return err
	}
	if err := c.takeKeyLimits(); err != nil {
		return err
	}
	c.findAffinity(&ctx.Request.Header)
	c.show()
	c.recall.begin(c)
	c.lastWrite = now() // from here on the client waits for us
	return c.collectForwarded(ctx)
}

// errUpgrade is the answer to a WebSocket upgrade: Codex then takes HTTP.
var errUpgrade = &llm.Error{Kind: llm.Method, Code: "upgrade_required", NoRetry: true, Status: fasthttp.StatusUpgradeRequired,
	Message: "WebSocket is not available here. Use POST."}

// relayWhole runs attempts until the answer is here as a whole, and responds with it.
func (c *call) relayWhole(ctx *fasthttp.RequestCtx) {
	switch c.advance(c.deadline()) {
	case progressAnswered:
		if c.ended() == abandonedByClient {
			c.refuse(ctx, nil) // nobody is there to be answered
			return
		}
		c.respondWhole(ctx)
	default:
		c.refuse(ctx, c.explain())
	}
}

// relayStream runs attempts until the stream has begun or the client is owed a sign of life, and leaves the rest to
// WriteTo.
func (c *call) relayStream(ctx *fasthttp.RequestCtx) {
	policy := &c.route.group.policy
	for {
		switch c.advance(min(c.deadline(), c.lastWrite.after(policy.KeepAlive))) {
		case progressBegun, progressAnswered:
			c.respondStream(ctx)
			return
		case progressQuiet:
			if now() >= c.deadline() {
				continue // advance has noted the failure of the deadline
			}
			c.state = stateEarly
			c.respondStream(ctx)
			return
		default:
			c.refuse(ctx, c.explain())
			return
		}
	}
}

// recoverHandler turns a panic of the handler into a 500.
func (g *Gateway) recoverHandler(ctx *fasthttp.RequestCtx) {
	r := recover()
	if r == nil {
		return
	}
	g.metrics.panics.Inc()
	g.logger.Error("panic while serving a request", "panic", r, "stack", string(debug.Stack()))
	ctx.Response.Reset()
	ctx.SetConnectionClose()
	client := clientOf(ctx.Conn())
	e := &llm.Error{Kind: llm.Internal, Message: "The gateway failed to serve this request."}
	if running := client.call.Swap(nil); running != nil {
		defer g.recoverHandler(ctx) // ending the call may panic as well; the connection has no call then
		running.outcome.Class = outcome.ClassInternal
		running.refuse(ctx, e)
		return
	}
	g.refuse(ctx, protocolOf(ctx), e)
}

// protocolOf guesses what a client speaks whose route does not say: Anthropic's SDKs always send anthropic-version.
func protocolOf(ctx *fasthttp.RequestCtx) llm.Protocol {
	if bytes.HasPrefix(ctx.Path(), []byte("/v1/messages")) || len(ctx.Request.Header.Peek("anthropic-version")) > 0 {
		return llm.Messages
	}
	if bytes.HasPrefix(ctx.Path(), []byte("/v1/responses")) {
		return llm.Responses
	}
	return llm.Chat
}

// printable returns what a client sent, cut and with its odd bytes escaped, for an error message.
func printable(b []byte) string {
	const most = 200
	if len(b) > most {
		b = b[:most]
	}
	quoted := fmt.Sprintf("%q", b)
	return quoted[1 : len(quoted)-1]
}
