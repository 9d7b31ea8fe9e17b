package main

import (
	"net"
	"strings"
	"syscall"
	"testing"
)

// portOf returns the port of an address as text.
func portOf(t *testing.T, address string) string {
	t.Helper()
	_, number, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// closedPort returns a port of the loopback address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return portOf(t, ln.Addr().String())
}

func TestHealthcheck(t *testing.T) {
	up := start(t, nil, "start")
	t.Run("ready server by flags", func(t *testing.T) {
		if got := runToEnd(t, nil, "healthcheck", "--server-host=127.0.0.1", "--server-port="+portOf(t, up.data)); got != (result{0, "ready\n", ""}) {
			t.Errorf("%+v, want ready and exit code 0", got)
		}
	})
	t.Run("ready server by the server's own variables", func(t *testing.T) {
		env := []string{"OCTOPUS_SERVER_HOST=0.0.0.0", "OCTOPUS_SERVER_PORT=" + portOf(t, up.data)}
		if got := runToEnd(t, env, "healthcheck"); got != (result{0, "ready\n", ""}) {
			t.Errorf("%+v, want ready and exit code 0", got)
		}
	})
	t.Run("nothing listens", func(t *testing.T) {
		checkRefused(t, runToEnd(t, nil, "healthcheck", "--server-port="+closedPort(t)), "refused")
	})
	t.Run("draining server", func(t *testing.T) {
		leaving := start(t, nil, "start", "--drain-delay=1h")
		leaving.signal(syscall.SIGTERM)
		eventually(t, "not ready after SIGTERM", func() bool {
			status, _ := get("http://" + leaving.data + "/readyz")
			return status == 503
		})
		checkRefused(t, runToEnd(t, nil, "healthcheck", "--server-port="+portOf(t, leaving.data)), "status 503")
	})
	t.Run("silent server", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		checkRefused(t, runToEnd(t, nil, "healthcheck", "--server-port="+portOf(t, ln.Addr().String())), "timeout")
	})
	t.Run("a port chosen by the system", func(t *testing.T) {
		checkRefused(t, runToEnd(t, nil, "healthcheck", "--server-port=0"), "--server-port")
	})
}

func TestReachable(t *testing.T) {
	for host, want := range map[string]string{
		"0.0.0.0": "127.0.0.1", "::": "::1", "127.0.0.1": "127.0.0.1", "10.1.2.3": "10.1.2.3", "box.local": "box.local",
	} {
		if got := reachable(host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// checkRefused fails unless the command ended with code 1 and one line on stderr that contains text.
func checkRefused(t *testing.T, got result, text string) {
	t.Helper()
	if got.code != 1 || got.stdout != "" {
		t.Errorf("exit code %d and stdout %q, want 1 and none", got.code, got.stdout)
	}
	if !strings.HasPrefix(got.stderr, "octopus: ") || strings.Count(got.stderr, "\n") != 1 || !strings.HasSuffix(got.stderr, "\n") {
		t.Errorf("stderr %q, want one line that begins with octopus:", got.stderr)
	}
	if !strings.Contains(got.stderr, text) {
		t.Errorf("stderr %q, want %q in it", got.stderr, text)
	}
}
