package admin

import (
	"errors"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
)

// route is one call of the admin port: what it needs to be served, and to be described in /api/openapi.json.
type route struct {
	method, path string
	access       access
	about        string
	query        []parameter
	// body is an example of what the request's body is read into, nil for none.
	body any
	// answer is an example of what handle returns. Where it is nil, handle writes the answer itself, of the type media.
	answer any
	media  string
	handle handler
}

// handler serves a route. What it returns is answered as JSON unless that is nil. Errors other than refusals are faults of ours.
type handler func(s *Server, ctx *fasthttp.RequestCtx, q query) (any, error)

// table lists every route. It is a function because the description of the routes is one of them.
func table() []route {
	return []route{
		{method: fasthttp.MethodGet, path: "/metrics", access: forScrapers, media: metricsType, handle: metrics,
			about: "All metrics in the Prometheus text format; without credential unless the setting metrics_auth is on."},
		{method: fasthttp.MethodGet, path: "/healthz", access: forAnyone, media: textType, handle: alive, about: "The process lives."},
		{method: fasthttp.MethodGet, path: "/readyz", access: forAnyone, media: textType, handle: ready,
			about: "The data port takes requests; else 503."},

		{method: fasthttp.MethodGet, path: "/api/openapi.json", answer: map[string]any{}, handle: openAPI, about: "This description."},
		{method: fasthttp.MethodGet, path: "/api/v1/stats/summary", answer: summary{}, handle: statsSummary,
			about: "Sums of all time, and of the present day where the server is."},
		{method: fasthttp.MethodGet, path: "/api/v1/stats/series", query: seriesParameters, answer: list[point]{}, handle: statsSeries,
			about: "Sums by hour or day. Times without any are left out; hours are kept for 35 days."},
		{method: fasthttp.MethodGet, path: "/api/v1/stats/ranking", query: rankingParameters, answer: list[ranked]{}, handle: statsRanking,
			about: "Sums by channel, key, model, group or API key, the largest first. Channels, keys and models count attempts."},
		{method: fasthttp.MethodGet, path: "/api/v1/logs", query: searchParameters, answer: list[row]{}, handle: searchLogs,
			about: "Finished requests, the newest first. A page may be short, or empty, and yet have a next one."},
		{method: fasthttp.MethodGet, path: "/api/v1/logs/{id}", answer: fullRow{}, handle: findLog,
			about: "One finished request, by its request id, with its bodies where the log keeps them."},
		{method: fasthttp.MethodGet, path: "/api/v1/logs/stream", query: filterParameters, media: streamType, handle: streamLogs,
			about: "Requests as they finish: server-sent events named row. A reader that is too slow misses some."},
		{method: fasthttp.MethodGet, path: "/api/v1/prices", query: limitAndCursor, answer: list[ownPrice]{}, handle: ownPrices,
			about: "Own prices, which win over the catalog's."},
		{method: fasthttp.MethodGet, path: "/api/v1/prices/catalog", query: catalogParameters, answer: catalogList{}, handle: catalogPrices,
			about: "The catalog of prices, by provider and name, and how its syncing stands."},
		{method: fasthttp.MethodGet, path: "/api/v1/prices/unpriced", query: limitAndCursor, answer: list[unpricedModel]{}, handle: unpricedModels,
			about: "Models of the configuration and of the statistics that have no price: their cost is unknown."},
		{method: fasthttp.MethodPost, path: "/api/v1/prices/sync", answer: priceSync{}, handle: syncPrices,
			about: "Fetches the catalog of prices now."},
		{method: fasthttp.MethodGet, path: "/api/v1/health", query: limitAndCursor, answer: list[target]{}, handle: targets,
			about: "Every target: a channel's key and model."},
		{method: fasthttp.MethodGet, path: "/api/v1/requests", query: limitAndCursor, answer: list[running]{}, handle: runningRequests,
			about: "The requests that are running now, the oldest first."},
		{method: fasthttp.MethodPost, path: "/api/v1/backup", body: backup{}, answer: backup{}, handle: backUp,
			about: "Copies the database, as of now, into a new directory on the server's disk."},
		{method: fasthttp.MethodGet, path: "/debug/pprof/{profile}", query: profileParameters, media: "application/octet-stream", handle: profile,
			about: "A profile of the process for go tool pprof."},
	}
}

// Media types of answers.
const (
	textType    = "text/plain; charset=utf-8"
	metricsType = "text/plain; version=0.0.4; charset=utf-8"
	streamType  = "text/event-stream"
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
	for _, route := range table() {
		r.Handle(route.method, route.path, s.serve(route))
		if route.method == fasthttp.MethodGet && route.media != streamType {
			r.HEAD(route.path, s.serve(route))
		}
	}
	return r.Handler
}

// serve returns the HTTP handler of a route.
func (s *Server) serve(r route) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if err := s.authorize(ctx, r.access); err != nil {
			s.fail(ctx, err)
			return
		}
		if r.access == forAdmin {
			ctx.Response.Header.Set("Cache-Control", "no-store")
			ctx.Response.Header.Set("X-Content-Type-Options", "nosniff")
		}
		q, err := readQuery(ctx.QueryArgs(), r.query)
		var answer any
		if err == nil {
			answer, err = r.handle(s, ctx, q)
		}
		switch {
		case err != nil:
			s.fail(ctx, err)
		case answer != nil:
			answerJSON(ctx, answer)
		}
	}
}

// fail answers with an error.
func (s *Server) fail(ctx *fasthttp.RequestCtx, err error) {
	if r := (*refusal)(nil); errors.As(err, &r) {
		refuseWith(ctx, r.status, r.detail)
		return
	}
	s.options.Logger.Error("a request on the admin port failed", "path", string(ctx.Path()), "err", err)
	refuse(ctx, fasthttp.StatusInternalServerError, "internal", "the server could not do this; its log has the details")
}

// metrics answers with all metrics in the Prometheus text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
func metrics(s *Server, ctx *fasthttp.RequestCtx, _ query) (any, error) {
	ctx.SetContentType(metricsType)
	s.options.Metrics(ctx)
	return nil, nil
}

// alive answers that the process lives.
func alive(_ *Server, ctx *fasthttp.RequestCtx, _ query) (any, error) {
	ctx.SetBodyString("alive\n")
	return nil, nil
}

// ready answers whether the data port takes requests.
func ready(s *Server, ctx *fasthttp.RequestCtx, _ query) (any, error) {
	if !s.options.Ready() {
		return nil, refused(fasthttp.StatusServiceUnavailable, "not_ready", "the data port is starting or draining")
	}
	ctx.SetBodyString("ready\n")
	return nil, nil
}
