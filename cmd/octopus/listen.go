package main

import (
	"errors"
	"net"
	"syscall"
)

// listenFunc opens a port of host: the one that was given, or else the usual one.
type listenFunc func(host string, given *port, usual port) (net.Listener, error)

// listen opens exactly that port.
func listen(host string, given *port, usual port) (net.Listener, error) {
	return net.Listen("tcp", given.or(usual).address(host))
}

// listenOrFree is listen, except that a free port stands in for the usual one when that is taken.
func listenOrFree(host string, given *port, usual port) (net.Listener, error) {
	ln, err := listen(host, given, usual)
	if given == nil && errors.Is(err, syscall.EADDRINUSE) {
		return net.Listen("tcp", port(0).address(host))
	}
	return ln, err
}
