package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// conn is a kept-alive HTTP/1.1 connection of a client that does as little as it can: it shares two cores with what it
// measures. It reads what servers of this repository send; requests come ready made. It belongs to one goroutine.
type conn struct {
	net.Conn
	unwatch func() bool
	// buffer[start:end] has arrived and was not read yet.
	buffer     []byte
	start, end int
	// left is what is left of the body, or of its current chunk. chunked says which.
	left    int
	chunked bool
	// within says that a chunk has begun whose line end was not read yet; over that the body has ended.
	within, over bool
	// closing says that the server closes the connection behind the answer.
	closing bool
}

// Sizes of a conn's buffer.
const (
	// streamBuffer takes several events; there may be thousands of connections.
	streamBuffer = 4 << 10
	// wholeBuffer takes an answer of some KB in one read.
	wholeBuffer = 16 << 10
)

// errUnframed is an answer whose end only the end of the connection would tell.
var errUnframed = errors.New("the answer has neither a length nor chunks")

// dial connects to address. All that is done with the connection fails at the deadline, and when ctx ends.
func dial(ctx context.Context, address string, deadline time.Time, buffer int) (*conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	socket, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := socket.SetDeadline(deadline); err != nil {
		_ = socket.Close()
		return nil, err
	}
	unwatch := context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })
	return &conn{Conn: socket, unwatch: unwatch, buffer: make([]byte, buffer), over: true}, nil
}

// Close closes the connection.
func (c *conn) Close() error {
	c.unwatch()
	return c.Conn.Close()
}

// ask sends a request and reads the head of the answer. The answer before must have been read to its end.
func (c *conn) ask(request []byte) (status int, err error) {
	if !c.over || c.closing {
		return 0, errors.New("the connection is not free for another request")
	}
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	c.over, c.chunked, c.within, c.left = false, false, false, -1
	line, err := c.line()
	if err != nil {
		return 0, fmt.Errorf("status line: %w", err)
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("status line: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, fmt.Errorf("status line: %q", line)
	}
	for {
		line, err := c.line()
		if err != nil {
			return 0, fmt.Errorf("headers: %w", err)
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if c.left, err = strconv.Atoi(string(value)); err != nil || c.left < 0 {
				return 0, fmt.Errorf("headers: %q", line)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			c.chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")):
			c.closing = bytes.EqualFold(value, []byte("close"))
		}
	}
	switch {
	case c.chunked:
		c.left = 0
	case c.left < 0:
		return 0, errUnframed
	}
	return status, nil
}

// next returns the next bytes of the body, at least one, which are valid until the next call. It returns io.EOF behind
// the last, and io.ErrUnexpectedEOF when the connection ended before the body.
func (c *conn) next() ([]byte, error) {
	if c.over {
		return nil, io.EOF
	}
	if c.left == 0 {
		if err := c.advance(); err != nil {
			return nil, err
		}
		if c.over {
			return nil, io.EOF
		}
	}
	if c.start == c.end {
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
	piece := c.buffer[c.start:min(c.end, c.start+c.left)]
	c.start += len(piece)
	c.left -= len(piece)
	return piece, nil
}

// advance goes to the next chunk, or to the end of the body.
func (c *conn) advance() error {
	if !c.chunked {
		c.over = true
		return nil
	}
	if c.within {
		if line, err := c.line(); err != nil {
			return err
		} else if len(line) > 0 {
			return fmt.Errorf("%q behind a chunk", line)
		}
		c.within = false
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := bytes.Cut(line, []byte(";"))
	n, err := strconv.ParseUint(string(size), 16, 31)
	if err != nil {
		return fmt.Errorf("size of a chunk: %q", line)
	}
	if n > 0 {
		c.left, c.within = int(n), true
		return nil
	}
	for {
		trailer, err := c.line()
		if err != nil {
			return err
		}
		if len(trailer) == 0 {
			c.over = true
			return nil
		}
	}
}

// all appends the whole body to dst.
func (c *conn) all(dst []byte) ([]byte, error) {
	for {
		piece, err := c.next()
		if err == io.EOF {
			return dst, nil
		} else if err != nil {
			return dst, err
		}
		dst = append(dst, piece...)
	}
}

// line returns the next line without its end, valid until the next call of any method.
func (c *conn) line() ([]byte, error) {
	for searched := 0; ; {
		if at := bytes.IndexByte(c.buffer[c.start+searched:c.end], '\n'); at >= 0 {
			line := c.buffer[c.start : c.start+searched+at]
			c.start += searched + at + 1
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		searched = c.end - c.start
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more behind what is unread.
func (c *conn) fill() error {
	if c.start > 0 {
		c.end = copy(c.buffer, c.buffer[c.start:c.end])
		c.start = 0
	}
	if c.end == len(c.buffer) {
		return fmt.Errorf("a line of more than %d bytes", len(c.buffer))
	}
	n, err := c.Read(c.buffer[c.end:])
	c.end += n
	switch {
	case n > 0:
		return nil
	case err == nil:
		return io.ErrNoProgress
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
