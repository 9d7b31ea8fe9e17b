package gatewaytest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// errGone is a client that closed its connection, or its writing half, before the answer was complete.
var errGone = errors.New("gatewaytest: the client is gone")

const (
	// maxCorked is how many bytes a corked connection holds back at most.
	maxCorked = 64 << 10
	// maxAhead is how many bytes a client may send before it has its answer; one that sends more is given up.
	maxAhead = 1 << 20
)

// conn is one accepted connection. It belongs to the goroutine that serves it; others may only call abort. While an
// answer is made, nobody but wait reads from it.
type conn struct {
	net.Conn // TCP, or TLS over raw
	raw      *net.TCPConn
	provider *Provider
	// number counts connections from 1.
	number int
	// answering says that a request is being answered; record is its entry in the journal, nil when nothing is recorded.
	answering bool
	record    *record
	// ahead holds bytes of the next request that arrived while this one was answered.
	ahead []byte
	probe [512]byte
	// corked holds writes back, in held, until somebody waits or reads.
	corked bool
	held   []byte
	// piece is how many bytes one write may have, 0 for any number.
	piece int
	// closeIdle closes the connection when the answer is out, closeNext when the next request begins to arrive.
	closeIdle, closeNext bool
	// deadline says that a read deadline is set.
	deadline bool
	// lost says that a write failed.
	lost bool

	// closed is set by the first Close; aborted by abort, from the goroutine of Provider.Close.
	closed, aborted atomic.Bool
}

// Read reads the next request. fasthttp calls it only when the answer before is out, which therefore ends here.
func (c *conn) Read(b []byte) (int, error) {
	c.finish()
	if c.closeIdle {
		_ = c.Close()
		return 0, io.EOF
	}
	if c.deadline {
		c.deadline = false
		if err := c.Conn.SetReadDeadline(time.Time{}); err != nil {
			return 0, err
		}
	}
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = append(c.ahead[:0], c.ahead[n:]...)
		return n, nil
	}
	n, err := c.Conn.Read(b)
	if n > 0 && c.closeNext {
		_ = c.Close()
		return 0, io.EOF
	}
	return n, err
}

// Write writes, or holds back when corked.
func (c *conn) Write(b []byte) (int, error) {
	if !c.corked {
		return c.write(b)
	}
	c.held = append(c.held, b...)
	if len(c.held) >= maxCorked {
		return len(b), c.flush()
	}
	return len(b), nil
}

func (c *conn) write(b []byte) (int, error) {
	written := 0
	for {
		next := b[written:]
		if c.piece > 0 {
			next = next[:min(c.piece, len(next))]
		}
		n, err := c.Conn.Write(next)
		written += n
		c.record.wrote(n)
		if err != nil {
			c.lost = true
			return written, err
		}
		if written == len(b) {
			return written, nil
		}
	}
}

// flush writes what was held back.
func (c *conn) flush() error {
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.write(c.held)
	c.held = c.held[:0]
	return err
}

// wait returns nil at until, or errGone as soon as the client closes its side; a zero until is never. It reads with a
// deadline, so that nothing but the end of the connection, or of the wait, wakes the goroutine.
func (c *conn) wait(until time.Time) error {
	if err := c.flush(); err != nil {
		return err
	}
	c.deadline = true
	if err := c.Conn.SetReadDeadline(until); err != nil {
		return c.leave()
	}
	for {
		n, err := c.Conn.Read(c.probe[:])
		c.ahead = append(c.ahead, c.probe[:n]...)
		switch {
		case err == nil && len(c.ahead) <= maxAhead:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		default:
			return c.leave()
		}
	}
}

// leave ends the answer because the client is gone.
func (c *conn) leave() error {
	c.lost = true
	c.finish()
	_ = c.raw.Close()
	return errGone
}

// sever closes the connection in the middle of the answer, with a reset if asked to.
func (c *conn) sever(reset bool) {
	if c.flush() == nil {
		c.over(EndCut)
	}
	if reset {
		// An error means that the connection is closed already, which is as good.
		_ = c.raw.SetLinger(0)
	}
	_ = c.raw.Close()
}

// finish ends the record of the answer before, which is out or lost, and the directives that were meant for it.
func (c *conn) finish() {
	c.corked, c.piece = false, 0
	// The error is in lost.
	_ = c.flush()
	switch {
	case !c.answering:
	case c.aborted.Load():
		c.over(EndClosed)
	case c.lost:
		c.provider.left.Add(1)
		c.over(EndLeft)
	default:
		c.over(EndComplete)
	}
}

// over ends the answer.
func (c *conn) over(end End) {
	c.record.end(end)
	c.record, c.answering = nil, false
}

// Close closes the connection and gives it back to the provider.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.finish()
	err := c.Conn.Close()
	c.provider.forget(c)
	return err
}

// abort closes the connection from another goroutine; its owner finds out and calls Close.
func (c *conn) abort() {
	c.aborted.Store(true)
	_ = c.raw.Close()
}

// listener hands out connections of its provider.
type listener struct {
	net.Listener
	provider *Provider
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.provider.adopt(accepted.(*net.TCPConn)), nil
}
