package gatewaytest

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

var (
	// errOver ends a stream early, but as HTTP wants it.
	errOver = errors.New("gatewaytest: the stream ends here")
	// errCut ends a stream whose connection the script closed.
	errCut = errors.New("gatewaytest: the script cut the stream")
)

const (
	messagesPing = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
	commentPing  = ": keep-alive\n\n"
	comment      = ": scripted comment\n\n"
	commentNUL   = ": scripted\x00comment\n\n"
)

// stream is the part of a reply that plays events. fasthttp frames what is written to out: one write is one chunk.
type stream struct {
	out     io.Writer
	written int64
	zip     *gzip.Writer
	plain   bool

	// buf is the event being rendered; head, tail and scratch are what the protocols reuse between events.
	buf, head, tail, scratch []byte
	// wire is buf in the spelling that the script wants.
	wire []byte
	// sequence is the next sequence_number of Responses.
	sequence int

	// sent counts tokens.
	sent int
	// half says that of the next event only the first half is sent; cutting that the connection is closed then.
	half, cutting bool
	begun         bool
	// due is when the last token was to be sent.
	due time.Time
	// err is why nothing more is sent.
	err error
}

// reset forgets everything but the buffers, the large ones too.
func (t *stream) reset() {
	kept := [...][]byte{t.buf, t.head, t.tail, t.scratch, t.wire}
	for i := range kept {
		if cap(kept[i]) > maxKept {
			kept[i] = nil
		}
	}
	*t = stream{buf: kept[0], head: kept[1], tail: kept[2], scratch: kept[3], wire: kept[4]}
}

// startStream makes the reply the response's body.
func (r *reply) startStream(ctx *fasthttp.RequestCtx) {
	r.headers(ctx, r.contentType())
	ctx.Response.Header.SetCanonical(headerCacheControl, noCache)
	if r.script.gzip {
		ctx.Response.Header.Set("Content-Encoding", "gzip")
	}
	r.status(ctx, fasthttp.StatusOK)
	r.plain = r.script.plain()
	ctx.Response.ImmediateHeaderFlush = !r.plain || r.script.prelude > 0
	ctx.Response.SetBodyStream(r, -1)
}

// SupportsBodyWriteTo tells fasthttp to call WriteTo.
func (r *reply) SupportsBodyWriteTo() bool { return true }

// Read must not be called.
func (r *reply) Read([]byte) (int, error) { panic("BUG: a scripted stream is written, not read") }

// Close releases the reply.
func (r *reply) Close() error {
	releaseReply(r)
	return nil
}

// WriteTo plays the stream.
func (r *reply) WriteTo(out io.Writer) (int64, error) {
	s := &r.script
	r.out = out
	switch {
	case s.gzipBomb:
		r.floodZeros()
	case s.endlessBody:
		r.floodBody()
	default:
		r.play()
	}
	switch {
	case r.err == errOver:
		return r.written, nil
	case r.err == nil && s.hang:
		return r.written, r.c.wait(time.Time{})
	}
	return r.written, r.err
}

func (r *reply) play() {
	s := &r.script
	r.c.corked = s.burst
	if s.gzip {
		r.zip, _ = gzip.NewWriterLevel(writerFunc(r.chunk), gzip.BestSpeed)
	}
	if s.prelude > 0 {
		r.pause(time.Now().Add(s.prelude))
	}
	switch r.ask.protocol {
	case llm.Chat:
		r.streamChat()
	case llm.Responses:
		r.streamResponses()
	default:
		r.streamMessages()
	}
	if r.zip != nil && (r.err == nil || r.err == errOver) {
		// Writing fails only as chunk does, which keeps the error.
		_ = r.zip.Close()
	}
}

// open marks the place where silence before the first real event belongs, and the faults before it.
func (r *reply) open() {
	if r.script.first > 0 {
		r.pause(time.Now().Add(r.script.first))
	}
	r.strike()
	if r.script.every > 0 {
		r.due = time.Now()
	}
}

// more reports whether the next token is to be sent. It waits until the token is due and plays the faults before it.
func (r *reply) more() bool {
	if r.sent > 0 {
		if r.script.every > 0 {
			r.due = r.due.Add(r.script.every)
			r.pause(r.due)
		}
		r.strike()
	}
	return r.err == nil
}

// closing plays the faults behind the last token.
func (r *reply) closing() {
	if r.sent > 0 {
		r.strike()
	}
}

// counted counts a token that was sent.
func (r *reply) counted() {
	if r.err == nil {
		r.sent++
		r.record.sent(r.sent)
	}
}

// strike plays the faults that stand at this place.
func (r *reply) strike() {
	if r.plain || r.err != nil {
		return
	}
	s := &r.script
	if s.garbage == r.sent {
		r.sendGarbage()
	}
	if s.errorEvent == r.sent {
		r.failEvent()
	}
	switch {
	case r.err != nil:
	case s.stall == r.sent:
		r.stall()
	case s.cut == r.sent && s.inside:
		r.half, r.cutting = true, true
	case s.cut == r.sent:
		r.c.sever(s.rst)
		r.err = errCut
	case s.truncated && int64(r.sent) >= r.answer.usage.Output/int64(2*r.ask.choices):
		r.half = true
	}
}

// sendGarbage sends an event that is not JSON.
func (r *reply) sendGarbage() {
	name := ""
	switch r.ask.protocol {
	case llm.Responses:
		name = "event: response.output_text.delta\n"
	case llm.Messages:
		name = "event: content_block_delta\n"
	}
	r.buf = put(r.buf[:0], name, `data: {"scripted":garbage,,`, "\n\n")
	r.send()
}

// stall is silent, pings apart, until the client leaves.
func (r *reply) stall() {
	if r.script.ping == 0 {
		r.err = r.c.wait(time.Time{})
		return
	}
	for r.err == nil {
		r.pause(time.Now().Add(r.script.ping))
		r.sendPing()
	}
}

// pause waits until a time, with the pings that the script wants meanwhile. It is over early when the client leaves.
func (r *reply) pause(until time.Time) {
	if ping := r.script.ping; ping > 0 {
		for r.err == nil {
			next := time.Now().Add(ping)
			if !next.Before(until) {
				break
			}
			if r.err = r.c.wait(next); r.err == nil {
				r.sendPing()
			}
		}
	}
	if r.err == nil {
		r.err = r.c.wait(until)
	}
}

func (r *reply) sendPing() {
	if r.ask.protocol == llm.Messages {
		r.write([]byte(messagesPing))
	} else {
		r.write([]byte(commentPing))
	}
}

// obfuscate appends padding to the event in buf, as OpenAI hides the length of a token of n bytes.
func (r *reply) obfuscate(n int) {
	if !r.script.obfuscation {
		return
	}
	r.buf = append(r.buf, `,"obfuscation":"`...)
	r.buf = r.ids.base62(r.buf, "", 16-n%16)
	r.buf = append(r.buf, '"')
}

// send sends the event in buf.
func (r *reply) send() {
	if r.plain {
		// Fast path: one chunk, as rendered.
		if r.err == nil {
			var n int
			n, r.err = r.out.Write(r.buf)
			r.written += int64(n)
		}
		return
	}
	event := r.spell(r.buf)
	if r.half {
		r.sendHalf(event)
		return
	}
	r.write(event)
}

// sendHalf sends half of an event, the last thing of this stream.
func (r *reply) sendHalf(event []byte) {
	part := event[:len(event)/2]
	if !r.cutting {
		r.write(part)
		if r.err == nil {
			r.err = errOver
		}
		return
	}
	if r.err != nil {
		return
	}
	// Past fasthttp, which would frame it: a chunk that is announced whole. Nothing is left in fasthttp's buffer, since
	// every chunk is flushed, and so were the headers.
	if _, err := r.c.Write(append(appendHex(nil, len(event)), part...)); err == nil {
		r.c.sever(r.script.rst)
	}
	r.err = errCut
}

// appendHex appends the first line of a chunk of n bytes.
func appendHex(dst []byte, n int) []byte {
	shift := 28
	for shift > 0 && n>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[n>>shift&15])
	}
	return append(dst, "\r\n"...)
}

// spell returns event as the script wants it spelled.
func (r *reply) spell(event []byte) []byte {
	s := &r.script
	r.wire = r.wire[:0]
	if s.bom && !r.begun {
		r.wire = append(r.wire, "\uFEFF"...)
	}
	r.begun = true
	start := len(r.wire)
	if s.comments {
		r.wire = append(r.wire, comment...)
	}
	if s.nul {
		r.wire = append(r.wire, commentNUL...)
	}
	r.wire = append(r.wire, event...)
	if s.multiline {
		r.respell(start, "data: {", "data: {\ndata: ")
	}
	if s.noSpace {
		r.respell(start, "data: ", "data:")
	}
	switch {
	case s.crlf:
		r.respell(start, "\n", "\r\n")
	case s.cr:
		r.respell(start, "\n", "\r")
	}
	return r.wire
}

// respell replaces text in wire[start:]. Events have no line ends but SSE's own; "data: " may stand in a text as well,
// so that a field name counts only at the start of a line.
func (r *reply) respell(start int, from, to string) {
	lines := bytes.SplitAfter(bytes.Clone(r.wire[start:]), []byte{'\n'})
	r.wire = r.wire[:start]
	for _, line := range lines {
		if from == "\n" {
			line = bytes.ReplaceAll(line, []byte(from), []byte(to))
		} else if bytes.HasPrefix(line, []byte(from)) {
			line = append([]byte(to), line[len(from):]...)
		}
		r.wire = append(r.wire, line...)
	}
}

// write writes an event as it is spelled, compressed if asked for.
func (r *reply) write(event []byte) {
	if r.zip == nil {
		// The error is kept.
		_, _ = r.chunk(event)
		return
	}
	if r.err == nil {
		// chunk keeps the error.
		_, _ = r.zip.Write(event)
		_ = r.zip.Flush()
	}
}

// chunk writes one chunk, or several small ones.
func (r *reply) chunk(b []byte) (int, error) {
	written := 0
	for written < len(b) && (r.err == nil || r.err == errOver) {
		next := b[written:]
		if r.script.split > 0 {
			next = next[:min(r.script.split, len(next))]
		}
		n, err := r.out.Write(next)
		written += n
		r.written += int64(n)
		if err != nil {
			r.err = err
		}
	}
	if r.err == errOver {
		return written, nil
	}
	return written, r.err
}

// writerFunc makes a function a writer.
type writerFunc func([]byte) (int, error)

// Write calls f.
func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// floodBody sends a body that does not end: one JSON string, or one event.
func (r *reply) floodBody() {
	start := `{"id":"`
	if r.ask.stream {
		start = `data: {"id":"`
	}
	r.write([]byte(start))
	filler := bytes.Repeat([]byte{'x'}, 64<<10)
	for sent := 0; r.err == nil && sent < flood; sent += len(filler) {
		r.write(filler)
	}
}

// floodZeros sends white space that is large only when it is decompressed: the same compressed block over and over,
// which refers to a window that looks always the same.
func (r *reply) floodZeros() {
	const block = 1 << 20
	var compressed bytes.Buffer
	// A bytes.Buffer does not fail, and the level exists.
	zip, _ := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	spaces := bytes.Repeat([]byte{' '}, block)
	_, _ = zip.Write(spaces)
	_ = zip.Flush()
	r.write(compressed.Bytes())
	compressed.Reset()
	_, _ = zip.Write(spaces)
	_ = zip.Flush()
	for sent := block; r.err == nil && sent < flood; sent += block {
		r.write(compressed.Bytes())
	}
}
