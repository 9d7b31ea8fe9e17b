package sse

import (
	"bytes"
	"errors"
)

// MaxEvent is the largest block that a Reader accepts, in bytes. Images and tool arguments do arrive in one event; 32
// MiB is also the default limit of a request's body.
const MaxEvent = 32 << 20

// maxKept is how large a buffer may have grown and still be kept for the next event.
const maxKept = 64 << 10

// ErrTooLarge is what Err returns for a stream with a block larger than MaxEvent.
var ErrTooLarge = errors.New("sse: event larger than 32 MiB")

// bom is the byte order mark that may stand before the first event of a stream.
var bom = []byte("\xef\xbb\xbf")

// Reader cuts a stream into events. The zero value is ready for a new stream.
//
//	r.Feed(src)
//	for r.Next(&event) {
//		…
//	}
//
// When Next has returned false, everything fed was used up or kept, and Feed may be called again. At the end of the
// stream Rest yields an event without its blank line.
type Reader struct {
	src    []byte // borrowed, from Feed until Next returns false
	pos    int    // src[:pos] was used up
	tail   []byte // the beginning of a block whose end has not arrived
	handed bool   // the last event lies in tail, which is free again with the next call
	line   int    // offset in the unfinished block of its last line
	seen   int    // offset in the unfinished block: between line and here no line ends
	joined []byte // data of several lines
	begun  bool   // the first event is over, and a byte order mark with it
	err    error
}

// Feed gives the reader the next bytes, cut anywhere. They are borrowed until Next returns false.
func (r *Reader) Feed(src []byte) { r.src, r.pos = src, 0 }

// Next fills e with the next event and returns true, or false when more bytes are needed.
func (r *Reader) Next(e *Event) bool {
	r.release()
	if r.err != nil {
		return false
	}
	if len(r.tail) > 0 {
		return r.nextOfTail(e)
	}
	// Fast path: the block lies in src as a whole.
	rest := r.src[r.pos:]
	n := r.find(rest)
	whole := n > 0
	if !whole {
		n = len(rest)
	}
	if n > MaxEvent {
		r.err = ErrTooLarge
		return false
	}
	r.pos += n
	if whole {
		r.finish(e, rest[:n])
	} else {
		r.tail = append(r.tail, rest...)
	}
	return whole
}

// nextOfTail is Next for a block that began in an earlier Feed. It moves line by line from src to tail, so that no more
// than this block is copied.
func (r *Reader) nextOfTail(e *Event) bool {
	for r.pos < len(r.src) {
		line := r.src[r.pos:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		if len(r.tail)+len(line) > MaxEvent {
			r.err = ErrTooLarge
			return false
		}
		r.tail = append(r.tail, line...)
		r.pos += len(line)
		if n := r.find(r.tail); n > 0 {
			r.pos -= len(r.tail) - n // with CR alone as line ending, a "line" may hold more than this block
			r.finish(e, r.tail[:n])
			e.Copied, r.handed = true, true
			return true
		}
	}
	return false
}

// Rest fills e with what has come of an unfinished block at the end of a stream. Whether that is a whole event that
// only lacks its blank line is for the caller to judge.
func (r *Reader) Rest(e *Event) bool {
	r.release()
	if len(r.tail) == 0 || r.err != nil {
		return false
	}
	r.finish(e, r.tail)
	e.Copied, r.handed = true, true
	return true
}

// Pos returns how many of the bytes of the last Feed were used up by the events so far.
func (r *Reader) Pos() int { return r.pos }

// Err returns why Next can't go on: ErrTooLarge or nil.
func (r *Reader) Err() error { return r.err }

// Reset makes r ready for another stream. It keeps its buffers unless they have grown large.
func (r *Reader) Reset() {
	r.handed = true
	r.release()
	*r = Reader{tail: r.tail, joined: r.joined}
}

// finish hands the block raw out.
func (r *Reader) finish(e *Event, raw []byte) {
	r.line, r.seen = 0, 0
	skip := 0
	if !r.begun {
		r.begun = true
		if bytes.HasPrefix(raw, bom) {
			skip = len(bom)
		}
	}
	r.joined = e.parse(raw, skip, r.joined)
}

// release takes back the buffers that the last event may have used.
func (r *Reader) release() {
	if !r.handed {
		return
	}
	r.handed = false
	r.tail = r.tail[:0]
	if cap(r.tail) > maxKept {
		r.tail = nil
	}
	if cap(r.joined) > maxKept {
		r.joined = nil
	}
}

// find returns the length of the block that b begins with, its blank line included, or 0 when b does not hold all of
// it. It goes on where it stopped for a shorter b.
func (r *Reader) find(b []byte) int {
	for {
		end, next := lineEnd(b, r.seen)
		blank := end == r.line
		if next == len(b) && (end == next || b[next-1] == '\r') {
			// The line has no end yet, or its carriage return may still be half of a CRLF. Only where the line before
			// ended with a carriage return alone, this stream's blank lines do the same, and waiting would delay an
			// event.
			if end == next || !blank || r.line == 0 || b[r.line-1] != '\r' {
				r.seen = end
				return 0
			}
		}
		r.line, r.seen = next, next
		if blank {
			return next
		}
	}
}
