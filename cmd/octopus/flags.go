package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"octopus/admin"
	"octopus/gateway/config"
)

// Ports that are used when none is given.
const (
	defaultServerPort = 8080
	defaultAdminPort  = 8081
)

// addressFlags say where the data port is, for those who open it and those who call it.
type addressFlags struct {
	ServerHost string `default:"0.0.0.0" placeholder:"HOST" help:"Address of the data port (default ${default})."`
	ServerPort *port  `placeholder:"PORT" help:"Data port; 0 picks a free one (default 8080)."`
	TLSCert    string `name:"tls-cert" placeholder:"FILE" help:"TLS certificate of the data port (PEM), reloaded on SIGHUP."`
}

// serverFlags are what every command takes that opens the ports.
type serverFlags struct {
	addressFlags
	TLSKey         string   `name:"tls-key" placeholder:"FILE" help:"Private key of the TLS certificate (PEM)."`
	AdminHost      string   `default:"127.0.0.1" placeholder:"HOST" help:"Address of the admin port (default ${default})."`
	AdminPort      *port    `placeholder:"PORT" help:"Admin port; 0 picks a free one (default 8081)."`
	AdminHosts     []string `placeholder:"NAME" help:"Names under which the admin port may be called, besides localhost and addresses."`
	AdminToken     string   `placeholder:"TOKEN" help:"Bearer token of the admin API, at least 16 characters; none closes it."`
	TrustedProxies []prefix `placeholder:"CIDR" help:"Proxies whose X-Forwarded-For is believed."`
	MaxBodySize    byteSize `default:"32MiB" placeholder:"SIZE" help:"Largest request body (default ${default})."`
	MaxInFlight    int      `placeholder:"N" help:"Requests at once; others wait up to 1 s, then get 503 (default: one per 512 KiB of memory, as cgroup, GOMEMLIMIT or machine limit it)."`
	secretKeyFlags
	DrainDelay    time.Duration `default:"0s" placeholder:"TIME" help:"On SIGTERM, serve on for so long while not ready (default ${default})."`
	DrainTimeout  time.Duration `default:"60s" placeholder:"TIME" help:"Then wait so long for running requests (default ${default})."`
	LoggingLevel  string        `default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"${enum} (default ${default})."`
	LoggingFormat string        `default:"text" enum:"text,json" placeholder:"FORMAT" help:"${enum} (default ${default})."`
}

// databaseFlags say where the database is.
type databaseFlags struct {
	DatabasePath string `default:"data/octopus" placeholder:"DIR" help:"Database, a directory that is made when missing (default ${default})."`
}

// secretKeyFlags say what the secret key is.
type secretKeyFlags struct {
	SecretKey     string `placeholder:"BASE64" help:"32 bytes that seal what is secret in the database and sign what clients carry."`
	SecretKeyFile string `placeholder:"FILE" help:"File with the secret key, made when missing (default: beside the database)."`
}

// file returns the file of the secret key, which stands beside the database unless flags say otherwise.
func (f *secretKeyFlags) file(d *databaseFlags) string {
	if f.SecretKeyFile != "" {
		return f.SecretKeyFile
	}
	return filepath.Clean(d.DatabasePath) + ".key"
}

// Validate reports what no flag can know alone. Kong calls it after parsing.
func (f *serverFlags) Validate() error {
	switch {
	case f.ServerHost == "":
		return errors.New("--server-host: expected an address or a name; 0.0.0.0 and :: mean every interface")
	case f.AdminHost == "":
		return errors.New("--admin-host: expected an address or a name; 0.0.0.0 and :: mean every interface")
	case f.AdminToken != "" && utf8.RuneCountInString(f.AdminToken) < admin.MinToken:
		return fmt.Errorf("--admin-token: expected at least %d characters", admin.MinToken)
	case slices.ContainsFunc(f.AdminHosts, func(name string) bool { return name == "" || strings.ContainsAny(name, ":/ ") }):
		return errors.New("--admin-hosts: expected names of hosts such as octopus.example, without scheme and port")
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key: one is given without the other")
	case f.MaxInFlight < 0:
		return fmt.Errorf("--max-in-flight: expected a positive number but got %d", f.MaxInFlight)
	case f.DrainDelay < 0:
		return fmt.Errorf("--drain-delay: expected no negative time but got %v", f.DrainDelay)
	case f.DrainTimeout < 0:
		return fmt.Errorf("--drain-timeout: expected no negative time but got %v", f.DrainTimeout)
	}
	return nil
}

// port is a TCP port. A nil *port is one that was not given.
type port uint16

// UnmarshalText reads a decimal number from 0 to 65535.
func (p *port) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil {
		return fmt.Errorf("expected a port from 0 to 65535 but got %q", text)
	}
	*p = port(n)
	return nil
}

// or returns the port that was given, else fallback.
func (p *port) or(fallback port) port {
	if p == nil {
		return fallback
	}
	return *p
}

// address returns host and port in the form that net.Listen and net.Dial take.
func (p port) address(host string) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(int(p)))
}

// prefix is a range of addresses.
type prefix struct{ netip.Prefix }

// UnmarshalText reads a CIDR, or an address as the range that holds it alone.
func (p *prefix) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if address, err := netip.ParseAddr(s); err == nil && address.Zone() == "" {
		p.Prefix = netip.PrefixFrom(address, address.BitLen())
		return nil
	}
	cidr, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("expected a CIDR such as 10.0.0.0/8 but got %q", text)
	}
	p.Prefix = cidr.Masked()
	return nil
}

// byteSize is a number of bytes, at least 1.
type byteSize int

// UnmarshalText reads a size as the declarative file has them.
func (b *byteSize) UnmarshalText(text []byte) error {
	size, problem := config.ParseByteSize(string(text))
	if problem != "" || size < 1 || size > math.MaxInt {
		return fmt.Errorf("expected a size such as 32MiB but got %q", text)
	}
	*b = byteSize(size)
	return nil
}
