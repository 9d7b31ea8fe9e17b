package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// tail is an open stream.
type tail struct {
	t      *testing.T
	conn   net.Conn
	header http.Header
	lines  *bufio.Reader
}

// tail opens a stream. The test is told when it doesn't open.
func (p *port) tail(t *testing.T, query string) *tail {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /api/v1/logs/stream"+query+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 {
		t.Fatalf("status %d", response.StatusCode)
	}
	s := &tail{t, conn, response.Header, bufio.NewReader(response.Body)}
	if line := s.line(); !strings.HasPrefix(line, ":") {
		t.Fatalf("it begins with %q", line)
	}
	return s
}

// line returns the next line that is not empty, or io.EOF's text.
func (s *tail) line() string {
	s.t.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		if err == io.EOF {
			return err.Error()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
}

// id returns the id of the row in the next event.
func (s *tail) id() string {
	s.t.Helper()
	if line := s.line(); line != "event: row" {
		s.t.Fatalf("got %q, want an event", line)
	}
	var r row
	if err := json.Unmarshal([]byte(strings.TrimPrefix(s.line(), "data: ")), &r); err != nil {
		s.t.Fatal(err)
	}
	return r.ID
}

func TestStreamsTellRowsAsTheyAreWritten(t *testing.T) {
	l, _ := newLedger(t)
	p := openWithToken(t, Options{Ledger: l})
	all, failed, slow := p.tail(t, ""), p.tail(t, "?failed=true"), p.tail(t, "?text=SLOW&channel=north")
	if got := all.header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	l.Record(failedOver("req_1"))
	l.Flush()
	l.Record(refusedRequest("req_2"))
	l.Flush()
	if first, second := all.id(), all.id(); first != "req_1" || second != "req_2" {
		t.Errorf("got %s and %s", first, second)
	}
	if got := failed.id(); got != "req_2" {
		t.Errorf("of failed ones got %s", got)
	}
	if got := slow.id(); got != "req_1" {
		t.Errorf("of slow ones got %s", got)
	}
}

func TestStreamsAreKeptAlive(t *testing.T) {
	p := openWithToken(t, Options{keepAlive: 5 * time.Millisecond})
	s := p.tail(t, "")
	for range 3 {
		if line := s.line(); line != ": keep-alive" {
			t.Errorf("got %q", line)
		}
	}
}

func TestShutdownEndsStreams(t *testing.T) {
	p := openWithToken(t, Options{})
	s := p.tail(t, "")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if line := s.line(); line != io.EOF.Error() {
		t.Errorf("got %q, want the end", line)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	p := openWithToken(t, Options{keepAlive: time.Millisecond})
	var open []*tail
	for range maxStreams {
		open = append(open, p.tail(t, ""))
	}
	response, body := p.call(t, "GET", "/api/v1/logs/stream", "")
	checkError(t, response, body, 503, "too_many_streams")
	// The place of one that is closed is free once a write has shown it.
	open[0].conn.Close()
	for p.streams.Load() == maxStreams {
		time.Sleep(time.Millisecond)
	}
	p.tail(t, "")
}

func TestARefusedStreamTakesNoPlace(t *testing.T) {
	p := openWithToken(t, Options{})
	response, body := p.call(t, "GET", "/api/v1/logs/stream?status=odd", "")
	checkRefused(t, response, body, 400, codeBadParameter, "status")
	if n := p.streams.Load(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
}
