package gateway

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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
	"octopus/gateway/outcome"
)

const testKey = "sk-octopus-test-0123456789"

// ledger keeps outcomes for tests.
type ledger struct {
	mu   sync.Mutex
	rows []outcome.Outcome
	more chan struct{}
}

func (l *ledger) Record(o *outcome.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := *o
	row.ID = strings.Clone(o.ID)
	row.Attempts = append([]outcome.Attempt(nil), o.Attempts...)
	row.RequestBody, row.ResponseBody = bytes.Clone(o.RequestBody), bytes.Clone(o.ResponseBody)
	for i := range row.Attempts {
		row.Attempts[i].Skipped = slices.Clone(row.Attempts[i].Skipped)
	}
	row.Skipped = slices.Clone(o.Skipped)
	l.rows = append(l.rows, row)
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// wait returns the nth outcome, counted from 1.
func (l *ledger) wait(t *testing.T, n int) outcome.Outcome {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		l.mu.Lock()
		if len(l.rows) >= n {
			defer l.mu.Unlock()
			return l.rows[n-1]
		}
		l.mu.Unlock()
		select {
		case <-l.more:
		case <-timeout:
			t.Fatalf("only %d outcomes were recorded, want %d", len(l.rows), n)
		}
	}
}

// world is a gateway with providers behind it.
type world struct {
	t         *testing.T
	gateway   *Gateway
	ledger    *ledger
	url       string
	providers []*gatewaytest.Provider
	config    *config.Config
}

// newWorld starts n providers, each a channel p1, p2, … that speaks all protocols, and a gateway with the group "m" over
// all of them. change may alter the configuration before it is applied.
func newWorld(t *testing.T, n int, change func(*config.Config)) *world {
	t.Helper()
	return newWorldOf(t, n, gatewaytest.Options{Validate: true}, change)
}

// newWorldOf is newWorld with options for the providers.
func newWorldOf(t *testing.T, n int, options gatewaytest.Options, change func(*config.Config)) *world {
	t.Helper()
	w := &world{t: t, ledger: &ledger{more: make(chan struct{}, 1)}}
	var urls []string
	for range n {
		p, err := gatewaytest.Start(options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		w.providers = append(w.providers, p)
		urls = append(urls, p.URL())
	}
	w.config = newConfig(urls)
	if change != nil {
		change(w.config)
	}
	w.gateway = New(Options{MaxBodySize: 1 << 20, Ledger: w.ledger, Logger: slog.New(slog.DiscardHandler)})
	if err := w.gateway.Apply(w.config); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.gateway.Serve(ln, nil) }()
	w.url = "http://" + ln.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = w.gateway.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return w
}

// newConfig returns a configuration with a channel p1, p2, … for each base URL, which speaks all protocols there, the group
// "m" over all of them and testKey.
func newConfig(urls []string) *config.Config {
	group := config.Group{Object: config.Object{ID: "group0000001"}, Name: "m", Aliases: []string{"alias"}, Enabled: true,
		Mode: config.ModeFailover, Affinity: config.AffinityNone, Policy: config.DefaultPolicy()}
	group.Policy.Cooldown = config.Cooldown{Base: time.Minute, Max: time.Minute} // nobody waits for a target to come back
	c := &config.Config{Revision: 7, Settings: config.DefaultSettings()}
	for i, url := range urls {
		name := fmt.Sprintf("p%d", i+1)
		ch := config.Channel{Object: config.Object{ID: fmt.Sprintf("channel%05d", i)}, Name: name, Enabled: true,
			Keys: []config.Key{{ID: fmt.Sprintf("key000000%03d", i), Secret: config.Secret("sk-upstream-" + name), Weight: 1}}}
		for _, protocol := range llm.Protocols {
			ch.Endpoints = append(ch.Endpoints, config.Endpoint{Protocol: protocol, BaseURL: url})
		}
		c.Channels = append(c.Channels, ch)
		group.Members = append(group.Members, config.Member{Channel: name, Model: "upstream", Weight: 1, Priority: i})
	}
	c.Groups = []config.Group{group}
	c.APIKeys = []config.APIKey{{Object: config.Object{ID: "apikey000001"}, Name: "test", Enabled: true,
		SHA256: config.HashAPIKey([]byte(testKey)), Groups: []string{"*"}, Channels: []string{"*"}}}
	return c
}

// script sets what the first provider does from now on, and forgets what it did and how targets fared. It returns the number
// of the next outcome.
func (w *world) script(directives string) int {
	w.t.Helper()
	if err := w.providers[0].SetScript(directives); err != nil {
		w.t.Fatal(err)
	}
	for _, p := range w.providers {
		p.Reset()
	}
	w.gateway.ResetHealth("")
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return len(w.ledger.rows) + 1
}

// members sets the upstream models of the group, one for each provider: their directives say what happens.
func members(models ...string) func(*config.Config) {
	return func(c *config.Config) {
		for i, model := range models {
			c.Groups[0].Members[i].Model = model
		}
	}
}

// paths are the endpoints of the protocols.
var paths = map[llm.Protocol]string{llm.Chat: "/v1/chat/completions", llm.Responses: "/v1/responses", llm.Messages: "/v1/messages"}

// requestBody returns a small request in a protocol.
func requestBody(p llm.Protocol, model string, stream bool) string {
	switch p {
	case llm.Chat:
		return fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"hello"}]}`, model, stream)
	case llm.Responses:
		return fmt.Sprintf(`{"model":%q,"stream":%v,"input":"hello"}`, model, stream)
	}
	return fmt.Sprintf(`{"model":%q,"stream":%v,"max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`, model, stream)
}

// post sends a request and returns the answer with its body still open.
func (w *world) post(path, body string, headers ...string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// dial opens a connection to the gateway.
func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// send writes a request to a connection: its request line without the version, header lines, a body.
func send(t *testing.T, conn net.Conn, line, header, body string) {
	t.Helper()
	if !strings.Contains(header, "Authorization") {
		header += "Authorization: Bearer " + testKey + "\r\n"
	}
	if !strings.HasPrefix(header, "Transfer-Encoding:") {
		header += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", line, header, body); err != nil {
		t.Errorf("sending %s: %v", line, err)
	}
}

// receive reads the answer to a request and returns it with its body.
func receive(t *testing.T, conn net.Conn) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return resp, string(body)
}

// call sends a request in a protocol and returns status, body and headers.
func (w *world) call(p llm.Protocol, model string, stream bool) (int, string, http.Header) {
	w.t.Helper()
	resp := w.post(paths[p], requestBody(p, model, stream))
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("reading the answer: %v", err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// terminal is what a complete stream ends with.
var terminal = map[llm.Protocol]string{llm.Chat: "data: [DONE]\n\n", llm.Responses: "event: response.completed\n", llm.Messages: "event: message_stop\n"}

// eachKind runs a test for every protocol, streaming and not.
func eachKind(t *testing.T, test func(t *testing.T, p llm.Protocol, stream bool)) {
	for _, p := range llm.Protocols {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v stream=%v", p, stream), func(t *testing.T) { test(t, p, stream) })
		}
	}
}

func TestAnswersReachTheClientUntouched(t *testing.T) {
	eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
		w := newWorld(t, 1, members("upstream!tokens=20"))
		status, body, header := w.call(p, "m", stream)
		if status != 200 || stream != strings.Contains(body, terminal[p]) {
			t.Fatalf("got %d, %s", status, body)
		}
		log := w.providers[0].Requests()
		if len(log) != 1 || log[0].Model != "upstream!tokens=20" || log[0].Credential != "sk-upstream-p1" {
			t.Fatalf("the provider got %+v", log)
		}
		carrier := map[llm.Protocol]string{llm.Chat: "Authorization", llm.Responses: "Authorization", llm.Messages: "X-Api-Key"}[p]
		if len(log[0].Header.Values(carrier)) != 1 || len(log[0].Header["Authorization"])+len(log[0].Header["X-Api-Key"]) != 1 {
			t.Errorf("the credential travelled as %v", log[0].Header)
		}
		for name, want := range map[string]string{"X-Octopus-Channel": "p1", "X-Octopus-Model": "upstream!tokens=20", "X-Octopus-Attempts": "1"} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if header.Get("X-Request-Id") == "" || header.Get("Request-Id") != header.Get("X-Request-Id") || header.Get("X-Upstream-Request-Id") == "" {
			t.Errorf("request ids are missing: %v", header)
		}
		o := w.ledger.wait(t, 1)
		want := log[0].Usage
		want.Knowledge = llm.Reported
		if o.Status != 200 || o.Class != outcome.ClassNone || o.Usage != want {
			t.Errorf("outcome: got %+v, want usage %+v", o, want)
		}
		if stream != (o.FirstToken > 0) || o.Total < o.FirstToken || len(o.Attempts) != 1 {
			t.Errorf("times: first token %v, total %v, attempts %v", o.FirstToken, o.Total, o.Attempts)
		}
	})
}

func TestTokensAreCountedByTheProvider(t *testing.T) {
	w := newWorld(t, 1, nil)
	for path, body := range map[string]string{
		"/v1/messages/count_tokens":  `{"model":"m","messages":[{"role":"user","content":"hello"}]}`,
		"/v1/responses/input_tokens": `{"model":"m","input":"hello"}`,
	} {
		resp := w.post(path, body)
		defer resp.Body.Close()
		answer, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 || !strings.Contains(string(answer), `"input_tokens":9`) {
			t.Errorf("%s: got %d, %s", path, resp.StatusCode, answer)
		}
	}
	if o := w.ledger.wait(t, 2); o.Operation != outcome.CountTokens || o.Usage.Knowledge != llm.Unknown {
		t.Errorf("outcome: %+v", o)
	}
}

func TestHeldEventsAreSentOnce(t *testing.T) {
	first := map[llm.Protocol]string{llm.Chat: `"role":"assistant"`, llm.Responses: "event: response.created\n", llm.Messages: "event: message_start\n"}
	for _, p := range llm.Protocols {
		w := newWorld(t, 1, members("upstream!tokens=10,first=50ms,every=20ms"))
		_, body, _ := w.call(p, "m", true)
		if n := strings.Count(body, first[p]); n != 1 {
			t.Errorf("%v: the first event was sent %d times in %s", p, n, body)
		}
	}
}

func TestFailoverBeforeTheFirstEvent(t *testing.T) {
	w := newWorld(t, 2, nil)
	for _, fault := range []string{"status=503", "status=500", "status=429", "status=401", "status=404", "reset", "html", "empty", "error200",
		"truncated", "nochoices", "errorevent=0,status=529", "gzip", "redirect=http://127.0.0.1:9/", "endlessheaders"} {
		eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
			switch {
			case !stream && strings.HasPrefix(fault, "errorevent"), stream && fault == "truncated":
				return // an event is of a stream, and half a stream has begun
			case fault == "nochoices" && p != llm.Chat:
				return // the other protocols know an empty answer
			}
			row := w.script(fault)
			status, body, header := w.call(p, "m", stream)
			if status != 200 || header.Get("X-Octopus-Channel") != "p2" || stream && !strings.Contains(body, terminal[p]) {
				t.Fatalf("%s: got %d from %q: %s", fault, status, header.Get("X-Octopus-Channel"), body)
			}
			o := w.ledger.wait(t, row)
			if first := o.Attempts[0]; first.Class == outcome.ClassNone || first.Channel != "p1" {
				t.Errorf("%s: first attempt: %+v", fault, first)
			}
			if last := o.Attempts[len(o.Attempts)-1]; last.Class != outcome.ClassNone || last.Channel != "p2" {
				t.Errorf("%s: last attempt: %+v", fault, last)
			}
		})
	}
}

func TestWhatTheClientIsToldWhenAllTargetsFail(t *testing.T) {
	cases := []struct {
		fault  string
		status [3]int // by protocol
		class  outcome.Class
	}{
		{"status=400", [3]int{400, 400, 400}, outcome.ClassInvalid},
		{"status=401", [3]int{502, 502, 502}, outcome.ClassCredential},
		{"status=429,retry_after=7", [3]int{429, 429, 429}, outcome.ClassRateLimited},
		{"status=503", [3]int{503, 503, 529}, outcome.ClassOverloaded},
		{"status=500", [3]int{502, 502, 502}, outcome.ClassTransient},
		{"html", [3]int{502, 502, 502}, outcome.ClassNonsense},
	}
	w := newWorld(t, 1, nil)
	for _, c := range cases {
		for i, p := range llm.Protocols {
			t.Run(fmt.Sprintf("%s %v", c.fault, p), func(t *testing.T) {
				row := w.script(c.fault)
				status, body, header := w.call(p, "m", true)
				if status != c.status[i] {
					t.Errorf("status: got %d, want %d: %s", status, c.status[i], body)
				}
				var shape struct {
					Type  string
					Error struct{ Type, Message string }
				}
				if err := json.Unmarshal([]byte(body), &shape); err != nil || shape.Error.Message == "" || (shape.Type == "error") != (p == llm.Messages) {
					t.Errorf("not an error in the client's protocol: %s", body)
				}
				if c.class == outcome.ClassInvalid && header.Get("X-Upstream-Request-Id") == "" {
					t.Error("the provider's request id is missing")
				}
				if strings.Contains(c.fault, "retry_after") && header.Get("Retry-After") != "7" {
					t.Errorf("Retry-After: got %q", header.Get("Retry-After"))
				}
				if o := w.ledger.wait(t, row); o.Class != c.class || o.Status != status {
					t.Errorf("outcome: got %v with %d, want %v with %d", o.Class, o.Status, c.class, status)
				}
			})
		}
	}
}

func TestStreamsNeverEndAsIfTheyWereComplete(t *testing.T) {
	w := newWorld(t, 2, func(c *config.Config) { c.Groups[0].Policy.IdleTimeout = 150 * time.Millisecond })
	for _, fault := range []string{"tokens=20,cut=10", "tokens=20,cut=10,inside", "tokens=20,cut=10,rst", "tokens=20,every=5ms,errorevent=10", "tokens=20,stall=10"} {
		for _, p := range llm.Protocols {
			t.Run(fmt.Sprintf("%s %v", fault, p), func(t *testing.T) {
				row := w.script(fault)
				status, body, _ := w.call(p, "m", true)
				if status != 200 || strings.Contains(body, `"finish_reason":"stop"`) || strings.Contains(body, "response.completed") || strings.Contains(body, "message_stop") {
					t.Fatalf("got %d, %s", status, body)
				}
				want := map[llm.Protocol]string{llm.Chat: `"error":{`, llm.Responses: "event: response.failed\n", llm.Messages: "event: error\n"}[p]
				if !strings.Contains(body, want) || p == llm.Chat && !strings.HasSuffix(body, "data: [DONE]\n\n") {
					t.Errorf("no error event at the end: …%s", body[max(0, len(body)-400):])
				}
				checkEvents(t, body)
				if o := w.ledger.wait(t, row); o.Class != outcome.ClassCut || len(o.Attempts) != 1 {
					t.Errorf("outcome: got %v after %d attempts, want cut after 1", o.Class, len(o.Attempts))
				}
				if n := len(w.providers[1].Requests()); n != 0 {
					t.Errorf("the other target got %d requests", n)
				}
			})
		}
	}
}

// checkEvents checks that every event of a stream is whole.
func checkEvents(t *testing.T, stream string) {
	t.Helper()
	for _, event := range strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		for _, line := range strings.Split(event, "\n") {
			data, ok := strings.CutPrefix(line, "data: ")
			if ok && data != "[DONE]" && !json.Valid([]byte(data)) {
				t.Errorf("broken event: %q", line)
			}
		}
	}
}

func TestMissingTerminalEventIsAdded(t *testing.T) {
	for _, p := range []llm.Protocol{llm.Chat, llm.Messages} {
		t.Run(p.String(), func(t *testing.T) {
			w := newWorld(t, 1, members("upstream!tokens=5,noend"))
			status, body, _ := w.call(p, "m", true)
			if status != 200 || strings.Count(body, terminal[p]) != 1 {
				t.Errorf("got %d, %s", status, body)
			}
			if o := w.ledger.wait(t, 1); o.Class != outcome.ClassNone || o.Usage.Knowledge != llm.Reported {
				t.Errorf("outcome: %v, usage %+v", o.Class, o.Usage)
			}
		})
	}
}

func TestSilentUpstreamIsLeftForAnother(t *testing.T) {
	eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
		for _, fault := range []string{"silent", "first=1h"} {
			if !stream && fault != "silent" {
				continue // whole answers have no first event
			}
			w := newWorld(t, 2, func(c *config.Config) {
				members("upstream!"+fault, "upstream")(c)
				c.Groups[0].Policy.FirstTokenTimeout = 50 * time.Millisecond
				c.Groups[0].Policy.AnswerTimeout = 50 * time.Millisecond
			})
			status, _, header := w.call(p, "m", stream)
			if status != 200 || header.Get("X-Octopus-Channel") != "p2" {
				t.Fatalf("%s: got %d from %q", fault, status, header.Get("X-Octopus-Channel"))
			}
			w.waitFor(w.providers[0], gatewaytest.Ended(1))
			if log := w.providers[0].Requests(); len(log) != 1 || log[0].End != gatewaytest.EndLeft {
				t.Errorf("%s: the silent provider saw %+v", fault, log)
			}
			if o := w.ledger.wait(t, 1); o.Attempts[0].Class != outcome.ClassSilent {
				t.Errorf("%s: first attempt: %+v", fault, o.Attempts[0])
			}
		}
	})
}

// waitFor waits until a condition on a provider's log holds.
func (w *world) waitFor(p *gatewaytest.Provider, done func([]gatewaytest.Exchange) bool) []gatewaytest.Exchange {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	log, err := p.Wait(ctx, done)
	if err != nil {
		w.t.Fatalf("waiting for the provider: %v, log %+v", err, log)
	}
	return log
}

func TestDeadlineEndsTheCall(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) {
		members("upstream!silent")(c)
		c.Groups[0].Policy.Deadline = 100 * time.Millisecond
	})
	for _, stream := range []bool{false, true} {
		start := time.Now()
		status, body, _ := w.call(llm.Chat, "m", stream)
		if took := time.Since(start); status != 504 || took < 100*time.Millisecond || took > 2*time.Second {
			t.Errorf("stream=%v: got %d after %v: %s", stream, status, took, body)
		}
	}
}

func TestClientGetsSignsOfLifeBeforeTheFirstEvent(t *testing.T) {
	signs := map[llm.Protocol]string{llm.Chat: ": keep-alive\n\n", llm.Responses: ": keep-alive\n\n", llm.Messages: "event: ping\n"}
	for _, p := range llm.Protocols {
		t.Run(p.String(), func(t *testing.T) {
			w := newWorld(t, 1, func(c *config.Config) {
				members("upstream!delay=300ms,tokens=5")(c)
				c.Groups[0].Policy.KeepAlive = 50 * time.Millisecond
			})
			status, body, header := w.call(p, "m", true)
			if status != 200 || !strings.HasPrefix(body, signs[p]) || !strings.Contains(body, terminal[p]) {
				t.Errorf("got %d, %s", status, body)
			}
			if header.Get("X-Octopus-Channel") != "" || header.Get("X-Request-Id") == "" {
				t.Errorf("headers of an early answer: %v", header)
			}
		})
	}
}

func TestClientGetsSignsOfLifeInsideAStream(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) {
		members("upstream!tokens=4,every=200ms")(c)
		c.Groups[0].Policy.KeepAlive = 50 * time.Millisecond
	})
	_, body, _ := w.call(llm.Chat, "m", true)
	if n := strings.Count(body, ": keep-alive\n\n"); n < 6 || !strings.HasSuffix(body, terminal[llm.Chat]) {
		t.Errorf("%d signs of life in %s", n, body)
	}
	checkEvents(t, body)
}

func TestTargetsMayChangeAfterAnEarlyAnswer(t *testing.T) {
	w := newWorld(t, 2, func(c *config.Config) {
		members("upstream!delay=200ms,status=503", "upstream!tokens=5")(c)
		c.Groups[0].Policy.KeepAlive = 50 * time.Millisecond
	})
	status, body, _ := w.call(llm.Messages, "m", true)
	if status != 200 || !strings.Contains(body, terminal[llm.Messages]) || len(w.providers[1].Requests()) != 1 {
		t.Errorf("got %d, %s", status, body)
	}
}

func TestFailureAfterAnEarlyAnswerIsAnEvent(t *testing.T) {
	for _, p := range llm.Protocols {
		t.Run(p.String(), func(t *testing.T) {
			w := newWorld(t, 1, func(c *config.Config) {
				members("upstream!delay=200ms,status=400")(c)
				c.Groups[0].Policy.KeepAlive = 50 * time.Millisecond
			})
			status, body, _ := w.call(p, "m", true)
			want := map[llm.Protocol]string{llm.Chat: `data: {"error":`, llm.Responses: "event: response.failed\n", llm.Messages: "event: error\n"}[p]
			if status != 200 || !strings.Contains(body, want) {
				t.Errorf("got %d, %s", status, body)
			}
			if o := w.ledger.wait(t, 1); o.Class != outcome.ClassInvalid || o.Status != 200 {
				t.Errorf("outcome: %v, status %d", o.Class, o.Status)
			}
		})
	}
}

func TestClientThatLeavesClosesTheUpstreamConnection(t *testing.T) {
	w := newWorld(t, 2, nil)
	phases := []struct {
		name, script string
		stream       bool
		read         int // bytes of the answer that the client reads before it leaves
	}{
		{"before the headers of a whole answer", "silent", false, 0},
		{"inside a whole answer", "size=5000,stall=1", false, 0},
		{"before the headers of a stream", "silent", true, 0},
		{"before the first event", "first=1h", true, 0},
		{"inside a stream that pauses", "tokens=5,stall=3", true, 50},
		{"inside a stream that goes on", "tokens=100000,every=5ms", true, 50},
	}
	for _, p := range llm.Protocols {
		for _, phase := range phases {
			t.Run(fmt.Sprintf("%v %s", p, phase.name), func(t *testing.T) {
				row := w.script(phase.script)
				conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				body := requestBody(p, "m", phase.stream)
				fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", paths[p], testKey, len(body), body)
				w.waitFor(w.providers[0], gatewaytest.Arrived(1))
				if phase.read > 0 {
					if _, err := io.ReadFull(conn, make([]byte, phase.read)); err != nil {
						t.Fatal(err)
					}
				}
				left := time.Now()
				_ = conn.Close()
				log := w.waitFor(w.providers[0], gatewaytest.Ended(1))
				if took := log[0].Ended.Sub(left); log[0].End != gatewaytest.EndLeft || took > time.Second {
					t.Errorf("the provider saw %v after %v", log[0].End, took)
				}
				o := w.ledger.wait(t, row)
				if o.Class != outcome.ClassClientGone || o.Status != statusClientGone || len(o.Attempts) != 1 || o.Attempts[0].Class != outcome.ClassClientGone {
					t.Errorf("outcome: %v, status %d, attempts %+v", o.Class, o.Status, o.Attempts)
				}
			})
		}
	}
}

func TestHalfClosedClientCountsAsGone(t *testing.T) {
	w := newWorld(t, 1, members("upstream!silent"))
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := requestBody(llm.Chat, "m", false)
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%sGET / HTTP/1.1\r\n", testKey, len(body), body)
	w.waitFor(w.providers[0], gatewaytest.Arrived(1))
	_ = conn.(*net.TCPConn).CloseWrite()
	if log := w.waitFor(w.providers[0], gatewaytest.Ended(1)); log[0].End != gatewaytest.EndLeft {
		t.Errorf("the provider saw %v, although unread bytes stood before the FIN", log[0].End)
	}
}

func TestDeadKeptAliveConnectionIsInvisible(t *testing.T) {
	eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
		for _, how := range []string{"closeidle", "closenext"} {
			w := newWorld(t, 1, members("upstream!tokens=3,"+how))
			for i := range 10 {
				if status, body, _ := w.call(p, "m", stream); status != 200 {
					t.Fatalf("%s: request %d: got %d, %s", how, i+1, status, body)
				}
				if o := w.ledger.wait(t, i+1); len(o.Attempts) != 1 {
					t.Errorf("%s: %d attempts", how, len(o.Attempts))
				}
			}
		}
	})
}

func TestConnectionsOfFinishedAnswersAreReused(t *testing.T) {
	eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
		w := newWorld(t, 1, members("upstream!tokens=3"))
		for range 20 {
			w.call(p, "m", stream)
		}
		if n := w.providers[0].Counts().Accepted; n != 1 {
			t.Errorf("20 requests one after the other took %d connections", n)
		}
	})
}

func TestRoundRobinIsExact(t *testing.T) {
	w := newWorld(t, 3, func(c *config.Config) { c.Groups[0].Mode = config.ModeRoundRobin })
	var clients sync.WaitGroup
	for range 10 {
		clients.Go(func() {
			for range 30 {
				resp := w.post("/v1/chat/completions", requestBody(llm.Chat, "m", false))
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	clients.Wait()
	for i, p := range w.providers {
		if n := len(p.Requests()); n != 100 {
			t.Errorf("p%d got %d of 300 requests, want 100", i+1, n)
		}
	}
}

func TestBalancerGoesOnWhereTheGroupDidNotChange(t *testing.T) {
	w := newWorld(t, 3, func(c *config.Config) { c.Groups[0].Mode = config.ModeRoundRobin })
	for range 9 {
		w.call(llm.Chat, "m", false)
		next := *w.config
		next.Revision++
		if err := w.gateway.Apply(&next); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range w.providers {
		if n := len(p.Requests()); n != 3 {
			t.Errorf("p%d got %d of 9 requests, want 3", i+1, n)
		}
	}
}

func TestRunningCallsKeepTheirConfiguration(t *testing.T) {
	w := newWorld(t, 1, members("upstream!tokens=20,every=10ms"))
	resp := w.post("/v1/chat/completions", requestBody(llm.Chat, "m", true))
	defer resp.Body.Close()
	if err := w.gateway.Apply(&config.Config{Settings: config.DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(body), terminal[llm.Chat]) {
		t.Errorf("got %v, %s", err, body)
	}
	if status, _, _ := w.call(llm.Chat, "m", false); status != 401 {
		t.Errorf("a new request got %d, want 401", status)
	}
}

func TestShutdownLetsStreamsEndAndCutsTheRest(t *testing.T) {
	w := newWorld(t, 1, nil)
	short := w.post("/v1/chat/completions", requestBody(llm.Chat, "p1/x!tokens=20,every=10ms", true))
	defer short.Body.Close()
	long := w.post("/v1/messages", requestBody(llm.Messages, "p1/x!tokens=100000,every=10ms", true))
	defer long.Body.Close()
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		done <- w.gateway.Shutdown(ctx)
	}()
	if body, err := io.ReadAll(short.Body); err != nil || !strings.HasSuffix(string(body), terminal[llm.Chat]) {
		t.Errorf("the short stream: %v, %s", err, body)
	}
	if body, err := io.ReadAll(long.Body); err != nil || !strings.Contains(string(body), "event: error\n") {
		t.Errorf("the long stream: %v, …%s", err, body[max(0, len(body)-300):])
	}
	if err := <-done; err != context.DeadlineExceeded {
		t.Errorf("shutdown: %v", err)
	}
}

func TestSilentConnectionsDoNotDelayShutdown(t *testing.T) {
	w := newWorld(t, 1, nil)
	for range 3 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for w.gateway.clients.count.Load() < 3 {
		w.call(llm.Chat, "m", false) // accepted after the others
	}
	start := time.Now()
	if err := w.gateway.Shutdown(t.Context()); err != nil || time.Since(start) > 2*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) {
		c.Groups = append(c.Groups, config.Group{Name: "empty", Enabled: true, Mode: config.ModeRoundRobin, Policy: config.DefaultPolicy()})
		c.Channels = append(c.Channels, config.Channel{Name: "keyless", Enabled: true, Endpoints: c.Channels[0].Endpoints})
		c.Groups = append(c.Groups, config.Group{Name: "nokey", Enabled: true, Mode: config.ModeRoundRobin, Policy: config.DefaultPolicy(),
			Members: []config.Member{{Channel: "keyless", Model: "x", Weight: 1}}})
		limited := config.APIKey{Name: "limited", Enabled: true, SHA256: config.HashAPIKey([]byte("limited-limited-limited-limited")), Groups: []string{"empty"}}
		expired, disabled := c.APIKeys[0], c.APIKeys[0]
		expired.SHA256, expired.ExpiresAt = config.HashAPIKey([]byte("expired-expired-expired-expired")), time.Now().Add(-time.Second)
		disabled.SHA256, disabled.Enabled = config.HashAPIKey([]byte("disabled-disabled-disabled-disabled")), false
		c.APIKeys = append(c.APIKeys, limited, expired, disabled)
	})
	ok := requestBody(llm.Chat, "m", false)
	cases := []struct {
		name, path, body string
		headers          []string
		status           int
		want             string
	}{
		{"unknown model", paths[llm.Chat], requestBody(llm.Chat, "nobody", false), nil, 404, `nobody`},
		{"unknown model for Anthropic", paths[llm.Messages], requestBody(llm.Messages, "nobody", false), nil, 404, `"type":"not_found_error"`},
		{"endless model name", paths[llm.Chat], requestBody(llm.Chat, "p1/"+strings.Repeat("x", mostOfName+1), false), nil, 404, `model_not_found`},
		{"unknown channel", paths[llm.Chat], requestBody(llm.Chat, "px/m", false), nil, 404, `model_not_found`},
		{"no key", paths[llm.Chat], ok, []string{"Authorization", ""}, 401, `invalid_api_key`},
		{"unknown key", paths[llm.Chat], ok, []string{"Authorization", "Bearer nonsense"}, 401, `invalid_api_key`},
		{"expired key", paths[llm.Chat], ok, []string{"Authorization", "Bearer expired-expired-expired-expired"}, 401, `invalid_api_key`},
		{"disabled key", paths[llm.Chat], ok, []string{"Authorization", "Bearer disabled-disabled-disabled-disabled"}, 401, `invalid_api_key`},
		{"two keys", paths[llm.Chat], ok, []string{"X-Api-Key", "other"}, 400, `two different API keys`},
		{"a group that the key may not call", paths[llm.Chat], ok, []string{"Authorization", "Bearer limited-limited-limited-limited"}, 404, `model_not_found`},
		{"a channel that the key may not call", paths[llm.Chat], requestBody(llm.Chat, "p1/m", false), []string{"Authorization", "Bearer limited-limited-limited-limited"}, 404, `model_not_found`},
		{"malformed JSON", paths[llm.Chat], `{"model":"m",}`, nil, 400, `line 1, column 14`},
		{"empty body", paths[llm.Responses], ``, nil, 400, `empty`},
		{"no model", paths[llm.Chat], `{"messages":[]}`, nil, 400, `"param":"model"`},
		{"too large", paths[llm.Messages], `{"model":"` + strings.Repeat("x", 2<<20) + `"}`, nil, 413, `request_too_large`},
		{"group without members", paths[llm.Chat], requestBody(llm.Chat, "empty", false), nil, 503, `\"empty\"`},
		{"channel without keys", paths[llm.Chat], requestBody(llm.Chat, "nokey", false), nil, 503, `\"nokey\"`},
		{"unknown path", "/v1/completions", ok, nil, 404, `/v1/completions`},
		{"admin path", "/api/v1/channels", ok, nil, 404, `/api/v1/channels`},
		{"unknown encoding", paths[llm.Chat], ok, []string{"Content-Encoding", "br"}, 415, `br is not supported`},
		{"broken encoding", paths[llm.Chat], ok, []string{"Content-Encoding", "gzip"}, 400, `gzip`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp := w.post(c.path, c.body, c.headers...)
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !bytes.Contains(body, []byte(c.want)) {
				t.Errorf("got %d, %s; want %d with %q", resp.StatusCode, body, c.status, c.want)
			}
			if resp.Header.Get("Request-Id") == "" || resp.Header.Get("X-Request-Id") == "" {
				t.Errorf("no request id")
			}
		})
	}
	if n := len(w.providers[0].Requests()); n != 0 {
		t.Errorf("%d refused requests reached the provider", n)
	}
}

func TestUploadIsNotReadBeforeTheCredential(t *testing.T) {
	w := newWorld(t, 1, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 900000\r\n\r\n%s", strings.Repeat("x", 10<<10))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 401 {
		t.Errorf("got %v, %v; want 401 before the body is there", resp, err)
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t, 2, members("upstream!status=503", "upstream!tokens=5,garbage=2"))
	w.call(llm.Chat, "m", true)
	w.call(llm.Messages, "nobody", true)
	w.ledger.wait(t, 2)
	var b bytes.Buffer
	w.gateway.WriteMetrics(&b)
	for _, want := range []string{
		`octopus_requests_total{group="m",protocol="openai-chat",status="200"} 1`,
		`octopus_requests_total{group="",protocol="anthropic",status="404"} 1`,
		`octopus_attempts_total{channel="p1",class="overloaded"} 1`,
		`octopus_attempts_total{channel="p2",class="none"} 1`,
		`octopus_events_skipped_total{channel="p1"} 0`,
		`octopus_events_skipped_total{channel="p2"} 1`,
		`octopus_tokens_total{kind="output"} 5`,
		`octopus_in_flight 0`,
		`octopus_config_revision 7`,
		`octopus_request_seconds_count 2`,
		`octopus_first_token_seconds_count 1`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("missing %s in:\n%s", want, b.String())
		}
	}
}
