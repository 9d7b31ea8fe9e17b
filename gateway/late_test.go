package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// endings are the last events of answers up to their stop reason, by the upstream's protocol.
var endings = map[llm.Protocol]struct{ begin, text, stop, usage, end string }{
	llm.Chat: {
		begin: `data: {"id":"up_1","object":"chat.completion.chunk","model":"x","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}`,
		text:  `data: {"id":"up_1","object":"chat.completion.chunk","model":"x","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}`,
		stop:  `data: {"id":"up_1","object":"chat.completion.chunk","model":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
		usage: `data: {"id":"up_1","object":"chat.completion.chunk","model":"x","choices":[],` +
			`"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`,
		end: "data: [DONE]",
	},
	llm.Messages: {
		begin: `data: {"type":"message_start","message":{"id":"up_1","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"usage":{"input_tokens":7,"output_tokens":1}}}`,
		text: `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` +
			"\n\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}` +
			"\n\n" + `data: {"type":"content_block_stop","index":0}`,
		stop: `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}`,
		end:  `data: {"type":"message_stop"}`,
	},
}

// lingered is what a lingering upstream saw: how many connections, and when it had streamed its events.
type lingered struct {
	dialed  atomic.Int64
	stopped atomic.Pointer[time.Time]
}

// lingering is an upstream that streams events, then does something else with the connection.
func lingering(seen *lingered, then func(c net.Conn), events ...string) dialer {
	serve := piped(func(c net.Conn, r *bufio.Reader) {
		if _, err := readRequest(r); err != nil {
			return
		}
		_, _ = io.WriteString(c, streamHead)
		for _, event := range events {
			_, _ = io.WriteString(c, chunked(event+"\n\n"))
		}
		at := time.Now()
		seen.stopped.Store(&at)
		then(c)
		_, _ = r.ReadByte() // until the gateway closes it
	})
	return func(timeout time.Duration) (net.Conn, error) {
		seen.dialed.Add(1)
		return serve(timeout)
	}
}

func TestAnswerEndsSoonAfterItsStopReason(t *testing.T) {
	silence := func(net.Conn) {}
	comments := func(c net.Conn) {
		for {
			time.Sleep(300 * time.Millisecond)
			if _, err := io.WriteString(c, chunked(": still here\n\n")); err != nil {
				return
			}
		}
	}
	for _, upstream := range []llm.Protocol{llm.Chat, llm.Messages} {
		say := endings[upstream]
		for _, c := range []struct {
			name   string
			events []string
			then   func(net.Conn)
		}{
			{"silence behind the stop reason", []string{say.begin, say.text, say.stop}, silence},
			{"comments behind the stop reason", []string{say.begin, say.text, say.stop}, comments},
			{"nothing but a stop reason", []string{say.begin, say.stop}, silence},
		} {
			for _, client := range llm.Protocols {
				for _, kind := range []string{"stream", "collected"} {
					if kind == "collected" && client == upstream {
						continue // a whole answer is asked for then
					}
					t.Run(fmt.Sprintf("%s, %v on %v, %s", c.name, client, upstream, kind), func(t *testing.T) {
						inBubble(t, func(t *testing.T) {
							seen := new(lingered)
							w := newBubble(t, func(cfg *config.Config) {
								speaking(upstream)(cfg)
								cfg.Channels[0].Convert.UpstreamStream = config.UpstreamStreamAlways
							}, lingering(seen, c.then, c.events...))
							for n := 1; n <= 2; n++ {
								status, body := w.call(client, kind == "stream")
								took := time.Since(*seen.stopped.Load())
								if status != 200 || strings.Contains(body, "error\":{") || kind == "stream" && !strings.Contains(body, terminal[client]) {
									t.Fatalf("got %d, %s", status, body)
								}
								if took < time.Second || took > 2*time.Second+drainTimeout+10*time.Millisecond {
									t.Errorf("ended %v after the stop reason", took)
								}
								if o := w.ledger.wait(t, n); o.Class != outcome.ClassNone || len(o.Attempts) != 1 || o.Attempts[0].Class != outcome.ClassNone {
									t.Errorf("outcome: %+v", o)
								}
								if dialed := seen.dialed.Load(); dialed != int64(n) {
									t.Errorf("request %d: %d connections were opened", n, dialed)
								}
							}
						})
					})
				}
			}
		}
	}
}

func TestUsageThatComesLateIsWaitedFor(t *testing.T) {
	say := endings[llm.Chat]
	for _, client := range llm.Protocols {
		for _, stream := range []bool{true, false} {
			if !stream && client == llm.Chat {
				continue
			}
			t.Run(fmt.Sprintf("%v stream=%v", client, stream), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					seen := new(lingered)
					w := newBubble(t, func(cfg *config.Config) {
						speaking(llm.Chat)(cfg)
						cfg.Channels[0].Convert.UpstreamStream = config.UpstreamStreamAlways
					}, lingering(seen, func(c net.Conn) {
						time.Sleep(1400 * time.Millisecond)
						_, _ = io.WriteString(c, chunked(say.usage+"\n\n"+say.end+"\n\n")+lastChunk)
					}, say.text, say.stop))
					status, body := w.call(client, stream)
					o := w.ledger.wait(t, 1)
					if status != 200 || o.Usage.Input != 7 || o.Usage.Output != 3 || o.Usage.Knowledge != llm.Reported {
						t.Errorf("got %d, %s; usage %+v", status, body, o.Usage)
					}
				})
			})
		}
	}
}

func TestUpstreamsIDIsTold(t *testing.T) {
	for _, upstream := range llm.Protocols {
		w := newWorld(t, 1, speaking(upstream))
		eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
			w.script("tokens=3")
			_, body, header := w.call(p, "m", stream)
			id := header.Get("X-Upstream-Response-Id")
			if p == upstream {
				if id != "" {
					t.Errorf("an answer that passes has its own id, and %q", id)
				}
				return
			}
			prefix := map[llm.Protocol]string{llm.Chat: "chatcmpl-", llm.Responses: "resp_", llm.Messages: "msg_"}[upstream]
			if !strings.HasPrefix(id, prefix) || strings.Contains(body, id) {
				t.Errorf("%v upstream: got %q beside %s", upstream, id, body)
			}
		})
		silent := *w.config
		silent.Settings.RelayHeaders = false
		if err := w.gateway.Apply(&silent); err != nil {
			t.Fatal(err)
		}
		for _, p := range llm.Protocols {
			if _, _, header := w.call(p, "m", false); header.Get("X-Upstream-Response-Id") != "" {
				t.Errorf("without relay headers: %v", header)
			}
		}
	}
}
