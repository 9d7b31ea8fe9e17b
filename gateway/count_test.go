package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
	"octopus/gateway/outcome"
)

// countPath and countBody are what the clients of a protocol count tokens with. The provider says that the body has 9: 8 and
// a quarter of "hello". In answerBody are fields besides that its endpoints for counting refuse.
var (
	countPath = map[llm.Protocol]string{llm.Messages: "/v1/messages/count_tokens", llm.Responses: "/v1/responses/input_tokens"}
	countBody = map[llm.Protocol]string{
		llm.Messages:  `{"model":"m","messages":[{"role":"user","content":"hello"}]}`,
		llm.Responses: `{"model":"m","input":"hello"}`,
	}
	answerBody = map[llm.Protocol]string{
		llm.Messages:  `{"model":"m","messages":[{"role":"user","content":"hello"}],"stream":true,"max_tokens":20,"metadata":{"user_id":"u"}}`,
		llm.Responses: `{"model":"m","input":"hello","stream":true,"store":true,"max_output_tokens":20,"metadata":{"k":"v"}}`,
	}
)

// countAnswer is the answer of an endpoint that counts tokens.
func countAnswer(p llm.Protocol, n int) string {
	if p == llm.Responses {
		return fmt.Sprintf(`{"object":"response.input_tokens","input_tokens":%d}`, n)
	}
	return fmt.Sprintf(`{"input_tokens":%d}`, n)
}

// estimatedTokens is what the gateway counts in countBody: a token, 3 for the turn, 3 for the answer's beginning.
const estimatedTokens = 7

// count sends a request to count tokens.
func (w *world) count(p llm.Protocol, body string) (int, string, http.Header) {
	w.t.Helper()
	resp := w.post(countPath[p], body)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer), resp.Header
}

func TestTokensAreCountedOverEveryProtocol(t *testing.T) {
	for client := range countPath {
		for _, upstream := range []llm.Protocol{llm.Responses, llm.Messages} {
			t.Run(fmt.Sprintf("%v on %v", client, upstream), func(t *testing.T) {
				w := newWorld(t, 1, speaking(upstream))
				body := countBody[client]
				if client != upstream {
					body = answerBody[client]
				}
				status, answer, header := w.count(client, body)
				if status != 200 || answer != countAnswer(client, 9) {
					t.Fatalf("got %d, %s", status, answer)
				}
				if strings.Contains(header.Get("X-Octopus-Warnings"), "approx") || header.Get("X-Octopus-Attempts") != "1" || header.Get("X-Upstream-Request-Id") == "" {
					t.Errorf("headers: %v", header)
				}
				log := w.providers[0].Requests()
				if len(log) != 1 || !strings.HasSuffix(log[0].Path, strings.TrimPrefix(countPath[upstream], "/v1")) {
					t.Fatalf("the provider got %+v", log)
				}
				for _, field := range []string{`"stream"`, `"metadata"`, `"store"`, `tokens"`} {
					if strings.Contains(string(log[0].Body), field) {
						t.Errorf("%s was sent: %s", field, log[0].Body)
					}
				}
				o := w.ledger.wait(t, 1)
				if o.Operation != outcome.CountTokens || o.Class != outcome.ClassNone || o.Usage.Knowledge != llm.Unknown {
					t.Errorf("outcome: %+v", o)
				}
			})
		}
	}
}

func TestTokensAreEstimatedForChat(t *testing.T) {
	for client := range countPath {
		w := newWorld(t, 1, speaking(llm.Chat))
		status, answer, header := w.count(client, answerBody[client])
		if status != 200 || answer != countAnswer(client, estimatedTokens) {
			t.Fatalf("%v: got %d, %s", client, status, answer)
		}
		for name, want := range map[string]string{
			"X-Octopus-Channel": "p1", "X-Octopus-Model": "upstream", "X-Octopus-Attempts": "0",
			"X-Octopus-Warnings": "approx=input_tokens", "Content-Type": "application/json",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%v: %s: got %q, want %q", client, name, got, want)
			}
		}
		if header.Get("Request-Id") == "" || header.Get("X-Request-Id") != header.Get("Request-Id") {
			t.Errorf("%v: request ids are missing: %v", client, header)
		}
		if n := len(w.providers[0].Requests()); n != 0 {
			t.Errorf("%v: the provider got %d requests", client, n)
		}
		o := w.ledger.wait(t, 1)
		if o.Status != 200 || o.Class != outcome.ClassNone || o.Operation != outcome.CountTokens || len(o.Attempts) != 0 ||
			o.Group != "m" || o.Warnings != "approx=input_tokens" || o.BytesOut != int64(len(answer)) || o.Usage.Knowledge != llm.Unknown {
			t.Errorf("%v: outcome: %+v", client, o)
		}
	}
}

func TestEstimatesSayNothingOfTheRelayWhenAskedNotTo(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) {
		speaking(llm.Chat)(c)
		c.Settings.RelayHeaders = false
	})
	if status, _, header := w.count(llm.Messages, countBody[llm.Messages]); status != 200 || header.Get("X-Octopus-Warnings")+header.Get("X-Octopus-Channel") != "" {
		t.Errorf("got %d, %v", status, header)
	}
}

func TestTokensAreEstimatedWhereTheProviderHasNoEndpoint(t *testing.T) {
	for _, upstream := range []llm.Protocol{llm.Responses, llm.Messages} {
		w := newWorld(t, 2, speaking(upstream))
		for client := range countPath {
			for _, fault := range []int{404, 405, 501} {
				row := w.script(fmt.Sprintf("status=%d", fault))
				status, answer, header := w.count(client, countBody[client])
				if status != 200 || answer != countAnswer(client, estimatedTokens) || header.Get("X-Octopus-Channel") != "p1" ||
					header.Get("X-Octopus-Warnings") != "approx=input_tokens" || header.Get("Retry-After") != "" {
					t.Errorf("%v on %v, %d: got %d, %s, %v", client, upstream, fault, status, answer, header)
				}
				o := w.ledger.wait(t, row)
				if o.Class != outcome.ClassNone || len(o.Attempts) != 1 || o.Attempts[0].Status != fault ||
					o.Attempts[0].Class != outcome.ClassNone || o.Attempts[0].Message == "" {
					t.Errorf("%v on %v, %d: outcome: %+v", client, upstream, fault, o)
				}
			}
		}
	}
}

func TestCountingFailsOver(t *testing.T) {
	w := newWorld(t, 2, func(c *config.Config) {
		speaking(llm.Messages)(c)
		c.Channels[1].Endpoints = c.Channels[1].Endpoints[:1] // Chat
	})
	row := w.script("status=503")
	status, answer, header := w.count(llm.Messages, countBody[llm.Messages])
	if status != 200 || answer != countAnswer(llm.Messages, estimatedTokens) || header.Get("X-Octopus-Channel") != "p2" || header.Get("X-Octopus-Attempts") != "1" {
		t.Errorf("got %d, %s, %v", status, answer, header)
	}
	if o := w.ledger.wait(t, row); o.Class != outcome.ClassNone || len(o.Attempts) != 1 || o.Attempts[0].Class != outcome.ClassOverloaded {
		t.Errorf("outcome: %+v", o)
	}
	// Elsewhere 404 means that the model is missing, and other faults are no reason to guess.
	alone := newWorld(t, 1, speaking(llm.Messages))
	alone.script("status=404")
	if status, answer, _ := alone.call(llm.Messages, "m", false); status == 200 {
		t.Errorf("an answer: got %d, %s", status, answer)
	}
	alone.script("status=429")
	if status, answer, _ := alone.count(llm.Responses, countBody[llm.Responses]); status != 429 || !strings.Contains(answer, `"error"`) {
		t.Errorf("a limit: got %d, %s", status, answer)
	}
}

func TestWhatIsNoPromptIsNotCounted(t *testing.T) {
	bad := map[llm.Protocol]string{
		llm.Messages:  `{"model":"m","messages":[{"role":"nobody","content":"hello"}]}`,
		llm.Responses: `{"model":"m","input":[{"type":"message","role":"user","content":7}]}`,
	}
	chat, lacking := newWorld(t, 1, speaking(llm.Chat)), newWorldOf(t, 1, gatewaytest.Options{}, speaking(llm.Messages))
	lacking.script("status=404")
	for client, body := range bad {
		for name, w := range map[string]*world{"chat": chat, "no endpoint": lacking} {
			status, answer, header := w.count(client, body)
			if status != 400 || (client == llm.Messages) != strings.HasPrefix(answer, `{"type":"error"`) || header.Get("X-Octopus-Warnings") != "" {
				t.Errorf("%v, %s: got %d, %s", client, name, status, answer)
			}
		}
	}
	if o := chat.ledger.wait(t, 1); o.Class != outcome.ClassInvalid || len(o.Attempts) != 0 {
		t.Errorf("outcome: %+v", o)
	}
}
