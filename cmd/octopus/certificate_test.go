package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// writePair makes a self-signed certificate for 127.0.0.1 with that serial number and writes it and its key.
func writePair(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(serial),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile:  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// offered returns the serial number of the certificate that a server shows.
func offered(t *testing.T, address string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestCertificateIsReloadedOnSIGHUP(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, certFile, keyFile, 1)
	p := start(t, nil, "start", "--tls-cert="+certFile, "--tls-key="+keyFile)
	if got := offered(t, p.data); got != 1 {
		t.Errorf("at start: certificate %d, want 1", got)
	}
	if got := runToEnd(t, nil, "healthcheck", "--server-port="+portOf(t, p.data), "--tls-cert="+certFile); got != (result{0, "ready\n", ""}) {
		t.Errorf("healthcheck over TLS: %+v, want ready and exit code 0", got)
	}

	writePair(t, certFile, keyFile, 2)
	p.signal(syscall.SIGHUP)
	p.waitLog("TLS certificate loaded", "")
	if got := offered(t, p.data); got != 2 {
		t.Errorf("after SIGHUP: certificate %d, want 2", got)
	}

	// A key that belongs to another certificate: the old pair stays.
	writePair(t, certFile, filepath.Join(dir, "other.pem"), 3)
	p.signal(syscall.SIGHUP)
	p.waitLog("the old TLS certificate stays", "")
	if got := offered(t, p.data); got != 2 {
		t.Errorf("after SIGHUP with a bad pair: certificate %d, want 2", got)
	}

	p.signal(syscall.SIGTERM)
	if got := p.exitCode(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}
