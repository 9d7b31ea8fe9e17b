package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits of a client's connection. They are variables for tests alone.
var (
	// clientIdle is how long a connection without a request is kept: longer than the idle timeout of common load balancers
	// (60 s), so that it is they who close.
	clientIdle = 75 * time.Second
	// clientHeader bounds the time from a request's first byte to its handler.
	clientHeader = 30 * time.Second
	// clientSilence is the longest silence inside a request body.
	clientSilence = 30 * time.Second
	// clientRate is how many bytes per second an upload must have on average once it has taken clientHeader.
	clientRate = int64(1 << 10)
	// clientStall is the longest time that one write to a client may make no progress.
	clientStall = 60 * time.Second
	// lingerTime bounds how long a refused upload is read on, so that the client sees the answer and not a reset.
	lingerTime = 2 * time.Second
)

// writePiece is how many bytes are written under one deadline: a client that takes them within clientStall is slow, not
// stalled.
const writePiece = 64 << 10

// timerSlack is how much later than written the limits of a connection may fire: arming a deadline for every read and
// write would cost as much as parsing a header.
const timerSlack = 4

// clientConn is a client's connection. It has its own timers (longest silence, longest stalled write), is known to the
// sweeper, and can be closed without losing an answer that went out before the upload was read.
type clientConn struct {
	net.Conn
	// fd is the socket, valid while the connection is in the list of its clientConns.
	fd   int
	list *clientConns
	// next and prev are guarded by list.mu.
	next, prev *clientConn
	// call is the request that the connection is busy with. The serving goroutine writes, the sweeper reads.
	call atomic.Pointer[call]
	// spoke is whether the client has sent anything. The serving goroutine writes, closeSilent reads.
	spoke atomic.Bool

	// What follows belongs to the serving goroutine.

	// requestStart is when the first byte of a request came that has no call yet, else zero.
	requestStart instant
	// callStart is when the call began, received how many bytes came since.
	callStart instant
	received  int64
	// readArmed and writeArmed are the deadlines that are set, zero for none.
	readArmed, writeArmed instant
	// linger asks Close to read on for a while.
	linger bool
}

// Read reads within the limits of what the connection is doing.
func (c *clientConn) Read(p []byte) (int, error) {
	start := now()
	until := start + instant(clientIdle)
	switch {
	case c.call.Load() != nil:
		if c.drips(start) {
			return 0, os.ErrDeadlineExceeded
		}
		until = start + instant(clientSilence)
	case c.requestStart != 0:
		until = c.requestStart + instant(clientHeader)
	}
	for {
		if slack := (until - start) / timerSlack; c.readArmed < until-slack || c.readArmed > until+slack {
			if err := c.SetReadDeadline(until.time()); err != nil {
				return 0, err
			}
			c.readArmed = until
		}
		n, err := c.Conn.Read(p)
		c.received += int64(n)
		if n > 0 {
			if c.requestStart == 0 && c.call.Load() == nil {
				c.requestStart = now()
				c.spoke.Store(true)
			}
			return n, err
		}
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		c.readArmed = 0
		if start = now(); start >= until {
			return 0, err
		}
	}
}

// drips reports whether an upload is so slow that it only holds the connection.
func (c *clientConn) drips(at instant) bool {
	took := c.callStart.until(at)
	return took > clientHeader && c.received < clientRate*int64(took/time.Second)
}

// Write writes p in pieces, each within clientStall.
func (c *clientConn) Write(p []byte) (n int, err error) {
	for {
		if until := now() + instant(clientStall); c.writeArmed < until-instant(clientStall)/timerSlack {
			if err := c.SetWriteDeadline(until.time()); err != nil {
				return n, err
			}
			c.writeArmed = until
		}
		m, err := c.Conn.Write(p[n:min(len(p), n+writePiece)])
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// Close closes the connection. After a refused upload it first tells the client that no more will come, and reads on for
// a while: closing a socket with unread bytes resets it, and the client would never see the answer.
func (c *clientConn) Close() error {
	c.list.remove(c)
	if c.linger {
		c.linger = false
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_ = c.SetReadDeadline(time.Now().Add(lingerTime))
			_, _ = io.Copy(io.Discard, c.Conn)
		}
	}
	return c.Conn.Close()
}

// headRead notes that the head of a request is complete, whether or not it becomes a call.
func (c *clientConn) headRead() { c.requestStart = 0 }

// begin notes that a call has the connection.
func (c *clientConn) begin(by *call) {
	c.callStart, c.received = now(), 0
	c.call.Store(by)
}

// end notes that the call is over.
func (c *clientConn) end() { c.call.Store(nil) }

// clientConns are the open connections of clients.
type clientConns struct {
	// mu guards the list that begins at first, and its links.
	mu    sync.Mutex
	first *clientConn
	count atomic.Int64
}

// add wraps an accepted connection and lists it.
func (l *clientConns) add(c net.Conn) *clientConn {
	client := &clientConn{Conn: c, fd: fileDescriptor(c), list: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first != nil {
		client.next = l.first
		l.first.prev = client
	}
	l.first = client
	l.count.Add(1)
	return client
}

// remove takes a connection from the list, if it is there.
func (l *clientConns) remove(c *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.prev != nil:
		c.prev.next = c.next
	case l.first == c:
		l.first = c.next
	default:
		return
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.next, c.prev = nil, nil
	l.count.Add(-1)
}

// cut ends every running call.
func (l *clientConns) cut() {
	l.each(func(c *clientConn) {
		if running := c.call.Load(); running != nil {
			running.abandon(c, abandonedByShutdown)
		}
	})
}

// closeSilent closes the connections on which nothing was ever sent: browsers and pools open some in advance. fasthttp
// would give them five seconds before it takes them for idle.
func (l *clientConns) closeSilent() {
	l.each(func(c *clientConn) {
		if !c.spoke.Load() {
			_ = c.Conn.Close()
		}
	})
}

// closeAll closes what is left after a shutdown.
func (l *clientConns) closeAll() { l.each(func(c *clientConn) { _ = c.Conn.Close() }) }

// each calls f for every connection with mu held.
func (l *clientConns) each(f func(c *clientConn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := l.first; c != nil; c = c.next {
		f(c)
	}
}

// sweep looks for clients that left, until ctx ends.
func (l *clientConns) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	var s sweeper
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.run(l)
		}
	}
}

// fileDescriptor returns the socket of c, or -1.
func fileDescriptor(c net.Conn) int {
	fd := -1
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(func(f uintptr) { fd = int(f) })
		}
	}
	return fd
}
