package e2e

import "testing"

func TestAllowedAddressesBehindTrustedProxies(t *testing.T) {
	const key = "sk-octopus-office-0123456789"
	more := map[string]string{
		"api_keys": "  - {name: office, key: " + key +
			`, groups: ["*"], allowed_ips: ["203.0.113.0/24", "2001:db8::/32"]}` + "\n",
	}
	trusting := startGateway(t, more, "--trusted-proxies=127.0.0.0/8,10.0.0.0/8")
	trustingNobody := startGateway(t, more)
	for _, test := range []struct {
		name, forwarded string
		allowed         bool
	}{
		{"no proxy", "", false},
		{"a client in the office", "203.0.113.7", true},
		{"a client elsewhere", "198.51.100.7", false},
		{"behind two proxies of ours", "203.0.113.7, 10.0.0.2", true},
		{"a made-up address before its own", "203.0.113.7, 198.51.100.7", false},
		{"its own behind a made-up one", "198.51.100.7, 203.0.113.7", true},
		{"IPv6", "2001:db8::7", true},
		{"IPv6 with a port", "[2001:db8::7]:4711", true},
		{"IPv4 in IPv6", "::ffff:203.0.113.7", true},
		{"with a port", "203.0.113.7:4711", true},
		{"nonsense", "203.0.113.7, nonsense", false},
		{"only proxies of ours", "10.0.0.3, 10.0.0.2", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			headers := []string{"Authorization: Bearer " + key}
			if test.forwarded != "" {
				headers = append(headers, "X-Forwarded-For: "+test.forwarded)
			}
			for i := range protocols {
				p := &protocols[i]
				got := trusting.post(t.Context(), p, p.body("octo-1", false), headers...)
				if test.allowed && got.status != 200 {
					t.Errorf("%s: %v, want 200", p.name, got)
				}
				if !test.allowed {
					if err := p.checkError(got, 403); err != nil {
						t.Errorf("%s: %v: %v", p.name, err, got)
					}
				}
				if err := p.checkError(trustingNobody.post(t.Context(), p, p.body("octo-1", false), headers...), 403); err != nil {
					t.Errorf("%s, without trusted proxies: %v", p.name, err)
				}
			}
		})
	}
}
