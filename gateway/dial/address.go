package dial

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is where a connection goes. It is comparable. The zero value leads nowhere; ParseURL makes valid ones.
type Address struct {
	// Host is a name in lower-case ASCII, or an IP address without brackets, an IPv6 one possibly with a zone.
	Host string
	// Port is never 0.
	Port uint16
	// TLS says whether the connection is encrypted, that is, whether the scheme is https.
	TLS bool
}

// String returns host:port, an IPv6 host in brackets. It is for operators, not for clients.
func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port))) }

// HostHeader returns the value of the Host header for requests to a: without the port when it is the scheme's own (RFC
// 9110, 7.2), and without the zone of an IPv6 address, which means something on this machine only (RFC 6874).
func (a Address) HostHeader() string {
	host := withoutZone(a.Host)
	if a.Port != defaultPort(a.TLS) {
		return net.JoinHostPort(host, strconv.Itoa(int(a.Port)))
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func withoutZone(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.WithZone("").String()
	}
	return host
}

func defaultPort(tls bool) uint16 {
	if tls {
		return 443
	}
	return 80
}
