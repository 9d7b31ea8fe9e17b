//go:build linux

package gateway

import (
	"time"

	"golang.org/x/sys/unix"
)

// sweepInterval is how often the sweeper looks. A client that left is noticed within it, however silent the upstream is.
const sweepInterval = 250 * time.Millisecond

// silence looks whether anything has come on an idle socket. It lives beside the connection, as what a system call is given
// would be allocated otherwise. Make it with newSilence.
type silence struct {
	fds [1]unix.PollFd
}

func newSilence(fd int) silence {
	return silence{[1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}}
}

// unbroken reports whether nothing has come, not even the end.
func (s *silence) unbroken() bool {
	n, err := unix.Poll(s.fds[:], 0)
	return n == 0 && err == nil
}

// sweeper notices clients that left: one poll for POLLRDHUP over the connections that have a call. Peeking would fail
// where unread bytes stand before the FIN. A client that closed its writing half counts as gone, as in nginx.
type sweeper struct {
	fds     []unix.PollFd
	clients []*clientConn
	calls   []*call
}

// run looks once.
func (s *sweeper) run(l *clientConns) {
	s.fds, s.clients, s.calls = s.fds[:0], s.clients[:0], s.calls[:0]
	defer s.forget()
	l.each(func(c *clientConn) {
		if running := c.call.Load(); running != nil && c.fd >= 0 {
			s.fds = append(s.fds, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLRDHUP})
			s.calls = append(s.calls, running)
			s.clients = append(s.clients, c)
		}
	})
	if len(s.fds) == 0 {
		return
	}
	if n, err := unix.Poll(s.fds, 0); err != nil || n == 0 {
		return // interrupted, or nobody left: the next look is near
	}
	for i := range s.fds {
		if s.fds[i].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0 {
			// The call may be over, and the descriptor another connection's, by now: abandon compares the owner.
			s.calls[i].abandon(s.clients[i], abandonedByClient)
		}
	}
}

// forget drops what a run has seen, so that nothing keeps it in memory.
func (s *sweeper) forget() {
	clear(s.clients)
	clear(s.calls)
}
