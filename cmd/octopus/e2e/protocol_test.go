package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// protocol is one of the three ways to ask.
type protocol struct {
	// name is what tests call it, label what metrics do.
	name, label, path string
	// format makes a request from model, whether to stream, and a JSON string to say.
	format string
	// whole is part of every complete whole answer, end the last event of every complete stream.
	whole, end string
	// text is part of every event that carries text, failed of one that ends a broken stream.
	text, failed string
}

var protocols = []protocol{
	{
		name: "chat", label: "openai-chat", path: "/v1/chat/completions",
		format: `{"model":%q,"stream":%t,"messages":[{"role":"user","content":%s}]}`,
		whole:  `"finish_reason":"stop"`, end: "data: [DONE]",
		text: `"content":"`, failed: `data: {"error":{`,
	},
	{
		name: "responses", label: "openai-responses", path: "/v1/responses",
		format: `{"model":%q,"stream":%t,"input":%s}`,
		whole:  `"status":"completed"`, end: "event: response.completed",
		text: `"type":"response.output_text.delta"`, failed: "event: response.failed\n",
	},
	{
		name: "messages", label: "anthropic", path: "/v1/messages",
		format: `{"model":%q,"stream":%t,"max_tokens":1000,"messages":[{"role":"user","content":%s}]}`,
		whole:  `"stop_reason":"end_turn"`, end: "event: message_stop",
		text: `"type":"text_delta"`, failed: "event: error\n",
	},
}

// body returns a request that says hello.
func (p *protocol) body(model string, stream bool) string {
	return fmt.Sprintf(p.format, model, stream, `"Hello"`)
}

// lacks says what a complete answer would have and this one has not, or "".
func (p *protocol) lacks(answer string, stream bool) string {
	switch {
	case !stream && !strings.Contains(answer, p.whole):
		return p.whole
	case stream && !strings.Contains(answer, p.end):
		return p.end
	case stream && !strings.Contains(answer, p.text):
		return p.text
	case stream && strings.Contains(answer, p.failed):
		return "a good end"
	}
	return ""
}

// client keeps no connection: every request has one of its own, unless a test makes its own client.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

// send asks the data port of g over a connection of its own. Headers are given as "Name: value"; the API key is sent
// unless one of them is a credential.
func (g *gateway) send(ctx context.Context, method, path, body string, header ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+g.data+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+apiKey)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		if name == "X-Api-Key" {
			request.Header.Del("Authorization")
		}
		request.Header.Set(name, value)
	}
	return client.Do(request)
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
	// err is why there is no answer, or only a part of it.
	err error
}

// do asks the data port of g and reads the answer to its end.
func (g *gateway) do(ctx context.Context, method, path, body string, header ...string) answer {
	return read(g.send(ctx, method, path, body, header...))
}

// post is do for a request in a protocol.
func (g *gateway) post(ctx context.Context, p *protocol, body string, header ...string) answer {
	return g.do(ctx, "POST", p.path, body, header...)
}

func read(response *http.Response, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body), err}
}

// String shows the answer's beginning.
func (a answer) String() string {
	if a.err != nil {
		return fmt.Sprintf("%d %v", a.status, a.err)
	}
	return fmt.Sprintf("%d %.400s", a.status, a.body)
}

// checkError returns what is wrong with an answer that should be an error of that status in the shape of p
// (protocols.md A.9).
func (p *protocol) checkError(a answer, status int) error {
	if a.err != nil {
		return a.err
	}
	if a.status != status {
		return fmt.Errorf("status %d, want %d", a.status, status)
	}
	id := a.header.Get("X-Request-Id")
	if id == "" || id != a.header.Get("Request-Id") {
		return fmt.Errorf("request ids %q and %q, want one", id, a.header.Get("Request-Id"))
	}
	var outer, inner map[string]json.RawMessage
	decoder := json.NewDecoder(strings.NewReader(a.body))
	if err := decoder.Decode(&outer); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("there is more behind the JSON object")
	}
	if err := json.Unmarshal(outer["error"], &inner); err != nil {
		return err
	}
	wantOuter, wantInner := []string{"error"}, []string{"code", "message", "param", "type"}
	if p.name == "messages" {
		wantOuter, wantInner = []string{"error", "request_id", "type"}, []string{"message", "type"}
		if !bytes.Equal(outer["type"], []byte(`"error"`)) || string(outer["request_id"]) != `"`+id+`"` {
			return fmt.Errorf("type %s and request_id %s, want \"error\" and %q", outer["type"], outer["request_id"], id)
		}
	}
	if got := keys(outer); !slices.Equal(got, wantOuter) {
		return fmt.Errorf("members %v, want %v", got, wantOuter)
	}
	if got := keys(inner); !slices.Equal(got, wantInner) {
		return fmt.Errorf("members of error %v, want %v", got, wantInner)
	}
	if len(inner["message"]) < len(`"x"`) || len(inner["type"]) < len(`"x"`) {
		return fmt.Errorf("message %s and type %s, want some", inner["message"], inner["type"])
	}
	return nil
}

func keys(m map[string]json.RawMessage) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
