package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// scriptedConn gives what each Read returns: one piece of bytes, or an error at the end.
type scriptedConn struct {
	net.Conn
	pieces [][]byte
	err    error
}

func (c *scriptedConn) Read(p []byte) (int, error) {
	if len(c.pieces) == 0 {
		return 0, c.err
	}
	n := copy(p, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

// begunBody reads the header of an answer whose bytes come in pieces of at most size bytes, and begins its body.
func begunBody(t *testing.T, answer string, size int) *body {
	t.Helper()
	var pieces [][]byte
	for rest := []byte(answer); len(rest) > 0; {
		n := min(size, len(rest))
		pieces = append(pieces, rest[:n])
		rest = rest[n:]
	}
	conn := &upstreamConn{Conn: &scriptedConn{pieces: pieces, err: io.EOF}, readArmed: never}
	r := &headerReader{conn: conn, until: never}
	br := bufio.NewReaderSize(r, maxResponseHeader)
	var h fasthttp.ResponseHeader
	if err := h.Read(br); err != nil {
		t.Fatalf("header: %v", err)
	}
	b := new(body)
	b.begin(conn, &h, br)
	return b
}

func TestBodyFraming(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat("abcdefghij", 2000)
	cases := []struct {
		name, answer, want string
		err                error
		complete           bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", nil, true},
		{"length and more", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200", "hello", nil, false},
		{"length cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "hello", errCut, false},
		{"no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", nil, true},
		{"status without body", "HTTP/1.1 204 No Content\r\n\r\n", "", nil, true},
		{"until close", "HTTP/1.1 200 OK\r\n\r\nhello", "hello", nil, false},
		{"chunks", chunked + "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", "hello world", nil, true},
		{"upper and lower case, extension", chunked + "A;x=\"y\"\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", nil, true},
		{"trailers", chunked + "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", "x", nil, true},
		{"bare LF", chunked + "1\nx\n0\n\n", "x", nil, true},
		{"long chunk", chunked + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long), long, nil, true},
		{"bytes after the last chunk", chunked + "1\r\nx\r\n0\r\n\r\nmore", "x", nil, false},
		{"cut between chunks", chunked + "1\r\nx\r\n", "x", errCut, false},
		{"cut inside a chunk", chunked + "9\r\nhello", "hello", errCut, false},
		{"cut before the last line", chunked + "1\r\nx\r\n0\r\n", "x", errCut, false},
		{"no digits", chunked + "\r\nx\r\n", "", errCut, false},
		{"not hexadecimal", chunked + "g\r\nx\r\n", "", errCut, false},
		{"size that overflows", chunked + "ffffffffffffffff\r\nx\r\n", "", errCut, false},
		{"data longer than its size", chunked + "1\r\nxy\r\n0\r\n\r\n", "", errCut, false},
		{"endless extension", chunked + "1;" + strings.Repeat("e", 2*maxChunkLine) + "\r\nx\r\n0\r\n\r\n", "", errCut, false},
		{"endless trailers", chunked + "0\r\n" + strings.Repeat("a: b\r\n", maxChunkLine), "", errCut, false},
	}
	for _, c := range cases {
		for _, size := range []int{1, 2, 3, 7, 4096, 1 << 20} {
			t.Run(fmt.Sprintf("%s in pieces of %d", c.name, size), func(t *testing.T) {
				b := begunBody(t, c.answer, size)
				defer b.release()
				var got bytes.Buffer
				var err error
				for err == nil {
					var data []byte
					data, err = b.next(never)
					got.Write(data)
				}
				if err == io.EOF {
					err = nil
				}
				if !errors.Is(err, c.err) {
					t.Fatalf("error: got %v, want %v", err, c.err)
				}
				// What stands before broken framing may be lost with it: how much depends on the cut.
				if c.want != "" && got.String() != c.want {
					t.Errorf("body: got %q, want %q", got.String(), c.want)
				}
				// How many bytes after the end have been seen depends on the cut as well.
				if b.complete() != c.complete && (c.complete || size > len(c.answer)) {
					t.Errorf("complete: got %v, want %v", b.complete(), c.complete)
				}
			})
		}
	}
}

func TestBodyJoinsChunksThatArriveTogether(t *testing.T) {
	var answer, want strings.Builder
	answer.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	for i := range 20 {
		event := fmt.Sprintf("data: %d\n\n", i)
		fmt.Fprintf(&answer, "%x\r\n%s\r\n", len(event), event)
		want.WriteString(event)
	}
	b := begunBody(t, answer.String(), 1<<20)
	defer b.release()
	data, err := b.next(never)
	if err != nil || string(data) != want.String() {
		t.Errorf("got %q, %v; want all 20 events in one read", data, err)
	}
}

func TestGoodDataBeforeABrokenChunkIsKept(t *testing.T) {
	b := begunBody(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n\r\n\r\n", 1<<20)
	defer b.release()
	if data, err := b.next(never); string(data) != "hello" || err != nil {
		t.Errorf("got %q, %v; want what came before", data, err)
	}
	if data, err := b.next(never); len(data) > 0 || err != errCut {
		t.Errorf("then got %q, %v; want errCut", data, err)
	}
}

func TestBodyAll(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	cases := []struct {
		name, answer string
		limit        int
		want         string
		err          error
	}{
		{"length", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long), long), 1 << 20, long, nil},
		{"chunks", fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(long), long), 1 << 20, long, nil},
		{"announced too large", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx", 1 << 20, "", errTooLarge},
		{"too large", "HTTP/1.1 200 OK\r\n\r\n" + long, 1000, "", errTooLarge},
		{"cut", "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + long, 1 << 20, "", errCut},
	}
	for _, c := range cases {
		for _, size := range []int{1000, 1 << 20} {
			t.Run(fmt.Sprintf("%s in pieces of %d", c.name, size), func(t *testing.T) {
				b := begunBody(t, c.answer, size)
				defer b.release()
				got, err := b.all(nil, c.limit, never)
				if err != c.err {
					t.Fatalf("error: got %v, want %v", err, c.err)
				}
				if c.err == nil && string(got) != c.want {
					t.Errorf("got %d bytes, want %d", len(got), len(c.want))
				}
			})
		}
	}
}

func FuzzBodyChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), 1)
	f.Add([]byte("1;ext\r\nx\r\n0\r\nTrailer: y\r\n\r\n"), 3)
	f.Add([]byte("fffffffffffffff\r\nx"), 2)
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		const header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		read := func(size int) (string, error) {
			b := begunBody(t, header+string(raw), size)
			defer b.release()
			got, err := b.all(nil, 1<<20, never)
			return string(got), err
		}
		whole, err := read(1 << 20)
		pieces, piecesErr := read(max(1, size%64))
		if (err == nil) != (piecesErr == nil) {
			t.Fatalf("in one piece: %v, in pieces: %v", err, piecesErr)
		}
		if err == nil && whole != pieces {
			t.Fatalf("in one piece %q, in pieces %q", whole, pieces)
		}
		if len(whole) > len(raw) {
			t.Fatalf("%d bytes of data out of %d raw ones", len(whole), len(raw))
		}
	})
}
