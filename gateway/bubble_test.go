package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
)

// bubble is a gateway in the fake time of synctest (inBubble). Its upstreams stand at the other ends of pipes, and requests
// are handed to it without a server in between.
type bubble struct {
	t       *testing.T
	gateway *Gateway
	ledger  *ledger
	client  *clientConn
}

// dialer opens a connection to an upstream of a bubble.
type dialer func(timeout time.Duration) (net.Conn, error)

// piped is an upstream that serves every connection in the same way, and closes it then.
func piped(serve func(c net.Conn, r *bufio.Reader)) dialer {
	return func(time.Duration) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			serve(theirs, bufio.NewReader(theirs))
			time.Sleep(time.Millisecond) // until the gateway waits: other calls than Read call the end of a pipe something else
			_ = theirs.Close()
		}()
		return ours, nil
	}
}

// answering is an upstream that reads a request and writes the pieces of its answer, each behind a pause.
func answering(pause time.Duration, pieces ...string) dialer {
	return piped(func(c net.Conn, r *bufio.Reader) {
		if _, err := readRequest(r); err != nil {
			return
		}
		for _, piece := range pieces {
			time.Sleep(pause)
			if _, err := io.WriteString(c, piece); err != nil {
				return
			}
		}
		_, _ = r.ReadByte() // until the gateway closes it
	})
}

// newBubble makes a gateway with the configuration of newConfig: a channel for each upstream.
func newBubble(t *testing.T, change func(*config.Config), upstreams ...dialer) *bubble {
	t.Helper()
	w := &bubble{t: t, ledger: &ledger{more: make(chan struct{}, 1)}}
	w.client, _ = fakeClient(t)
	var urls []string
	for i := range upstreams {
		urls = append(urls, fmt.Sprintf("http://p%d.test/v1", i+1))
	}
	c := newConfig(urls)
	if change != nil {
		change(c)
	}
	w.gateway = New(Options{MaxBodySize: 1 << 20, Ledger: w.ledger, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		_ = w.gateway.Shutdown(context.Background())
		time.Sleep(2 * upstreamIdle) // fasthttp's cleaner of connections sees that none are left, and ends
	})
	if err := w.gateway.Apply(c); err != nil {
		t.Fatal(err)
	}
	for id, o := range w.gateway.origins.known {
		for i := range upstreams {
			if id.channel == c.Channels[i].ID {
				o.client.DialTimeout = func(_ string, timeout time.Duration) (net.Conn, error) {
					conn, err := upstreams[i](timeout)
					if err != nil {
						return nil, err
					}
					return &upstreamConn{Conn: conn, silence: newSilence(-1)}, nil
				}
			}
		}
	}
	return w
}

// handle hands a request to the gateway. The answer's body is not written yet.
func (w *bubble) handle(method, path string, body io.Reader) *fasthttp.RequestCtx {
	ctx := new(fasthttp.RequestCtx)
	ctx.Init2(w.client, nil, false)
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI(path)
	ctx.Request.Header.Set("Authorization", "Bearer "+testKey)
	if body != nil {
		ctx.Request.SetBodyStream(body, -1)
	}
	w.gateway.handle(ctx)
	return ctx
}

// call asks for a small answer of the group "m" and returns its status and its body.
func (w *bubble) call(p llm.Protocol, stream bool) (int, string) {
	w.t.Helper()
	ctx := w.handle(http.MethodPost, paths[p], strings.NewReader(requestBody(p, "m", stream)))
	var body bytes.Buffer
	if err := ctx.Response.BodyWriteTo(&body); err != nil {
		w.t.Fatalf("writing the answer: %v", err)
	}
	return ctx.Response.StatusCode(), body.String()
}

// readRequest reads a request to its end and returns its body.
func readRequest(r *bufio.Reader) (string, error) {
	req, err := http.ReadRequest(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(req.Body)
	return string(body), err
}

// wholeChat is a whole answer of a Chat upstream, with its head.
var wholeChat = withHead(200, `{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`)

// withHead puts the head of a JSON answer in front of its body.
func withHead(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// streamHead is the head of a stream, chunked the framing of a part of it, and lastChunk its end.
const (
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	lastChunk  = "0\r\n\r\n"
)

func chunked(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

// chatEvent is an event of a Chat stream with some text, and chatEnd what follows the last one.
func chatEvent(text string) string {
	return chunked(fmt.Sprintf("data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":null}]}\n\n", text))
}

var chatEnd = chunked("data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n") + lastChunk
