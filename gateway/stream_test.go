package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// idleAfter sets the longest silence inside an answer.
func idleAfter(d time.Duration) func(*config.Config) {
	return func(c *config.Config) { c.Groups[0].Policy.IdleTimeout = d }
}

func TestSilenceIsCountedFromTheLastEvent(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []string
		pause  time.Duration
		whole  bool
	}{
		{"a first event later than the idle timeout", []string{streamHead, chatEvent("a"), chatEvent("b"), chatEnd}, 0, true},
		{"events just in time", []string{streamHead + chatEvent("a"), chatEvent("b"), chatEvent("c"), chatEnd}, 900 * time.Millisecond, true},
		{"silence after an event", []string{streamHead + chatEvent("a"), chatEvent("b"), chatEnd}, 1100 * time.Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newBubble(t, idleAfter(time.Second), piped(func(conn net.Conn, r *bufio.Reader) {
					if _, err := readRequest(r); err != nil {
						return
					}
					for i, event := range c.events {
						if _, err := io.WriteString(conn, event); err != nil {
							return
						}
						if i == 0 && c.pause == 0 {
							time.Sleep(5 * time.Second)
						} else {
							time.Sleep(max(c.pause, 10*time.Millisecond))
						}
					}
				}))
				if _, body := w.call(llm.Chat, true); strings.Contains(body, `"finish_reason":"stop"`) != c.whole {
					t.Errorf("whole: want %v, got %s", c.whole, body)
				}
			})
		})
	}
}

// slowWriter is a client that takes its time over every write.
type slowWriter struct {
	io.Writer
	pause time.Duration
}

func (w slowWriter) Write(p []byte) (int, error) {
	time.Sleep(w.pause)
	return w.Writer.Write(p)
}

func TestSlowReaderIsNoSilenceOfTheUpstream(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, idleAfter(time.Second), answering(10*time.Millisecond, streamHead, chatEvent("a"), chatEvent("b"), chatEnd))
		ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", true)))
		var body strings.Builder
		err := ctx.Response.BodyWriteTo(slowWriter{&body, 5 * time.Second})
		if o := w.ledger.wait(t, 1); err != nil || o.Class != outcome.ClassNone || !strings.HasSuffix(body.String(), terminal[llm.Chat]) {
			t.Errorf("%v, class %v, %s", err, o.Class, body.String())
		}
	})
}

func TestErrorEventsAboutOurAccountAreToldInOurWords(t *testing.T) {
	for _, c := range []struct{ name, event string }{
		{"quota", `{"error":{"message":"Your account acme is not active, check your plan","type":"insufficient_quota","code":"insufficient_quota"}}`},
		{"credential", `{"error":{"message":"Incorrect API key provided for workspace acme","type":"authentication_error","code":"invalid_api_key"}}`},
		{"rate", `{"error":{"message":"Rate limit reached for deployment acme","type":"rate_limit_error","code":"rate_limit_exceeded"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newBubble(t, nil, answering(time.Millisecond, streamHead, chatEvent("a"), chunked("data: "+c.event+"\n\n")+lastChunk))
				_, body := w.call(llm.Chat, true)
				o := w.ledger.wait(t, 1)
				if strings.Contains(body, "acme") || strings.Contains(o.Message, "acme") {
					t.Errorf("the client got the provider's words: %s", body)
				}
				if !strings.Contains(body, `"error":{`) || strings.Contains(body, "authentication_error") || o.Class != outcome.ClassCut {
					t.Errorf("class %v, %s", o.Class, body)
				}
				if !strings.Contains(o.Attempts[0].Message, "acme") {
					t.Errorf("the attempt does not say what happened: %q", o.Attempts[0].Message)
				}
			})
		})
	}
}

func TestLargeRequestsThatAreRepeatedBeforeTheFirstEvent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		response := func(status string) string {
			return fmt.Sprintf(`{"id":"r","object":"response","status":%q,"instructions":%q,"output":[]}`, status, strings.Repeat("x", 40<<10))
		}
		event := func(name, fields string) string {
			return chunked(fmt.Sprintf("event: %s\ndata: {\"type\":%q,%s}\n\n", name, name, fields))
		}
		w := newBubble(t, nil, answering(time.Second, streamHead,
			event("response.created", `"sequence_number":0,"response":`+response("in_progress")),
			event("response.in_progress", `"sequence_number":1,"response":`+response("in_progress")),
			event("response.output_text.delta", `"sequence_number":2,"delta":"hi","item_id":"i","output_index":0,"content_index":0`),
			event("response.completed", `"sequence_number":3,"response":`+response("completed"))+lastChunk))
		if status, body := w.call(llm.Responses, true); status != 200 || !strings.Contains(body, terminal[llm.Responses]) {
			t.Errorf("got %d, %.200s", status, body)
		}
	})
}

func TestAnswerWhoseHeadCouldNotBeWrittenIsNoSuccess(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, nil, answering(0, wholeChat))
		ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "m", false)))
		_ = ctx.Response.CloseBodyStream()
		if o := w.ledger.wait(t, 1); o.Class != outcome.ClassClientGone || o.Status != statusClientGone {
			t.Errorf("outcome: %v with status %d", o.Class, o.Status)
		}
	})
}
