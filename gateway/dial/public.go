package dial

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// errNotPublic marks an address that DialPublic may not reach.
var errNotPublic = errors.New("not an address of the public internet")

// reserved are the addresses that look like those of the internet and are not, or lead to others (IANA's registries of
// special-purpose addresses, RFC 6890). Below 2000::/3 IPv6 has nothing else that is public.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // of carriers (RFC 6598), and of overlay networks
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), // Teredo's tunnels among them
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4: an IPv4 address inside
	netip.MustParsePrefix("3fff::/20"),
}

// global is what IPv6 addresses of the internet are among (RFC 4291, 2.4).
var global = netip.MustParsePrefix("2000::/3")

// isPublic reports whether ip is an address of the internet, in any spelling of an IPv4 address within an IPv6 one.
func isPublic(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || isMetadata(ip) || ip.Is6() && !global.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// DialPublic is Dial for an address that a client of ours names: it connects to addresses of the internet only, whatever
// AllowMetadata says. The address is checked between lookup and connect, as in Dial.
func (d *Dialer) DialPublic(ctx context.Context, a Address, timeout time.Duration) (*Conn, error) {
	return dial(ctx, &d.public, d.publicTLS, a, timeout)
}

// checkPublic returns a Control function that lets through what allowed does.
func checkPublic(allowed func(netip.Addr) bool) func(string, string, syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %w", errNotPublic, err)
		}
		if !allowed(ap.Addr()) {
			return fmt.Errorf("%s is %w", ap.Addr(), errNotPublic)
		}
		return nil
	}
}
