package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// panicking is a ledger and a memory that panic.
type panicking struct{}

func (panicking) Record(*outcome.Outcome) { panic("ledger") }
func (panicking) Find(string) []byte      { panic("memory") }
func (panicking) Keep(string, []byte)     { panic("memory") }
func (panicking) Drop(string)             { panic("memory") }

func TestPanicEndsOneRequestOnly(t *testing.T) {
	w := newWorld(t, 1, speaking(llm.Chat))
	previous := `{"model":"m","input":"hello","previous_response_id":"resp_1"}`
	for _, c := range []struct {
		name       string
		ledger     Ledger
		memory     Memory
		path, body string
		status     int
	}{
		{"after a whole answer", panicking{}, w.gateway.memory, paths[llm.Chat], requestBody(llm.Chat, "m", false), 200},
		{"after a stream", panicking{}, w.gateway.memory, paths[llm.Chat], requestBody(llm.Chat, "m", true), 200},
		{"after a refusal", panicking{}, w.gateway.memory, paths[llm.Chat], requestBody(llm.Chat, "nobody", false), 500},
		{"before the answer", w.ledger, panicking{}, paths[llm.Responses], previous, 500},
		{"before the answer and after it", panicking{}, panicking{}, paths[llm.Responses], previous, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledger, memory := w.gateway.options.Ledger, w.gateway.memory
			w.gateway.options.Ledger, w.gateway.memory = c.ledger, c.memory
			defer func() { w.gateway.options.Ledger, w.gateway.memory = ledger, memory }()
			conn := w.dial()
			send(t, conn, "POST "+c.path, "", c.body)
			if resp, body := receive(t, conn); resp.StatusCode != c.status {
				t.Errorf("got %d, %s; want %d", resp.StatusCode, body, c.status)
			}
			if n := w.gateway.inFlight.Load(); n != 0 {
				t.Errorf("%d calls are in flight", n)
			}
		})
	}
	if status, body, _ := w.call(llm.Chat, "m", false); status != 200 {
		t.Errorf("afterwards: got %d, %s", status, body)
	}
}

func TestCompactionIsForResponsesUpstreamsOnly(t *testing.T) {
	lines := make(chan string, 10)
	address := rawUpstream(t, func(_ int, c net.Conn, r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
			lines <- req.Method + " " + req.URL.Path
			_, _ = io.WriteString(c, withHead(200, `{"id":"resp_1","object":"response.compaction","output":[]}`))
		}
	})
	compact := func(w *world) (int, string) {
		resp := w.post("/v1/responses/compact", `{"model":"m","input":[]}`)
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	t.Run("there is one", func(t *testing.T) {
		w := newWorld(t, 2, func(c *config.Config) {
			at(address, address)(c)
			speaking(llm.Chat)(c)
		})
		if status, body := compact(w); status != 200 || !strings.Contains(body, "response.compaction") {
			t.Fatalf("got %d, %s", status, body)
		}
		if line, want := <-lines, "POST /v1/responses/compact"; line != want {
			t.Errorf("the upstream got %s, want %s", line, want)
		}
		if o := w.ledger.wait(t, 1); o.Operation != outcome.Compact || o.Attempts[0].Channel != "p2" {
			t.Errorf("outcome: %v, attempts %+v", o.Operation, o.Attempts)
		}
	})
	t.Run("there is none", func(t *testing.T) {
		w := newWorld(t, 1, speaking(llm.Chat))
		if status, body := compact(w); status != 400 || !strings.Contains(body, "unsupported_endpoint") {
			t.Errorf("got %d, %s", status, body)
		}
	})
}
