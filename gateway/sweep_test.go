//go:build linux

package gateway

import (
	"net"
	"os"
	"testing"
)

func TestSweeperForgetsWhatItSaw(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	l := new(clientConns)
	server, client := net.Pipe()
	defer client.Close()
	c := l.add(server)
	defer c.Close()
	c.fd = int(r.Fd())
	c.begin(new(call))
	var s sweeper
	s.run(l)
	if cap(s.clients) == 0 || cap(s.calls) == 0 {
		t.Fatal("it saw nothing")
	}
	for i := range s.clients[:1] {
		if s.clients[i] != nil || s.calls[i] != nil {
			t.Error("it refers to a call that may be over")
		}
	}
}
