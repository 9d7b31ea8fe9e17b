package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// call is one request in one protocol.
type call struct {
	path, body string
	// whole is in an answer that is complete: its last event, or what a whole answer has and an error hasn't.
	whole string
	// first is in one event of a stream, early on; text in each that carries text; failed in the error event.
	first, text, failed string
}

// calls returns one call for each protocol.
func calls(model string, stream bool) []call {
	cs := []call{
		{
			path:   "/v1/chat/completions",
			body:   `{"model":%q,"stream":%t,"messages":[{"role":"user","content":"Hello"}]}`,
			whole:  "[DONE]",
			first:  `"content":""`,
			text:   `"delta":{"content":"`,
			failed: `data: {"error":`,
		},
		{
			path:   "/v1/responses",
			body:   `{"model":%q,"stream":%t,"input":"Hello"}`,
			whole:  "event: response.completed",
			first:  "event: response.created",
			text:   "event: response.output_text.delta",
			failed: "event: response.failed",
		},
		{
			path:   "/v1/messages",
			body:   `{"model":%q,"stream":%t,"max_tokens":1000,"messages":[{"role":"user","content":"Hello"}]}`,
			whole:  "event: message_stop",
			first:  "event: message_start",
			text:   `"type":"text_delta"`,
			failed: "event: error",
		},
	}
	for i := range cs {
		cs[i].body = fmt.Sprintf(cs[i].body, model, stream)
	}
	if !stream {
		cs[0].whole, cs[1].whole, cs[2].whole = `"chat.completion"`, `"completed"`, `"end_turn"`
	}
	return cs
}

// send begins the call at a data port, over a connection of its own.
func (c call) send(ctx context.Context, data string) (*http.Response, error) {
	return ask(ctx, "POST", "http://"+data+c.path, c.body,
		"Content-Type: application/json", "Authorization: Bearer "+testKey, "anthropic-version: 2023-06-01")
}

// do makes the call and returns status and body. Any error is status 0.
func (c call) do(ctx context.Context, data string) (status int, body string) {
	response, err := c.send(ctx, data)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// fault says what is wrong with the transcript of a stream that should hold that many events with text, or nothing.
func (c call) fault(transcript string, texts int) string {
	for _, part := range []struct {
		text string
		want int
	}{{c.first, 1}, {c.text, texts}, {c.whole, 1}, {c.failed, 0}} {
		if got := strings.Count(transcript, part.text); got != part.want {
			return fmt.Sprintf("%s: %d times %s, want %d; it ends with %q",
				c.path, got, part.text, part.want, transcript[max(0, len(transcript)-300):])
		}
	}
	return ""
}

// openStream is a stream whose first event with text has arrived.
type openStream struct {
	call
	response *http.Response
	lines    *bufio.Reader
	begun    string
}

// open makes a streaming call and reads up to the first text.
func (c call) open(ctx context.Context, data string) (*openStream, error) {
	response, err := c.send(ctx, data)
	if err != nil {
		return nil, err
	}
	s := &openStream{call: c, response: response, lines: bufio.NewReader(response.Body)}
	for !strings.Contains(s.begun, c.text) {
		line, err := s.lines.ReadString('\n')
		s.begun += line
		if err != nil {
			response.Body.Close()
			return nil, fmt.Errorf("%s: status %d, no text before %w: %s", c.path, response.StatusCode, err, s.begun)
		}
	}
	return s, nil
}

// rest reads the stream to its end and returns all of it.
func (s *openStream) rest() (string, error) {
	defer s.response.Body.Close()
	rest, err := io.ReadAll(s.lines)
	return s.begun + string(rest), err
}
