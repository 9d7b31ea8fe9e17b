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

// DialThrough is Dial through a proxy, unless that is zero. The timeout then covers the way to the proxy as well, its TLS
// and what is said to it. The proxy resolves the name of a.
func (d *Dialer) DialThrough(ctx context.Context, proxy Proxy, a Address, timeout time.Duration) (*Conn, error) {
	if proxy == (Proxy{}) {
		return d.Dial(ctx, a, timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := d.reach(ctx, proxy, a)
	if err != nil {
		return nil, &Error{Address: a, Proxy: proxy.Address, Kind: proxyKind(err), Err: err}
	}
	return c.secured(ctx, d.tls, a, proxy)
}

// dial is Dial, connecting by a dialer and encrypting by a configuration.
func dial(ctx context.Context, by *net.Dialer, config *tls.Config, a Address, timeout time.Duration) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := connect(ctx, by, a)
	if err != nil {
		return nil, &Error{Address: a, Kind: kindOf(err, Failed), Err: err}
	}
	return c.secured(ctx, config, a, Proxy{})
}

// connect opens a TCP connection.
func connect(ctx context.Context, by *net.Dialer, a Address) (*Conn, error) {
	c, err := by.DialContext(ctx, "tcp", a.String())
	if err != nil {
		return nil, err
	}
	tcp := c.(*net.TCPConn)
	return &Conn{Conn: tcp, tcp: tcp}, nil
}

// reach opens a connection to a through a proxy.
func (d *Dialer) reach(ctx context.Context, proxy Proxy, a Address) (*Conn, error) {
	if !d.allowMetadata.Load() {
		if err := checkTarget(a.Host); err != nil {
			return nil, err
		}
	}
	c, err := connect(ctx, &d.tcp, proxy.Address)
	if err != nil {
		return nil, err
	}
	if proxy.TLS {
		var secure *tls.Conn
		if secure, err = handshake(ctx, d.tls, c.Conn, proxy.Host); err == nil {
			c.Conn = proxiedConn{Conn: secure, tcp: c.tcp}
		}
	}
	if err == nil {
		err = proxy.tunnel(ctx, c.Conn, a)
	}
	if err != nil {
		_ = c.tcp.Close()
		return nil, err
	}
	return c, nil
}

// secured returns c, which leads to a through the proxy, with TLS where a has that. On an error c is closed.
func (c *Conn) secured(ctx context.Context, config *tls.Config, a Address, proxy Proxy) (*Conn, error) {
	if !a.TLS {
		return c, nil
	}
	secure, err := handshake(ctx, config, c.Conn, a.Host)
	if err != nil {
		_ = c.tcp.Close()
		kind := kindOf(err, Handshake)
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			kind = Certificate
		}
		return nil, &Error{Address: a, Proxy: proxy.Address, Kind: kind, Err: err}
	}
	return &Conn{Conn: secure, tcp: c.tcp}, nil
}

// handshake starts TLS on c and verifies that the peer is host.
func handshake(ctx context.Context, config *tls.Config, c net.Conn, host string) (*tls.Conn, error) {
	config = config.Clone()
	config.ServerName = withoutZone(host)
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secure, nil
}
