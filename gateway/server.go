package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// maxRequestHeader is the largest header section of a request; beyond it is 431.
	maxRequestHeader = 16 << 10
	// writeBuffer is the size of a client connection's write buffer: an answer of a few KB goes out in one write.
	writeBuffer = 4 << 10
	// cutGrace is how long Shutdown waits for calls that it has cut to say so to their clients.
	cutGrace = time.Second
)

// servers are the listeners that are being served.
type servers struct {
	// mu guards the list.
	mu   sync.Mutex
	list []*fasthttp.Server
}

// Serve answers requests on ln until Shutdown, and returns nil then. tlsConfig may be nil for plain HTTP.
func (g *Gateway) Serve(ln net.Listener, tlsConfig *tls.Config) error {
	s := &fasthttp.Server{
		Handler:      g.handle,
		ErrorHandler: g.handleBadRequest,
		// A body is read by readBody, into the call's own buffer, once the credential is known to be good.
		StreamRequestBody:            true,
		MaxRequestBodySize:           g.options.MaxBodySize,
		ReadBufferSize:               maxRequestHeader,
		WriteBufferSize:              writeBuffer,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
		LazyRequestTime:              true,
		Logger:                       quietLogger{},
		// Timeouts of fasthttp cover a whole request or answer. clientConn has the ones we want.
	}
	g.servers.mu.Lock()
	g.servers.list = append(g.servers.list, s)
	g.servers.mu.Unlock()
	return s.Serve(&listener{Listener: ln, gateway: g, tls: tlsConfig})
}

// StartDraining makes Ready false and asks clients to close their connections after the next answer; requests are still
// served.
func (g *Gateway) StartDraining() { g.draining.Store(true) }

// Shutdown closes the listeners and waits for running calls. When ctx ends before they have, the rest are ended with an
// error in their client's protocol, and ctx's error is returned.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.StartDraining()
	g.servers.mu.Lock()
	list := g.servers.list
	g.servers.mu.Unlock()
	done := make(chan error, len(list))
	closing, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, s := range list {
		go func() { done <- s.ShutdownWithContext(closing) }()
	}
	g.clients.closeSilent()
	var cut error
	for range list {
		select {
		case <-done:
		case <-ctx.Done():
			if cut == nil {
				cut = ctx.Err()
				g.clients.cut()
				time.AfterFunc(cutGrace, cancel)
			}
			<-done
		}
	}
	g.clients.closeAll()
	g.sweeper()
	<-g.swept
	g.origins.closeAll()
	return cut
}

// listener wraps every accepted connection in a clientConn, and that in TLS where it is asked for.
type listener struct {
	net.Listener
	gateway *Gateway
	tls     *tls.Config
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	client := l.gateway.clients.add(c)
	if l.tls != nil {
		return tls.Server(client, l.tls), nil
	}
	return client, nil
}

// quietLogger drops fasthttp's own log lines: about clients that leave, which is no news.
type quietLogger struct{}

// Printf does nothing.
func (quietLogger) Printf(string, ...any) {}

// clientOf returns the clientConn under a connection of fasthttp, through TLS.
func clientOf(c net.Conn) *clientConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	client, ok := c.(*clientConn)
	if !ok {
		panic("BUG: a connection that listener.Accept has not made")
	}
	return client
}
