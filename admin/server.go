package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/gateway/config"
)

// Limits of the admin port. It serves a handful of people and scrapers, so they are tight and not configurable.
const (
	// maxBodyBytes bounds a request's body.
	maxBodyBytes = 1 << 20
	// maxHeaderBytes bounds the request line and the headers together.
	maxHeaderBytes = 16 << 10
	// maxConnections bounds connections at once.
	maxConnections = 1000
	// readTimeout bounds the arrival of one request, writeTimeout that of its answer.
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	// idleTimeout is how long a kept-alive connection may be silent. Prometheus scrapes every 60 s by default.
	idleTimeout = 90 * time.Second
)

// Options are what a Server shows and where it logs. No function may be nil; each is called by several goroutines at once.
type Options struct {
	// Token is the admin token, of at least MinToken characters. Empty means that nobody may call what needs it.
	Token string
	// Hosts are names under which the port may be called, besides localhost and IP literals.
	Hosts []string
	// Metrics writes all metrics in the Prometheus text format.
	Metrics func(io.Writer)
	// Ready reports whether the data port takes requests: configuration loaded, not draining.
	Ready func() bool
	// Config returns the configuration in use. It is read only.
	Config func() *config.Config
	// Ledger has the request log and the statistics.
	Ledger *Ledger
	// Health returns how every target fares, in the order of the configuration.
	Health func() []TargetHealth
	// Requests returns what is running now.
	Requests func() []RunningRequest
	// Catalog yields the models of the price catalog, in any order.
	Catalog iter.Seq[CatalogModel]
	// PriceSync returns how the syncing of the catalog stands. SyncPrices syncs it now, until ctx ends.
	PriceSync  func() PriceSync
	SyncPrices func(ctx context.Context) error
	// Priced reports whether an enabled channel, by name, has a price for a model.
	Priced func(channel, model string) bool
	// Backup copies the database into a directory, whose name is absolute. The error wraps fs.ErrExist when it exists.
	Backup func(dir string) error
	Logger *slog.Logger
	// keepAlive is the longest silence of a stream, zero for the usual one.
	keepAlive time.Duration
}

// Server is the admin port. Make it with New.
type Server struct {
	options Options
	http    *fasthttp.Server
	// running ends with the beginning of Shutdown, by stop.
	running context.Context
	stop    context.CancelFunc
	// streams counts the streams that are open; syncing and profiling are whether a caller waits for a price sync or for a
	// profile of the CPU. Written by requests.
	streams            atomic.Int32
	syncing, profiling atomic.Bool
}

// New returns a server that is not listening yet.
func New(o Options) *Server {
	if o.keepAlive == 0 {
		o.keepAlive = streamKeepAlive
	}
	s := &Server{options: o}
	s.running, s.stop = context.WithCancel(context.Background())
	s.http = &fasthttp.Server{
		Handler:               s.recovered(checkedHost(o.Hosts, s.routes())),
		ErrorHandler:          refuseUnreadable,
		Logger:                debugLogger{o.Logger},
		MaxRequestBodySize:    maxBodyBytes,
		ReadBufferSize:        maxHeaderBytes,
		Concurrency:           maxConnections,
		ReadTimeout:           readTimeout,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           idleTimeout,
		NoDefaultServerHeader: true,
		CloseOnShutdown:       true,
	}
	return s
}

// Serve answers requests on ln until Shutdown, which closes ln, and then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); err != nil {
		return fmt.Errorf("admin port: %w", err)
	}
	return nil
}

// Shutdown closes the listener, ends streams and waits for running requests. When ctx ends first it returns ctx.Err().
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	return s.http.ShutdownWithContext(ctx)
}

// recovered turns a panic of next into an answer and a log line; fasthttp would let it end the process.
func (s *Server) recovered(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if p := recover(); p != nil {
				s.options.Logger.Error("panic on the admin port",
					"path", string(ctx.Path()), "panic", p, "stack", string(debug.Stack()))
				ctx.Response.Reset()
				refuse(ctx, fasthttp.StatusInternalServerError, "internal", "the server made a mistake; its log has the details")
			}
		}()
		next(ctx)
	}
}

// refuseUnreadable answers what fasthttp could not read as a request.
func refuseUnreadable(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.As(err, &small):
		refuse(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge, "header_too_large",
			fmt.Sprintf("request line and headers exceed %d bytes", maxHeaderBytes))
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		refuse(ctx, fasthttp.StatusRequestEntityTooLarge, "body_too_large",
			fmt.Sprintf("the body exceeds %d bytes", maxBodyBytes))
	case errors.As(err, &network) && network.Timeout():
		refuse(ctx, fasthttp.StatusRequestTimeout, "timeout", fmt.Sprintf("the request took longer than %v", readTimeout))
	default:
		refuse(ctx, fasthttp.StatusBadRequest, "bad_request", "this is not a well-formed HTTP request")
	}
}

// debugLogger passes what fasthttp says about broken connections to slog, at debug: it is about clients, not about us.
type debugLogger struct{ *slog.Logger }

// Printf implements fasthttp.Logger.
func (l debugLogger) Printf(format string, args ...any) {
	l.Debug("admin connection", "err", fmt.Sprintf(format, args...))
}
