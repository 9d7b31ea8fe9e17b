package dial

import (
	"crypto/tls"
	"net/netip"
	"testing"
	"time"
)

func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.32.0.1": true, "100.128.0.1": true, "2606:4700::1111": true, "2a00:1450::1": true,
		"::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,

		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false, "100.100.100.200": false, "169.254.169.254": false,
		"168.63.129.16": false, "192.0.0.192": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.7": false,
		"203.0.113.9": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::7f00:1": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "fc00::1": false,
		"fec0::1": false, "ff02::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::127.0.0.1": false,
		"64:ff9b::10.0.0.1": false, "64:ff9b:1::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::1": false,
		"2002:a00:1::1": false, "100::1": false, "2606:4700::1111%eth0": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: public %v, want %v", address, got, want)
		}
	}
}

func TestDialPublicRefusesWhatANameLeadsTo(t *testing.T) {
	names := names{"rebound.test.": {"127.0.0.1"}, "inside.test.": {"10.0.0.7"}, "meta.test.": {"169.254.169.254"}, "six.test.": {"::1"}}
	port := listen(t, "127.0.0.1", echo)
	d := New(Options{Resolver: names.resolver(t)})
	d.AllowMetadata(true) // which is about upstreams
	for _, host := range []string{"rebound.test", "inside.test", "meta.test", "six.test", "127.0.0.1", "::1", "0.0.0.0", "localhost"} {
		a := Address{Host: host, Port: port}
		c, err := d.DialPublic(t.Context(), a, patience)
		if err == nil {
			_ = c.Close()
			t.Errorf("%s was dialed", host)
			continue
		}
		wantKind(t, err, a, Forbidden)
	}
	// The same dialer connects where it is told to.
	c, err := d.Dial(t.Context(), Address{Host: "rebound.test", Port: port}, patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestDialPublicVerifiesTheHost(t *testing.T) {
	authority := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.issue(time.Now().Add(time.Hour))}}
	port := listen(t, "127.0.0.1", encrypted(server, echo))
	names := names{"upstream.test.": {"127.0.0.1"}, "other.test.": {"127.0.0.1"}}
	loopback := func(ip netip.Addr) bool { return ip.IsLoopback() }
	d := New(Options{RootCAs: authority.pool(), Resolver: names.resolver(t), Public: loopback})
	c, err := d.DialPublic(t.Context(), Address{Host: "upstream.test", Port: port, TLS: true}, patience)
	if err != nil {
		t.Fatal(err)
	}
	wantEcho(t, c)
	_ = c.Close()
	a := Address{Host: "other.test", Port: port, TLS: true}
	_, err = d.DialPublic(t.Context(), a, patience)
	wantKind(t, err, a, Certificate)
}

func TestParseDownload(t *testing.T) {
	for _, test := range []struct {
		address, host, uri string
	}{
		{"https://example.com/a/b.png", "example.com", "/a/b.png"},
		{"http://example.com", "example.com", "/"},
		{"HTTP://Example.com:8080/dir/?a=b#part", "example.com:8080", "/dir/?a=b"},
		{"https://example.com/a b/ü?q=ü x&y=%20", "example.com", "/a%20b/%C3%BC?q=%C3%BC%20x&y=%20"},
		{"https://example.com//x/../y", "example.com", "//x/../y"},
		{"http://[2001:DB8::1]:81/x", "[2001:db8::1]:81", "/x"},
	} {
		a, uri, err := ParseDownload(test.address)
		if err != nil || a.HostHeader() != test.host || uri != test.uri {
			t.Errorf("%s: got %s, %s, %v; want %s, %s", test.address, a.HostHeader(), uri, err, test.host, test.uri)
		}
	}
	for _, address := range []string{
		"", "file:///etc/passwd", "ftp://example.com/x", "https:example.com", "https:///x", "https://me:secret@example.com/x",
		"https://example.com:0/x", "https://exa mple.com/x", "https://example.com/\r\nx", "https://example.com/?\r\nx",
	} {
		if a, uri, err := ParseDownload(address); err == nil {
			t.Errorf("%q was read as %+v, %s", address, a, uri)
		}
	}
}
