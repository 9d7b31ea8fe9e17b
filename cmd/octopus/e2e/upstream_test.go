package e2e

import (
	"strings"
	"testing"

	"octopus/gateway/gatewaytest"
)

func TestConnectionsOfFinishedAnswersAreUsedAgain(t *testing.T) {
	g := startGateway(t, nil)
	requests := int64(0)
	for range 20 {
		for i := range protocols {
			for _, stream := range []bool{false, true} {
				p := &protocols[i]
				if got := g.post(t.Context(), p, p.body("north/m!tokens=30,burst", stream)); got.status != 200 {
					t.Fatalf("%s, stream %t: %v", p.name, stream, got)
				}
				requests++
			}
		}
	}
	// One after the other they need one connection. A stream whose last bytes are late may cost another now and then.
	if got := g.north.Counts(); got.Requests != requests || got.Accepted > requests/10 {
		t.Errorf("%d connections for %d requests, want %d requests on a tenth of that many", got.Accepted, got.Requests, requests)
	}
}

func TestConnectionsOfAbandonedAnswersAreClosed(t *testing.T) {
	g := startGateway(t, nil)
	const model = "abandoned!tokens=100000,every=20ms"
	response, err := g.send(t.Context(), "POST", protocols[0].path, protocols[0].body("north/"+model, true))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if err := g.north.WaitOpen(patient(t), 0); err != nil {
		t.Fatalf("the connection stays open: %v", err)
	}
	if got := g.post(t.Context(), &protocols[0], protocols[0].body("north/m", true)); got.status != 200 {
		t.Fatal(got)
	}
	log := g.north.Requests()
	if abandoned, next := log[0].Connection, log[1].Connection; abandoned == next {
		t.Error("the connection of an abandoned answer served the next request")
	}
}

func TestConnectionClosedByTheProviderIsInvisible(t *testing.T) {
	g := startGateway(t, nil)
	for _, directives := range []string{"closeidle", "closenext", "close"} {
		for i := range protocols {
			p := &protocols[i]
			for range 5 {
				got := g.post(t.Context(), p, p.body("north/m!"+directives, i%2 == 0))
				if got.status != 200 {
					t.Errorf("%s, %s: %v, want 200", p.name, directives, got)
				}
				if attempts := got.header.Get("X-Octopus-Attempts"); attempts != "1" {
					t.Errorf("%s, %s: %s attempts, want 1", p.name, directives, attempts)
				}
			}
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	g := startGateway(t, nil)
	for i := range protocols {
		p := &protocols[i]
		for _, stream := range []bool{false, true} {
			got := g.post(t.Context(), p, p.body("north/m!redirect="+g.south.Origin()+p.path, stream))
			if err := p.checkError(got, 502); err != nil {
				t.Errorf("%s, stream %t: %v: %v", p.name, stream, err, got)
			}
		}
	}
	if got := g.south.Counts().Accepted; got != 0 {
		t.Errorf("the other host got %d connections, want none", got)
	}
}

func TestRequestReachesTheProviderUntouched(t *testing.T) {
	provider := startProvider(t)
	g := startGateway(t, map[string]string{
		"channels": "  - {name: anthropic, type: anthropic, base_url: " + provider.URL() + ", keys: [upstream-anthropic]}\n",
	})
	for i, test := range []struct {
		protocol   *protocol
		sent, want string
	}{
		// Odd spacing, escapes, numbers and unknown members stay as they are; only the model is another.
		{
			&protocols[0],
			`{"messages" : [ {"role":"user","content":"\u00e9\/ 🙂"} ],` + "\n\t" +
				`"model":"north\/m","temperature":1.0e0,"x_new":{"a":[1e2,-0.0]}}`,
			`{"messages" : [ {"role":"user","content":"\u00e9\/ 🙂"} ],` + "\n\t" +
				`"model":"m","temperature":1.0e0,"x_new":{"a":[1e2,-0.0]}}`,
		},
		{
			&protocols[1],
			`{"model":"north/m","input":"Hello","stream": true,"store":false,"include":["reasoning.encrypted_content"]}`,
			`{"model":"m","input":"Hello","stream": true,"store":false,"include":["reasoning.encrypted_content"]}`,
		},
		{
			&protocols[2],
			`{"max_tokens":9007199254740993,"thread":{"type":"create"},` +
				`"messages":[{"role":"user","content":"Hello"}],"model":"anthropic/m"}`,
			`{"max_tokens":9007199254740993,"thread":{"type":"create"},` +
				`"messages":[{"role":"user","content":"Hello"}],"model":"m"}`,
		},
	} {
		got := g.do(t.Context(), "POST", test.protocol.path+"?beta=true", test.sent,
			"Anthropic-Version: 2026-10-21", "Anthropic-Beta: message-threads-2026-08-12", "Idempotency-Key: once",
			"Cookie: session=secret", "X-Forwarded-For: 203.0.113.9")
		if got.status != 200 {
			t.Fatalf("%s: %v", test.protocol.name, got)
		}
		e := append(g.north.Requests(), provider.Requests()...)[i]
		if string(e.Body) != test.want {
			t.Errorf("%s: the provider got\n%s\nwant\n%s", test.protocol.name, e.Body, test.want)
		}
		if e.Path != test.protocol.path || e.Query != "beta=true" {
			t.Errorf("%s: the provider was asked for %s?%s", test.protocol.name, e.Path, e.Query)
		}
		checkUpstreamHeaders(t, test.protocol, e)
	}
}

// checkUpstreamHeaders checks what a provider sees of the client's headers and credential.
func checkUpstreamHeaders(t *testing.T, p *protocol, e gatewaytest.Exchange) {
	t.Helper()
	want := map[string]string{"Idempotency-Key": "once", "Authorization": "Bearer upstream-north"}
	if p.name == "messages" {
		want = map[string]string{
			"Idempotency-Key": "once", "Authorization": "", "X-Api-Key": "upstream-anthropic",
			"Anthropic-Version": "2026-10-21", "Anthropic-Beta": "message-threads-2026-08-12",
		}
	}
	for _, private := range []string{"Cookie", "X-Forwarded-For", "Accept-Encoding"} {
		want[private] = ""
	}
	for name, value := range want {
		if got := strings.Join(e.Header.Values(name), ", "); got != value {
			t.Errorf("%s: the provider got %s %q, want %q", p.name, name, got, value)
		}
	}
}
