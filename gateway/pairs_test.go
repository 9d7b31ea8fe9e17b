package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
	"octopus/gateway/outcome"
)

// eachPair runs a test for every protocol of a client over every protocol of an upstream.
func eachPair(t *testing.T, test func(t *testing.T, client, upstream llm.Protocol)) {
	for _, client := range llm.Protocols {
		for _, upstream := range llm.Protocols {
			t.Run(fmt.Sprintf("%v on %v", client, upstream), func(t *testing.T) { test(t, client, upstream) })
		}
	}
}

// signOfLife is what tells a client that its connection lives, inBandError how an error begins inside a stream.
var (
	signOfLife  = map[llm.Protocol]string{llm.Chat: ": keep-alive\n\n", llm.Responses: ": keep-alive\n\n", llm.Messages: "event: ping\n"}
	inBandError = map[llm.Protocol]string{llm.Chat: `data: {"error":{`, llm.Responses: "event: response.failed\n", llm.Messages: "event: error\n"}
)

// endsInError checks that a stream ends in an error of the client's protocol, with a sign of life somewhere before it and none
// behind.
func endsInError(t *testing.T, p llm.Protocol, body string) {
	t.Helper()
	before, after, ok := strings.Cut(body, inBandError[p])
	if !ok || strings.Contains(body, `"finish_reason":"stop"`) || strings.Contains(body, "response.completed") || strings.Contains(body, "message_stop") {
		t.Fatalf("no error at the end of %s", body)
	}
	if !strings.Contains(before, signOfLife[p]) || strings.Contains(after, signOfLife[p]) {
		t.Errorf("signs of life: %d before the error, %d behind it", strings.Count(before, signOfLife[p]), strings.Count(after, signOfLife[p]))
	}
	checkEvents(t, body)
}

// TestSlowThen500 is vector F 168: an upstream that takes its time, so that the client has had a sign of life, and then fails.
func TestSlowThen500(t *testing.T) {
	eachPair(t, func(t *testing.T, client, upstream llm.Protocol) {
		w := newWorld(t, 1, func(c *config.Config) {
			speaking(upstream)(c)
			members("upstream!delay=120ms,status=500")(c)
			c.Groups[0].Policy.KeepAlive = 30 * time.Millisecond
		})
		status, body, _ := w.call(client, "m", true)
		if status != 200 {
			t.Fatalf("got %d, %s", status, body)
		}
		endsInError(t, client, body)
		if o := w.ledger.wait(t, 1); o.Class != outcome.ClassTransient {
			t.Errorf("outcome: %v", o.Class)
		}
	})
}

// TestIdleTimeoutEndsSignsOfLife is vector F 169: an upstream that falls silent inside its answer keeps the client waiting no
// longer than the idle timeout, however many signs of life it gets.
func TestIdleTimeoutEndsSignsOfLife(t *testing.T) {
	eachPair(t, func(t *testing.T, client, upstream llm.Protocol) {
		w := newWorld(t, 1, func(c *config.Config) {
			speaking(upstream)(c)
			members("upstream!tokens=20,stall=10")(c)
			c.Groups[0].Policy.KeepAlive, c.Groups[0].Policy.IdleTimeout = 30*time.Millisecond, 200*time.Millisecond
		})
		status, body, _ := w.call(client, "m", true)
		if status != 200 {
			t.Fatalf("got %d, %s", status, body)
		}
		endsInError(t, client, body)
		if log := w.waitFor(w.providers[0], gatewaytest.Ended(1)); log[0].End != gatewaytest.EndLeft {
			t.Errorf("the provider saw %v", log[0].End)
		}
	})
}

// TestClientThatLeavesIsBilled is vector F 170: the upstream's connection is closed, and what it had said of its usage by then is
// in the ledger.
func TestClientThatLeavesIsBilled(t *testing.T) {
	eachPair(t, func(t *testing.T, client, upstream llm.Protocol) {
		w := newWorld(t, 1, func(c *config.Config) {
			speaking(upstream)(c)
			members("upstream!tokens=100000,every=5ms")(c)
		})
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		body := requestBody(client, "m", true)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", paths[client], testKey, len(body), body)
		if _, err := io.ReadFull(conn, make([]byte, 50)); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if log := w.waitFor(w.providers[0], gatewaytest.Ended(1)); log[0].End != gatewaytest.EndLeft {
			t.Errorf("the provider saw %v", log[0].End)
		}
		o := w.ledger.wait(t, 1)
		want := llm.Unknown
		if upstream == llm.Messages {
			want = llm.Partial // the only one that says something of it at the beginning
		}
		if o.Class != outcome.ClassClientGone || o.Usage.Knowledge != want || (o.Usage.Prompt() > 0) != (want == llm.Partial) {
			t.Errorf("outcome: %v, usage %+v, want it %v", o.Class, o.Usage, want)
		}
	})
}

// TestRetryHeaders is vector F 175: when to try again, in either header, and whether to do so at all.
func TestRetryHeaders(t *testing.T) {
	for _, c := range []struct {
		name        string
		status      int
		sent        [2]string // a header of the upstream's answer
		after       string    // what the client gets, rounded up
		shouldRetry string
	}{
		{"seconds", 429, [2]string{"Retry-After", "7"}, "7", ""},
		{"milliseconds", 429, [2]string{"Retry-After-Ms", "1500"}, "2", ""},
		{"overloaded", 503, [2]string{"Retry-After", "3"}, "3", ""},
		{"nothing said: as long as the target is left alone", 429, [2]string{"X-Other", "1"}, "1", ""},
		{"a limit that waiting does not lift", 429, [2]string{"X-Should-Retry", "false"}, "1", "false"},
		{"what the provider does not want again", 422, [2]string{"X-Should-Retry", "false"}, "", "false"},
	} {
		eachPair(t, func(t *testing.T, client, upstream llm.Protocol) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(c.sent[0], c.sent[1])
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, `{"type":"error","error":{"type":"t","message":"no"}}`)
			}))
			t.Cleanup(server.Close)
			w := newWorld(t, 1, func(cfg *config.Config) {
				speaking(upstream)(cfg)
				cfg.Channels[0].Endpoints[0].BaseURL = server.URL
				cfg.Groups[0].Policy.Attempts = 1 // nobody waits for it
			})
			w.gateway.health.random = func() float64 { return 0 } // the shortest rest
			status, body, header := w.call(client, "m", false)
			if status < 400 || header.Get("Retry-After") != c.after {
				t.Errorf("%s: got %d with Retry-After %q, want %q: %s", c.name, status, header.Get("Retry-After"), c.after, body)
			}
			if got := header.Get("X-Should-Retry"); got != c.shouldRetry {
				t.Errorf("%s: X-Should-Retry: got %q, want %q", c.name, got, c.shouldRetry)
			}
		})
	}
	w := newWorld(t, 1, speaking(llm.Messages))
	resp := w.post(paths[llm.Chat], `{"model":"m","n":2,"messages":[{"role":"user","content":"hello"}]}`)
	_ = resp.Body.Close()
	if resp.StatusCode != 400 || resp.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("what the gateway refuses: got %d with X-Should-Retry %q", resp.StatusCode, resp.Header.Get("X-Should-Retry"))
	}
}

// TestErrorsOfTheProviderPass is vector F 11: status, body and the headers that say when to go on reach a client of the same
// protocol as they are.
func TestErrorsOfTheProviderPass(t *testing.T) {
	sent := map[llm.Protocol]string{
		llm.Chat:      `{ "error" : {"message":"no \u00e9","type":"x_type","param":null,"code":"x_code","x_vendor":1.0} }`,
		llm.Responses: `{ "error" : {"message":"no \u00e9","type":"x_type","param":"input","code":null,"x_vendor":1.0} }`,
		llm.Messages:  `{ "type":"error" , "error":{"type":"x_type","message":"no \u00e9","x_vendor":1.0} }`,
	}
	limit := map[llm.Protocol]string{llm.Chat: "X-Ratelimit-Limit-Requests", llm.Responses: "X-Ratelimit-Limit-Tokens", llm.Messages: "Anthropic-Ratelimit-Input-Tokens-Limit"}
	for _, p := range llm.Protocols {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", "7")
			w.Header().Set(limit[p], "50")
			w.WriteHeader(422)
			_, _ = io.WriteString(w, sent[p])
		}))
		t.Cleanup(server.Close)
		w := newWorld(t, 1, func(c *config.Config) {
			speaking(p)(c)
			c.Channels[0].Endpoints[0].BaseURL = server.URL
		})
		status, body, header := w.call(p, "m", true)
		if status != 422 || body != sent[p] || header.Get("Retry-After") != "7" || header.Get(limit[p]) != "50" {
			t.Errorf("%v: got %d, %s, %v", p, status, body, header)
		}
	}
}

// TestStreamsAreAskedForAsSuch is the regression test of protocols.md E 117: some upstreams choose by Accept what they answer.
func TestStreamsAreAskedForAsSuch(t *testing.T) {
	eachPair(t, func(t *testing.T, client, upstream llm.Protocol) {
		w := newWorld(t, 1, speaking(upstream))
		for i, want := range []string{"application/json", "text/event-stream"} {
			if status, body, _ := w.call(client, "m", i == 1); status != 200 {
				t.Fatalf("got %d, %s", status, body)
			}
			if got := w.providers[0].Requests()[i].Header.Get("Accept"); got != want {
				t.Errorf("Accept: got %q, want %q", got, want)
			}
		}
	})
}

// TestBetaHeadersAndQuery is vector F 8: what an Anthropic client asks for besides its body reaches Anthropic as it is.
func TestBetaHeadersAndQuery(t *testing.T) {
	w := newWorld(t, 1, speaking(llm.Messages))
	req, err := http.NewRequest(http.MethodPost, w.url+"/v1/messages?beta=true", strings.NewReader(requestBody(llm.Messages, "m", false)))
	if err != nil {
		t.Fatal(err)
	}
	sent := http.Header{
		"Authorization": {"Bearer " + testKey}, "Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"context-1m-2025-08-07", "a,b"},
		"Anthropic-Workspace-Id": {"wrkspc_1"}, "Anthropic-User-Profile-Id": {"u"},
	}
	req.Header = sent
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	got := w.providers[0].Requests()[0]
	if resp.StatusCode != 200 || got.Query != "beta=true" {
		t.Errorf("got %d, query %q", resp.StatusCode, got.Query)
	}
	for name, want := range sent {
		if name != "Authorization" && strings.Join(got.Header.Values(name), "|") != strings.Join(want, "|") {
			t.Errorf("%s: got %q, want %q", name, got.Header.Values(name), want)
		}
	}
}
