package messages

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// Usage is the usage object of a message (https://docs.anthropic.com/en/api/messages#response-usage), gathered from
// message_start and every message_delta, whose numbers are totals and not increments. A missing number is zero.
type Usage struct {
	// InputTokens counts neither cache reads nor cache writes.
	InputTokens int64
	// CacheReadInputTokens and CacheCreationInputTokens come beside InputTokens.
	CacheReadInputTokens, CacheCreationInputTokens int64
	// Ephemeral5mInputTokens and Ephemeral1hInputTokens are those of cache_creation, and part of
	// CacheCreationInputTokens.
	Ephemeral5mInputTokens, Ephemeral1hInputTokens int64
	// OutputTokens includes ThinkingTokens.
	OutputTokens int64
	// ThinkingTokens is output_tokens_details.thinking_tokens.
	ThinkingTokens int64
	// WebSearchRequests is server_tool_use.web_search_requests.
	WebSearchRequests int64
	// Service is speed: fast mode has prices of its own.
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
		case "cache_read_input_tokens":
			u.take(&u.CacheReadInputTokens, m.Value())
		case "cache_creation_input_tokens":
			u.take(&u.CacheCreationInputTokens, m.Value())
		case "cache_creation":
			u.mergeCreation(m.Value())
		case "output_tokens":
			u.take(&u.OutputTokens, m.Value())
		case "output_tokens_details":
			u.take(&u.ThinkingTokens, json.Get(m.Value(), "thinking_tokens"))
		case "speed":
			u.Service = llm.ServiceOf(m.Value())
		case "server_tool_use":
			u.take(&u.WebSearchRequests, json.Get(m.Value(), "web_search_requests"))
		}
	}
}

func (u *Usage) mergeCreation(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "ephemeral_5m_input_tokens":
			u.take(&u.Ephemeral5mInputTokens, m.Value())
		case "ephemeral_1h_input_tokens":
			u.take(&u.Ephemeral1hInputTokens, m.Value())
		}
	}
}

func (u *Usage) take(count *int64, value []byte) {
	if n, ok := json.Int(value); ok {
		u.Tokens.Take(count, n)
	}
}

// Neutral returns the numbers as llm.Usage counts them. Cache writes of no stated life count as those of 5 minutes.
func (u *Usage) Neutral() llm.Usage {
	return llm.Usage{
		Input:        u.InputTokens,
		CacheRead:    u.CacheReadInputTokens,
		CacheWrite5m: max(u.Ephemeral5mInputTokens, u.CacheCreationInputTokens-u.Ephemeral1hInputTokens),
		CacheWrite1h: u.Ephemeral1hInputTokens,
		Output:       u.OutputTokens,
		Reasoning:    min(u.ThinkingTokens, u.OutputTokens),
		WebSearches:  u.WebSearchRequests,
		Service:      u.Service,
		Knowledge:    u.Tokens.Knowledge(),
	}
}
