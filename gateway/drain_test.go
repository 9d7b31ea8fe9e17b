package gateway

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
	"octopus/gateway/outcome"
)

func draining(c *config.Config) {
	for i := range c.Channels {
		c.Channels[i].ClientGone = config.ClientGoneDrain
	}
}

// leave asks for an answer, reads so many bytes of it, and leaves.
func (w *world) leave(p llm.Protocol, stream bool, read int) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	body := requestBody(p, "m", stream)
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", paths[p], testKey, len(body), body)
	w.waitFor(w.providers[0], gatewaytest.Arrived(1))
	if _, err := io.ReadFull(conn, make([]byte, read)); err != nil {
		w.t.Fatal(err)
	}
}

func TestAChannelThatDrainsIsHeardToItsEnd(t *testing.T) {
	w := newWorld(t, 1, draining)
	for _, p := range llm.Protocols {
		for _, phase := range []struct {
			name, script string
			stream       bool
			read         int
		}{
			{"before a whole answer", "delay=400ms,tokens=30", false, 0},
			{"before the headers of a stream", "delay=400ms,tokens=30", true, 0},
			{"before the first event", "first=400ms,tokens=30", true, 0},
			{"inside a stream", "tokens=30,every=20ms", true, 50},
		} {
			t.Run(fmt.Sprintf("%v %s", p, phase.name), func(t *testing.T) {
				row := w.script(phase.script)
				w.leave(p, phase.stream, phase.read)
				o := w.ledger.wait(t, row)
				if o.Class != outcome.ClassClientGone || o.Status != statusClientGone || len(o.Attempts) != 1 {
					t.Errorf("outcome: %v, status %d, attempts %+v", o.Class, o.Status, o.Attempts)
				}
				if o.Usage.Knowledge != llm.Reported || o.Usage.Output != 30 {
					t.Errorf("the usage is %+v, want 30 tokens as reported", o.Usage)
				}
				if log := w.waitFor(w.providers[0], gatewaytest.Ended(1)); log[0].End == gatewaytest.EndLeft {
					t.Error("the provider was left before its end")
				}
			})
		}
	}
}

func TestADrainedFailureIsNotTriedElsewhere(t *testing.T) {
	w := newWorld(t, 2, draining)
	row := w.script("delay=400ms,status=503")
	w.leave(llm.Chat, true, 0)
	if o := w.ledger.wait(t, row); o.Class != outcome.ClassClientGone || len(o.Attempts) != 1 || len(w.providers[1].Requests()) != 0 {
		t.Errorf("outcome: %v, attempts %+v", o.Class, o.Attempts)
	}
}

func TestAShutdownEndsWhatDrains(t *testing.T) {
	w := newWorld(t, 1, draining)
	row := w.script("tokens=3,stall=2")
	w.leave(llm.Chat, true, 50)
	for {
		// Until the sweeper has seen the client leave.
		left := false
		w.gateway.clients.each(func(c *clientConn) {
			if running := c.call.Load(); running != nil {
				left = running.ended() == abandonedByClient
			}
		})
		if left {
			break
		}
		time.Sleep(time.Millisecond)
	}
	w.gateway.clients.cut()
	if o := w.ledger.wait(t, row); len(o.Attempts) != 1 {
		t.Errorf("outcome: %+v", o)
	}
}

// The call that follows a paused answer is waited for as well.
func TestAPausedAnswerIsDrained(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		event := func(kind, data string) string { return chunked("event: " + kind + "\ndata: " + data + "\n\n") }
		part := func(text, stop string, tokens int) string {
			return streamHead + event("message_start", `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}}}`) +
				event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`) +
				event("content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, text)) +
				event("content_block_stop", `{"type":"content_block_stop","index":0}`) +
				event("message_delta", fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":%d}}`, stop, tokens)) +
				event("message_stop", `{"type":"message_stop"}`)
		}
		upstream := &rehearsed{say: func(n int, _ string) []any {
			if n == 1 {
				paused := part("one ", "pause_turn", 3)
				text := strings.Index(paused, "event: content_block_stop") - len("4e\r\n")
				return []any{paused[:text], 10 * time.Millisecond, paused[text:], nil}
			}
			return []any{time.Second, part("two", "end_turn", 4) + lastChunk}
		}}
		w := rehearse(t, func(c *config.Config) {
			draining(c)
			speaking(llm.Messages)(c)
			c.Groups[0].Policy.KeepAlive = 100 * time.Millisecond // comes while the second call is waited for
			c.Groups[0].Members[0].Model = "claude-sonnet-4-5"
		}, upstream)
		ctx := w.handle("POST", paths[llm.Chat], strings.NewReader(
			`{"model":"m","stream":true,"web_search_options":{},"messages":[{"role":"user","content":"hello"}]}`))
		writes := 0
		_ = ctx.Response.BodyWriteTo(writerFunc(func(p []byte) (int, error) {
			if writes++; writes > 1 {
				return 0, io.ErrClosedPipe
			}
			return len(p), nil
		}))
		o := w.ledger.wait(t, 1)
		if want := (llm.Usage{Input: 10, Output: 7, Knowledge: llm.Reported}); o.Class != outcome.ClassClientGone || o.Usage != want {
			t.Errorf("%v after %d writes, usage %+v, want %+v", o.Class, writes, o.Usage, want)
		}
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
