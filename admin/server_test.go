package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"octopus/gateway/config"
)

// port is a running Server with what it logs.
type port struct {
	*Server
	address string
	served  chan error
	log     *bytes.Buffer
}

func open(t *testing.T, o Options) *port {
	t.Helper()
	p := &port{served: make(chan error, 1), log: &bytes.Buffer{}}
	o.Logger = slog.New(slog.NewTextHandler(p.log, nil))
	if o.Metrics == nil {
		o.Metrics = func(io.Writer) {}
	}
	if o.Ready == nil {
		o.Ready = func() bool { return true }
	}
	if o.Config == nil {
		o.Config = config.Empty
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Server, p.address = New(o), ln.Addr().String()
	go func() { p.served <- p.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		// A test may end before Serve has seen its listener.
		ln.Close()
		if err := <-p.served; err != nil {
			t.Errorf("Serve: %v, want nil after Shutdown", err)
		}
	})
	return p
}

// send writes raw as one request on a connection of its own and reads the answer.
func (p *port) send(t *testing.T, raw string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The server may refuse and close before it has read all of it: then the answer tells, not the write.
	_, writeErr := io.WriteString(conn, raw)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v (write: %v)", err, writeErr)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func (p *port) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return p.send(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

// checkError fails unless body is an error in the form of the admin port with this code and a message.
func checkError(t *testing.T, response *http.Response, body string, status int, code string) {
	t.Helper()
	if response.StatusCode != status {
		t.Errorf("status %d, want %d", response.StatusCode, status)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q, want application/json", got)
	}
	var e map[string]map[string]any
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if e["error"]["code"] != code || e["error"]["message"] == "" || e["error"]["field"] != "" {
		t.Errorf("body %s, want code %q, a message and an empty field", body, code)
	}
}

// token is the admin token of tests.
const token = "0123456789abcdef"

// openWithToken opens a port with the token, and a ledger if a test doesn't give.
func openWithToken(t *testing.T, o Options) *port {
	t.Helper()
	o.Token = token
	if o.Ledger == nil {
		o.Ledger, _ = newLedger(t)
	}
	return open(t, o)
}

// call sends a request with the token.
func (p *port) call(t *testing.T, method, path, body string) (*http.Response, string) {
	t.Helper()
	return p.send(t, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		method, path, token, len(body), body))
}

// ask gets a path with the token and reads the answer, which must be JSON with status 200, into into.
func (p *port) ask(t *testing.T, path string, into any) {
	t.Helper()
	response, body := p.call(t, "GET", path, "")
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s %s", path, response.StatusCode, response.Header.Get("Content-Type"), body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%s: %v: %s", path, err, body)
	}
}

// checkRefused fails unless an answer is an error about a field.
func checkRefused(t *testing.T, response *http.Response, body string, status int, code, field string) {
	t.Helper()
	var e errorBody
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if response.StatusCode != status || e.Error.Code != code || e.Error.Field != field || e.Error.Message == "" {
		t.Errorf("%d %s, want %d with code %q, field %q and a message", response.StatusCode, body, status, code, field)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	var ready atomic.Bool
	p := open(t, Options{Ready: ready.Load})

	response, body := p.get(t, "/healthz")
	if response.StatusCode != 200 || body != "alive\n" {
		t.Errorf("/healthz while not ready: %d %q, want 200 alive", response.StatusCode, body)
	}
	response, body = p.get(t, "/readyz")
	checkError(t, response, body, 503, "not_ready")

	ready.Store(true)
	response, body = p.get(t, "/readyz")
	if response.StatusCode != 200 || body != "ready\n" {
		t.Errorf("/readyz when ready: %d %q, want 200 ready", response.StatusCode, body)
	}
}

func TestMetricsAreWhatTheOptionWrites(t *testing.T) {
	p := open(t, Options{Metrics: func(w io.Writer) { fmt.Fprintln(w, `octopus_in_flight 3`) }})
	response, body := p.get(t, "/metrics")
	if response.StatusCode != 200 || body != "octopus_in_flight 3\n" {
		t.Errorf("/metrics: %d %q, want 200 octopus_in_flight 3", response.StatusCode, body)
	}
	if got, want := response.Header.Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8"; got != want {
		t.Errorf("content type %q, want %q", got, want)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	p := open(t, Options{})
	for _, path := range []string{"/", "/metrics/", "//metrics", "/Metrics", "/v1/models", "/debug/pprof/", "/api/v1/", "/healthz/../v1"} {
		t.Run(path, func(t *testing.T) {
			response, body := p.get(t, path)
			checkError(t, response, body, 404, "not_found")
		})
	}
	for _, method := range []string{"POST", "DELETE", "OPTIONS"} {
		t.Run(method, func(t *testing.T) {
			response, body := p.send(t, method+" /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			checkError(t, response, body, 405, "method_not_allowed")
			if allow := response.Header.Get("Allow"); !strings.Contains(allow, "GET") {
				t.Errorf("Allow %q, want GET in it", allow)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	p := open(t, Options{})
	t.Run("headers", func(t *testing.T) {
		response, body := p.send(t, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "+strings.Repeat("x", maxHeaderBytes)+"\r\n\r\n")
		checkError(t, response, body, 431, "header_too_large")
	})
	t.Run("announced body", func(t *testing.T) {
		response, body := p.send(t, fmt.Sprintf("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", maxBodyBytes+1))
		checkError(t, response, body, 413, "body_too_large")
	})
	t.Run("not HTTP", func(t *testing.T) {
		response, body := p.send(t, "hello\r\n\r\n")
		checkError(t, response, body, 400, "bad_request")
	})
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	p := open(t, Options{Metrics: func(io.Writer) { panic("no numbers today") }})
	response, body := p.get(t, "/metrics")
	checkError(t, response, body, 500, "internal")
	if strings.Contains(body, "no numbers today") {
		t.Errorf("the answer shows the panic: %s", body)
	}
	if log := p.log.String(); !strings.Contains(log, "no numbers today") || !strings.Contains(log, "server_test.go") {
		t.Errorf("log %q, want the panic and its stack", log)
	}
	if response, _ := p.get(t, "/healthz"); response.StatusCode != 200 {
		t.Errorf("after the panic: %d, want 200", response.StatusCode)
	}
}

func TestShutdownWaitsForARunningRequest(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	p := open(t, Options{Metrics: func(w io.Writer) {
		close(entered)
		<-leave
		io.WriteString(w, "late 1\n")
	}})
	answered := make(chan string, 1)
	go func() {
		_, body := p.get(t, "/metrics")
		answered <- body
	}()
	<-entered
	down := make(chan error, 1)
	go func() { down <- p.Shutdown(context.Background()) }()
	// Shutdown has begun when the port takes no more connections.
	for {
		conn, err := net.Dial("tcp", p.address)
		if err != nil {
			break
		}
		conn.Close()
	}
	close(leave)
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if body := <-answered; body != "late 1\n" {
		t.Errorf("answer %q, want the whole one", body)
	}
}
