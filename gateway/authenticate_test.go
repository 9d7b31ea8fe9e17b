package gateway

import (
	"net"
	"net/netip"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestCredentialOf(t *testing.T) {
	type headers [][2]string
	cases := []struct {
		name    string
		headers headers
		want    string
		refused bool
	}{
		{"none", nil, "", false},
		{"bearer", headers{{"Authorization", "Bearer k"}}, "k", false},
		{"scheme in any case", headers{{"authorization", "bEARER  k "}}, "k", false},
		{"x-api-key", headers{{"x-api-key", "k"}}, "k", false},
		{"another scheme is no key", headers{{"Authorization", "Basic azpr"}}, "", false},
		{"both, the same", headers{{"Authorization", "Bearer k"}, {"x-api-key", "k"}}, "k", false},
		{"both, different", headers{{"Authorization", "Bearer k"}, {"x-api-key", "l"}}, "", true},
		{"one twice, different", headers{{"x-api-key", "k"}, {"x-api-key", "l"}}, "", true},
		{"one twice, the same", headers{{"Authorization", "Bearer k"}, {"Authorization", "Bearer k"}}, "k", false},
		{"bearer and an empty x-api-key", headers{{"Authorization", "Bearer k"}, {"x-api-key", ""}}, "k", false},
		{"an empty x-api-key and bearer", headers{{"x-api-key", ""}, {"Authorization", "Bearer k"}}, "k", false},
		{"empty", headers{{"x-api-key", ""}}, "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var h fasthttp.RequestHeader
			for _, line := range c.headers {
				h.Add(line[0], line[1])
			}
			got, err := credentialOf(&h)
			if (err != nil) != c.refused || string(got) != c.want {
				t.Errorf("got %q, %v; want %q, refused %v", got, err, c.want, c.refused)
			}
		})
	}
}

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	cases := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.1", nil, "192.0.2.1"},
		{"an untrusted peer is not believed", "192.0.2.1", []string{"198.51.100.7"}, "192.0.2.1"},
		{"a trusted one is", "10.1.2.3", []string{"198.51.100.7"}, "198.51.100.7"},
		{"the rightmost untrusted counts", "10.1.2.3", []string{"203.0.113.9, 198.51.100.7, 10.9.9.9"}, "198.51.100.7"},
		{"several headers are one list", "10.1.2.3", []string{"203.0.113.9", "198.51.100.7", "10.9.9.9"}, "198.51.100.7"},
		{"all trusted: the leftmost", "127.0.0.1", []string{"10.2.2.2, 10.3.3.3"}, "10.2.2.2"},
		{"nonsense ends the list", "10.1.2.3", []string{"198.51.100.7, nonsense, 10.4.4.4"}, "10.4.4.4"},
		{"no header", "10.1.2.3", nil, "10.1.2.3"},
		{"with a port", "10.1.2.3", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"IPv6", "10.1.2.3", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"IPv4 in IPv6", "::ffff:10.1.2.3", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := &Gateway{options: Options{TrustedProxies: trusted}}
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(c.peer), Port: 1}, nil)
			for _, f := range c.forwarded {
				ctx.Request.Header.Add("X-Forwarded-For", f)
			}
			if got := g.clientAddress(&ctx); got.String() != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
