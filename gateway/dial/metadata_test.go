package dial

import (
	"errors"
	"testing"
)

func TestMetadataAddressesAreForbiddenInEverySpelling(t *testing.T) {
	for _, test := range []struct {
		what      string
		forbidden bool
		addresses []string
	}{
		{"link-local", true, []string{"169.254.169.254:80", "169.254.170.2:80", "169.254.0.0:443", "169.254.255.255:1"}},
		{"link-local IPv6", true, []string{"[fe80::1]:80", "[fe80::a9fe:a9fe%eth0]:80", "[febf:ffff::1]:80"}},
		{"IPv4 within IPv6", true, []string{
			"[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "[::ffff:100.100.100.200]:80",
		}},
		{"clouds outside link-local", true, []string{
			"[fd00:ec2::254]:80", "[fd00:ec2::23]:80", "[fd20:ce::254]:80", "[fd00:c1::a9fe:a9fe]:80", "192.0.0.192:80",
			"100.100.100.200:80", "[fd00:100::100:200]:80", "168.63.129.16:80", "[fd00:42::42]:80", "[fd00:a9fe:a9fe::1]:80",
		}},
		{"what can't be read", true, []string{"", "localhost:80", "127.0.0.1"}},
		{"loopback and private", false, []string{
			"127.0.0.1:80", "[::1]:80", "10.0.0.1:80", "172.16.0.1:80", "192.168.1.1:11434", "100.64.0.1:80", "[fd12:3456::1]:80",
		}},
		{"neighbours", false, []string{
			"169.253.255.255:80", "169.255.0.0:80", "[fec0::1]:80", "100.100.100.201:80", "168.63.129.17:80", "[fd20:ce::255]:80",
		}},
		{"public", false, []string{"1.1.1.1:443", "[2606:4700::1111]:443", "[64:ff9b::101:101]:443"}},
	} {
		for _, address := range test.addresses {
			if err := checkAddress(address); errors.Is(err, errForbidden) != test.forbidden {
				t.Errorf("%s: checkAddress(%q) = %v, want forbidden: %v", test.what, address, err, test.forbidden)
			}
		}
	}
}
