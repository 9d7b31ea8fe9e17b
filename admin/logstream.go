package admin

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/admin/requestlog"
)

const (
	// maxStreams bounds streams at once; each may have some thousand rows waiting.
	maxStreams = 32
	// streamKeepAlive is the longest silence of a stream. Proxies close connections that are silent for a minute.
	streamKeepAlive = 15 * time.Second
)

// streamLogs answers with the rows that meet the query's conditions, as they are written.
func streamLogs(s *Server, ctx *fasthttp.RequestCtx, q query) (any, error) {
	wanted, err := filter(q)
	if err != nil {
		return nil, err
	}
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		return nil, refused(fasthttp.StatusServiceUnavailable, "too_many_streams", "too many streams are open; close one first")
	}
	ctx.SetContentType(streamType)
	ctx.Response.Header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	stream := &logStream{
		ended: s.running.Done(), conn: ctx.Conn(), follower: s.options.Ledger.Log().Follow(), wants: wanted.Filter(),
		keepAlive: s.options.keepAlive, log: s.options.Logger,
	}
	stream.release = sync.OnceFunc(func() {
		stream.follower.Close()
		s.streams.Add(-1)
	})
	ctx.SetBodyStream(stream, -1)
	return nil, nil
}

// logStream is the body of a stream. fasthttp calls WriteTo, where each Write is a flushed chunk, and Close at the end.
type logStream struct {
	// ended is closed when the server shuts down.
	ended     <-chan struct{}
	conn      net.Conn
	follower  *requestlog.Follower
	wants     func(*requestlog.Row) bool
	keepAlive time.Duration
	log       *slog.Logger
	// release gives the place among the streams back, once.
	release func()
}

// WriteTo writes rows until the server shuts down or the reader is gone.
func (l *logStream) WriteTo(w io.Writer) (n int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("panic on the admin port", "path", "/api/v1/logs/stream", "panic", p, "stack", string(debug.Stack()))
			err = io.ErrUnexpectedEOF
		}
	}()
	silence := time.NewTicker(l.keepAlive)
	defer silence.Stop()
	// The first comment takes the headers along.
	for text := []byte(": here come requests as they finish\n\n"); ; {
		if len(text) > 0 {
			// The deadline of the port covers an answer as a whole; a stream's is for each write.
			if err = l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
				return n, err
			}
			written, err := w.Write(text)
			n += int64(written)
			if err != nil {
				return n, err
			}
			silence.Reset(l.keepAlive)
		}
		select {
		case <-l.ended:
			return n, nil
		case <-silence.C:
			text = append(text[:0], ": keep-alive\n\n"...)
		case rows := <-l.follower.Rows:
			text = l.appendEvents(text[:0], rows)
		}
	}
}

// appendEvents appends the rows that are wanted.
func (l *logStream) appendEvents(dst []byte, rows []*requestlog.Row) []byte {
	for _, r := range rows {
		if !l.wants(r) {
			continue
		}
		text, err := json.Marshal(rowOf(&r.Outcome))
		if err != nil {
			panic("BUG: a row is no JSON: " + err.Error())
		}
		dst = append(append(append(dst, "event: row\ndata: "...), text...), "\n\n"...)
	}
	return dst
}

// SupportsBodyWriteTo tells fasthttp that WriteTo stands in for Read.
func (l *logStream) SupportsBodyWriteTo() bool { return true }

// Read is not used: fasthttp calls WriteTo.
func (l *logStream) Read([]byte) (int, error) { panic("BUG: logStream.Read called instead of WriteTo") }

// Close ends the following.
func (l *logStream) Close() error {
	l.release()
	return nil
}
