package gatewaytest

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// flood is how much the endless faults send before they end after all.
const flood = 1 << 30

// route is what a path asks for.
type route uint8

const (
	routeUnknown route = iota
	routeAnswer
	routeCount
	routeModels
	routeModel
	routeStored
	routeDelete
)

// reply is the answer to one request in the making. It belongs to the connection's goroutine, from acquireReply to
// releaseReply, which a stream's Close calls.
type reply struct {
	p      *Provider
	c      *conn
	record *record
	number uint64
	route  route
	// id is the model of routeModel, or the response of routeStored and routeDelete.
	id string
	// stored is the response of routeStored.
	stored *stored

	ask       ask
	script    script
	answer    answer
	ids       ids
	requestID []byte

	stream
}

var replies sync.Pool

func acquireReply(p *Provider, c *conn) *reply {
	r, ok := replies.Get().(*reply)
	if !ok {
		r = new(reply)
	}
	r.p, r.c = p, c
	r.number = uint64(p.requests.Add(1))
	r.ids = ids{state: p.options.Seed + r.number<<32}
	r.script = newScript()
	return r
}

// What a pooled reply keeps at most: bytes of a buffer, and calls.
const (
	maxKept      = 64 << 10
	maxKeptCalls = 64
)

func releaseReply(r *reply) {
	r.p.tokens.Add(int64(r.sent))
	r.p, r.c, r.record = nil, nil, nil
	r.ask = ask{user: r.ask.user[:0], results: r.ask.results[:0]}
	r.id, r.stored = "", nil
	r.stream.reset()
	if cap(r.answer.text.big) > maxKept {
		r.answer.text.big = nil
	}
	if cap(r.answer.calls) > maxKeptCalls {
		r.answer.calls = nil
	}
	if cap(r.ask.user) > maxKept {
		r.ask.user = nil
	}
	replies.Put(r)
}

// model returns the name that answers carry: without the directives.
func (r *reply) model() string { return r.ask.model }

// serve answers one request.
func (r *reply) serve(ctx *fasthttp.RequestCtx) {
	r.c.finish() // of a pipelined request, whose answer fasthttp may hold back
	r.c.answering = true
	r.identify(ctx)
	if !r.p.options.NoLog {
		r.record = r.p.journal.begin(ctx, int(r.number), r.c.number)
		r.c.record = r.record
	}
	credential, directives := r.credential(ctx)
	if f := r.read(ctx, credential, directives); f != nil {
		r.refuse(ctx, f)
		return
	}
	r.answer.compose(&r.ask, &r.script, &r.ids, r.p.mint(), r.p.now().Unix())
	r.record.update(func(e *Exchange) {
		e.Stream = r.ask.stream
		if r.route == routeAnswer {
			e.Usage = r.answer.usage
		}
	})
	r.perform(ctx)
}

// identify reads the path and makes the request id.
func (r *reply) identify(ctx *fasthttp.RequestCtx) {
	protocol := llm.Protocol(0)
	r.route = routeUnknown
	path, found := strings.CutPrefix(string(ctx.Path()), r.p.options.Prefix)
	switch {
	case !found:
	case ctx.IsPost():
		switch path {
		case "/chat/completions":
			r.route, protocol = routeAnswer, llm.Chat
		case "/responses":
			r.route, protocol = routeAnswer, llm.Responses
		case "/messages":
			r.route, protocol = routeAnswer, llm.Messages
		case "/responses/input_tokens":
			r.route, protocol = routeCount, llm.Responses
		case "/messages/count_tokens":
			r.route, protocol = routeCount, llm.Messages
		}
	case ctx.IsGet():
		if len(ctx.Request.Header.Peek("Anthropic-Version")) > 0 {
			protocol = llm.Messages
		}
		if path == "/models" {
			r.route = routeModels
		} else if id, ok := strings.CutPrefix(path, "/models/"); ok {
			r.route, r.id = routeModel, id
		} else if id, ok := strings.CutPrefix(path, "/responses/"); ok {
			r.route, r.id, protocol = routeStored, id, llm.Responses
		}
	case ctx.IsDelete():
		if id, ok := strings.CutPrefix(path, "/responses/"); ok {
			r.route, r.id, protocol = routeDelete, id, llm.Responses
		}
	}
	r.ask = ask{protocol: protocol, user: r.ask.user[:0], results: r.ask.results[:0]}
	if protocol == llm.Messages {
		r.requestID = r.ids.base58(r.requestID[:0], "req_01")
	} else {
		r.requestID = r.ids.append(r.requestID[:0], "req_", hexDigits, 32)
	}
}

// credential returns the API key, from the carrier that the protocol prefers, and the directives behind it.
func (r *reply) credential(ctx *fasthttp.RequestCtx) (key, directives string) {
	carriers := [...]string{"Authorization", "Api-Key", "X-Api-Key"}
	if r.ask.protocol == llm.Messages {
		carriers = [...]string{"X-Api-Key", "Authorization", "Api-Key"}
	}
	for _, carrier := range carriers {
		if value := ctx.Request.Header.Peek(carrier); len(value) > 0 {
			key, directives, _ = strings.Cut(bearer(string(value)), "!")
			break
		}
	}
	return key, directives
}

// bearer returns the credential behind "Bearer ", or all of value.
func bearer(value string) string {
	if len(value) > 7 && strings.EqualFold(value[:7], "bearer ") {
		return value[7:]
	}
	return value
}

// read reads the request and its directives. It returns why the request is refused, or nil.
func (r *reply) read(ctx *fasthttp.RequestCtx, credential, directives string) *failure {
	a := &r.ask
	protocol := a.protocol
	wellFormed := true
	if ctx.IsPost() {
		wellFormed = a.read(protocol, ctx.PostBody())
	}
	r.record.update(func(e *Exchange) {
		e.Credential = credential
		if r.route == routeAnswer || r.route == routeCount {
			e.Protocol = protocol
		}
		e.Model = a.model
		if a.modelScript != "" {
			e.Model += "!" + a.modelScript
		}
	})
	switch {
	case credential == "" || strings.HasPrefix(credential, "bad"):
		f := fail(protocol, 401, "", "")
		return &f
	case r.route == routeUnknown:
		f := fail(protocol, 404, "unknown_url", "")
		f.message = "Invalid URL (" + string(ctx.Method()) + " " + string(ctx.Path()) + ")"
		return &f
	case !wellFormed:
		f := fail(protocol, 400, "", "")
		f.message = notJSON
		return &f
	}
	sources := [...]string{r.p.script(), directives, string(ctx.Request.Header.Peek("X-Script")), a.modelScript}
	if err := r.readScript(sources[:]); err != nil {
		r.script = newScript() // the answer to a wrong script is to be read
		f := fail(protocol, 400, "", "")
		f.message = err.Error()
		return &f
	}
	if r.p.options.Validate {
		if f := r.validate(ctx); f != nil {
			return f
		}
	}
	return r.recall()
}

// recall fetches what the request refers to among the stored responses.
func (r *reply) recall() *failure {
	a := &r.ask
	found := true
	switch r.route {
	case routeStored:
		r.stored = r.p.shelf.find(r.id)
		found = r.stored != nil
	case routeDelete:
		found = r.p.shelf.remove(r.id)
	}
	if !found {
		f := fail(llm.Responses, fasthttp.StatusNotFound, "", "")
		f.message, f.code = "Response with id '"+r.id+"' not found.", ""
		return &f
	}
	if a.protocol != llm.Responses {
		return nil
	}
	past, inResults := ask{protocol: a.protocol}, false
	if before := r.p.shelf.find(a.previous); before != nil {
		for _, item := range before.context {
			past.readMessage(item, &inResults)
		}
	}
	for item := range elements(member(a.body, "input")) {
		if string(member(item, "type")) == `"item_reference"` {
			past.readMessage(r.p.shelf.item(decoded(member(item, "id"))), &inResults)
		}
	}
	a.textBytes += past.textBytes
	a.rounds += past.rounds
	a.thoughts += past.thoughts
	if len(a.user) == 0 {
		a.user = append(a.user, past.user...)
	}
	return nil
}

// store keeps the response, if its client wants that.
func (r *reply) store() {
	if r.route != routeAnswer || r.ask.protocol != llm.Responses || r.ask.unstored || r.p.options.NoLog {
		return
	}
	r.p.shelf.put(newStored(string(r.answer.id), r.ask.body, r.appendResponse(nil, r.answer.status(), nil),
		r.p.shelf.find(r.ask.previous)))
}

// readScript adds up the directives of all sources and, when times= has run out, leaves the faults away.
func (r *reply) readScript(sources []string) error {
	for _, source := range sources {
		if err := r.script.read(source, false); err != nil {
			return err
		}
	}
	if r.script.times == 0 || r.p.strikes(r.ask.model+"!"+strings.Join(sources, "!"), r.script.times) {
		return r.suffer()
	}
	r.script = newScript()
	for _, source := range sources {
		if err := r.script.read(source, true); err != nil {
			return err
		}
	}
	return nil
}

// perform plays the script.
func (r *reply) perform(ctx *fasthttp.RequestCtx) {
	s := &r.script
	r.c.closeIdle, r.c.closeNext = s.closeIdle, s.closeNext
	if s.delay > 0 && r.c.wait(time.Now().Add(s.delay)) != nil {
		return
	}
	h := &ctx.Response.Header
	if s.closes {
		ctx.SetConnectionClose()
	}
	switch {
	case s.reset:
		r.c.sever(true)
	case s.silent:
		// The error is the client leaving, which wait has recorded.
		_ = r.c.wait(time.Time{})
	case s.endlessHeaders:
		r.floodHeaders()
	case s.redirect != "":
		h.Set("Location", s.redirect)
		r.status(ctx, fasthttp.StatusFound)
	case s.html:
		h.SetContentType("text/html; charset=UTF-8")
		r.status(ctx, max(s.status, fasthttp.StatusOK))
		r.whole(ctx, []byte(htmlPage))
	case s.status != 0 && s.errorEvent == never:
		f := fail(r.ask.protocol, s.status, s.code, r.ask.model)
		r.refuse(ctx, &f)
	case s.error200:
		f := fail(r.ask.protocol, 500, s.code, r.ask.model)
		r.headers(ctx, "application/json")
		r.status(ctx, fasthttp.StatusOK)
		r.whole(ctx, f.append(nil, r.ask.protocol, r.requestID))
	case s.gzipBomb || s.endlessBody:
		r.headers(ctx, r.contentType())
		if s.gzipBomb {
			h.Set("Content-Encoding", "gzip")
		}
		r.status(ctx, fasthttp.StatusOK)
		ctx.Response.SetBodyStream(r, -1)
	case s.empty:
		r.headers(ctx, r.contentType())
		r.status(ctx, fasthttp.StatusOK)
	case r.ask.stream && r.route == routeAnswer:
		r.store()
		r.startStream(ctx)
	default:
		r.store()
		r.headers(ctx, "application/json")
		r.status(ctx, fasthttp.StatusOK)
		r.buf = r.appendBody(r.buf[:0])
		r.whole(ctx, r.buf)
	}
}

func (r *reply) contentType() string {
	if r.ask.stream {
		return "text/event-stream; charset=utf-8"
	}
	return "application/json"
}

// status sets the status, in the journal too.
func (r *reply) status(ctx *fasthttp.RequestCtx, status int) {
	ctx.SetStatusCode(status)
	r.record.update(func(e *Exchange) { e.Status = status })
}

// refuse answers with an error.
func (r *reply) refuse(ctx *fasthttp.RequestCtx, f *failure) {
	r.headers(ctx, "application/json")
	r.status(ctx, f.status)
	r.buf = f.append(r.buf[:0], r.ask.protocol, r.requestID)
	r.whole(ctx, r.buf)
}

// appendBody appends the whole answer.
func (r *reply) appendBody(dst []byte) []byte {
	switch r.route {
	case routeCount:
		return r.appendCount(dst)
	case routeModels:
		return r.appendModels(dst)
	case routeModel:
		return r.appendModel(dst, r.id)
	case routeStored:
		return append(dst, r.stored.body...)
	case routeDelete:
		return put(dst, `{"id":`, quoted(r.id), `,"object":"response","deleted":true}`)
	}
	switch r.ask.protocol {
	case llm.Chat:
		return r.appendChat(dst)
	case llm.Responses:
		return r.appendResponse(dst, r.answer.status(), nil)
	}
	return r.appendMessage(dst)
}

// whole sends a body that is known as a whole, with the faults that fit.
func (r *reply) whole(ctx *fasthttp.RequestCtx, body []byte) {
	s := &r.script
	if s.truncated {
		body = body[:len(body)/2]
	}
	if s.gzip {
		body = fasthttp.AppendGzipBytes(nil, body)
		ctx.Response.Header.Set("Content-Encoding", "gzip")
	}
	r.c.piece = s.split
	if s.cut == never && s.stall == never && !s.hang {
		ctx.SetBody(body)
		return
	}
	part := body[:len(body)/2]
	if s.hang {
		part = body[:len(body)-1]
	}
	ctx.Response.Header.SetContentLength(len(body))
	head := ctx.Response.Header.AppendBytes(nil)
	if _, err := r.c.Write(append(head, part...)); err != nil {
		return // the connection remembers
	}
	if s.cut != never {
		r.c.sever(s.rst)
		return
	}
	// The error is the client leaving, which wait has recorded.
	_ = r.c.wait(time.Time{})
}

// htmlPage is what stands between a provider and its clients on a bad day.
const htmlPage = `<!DOCTYPE html>
<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>
`

// floodHeaders sends headers until the client has enough.
func (r *reply) floodHeaders() {
	line := append([]byte("X-Filler: "), bytes.Repeat([]byte{'x'}, 4<<10)...)
	line = append(line, "\r\n"...)
	_, err := r.c.Write([]byte("HTTP/1.1 200 OK\r\n"))
	for sent := 0; err == nil && sent < flood; sent += len(line) {
		_, err = r.c.Write(line)
	}
	if err == nil {
		r.c.sever(false)
	}
}
