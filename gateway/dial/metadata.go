package dial

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// errForbidden marks an address that may not be reached.
var errForbidden = errors.New("a link-local or metadata address, which the setting allow_metadata_addresses forbids")

// metadataPrefixes are the addresses where clouds give machine credentials to whoever asks from inside, that is, to
// anybody who can make Octopus send a request there.
var metadataPrefixes = []netip.Prefix{
	// Link-local: AWS, Google, Azure, OpenStack, Hetzner and most others at 169.254.169.254, AWS containers at
	// 169.254.170.2 and .23, Tencent at 169.254.0.23, Scaleway at 169.254.42.42; OpenStack at fe80::a9fe:a9fe.
	netip.MustParsePrefix("169.254.0.0/16"), // RFC 3927
	netip.MustParsePrefix("fe80::/10"),      // RFC 4291, 2.5.6

	// AWS, fd00:ec2::254 for instances and ::23 for EKS pods (EC2 user guide, "Instance metadata"; EKS user guide, "Pod
	// Identity").
	netip.MustParsePrefix("fd00:ec2::/32"),
	// Google Cloud, instances with IPv6 only (Compute Engine, "Access VM metadata").
	netip.MustParsePrefix("fd20:ce::254/128"),
	// Oracle Cloud (oci-python-sdk, instance_principals_security_token_signer.py) and its classic one.
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"),
	netip.MustParsePrefix("192.0.0.192/32"),
	// Alibaba Cloud (ECS user guide, "Instance metadata").
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("fd00:100::100:200/128"),
	// Azure's wire server, which serves a machine's certificates (Azure, "What is IP address 168.63.129.16?").
	netip.MustParsePrefix("168.63.129.16/32"),
	// Scaleway (cloud-init, data source Scaleway).
	netip.MustParsePrefix("fd00:42::42/128"),
	// Akamai, formerly Linode (Akamai TechDocs, "Metadata service API").
	netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),
}

// nat64 is the prefix below which IPv6 networks reach IPv4 ones: the last 32 bits are an IPv4 address (RFC 6052, 2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// isMetadata reports whether ip belongs to metadataPrefixes, in any spelling of an IPv4 address within an IPv6 one.
func isMetadata(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("") // a prefix contains no address with a zone
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	return slices.ContainsFunc(metadataPrefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// checkAddress returns an error that is errForbidden when address, an IP address with port, is isMetadata. What can't
// be read is forbidden, too.
func checkAddress(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	if isMetadata(ap.Addr()) {
		return fmt.Errorf("%s is %w", ap.Addr(), errForbidden)
	}
	return nil
}
