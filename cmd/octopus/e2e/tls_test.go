package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

// writeCertificate writes net/http's own test certificate, which names 127.0.0.1, and returns the flags for it and a pool
// that trusts it.
func writeCertificate(t *testing.T) (flags []string, pool *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pair := s.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		"key":  {Type: "PRIVATE KEY", Bytes: private},
	} {
		path := filepath.Join(dir, name+".pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--tls-"+name+"="+path)
	}
	pool = x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return flags, pool
}

func TestDataPortSpeaksTLS(t *testing.T) {
	flags, pool := writeCertificate(t)
	g := startGateway(t, nil, flags...)
	secure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	post := func(p *protocol, body string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+g.data+p.path, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+apiKey)
		return secure.Do(request)
	}
	for i := range protocols {
		p := &protocols[i]
		for _, stream := range []bool{false, true} {
			got := read(post(p, p.body("octo-1", stream)))
			if lacks := p.lacks(got.body, stream); got.status != 200 || lacks != "" {
				t.Errorf("%s, stream %t: %v, want 200 and %q", p.name, stream, got, lacks)
			}
		}
	}

	t.Run("a client that leaves", func(t *testing.T) {
		const model = "leaves!tokens=100000,every=20ms"
		response, err := post(&protocols[0], protocols[0].body("north/"+model, true))
		if err != nil {
			t.Fatal(err)
		}
		left := time.Now()
		response.Body.Close()
		checkLeft(t, g.north, "over TLS", model, left)
	})

	t.Run("plain HTTP is refused", func(t *testing.T) {
		before := g.north.Counts().Requests
		if got := g.post(t.Context(), &protocols[0], protocols[0].body("north/m", false)); got.status == 200 {
			t.Errorf("%v, want no answer", got)
		}
		if after := g.north.Counts().Requests; after != before {
			t.Errorf("the provider got %d requests", after-before)
		}
	})
}

func TestCertificatesOfProvidersAreVerified(t *testing.T) {
	start := func(o gatewaytest.Options) *gatewaytest.Provider {
		o.TLS = true
		p, err := gatewaytest.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return p
	}
	good, unknown := start(gatewaytest.Options{}), start(gatewaytest.Options{})
	expired := start(gatewaytest.Options{ExpiredCertificate: true})
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	if err := os.WriteFile(trusted, append(good.CertificatePEM(), expired.CertificatePEM()...), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted)
	g := startGateway(t, map[string]string{
		"channels": channel("good", good) + channel("unknown", unknown) + channel("expired", expired),
	})
	for i := range protocols {
		p := &protocols[i]
		for _, stream := range []bool{false, true} {
			got := g.post(t.Context(), p, p.body("good/m", stream))
			if lacks := p.lacks(got.body, stream); got.status != 200 || lacks != "" {
				t.Errorf("%s, stream %t: %v, want 200 and %q", p.name, stream, got, lacks)
			}
			for _, bad := range []string{"unknown", "expired"} {
				got := g.post(t.Context(), p, p.body(bad+"/m", stream))
				if err := p.checkError(got, 502); err != nil {
					t.Errorf("%s, stream %t, %s certificate: %v: %v", p.name, stream, bad, err, got)
				}
			}
		}
	}
	for _, p := range []*gatewaytest.Provider{unknown, expired} {
		if got := p.Counts().Requests; got != 0 {
			t.Errorf("a provider that can't be trusted got %d requests", got)
		}
	}
}
