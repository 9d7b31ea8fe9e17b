package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// cachedSessions is how many hosts' TLS sessions are kept for a quicker second handshake.
const cachedSessions = 256

// Options are what a Dialer is made with. The zero value is right outside tests.
type Options struct {
	// RootCAs are the authorities that certificates are verified by. Nil means the system's.
	RootCAs *x509.CertPool
	// Resolver looks names up. Nil means the system's way.
	Resolver *net.Resolver
	// Public says which addresses DialPublic may connect to. Nil means those of the internet.
	Public func(netip.Addr) bool
}

// Dialer opens connections. It may be used by any number of goroutines at once; make it with New, one per process, so
// that TLS sessions are shared.
type Dialer struct {
	tcp net.Dialer
	tls *tls.Config
	// public and publicTLS are theirs for DialPublic: hosts that clients name don't push the upstreams' sessions out.
	public    net.Dialer
	publicTLS *tls.Config
	// allowMetadata is written when the settings change and read by each dial; a dial on its way may miss the change.
	allowMetadata atomic.Bool
}

// New returns a Dialer that refuses metadata addresses.
func New(o Options) *Dialer {
	d := &Dialer{tls: &tls.Config{
		RootCAs:            o.RootCAs,
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(cachedSessions),
	}}
	// The zero net.Dialer is what we want otherwise: both address families, no delay for small writes (TCP_NODELAY),
	// and TCP keep-alive from 15 s on, which keeps the entries of NATs alive in the silences of a stream.
	d.tcp.Resolver = o.Resolver
	d.tcp.Control = func(_, address string, _ syscall.RawConn) error {
		// The system calls back between lookup and connect, with the address it will connect to: here no name that
		// resolves differently the second time (DNS rebinding) gets through.
		if d.allowMetadata.Load() {
			return nil
		}
		return checkAddress(address)
	}
	if o.Public == nil {
		o.Public = isPublic
	}
	d.public = net.Dialer{Resolver: o.Resolver, Control: checkPublic(o.Public)}
	d.publicTLS = d.tls.Clone()
	d.publicTLS.ClientSessionCache = nil
	return d
}

// AllowMetadata says whether link-local addresses and those of clouds' metadata services may be dialed. At first they
// may not. Connections that exist are not touched.
func (d *Dialer) AllowMetadata(allow bool) { d.allowMetadata.Store(allow) }

// Dial connects to a. The timeout, which must be above zero, covers looking the name up, connecting (to as many
// addresses as the name has) and the TLS handshake; the context may end all of them sooner, but has no power over the
// connection that is returned. Errors are *Error.
func (d *Dialer) Dial(ctx context.Context, a Address, timeout time.Duration) (*Conn, error) {
	return dial(ctx, &d.tcp, d.tls, a, timeout)
}

// dial is Dial, connecting by a dialer and encrypting by a configuration.
func dial(ctx context.Context, by *net.Dialer, config *tls.Config, a Address, timeout time.Duration) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := by.DialContext(ctx, "tcp", a.String())
	if err != nil {
		return nil, &Error{Address: a, Kind: kindOf(err, Failed), Err: err}
	}
	tcp := c.(*net.TCPConn)
	if !a.TLS {
		return &Conn{Conn: tcp, tcp: tcp}, nil
	}
	secure, err := handshake(ctx, config, tcp, a.Host)
	if err != nil {
		kind := kindOf(err, Handshake)
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			kind = Certificate
		}
		return nil, &Error{Address: a, Kind: kind, Err: err}
	}
	return &Conn{Conn: secure, tcp: tcp}, nil
}

// handshake starts TLS on tcp and verifies that the peer is host. On error tcp is closed.
func handshake(ctx context.Context, config *tls.Config, tcp *net.TCPConn, host string) (*tls.Conn, error) {
	config = config.Clone()
	config.ServerName = withoutZone(host)
	secure := tls.Client(tcp, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = tcp.Close()
		return nil, err
	}
	return secure, nil
}
