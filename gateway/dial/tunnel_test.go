package dial

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// asked is what a scripted proxy was asked for: the target, and the credential as it came.
type asked struct{ target, credential string }

// httpProxy is an HTTP proxy that connects each tunnel to the loopback address with the target's port.
func httpProxy(t *testing.T, log chan<- asked) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		request, err := http.ReadRequest(r)
		if err != nil {
			t.Errorf("proxy: %v", err)
			return
		}
		if request.Method != http.MethodConnect || request.Host != request.RequestURI || len(request.Header) > 1 {
			t.Errorf("proxy: got %s %s for host %s with %v", request.Method, request.RequestURI, request.Host, request.Header)
		}
		log <- asked{request.RequestURI, request.Header.Get("Proxy-Authorization")}
		_, port, _ := net.SplitHostPort(request.RequestURI)
		join(c, r, "127.0.0.1:"+port, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
	}
}

// socksProxy is a SOCKS5 proxy that connects like httpProxy. With a password it asks for that.
func socksProxy(t *testing.T, password string, log chan<- asked) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		methods := readCounted(r, 1)
		credential := ""
		if password == "" {
			_, _ = c.Write([]byte{5, 0})
		} else {
			if strings.IndexByte(methods, 2) < 0 {
				_, _ = c.Write([]byte{5, 0xff})
				hold(c)
				return
			}
			_, _ = c.Write([]byte{5, 2})
			credential = readCounted(r, 1) + ":" + readCounted(r, 0)
			if credential != "me:"+password {
				_, _ = c.Write([]byte{1, 1})
				return
			}
			_, _ = c.Write([]byte{1, 0})
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(r, head); err != nil || head[0] != 5 || head[1] != 1 || head[2] != 0 {
			t.Errorf("proxy: request %v, %v", head, err)
			return
		}
		var host string
		switch head[3] {
		case 1, 4:
			ip := make([]byte, map[byte]int{1: 4, 4: 16}[head[3]])
			_, _ = io.ReadFull(r, ip)
			addr, _ := netip.AddrFromSlice(ip)
			host = addr.String()
		case 3:
			host = readCounted(r, 0)
			if _, err := netip.ParseAddr(host); err == nil {
				t.Errorf("proxy: the address %s came as a name", host)
			}
		}
		port := make([]byte, 2)
		_, _ = io.ReadFull(r, port)
		number := strconv.Itoa(int(binary.BigEndian.Uint16(port)))
		log <- asked{net.JoinHostPort(host, number), credential}
		// A reply may name the proxy's own address in any form.
		join(c, r, "127.0.0.1:"+number, "\x05\x00\x00\x03\x05proxy\x00\x01")
	}
}

// readCounted skips bytes and reads a text behind its length.
func readCounted(r *bufio.Reader, skip int) string {
	_, _ = r.Discard(skip)
	if skip == 0 {
		length, _ := r.ReadByte()
		text := make([]byte, length)
		_, _ = io.ReadFull(r, text)
		return string(text)
	}
	return readCounted(r, 0)
}

// join connects c with an address after the proxy's own words.
func join(c net.Conn, r io.Reader, address, words string) {
	upstream, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = upstream.Close() }()
	_, _ = io.WriteString(c, words)
	go func() {
		_, _ = io.Copy(upstream, r)
		_ = upstream.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, upstream)
}

// mustProxy is ParseProxy for a URL with %d for the port.
func mustProxy(t *testing.T, format string, port uint16) Proxy {
	t.Helper()
	p, err := ParseProxy(strings.ReplaceAll(format, "PORT", strconv.Itoa(int(port))))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProxiesTunnelToTheUpstream(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	log := make(chan asked, 1)
	plainPort, securePort := listen(t, "127.0.0.1", echo), listen(t, "127.0.0.1", encrypted(server, echo))
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:p@ss:"))
	for _, proxy := range []struct{ name, url, credential string }{
		{"http", "http://127.0.0.1:PORT", ""},
		{"http with password", "http://me:p%40ss%3a@127.0.0.1:PORT", basic},
		{"https", "https://127.0.0.1:PORT", ""},
		{"https with password", "https://me:p%40ss%3a@127.0.0.1:PORT", basic},
		{"socks5", "socks5://127.0.0.1:PORT", ""},
		{"socks5 with a password that nobody wants", "socks5://me:p%40ss%3a@127.0.0.1:PORT", ""},
		{"socks5 with password", "socks5://me:p%40ss%3a@127.0.0.1:PORT", "me:p@ss:"},
	} {
		serve := httpProxy(t, log)
		switch {
		case strings.HasPrefix(proxy.url, "https"):
			serve = encrypted(server, serve)
		case strings.HasPrefix(proxy.url, "socks5") && proxy.credential != "":
			serve = socksProxy(t, "p@ss:", log)
		case strings.HasPrefix(proxy.url, "socks5"):
			serve = socksProxy(t, "", log)
		}
		p := mustProxy(t, proxy.url, listen(t, "127.0.0.1", serve))
		for _, upstream := range []struct {
			a      Address
			target string
		}{
			// The name exists for the proxy alone: no lookup happens here.
			{Address{Host: "upstream.test", Port: plainPort}, "upstream.test"},
			{Address{Host: "upstream.test", Port: securePort, TLS: true}, "upstream.test"},
			{Address{Host: "127.0.0.1", Port: securePort, TLS: true}, "127.0.0.1"},
			{Address{Host: "::1", Port: securePort, TLS: true}, "::1"},
			{Address{Host: "2001:db8::1%eth0", Port: plainPort}, "2001:db8::1"},
		} {
			t.Run(proxy.name+" to "+upstream.a.String(), func(t *testing.T) {
				d := New(Options{RootCAs: authority.pool(), Resolver: names{}.resolver(t)})
				c, err := d.DialThrough(t.Context(), p, upstream.a, patience)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				want := asked{net.JoinHostPort(upstream.target, strconv.Itoa(int(upstream.a.Port))), proxy.credential}
				if got := <-log; got != want {
					t.Errorf("the proxy was asked for %q, want %q", got, want)
				}
				wantEcho(t, c)
				for range 3 { // through two layers of TLS as well
					_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
					if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Fatalf("read gives %v, want %v", err, os.ErrDeadlineExceeded)
					}
				}
				wantEcho(t, c)
				if got, want := c.TCP().RemoteAddr().String(), p.Address.String(); got != want {
					t.Errorf("connected to %s, want the proxy at %s", got, want)
				}
			})
		}
	}
}

// saying answers the first bytes with some of its own, and hangs up.
func saying(words string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, words)
	}
}

// socksSaying agrees on a method and answers the request.
func socksSaying(reply string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte{5, 0})
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, reply)
	}
}

func TestProxiesThatDoNotTunnel(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	expired := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(-time.Minute))}}
	const http, https, socks = "http://me:hunter2@127.0.0.1:PORT", "https://me:hunter2@127.0.0.1:PORT", "socks5://me:hunter2@127.0.0.1:PORT"
	secret := base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
	for _, test := range []struct {
		name, proxy string
		serve       func(net.Conn)
		want        Kind
	}{
		{"no credential", http, saying("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\nhunter2 is wrong"), ProxyCredential},
		{"forbidden", http, saying("HTTP/1.1 403 hunter2\r\nX: " + secret + "\r\n\r\n"), ProxyRefused},
		{"no such method", http, saying("HTTP/1.0 405\r\n\r\n"), ProxyRefused},
		{"switching protocols", http, saying("HTTP/1.1 101 X\r\n\r\n"), ProxyRefused},
		{"bad gateway", http, saying("HTTP/1.1 502 Bad Gateway\r\n\r\n"), Failed},
		{"unavailable", http, saying("HTTP/1.1 503 X\r\n\r\n"), Failed},
		{"gateway timeout", http, saying("HTTP/1.1 504 X\r\n\r\n"), Timeout},
		{"over TLS, too", https, encrypted(server, saying("HTTP/1.1 407 X\r\n\r\n")), ProxyCredential},
		{"hangs up", http, func(net.Conn) {}, ProxyFailed},
		{"hangs up in the header", http, saying("HTTP/1.1 200 OK\r\nX: y"), ProxyFailed},
		{"garbage", http, saying("SSH-2.0-hunter2\r\n" + secret), ProxyFailed},
		{"garbage and silence", http, func(c net.Conn) { _, _ = io.WriteString(c, "+OK\r\n"); hold(c) }, ProxyFailed},
		{"a status of letters", http, saying("HTTP/1.1 abc OK\r\n\r\n"), ProxyFailed},
		{"a status of two digits", http, saying("HTTP/1.1 20\r\n\r\n"), ProxyFailed},
		{"a status of four digits", http, saying("HTTP/1.1 2000 OK\r\n\r\n"), ProxyFailed},
		{"no status", http, saying("HTTP/1.1\r\n\r\n"), ProxyFailed},
		{"an endless header", http, saying("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 2*maxProxyHeader)), ProxyFailed},
		{"endless interim answers", http, saying(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxProxyHeader/10)), ProxyFailed},
		{"more than an answer", http, saying("HTTP/1.1 200 OK\r\n\r\nhunter2"), ProxyFailed},
		{"SOCKS5 where HTTP is expected", http, saying("\x05\x00"), ProxyFailed},
		{"a certificate that has expired", https, encrypted(expired, hold), ProxyFailed},
		{"no TLS", https, saying("HTTP/1.1 400 Bad Request\r\n\r\n"), ProxyFailed},

		{"wrong password", socks, socksProxy(t, "hunter3", nil), ProxyCredential},
		{"no common method", socks, saying("\x05\xff"), ProxyCredential},
		{"a method that was not offered", socks, saying("\x05\x01"), ProxyFailed},
		{"HTTP where SOCKS5 is expected", socks, saying("HTTP/1.1 400 Bad Request\r\n\r\n"), ProxyFailed},
		{"SOCKS4 where SOCKS5 is expected", socks, saying("\x00\x5b\x00\x00"), ProxyFailed},
		{"hangs up in SOCKS5", socks, saying(""), ProxyFailed},
		{"hangs up in the reply", socks, socksSaying("\x05\x00\x00"), ProxyFailed},
		{"hangs up in the reply's address", socks, socksSaying("\x05\x00\x00\x03\x09proxy"), ProxyFailed},
		{"a reply of another version", socks, socksSaying("\x04\x00\x00\x01\x00\x00\x00\x00\x00\x00"), ProxyFailed},
		{"a reply with an odd address", socks, socksSaying("\x05\x00\x00\x02\x00\x00\x00\x00\x00\x00"), ProxyFailed},
		{"general failure", socks, socksSaying("\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00"), Failed},
		{"not allowed", socks, socksSaying("\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"), ProxyRefused},
		{"network unreachable", socks, socksSaying("\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"), Failed},
		{"host unreachable", socks, socksSaying("\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"), Failed},
		{"connection refused", socks, socksSaying("\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"), Refused},
		{"time to live expired", socks, socksSaying("\x05\x06\x00\x01\x00\x00\x00\x00\x00\x00"), Timeout},
		{"command not supported", socks, socksSaying("\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"), ProxyRefused},
		{"an unknown code", socks, socksSaying("\x05\x2a\x00\x01\x00\x00\x00\x00\x00\x00"), Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustProxy(t, test.proxy, listen(t, "127.0.0.1", test.serve))
			a := Address{Host: "upstream.test", Port: 443, TLS: true}
			began := time.Now()
			_, err := New(Options{RootCAs: authority.pool()}).DialThrough(t.Context(), p, a, patience)
			wantKind(t, err, a, test.want)
			if e, _ := errors.AsType[*Error](err); e.Proxy != p.Address || !strings.Contains(err.Error(), p.String()) {
				t.Errorf("%q does not name the proxy", err)
			}
			if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, secret) {
				t.Errorf("%q shows the password", text)
			}
			if took := time.Since(began); took > patience/2 {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestProxyMayAnswerInPiecesAndWithInterimAnswers(t *testing.T) {
	p := mustProxy(t, "http://127.0.0.1:PORT", listen(t, "127.0.0.1", func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		for _, b := range []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\nContent-Length: 5\r\n\r\n") {
			_, _ = c.Write([]byte{b})
		}
		echo(c)
	}))
	c, err := New(Options{}).DialThrough(t.Context(), p, Address{Host: "upstream.test", Port: 80}, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	wantEcho(t, c)
}

// However the bytes come, the status is the same; and there is none of odd bytes.
func FuzzReadStatus(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 100 X\r\n\r\nHTTP/1.0 407\r\nA: b\r\n\r\nno", "HTTP/1.", "HTTP/1.1 2\r\n\r\n", "HTTP/1.\r\n\r\n", "\x05\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, err := readStatus(bytes.NewReader(data))
		split, splitErr := readStatus(iotest.OneByteReader(bytes.NewReader(data)))
		if err == nil && (splitErr != nil || split != whole) {
			t.Errorf("%q: %d at once, %d, %v in pieces", data, whole, split, splitErr)
		}
		if err == nil && (whole < 101 || whole > 999 || !bytes.Contains(data, fmt.Appendf(nil, " %d", whole))) {
			t.Errorf("%q: status %d", data, whole)
		}
	})
}

// The proxy vouches for nothing: the upstream proves itself through the tunnel.
func TestUpstreamBehindAProxyIsVerified(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue(time.Now().Add(time.Hour))}}
	a := Address{Host: "upstream.test", Port: listen(t, "127.0.0.1", encrypted(server, echo)), TLS: true}
	p := mustProxy(t, "http://127.0.0.1:PORT", listen(t, "127.0.0.1", httpProxy(t, make(chan asked, 1))))
	_, err := New(Options{}).DialThrough(t.Context(), p, a, patience)
	wantKind(t, err, a, Certificate)
}

func TestProxyThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := uint16(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	a := Address{Host: "upstream.test", Port: 443, TLS: true}
	for _, url := range []string{"http://127.0.0.1:PORT", "https://127.0.0.1:PORT", "socks5://127.0.0.1:PORT", "http://nowhere.test:PORT"} {
		_, err := New(Options{Resolver: names{}.resolver(t)}).DialThrough(t.Context(), mustProxy(t, url, gone), a, patience)
		wantKind(t, err, a, ProxyFailed)
	}
}

// One timeout covers the whole way, and the caller may leave at any point of it.
func TestDialThroughEndsInTime(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	a := Address{Host: "upstream.test", Port: 443, TLS: true}
	tunnelAndHold := func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		hold(c)
	}
	drip := func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
		for _, err := c.Write([]byte("y")); err == nil; _, err = c.Write([]byte("y")) {
			time.Sleep(time.Millisecond)
		}
	}
	for _, test := range []struct {
		name, url string
		serve     func(net.Conn)
	}{
		{"in the proxy's handshake", "https://127.0.0.1:PORT", hold},
		{"in CONNECT", "http://127.0.0.1:PORT", hold},
		{"in CONNECT under TLS", "https://127.0.0.1:PORT", encrypted(server, hold)},
		{"in a header without end", "http://127.0.0.1:PORT", drip},
		{"in the greeting", "socks5://127.0.0.1:PORT", hold},
		{"in the login", "socks5://me:x@127.0.0.1:PORT", func(c net.Conn) { _, _ = c.Write([]byte{5, 2}); hold(c) }},
		{"in the reply", "socks5://127.0.0.1:PORT", func(c net.Conn) { _, _ = c.Write([]byte{5, 0, 5, 0, 0}); hold(c) }},
		{"in the upstream's handshake", "http://127.0.0.1:PORT", tunnelAndHold},
		{"in the upstream's handshake under TLS", "https://127.0.0.1:PORT", encrypted(server, tunnelAndHold)},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustProxy(t, test.url, listen(t, "127.0.0.1", test.serve))
			d := New(Options{RootCAs: authority.pool()})
			began := time.Now()
			_, err := d.DialThrough(t.Context(), p, a, 50*time.Millisecond)
			wantKind(t, err, a, Timeout)

			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			_, err = d.DialThrough(ctx, p, a, patience)
			wantKind(t, err, a, Canceled)
			if took := time.Since(began); took > patience/2 {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestContextHasNoPowerOverATunnel(t *testing.T) {
	a := Address{Host: "upstream.test", Port: listen(t, "127.0.0.1", echo)}
	p := mustProxy(t, "socks5://127.0.0.1:PORT", listen(t, "127.0.0.1", socksProxy(t, "", make(chan asked, 1))))
	ctx, cancel := context.WithCancel(t.Context())
	c, err := New(Options{}).DialThrough(ctx, p, a, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	cancel()
	wantEcho(t, c)
}

func TestAbortEndsATunnel(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	a := Address{Host: "upstream.test", Port: listen(t, "127.0.0.1", encrypted(server, echo)), TLS: true}
	p := mustProxy(t, "https://127.0.0.1:PORT", listen(t, "127.0.0.1", encrypted(server, httpProxy(t, make(chan asked, 2)))))
	for _, polite := range []bool{false, true} {
		c, err := New(Options{RootCAs: authority.pool()}).DialThrough(t.Context(), p, a, patience)
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		if polite {
			_ = c.Close()
		} else {
			c.Abort()
		}
		// Close takes leave of the upstream, whose own leave may come first.
		if err := <-read; !errors.Is(err, net.ErrClosed) && !(polite && err == io.EOF) {
			t.Errorf("polite %v: the pending read ended with %v, want %v", polite, err, net.ErrClosed)
		}
	}
}

// Neither may the proxy stand at such an address, nor may it be asked for one: nothing is sent.
func TestMetadataAddressesAreForbiddenThroughProxies(t *testing.T) {
	p := mustProxy(t, "http://127.0.0.1:PORT", listen(t, "127.0.0.1", func(net.Conn) { t.Error("the proxy was called") }))
	for _, host := range []string{
		"169.254.169.254", "::ffff:169.254.169.254", "fe80::1%lo", "100.100.100.200", "169.254.169.254.", "2852039166",
		"0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe",
	} {
		a := Address{Host: host, Port: 80}
		_, err := New(Options{}).DialThrough(t.Context(), p, a, patience)
		wantKind(t, err, a, Forbidden)
	}
	a := Address{Host: "upstream.test", Port: 443, TLS: true}
	for _, url := range []string{"http://169.254.169.254:PORT", "https://169.254.169.254:PORT", "socks5://rebound.test:PORT"} {
		d := New(Options{Resolver: names{"rebound.test.": {"169.254.169.254"}}.resolver(t)})
		_, err := d.DialThrough(t.Context(), mustProxy(t, url, 80), a, patience)
		wantKind(t, err, a, Forbidden)
	}
}

func TestAllowedMetadataAddressesMayBeAskedOfAProxy(t *testing.T) {
	log := make(chan asked, 1)
	p := mustProxy(t, "http://127.0.0.1:PORT", listen(t, "127.0.0.1", httpProxy(t, log)))
	d := New(Options{})
	d.AllowMetadata(true)
	c, err := d.DialThrough(t.Context(), p, Address{Host: "169.254.169.254", Port: listen(t, "127.0.0.1", echo)}, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	wantEcho(t, c)
}

func TestNamesThatOnlyLookLikeNumbersAreNames(t *testing.T) {
	for host, want := range map[string]bool{
		"api.openai.com": false, "1.example": false, "0x.example": false, "a1": false, "4chan": false, "v2.0beta": false,
		"1": true, "1.2": true, "a.1": true, "0x": true, "a.0xff.": true, "010": true,
	} {
		if got := endsInNumber(host); got != want {
			t.Errorf("endsInNumber(%q) = %v, want %v", host, got, want)
		}
	}
}
