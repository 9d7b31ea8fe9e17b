package gateway

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// scriptedMessages is a Messages upstream that gives its answers one after the other and keeps what it was sent.
type scriptedMessages struct {
	mu      sync.Mutex
	answers []string // a status and a body; a body that is no JSON is an event stream
	bodies  []string
}

func (s *scriptedMessages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, string(body))
	answer := s.answers[min(len(s.bodies), len(s.answers))-1]
	var status int
	_, _ = fmt.Sscanf(answer, "%d", &status)
	if answer = answer[4:]; answer[0] == '{' {
		w.Header().Set("Content-Type", "application/json")
	} else {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// behind puts an upstream in place of the first provider.
func behind(t *testing.T, handler http.Handler) func(*config.Config) {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return func(c *config.Config) {
		speaking(llm.Messages)(c)
		c.Channels[0].Endpoints[0].BaseURL = server.URL
		c.Groups[0].Members[0].Model = "claude-sonnet-4-5"
	}
}

const overflow = `400 {"type":"error","error":{"type":"invalid_request_error","message":"input length and ` + "`max_tokens`" +
	` exceed context limit: 190000 + 32000 > 200000, decrease input length or ` + "`max_tokens`" + ` and try again"}}`

func TestChosenOutputLimitIsReducedOnce(t *testing.T) {
	message := `200 {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"fits"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}`
	upstream := &scriptedMessages{answers: []string{overflow, message, overflow}}
	w := newWorld(t, 1, behind(t, upstream))
	if status, body, _ := w.call(llm.Chat, "m", false); status != 200 || !strings.Contains(body, "fits") {
		t.Fatalf("got %d, %s", status, body)
	}
	if len(upstream.bodies) != 2 || !strings.Contains(upstream.bodies[1], `"max_tokens":10000`) {
		t.Errorf("the upstream got %q", upstream.bodies)
	}
	if o := w.ledger.wait(t, 1); o.Class != outcome.ClassNone || len(o.Attempts) != 1 {
		t.Errorf("outcome: %v after %d attempts", o.Class, len(o.Attempts))
	}
	// What the client chose is the client's matter, and what was reduced is not reduced again.
	if status, body, _ := w.call(llm.Chat, "m", false); status != 400 || len(upstream.bodies) != 4 {
		t.Errorf("got %d after %d calls, %s", status, len(upstream.bodies), body)
	}
}

func TestPausedAnswerGoesOn(t *testing.T) {
	part := func(text, stop string, tokens int) string {
		return fmt.Sprintf(`200 event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":%d}}

event: message_stop
data: {"type":"message_stop"}

`, text, stop, tokens)
	}
	upstream := &scriptedMessages{answers: []string{part("one ", "pause_turn", 3), part("two ", "pause_turn", 4), part("three", "end_turn", 5)}}
	w := newWorld(t, 1, behind(t, upstream))
	resp := w.post("/v1/chat/completions", `{"model":"m","stream":true,"stream_options":{"include_usage":true},"web_search_options":{},"messages":[{"role":"user","content":"hello"}]}`)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	body := string(raw)
	if err != nil || strings.Count(body, `"finish_reason":"stop"`) != 1 || !strings.HasSuffix(body, terminal[llm.Chat]) {
		t.Fatalf("got %v, %s", err, body)
	}
	for _, text := range []string{"one ", "two ", "three"} {
		if strings.Count(body, text) != 1 {
			t.Errorf("%q is not there once: %s", text, body)
		}
	}
	if len(upstream.bodies) != 3 || !strings.Contains(upstream.bodies[2], `{"type":"text","text":"two "`) {
		t.Fatalf("the upstream got %q", upstream.bodies)
	}
	o := w.ledger.wait(t, 1)
	if want := (llm.Usage{Input: 15, Output: 12, Knowledge: llm.Reported}); o.Usage != want || o.Class != outcome.ClassNone || len(o.Attempts) != 1 {
		t.Errorf("usage %+v, want %+v; class %v after %d attempts", o.Usage, want, o.Class, len(o.Attempts))
	}
}

func TestFollowUpThatFailsCutsTheAnswer(t *testing.T) {
	upstream := &scriptedMessages{answers: []string{`200 event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"pause_turn","stop_sequence":null},"usage":{"output_tokens":3}}

event: message_stop
data: {"type":"message_stop"}

`, `500 {"type":"error","error":{"type":"api_error","message":"down"}}`}}
	w := newWorld(t, 1, behind(t, upstream))
	resp := w.post("/v1/chat/completions", `{"model":"m","stream":true,"web_search_options":{},"messages":[{"role":"user","content":"hello"}]}`)
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(body), `"finish_reason":"stop"`) || !strings.Contains(string(body), `"error"`) {
		t.Errorf("got %d, %s", resp.StatusCode, body)
	}
}

// fanningOut makes the first channel ask once for each choice.
func fanningOut(change func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		change(c)
		c.Channels[0].Convert.FanOut = true
	}
}

func TestEachChoiceIsACall(t *testing.T) {
	message := func(text string) string {
		return fmt.Sprintf(`200 {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":%q}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}`, text)
	}
	upstream := &scriptedMessages{answers: []string{message("one"), message("two"), message("three"), message("four"), `500 {"type":"error","error":{"type":"api_error","message":"down"}}`}}
	w := newWorld(t, 1, fanningOut(behind(t, upstream)))
	resp := w.post("/v1/chat/completions", `{"model":"m","n":3,"messages":[{"role":"user","content":"hello"}]}`)
	defer resp.Body.Close()
	var answer struct {
		Choices []struct {
			Index   int
			Message struct{ Content string }
		}
		Usage struct {
			Prompt     int `json:"prompt_tokens"`
			Completion int `json:"completion_tokens"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.StatusCode, err)
	}
	for i, text := range []string{"one", "two", "three"} {
		if len(answer.Choices) != 3 || answer.Choices[i].Index != i || answer.Choices[i].Message.Content != text {
			t.Fatalf("got %+v", answer.Choices)
		}
	}
	if answer.Usage.Prompt != 15 || answer.Usage.Completion != 6 || resp.Header.Get("x-octopus-warnings") != "approx=n" {
		t.Errorf("usage %+v, warnings %q", answer.Usage, resp.Header.Get("x-octopus-warnings"))
	}
	if o := w.ledger.wait(t, 1); o.Usage != (llm.Usage{Input: 15, Output: 6, Knowledge: llm.Reported}) || len(o.Attempts) != 1 {
		t.Errorf("usage %+v after %d attempts", o.Usage, len(o.Attempts))
	}
	// The fourth answer is the first choice; the second fails for good.
	failed := w.post("/v1/chat/completions", `{"model":"m","n":2,"messages":[{"role":"user","content":"hello"}]}`)
	defer failed.Body.Close()
	if body, _ := io.ReadAll(failed.Body); failed.StatusCode < 500 || !strings.Contains(string(body), `"error"`) {
		t.Errorf("got %d, %s", failed.StatusCode, body)
	}
}

func TestLaterChoiceThatFailsCutsTheStream(t *testing.T) {
	upstream := &scriptedMessages{answers: []string{`200 event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}

event: message_stop
data: {"type":"message_stop"}

`, `400 {"type":"error","error":{"type":"invalid_request_error","message":"no"}}`}}
	w := newWorld(t, 1, fanningOut(behind(t, upstream)))
	resp := w.post("/v1/chat/completions", `{"model":"m","n":2,"stream":true,"messages":[{"role":"user","content":"hello"}]}`)
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(body), `"index":1`) || !strings.Contains(string(body), `"error"`) {
		t.Errorf("got %d, %s", resp.StatusCode, body)
	}
}

// TestLateEndOfAChoiceDoesNotHurryTheNext leaves out the terminal event of both choices: what the first had to be waited for says
// nothing of the second, which takes its time.
func TestLateEndOfAChoiceDoesNotHurryTheNext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var choices atomic.Int64
		w := newBubble(t, fanningOut(speaking(llm.Messages)), piped(func(c net.Conn, r *bufio.Reader) {
			if _, err := readRequest(r); err != nil {
				return
			}
			say := endings[llm.Messages]
			_, _ = io.WriteString(c, streamHead+chunked(say.begin+"\n\n"))
			if choices.Add(1) == 2 {
				time.Sleep(10 * time.Second)
			}
			_, _ = io.WriteString(c, chunked(say.text+"\n\n"))
			_, _ = io.WriteString(c, chunked(say.stop+"\n\n"))
			_, _ = r.ReadByte() // until the gateway closes it
		}))
		ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(`{"model":"m","n":2,"stream":true,"messages":[{"role":"user","content":"hello"}]}`))
		var body strings.Builder
		if err := ctx.Response.BodyWriteTo(&body); err != nil {
			t.Fatal(err)
		}
		if o := w.ledger.wait(t, 1); o.Class != outcome.ClassNone || strings.Count(body.String(), `"finish_reason":"stop"`) != 2 ||
			!strings.HasSuffix(body.String(), terminal[llm.Chat]) {
			t.Errorf("class %v, %s", o.Class, body.String())
		}
	})
}
