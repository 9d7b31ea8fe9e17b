package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// dialect is a protocol as the bench speaks it: enough to ask, and to find the text in answers. It shares no code with
// the gateway, so that a fault can't hide in both.
type dialect struct {
	// name is the value of -protocol, channel the type of Octopus's channel.
	name, channel string
	path          string
	// credential is the header that carries an API key, behind scheme. version is the value of anthropic-version, or empty.
	credential, scheme, version string
	// body is the JSON of a request, open for model, system prompt, turns and stream.
	body string
	// textIn is what stands in front of the text of a whole answer.
	textIn string
	// delta marks an event that carries text, deltaIn stands in front of that text.
	delta, deltaIn string
	// last begins the last event of a stream.
	last string
}

// dialects are the three protocols, by what https://platform.openai.com/docs/api-reference and
// https://docs.anthropic.com/en/api/messages say.
var dialects = []*dialect{
	{
		name:       "chat",
		channel:    "openai-chat",
		path:       "/v1/chat/completions",
		credential: "Authorization",
		scheme:     "Bearer ",
		body:       `{"model":%q,"messages":[{"role":"system","content":%q},%s],"temperature":0.7,"stream":%t}`,
		textIn:     `"content":"`,
		delta:      `"delta":{"content"`,
		deltaIn:    `"content":"`,
		last:       "data: [DONE]",
	},
	{
		name:       "responses",
		channel:    "openai-responses",
		path:       "/v1/responses",
		credential: "Authorization",
		scheme:     "Bearer ",
		body:       `{"model":%q,"instructions":%q,"input":[%s],"temperature":0.7,"stream":%t}`,
		textIn:     `"text":"`,
		delta:      "event: response.output_text.delta\n",
		deltaIn:    `"delta":"`,
		last:       "event: response.completed\n",
	},
	{
		name:       "messages",
		channel:    "anthropic",
		path:       "/v1/messages",
		credential: "X-Api-Key",
		version:    "2023-06-01",
		body:       `{"model":%q,"max_tokens":4096,"system":%q,"messages":[%s],"temperature":0.7,"stream":%t}`,
		textIn:     `"text":"`,
		delta:      `"type":"text_delta"`,
		deltaIn:    `"text":"`,
		last:       "event: message_stop\n",
	},
}

// findDialect returns the dialect with that name, or nil.
func findDialect(name string) *dialect {
	for _, d := range dialects {
		if d.name == name {
			return d
		}
	}
	return nil
}

const (
	// clientKey is the API key of Octopus. The provider, and so the minimal proxy, take any.
	clientKey = "sk-octopus-bench-client-key"
	// upstreamKey is what both gateways send upstream.
	upstreamKey = "sk-provider-bench-key"
	// clientModel is what clients ask for, upstreamModel what Octopus makes of it. They are equally long, so that answers
	// are too.
	clientModel   = "model-asked"
	upstreamModel = "model-given"

	systemPrompt = "You are a helpful assistant. Answer in plain words, and say so when you don't know."
	filler       = "The quick brown fox jumps over the lazy dog while the band plays on. "
)

// requestBody returns the JSON of a request of about size bytes, at least 1 KiB: the larger, the longer the conversation.
func (d *dialect) requestBody(stream bool, size int) []byte {
	const (
		question = 800  // bytes of the last user message, which with all around it makes 1 KiB
		turn     = 2000 // bytes of one message before it
	)
	var turns strings.Builder
	for range max(0, size-1<<10) / (2 * turn) {
		fmt.Fprintf(&turns, `{"role":"user","content":%q},{"role":"assistant","content":%q},`, text(turn), text(turn))
	}
	fmt.Fprintf(&turns, `{"role":"user","content":%q}`, text(question))
	return fmt.Appendf(nil, d.body, clientModel, systemPrompt, turns.String(), stream)
}

// request returns the HTTP request with that body, ready to be sent. Script is what it asks of the provider; gateways
// don't let that pass.
func (d *dialect) request(body []byte, script string) []byte {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: octopus.test\r\nContent-Length: %d\r\n", d.path, len(body))
	header := d.header()
	if script != "" {
		header.Set("X-Script", script)
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		request = fmt.Appendf(request, "%s: %s\r\n", name, header.Get(name))
	}
	return append(append(request, "\r\n"...), body...)
}

// header returns the headers of every request.
func (d *dialect) header() http.Header {
	h := http.Header{}
	h.Set("Accept", "application/json")
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "octopus-bench")
	if d.version != "" {
		h.Set("Anthropic-Version", d.version)
	}
	h.Set(d.credential, d.scheme+clientKey)
	return h
}

// text returns n bytes of plain text.
func text(n int) string { return strings.Repeat(filler, n/len(filler)+1)[:n] }

// stringBehind returns the decoded JSON string whose inside begins behind mark, or false when there is none. The result
// points into data unless something was escaped.
func stringBehind(data []byte, mark string) ([]byte, bool) {
	_, rest, found := bytes.Cut(data, []byte(mark))
	if !found {
		return nil, false
	}
	escaped := false
	for end := 0; end < len(rest); end++ {
		switch rest[end] {
		case '\\':
			escaped = true
			end++
		case '"':
			if !escaped {
				return rest[:end], true
			}
			// Slow path: the bench's own texts have nothing to escape.
			var decoded string
			quoted := append(append([]byte{'"'}, rest[:end]...), '"')
			if json.Unmarshal(quoted, &decoded) != nil {
				return nil, false
			}
			return []byte(decoded), true
		}
	}
	return nil, false
}
