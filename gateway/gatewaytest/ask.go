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
	// tools is the JSON array of tools, choice what the client says of them, or nil.
	tools, choice []byte
	// functions is the JSON array of functions, what tools once were, or nil.
	functions []byte
	// format is the JSON schema of the answer, an empty object when any JSON will do, or nil.
	format []byte
	// stops is the JSON string or array of stop sequences, or nil.
	stops []byte
	// display and thinking are those of Anthropic's settings of thinking.
	display, thinking string
	// previous is the id of the response that the request continues.
	previous string
	// unstored is whether the client wants the response not to be stored.
	unstored bool
	// rounds counts the rounds of results in the conversation, thoughts the pieces of reasoning that came back.
	rounds, thoughts int
	// results is the text of the last results, decoded.
	results []byte
	// paused counts the searches at which the turn that the request continues was paused; pausedAt is the id of the last.
	paused   int
	pausedAt []byte
	// user is the last user message, decoded. The array is kept for the next request.
	user []byte
	// textBytes is how many bytes of text messages and system prompts have.
	textBytes int
}

// notJSON is what is said of a body that is no JSON object.
const notJSON = "We could not parse the JSON body of your request."

// read reads the body of a request in protocol p. It returns false when that is no JSON object.
func (a *ask) read(p llm.Protocol, body []byte) bool {
	*a = ask{protocol: p, body: body, choices: 1, user: a.user[:0], results: a.results[:0]}
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
		case "functions":
			a.functions = value
		case "tool_choice":
			a.choice = value
		case "response_format":
			a.readFormat(value, member(member(value, "json_schema"), "schema"))
		case "text":
			format := member(value, "format")
			a.readFormat(format, member(format, "schema"))
		case "output_config":
			format := member(value, "format")
			a.readFormat(format, member(format, "schema"))
		case "output_format":
			a.readFormat(value, member(value, "schema"))
		case "stop", "stop_sequences":
			a.stops = value
		case "thinking":
			a.thinking, a.display = decoded(member(value, "type")), decoded(member(value, "display"))
		case "previous_response_id":
			a.previous = decoded(value)
		case "store":
			a.unstored = string(value) == "false"
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

// readFormat keeps the schema of the answer, or that it shall be JSON.
func (a *ask) readFormat(format, schema []byte) {
	switch decoded(member(format, "type")) {
	case "json_schema":
		a.format = schema
	case "json_object":
		a.format = []byte("{}")
	}
}

// readMessages counts the text of messages and keeps that of the last user message and of the last results.
func (a *ask) readMessages(messages []byte) {
	inResults := false
	for message := range elements(messages) {
		a.readMessage(message, &inResults)
	}
}

// readMessage reads a message, or an item of Responses. inResults is whether the one before it was a result.
func (a *ask) readMessage(message []byte, inResults *bool) {
	role, content := member(message, "role"), member(message, "content")
	a.textBytes += contentLen(content)
	if string(role) == `"user"` {
		if user := appendContent(a.user[:0], content); len(user) > 0 {
			a.user = user
		}
	}
	a.paused, a.pausedAt = 0, nil
	results := false
	if kind := member(message, "type"); bytes.HasSuffix(kind, []byte(`_call_output"`)) {
		results = true
		a.readResult(member(message, "output"), *inResults)
	} else if string(role) == `"tool"` || string(role) == `"function"` {
		results = true
		a.readResult(content, *inResults)
	}
	if string(member(message, "type")) == `"reasoning"` || member(message, "reasoning_content") != nil {
		a.thoughts++
	}
	for block := range elements(content) {
		switch string(member(block, "type")) {
		case `"thinking"`, `"redacted_thinking"`:
			a.thoughts++
		case `"tool_result"`:
			a.readResult(member(block, "content"), results)
			results = true
		case `"server_tool_use"`:
			a.paused++
			a.pausedAt = member(block, "id")
		case `"web_search_tool_result"`:
			a.pausedAt = nil
		}
	}
	*inResults = results
}

// readResult keeps the text of a call's result. more is whether it belongs to the same round as the one before.
func (a *ask) readResult(content []byte, more bool) {
	if more {
		a.results = append(a.results, " | "...)
	} else {
		a.rounds++
		a.results = a.results[:0]
	}
	a.results = appendContent(a.results, content)
}

// contentLen returns how many bytes of text content has: a string, or an array of parts.
func contentLen(content []byte) int {
	n := decodedLen(content)
	for part := range elements(content) {
		n += decodedLen(member(part, "text"))
	}
	return n
}

// appendContent appends the text of content, its parts joined by spaces. For images and files it says what they are.
func appendContent(dst, content []byte) []byte {
	start := len(dst)
	dst = appendDecoded(dst, content)
	for part := range elements(content) {
		before := len(dst)
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		said := len(dst)
		if text := member(part, "text"); isString(text) {
			dst = appendDecoded(dst, text)
		} else {
			dst = appendAttachment(dst, part)
		}
		if len(dst) == said {
			dst = dst[:before]
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

// forced returns whether the request forces a call, and the name, in JSON, of the tool that it names, if it does.
func (a *ask) forced() (forced bool, name []byte) {
	choice := a.choice
	kind := decoded(member(choice, "type"))
	switch {
	case a.tools == nil || choice == nil:
		return false, nil
	case isString(choice):
		return decoded(choice) == "required", nil
	case kind == "any":
		return true, nil
	case kind == "tool", a.protocol == llm.Responses && (kind == "function" || kind == "custom"):
		return true, member(choice, "name")
	case kind == "allowed_tools":
		if a.protocol == llm.Chat {
			choice = member(choice, kind)
		}
		return decoded(member(choice, "mode")) == "required", nil
	}
	name = member(member(choice, kind), "name")
	return name != nil, name
}

// number32 returns the integer that value is, or 0.
func number32(value []byte) int {
	n, err := strconv.ParseInt(string(value), 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}
