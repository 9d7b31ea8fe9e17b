package responses

import (
	"cmp"
	"math/rand/v2"
	"strconv"
	"time"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// code returns the error code of a failed response for e
// (https://platform.openai.com/docs/api-reference/responses/object#responses/object-error). Codex understands
// context_length_exceeded and insufficient_quota beyond the documented ones.
func code(e *llm.Error) string {
	if e.Code != "" {
		return e.Code
	}
	switch e.Kind {
	case llm.RateLimit:
		return "rate_limit_exceeded"
	case llm.ContextLength:
		return "context_length_exceeded"
	case llm.Billing:
		return "insufficient_quota"
	case llm.InvalidRequest, llm.ContentPolicy:
		return "invalid_prompt"
	}
	return "server_error"
}

// AppendError appends the response.failed that tells the client of a running stream of e and ends it. When the answer
// has begun it is the same response with the next sequence number; else a response.created of a new one goes before
// it, because openai-node refuses a stream that begins with anything else. The output is left empty: the client has
// it already.
//
// The event error is not sent besides: Codex ignores it, and openai-node would raise it in place of the response.
func (t *Tap) AppendError(dst []byte, e *llm.Error, begun bool) []byte {
	if !begun {
		t.id = appendID(t.id[:0])
		t.createdAt = 0
		t.next = 0
	}
	if len(t.id) == 0 {
		t.id = appendID(t.id)
	}
	if t.createdAt == 0 {
		t.createdAt = time.Now().Unix()
	}
	if !begun {
		dst = t.appendEvent(dst, "response.created", "in_progress", nil)
	}
	return t.appendEvent(dst, "response.failed", "failed", e)
}

// appendEvent appends a lifecycle event with a response object that has every required member.
func (t *Tap) appendEvent(dst []byte, typ, status string, e *llm.Error) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, typ...)
	dst = append(dst, "\ndata: {\"type\":\""...)
	dst = append(dst, typ...)
	dst = append(dst, `","sequence_number":`...)
	dst = strconv.AppendInt(dst, t.next, 10)
	t.next++
	dst = append(dst, `,"response":{"id":`...)
	dst = append(dst, t.id...)
	dst = append(dst, `,"object":"response","created_at":`...)
	dst = strconv.AppendInt(dst, t.createdAt, 10)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, status...)
	dst = append(dst, `","error":`...)
	if e == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, `{"code":`...)
		dst = json.AppendString(dst, code(e))
		dst = append(dst, `,"message":`...)
		dst = json.AppendString(dst, cmp.Or(e.Message, "the response failed"))
		dst = append(dst, '}')
	}
	dst = append(dst, `,"incomplete_details":null,"instructions":null,"metadata":{},"model":`...)
	if len(t.name) == 0 {
		dst = append(dst, `""`...)
	} else {
		dst = append(dst, t.name...)
	}
	dst = append(dst, `,"output":[],"parallel_tool_calls":true,"temperature":null,"top_p":null,`...)
	dst = append(dst, `"tool_choice":"auto","tools":[],"usage":`...)
	usage := t.Usage()
	dst = appendUsage(dst, &usage)
	return append(dst, "}}\n\n"...)
}

// appendID appends a response id of our own making as a JSON string.
func appendID(dst []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, `"resp_`...)
	for range 3 {
		n := rand.Uint64()
		for range 16 {
			dst = append(dst, hex[n&15])
			n >>= 4
		}
	}
	return append(dst, '"')
}
