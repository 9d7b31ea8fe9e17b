package dial

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// Error is why there is no connection. Every error of Dial is one.
type Error struct {
	// Address is where the connection was to lead, Proxy what it was to go through, zero for nothing.
	Address, Proxy Address
	Kind           Kind
	// Err is the cause. Like the text of the Error it may name addresses, so it is for operators only.
	Err error
}

// Error names address, proxy, kind and cause. Clients get the Kind at most.
func (e *Error) Error() string {
	to := e.Address.String()
	if e.Proxy != (Address{}) {
		to += " through proxy " + e.Proxy.String()
	}
	return "dial " + to + ": " + e.Kind.String() + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Kind is what kept a connection from coming about. The zero value is Failed.
type Kind uint8

// The kinds of errors.
const (
	// Failed is whatever has no kind of its own: no route, a reset, a name server that does not work.
	Failed Kind = iota
	// Timeout means that lookup, connect and handshake together took too long, those of a proxy included.
	Timeout
	// Canceled means that the caller's context was.
	Canceled
	// Refused means that nobody listens there.
	Refused
	// NotFound means that the host's name does not exist.
	NotFound
	// Certificate means that the upstream could not prove to be the host: unknown authority, another name, expired.
	Certificate
	// Handshake means that TLS failed otherwise: not a TLS server, no common version, cut in between.
	Handshake
	// Forbidden means that the address is one that must not be reached; nothing was sent.
	Forbidden
	// Exhausted means that this machine has no descriptor, port or memory left for a connection. The upstream is not to
	// blame.
	Exhausted
	// ProxyFailed means that the proxy can't be reached, has no valid certificate or does not speak its protocol.
	ProxyFailed
	// ProxyCredential means that the proxy asks for a credential, or for another one.
	ProxyCredential
	// ProxyRefused means that the proxy does not want to connect there.
	ProxyRefused
)

// String returns a few words that name no address.
func (k Kind) String() string {
	switch k {
	case Timeout:
		return "connect timeout"
	case Canceled:
		return "canceled"
	case Refused:
		return "connection refused"
	case NotFound:
		return "host not found"
	case Certificate:
		return "certificate not valid"
	case Handshake:
		return "TLS handshake failed"
	case Forbidden:
		return "address not allowed"
	case Exhausted:
		return "no socket left"
	case ProxyFailed:
		return "proxy failed"
	case ProxyCredential:
		return "proxy refused the credential"
	case ProxyRefused:
		return "proxy refused to connect"
	}
	return "connect failed"
}

// exhaustion lists what the system says when it is the one that can't: see Exhausted.
var exhaustion = []error{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL,
}

// kindOf classifies an error of lookup, connect or handshake. Otherwise is the kind of what is neither the caller's
// doing nor named by the system.
func kindOf(err error, otherwise Kind) Kind {
	if errors.Is(err, context.Canceled) {
		return Canceled
	}
	if errors.Is(err, errForbidden) || errors.Is(err, errNotPublic) {
		return Forbidden
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return Timeout
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return NotFound
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return Refused
	}
	for _, e := range exhaustion {
		if errors.Is(err, e) {
			return Exhausted
		}
	}
	return otherwise
}

// proxyKind classifies an error of the way to a proxy, and through it.
func proxyKind(err error) Kind {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.kind
	}
	switch kind := kindOf(err, ProxyFailed); kind {
	case Refused, NotFound:
		return ProxyFailed // it is the proxy that is not there
	default:
		return kind
	}
}
