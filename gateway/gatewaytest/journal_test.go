package gatewaytest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
)

func TestExchangesAreRecorded(t *testing.T) {
	p := start(t, Options{})
	c := dial(t, p)
	begin := time.Now()
	q := question{protocol: llm.Chat, model: "gpt-5.4!tokens=3", stream: true,
		header: "authorization: Bearer sk-one\r\nx-team: blue\r\nX-Team: red\r\n"}
	q.path = "/v1/chat/completions?beta=true"
	body := c.ask(q).body
	c.ask(question{protocol: llm.Messages, model: "claude", header: "x-api-key: sk-two!tokens=2\r\n"})
	fetch(t, p, question{path: "/v1/models", body: "GET"})
	log := wait(t, p, Ended(3))

	first, second, third := log[0], log[1], log[2]
	if first.Number != 1 || second.Number != 2 || third.Number != 3 {
		t.Errorf("numbers %d, %d, %d", first.Number, second.Number, third.Number)
	}
	if first.Connection != 1 || second.Connection != 1 || third.Connection != 2 {
		t.Errorf("connections %d, %d, %d, want 1, 1, 2", first.Connection, second.Connection, third.Connection)
	}
	if first.Protocol != llm.Chat || second.Protocol != llm.Messages || third.Protocol != 0 {
		t.Errorf("protocols %s, %s, %s", first.Protocol, second.Protocol, third.Protocol)
	}
	if first.Method != "POST" || first.Path != "/v1/chat/completions" || first.Query != "beta=true" {
		t.Errorf("%s %s ? %s", first.Method, first.Path, first.Query)
	}
	if got := strings.Join(first.Header["X-Team"], ","); got != "blue,red" {
		t.Errorf("header X-Team = %q", got)
	}
	if first.Credential != "sk-one" || second.Credential != "sk-two" {
		t.Errorf("credentials %q, %q", first.Credential, second.Credential)
	}
	if first.Model != "gpt-5.4!tokens=3" || !first.Stream || second.Stream {
		t.Errorf("model %q, stream %v and %v", first.Model, first.Stream, second.Stream)
	}
	if !strings.HasPrefix(string(first.Body), `{"model":"gpt-5.4!tokens=3"`) {
		t.Errorf("body %s", first.Body)
	}
	if first.Status != 200 || first.End != EndComplete || first.Tokens != 3 || int(first.Written) < len(body) {
		t.Errorf("status %d, end %s, %d tokens, %d bytes", first.Status, first.End, first.Tokens, first.Written)
	}
	if first.Time.Before(begin) || first.Ended.Before(first.Time) || second.Time.Before(first.Ended) {
		t.Errorf("began %s, ended %s, the next began %s", first.Time, first.Ended, second.Time)
	}
	want := llm.Usage{Input: 10, Output: 3, Knowledge: llm.Reported} // 8 and a quarter of "Hello there"
	if first.Usage != want {
		t.Errorf("usage %+v, want %+v", first.Usage, want)
	}
}

// TestClientLeaves shows that the provider sees at once, whatever it does, that its client is gone.
func TestClientLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		directives string
		stream     bool
		// seen is what the client reads before it leaves.
		seen string
		// writes says that the provider does not wait, so that it sees only a connection that is closed altogether.
		writes bool
	}{
		"before the headers":               {"delay=1h", false, "", false},
		"before the headers, for ever":     {"silent", true, "", false},
		"between headers and first event":  {"prelude=1h", true, "\r\n\r\n", false},
		"before the first token":           {"first=1h", true, "data: ", false},
		"between tokens":                   {"tokens=9,every=1h", true, `"I"`, false},
		"in a stall":                       {"tokens=9,stall=3", true, `Octopus's`, false},
		"in a stall with pings":            {"tokens=9,stall=3,ping=5ms", true, `Octopus's`, false},
		"in the middle of a whole body":    {"stall=1", false, "{", false},
		"behind the end that never comes":  {"hang", true, "[DONE]", false},
		"in a body too large to be stored": {"tokens=10000000", true, `"I"`, true},
		"in an endless body":               {"endlessbody", true, "xxx", true},
	} {
		for _, how := range []string{"close", "close the writing half"} {
			if how != "close" && c.writes {
				continue
			}
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				p := start(t, Options{})
				client := dial(t, p)
				client.send(question{protocol: llm.Chat, model: "m!" + c.directives, stream: c.stream})
				if c.seen == "" {
					wait(t, p, Arrived(1))
				} else {
					client.until(c.seen)
				}
				left := time.Now()
				client.leave(how)
				got := expectEnd(t, p, EndLeft)
				if noticed := got.Ended.Sub(left); noticed > time.Second {
					t.Errorf("noticed after %s", noticed)
				}
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				if err := p.WaitOpen(ctx, 0); err != nil {
					t.Errorf("the connection stays open: %v", err)
				}
				if got := p.Counts().Left; got != 1 {
					t.Errorf("Counts().Left = %d, want 1", got)
				}
			})
		}
	}
}

// leave closes the connection, or its writing half.
func (c *client) leave(how string) {
	c.t.Helper()
	var err error
	if how == "close" {
		err = c.Close()
	} else {
		err = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestNextRequestMayArriveEarly(t *testing.T) {
	p := start(t, Options{})
	c := dial(t, p)
	c.send(question{protocol: llm.Chat, model: "m!tokens=3,every=10ms", stream: true})
	first := c.response()
	c.send(question{protocol: llm.Chat, model: "second"})
	if _, err := io.ReadAll(first.Body); err != nil {
		t.Fatal(err)
	}
	second := c.response()
	body, err := io.ReadAll(second.Body)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(body), `"model":"second"`)
	for i, e := range wait(t, p, Ended(2)) {
		if e.End != EndComplete {
			t.Errorf("exchange %d ended %s", i+1, e.End)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	p := start(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Wait(ctx, Arrived(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v, want %v", err, context.Canceled)
	}
	dial(t, p)
	wait(t, p, func([]Exchange) bool { return p.Counts().Open == 1 })
	if err := p.WaitOpen(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitOpen: %v, want %v", err, context.Canceled)
	}
}

func TestResetForgets(t *testing.T) {
	p := start(t, Options{})
	c := dial(t, p)
	c.send(question{protocol: llm.Chat, model: "m!silent"})
	wait(t, p, Arrived(1))
	p.Reset()
	if got := p.Requests(); len(got) != 0 {
		t.Errorf("%d requests after Reset", len(got))
	}
	if got := p.Counts().Requests; got != 1 {
		t.Errorf("Counts().Requests = %d, want 1", got)
	}
}

func TestNoLogRecordsNothingButCounts(t *testing.T) {
	p := start(t, Options{NoLog: true})
	c := dial(t, p)
	c.ask(question{protocol: llm.Chat, model: "m!tokens=7", stream: true})
	c.ask(question{protocol: llm.Chat, model: "m"})
	c.send(question{protocol: llm.Chat, model: "m!silent"})
	wait(t, p, func([]Exchange) bool { return p.Counts().Open == 1 })
	c.leave("close")
	wait(t, p, func([]Exchange) bool { return p.Counts().Open == 0 })
	if got, want := p.Counts(), (Counts{Accepted: 1, Requests: 3, Left: 1, Tokens: 7}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if got := len(p.Requests()); got != 0 {
		t.Errorf("%d requests recorded", got)
	}
}
