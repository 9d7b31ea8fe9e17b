package main

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// answering returns a conn whose server sends text, byte by byte or as fast as it can, and then closes.
func answering(text string, slow bool, buffer int) *conn {
	var from io.Reader = strings.NewReader(text)
	if slow {
		from = iotest.OneByteReader(from)
	}
	return &conn{
		Conn:    &scriptedConn{from: from},
		unwatch: func() bool { return true },
		buffer:  make([]byte, buffer),
		over:    true,
	}
}

// scriptedConn is a connection that reads from a script and takes whatever is written.
type scriptedConn struct {
	net.Conn
	from io.Reader
}

func (c *scriptedConn) Read(p []byte) (int, error)  { return c.from.Read(p) }
func (c *scriptedConn) Write(p []byte) (int, error) { return len(p), nil }

func TestClientReadsAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	long := strings.Repeat("0123456789", 20)
	for _, c := range []struct{ name, wire, body string }{
		{"by length", ok + "Content-Type: x\r\ncontent-length: 5\r\n\r\nhello", "hello"},
		{"without body", ok + "Content-Length: 0\r\n\r\n", ""},
		{"in chunks", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n\r\n!\r\n0\r\n\r\n", "hello\r\n!"},
		{"with trailers", ok + "transfer-encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n", "0123456789"},
		{"longer than the buffer", ok + "Content-Length: 200\r\n\r\n" + long, long},
	} {
		for _, slow := range []bool{false, true} {
			// Twice over one connection: the first answer must be read to its very end.
			conn := answering(c.wire+c.wire, slow, 64)
			for range 2 {
				status, err := conn.ask(nil)
				if err != nil || status != 200 {
					t.Fatalf("%s: status %d, %v", c.name, status, err)
				}
				if body, err := conn.all(nil); err != nil || string(body) != c.body {
					t.Errorf("%s: got %q, %v; want %q", c.name, body, err, c.body)
				}
				if _, err := conn.next(); err != io.EOF {
					t.Errorf("%s: behind the end: %v, want EOF", c.name, err)
				}
			}
		}
	}
}

func TestClientSeesCuts(t *testing.T) {
	for _, whole := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	} {
		for n := range len(whole) {
			conn := answering(whole[:n], false, 64)
			_, err := conn.ask(nil)
			if err == nil {
				_, err = conn.all(nil)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: got %v, want an unexpected EOF", whole[:n], err)
			}
		}
	}
}

func TestClientRefusesNonsense(t *testing.T) {
	for name, wire := range map[string]string{
		"no HTTP":                "SSH-2.0-OpenSSH\r\n\r\n",
		"status is no number":    "HTTP/1.1 2x0 OK\r\n\r\n",
		"negative length":        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
		"neither length nor":     "HTTP/1.1 200 OK\r\n\r\nhello",
		"chunk without size":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello",
		"chunk size negative":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello",
		"chunk longer than told": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
		"line without end":       "HTTP/1.1 200 OK" + strings.Repeat(" ", 100),
	} {
		conn := answering(wire, false, 64)
		_, err := conn.ask(nil)
		if err == nil {
			_, err = conn.all(nil)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClientKeepsToOneAnswerAtATime(t *testing.T) {
	conn := answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, 64)
	if _, err := conn.ask(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ask(nil); err == nil {
		t.Error("asked again before the answer was read")
	}
	if _, err := conn.all(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ask(nil); err == nil {
		t.Error("asked again over a connection that the server closes")
	}
}

func TestClientStopsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := dial(ctx, listener.Addr().String(), time.Now().Add(time.Minute), 64)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asked := make(chan error)
	go func() {
		_, err := c.ask([]byte("GET / HTTP/1.1\r\n\r\n")) // nobody answers
		asked <- err
	}()
	cancel()
	if err := <-asked; err == nil {
		t.Error("an answer from nobody")
	}
}
