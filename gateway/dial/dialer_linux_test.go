package dial

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// A listener that nobody accepts from and whose queue is full drops every further SYN, as a firewall does.
func TestDialTimeoutInTheConnect(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	a := Address{Host: "127.0.0.1", Port: uint16(name.(*syscall.SockaddrInet4).Port)}
	d := New(Options{})
	for range 8 {
		c, err := d.Dial(t.Context(), a, 50*time.Millisecond)
		if err != nil {
			wantKind(t, err, a, Timeout)
			return
		}
		defer func() { _ = c.Close() }()
	}
	t.Fatal("the queue of length 0 took 8 connections")
}

func TestConnectionsSendAtOnceAndKeepAlive(t *testing.T) {
	c, err := New(Options{}).Dial(t.Context(), Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", echo)}, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	raw, err := c.TCP().SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func(level, name int) (value int) {
		e := raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) })
		if e != nil || err != nil {
			t.Fatal(e, err)
		}
		return value
	}
	if option(syscall.IPPROTO_TCP, syscall.TCP_NODELAY) == 0 {
		t.Error("TCP_NODELAY is off")
	}
	if option(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) == 0 {
		t.Error("SO_KEEPALIVE is off")
	}
	if idle := option(syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE); idle != 15 {
		t.Errorf("keep-alive starts after %d s, want 15", idle)
	}
}

// Running out of descriptors is our fault: it must not look like a broken upstream.
func TestExhaustionIsTold(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: errno}
		if kind := kindOf(err, Failed); kind != Exhausted {
			t.Errorf("%v is of kind %q, want %q", errno, kind, Exhausted)
		}
	}
	if kind := kindOf(errors.Join(syscall.ENETUNREACH), Failed); kind != Failed {
		t.Errorf("no route is of kind %q, want %q", kind, Failed)
	}
}
