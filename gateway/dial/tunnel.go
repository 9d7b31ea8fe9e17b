package dial

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// maxProxyHeader is the largest answer to a CONNECT, in bytes, interim ones included.
const maxProxyHeader = 16 << 10

// refusal is a proxy's answer that it has no connection for us. It never holds what the proxy wrote: some repeat the
// credential in their error pages.
type refusal struct {
	kind Kind
	text string
}

// Error returns what happened in our words.
func (r *refusal) Error() string { return r.text }

// tunnel asks the proxy at the other end of c for a connection to a. When ctx ends, so does the wait. On an error c can't
// be used any more; its Kind is that of a *refusal, else ProxyFailed at most.
func (p Proxy) tunnel(ctx context.Context, c net.Conn, a Address) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	ask := httpTunnel
	if p.socks5 {
		ask = socksTunnel
	}
	err := ask(c, p, a)
	if !stop() {
		return context.Cause(ctx) // the deadline stays on c, whatever came
	}
	return err
}

// httpTunnel asks an HTTP proxy (RFC 9110, section 9.3.6), for plain http upstreams as well: only the upstream sees what is
// meant for it, its credential included.
func httpTunnel(c net.Conn, p Proxy, a Address) error {
	target := net.JoinHostPort(withoutZone(a.Host), strconv.Itoa(int(a.Port)))
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if user, password, ok := p.login(); ok {
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(c, request+"\r\n"); err != nil {
		return err
	}
	status, err := readStatus(c)
	switch {
	case err != nil:
		return err
	case status/100 == 2:
		return nil
	case status == 407:
		return &refusal{ProxyCredential, "status 407"}
	case status == 504:
		return &refusal{Timeout, "the proxy says status 504"}
	case status == 502 || status == 503:
		return &refusal{Failed, "the proxy says status " + strconv.Itoa(status)}
	}
	return &refusal{ProxyRefused, "status " + strconv.Itoa(status)}
}

// readStatus reads the answer to a CONNECT and returns its status. Headers say nothing that we need, and there is no body
// that we could want: the bytes that follow a success are the upstream's.
func readStatus(r io.Reader) (int, error) {
	buf := make([]byte, maxProxyHeader)
	for n, start := 0, 0; ; {
		head := buf[start:n]
		if known := min(len(head), len("HTTP/1.")); string(head[:known]) != "HTTP/1."[:known] {
			return 0, errors.New("it does not speak HTTP/1")
		}
		if end := bytes.Index(head, []byte("\r\n\r\n")); end >= 0 {
			status, err := strconv.ParseUint(string(head[min(9, end):min(12, end)]), 10, 16)
			if err != nil || status < 100 || head[8] != ' ' || head[12] != ' ' && head[12] != '\r' {
				return 0, errors.New("its answer has no status")
			}
			start += end + len("\r\n\r\n")
			if status < 200 && status != 101 {
				continue // interim
			}
			if status/100 == 2 && start < n {
				return 0, errors.New("it sent more than an answer")
			}
			return int(status), nil
		}
		if n == len(buf) {
			return 0, fmt.Errorf("its answer is longer than %d bytes", maxProxyHeader)
		}
		m, err := r.Read(buf[n:])
		if n += m; m == 0 && err != nil {
			return 0, hungUp(err)
		}
	}
}

// hungUp says what an unexpected end means.
func hungUp(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("it hung up")
	}
	return err
}

// SOCKS5 (RFC 1928, RFC 1929).
const (
	socksVersion    = 5
	socksNoLogin    = 0
	socksLogin      = 2
	socksNoMethod   = 0xff
	socksLoginStep  = 1
	socksConnect    = 1
	socksIPv4       = 1
	socksName       = 3
	socksIPv6       = 4
	maxSOCKSText    = 255
	socksReplyStart = 4 // bytes of a reply before its address
)

// socksTunnel asks a SOCKS5 proxy. Names are resolved there, as curl's socks5h has it: where a proxy is needed, names often
// can't be resolved here, and which providers are asked is nothing for the local name server.
func socksTunnel(c net.Conn, p Proxy, a Address) error {
	user, password, hasLogin := p.login()
	greeting := []byte{socksVersion, 1, socksNoLogin}
	if hasLogin {
		greeting = []byte{socksVersion, 2, socksNoLogin, socksLogin}
	}
	method, err := exchange(c, greeting, 2)
	switch {
	case err != nil:
		return err
	case method[0] != socksVersion:
		return errors.New("it does not speak SOCKS5")
	case method[1] == socksLogin && hasLogin:
		step := append([]byte{socksLoginStep, byte(len(user))}, user...)
		step = append(append(step, byte(len(password))), password...)
		answer, err := exchange(c, step, 2)
		if err != nil {
			return err
		}
		if answer[1] != 0 {
			return &refusal{ProxyCredential, "user name or password is wrong"}
		}
	case method[1] == socksNoMethod:
		return &refusal{ProxyCredential, "it takes none of the ways to log in that we have"}
	case method[1] != socksNoLogin:
		return errors.New("it chose a way to log in that was not offered")
	}
	request, err := appendSOCKSAddress([]byte{socksVersion, socksConnect, 0}, a)
	if err != nil {
		return err
	}
	reply, err := exchange(c, request, socksReplyStart)
	if err != nil {
		return err
	}
	if reply[0] != socksVersion {
		return errors.New("it does not speak SOCKS5")
	}
	if reply[1] != 0 {
		return socksRefusal(reply[1])
	}
	return skipSOCKSAddress(c, reply[3])
}

// exchange writes a message and reads an answer of n bytes.
func exchange(c net.Conn, message []byte, n int) ([]byte, error) {
	if _, err := c.Write(message); err != nil {
		return nil, err
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(c, answer); err != nil {
		return nil, hungUp(err)
	}
	return answer, nil
}

// appendSOCKSAddress appends address type, address and port.
func appendSOCKSAddress(dst []byte, a Address) ([]byte, error) {
	if ip, err := netip.ParseAddr(a.Host); err == nil {
		if ip = ip.Unmap(); ip.Is4() {
			dst = append(dst, socksIPv4)
		} else {
			dst = append(dst, socksIPv6)
		}
		dst = append(dst, ip.AsSlice()...)
	} else {
		if len(a.Host) > maxSOCKSText {
			return nil, &refusal{NotFound, "the host's name is too long for SOCKS5"}
		}
		dst = append(append(dst, socksName, byte(len(a.Host))), a.Host...)
	}
	return append(dst, byte(a.Port>>8), byte(a.Port)), nil
}

// skipSOCKSAddress reads the rest of a reply: the address that the proxy uses, which nobody needs, and nothing behind it.
func skipSOCKSAddress(c net.Conn, kind byte) error {
	var size int64
	switch kind {
	case socksIPv4:
		size = 4
	case socksIPv6:
		size = 16
	case socksName:
		var length [1]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return hungUp(err)
		}
		size = int64(length[0])
	default:
		return errors.New("its reply has an address of no known type")
	}
	_, err := io.CopyN(io.Discard, c, size+2)
	return hungUp(err)
}

// socksRefusal explains a reply (RFC 1928, section 6).
func socksRefusal(code byte) error {
	switch code {
	case 2:
		return &refusal{ProxyRefused, "its rules forbid the connection"}
	case 3:
		return &refusal{Failed, "the proxy finds the network unreachable"}
	case 4:
		return &refusal{Failed, "the proxy finds the host unreachable"}
	case 5:
		return &refusal{Refused, "as the proxy was told"}
	case 6:
		return &refusal{Timeout, "the proxy says that the time to live ran out"}
	case 7, 8:
		return &refusal{ProxyRefused, "it does not support the request"}
	}
	return &refusal{Failed, "the proxy failed with code " + strconv.Itoa(int(code))}
}

// checkTarget returns an error that is errForbidden when host, which a proxy will resolve, is an address that must not be
// reached. Where a name leads is up to the proxy, but not what is no name: "2852039166" and "0xa9.254.43518" are spellings
// of 169.254.169.254 to many resolvers.
func checkTarget(host string) error {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && isMetadata(ip):
		return fmt.Errorf("%s is %w", ip, errForbidden)
	case err != nil && endsInNumber(host):
		return fmt.Errorf("%s may be %w", host, errForbidden)
	}
	return nil
}

// endsInNumber reports whether resolvers may take host for an IPv4 address
// (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// proxiedConn is a connection through TLS to a proxy. Closing it tells the proxy nothing: it may not be reading.
type proxiedConn struct {
	*tls.Conn
	tcp *net.TCPConn
}

// Close closes the connection below at once.
func (c proxiedConn) Close() error { return c.tcp.Close() }
