package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/gateway/dial"
)

const (
	// maxResponseHeader is the largest header section of an upstream: what fits one read buffer of a HostClient.
	maxResponseHeader = 16 << 10
	// upstreamIdle is how long an unused upstream connection is kept. Providers close theirs after a minute or more.
	upstreamIdle = 60 * time.Second
	// headerTimeout bounds the rest of a response's header section once its first byte is here.
	headerTimeout = 10 * time.Second
	// staleWithin is how soon after a request a dead kept-alive connection shows. One that breaks later had a server that
	// worked on the request.
	staleWithin = 2 * time.Second
	// maxInterim is how many interim answers may come before the final one.
	maxInterim = 100
	// writeStall is the longest time that one write to an upstream may make no progress.
	writeStall = 60 * time.Second
	// drainTimeout bounds the wait for the end of a body whose last event has been read, so that its connection can be used
	// again. Servers send both at once.
	drainTimeout = 100 * time.Millisecond
)

var (
	// errQuiet is returned by reads that reached their deadline. Nothing is lost: the read can be resumed.
	errQuiet = errors.New("gateway: upstream is quiet")
	// errStale is returned when a connection that had been used before broke before the first byte of an answer: the
	// server had closed it between requests.
	errStale = errors.New("gateway: kept-alive connection was closed by the upstream")
	// errCut is returned when a connection broke, or its framing did, inside an answer.
	errCut = errors.New("gateway: upstream cut the answer")
)

// origin is a server that channels talk to, with its pool of connections. It outlives snapshots.
type origin struct {
	client *fasthttp.HostClient
	// noStreamOptions is set by the call that learns that the server does not know stream_options, and read by those that come;
	// one that does not see it yet learns it again.
	noStreamOptions atomic.Bool
}

// newOrigin returns the origin at address a. Connections are made by d, through the proxy unless that is zero, until ctx
// ends.
func newOrigin(ctx context.Context, d *dial.Dialer, proxy dial.Proxy, a dial.Address) *origin {
	return &origin{client: &fasthttp.HostClient{
		Addr: a.String(),
		DialTimeout: func(_ string, timeout time.Duration) (net.Conn, error) {
			c, err := d.DialThrough(ctx, proxy, a, timeout)
			if err != nil {
				return nil, err
			}
			return &upstreamConn{Conn: c, silence: newSilence(fileDescriptor(c.TCP()))}, nil
		},
		// How many requests run at once is the admission's matter, not the pool's.
		MaxConns:            1 << 20,
		MaxIdleConnDuration: upstreamIdle,
		ReadBufferSize:      maxResponseHeader,
	}}
}

// close closes the connections that are not in use.
func (o *origin) close() { o.client.CloseIdleConnections() }

// acquire returns a connection of the pool, or a new one within timeout. One on which something came meanwhile is dropped:
// an end, or an answer that nobody asked for, which the next request must not be given.
func (o *origin) acquire(timeout time.Duration) (*upstreamConn, error) {
	for {
		pooled, err := o.client.AcquireConn(timeout, false)
		if err != nil {
			return nil, err
		}
		c := pooled.Conn().(*upstreamConn)
		c.pooled = pooled
		if !c.used || c.silence.unbroken() {
			return c, nil
		}
		o.discard(c)
	}
}

// release puts a connection back into the pool.
func (o *origin) release(c *upstreamConn) { handBack(o.client.ReleaseConn, c.pooled) }

// discard closes a connection.
func (o *origin) discard(c *upstreamConn) { handBack(o.client.CloseConn, c.pooled) }

// handBack gives a pooled connection to a method of fasthttp's pool. It is generic because fasthttp does not export the
// type that its exported methods take: C is inferred from the method.
func handBack[C any](to func(C), pooled any) { to(pooled.(C)) }

// upstreamConn is a connection to an upstream. It remembers its deadlines: arming one costs as much as parsing a header,
// and a deadline that fires early does no harm, so that most reads leave the armed one alone.
type upstreamConn struct {
	net.Conn
	silence silence
	// pooled is fasthttp's handle of the connection while it is in use.
	pooled any
	// used is whether an answer has been read over the connection before.
	used bool
	// readArmed and writeArmed are the deadlines that are set, zero for none.
	readArmed, writeArmed instant
}

// read is Read with a deadline. It returns errQuiet when nothing came until then.
func (c *upstreamConn) read(p []byte, until instant) (int, error) {
	for {
		if c.readArmed == 0 || c.readArmed > until {
			if err := c.SetReadDeadline(until.time()); err != nil {
				return 0, err
			}
			c.readArmed = until
		}
		n, err := c.Conn.Read(p)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		// The armed deadline may be an earlier request's.
		c.readArmed = 0
		if now() >= until {
			return 0, errQuiet
		}
	}
}

// write writes p, unless that is not done by until or nothing moves for writeStall.
func (c *upstreamConn) write(p []byte, until instant) error {
	const piece = 256 << 10
	for len(p) > 0 {
		if start := now(); c.writeArmed < min(until, start+instant(writeStall)/2) || c.writeArmed > until {
			c.writeArmed = min(until, start+instant(writeStall))
			if err := c.SetWriteDeadline(c.writeArmed.time()); err != nil {
				return err
			}
		}
		n, err := c.Conn.Write(p[:min(len(p), piece)])
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// exchange is one request to an upstream and the answer to it. It belongs to one call. The zero value is closed.
type exchange struct {
	origin *origin
	conn   *upstreamConn
	reader headerReader
	buffer *bufio.Reader
	// header is the answer's header, valid once started is true.
	header  fasthttp.ResponseHeader
	started bool
	reused  bool
	// sent is when the request had been written.
	sent instant
	body body
}

// open takes a connection to o.
func (x *exchange) open(o *origin, timeout time.Duration) error {
	conn, err := o.acquire(timeout)
	if err != nil {
		return err
	}
	x.origin, x.conn, x.reused = o, conn, conn.used
	return nil
}

// send writes the request. It returns errStale when the connection had been used before and is broken.
func (x *exchange) send(request []byte, until instant) error {
	err := x.conn.write(request, until)
	x.sent = now()
	if err != nil && x.reused && !errors.Is(err, os.ErrDeadlineExceeded) {
		return errStale
	}
	return err
}

// answeredEarly reports whether the upstream has answered, and why not, before it had read the request: sending failed with
// err. The connection can't be used again.
func (x *exchange) answeredEarly(err error) bool {
	if err == errStale || errors.Is(err, os.ErrDeadlineExceeded) || x.await(now()+instant(drainTimeout)) != nil {
		return false
	}
	x.header.SetConnectionClose()
	return true
}

// await waits for the answer's header and reads it. It returns errQuiet when nothing came until then and can be called
// again after that; errStale when the connection had been used before and broke before the first byte; any other error
// is final.
func (x *exchange) await(until instant) error {
	if x.buffer == nil {
		x.reader = headerReader{conn: x.conn}
		x.buffer = x.origin.client.AcquireReader(&x.reader)
	}
	for range maxInterim {
		x.reader.until = until
		if _, err := x.buffer.Peek(1); err != nil {
			if err != errQuiet && x.reused && now() < x.sent+instant(staleWithin) {
				return errStale
			}
			return err
		}
		x.reader.until = now() + instant(headerTimeout)
		if err := x.header.Read(x.buffer); err != nil {
			return err
		}
		// Interim answers (RFC 9110, section 15.2) say nothing that a client needs.
		if status := x.header.StatusCode(); status >= 200 {
			x.started = true
			x.body.begin(x.conn, &x.header, x.buffer)
			x.releaseBuffer()
			return nil
		} else if status == fasthttp.StatusSwitchingProtocols {
			return errCut
		}
	}
	return errTooLarge
}

// next returns the next bytes of the answer's body, joined over chunks, valid until the next call. It waits for at least
// one byte. It returns errQuiet like read, io.EOF after the body's end, and errCut when it broke off.
func (x *exchange) next(until instant) ([]byte, error) { return x.body.next(until) }

// all appends the whole rest of the body to dst. It returns errQuiet when it wasn't complete by then, errCut when it
// broke off, and errTooLarge when it is longer than limit.
func (x *exchange) all(dst []byte, limit int, until instant) ([]byte, error) {
	return x.body.all(dst, limit, until)
}

// close ends the exchange. The connection goes back to the pool when the answer was read to its end and broken is false,
// and is closed otherwise.
func (x *exchange) close(broken bool) {
	if x.conn == nil {
		return
	}
	if !broken && x.started && x.body.complete() && !x.header.ConnectionClose() {
		x.conn.used = true
		x.origin.release(x.conn)
	} else {
		x.origin.discard(x.conn)
	}
	x.releaseBuffer()
	x.body.release()
	x.header.Reset()
	x.origin, x.conn, x.started = nil, nil, false
}

// drain reads what is left of a body whose last event is known, for a moment, so that the connection can be used again.
func (x *exchange) drain() {
	if x.body.framing == framedByClose {
		return // its end is the connection's
	}
	until := now() + instant(drainTimeout)
	for {
		if _, err := x.body.next(until); err != nil {
			return
		}
	}
}

func (x *exchange) releaseBuffer() {
	if x.buffer != nil {
		x.origin.client.ReleaseReader(x.buffer)
		x.buffer = nil
	}
	x.reader = headerReader{}
}

// headerReader reads a connection until a deadline, for bufio. It is a net.Conn only because fasthttp's pool of readers
// asks for one.
type headerReader struct {
	net.Conn
	conn  *upstreamConn
	until instant
}

// Read reads from the connection. An error does not stick: the next Read may succeed.
func (r *headerReader) Read(p []byte) (int, error) { return r.conn.read(p, r.until) }

var _ io.Reader = (*headerReader)(nil)
