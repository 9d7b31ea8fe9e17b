package main

import (
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// demoLinesOf starts a demo and returns it and the lines that it printed.
func demoLinesOf(t *testing.T, env []string, args ...string) (*process, []string) {
	t.Helper()
	p := start(t, env, append([]string{"demo"}, args...)...)
	if _, ok := p.stdout.wait("/metrics"); !ok {
		t.Fatalf("the demo printed no line for metrics:\n%s", p.stdout.all())
	}
	return p, strings.Split(p.stdout.all(), "\n")
}

// shell runs one line as a person would who pastes it.
func shell(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Errorf("%s\nfails: %v\n%s", line, err, out)
	}
	return string(out)
}

func TestEveryLineOfTheDemoWorks(t *testing.T) {
	p, printed := demoLinesOf(t, nil)
	// What the output of each line must hold, in their order.
	wants := [][]string{
		{`"object":"chat.completion"`, `scripted provider`},
		{`"chat.completion.chunk"`, "data: [DONE]"},
		{`"object":"response"`, `scripted provider`},
		{"event: response.created", "event: response.completed"},
		{`"type":"message"`, `scripted provider`},
		{"event: message_start", "event: message_stop"},
		{"demo-a", "demo-b", "demo-c"},
		{"x-octopus-channel: demo-b", "x-octopus-attempts: 2"},
		{`"id":"demo"`, `"id":"demo-failover"`},
		{"octopus_requests_total{", "octopus_tokens_total{"},
	}
	var outputs []string
	for _, line := range printed {
		if line != "" && !strings.HasPrefix(line, "#") {
			outputs = append(outputs, shell(t, line))
		}
	}
	if len(outputs) != len(wants) {
		t.Fatalf("%d lines to paste, want %d:\n%s", len(outputs), len(wants), strings.Join(printed, "\n"))
	}
	// Neither the spaces of the provider's JSON nor the case of header names matter.
	squeeze := func(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }
	for i, parts := range wants {
		for _, part := range parts {
			if !strings.Contains(squeeze(outputs[i]), squeeze(part)) {
				t.Errorf("output %d lacks %q:\n%.1500s", i, part, outputs[i])
			}
		}
	}
	for _, address := range []string{p.data, p.admin, demoKey} {
		if !strings.Contains(p.stdout.all(), address) {
			t.Errorf("the demo does not print %s", address)
		}
	}

	p.signal(syscall.SIGINT)
	if got := p.exitCode(); got != 0 {
		t.Errorf("exit code %d after Ctrl+C, want 0", got)
	}
}

func TestDemoCanBePastedWhole(t *testing.T) {
	_, printed := demoLinesOf(t, nil)
	shell(t, "set -e\n"+strings.Join(printed, "\n"))
}

func TestDemoOverTLS(t *testing.T) {
	certFile, keyFile := t.TempDir()+"/cert.pem", t.TempDir()+"/key.pem"
	writePair(t, certFile, keyFile, 1)
	_, printed := demoLinesOf(t, nil, "--tls-cert="+certFile, "--tls-key="+keyFile)
	for _, line := range printed {
		if strings.HasPrefix(line, "curl") {
			if out := shell(t, line); !strings.Contains(out, "chat.completion") {
				t.Errorf("%s\nanswers %s", line, out)
			}
			return
		}
	}
	t.Fatal("the demo printed no curl line")
}

func TestDemoPorts(t *testing.T) {
	t.Run("a taken default means a free one", func(t *testing.T) {
		// Whether this listener gets the port or someone else has it already: it is taken.
		if ln, err := net.Listen("tcp", "127.0.0.1:8080"); err == nil {
			defer ln.Close()
		}
		p, _ := demoLinesOf(t, []string{"OCTOPUS_SERVER_PORT="})
		if got := portOf(t, p.data); got == "8080" {
			t.Errorf("data port %s, want a free one", got)
		}
	})
	t.Run("a taken port that was asked for is an error", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		used := portOf(t, ln.Addr().String())
		checkRefused(t, runToEnd(t, nil, "demo", "--server-host=127.0.0.1", "--server-port="+used, "--admin-port=0"), used)
		checkRefused(t, runToEnd(t, []string{"OCTOPUS_ADMIN_PORT=" + used}, "demo", "--server-port=0"), used)
	})
}

func TestDemoTakesNoFile(t *testing.T) {
	checkRefused(t, runToEnd(t, nil, "demo", "--config=octopus.yaml"), "--config")
}

func TestCallable(t *testing.T) {
	for host, want := range map[string]string{
		"0.0.0.0": "127.0.0.1:8080", "::": "[::1]:8080", "[::]": "[::1]:8080", "10.0.0.5": "10.0.0.5:8080", "localhost": "localhost:8080",
	} {
		if got := callable(host, &net.TCPAddr{IP: net.IPv6zero, Port: 8080}); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}
