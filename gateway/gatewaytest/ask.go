package gatewaytest

import (
	"bytes"
	"strconv"

	"octopus/codec/llm"
)

// ask is what the provider reads of a request. Its slices point into the request's body.
type ask struct {
	protocol llm.Protocol
	body     []byte
	// model is the name before the "!", modelScript what stands behind it.
	model, modelScript string
	stream             bool
	includeUsage       bool
	// choices is Chat's n, 1 by default.
	choices int
	// limit is the most output tokens the client wants, 0 when it doesn't say.
	limit int
	// tools is the JSON array of tools, or nil.
	tools []byte
	// user is the last user message, decoded. The array is kept for the next request.
	user []byte
	// textBytes is how many bytes of text messages and system prompts have.
	textBytes int
}

// notJSON is what is said of a body that is no JSON object.
const notJSON = "We could not parse the JSON body of your request."

// read reads the body of a request in protocol p. It returns false when that is no JSON object.
func (a *ask) read(p llm.Protocol, body []byte) bool {
	*a = ask{protocol: p, body: body, choices: 1, user: a.user[:0]}
	start := skipSpace(body, 0)
	end := valueEnd(body, start)
	if end < 0 || body[start] != '{' || skipSpace(body, end) != len(body) {
		return false
	}
	for key, value := range members(body) {
		if string(value) == "null" {
			continue
		}
		switch string(key) {
		case "model":
			name, directives, _ := bytes.Cut(appendDecoded(nil, value), []byte{'!'})
			a.model, a.modelScript = string(name), string(directives)
		case "stream":
			a.stream = string(value) == "true"
		case "stream_options":
			a.includeUsage = string(member(value, "include_usage")) == "true"
		case "n":
			a.choices = max(1, number32(value))
		case "max_completion_tokens", "max_output_tokens", "max_tokens":
			a.limit = number32(value)
		case "tools":
			a.tools = value
		case "messages":
			a.readMessages(value)
		case "input":
			if isString(value) {
				a.textBytes += decodedLen(value)
				a.user = appendDecoded(a.user[:0], value)
			} else {
				a.readMessages(value)
			}
		case "instructions", "system":
			a.textBytes += contentLen(value)
		}
	}
	return true
}

// readMessages counts the text of messages and keeps that of the last user message.
func (a *ask) readMessages(messages []byte) {
	for message := range elements(messages) {
		role, content := member(message, "role"), member(message, "content")
		a.textBytes += contentLen(content)
		if string(role) == `"user"` {
			if user := appendContent(a.user[:0], content); len(user) > 0 {
				a.user = user
			}
		}
	}
}

// contentLen returns how many bytes of text content has: a string, or an array of parts.
func contentLen(content []byte) int {
	n := decodedLen(content)
	for part := range elements(content) {
		n += decodedLen(member(part, "text"))
	}
	return n
}

// appendContent appends the text of content, its parts joined by spaces.
func appendContent(dst, content []byte) []byte {
	dst = appendDecoded(dst, content)
	for part := range elements(content) {
		if text := member(part, "text"); isString(text) {
			if len(dst) > 0 {
				dst = append(dst, ' ')
			}
			dst = appendDecoded(dst, text)
		}
	}
	return dst
}

// inputTokens is how many tokens the request's input is said to have.
func (a *ask) inputTokens() int { return 8 + a.textBytes/4 }

// echo returns the request's own value of a top-level field, or what OpenAI answers when it is absent.
func (a *ask) echo(key, absent string) []byte {
	if value := member(a.body, key); value != nil {
		return value
	}
	return []byte(absent)
}

// number32 returns the integer that value is, or 0.
func number32(value []byte) int {
	n, err := strconv.ParseInt(string(value), 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}
