package admin

import (
	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
)

// routes returns the handler of every path.
func (s *Server) routes() fasthttp.RequestHandler {
	r := router.New()
	// One path has one spelling: a redirect would hide a caller's mistake.
	r.RedirectTrailingSlash = false
	r.RedirectFixedPath = false
	r.HandleOPTIONS = false
	r.NotFound = func(ctx *fasthttp.RequestCtx) {
		refuse(ctx, fasthttp.StatusNotFound, "not_found", "there is nothing at this path")
	}
	r.MethodNotAllowed = func(ctx *fasthttp.RequestCtx) {
		refuse(ctx, fasthttp.StatusMethodNotAllowed, "method_not_allowed", "this path does not know this method")
	}
	for path, handler := range map[string]fasthttp.RequestHandler{
		"/metrics": s.metrics,
		"/healthz": alive,
		"/readyz":  s.ready,
	} {
		r.GET(path, handler)
		r.HEAD(path, handler)
	}
	return r.Handler
}

// metrics answers with all metrics in the Prometheus text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
func (s *Server) metrics(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/plain; version=0.0.4; charset=utf-8")
	s.options.Metrics(ctx)
}

// alive answers that the process lives.
func alive(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("alive\n") }

// ready answers whether the data port takes requests.
func (s *Server) ready(ctx *fasthttp.RequestCtx) {
	if !s.options.Ready() {
		refuse(ctx, fasthttp.StatusServiceUnavailable, "not_ready", "the data port is starting or draining")
		return
	}
	ctx.SetBodyString("ready\n")
}
