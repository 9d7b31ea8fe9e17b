package gateway

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/valyala/fasthttp"
)

// errTooLarge is returned for a body beyond its limit, a request's as an answer's; its text is read only of an answer.
var errTooLarge = errors.New("gateway: answer is too large")

// framing is how a body's end is known (RFC 9112, section 6.3). The zero value is a body of no bytes.
type framing uint8

const (
	framedByNothing framing = iota
	framedByLength
	framedByChunks
	framedByClose
)

// chunkState is where in the chunked coding (RFC 9112, section 7.1) the next byte stands.
type chunkState uint8

const (
	chunkSize      chunkState = iota // the digits of a chunk's size
	chunkExtension                   // what follows the digits, up to the line's end
	chunkData                        // the chunk itself
	chunkDataEnd                     // the CR or LF after the chunk
	chunkDataLF                      // the LF after that CR
	trailerStart                     // the first byte of a trailer line
	trailerLine                      // the rest of a trailer line
	trailerEnd                       // the LF of the empty line that ends the body
	chunkedComplete
)

// maxChunkLine bounds a chunk's extension and the trailer section, in bytes.
const maxChunkLine = 4096

// body reads the body of an upstream's answer. Chunks that arrived together are handed on as one run of bytes: the data
// is moved together in the read buffer, over the framing between. It does not allocate once its buffer is there.
type body struct {
	conn    *upstreamConn
	framing framing
	// left is how many bytes are missing from the body (framedByLength) or from the chunk.
	left int64
	// state, digits and line belong to the chunked coding: line counts bytes of an extension or of trailers.
	state  chunkState
	digits int
	line   int
	// ended is whether the body's end has been read, extra whether bytes came after it.
	ended, extra bool

	// buffer holds raw bytes; those from r to w are not decoded yet.
	buffer *readBuffer
	r, w   int
	// full counts reads that filled the buffer: a fast upstream gets a larger one.
	full int
}

// begin starts a body after its header. It takes over what is buffered in from.
func (b *body) begin(conn *upstreamConn, h *fasthttp.ResponseHeader, from *bufio.Reader) {
	*b = body{conn: conn, buffer: b.buffer}
	length := h.ContentLength()
	switch status := h.StatusCode(); {
	case status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified || length == 0:
		b.framing, b.ended = framedByNothing, true
	case length > 0:
		b.framing, b.left = framedByLength, int64(length)
	case length == -1:
		b.framing = framedByChunks
	default:
		b.framing = framedByClose
	}
	n := from.Buffered()
	if b.buffer == nil || len(b.buffer.bytes) < n {
		b.release()
		b.buffer = acquireReadBuffer(n)
	}
	buffered, _ := from.Peek(n) // n bytes are buffered: no error is possible
	b.w = copy(b.buffer.bytes, buffered)
	_, _ = from.Discard(n)
	b.extra = b.ended && n > 0
}

// next is exchange.next.
func (b *body) next(until instant) ([]byte, error) {
	for {
		if b.r < b.w {
			data, err := b.decode()
			if len(data) > 0 || err != nil {
				return data, err
			}
		}
		if b.ended {
			return nil, io.EOF
		}
		if err := b.fill(until); err != nil {
			return nil, err
		}
	}
}

// all is exchange.all.
func (b *body) all(dst []byte, limit int, until instant) ([]byte, error) {
	if b.framing == framedByLength {
		if b.left > int64(limit) {
			return dst, errTooLarge
		}
		dst = slices.Grow(dst, int(b.left))
	}
	for {
		if b.framing == framedByLength && b.r == b.w && b.left > 0 {
			// Nothing is buffered: read the rest to where it belongs.
			n, err := b.conn.read(dst[len(dst):len(dst)+int(b.left)], until)
			dst = dst[:len(dst)+n]
			b.left -= int64(n)
			b.ended = b.left == 0
			if err != nil && !b.ended {
				return dst, b.cut(err)
			}
			continue
		}
		data, err := b.next(until)
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
		if len(dst)+len(data) > limit {
			return dst, errTooLarge
		}
		dst = append(dst, data...)
	}
}

// complete reports whether the body was read to its end and the connection stands at the next answer.
func (b *body) complete() bool { return b.ended && !b.extra && b.framing != framedByClose }

// release gives the read buffer back.
func (b *body) release() {
	if b.buffer != nil {
		releaseReadBuffer(b.buffer)
		b.buffer = nil
	}
}

// fill reads from the connection into the empty buffer.
func (b *body) fill(until instant) error {
	if b.full > 1 && len(b.buffer.bytes) < readBufferSizes[len(readBufferSizes)-1] {
		larger := acquireReadBuffer(len(b.buffer.bytes) + 1)
		b.release()
		b.buffer, b.full = larger, 0
	}
	n, err := b.conn.read(b.buffer.bytes, until)
	b.r, b.w = 0, n
	if n == len(b.buffer.bytes) {
		b.full++
	}
	if n > 0 {
		return nil
	}
	return b.cut(err)
}

// cut says what the end of the connection means at this place of the body.
func (b *body) cut(err error) error {
	switch {
	case err == errQuiet:
		return err
	case err == io.EOF && b.framing == framedByClose:
		b.ended = true
		return io.EOF
	}
	return errCut
}

// decode returns the data among the buffered bytes, moved together, and consumes all of them unless the body ends before.
func (b *body) decode() ([]byte, error) {
	buf := b.buffer.bytes
	switch b.framing {
	case framedByChunks:
		return b.decodeChunks(buf)
	case framedByLength:
		n := min(int64(b.w-b.r), b.left)
		data := buf[b.r : b.r+int(n)]
		b.left -= n
		b.r += int(n)
		b.finishAt(b.left == 0)
		return data, nil
	case framedByClose:
		data := buf[b.r:b.w]
		b.r = b.w
		return data, nil
	}
	b.finishAt(true)
	return nil, nil
}

// finishAt notes the body's end, and whether bytes follow it.
func (b *body) finishAt(ended bool) {
	if ended {
		b.ended = true
		b.extra = b.extra || b.r < b.w
		b.r = b.w
	}
}

func (b *body) decodeChunks(buf []byte) ([]byte, error) {
	start, end := -1, 0
	for b.r < b.w && b.state != chunkedComplete {
		if b.state == chunkData {
			n := int(min(int64(b.w-b.r), b.left))
			if start < 0 {
				start, end = b.r, b.r
			}
			if end != b.r {
				copy(buf[end:], buf[b.r:b.r+n])
			}
			end += n
			b.r += n
			if b.left -= int64(n); b.left == 0 {
				b.state = chunkDataEnd
			}
			continue
		}
		if !b.frame(buf[b.r]) {
			if start >= 0 {
				break // what came before is good; the next call stands at the same byte
			}
			return nil, errCut
		}
		b.r++
	}
	b.finishAt(b.state == chunkedComplete)
	if start < 0 {
		return nil, nil
	}
	return buf[start:end], nil
}

// frame takes one byte of the framing between chunks. It returns false for a byte that has no place there.
func (b *body) frame(c byte) bool {
	switch b.state {
	case chunkSize:
		switch digit := hexDigit(c); {
		case digit >= 0:
			// 15 digits fit an int64; leading zeros count, as nobody sends them.
			if b.digits++; b.digits > 15 {
				return false
			}
			b.left = b.left<<4 | int64(digit)
		case b.digits == 0:
			return false
		case c == '\n':
			b.sizeRead()
		case c == '\r' || c == ';' || c == ' ' || c == '\t':
			b.state = chunkExtension
		default:
			return false
		}
	case chunkExtension:
		if c == '\n' {
			b.sizeRead()
		} else if b.line++; b.line > maxChunkLine {
			return false
		}
	case chunkDataEnd, chunkDataLF:
		switch {
		case c == '\n':
			b.state, b.digits = chunkSize, 0
		case c == '\r' && b.state == chunkDataEnd:
			b.state = chunkDataLF
		default:
			return false
		}
	case trailerStart:
		switch c {
		case '\r':
			b.state = trailerEnd
		case '\n':
			b.state = chunkedComplete
		default:
			b.state = trailerLine
		}
	case trailerLine:
		if c == '\n' {
			b.state = trailerStart
		}
		if b.line++; b.line > maxChunkLine {
			return false
		}
	case trailerEnd:
		if c != '\n' {
			return false
		}
		b.state = chunkedComplete
	}
	return true
}

// sizeRead is called at the end of the line with a chunk's size.
func (b *body) sizeRead() {
	b.line = 0
	if b.left > 0 {
		b.state = chunkData
	} else {
		b.state = trailerStart
	}
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// readBufferSizes are the sizes of read buffers. A stream starts with the smallest: thousands of them wait at once.
var readBufferSizes = [...]int{4 << 10, 16 << 10, 64 << 10}

// readBuffer is a pooled buffer of one of readBufferSizes.
type readBuffer struct {
	class int
	bytes []byte
}

var readBuffers [len(readBufferSizes)]sync.Pool

// acquireReadBuffer returns the smallest buffer of at least n bytes; n is at most the largest size.
func acquireReadBuffer(n int) *readBuffer {
	class := 0
	for readBufferSizes[class] < n {
		class++
	}
	if b, ok := readBuffers[class].Get().(*readBuffer); ok {
		return b
	}
	return &readBuffer{class: class, bytes: make([]byte, readBufferSizes[class])}
}

func releaseReadBuffer(b *readBuffer) { readBuffers[b.class].Put(b) }
