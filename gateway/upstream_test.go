package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"octopus/gateway/dial"
)

// rawUpstream accepts connections and hands each to serve, in its own goroutine, with its number from 1 on. It returns its
// address.
func rawUpstream(t *testing.T, serve func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for n := 1; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(n, c, bufio.NewReader(c))
			}()
		}
	}()
	return ln.Addr().String()
}

// rawServer is rawUpstream for exchanges without a gateway.
func rawServer(t *testing.T, serve func(n int, c net.Conn, r *bufio.Reader)) *origin {
	t.Helper()
	_, port, _ := net.SplitHostPort(rawUpstream(t, serve))
	p, _ := strconv.ParseUint(port, 10, 16)
	o := newOrigin(t.Context(), dial.New(dial.Options{}), dial.Proxy{}, dial.Address{Host: "127.0.0.1", Port: uint16(p)})
	t.Cleanup(o.close)
	return o
}

const testRequest = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"

// ask runs one exchange to its end and returns the body, or the first error.
func ask(o *origin) (body string, reused bool, err error) {
	var x exchange
	if err := x.open(o, time.Second); err != nil {
		return "", false, err
	}
	defer func() { x.close(false) }()
	reused = x.reused
	if err := x.send([]byte(testRequest), never); err != nil {
		return "", reused, err
	}
	if err := x.await(now() + instant(5*time.Second)); err != nil {
		return "", reused, err
	}
	b, err := x.all(nil, 1<<20, now()+instant(5*time.Second))
	return string(b), reused, err
}

func TestConnectionsAreReusedAfterACompleteAnswerOnly(t *testing.T) {
	cases := []struct {
		name, answer string
		reused       bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
		{"connection close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
		{"more bytes than announced", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", false},
		{"interim answer first", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				for {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					_, _ = io.WriteString(conn, c.answer)
				}
			})
			for i := range 2 {
				body, reused, err := ask(o)
				if body != "ok" || err != nil {
					t.Fatalf("got %q, %v", body, err)
				}
				if want := i == 1 && c.reused; reused != want {
					t.Errorf("request %d: reused %v, want %v", i+1, reused, want)
				}
			}
		})
	}
}

func TestConnectionThatTheServerClosedMeanwhileIsNotUsed(t *testing.T) {
	closed := make(chan struct{})
	o := rawServer(t, func(n int, conn net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		if n == 1 {
			_ = conn.Close()
			close(closed)
		}
	})
	if _, _, err := ask(o); err != nil {
		t.Fatal(err)
	}
	<-closed
	if body, reused, err := ask(o); body != "ok" || reused || err != nil {
		t.Errorf("second request: got %q, reused %v, %v; want a new connection", body, reused, err)
	}
}

func TestConnectionThatBreaksOverARequestIsStale(t *testing.T) {
	o := rawServer(t, func(n int, conn net.Conn, r *bufio.Reader) {
		for i := 0; n > 1 || i < 1; i++ {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		_, _ = http.ReadRequest(r) // and closes instead of an answer
	})
	if _, _, err := ask(o); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ask(o); err != errStale {
		t.Fatalf("second request: got %v, want errStale", err)
	}
	if body, reused, err := ask(o); body != "ok" || reused || err != nil {
		t.Errorf("third request: got %q, reused %v, %v; want a new connection", body, reused, err)
	}
}

func TestConnectionThatBreaksAfterLongWorkIsNotStale(t *testing.T) {
	giveUp := make(chan struct{})
	o := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		_, _ = http.ReadRequest(r)
		<-giveUp
	})
	if _, _, err := ask(o); err != nil {
		t.Fatal(err)
	}
	var x exchange
	if err := x.open(o, time.Second); err != nil || !x.reused {
		t.Fatalf("open: %v, reused %v", err, x.reused)
	}
	defer x.close(true)
	if err := x.send([]byte(testRequest), never); err != nil {
		t.Fatal(err)
	}
	x.sent -= instant(staleWithin) // the time that the server has worked
	close(giveUp)
	if err := x.await(never); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestInterimAnswersHaveAnEnd(t *testing.T) {
	for _, interim := range []string{"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 X\r\nA: b\r\n\r\n",
		"HTTP/1.1 199 X\r\nA: " + strings.Repeat("b", 300) + "\r\n\r\n"} {
		o := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
			if _, err := http.ReadRequest(r); err == nil {
				_, _ = io.WriteString(conn, strings.Repeat(interim, maxInterim)+"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		})
		if _, _, err := ask(o); err != errTooLarge {
			t.Errorf("%.20q: got %v, want errTooLarge", interim, err)
		}
	}
}

func TestAnswerThatNobodyAskedForIsNotGivenToTheNextRequest(t *testing.T) {
	sent := make(chan struct{})
	o := rawServer(t, func(n int, conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%02d", n)
			if n == 1 {
				<-sent
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
				sent <- struct{}{}
			}
		}
	})
	if body, _, err := ask(o); body != "01" || err != nil {
		t.Fatalf("got %q, %v", body, err)
	}
	sent <- struct{}{}
	<-sent
	if body, reused, err := ask(o); body != "02" || reused || err != nil {
		t.Errorf("second request: got %q, reused %v, %v; want a new connection", body, reused, err)
	}
}

func TestQuietReadsCanBeResumed(t *testing.T) {
	goOn := make(chan struct{})
	o := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		for _, piece := range []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\none", "\r\n3\r\ntwo\r\n0\r\n\r\n"} {
			<-goOn
			_, _ = io.WriteString(conn, piece)
		}
		<-goOn
	})
	var x exchange
	if err := x.open(o, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := x.send([]byte(testRequest), never); err != nil {
		t.Fatal(err)
	}
	soon := func() instant { return now() + instant(20*time.Millisecond) }
	if err := x.await(soon()); err != errQuiet {
		t.Fatalf("await: got %v, want errQuiet", err)
	}
	goOn <- struct{}{}
	if err := x.await(never); err != nil {
		t.Fatalf("await: %v", err)
	}
	for _, want := range []string{"one", "two"} {
		if _, err := x.next(soon()); err != errQuiet {
			t.Fatalf("next: got %v, want errQuiet", err)
		}
		goOn <- struct{}{}
		if data, err := x.next(never); string(data) != want || err != nil {
			t.Fatalf("next: got %q, %v; want %q", data, err, want)
		}
	}
	if _, err := x.next(never); err != io.EOF {
		t.Errorf("next at the end: got %v, want io.EOF", err)
	}
	x.close(false)
	close(goOn)
	if n := o.client.IdleConnsCount(); n != 1 {
		t.Errorf("idle connections: got %d, want 1", n)
	}
}

func TestDeadlineOfAnEarlierRequestDoesNotFireLater(t *testing.T) {
	answer := make(chan struct{})
	o := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			<-answer
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	exchangeWithin := func(limit time.Duration) error {
		var x exchange
		if err := x.open(o, time.Second); err != nil {
			return err
		}
		defer func() { x.close(false) }()
		if err := x.send([]byte(testRequest), never); err != nil {
			return err
		}
		time.AfterFunc(60*time.Millisecond, func() { answer <- struct{}{} })
		if err := x.await(now() + instant(limit)); err != nil {
			return err
		}
		_, err := x.all(nil, 10, never)
		return err
	}
	// The first request leaves a deadline behind that passes while the second one waits.
	if err := exchangeWithin(100 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := exchangeWithin(5 * time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestBrokenHeaders(t *testing.T) {
	for _, c := range []struct{ name, answer string }{
		{"not HTTP", "hello\r\n\r\n"},
		{"endless", "HTTP/1.1 200 OK\r\n" + fmt.Sprintf("X: %0*d\r\n", 2*maxResponseHeader, 1)},
		{"cut", "HTTP/1.1 200 OK\r\nContent-Le"},
		{"switching protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				if _, err := http.ReadRequest(r); err == nil {
					_, _ = io.WriteString(conn, c.answer)
				}
			})
			if _, _, err := ask(o); err == nil || err == errStale || err == errQuiet {
				t.Errorf("got %v, want an error of its own", err)
			}
			if n := o.client.ConnsCount(); n != 0 {
				t.Errorf("connections left: %d", n)
			}
		})
	}
}
