package dial

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestAbortEndsAPendingReadAndResetsThePeer(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	for _, secure := range []bool{false, true} {
		peer := make(chan error, 1)
		serve := func(c net.Conn) {
			_, err := io.Copy(io.Discard, c)
			peer <- err
		}
		if secure {
			serve = encrypted(server, serve)
		}
		a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", serve), TLS: secure}
		c, err := New(Options{RootCAs: authority.pool()}).Dial(t.Context(), a, patience)
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		c.Abort()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("TLS %v: the pending read ended with %v, want %v", secure, err, net.ErrClosed)
		}
		if err := <-peer; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("TLS %v: the peer saw %v, want %v", secure, err, syscall.ECONNRESET)
		}
		c.Abort() // a second time does no harm
	}
}

// The relay reads with short deadlines and goes on after each of them.
func TestAReadThatRanIntoItsDeadlineCanBeRepeated(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	for _, secure := range []bool{false, true} {
		serve := echo
		if secure {
			serve = encrypted(server, echo)
		}
		a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", serve), TLS: secure}
		c, err := New(Options{RootCAs: authority.pool()}).Dial(t.Context(), a, patience)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("TLS %v: read gives %v, want %v", secure, err, os.ErrDeadlineExceeded)
			}
		}
		wantEcho(t, c)
		_ = c.Close()
	}
}

func TestTCPIsTheConnectionBelow(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", encrypted(server, echo)), TLS: true}
	c, err := New(Options{RootCAs: authority.pool()}).Dial(t.Context(), a, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if got, want := c.TCP().LocalAddr().String(), c.LocalAddr().String(); got != want {
		t.Errorf("TCP() is bound to %s, the connection to %s", got, want)
	}
	if c.TCP() != c.Conn.(*tls.Conn).NetConn() {
		t.Error("TCP() is not what TLS runs on")
	}
}
