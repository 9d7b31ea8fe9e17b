package responses

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Usage is the usage object of a response
// (https://platform.openai.com/docs/api-reference/responses/object#responses/object-usage). A missing number is zero.
type Usage struct {
	// InputTokens includes CachedTokens and CacheWriteTokens.
	InputTokens int64
	// CachedTokens and CacheWriteTokens are those of input_tokens_details.
	CachedTokens, CacheWriteTokens int64
	// TTL12hTokens is input_tokens_details.cache_write_tokens_details.ttl_12h_tokens, a part of CacheWriteTokens.
	TTL12hTokens int64
	// OutputTokens includes ReasoningTokens.
	OutputTokens int64
	// ReasoningTokens is output_tokens_details.reasoning_tokens.
	ReasoningTokens int64
	// WebSearchRequests is web_search.num_requests of tool_usage, which stands beside usage in a response.
	WebSearchRequests int64
	// Service is service_tier, which stands beside usage.
	Service llm.Service
	// Tokens says how the numbers are known.
	Tokens llm.Tokens
}

// Merge takes in one usage object.
func (u *Usage) Merge(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "input_tokens":
			u.take(&u.InputTokens, m.Value())
		case "output_tokens":
			u.take(&u.OutputTokens, m.Value())
		case "input_tokens_details":
			u.mergeInputDetails(m.Value())
		case "output_tokens_details":
			u.take(&u.ReasoningTokens, json.Get(m.Value(), "reasoning_tokens"))
		}
	}
}

// MergeTools takes in one tool_usage object.
func (u *Usage) MergeTools(object []byte) {
	if n, ok := json.Int(json.Get(json.Get(object, "web_search"), "num_requests")); ok && n >= 0 && n <= llm.MaxTokens {
		u.WebSearchRequests = max(u.WebSearchRequests, n)
	}
}

func (u *Usage) mergeInputDetails(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "cached_tokens":
			u.take(&u.CachedTokens, m.Value())
		case "cache_write_tokens":
			u.take(&u.CacheWriteTokens, m.Value())
		case "cache_write_tokens_details":
			u.take(&u.TTL12hTokens, json.Get(m.Value(), "ttl_12h_tokens"))
		}
	}
}

func (u *Usage) take(count *int64, value []byte) {
	if n, ok := json.Int(value); ok {
		u.Tokens.Take(count, n)
	}
}

// Neutral returns the numbers as llm.Usage counts them. Caches of 30 minutes and 12 hours are the short and the long
// class.
func (u *Usage) Neutral() llm.Usage {
	long := u.TTL12hTokens
	short := max(u.CacheWriteTokens-long, 0)
	n := llm.Inclusive(u.InputTokens, u.CachedTokens, short, long, u.OutputTokens, u.ReasoningTokens)
	n.WebSearches, n.Service = u.WebSearchRequests, u.Service
	n.Knowledge = u.Tokens.Knowledge()
	return n
}

// appendUsage appends u as the usage object of a response, or null when nothing is known. The details are required:
// Codex fails on a usage without cached_tokens.
func appendUsage(dst []byte, u *llm.Usage) []byte {
	if u.Knowledge == llm.Unknown {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"input_tokens":`...)
	dst = strconv.AppendInt(dst, u.Prompt(), 10)
	dst = append(dst, `,"input_tokens_details":{"cached_tokens":`...)
	dst = strconv.AppendInt(dst, u.CacheRead, 10)
	dst = append(dst, `,"cache_write_tokens":`...)
	dst = strconv.AppendInt(dst, u.CacheWrite5m+u.CacheWrite1h, 10)
	dst = append(dst, `},"output_tokens":`...)
	dst = strconv.AppendInt(dst, u.Output, 10)
	dst = append(dst, `,"output_tokens_details":{"reasoning_tokens":`...)
	dst = strconv.AppendInt(dst, u.Reasoning, 10)
	dst = append(dst, `},"total_tokens":`...)
	dst = strconv.AppendInt(dst, u.Total(), 10)
	return append(dst, '}')
}

// appendToolUsage appends the member tool_usage of a response, where hosted tools were used. The SDKs take image_gen for
// granted in it.
func appendToolUsage(dst []byte, u *llm.Usage) []byte {
	if u.WebSearches == 0 || u.Knowledge == llm.Unknown {
		return dst
	}
	dst = append(dst, `,"tool_usage":{"image_gen":{"input_tokens":0,"input_tokens_details":{"image_tokens":0,`...)
	dst = append(dst, `"text_tokens":0},"output_tokens":0,"total_tokens":0},"web_search":{"num_requests":`...)
	return append(strconv.AppendInt(dst, u.WebSearches, 10), "}}"...)
}
