package main

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
)

// demoKey is the API key of every demo, so that lines pasted once work again after a restart. It opens nothing but the
// scripted provider.
const demoKey = "sk-octopus-demo-5eafood5eafood5eafood"

// demoFile is the configuration, with ${PROVIDER} and ${KEY} left open.
//
//go:embed demo.yaml
var demoFile []byte

// demoText is what is printed: valid input of a shell, with {gateway}, {admin}, {key} and {curl} left open.
//
//go:embed demo.txt
var demoText string

// demoCommand runs a server in front of a scripted provider in the same process. It needs no file and no network.
type demoCommand struct {
	serverFlags
}

// Run prints curl lines to stdout and serves until SIGTERM or SIGINT.
func (c *demoCommand) Run(stdout io.Writer) error {
	database, err := os.MkdirTemp("", "octopus-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(database)
	s, err := openServer(&c.serverFlags, database, c.secretKey, listenOrFree)
	if err != nil {
		return err
	}
	defer s.close()
	provider, err := gatewaytest.Start(gatewaytest.Options{})
	if err != nil {
		return fmt.Errorf("scripted provider: %w", err)
	}
	defer provider.Close()
	file, err := demoConfig(provider.URL())
	if err != nil {
		return err
	}
	if _, _, err := s.configuration.change(file.Apply); err != nil {
		return located("demo.yaml", err)
	}
	return s.run(nil, func() {
		// A reader that went away is no reason to stop serving.
		_, _ = io.WriteString(stdout, demoLines(
			callable(c.ServerHost, s.data.Addr()), callable(c.AdminHost, s.control.Addr()), s.certificate != nil))
	})
}

// secretKey returns the key that was given, else a new one: the database lives as long as the process.
func (c *demoCommand) secretKey() ([]byte, error) {
	if c.SecretKey == "" && c.SecretKeyFile == "" {
		return newSecretKey(), nil
	}
	return readSecretKey(c.SecretKey, c.SecretKeyFile)
}

// demoConfig returns the declarative file of a demo in front of the provider at that URL.
func demoConfig(provider string) (*config.File, error) {
	values := map[string]string{"PROVIDER": provider, "KEY": demoKey}
	file, err := config.ParseFile(demoFile, func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	})
	if err != nil {
		return nil, located("demo.yaml", err)
	}
	return file, nil
}

// demoLines returns what to print for a demo that can be called under these addresses.
func demoLines(data, control string, secure bool) string {
	scheme, curl := "http://", "curl -sS"
	if secure {
		// The certificate hardly names the loopback address.
		scheme, curl = "https://", "curl -sSk"
	}
	return strings.NewReplacer(
		"{gateway}", scheme+data,
		"{admin}", "http://"+control,
		"{key}", demoKey,
		"{curl}", curl,
	).Replace(demoText)
}

// callable returns the address under which this machine reaches a port of its own that was opened for host. The listener
// alone doesn't tell: one for 0.0.0.0 says [::].
func callable(host string, listening net.Addr) string {
	_, number, err := net.SplitHostPort(listening.String())
	if err != nil {
		panic("BUG: a listener without a port")
	}
	return net.JoinHostPort(reachable(strings.Trim(host, "[]")), number)
}
