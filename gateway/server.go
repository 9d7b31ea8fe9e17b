package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
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

// silentGrace is how long Shutdown waits for the first byte on connections that were opened in advance. It is a variable for
// tests alone.
var silentGrace = 250 * time.Millisecond

// servers are the listeners that are being served.
type servers struct {
	// mu guards list and closed.
	mu     sync.Mutex
	list   []*fasthttp.Server
	closed bool // Shutdown was called
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
	if g.servers.closed {
		g.servers.mu.Unlock()
		return ln.Close()
	}
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
	g.servers.closed = true
	g.servers.mu.Unlock()
	done := make(chan error, len(list))
	closing, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, s := range list {
		go func() { done <- s.ShutdownWithContext(closing) }()
	}
	// Those that were accepted a moment ago may have a request on the way.
	silent := time.AfterFunc(silentGrace, g.clients.closeSilent)
	defer silent.Stop()
	var cut error
	for range list {
		select {
		case <-done:
		case <-ctx.Done():
			if cut == nil {
				cut = ctx.Err()
				g.clients.cut()
				g.stop() // calls that are dialing have no connection to cut
				time.AfterFunc(cutGrace, cancel)
			}
			<-done
		}
	}
	g.clients.closeAll()
	g.stop()
	<-g.swept
	g.origins.closeAll()
	g.awaitCalls()
	g.hedges.Wait()
	return cut
}

// awaitCalls waits for the last calls to be recorded: fasthttp does not know those whose connection was closed under them.
func (g *Gateway) awaitCalls() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := now() + instant(cutGrace); g.inFlight.Load() > 0 && now() < end; {
		<-tick.C
	}
}

// listener wraps every accepted connection in a clientConn, and that in TLS where it is asked for.
type listener struct {
	net.Listener
	gateway *Gateway
	tls     *tls.Config
}

// acceptPause is the first pause after the system had no descriptor or memory left for a connection.
const acceptPause = 5 * time.Millisecond

// isExhausted reports whether err says that the system has nothing left for one more connection. fasthttp would end
// Serve over it; it passes when others close theirs.
func isExhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) ||
		errors.Is(err, syscall.ENOMEM)
}

// Accept waits for the next connection. While the system has none to give, it waits and goes on.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for delay := acceptPause; err != nil; delay = min(2*delay, time.Second) {
		if !isExhausted(err) {
			return nil, err
		}
		l.gateway.logger.Warn("no connection can be accepted", "err", err)
		time.Sleep(delay)
		c, err = l.Listener.Accept()
	}
	client := l.gateway.clients.add(c)
	if l.tls != nil {
		return &secureConn{Conn: tls.Server(client, l.tls), client: client}, nil
	}
	return client, nil
}

// secureConn is a client's connection under TLS. Its handshake is no request.
type secureConn struct {
	*tls.Conn
	client *clientConn
}

// Handshake runs the handshake, within the limits of a request's header. fasthttp calls it first.
func (c *secureConn) Handshake() error {
	err := c.Conn.Handshake()
	c.client.headRead()
	c.client.spoke.Store(false)
	return err
}

// quietLogger drops fasthttp's own log lines: about clients that leave, which is no news.
type quietLogger struct{}

// Printf does nothing.
func (quietLogger) Printf(string, ...any) {}

// clientOf returns the clientConn under a connection of fasthttp, through TLS.
func clientOf(c net.Conn) *clientConn {
	switch c := c.(type) {
	case *clientConn:
		return c
	case *secureConn:
		return c.client
	}
	panic("BUG: a connection that listener.Accept has not made")
}
