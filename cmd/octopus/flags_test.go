package main

import (
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, args ...string) (*cli, error) {
	t.Helper()
	c := &cli{}
	parser, err := newParser(c, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := forgetEmptyVariables(parser.Model); err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return c, err
}

func TestEveryFlagHasItsVariable(t *testing.T) {
	parser, err := newParser(&cli{}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	flags := make(map[string][]string)
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			flags[command.Name] = append(flags[command.Name], flag.Name)
			want := []string{"OCTOPUS_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))}
			if !reflect.DeepEqual(flag.Envs, want) {
				t.Errorf("%s --%s: variables %v, want %v", command.Name, flag.Name, flag.Envs, want)
			}
		}
	}
	server := []string{"server-host", "server-port", "tls-cert", "tls-key", "admin-host", "admin-port", "admin-hosts", "admin-token", "trusted-proxies",
		"max-body-size", "max-in-flight", "secret-key", "secret-key-file", "drain-delay", "drain-timeout", "logging-level", "logging-format"}
	want := map[string][]string{
		"start":          append(server[:len(server):len(server)], "database-path", "config"),
		"demo":           server,
		"backup":         {"admin-url", "admin-token"},
		"reset-password": {"database-path", "secret-key", "secret-key-file", "admin-password"},
		"healthcheck":    {"server-host", "server-port", "tls-cert"},
	}
	if !reflect.DeepEqual(flags, want) {
		t.Errorf("flags are\n%v\nwant\n%v", flags, want)
	}
}

func TestDefaults(t *testing.T) {
	c, err := parse(t, "start")
	if err != nil {
		t.Fatal(err)
	}
	want := serverFlags{addressFlags: addressFlags{ServerHost: "0.0.0.0"}, AdminHost: "127.0.0.1", MaxBodySize: 32 << 20,
		DrainTimeout: time.Minute, LoggingLevel: "info", LoggingFormat: "text"}
	if !reflect.DeepEqual(c.Start.serverFlags, want) || c.Start.Config != "" || c.Start.DatabasePath != "data/octopus" {
		t.Errorf("got  %+v, config %q\nwant %+v", c.Start.serverFlags, c.Start.Config, want)
	}
	if server, admin := c.Start.ServerPort.or(defaultServerPort), c.Start.AdminPort.or(defaultAdminPort); server != 8080 || admin != 8081 {
		t.Errorf("ports %d and %d, want 8080 and 8081", server, admin)
	}
}

func TestFlagsAndVariables(t *testing.T) {
	for name, value := range map[string]string{
		"OCTOPUS_SERVER_HOST":     "::1",
		"OCTOPUS_SERVER_PORT":     "9000",
		"OCTOPUS_ADMIN_HOST":      "", // as a compose file leaves it: the default
		"OCTOPUS_ADMIN_PORT":      "0",
		"OCTOPUS_TRUSTED_PROXIES": "10.0.0.0/8,192.168.1.7,2001:db8::/32",
		"OCTOPUS_TLS_CERT":        "c.pem",
		"OCTOPUS_TLS_KEY":         "k.pem",
		"OCTOPUS_MAX_BODY_SIZE":   "1MiB",
		"OCTOPUS_DRAIN_DELAY":     "5s",
		"OCTOPUS_DRAIN_TIMEOUT":   "0s",
		"OCTOPUS_LOGGING_LEVEL":   "debug",
		"OCTOPUS_LOGGING_FORMAT":  "json",
		"OCTOPUS_CONFIG":          "octopus.yaml",
		"OCTOPUS_DATABASE_PATH":   "db",
	} {
		t.Setenv(name, value)
	}
	c, err := parse(t, "start", "--server-port=9001", "--logging-level", "warn")
	if err != nil {
		t.Fatal(err)
	}
	flagPort, variablePort := port(9001), port(0)
	want := startCommand{Config: "octopus.yaml", databaseFlags: databaseFlags{DatabasePath: "db"}, serverFlags: serverFlags{
		addressFlags: addressFlags{ServerHost: "::1", ServerPort: &flagPort, TLSCert: "c.pem"},
		TLSKey:       "k.pem",
		AdminHost:    "127.0.0.1",
		AdminPort:    &variablePort,
		TrustedProxies: []prefix{
			{netip.MustParsePrefix("10.0.0.0/8")}, {netip.MustParsePrefix("192.168.1.7/32")}, {netip.MustParsePrefix("2001:db8::/32")},
		},
		MaxBodySize:   1 << 20,
		DrainDelay:    5 * time.Second,
		LoggingLevel:  "warn",
		LoggingFormat: "json",
	}}
	if !reflect.DeepEqual(c.Start, want) {
		t.Errorf("got  %+v\nwant %+v", c.Start, want)
	}
}

func TestBadVariableIsNamed(t *testing.T) {
	// What Kubernetes sets for a service called octopus-server.
	t.Setenv("OCTOPUS_SERVER_PORT", "tcp://10.0.0.1:8080")
	_, err := parse(t, "start")
	if err == nil || !strings.Contains(err.Error(), "OCTOPUS_SERVER_PORT") {
		t.Errorf("error %v, want the name of the variable in it", err)
	}
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"1": 1, "512": 512, "512B": 512, "4KiB": 4096, "32MiB": 32 << 20, "2GiB": 2 << 30,
		"32MB": 32e6, "32 MiB": 32 << 20,
		"": 0, "0": 0, "-1": 0, "32M": 0, "MiB": 0, "1.5MiB": 0, "1iB": 0, "99999999999GiB": 0,
		"9223372036854775808": 0, "32MiBKiB": 0,
	} {
		var got byteSize
		err := got.UnmarshalText([]byte(text))
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestPrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.2.3/8": "10.0.0.0/8", "127.0.0.1": "127.0.0.1/32", "::1": "::1/128", " fd00::/8": "fd00::/8",
		"": "", "10.0.0.0/33": "", "example.org": "", "fe80::1%eth0": "", "*": "",
	} {
		var got prefix
		err := got.UnmarshalText([]byte(text))
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for host, want := range map[string]string{"127.0.0.1": "127.0.0.1:80", "::": "[::]:80", "[::1]": "[::1]:80", "box": "box:80"} {
		if got := port(80).address(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}
