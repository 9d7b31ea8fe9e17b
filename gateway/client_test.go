package gateway

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs a test in the fake time of synctest, with instants counted from the bubble's own start.
func inBubble(t *testing.T, test func(t *testing.T)) {
	outside := epoch
	defer func() { epoch = outside }()
	synctest.Test(t, func(t *testing.T) {
		epoch = time.Now()
		test(t)
	})
}

// fakeClient returns the ends of a connection in the fake time of synctest: net.Pipe has deadlines that follow it.
func fakeClient(t *testing.T) (server *clientConn, client net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	list := new(clientConns)
	server = list.add(a)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return server, b
}

func TestIdleClientIsClosedAfterItsTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		server, _ := fakeClient(t)
		start := time.Now()
		_, err := server.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
		if waited := time.Since(start); waited < clientIdle || waited > clientIdle+clientIdle/timerSlack {
			t.Errorf("waited %v, want about %v", waited, clientIdle)
		}
	})
}

func TestSlowHeaderHasAnEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		server, client := fakeClient(t)
		var writer sync.WaitGroup
		writer.Go(func() {
			for {
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		start := time.Now()
		_, err := io.Copy(io.Discard, onlyReader{server})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
		if took := time.Since(start); took < clientHeader || took > clientHeader+2*clientHeader/timerSlack {
			t.Errorf("a byte per second was read for %v, want about %v", took, clientHeader)
		}
		_ = client.Close()
		writer.Wait()
	})
}

func TestSlowBodyMayTakeItsTimeButNotBeSilent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		server, client := fakeClient(t)
		server.begin(new(call))
		piece := make([]byte, clientRate*int64(clientSilence/time.Second))
		go func() {
			for range 20 {
				_, _ = client.Write(piece)
				time.Sleep(clientSilence / 2)
			}
		}()
		start := time.Now()
		n, err := io.Copy(io.Discard, onlyReader{server})
		if want := int64(20 * len(piece)); n != want || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %d bytes, %v; want all %d and then a timeout", n, err, want)
		}
		if took := time.Since(start); took < 10*clientSilence {
			t.Errorf("took %v, want at least %v", took, 10*clientSilence)
		}
	})
}

func TestDrippingBodyHasAnEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		server, client := fakeClient(t)
		server.begin(new(call))
		var writer sync.WaitGroup
		writer.Go(func() {
			for {
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		start := time.Now()
		_, err := io.Copy(io.Discard, onlyReader{server})
		if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took > 2*clientHeader {
			t.Errorf("a byte per second was read for %v, %v", took, err)
		}
		_ = client.Close()
		writer.Wait()
	})
}

func TestStalledWriteHasAnEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		server, _ := fakeClient(t)
		start := time.Now()
		_, err := server.Write([]byte("nobody reads"))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
		if waited := time.Since(start); waited < clientStall-clientStall/timerSlack || waited > clientStall+time.Millisecond {
			t.Errorf("waited %v, want about %v", waited, clientStall)
		}
	})
}

func TestSlowReaderIsNotStalled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		server, client := fakeClient(t)
		const pieces = 10
		go func() {
			piece := make([]byte, writePiece)
			for range pieces {
				time.Sleep(clientStall / 2)
				_, _ = io.ReadFull(client, piece)
			}
		}()
		if n, err := server.Write(make([]byte, pieces*writePiece)); n != pieces*writePiece || err != nil {
			t.Errorf("wrote %d of %d bytes, %v", n, pieces*writePiece, err)
		}
	})
}

func TestRequestThatIsNoCallLeavesTheConnectionItsTime(t *testing.T) {
	for _, c := range []struct{ method, path string }{
		{"GET", "/v1/models"}, {"GET", "/healthz"}, {"GET", "/readyz"}, {"OPTIONS", "/v1/messages"}, {"GET", "/nowhere"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newBubble(t, nil)
				server, client := fakeClient(t)
				w.client = server
				go func() { _, _ = io.WriteString(client, "the request") }()
				if _, err := server.Read(make([]byte, 20)); err != nil {
					t.Fatal(err)
				}
				w.handle(c.method, c.path, nil)
				start := time.Now()
				if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) < clientIdle-time.Second {
					t.Errorf("got %v after %v, want a timeout after %v", err, time.Since(start), clientIdle)
				}
			})
		})
	}
}

func TestClosedConnectionsLeaveTheList(t *testing.T) {
	list := new(clientConns)
	var conns []*clientConn
	for range 5 {
		a, b := net.Pipe()
		defer b.Close()
		conns = append(conns, list.add(a))
	}
	for _, i := range []int{2, 0, 4, 3, 3, 1} { // the middle, the last and first of the list, twice
		_ = conns[i].Close()
	}
	if n := list.count.Load(); n != 0 || list.first != nil {
		t.Errorf("%d connections left, first %v", n, list.first)
	}
}

func TestLingeringCloseLetsTheClientReadItsAnswer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	list := new(clientConns)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		server := list.add(c)
		_, _ = server.Read(make([]byte, 10))
		_, _ = server.Write([]byte("413"))
		server.linger = true
		_ = server.Close()
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.Copy(c, strings.NewReader(strings.Repeat("x", 20<<20))); err != nil {
		t.Errorf("upload: %v", err)
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	if got, err := io.ReadAll(c); string(got) != "413" || err != nil {
		t.Errorf("got %q, %v; want the answer", got, err)
	}
}

// onlyReader hides the other methods of a connection from io.Copy.
type onlyReader struct{ io.Reader }
