package gatewaytest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
)

// start starts a provider for one test.
func start(t *testing.T, o Options) *Provider {
	t.Helper()
	p, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// patience bounds every wait of these tests.
const patience = 10 * time.Second

func wait(t *testing.T, p *Provider, done func([]Exchange) bool) []Exchange {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	log, err := p.Wait(ctx, done)
	if err != nil {
		t.Fatalf("wait: %v; log: %+v", err, log)
	}
	return log
}

// question is a request of these tests.
type question struct {
	protocol llm.Protocol
	model    string
	stream   bool
	// header has further lines, each with its line end.
	header string
	// path and body replace those that follow from the above. The body GET makes a GET without one.
	path, body string
}

// path returns the endpoint of a protocol.
func path(p llm.Protocol) string {
	switch p {
	case llm.Chat:
		return "/v1/chat/completions"
	case llm.Responses:
		return "/v1/responses"
	}
	return "/v1/messages"
}

// fill returns q with a path and a body.
func (q question) fill() question {
	if q.path == "" {
		q.path = path(q.protocol)
	}
	if q.body != "" {
		return q
	}
	if q.protocol == llm.Responses {
		q.body = fmt.Sprintf(`{"model":%q,"input":"Hello there","stream":%v}`, q.model, q.stream)
		return q
	}
	options := ""
	if q.protocol == llm.Chat && q.stream {
		options = `,"stream_options":{"include_usage":true}`
	}
	q.body = fmt.Sprintf(`{"model":%q,"max_tokens":100,"messages":[{"role":"user","content":"Hello there"}],"stream":%v%s}`,
		q.model, q.stream, options)
	return q
}

// bytes returns the request as it goes over the wire, with a credential if there is none.
func (q question) bytes() []byte {
	q = q.fill()
	if !strings.Contains(q.header, "uthorization:") && !strings.Contains(q.header, "-key:") {
		q.header += "Authorization: Bearer sk-test\r\n"
	}
	method := "POST"
	if q.body == "GET" {
		method, q.body = "GET", ""
	}
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: provider\r\n%sContent-Length: %d\r\n\r\n%s", method, q.path, q.header,
		len(q.body), q.body)
}

// fixedNow is the time of answers that are compared.
func fixedNow() time.Time { return time.Unix(1790000000, 0) }

// client is one connection to a provider.
type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

// dial opens a connection, on which nothing takes longer than the tests' patience.
func dial(t *testing.T, p *Provider) *client {
	t.Helper()
	c, err := net.Dial("tcp", p.address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, Conn: c, in: bufio.NewReaderSize(c, 64<<10)}
}

func (c *client) send(q question) {
	c.t.Helper()
	if _, err := c.Write(q.bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// response reads the head of an answer.
func (c *client) response() *http.Response {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("read response: %v", err)
	}
	return response
}

// result is a whole answer.
type result struct {
	status int
	header http.Header
	body   string
	// closes says that the answer announces the end of the connection.
	closes bool
	// err is why the body ended too early.
	err error
	// took is the time from the request to the end.
	took time.Duration
}

// ask sends a question and reads the answer.
func (c *client) ask(q question) result {
	c.t.Helper()
	begin := time.Now()
	c.send(q)
	response := c.response()
	body, err := io.ReadAll(response.Body)
	return result{response.StatusCode, response.Header, string(body), response.Close, err, time.Since(begin)}
}

// fetch sends a question on a connection of its own.
func fetch(t *testing.T, p *Provider, q question) result {
	t.Helper()
	c := dial(t, p)
	defer func() { _ = c.Close() }()
	return c.ask(q)
}

// silent fails the test when anything arrives within a short while.
func (c *client) silent() {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		c.t.Fatal(err)
	}
	if b, err := c.in.Peek(1); err == nil {
		c.t.Errorf("%q arrived, want silence", b)
	} else if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		c.t.Errorf("the connection ended with %v, want silence", err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
}

// event is one server-sent event.
type event struct{ name, data string }

// events parses a stream, comments left out.
func events(body string) []event {
	body = strings.TrimPrefix(body, "\uFEFF")
	body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
	var all []event
	var one event
	var data []string
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && len(data) > 0:
			one.data = strings.Join(data, "\n")
			all = append(all, one)
			one, data = event{}, nil
		case field == "event":
			one.name = value
		case field == "data":
			data = append(data, value)
		}
	}
	return all
}

// chunks returns the chunks of a raw chunked answer, its head left out.
func chunks(t *testing.T, raw []byte) []string {
	t.Helper()
	_, rest, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	in := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest)))
	var all []string
	for {
		line, err := in.ReadLine()
		if err != nil {
			t.Fatalf("read chunk: %v", err)
		}
		var n int
		if _, err := fmt.Sscanf(line, "%x", &n); err != nil {
			t.Fatalf("chunk size %q: %v", line, err)
		}
		if n == 0 {
			return all
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(in.R, chunk); err != nil {
			t.Fatalf("read chunk of %d: %v", n, err)
		}
		all = append(all, string(chunk[:n]))
	}
}

// raw sends a question and returns every byte of the answer.
func raw(t *testing.T, p *Provider, q question) []byte {
	t.Helper()
	c := dial(t, p)
	defer func() { _ = c.Close() }()
	q.header += "Connection: close\r\n"
	c.send(q)
	all, err := io.ReadAll(c.in)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
