package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"
)

// healthcheckTimeout bounds the whole check. Docker gives a check 30 s by default.
const healthcheckTimeout = 3 * time.Second

// healthcheckCommand asks the server on this machine whether it is ready. It takes the same flags and variables as the
// server, so that a container needs no further setting.
type healthcheckCommand struct {
	addressFlags
}

// Run prints "ready", or returns why the server is not.
func (c *healthcheckCommand) Run(stdout io.Writer) error {
	p := c.ServerPort.or(defaultServerPort)
	if p == 0 {
		return errors.New("healthcheck: --server-port: 0 says nothing about which port the server got")
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	url := fmt.Sprintf("%s://%s/readyz", scheme, p.address(reachable(c.ServerHost)))
	client := fasthttp.Client{
		DialDualStack: true,
		// The certificate names the public host, which is not how this machine calls itself; nothing secret is sent.
		TLSConfig: &tls.Config{InsecureSkipVerify: true},
	}
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(url)
	request.SetConnectionClose()
	if err := client.DoTimeout(request, response, healthcheckTimeout); err != nil {
		return fmt.Errorf("healthcheck: %s: %w", url, err)
	}
	if status := response.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("healthcheck: %s: status %d", url, status)
	}
	_, err := fmt.Fprintln(stdout, "ready")
	return err
}

// reachable returns host, or the loopback address when host means every interface.
func reachable(host string) string {
	address, err := netip.ParseAddr(host)
	if err != nil || !address.IsUnspecified() {
		return host
	}
	if address.Is4() {
		return "127.0.0.1"
	}
	return "::1"
}
