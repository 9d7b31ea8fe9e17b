package gatewaytest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"octopus/codec/llm"
)

func TestCredentialIsRequired(t *testing.T) {
	p := start(t, Options{})
	for _, c := range []struct {
		name, header string
		want         int
	}{
		{"none", "x-team: no-key: here\r\n", 401},
		{"bearer", "Authorization: Bearer sk-1\r\n", 200},
		{"bearer in lower case", "authorization: bearer sk-1\r\n", 200},
		{"x-api-key", "x-api-key: sk-1\r\n", 200},
		{"api-key", "api-key: sk-1\r\n", 200},
		{"a bad one", "Authorization: Bearer bad-key\r\n", 401},
		{"a bad one in the other header", "x-api-key: bad\r\n", 401},
	} {
		for _, protocol := range llm.Protocols {
			got := fetch(t, p, question{protocol: protocol, model: "m", header: c.header})
			if got.status != c.want {
				t.Errorf("%s, %s: status %d, want %d", c.name, protocol, got.status, c.want)
			}
		}
	}
	contains(t, fetch(t, p, question{protocol: llm.Chat, model: "m", header: "api-key: bad\r\n"}).body,
		`"code":"invalid_api_key"`)
	contains(t, fetch(t, p, question{protocol: llm.Messages, model: "m", header: "api-key: bad\r\n"}).body,
		`{"type":"error","error":{"type":"authentication_error"`)
}

func TestHeadersAreThoseOfTheProtocol(t *testing.T) {
	p := start(t, Options{})
	for protocol, names := range map[llm.Protocol][]string{
		llm.Chat:     {"X-Request-Id", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Tokens", "Openai-Version"},
		llm.Messages: {"Request-Id", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	} {
		ids := map[string]bool{}
		for _, directives := range []string{"", "!status=500", "!status=429", "!empty"} {
			got := fetch(t, p, question{protocol: protocol, model: "m" + directives})
			for _, name := range names {
				if got.header.Get(name) == "" {
					t.Errorf("%s%s: no header %s", protocol, directives, name)
				}
			}
			ids[got.header.Get(names[0])] = true
		}
		if len(ids) != 4 {
			t.Errorf("%s: request ids repeat: %v", protocol, ids)
		}
	}
}

func TestUnknownPathsAndBodies(t *testing.T) {
	p := start(t, Options{})
	for _, c := range []struct {
		question question
		want     int
	}{
		{question{path: "/v1/embeddings", body: "{}"}, 404},
		{question{path: "/chat/completions", body: "{}"}, 404},
		{question{path: "/v1/chat/completions", body: "GET"}, 404},
		{question{path: "/v1/chat/completions", body: "[]"}, 400},
		{question{path: "/v1/chat/completions", body: `{"model":"m"`}, 400},
		{question{path: "/v1/chat/completions", body: `{"model":"m"} x`}, 400},
		{question{path: "/v1/chat/completions", body: `{"model":"m}`}, 400},
		{question{path: "/v1/chat/completions", body: "\n"}, 400},
	} {
		if got := fetch(t, p, c.question); got.status != c.want || !strings.HasPrefix(got.body, `{"error":{`) {
			t.Errorf("%s %s: %d %s, want %d", c.question.path, c.question.body, got.status, got.body, c.want)
		}
	}
}

func TestPrefix(t *testing.T) {
	p := start(t, Options{Prefix: "/openai/v9"})
	if !strings.HasSuffix(p.URL(), "/openai/v9") || p.URL() != p.Origin()+"/openai/v9" {
		t.Errorf("URL %s, origin %s", p.URL(), p.Origin())
	}
	if got := fetch(t, p, question{path: "/openai/v9/models", body: "GET"}); got.status != 200 {
		t.Errorf("status %d, want 200", got.status)
	}
}

func TestTextObeysTheOutputLimit(t *testing.T) {
	p := start(t, Options{})
	for _, c := range []struct {
		protocol   llm.Protocol
		body, want string
	}{
		{llm.Chat, `{"model":"m","max_completion_tokens":2,"messages":[]}`, `"finish_reason":"length"`},
		{llm.Chat, `{"model":"m","max_tokens":99,"messages":[]}`, `"finish_reason":"stop"`},
		{llm.Chat, `{"model":"m!tokens=9","max_tokens":2,"messages":[]}`, `"finish_reason":"stop"`},
		{llm.Responses, `{"model":"m","max_output_tokens":2,"input":[]}`, `"incomplete_details":{"reason":"max_output_tokens"}`},
		{llm.Messages, `{"model":"m","max_tokens":2,"messages":[]}`, `"stop_reason":"max_tokens"`},
	} {
		contains(t, fetch(t, p, question{protocol: c.protocol, body: c.body}).body, c.want)
	}
}

func TestInputTokensCountTextAlone(t *testing.T) {
	p := start(t, Options{})
	const system, user, answer = "Be nice.", "12345678 äöü 🐙 \n end", "yes"
	text := strings.ReplaceAll(user, "\n", `\n`)
	want := int64(8 + (len(system)+len(user)+len(answer)+len(user))/4)
	for _, q := range []question{
		{protocol: llm.Chat, body: `{"model":"m","messages":[{"role":"system","content":"` + system + `"},{"role":"user","content":[` +
			`{"type":"text","text":"` + text + `"},{"type":"image_url","image_url":{"url":"data:x"}}]},` +
			`{"role":"assistant","content":"` + answer + `"},{"content":"` + text + `","role":"user"}]}`},
		{protocol: llm.Responses, body: `{"model":"m","instructions":"` + system + `","input":[{"role":"user","content":[` +
			`{"type":"input_text","text":"` + text + `"}]},{"type":"message","role":"assistant","content":[` +
			`{"type":"output_text","text":"` + answer + `"}]},{"role":"user","content":"` + text + `"}]}`},
		{protocol: llm.Messages, body: `{"model":"m","max_tokens":99,"system":[{"type":"text","text":"` + system + `"}],` +
			`"messages":[{"role":"user","content":"` + text + `"},{"role":"assistant","content":"` + answer + `"},` +
			`{"role":"user","content":[{"type":"text","text":"` + text + `"}]}]}`},
	} {
		got := fetch(t, p, q)
		contains(t, got.body, "You wrote: "+text+`"`)
		log := p.Requests()
		if usage := log[len(log)-1].Usage; usage.Input != want {
			t.Errorf("%s: input %d, want %d", q.protocol, usage.Input, want)
		}
	}
}

func TestSeedMakesIDsRepeatable(t *testing.T) {
	body := func(o Options) string {
		return fetch(t, start(t, o), question{protocol: llm.Messages, model: "m"}).body
	}
	if first, second := body(Options{Seed: 7}), body(Options{Seed: 7}); first != second {
		t.Errorf("equal seeds give\n%s and\n%s", first, second)
	}
	if first, second := body(Options{}), body(Options{}); first == second {
		t.Errorf("two providers without a seed give %s", first)
	}
}

func TestTLS(t *testing.T) {
	for name, expired := range map[string]bool{"valid": false, "expired": true} {
		t.Run(name, func(t *testing.T) {
			p := start(t, Options{TLS: true, ExpiredCertificate: expired})
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(p.CertificatePEM()) {
				t.Fatal("no certificate in PEM")
			}
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			defer transport.CloseIdleConnections()
			request, err := http.NewRequest("GET", p.URL()+"/models", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer k")
			response, err := transport.RoundTrip(request)
			var invalid x509.CertificateInvalidError
			switch {
			case expired && (!errors.As(err, &invalid) || invalid.Reason != x509.Expired):
				t.Errorf("error %v, want an expired certificate", err)
			case !expired && err != nil:
				t.Error(err)
			case !expired:
				if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 200 {
					t.Errorf("status %d, error %v", response.StatusCode, err)
				}
				_ = response.Body.Close()
			}
		})
	}
}

func TestClientLeavesOverTLS(t *testing.T) {
	p := start(t, Options{TLS: true})
	plain := dial(t, p)
	secure := tls.Client(plain.Conn, &tls.Config{InsecureSkipVerify: true})
	if _, err := secure.Write(question{protocol: llm.Chat, model: "m!tokens=9,stall=2", stream: true}.bytes()); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, Conn: secure}
	c.in = plain.in
	c.in.Reset(secure)
	c.until(`" am"`)
	if err := secure.Close(); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, p, EndLeft)
}

func TestCloseEndsEverything(t *testing.T) {
	p, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	dial(t, p) // idle
	for _, directives := range []string{"silent", "delay=1h", "tokens=9,stall=2", "tokens=10000000", "tokens=9,every=1h"} {
		dial(t, p).send(question{protocol: llm.Chat, model: "m!" + directives, stream: true})
	}
	wait(t, p, Arrived(5))
	p.Close()
	p.Close()
	for _, e := range p.Requests() {
		if e.End != EndClosed {
			t.Errorf("%s ended %s, want %s", e.Model, e.End, EndClosed)
		}
	}
	if got := p.Counts().Open; got != 0 {
		t.Errorf("%d connections are open", got)
	}
}

func TestStartReportsWhatIsWrong(t *testing.T) {
	p := start(t, Options{})
	if second, err := Start(Options{Addr: p.address.String()}); err == nil {
		second.Close()
		t.Error("two providers listen on one address")
	}
	if second, err := Start(Options{Script: "nonsense"}); err == nil {
		second.Close()
		t.Error("a wrong script is accepted")
	}
}
