package gateway

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

func TestRefusedUploadStillReadsItsAnswer(t *testing.T) {
	const size = 8 << 20
	w := newWorld(t, 1, nil)
	for _, c := range []struct {
		name, line, header string
		status             int
	}{
		{"unknown key", "POST " + paths[llm.Chat], "Authorization: Bearer wrong\r\n", 401},
		{"no place for it", "POST /v1/files", "", 404},
		{"wrong method", "PUT " + paths[llm.Messages], "", 405},
		{"too large", "POST " + paths[llm.Responses], "", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				conn := w.dial()
				send(t, conn, c.line, c.header, strings.Repeat("x", size))
				if resp, _ := receive(t, conn); resp.StatusCode != c.status || !resp.Close {
					t.Errorf("got %d, close %v; want %d and the connection's end", resp.StatusCode, resp.Close, c.status)
				}
			}
		})
	}
}

func TestRefusedMethodsSayWhichOnesThereAre(t *testing.T) {
	w := newWorld(t, 1, nil)
	for _, c := range []struct{ method, path, allow string }{
		{"GET", "/v1/chat/completions", "POST"},
		{"GET", "/v1/responses", "POST"},
		{"DELETE", "/v1/messages", "POST"},
		{"GET", "/v1/responses/compact", "POST"},
		{"POST", "/v1/models", "GET"},
		{"POST", "/healthz", "GET"},
		{"PUT", "/v1/responses/resp_1", "GET, DELETE"},
		{"GET", "/v1/responses/resp_1/cancel", "POST"},
	} {
		conn := w.dial()
		send(t, conn, c.method+" "+c.path, "", "")
		if resp, body := receive(t, conn); resp.StatusCode != 405 || resp.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: got %d, Allow %q, %s; want %q", c.method, c.path, resp.StatusCode, resp.Header.Get("Allow"), body, c.allow)
		}
	}
}

func TestWebSocketUpgradeIsRefusedSoThatClientsFallBack(t *testing.T) {
	w := newWorld(t, 1, nil)
	conn := w.dial()
	send(t, conn, "GET "+paths[llm.Responses], "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "")
	resp, body := receive(t, conn)
	if resp.StatusCode != http.StatusUpgradeRequired || !strings.Contains(body, "upgrade_required") || resp.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("got %d, %v, %s", resp.StatusCode, resp.Header, body)
	}
}

// requestsCounted returns the lines of octopus_requests_total.
func requestsCounted(g *Gateway) (lines []string) {
	var b bytes.Buffer
	g.WriteMetrics(&b)
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "octopus_requests_total") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestConnectionsOnWhichNothingWasSentAreNoRequests(t *testing.T) {
	w := newWorld(t, 1, nil)
	waitFor := func(connections int64) {
		for w.gateway.clients.count.Load() != connections {
			runtime.Gosched()
		}
	}
	for _, how := range []string{"closed", "reset"} {
		conn := w.dial()
		waitFor(1)
		if how == "reset" {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
		waitFor(0)
		if lines := requestsCounted(w.gateway); len(lines) > 0 {
			t.Errorf("%s: counted as %s", how, lines)
		}
	}
	conn := w.dial()
	_, _ = io.WriteString(conn, "no request\r\n\r\n")
	if resp, _ := receive(t, conn); resp.StatusCode != 400 || len(requestsCounted(w.gateway)) != 1 {
		t.Errorf("what is no request: got %d, counted as %s", resp.StatusCode, requestsCounted(w.gateway))
	}
}

func TestIdleConnectionIsClosedWithoutAnAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil)
		server, client := fakeClient(t)
		idle := new(fasthttp.RequestCtx)
		idle.Init2(server, nil, false)
		w.gateway.handleBadRequest(idle, os.ErrDeadlineExceeded)
		if n, err := client.Read(make([]byte, 1)); n > 0 || err != io.EOF {
			t.Errorf("got %d bytes, %v", n, err)
		}
		if lines := requestsCounted(w.gateway); len(lines) > 0 {
			t.Errorf("counted as %s", lines)
		}
	})
}
