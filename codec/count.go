package codec

import (
	"slices"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/messages"
	"octopus/codec/responses"
)

// countFields are what the endpoints that count tokens take: what a prompt is made of, and nothing of how it is answered
// (InputTokenCountParams of openai-go 3.96, BetaMessageCountTokensParams of anthropic-sdk-go 1.84). Chat has no such endpoint.
var countFields = [...][]string{
	llm.Responses: {
		"model", "input", "instructions", "conversation", "previous_response_id", "parallel_tool_calls", "reasoning", "text",
		"tool_choice", "tools", "truncation",
	},
	llm.Messages: {
		"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format", "cache_control",
		"mcp_servers", "context_management", "compaction", "speed",
	},
}

// appendCountable appends body, a request for an answer, as far as the endpoint of p that counts tokens takes it.
func appendCountable(dst, body []byte, p llm.Protocol) []byte {
	dst = append(dst, '{')
	first := true
	for m := json.Object(body); m.Next(); {
		if !slices.Contains(countFields[p], json.Borrow(m.Key)) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(json.AppendString(dst, m.Key), ':')
		dst = append(dst, m.Value()...)
	}
	return append(dst, '}')
}

// appendCounting is AppendRequest for an endpoint that counts tokens.
func (b *translation) appendCounting(dst []byte, t *Target) ([]byte, error) {
	body, err := dialects[b.target].write(b.scratch[:0], &b.exchange)
	if err != nil {
		return dst, err
	}
	b.scratch = body
	b.exchange.MaxTokensChosen = false // it is not sent
	b.decoder.Reset(&b.exchange)
	if t.Params != nil {
		body = t.Params.patch.appendTo(nil, body, json.AppendString(nil, t.Model))
	}
	return appendCountable(dst, body, b.target), nil
}

// answerCount is Answer for a number of tokens.
func (b *translation) answerCount(dst, body []byte) ([]byte, Step) {
	if n, ok := countIn(body); ok {
		return appendCount(dst, b.client, n), End
	}
	if json.Valid(body) {
		if e := readFault(200, body); e.Message != "" {
			return b.fail(dst, e)
		}
	}
	return b.fail(dst, &llm.Error{Kind: llm.Upstream, Message: "upstream sent an answer that can't be read"})
}

// countIn returns the number of tokens that an endpoint answered, or false when there is none.
func countIn(body []byte) (n int64, ok bool) {
	n, ok = json.Int(json.Get(body, "input_tokens"))
	return n, ok && n >= 0 && json.Valid(body)
}

// appendCount appends the answer of p's endpoint that counts tokens.
func appendCount(dst []byte, p llm.Protocol, n int64) []byte {
	if p == llm.Responses {
		dst = append(dst, `{"object":"response.input_tokens","input_tokens":`...)
	} else {
		dst = append(dst, `{"input_tokens":`...)
	}
	return append(strconv.AppendInt(dst, n, 10), '}')
}

// read reads the body into the neutral form.
func (r *Request) read(into *llm.Request) *llm.Error {
	switch {
	case r.foreign:
		return responses.ReadRequest(r.Body, into)
	case r.Count && r.Protocol == llm.Messages:
		return messages.ReadCount(r.Body, into)
	}
	return dialects[r.Protocol].read(r.Body, into)
}
