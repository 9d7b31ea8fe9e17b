package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// startProxy runs an HTTP proxy that asks for that credential and tunnels, and counts the tunnels.
func startProxy(t *testing.T, credential string) (address string, tunnels *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	tunnels = new(atomic.Int64)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var head bytes.Buffer
				r := bufio.NewReader(conn)
				request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(r, &head)))
				if err != nil {
					return
				}
				if request.Method != "CONNECT" || request.Header.Get("Proxy-Authorization") != credential || strings.Contains(head.String(), "upstream-") {
					_, _ = io.WriteString(conn, "HTTP/1.1 407 "+request.Header.Get("Proxy-Authorization")+"\r\n\r\n")
					return
				}
				upstream, err := net.Dial("tcp", request.RequestURI)
				if err != nil {
					return
				}
				defer upstream.Close()
				tunnels.Add(1)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
				go func() {
					_, _ = io.Copy(upstream, r)
					upstream.Close()
				}()
				_, _ = io.Copy(conn, upstream)
			}()
		}
	}()
	return listener.Addr().String(), tunnels
}

func TestProxies(t *testing.T) {
	const password, encoded = "hunter2-of-the-proxy", "bWU6aHVudGVyMi1vZi10aGUtcHJveHk="
	address, tunnels := startProxy(t, "Basic "+encoded)
	refusing, _ := startProxy(t, "Basic another")
	provider := startProvider(t)
	g := startGateway(t, map[string]string{
		"channels": channel("proxied", provider) + "    proxy: http://me:" + password + "@" + address + "\n" +
			channel("refused", provider) + "    proxy: http://me:" + password + "@" + refusing + "\n",
		"groups": group("through", "mode: failover", "{channel: refused, model: m, priority: 1}", "{channel: proxied, model: m, priority: 2}"),
	}, "--logging-level=debug")
	shown := ""
	for i := range protocols {
		for _, stream := range []bool{false, true} {
			p := &protocols[i]
			for model, want := range map[string]int{"proxied/m": 200, "through": 200, "refused/m": 502} {
				got := g.post(t.Context(), p, p.body(model, stream))
				if got.status != want {
					t.Errorf("%s, %s, stream %t: %v, want %d", model, p.name, stream, got, want)
				}
				shown += got.body
			}
		}
	}
	if n := tunnels.Load(); n < 1 || n > 6 {
		t.Errorf("%d tunnels for 12 requests one after the other", n)
	}
	if n := provider.Counts().Requests; n != 12 {
		t.Errorf("the provider got %d requests, want 12", n)
	}
	for _, text := range []string{g.log.all(), shown} {
		if strings.Contains(text, password) || strings.Contains(text, encoded) {
			t.Errorf("shows the password: %s", text)
		}
	}
}
