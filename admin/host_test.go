package admin

import "testing"

func TestOwnHost(t *testing.T) {
	for host, want := range map[string]bool{
		"":                     true, // HTTP/1.0 probes
		"localhost":            true,
		"LOCALHOST:8081":       true,
		"127.0.0.1":            true,
		"127.0.0.1:8081":       true,
		"192.168.1.5:8081":     true,
		"[::1]":                true,
		"[::1]:8081":           true,
		"::1":                  true,
		"[fe80::1%eth0]:8081":  true,
		"octopus.example":      false,
		"localhost.evil.test":  false,
		"127.0.0.1.evil.test":  false,
		"evil.test:8081":       false,
		"localhost:80:80":      false,
		":8081":                false,
		"127.1":                false, // an address to some resolvers, a name to others
		"0x7f000001":           false,
		"localhost@evil.test":  false,
		"evil.test#127.0.0.1":  false,
		"[localhost.evil]:80":  false,
		"localhost\x00.evil":   false,
		"127.0.0.1:80@evil.cc": false,
	} {
		if got := ownHost(host, nil); got != want {
			t.Errorf("ownHost(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestFurtherHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"octopus.example": true, "OCTOPUS.example:443": true, "localhost": true, "10.0.0.1": true,
		"": true, "x.octopus.example": false, "octopus.example.evil.test": false, "octopus.example:a": false,
	} {
		if got := ownHost(host, []string{"other.example", "octopus.example"}); got != want {
			t.Errorf("ownHost(%q) = %v, want %v", host, got, want)
		}
	}
	p := open(t, Options{Hosts: []string{"octopus.example"}})
	if response, body := p.send(t, "GET /healthz HTTP/1.1\r\nHost: octopus.example\r\nConnection: close\r\n\r\n"); response.StatusCode != 200 {
		t.Errorf("%d %s, want 200", response.StatusCode, body)
	}
}

func TestForeignHostIsRefusedOnEveryPath(t *testing.T) {
	p := open(t, Options{})
	for name, head := range map[string]string{
		"metrics":                  "GET /metrics HTTP/1.1\r\nHost: rebind.test\r\n",
		"health":                   "GET /healthz HTTP/1.1\r\nHost: rebind.test:8081\r\n",
		"unknown path":             "GET /nothing HTTP/1.1\r\nHost: rebind.test\r\n",
		"absolute URI, good Host":  "GET http://rebind.test/metrics HTTP/1.1\r\nHost: localhost\r\n",
		"absolute URI, bad Host":   "GET http://localhost/metrics HTTP/1.1\r\nHost: rebind.test\r\n",
		"scheme-relative, bad URI": "GET http://localhost@rebind.test/metrics HTTP/1.1\r\nHost: rebind.test\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			response, body := p.send(t, head+"Connection: close\r\n\r\n")
			checkError(t, response, body, 403, "host_refused")
		})
	}
	t.Run("no Host in HTTP/1.0", func(t *testing.T) {
		if response, body := p.send(t, "GET /healthz HTTP/1.0\r\n\r\n"); response.StatusCode != 200 {
			t.Errorf("%d %s, want 200", response.StatusCode, body)
		}
	})
}
