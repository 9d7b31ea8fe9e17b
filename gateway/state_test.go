package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// facing puts an upstream in place of the first provider, in a protocol.
func facing(t *testing.T, p llm.Protocol, handler http.Handler) func(*config.Config) {
	swap := behind(t, handler)
	return func(c *config.Config) {
		swap(c)
		c.Channels[0].Endpoints[0].Protocol = p
		c.Groups[0].Members[0].Model = "upstream"
	}
}

const (
	badSignature = "400 " + `{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid ` +
		"`signature` in `thinking` block" + `"}}`
	signedHistory = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"foreign"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}`
	shortMessage  = `200 {"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"fits"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}`

	unknownOptions = "400 " + `{"error":{"message":"Unknown parameter: 'stream_options'.","type":"invalid_request_error","param":"stream_options","code":"unknown_parameter"}}`
	shortStream    = "200 " + `data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}` + "\n\n" +
		`data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

// read sends a body and returns the status, the answer and the warnings.
func (w *world) read(path, body string) (int, string, string) {
	w.t.Helper()
	resp := w.post(path, body)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer), resp.Header.Get("X-Octopus-Warnings")
}

func TestForeignReasoningIsLeftOutOnTheSameTarget(t *testing.T) {
	upstream := &scriptedMessages{answers: []string{badSignature, shortMessage, badSignature, badSignature}}
	w := newWorld(t, 2, facing(t, llm.Messages, upstream))
	status, body, warnings := w.read("/v1/messages", signedHistory)
	if status != 200 || !strings.Contains(body, "fits") || warnings != "dropped=messages.content.thinking" {
		t.Fatalf("got %d, warnings %q, %s", status, warnings, body)
	}
	if len(upstream.bodies) != 2 || !strings.Contains(upstream.bodies[0], "foreign") || strings.Contains(upstream.bodies[1], "foreign") {
		t.Errorf("the upstream got %q", upstream.bodies)
	}
	o := w.ledger.wait(t, 1)
	if len(o.Attempts) != 2 || o.Attempts[0].Class != outcome.ClassState || o.Attempts[0].Verdict != outcome.TryAgain ||
		o.Attempts[1].Channel != "p1" || o.Class != outcome.ClassNone {
		t.Errorf("class %v, attempts %+v", o.Class, o.Attempts)
	}
	// It is another matter with each request, and a target that refuses still is left for another.
	if status, body, _ := w.read("/v1/messages", signedHistory); status != 200 || len(upstream.bodies) != 4 || !strings.Contains(upstream.bodies[2], "foreign") {
		t.Errorf("got %d, %s, and the upstream %q", status, body, upstream.bodies)
	}
	if o := w.ledger.wait(t, 2); len(o.Attempts) != 4 || o.Attempts[1].Channel != "p1" || o.Attempts[3].Channel != "p2" {
		t.Errorf("attempts: %+v", o.Attempts) // the second provider is a strict one too
	}
}

func TestStateThatCannotBeLeftOutIsAnotherTargetsMatter(t *testing.T) {
	upstream := &scriptedMessages{answers: []string{badSignature}}
	w := newWorld(t, 2, facing(t, llm.Messages, upstream))
	if status, body, _ := w.call(llm.Messages, "m", false); status != 200 || len(upstream.bodies) != 1 {
		t.Errorf("got %d after %d calls, %s", status, len(upstream.bodies), body)
	}
	w = newWorld(t, 1, facing(t, llm.Messages, upstream))
	status, body, _ := w.call(llm.Messages, "m", false)
	if status != 400 || strings.Contains(body, "signature") {
		t.Errorf("got %d, %s", status, body)
	}
	if o := w.ledger.wait(t, 1); o.Class != outcome.ClassState {
		t.Errorf("class %v", o.Class)
	}
}

func TestChannelsWithoutStreamOptionsAreRemembered(t *testing.T) {
	for _, client := range llm.Protocols {
		t.Run(client.String(), func(t *testing.T) {
			upstream := &scriptedMessages{answers: []string{unknownOptions, shortStream}}
			swap := facing(t, llm.Chat, upstream)
			w := newWorld(t, 1, swap)
			for range 2 {
				if status, body, _ := w.call(client, "m", true); status != 200 || !strings.Contains(body, terminal[client]) {
					t.Fatalf("got %d, %s", status, body)
				}
			}
			if len(upstream.bodies) != 3 || !strings.Contains(upstream.bodies[0], "stream_options") {
				t.Fatalf("the upstream got %q", upstream.bodies)
			}
			for _, body := range upstream.bodies[1:] {
				if strings.Contains(body, "stream_options") {
					t.Errorf("asked again: %s", body)
				}
			}
			if o := w.ledger.wait(t, 1); len(o.Attempts) != 2 || o.Attempts[0].Class != outcome.ClassState {
				t.Errorf("attempts: %+v", o.Attempts)
			}
			if o := w.ledger.wait(t, 2); len(o.Attempts) != 1 || o.Class != outcome.ClassNone {
				t.Errorf("class %v, attempts %+v", o.Class, o.Attempts)
			}
		})
	}
}

func TestRefusalAloneDoesNotTeachAboutStreamOptions(t *testing.T) {
	upstream := &scriptedMessages{answers: []string{unknownOptions, unknownOptions, shortStream}}
	w := newWorld(t, 1, facing(t, llm.Chat, upstream))
	if status, body, _ := w.call(llm.Chat, "m", true); status != 400 {
		t.Fatalf("got %d, %s", status, body)
	}
	if status, body, _ := w.call(llm.Chat, "m", true); status != 200 || !strings.Contains(upstream.bodies[2], "stream_options") {
		t.Errorf("got %d, %s, and the upstream %q", status, body, upstream.bodies)
	}
}

func TestPromptTooLongGoesToMembersWithAnotherModel(t *testing.T) {
	const tooLong = `400 {"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}`
	for _, c := range []struct {
		name     string
		models   [3]string
		attempts int
		status   int
		channel  string // of the last attempt
	}{
		{"the same model elsewhere is skipped", [3]string{"small", "openai/Small", "large"}, 2, 200, "p3"},
		{"no other model", [3]string{"small", "small", "small"}, 1, 400, "p1"},
		{"the next one", [3]string{"small", "large", "large"}, 2, 200, "p2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			upstream := &scriptedMessages{answers: []string{tooLong}}
			swap := facing(t, llm.Chat, upstream)
			w := newWorld(t, 3, func(cfg *config.Config) {
				swap(cfg)
				for i, model := range c.models {
					cfg.Groups[0].Members[i].Model = model
				}
			})
			status, body, _ := w.call(llm.Chat, "m", false)
			o := w.ledger.wait(t, 1)
			last := o.Attempts[len(o.Attempts)-1]
			if status != c.status || len(o.Attempts) != c.attempts || last.Channel != c.channel {
				t.Errorf("got %d, %s, attempts %+v", status, body, o.Attempts)
			}
			if c.status == 400 && !strings.Contains(body, "maximum context length is 8192") {
				t.Errorf("the provider's words are missing: %s", body)
			}
		})
	}
}

func TestContentFilterIsAskedOnceAndItsReasonReachesTheClient(t *testing.T) {
	const filtered = `400 {"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy (contoso.openai.azure.com, org-AbCdEf123456).","type":null,"param":"prompt","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`
	for _, client := range llm.Protocols {
		t.Run(client.String(), func(t *testing.T) {
			upstream := &scriptedMessages{answers: []string{filtered}}
			w := newWorld(t, 2, facing(t, llm.Chat, upstream))
			status, body, _ := w.call(client, "m", true)
			if status != 400 || !strings.Contains(body, "content management policy") || len(upstream.bodies) != 1 {
				t.Errorf("got %d after %d calls, %s", status, len(upstream.bodies), body)
			}
			if strings.Contains(body, "contoso") || strings.Contains(body, "AbCdEf") {
				t.Errorf("names of the account: %s", body)
			}
			if o := w.ledger.wait(t, 1); len(o.Attempts) != 1 || o.Class != outcome.ClassFilter {
				t.Errorf("class %v, attempts %+v", o.Class, o.Attempts)
			}
		})
	}
}

func TestSameModel(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"gpt-5.4", "gpt-5.4", true},
		{"gpt-5.4", "openai/GPT-5.4", true},
		{"a/x", "b/x", true},
		{"gpt-5.4", "gpt-5.4-mini", false},
		{"x/", "y", false},
	} {
		if got := sameModel(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: got %v", c.a, c.b, got)
		}
	}
}
