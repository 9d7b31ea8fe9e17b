package gateway

import (
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// maxZstdWindow bounds the memory that a zstd body can ask for; RFC 8878, section 3.1.1.1.2 recommends support of 8 MiB.
const maxZstdWindow = 8 << 20

// readBody reads the request's body into c.body, decoded, within the limit. A body that is announced too large is not
// read at all.
func (c *call) readBody(ctx *fasthttp.RequestCtx) *llm.Error {
	limit := c.gateway.options.MaxBodySize
	length := ctx.Request.Header.ContentLength()
	if length > limit {
		return c.tooLarge(limit)
	}
	c.body = acquireBuffer()
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return nil // no body: peek says what is missing
	}
	encoding := ctx.Request.Header.ContentEncoding()
	if len(encoding) > 0 {
		decoder, err := newDecoder(strings.ToLower(strings.TrimSpace(string(encoding))), stream)
		if err != nil {
			return err
		}
		defer decoder.Close()
		stream = decoder
	} else if length > 0 {
		if !c.holdBody(length) {
			return errBusy
		}
		// What is announced is not here yet: beyond this, memory grows with what comes.
		c.body.bytes = slices.Grow(c.body.bytes, min(length, largestPooled))
	}
	err := c.readAll(stream, limit)
	switch {
	case err == nil:
		return nil
	case err == errCrowded:
		return errBusy
	case errors.Is(err, errTooLarge):
		return c.tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &llm.Error{Kind: llm.Timeout, Code: llm.CodeUploadTimeout, Message: "The request body did not arrive in time."}
	case len(encoding) > 0:
		return &llm.Error{Kind: llm.InvalidRequest, NoRetry: true,
			Message: fmt.Sprintf("The request body can't be decoded as Content-Encoding %s.", printable(encoding))}
	}
	return &llm.Error{Kind: llm.InvalidRequest, Message: "The request body ended too early or has broken chunks."}
}

func (c *call) tooLarge(limit int) *llm.Error {
	return &llm.Error{Kind: llm.TooLarge, Code: "request_too_large", NoRetry: true,
		Message: fmt.Sprintf("The request body is larger than the limit of %d bytes.", limit)}
}

// errCrowded is returned for a body that does not fit beside those of other requests.
var errCrowded = errors.New("gateway: no room for the body")

// readAll appends all of r to the body, or returns errTooLarge when that is more than limit.
func (c *call) readAll(r io.Reader, limit int) error {
	for b := c.body; ; {
		if len(b.bytes) == cap(b.bytes) {
			if len(b.bytes) > limit {
				return errTooLarge
			}
			b.bytes = slices.Grow(b.bytes, max(512, min(cap(b.bytes), limit+1-len(b.bytes))))
		}
		n, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if len(b.bytes) > limit {
			return errTooLarge
		}
		if !c.holdBody(len(b.bytes)) {
			return errCrowded
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// newDecoder returns a reader that undoes a Content-Encoding.
func newDecoder(encoding string, r io.Reader) (io.ReadCloser, *llm.Error) {
	switch encoding {
	case "identity":
		return io.NopCloser(r), nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err == nil {
			return z, nil
		}
	case "deflate":
		return newInflater(r), nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err == nil {
			return z.IOReadCloser(), nil
		}
	default:
		return nil, &llm.Error{Kind: llm.MediaType, Code: "unsupported_content_encoding", NoRetry: true,
			Message: fmt.Sprintf("Content-Encoding %s is not supported. Use gzip, deflate, zstd or none.", printable([]byte(encoding)))}
	}
	return nil, &llm.Error{Kind: llm.InvalidRequest, NoRetry: true,
		Message: fmt.Sprintf("The request body can't be decoded as Content-Encoding %s.", encoding)}
}

// newInflater reads "deflate": zlib by RFC 9110, section 8.4.1.2, but raw deflate from some clients.
func newInflater(r io.Reader) io.ReadCloser {
	peek := make([]byte, 2)
	n, _ := io.ReadFull(r, peek) // a short body fails in the reader below
	r = io.MultiReader(strings.NewReader(string(peek[:n])), r)
	// RFC 1950, section 2.2: method 8, and a header that is a multiple of 31.
	if n == 2 && peek[0]&0x0f == 8 && (uint(peek[0])<<8|uint(peek[1]))%31 == 0 {
		if z, err := zlib.NewReader(r); err == nil {
			return z
		}
	}
	return flate.NewReader(r)
}
