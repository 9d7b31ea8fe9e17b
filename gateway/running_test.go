package gateway

import (
	"io"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/gatewaytest"
)

func TestRunningRequestsAreShownUntilTheyEnd(t *testing.T) {
	w := newWorld(t, 2, nil)
	row := w.script("status=503")
	if err := w.providers[1].SetScript("tokens=3,every=20ms,stall=2"); err != nil {
		t.Fatal(err)
	}
	resp := w.post("/v1/messages", requestBody(llm.Messages, "alias", true))
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	running := w.gateway.Running()
	if len(running) != 1 {
		t.Fatalf("%d requests run, want 1", len(running))
	}
	r := running[0]
	if r.ID != resp.Header.Get("x-request-id") || r.Requested != "alias" || r.Group != "m" || !r.Stream || r.Protocol != llm.Messages ||
		r.APIKeyName != "test" || !r.Client.IsLoopback() || r.Start.IsZero() {
		t.Errorf("the request is shown as %+v", r)
	}
	if r.Attempts != 2 || r.Channel != "p2" || r.Model != "upstream" || r.Key == "" || !r.Answering {
		t.Errorf("its target is shown as %+v", r)
	}
	_ = resp.Body.Close()
	w.waitFor(w.providers[1], gatewaytest.Ended(1))
	w.ledger.wait(t, row)
	if running := w.gateway.Running(); len(running) != 0 {
		t.Errorf("after its end %+v still runs", running)
	}
}

func TestARequestWithoutARouteIsNotShown(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.gateway.clients.each(func(c *clientConn) { t.Errorf("a connection %v before any", c.RemoteAddr()) })
	resp := w.post("/v1/chat/completions", `{"model":"unknown","messages":[]}`)
	_ = resp.Body.Close()
	if running := w.gateway.Running(); len(running) != 0 {
		t.Errorf("%+v is shown", running)
	}
}
