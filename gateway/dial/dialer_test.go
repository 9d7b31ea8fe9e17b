package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is a timeout that is not meant to run out.
const patience = 10 * time.Second

// listen starts a server on a loopback address and returns its port. It calls serve for each connection, which lives
// for patience at most, and closes it afterwards; the test ends when all calls have.
func listen(t *testing.T, host string, serve func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		if host == "::1" {
			t.Skipf("no IPv6 here: %v", err)
		}
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(patience))
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// hold keeps a connection open without a word until the other side closes it.
func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// echo returns what it reads.
func echo(c net.Conn) { _, _ = io.Copy(c, c) }

// encrypted serves TLS with config.
func encrypted(config *tls.Config, serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) { serve(tls.Server(c, config)) }
}

// wantEcho checks that c carries bytes in both directions.
func wantEcho(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 4)
	if _, err := c.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "ping" {
		t.Fatalf("read %q, %v; want ping", buf, err)
	}
}

// wantKind checks that err is an Error of that kind which names the address in its text, and not in its kind's.
func wantKind(t *testing.T, err error, a Address, kind Kind) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != kind || e.Address != a {
		t.Fatalf("error is %#v (%v), want kind %q for %s", err, err, kind, a)
	}
	if !strings.Contains(err.Error(), a.String()) {
		t.Errorf("%q does not name %s", err, a)
	}
	if strings.Contains(e.Kind.String(), a.Host) {
		t.Errorf("kind %q names the host", e.Kind)
	}
}

func TestDialReachesLoopbackOverBothAddressFamilies(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			c, err := New(Options{}).Dial(t.Context(), Address{Host: host, Port: listen(t, host, echo)}, patience)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			wantEcho(t, c)
		})
	}
}

func TestDialTriesAllAddressesOfAName(t *testing.T) {
	port := listen(t, "127.0.0.1", echo)
	resolver := names{"upstream.test.": {"::1", "169.254.169.254", "127.0.0.1"}}.resolver(t)
	c, err := New(Options{Resolver: resolver}).Dial(t.Context(), Address{Host: "upstream.test", Port: port}, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	wantEcho(t, c)
}

func TestDialVerifiesTheCertificate(t *testing.T) {
	trusted, other := newAuthority(t), newAuthority(t)
	valid, expired := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)
	resolver := names{"upstream.test.": {"127.0.0.1"}, "wrong.test.": {"127.0.0.1"}}.resolver(t)
	for _, test := range []struct {
		name   string
		server *tls.Config
		host   string
		want   Kind // Failed means that it works
	}{
		{"right name", &tls.Config{Certificates: []tls.Certificate{trusted.issue(valid)}}, "upstream.test", Failed},
		{"right address", &tls.Config{Certificates: []tls.Certificate{trusted.issue(valid)}}, "127.0.0.1", Failed},
		{"TLS 1.2", &tls.Config{Certificates: []tls.Certificate{trusted.issue(valid)}, MaxVersion: tls.VersionTLS12},
			"upstream.test", Failed},
		{"wrong name", &tls.Config{Certificates: []tls.Certificate{trusted.issue(valid)}}, "wrong.test", Certificate},
		{"expired", &tls.Config{Certificates: []tls.Certificate{trusted.issue(expired)}}, "upstream.test", Certificate},
		{"unknown authority", &tls.Config{Certificates: []tls.Certificate{other.issue(valid)}}, "upstream.test", Certificate},
		{"TLS 1.1", &tls.Config{
			Certificates: []tls.Certificate{trusted.issue(valid)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
		}, "upstream.test", Handshake},
		{"no common protocol", &tls.Config{Certificates: []tls.Certificate{trusted.issue(valid)}, NextProtos: []string{"smtp"}},
			"upstream.test", Handshake},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := Address{Host: test.host, Port: listen(t, "127.0.0.1", encrypted(test.server, echo)), TLS: true}
			c, err := New(Options{RootCAs: trusted.pool(), Resolver: resolver}).Dial(t.Context(), a, patience)
			if test.want != Failed {
				wantKind(t, err, a, test.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			wantEcho(t, c)
		})
	}
}

func TestDialTrustsNobodyElseThanTheSystemByDefault(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue(time.Now().Add(time.Hour))}}
	a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", encrypted(server, echo)), TLS: true}
	_, err := New(Options{}).Dial(t.Context(), a, patience)
	wantKind(t, err, a, Certificate)
}

func TestDialSpeaksHTTP1AndResumesSessions(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{
		Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))},
		NextProtos:   []string{"h2", "http/1.1"},
	}
	a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", encrypted(server, echo)), TLS: true}
	d := New(Options{RootCAs: authority.pool()})
	for _, resumed := range []bool{false, true} {
		c, err := d.Dial(t.Context(), a, patience)
		if err != nil {
			t.Fatal(err)
		}
		wantEcho(t, c) // TLS 1.3 hands the session over with the first bytes after the handshake
		state := c.Conn.(*tls.Conn).ConnectionState()
		if state.NegotiatedProtocol != "http/1.1" || state.DidResume != resumed {
			t.Errorf("protocol %q, resumed %v; want http/1.1, %v", state.NegotiatedProtocol, state.DidResume, resumed)
		}
		_ = c.Close()
	}
}

func TestDialRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := Address{Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port)}
	_ = l.Close()
	_, err = New(Options{}).Dial(t.Context(), a, patience)
	wantKind(t, err, a, Refused)
}

func TestDialNotATLSServer(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"plain HTTP":  func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); hold(c) },
		"hangs up":    func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) },
		"echoes back": echo,
	} {
		t.Run(name, func(t *testing.T) {
			a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", serve), TLS: true}
			_, err := New(Options{}).Dial(t.Context(), a, patience)
			wantKind(t, err, a, Handshake)
		})
	}
}

func TestDialUnknownName(t *testing.T) {
	a := Address{Host: "nowhere.test", Port: 443, TLS: true}
	_, err := New(Options{Resolver: names{}.resolver(t)}).Dial(t.Context(), a, patience)
	wantKind(t, err, a, NotFound)
}

func TestDialNameServerDown(t *testing.T) {
	down := errors.New("no name server")
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, down
	}}
	a := Address{Host: "upstream.test", Port: 443, TLS: true}
	_, err := New(Options{Resolver: resolver}).Dial(t.Context(), a, patience)
	wantKind(t, err, a, Failed)
}

// One timeout covers everything: a name server that is silent, and an upstream that accepts and says nothing.
func TestDialTimeout(t *testing.T) {
	for _, test := range []struct {
		name string
		a    Address
	}{
		{"in the lookup", Address{Host: "silent.test", Port: 443, TLS: true}},
		{"in the handshake", Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", hold), TLS: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			resolver := names{"silent.test.": nil}.resolver(t)
			began := time.Now()
			_, err := New(Options{Resolver: resolver}).Dial(t.Context(), test.a, 50*time.Millisecond)
			wantKind(t, err, test.a, Timeout)
			if took := time.Since(began); took > patience/2 {
				t.Errorf("took %v with a timeout of 50 ms", took)
			}
		})
	}
}

func TestDialCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	port := listen(t, "127.0.0.1", func(c net.Conn) {
		cancel() // while the handshake waits
		hold(c)
	})
	a := Address{Host: "127.0.0.1", Port: port, TLS: true}
	_, err := New(Options{}).Dial(ctx, a, patience)
	wantKind(t, err, a, Canceled)

	a = Address{Host: "upstream.test", Port: 443, TLS: true}
	_, err = New(Options{Resolver: names{"upstream.test.": nil}.resolver(t)}).Dial(ctx, a, patience)
	wantKind(t, err, a, Canceled)
}

func TestContextHasNoPowerOverTheConnection(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	ctx, cancel := context.WithCancel(t.Context())
	a := Address{Host: "127.0.0.1", Port: listen(t, "127.0.0.1", encrypted(server, echo)), TLS: true}
	c, err := New(Options{RootCAs: authority.pool()}).Dial(ctx, a, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	cancel()
	wantEcho(t, c)
}

// The name was fine when it was configured and leads elsewhere now; only what is connected to counts.
func TestDialRefusesMetadataAddressesWhateverNamesThem(t *testing.T) {
	resolver := names{"rebound.test.": {"169.254.169.254"}, "cloud.test.": {"fd00:ec2::254"}}.resolver(t)
	d := New(Options{Resolver: resolver})
	for _, host := range []string{
		"169.254.169.254", "::ffff:169.254.169.254", "fe80::1%lo", "100.100.100.200", "rebound.test", "cloud.test",
	} {
		a := Address{Host: host, Port: 80}
		_, err := d.Dial(t.Context(), a, patience)
		wantKind(t, err, a, Forbidden)
		if !strings.Contains(err.Error(), "allow_metadata_addresses") {
			t.Errorf("%q does not name the setting", err)
		}
	}
}

func TestMetadataAddressesCanBeAllowedAndForbiddenAgain(t *testing.T) {
	d := New(Options{})
	for _, allow := range []bool{false, true, false} {
		d.AllowMetadata(allow)
		// The hook itself, because a dial that is allowed would leave this machine.
		if err := d.tcp.Control("tcp4", "169.254.169.254:80", nil); (err == nil) != allow {
			t.Errorf("AllowMetadata(%v): connecting gives %v", allow, err)
		}
	}
}
