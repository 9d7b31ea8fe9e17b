package gatewaytest

import (
	"bytes"
	"math"
	"unicode/utf8"

	"octopus/codec/llm"
)

// answer is what the provider has to say, the same for all three protocols: reasoning, text, calls, in this order.
type answer struct {
	// id is the answer's own, message and reasoning those of Responses' items.
	id, message, thinking []byte
	// created is in Unix seconds.
	created int64

	reasoning words
	text      words
	refusal   bool
	calls     []call
	stop      stop
	usage     llm.Usage
}

// call is a call of one of the client's functions.
type call struct {
	// id is the call's, item that of Responses' item.
	id, item []byte
	// name is JSON, quotes included.
	name []byte
	// arguments is a JSON object.
	arguments []byte
}

// stop is why an answer ended.
type stop uint8

const (
	stopEnd stop = iota
	stopLength
	stopCalls
	stopRefusal
)

const (
	greeting     = " I am Octopus's scripted provider, not a model. You wrote: "
	refusalText  = " I'm sorry, but the script says that I can't help with that."
	thought      = " The script wants me to think, so let me think about this carefully before I answer."
	noMessage    = "(nothing)"
	maxEchoBytes = 400
)

// compose makes the answer to a. The provider's seed and the request's number are in g.
func (w *answer) compose(a *ask, s *script, g *ids, created int64) {
	w.created = created
	w.refusal = s.refusal
	w.stop = stopEnd
	w.calls = w.calls[:0]
	w.reasoning = words{base: w.reasoning.base, tokens: s.reasoning, size: never}
	w.reasoning.repeat(append(w.reasoning.base[:0], thought...))
	w.text = words{base: w.text.base, size: never, big: w.text.big[:0]}

	switch a.protocol {
	case llm.Chat:
		w.id = g.base62(w.id[:0], "chatcmpl-", 29)
	case llm.Responses:
		w.id = g.hex(w.id[:0], "resp_")
	default:
		w.id = g.base58(w.id[:0], "msg_01")
	}
	w.message = g.hex(w.message[:0], "msg_")
	w.thinking = g.hex(w.thinking[:0], "rs_")

	if s.calls > 0 {
		w.stop = stopCalls
		w.composeCalls(a, s.calls, g)
	}
	if s.calls == 0 || s.tokens > 0 || s.size > 0 {
		w.composeText(a, s)
	}
	if s.noChoices {
		w.reasoning.tokens, w.text.tokens, w.text.big, w.calls = 0, 0, w.text.big[:0], w.calls[:0]
	}
	w.composeUsage(a, s)
}

// composeText sets text and, when it is cut short or a refusal, stop.
func (w *answer) composeText(a *ask, s *script) {
	if s.refusal {
		w.text.repeat(append(w.text.base[:0], refusalText...))
		w.stop = stopRefusal
	} else {
		w.text.repeat(appendEcho(append(w.text.base[:0], greeting...), a.user))
	}
	for range s.bigEvent {
		w.text.big = append(w.text.big, 'x')
	}
	switch {
	case s.tokens > 0:
		w.text.tokens = s.tokens
		if s.size > 0 {
			w.text.size = s.size
		}
	case s.size > 0:
		w.text.tokens, w.text.size = never, s.size
	default:
		w.text.tokens = w.text.period
		if left := max(0, a.limit-s.reasoning); a.limit > 0 && left < w.text.tokens {
			w.text.tokens, w.stop = left, stopLength
		}
	}
}

// appendEcho appends the beginning of a user's message.
func appendEcho(dst, user []byte) []byte {
	user = bytes.TrimSpace(user)
	if !utf8.Valid(user) {
		user = bytes.ToValidUTF8(user, []byte("\uFFFD"))
	}
	if len(user) == 0 {
		return append(dst, noMessage...)
	}
	if len(user) > maxEchoBytes {
		end := maxEchoBytes
		for end > 0 && !utf8.RuneStart(user[end]) {
			end--
		}
		dst = append(dst, user[:end]...)
		return append(dst, "…"...)
	}
	return append(dst, user...)
}

// composeCalls makes n calls of the first function in the request, or of one named lookup.
func (w *answer) composeCalls(a *ask, n int, g *ids) {
	name, schema := []byte(`"lookup"`), []byte(`{"properties":{"query":{"type":"string"}}}`)
	for tool := range elements(a.tools) {
		if n, s := function(a.protocol, tool); n != nil {
			name, schema = n, s
			break
		}
	}
	for i := range n {
		if i < cap(w.calls) {
			w.calls = w.calls[:i+1]
		} else {
			w.calls = append(w.calls, call{})
		}
		c := &w.calls[i]
		if a.protocol == llm.Messages {
			c.id = g.base58(c.id[:0], "toolu_01")
		} else {
			c.id = g.base62(c.id[:0], "call_", 24)
		}
		c.item = g.hex(c.item[:0], "fc_")
		c.name = append(c.name[:0], name...)
		c.arguments = appendArguments(c.arguments[:0], schema, 0)
	}
}

// function returns the name and the parameters of a tool that is a function, else nil.
func function(p llm.Protocol, tool []byte) (name, schema []byte) {
	kind := member(tool, "type")
	switch p {
	case llm.Chat:
		if string(kind) != `"function"` {
			return nil, nil
		}
		tool = member(tool, "function")
		return member(tool, "name"), member(tool, "parameters")
	case llm.Responses:
		if string(kind) != `"function"` {
			return nil, nil
		}
		return member(tool, "name"), member(tool, "parameters")
	}
	if kind != nil && string(kind) != `"custom"` {
		return nil, nil
	}
	return member(tool, "name"), member(tool, "input_schema")
}

// maxSchemaDepth bounds what appendArguments makes of nested schemas.
const maxSchemaDepth = 4

// appendArguments appends a JSON object that fits a simple JSON schema: every property, with the first value its enum
// allows or a plausible one of its type.
func appendArguments(dst, schema []byte, depth int) []byte {
	dst = append(dst, '{')
	separator := ""
	for key, property := range members(member(schema, "properties")) {
		dst = put(dst, separator, `"`, key, `":`)
		separator = ","
		dst = appendValue(dst, property, depth)
	}
	return append(dst, '}')
}

func appendValue(dst, schema []byte, depth int) []byte {
	for _, key := range [...]string{"const", "default"} {
		if value := member(schema, key); value != nil {
			return append(dst, value...)
		}
	}
	for value := range elements(member(schema, "enum")) {
		return append(dst, value...)
	}
	kind := member(schema, "type")
	for first := range elements(kind) { // "type": ["string", "null"]
		kind = first
		break
	}
	switch string(kind) {
	case `"integer"`:
		return append(dst, '1')
	case `"number"`:
		return append(dst, "1.5"...)
	case `"boolean"`:
		return append(dst, "true"...)
	case `"null"`:
		return append(dst, "null"...)
	case `"array"`:
		if items := member(schema, "items"); items != nil && depth < maxSchemaDepth {
			return append(appendValue(append(dst, '['), items, depth+1), ']')
		}
		return append(dst, "[]"...)
	case `"object"`:
		if depth < maxSchemaDepth {
			return appendArguments(dst, schema, depth+1)
		}
		return append(dst, "{}"...)
	}
	return append(dst, `"example"`...)
}

// fragments yields arguments as they are streamed: 8 bytes at a time, more where a character would be split.
func (c *call) fragments(yield func([]byte) bool) {
	for rest := c.arguments; len(rest) > 0; {
		n := min(8, len(rest))
		for n < len(rest) && !utf8.RuneStart(rest[n]) {
			n++
		}
		if !yield(rest[:n]) {
			return
		}
		rest = rest[n:]
	}
}

// composeUsage counts.
func (w *answer) composeUsage(a *ask, s *script) {
	output := w.reasoning.count() + w.text.count()
	for i := range w.calls {
		for range w.calls[i].fragments {
			output++
		}
	}
	w.usage = llm.Usage{
		Input:        int64(max(0, a.inputTokens()-s.cached-s.cacheWritten)),
		CacheRead:    int64(s.cached),
		CacheWrite5m: int64(s.cacheWritten),
		Output:       int64(output * a.choices),
		Reasoning:    int64(w.reasoning.count() * a.choices),
		Knowledge:    llm.Reported,
	}
}

// absurd is what a provider reports that can't count.
var absurd = llm.Usage{Input: math.MaxInt64 / 1000, CacheRead: -3, Output: -7, Knowledge: llm.Reported}

// reported returns the usage as the script wants it reported.
func (w *answer) reported(s *script) *llm.Usage {
	if s.usage == usageAbsurd {
		return &absurd
	}
	return &w.usage
}
