package chat

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Usage is the usage object of an answer or a chunk
// (https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage), gathered from all that were sent. A
// missing number is zero.
type Usage struct {
	// PromptTokens includes CachedTokens and CacheWriteTokens.
	PromptTokens int64
	// CompletionTokens includes ReasoningTokens, except with providers whose total says otherwise.
	CompletionTokens int64
	// TotalTokens is the sum as the provider sees it.
	TotalTokens int64
	// CachedTokens is prompt_tokens_details.cached_tokens, or what others call it: prompt_cache_hit_tokens (DeepSeek),
	// cached_tokens beside prompt_tokens (Moonshot), cache_read_input_tokens (LiteLLM).
	CachedTokens int64
	// CacheWriteTokens is prompt_tokens_details.cache_write_tokens, or cache_creation_input_tokens (LiteLLM).
	CacheWriteTokens int64
	// ReasoningTokens is completion_tokens_details.reasoning_tokens.
	ReasoningTokens int64
	// PromptAudioTokens and CompletionAudioTokens are audio_tokens of both details.
	PromptAudioTokens, CompletionAudioTokens int64
	// Service is service_tier, which stands beside usage.
	Service llm.Service
	// Tokens says how the numbers are known.
	Tokens llm.Tokens
}

// Merge takes in one usage object. It may come on the chunk with the stop reason and again on a chunk of its own.
func (u *Usage) Merge(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "prompt_tokens":
			u.take(&u.PromptTokens, m.Value())
		case "completion_tokens":
			u.take(&u.CompletionTokens, m.Value())
		case "total_tokens":
			u.take(&u.TotalTokens, m.Value())
		case "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens":
			u.take(&u.CachedTokens, m.Value())
		case "cache_creation_input_tokens":
			u.take(&u.CacheWriteTokens, m.Value())
		case "prompt_tokens_details":
			u.mergePromptDetails(m.Value())
		case "completion_tokens_details":
			u.mergeCompletionDetails(m.Value())
		}
	}
}

func (u *Usage) mergePromptDetails(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "cached_tokens":
			u.take(&u.CachedTokens, m.Value())
		case "cache_write_tokens":
			u.take(&u.CacheWriteTokens, m.Value())
		case "audio_tokens":
			u.take(&u.PromptAudioTokens, m.Value())
		}
	}
}

func (u *Usage) mergeCompletionDetails(object []byte) {
	m := json.Object(object)
	for m.Next() {
		switch string(m.Key) {
		case "reasoning_tokens":
			u.take(&u.ReasoningTokens, m.Value())
		case "audio_tokens":
			u.take(&u.CompletionAudioTokens, m.Value())
		}
	}
}

func (u *Usage) take(count *int64, value []byte) {
	if n, ok := json.Int(value); ok {
		u.Tokens.Take(count, n)
	}
}

// Neutral returns the numbers as llm.Usage counts them.
func (u *Usage) Neutral() llm.Usage {
	output := u.CompletionTokens
	// Some providers count reasoning beside the completion (xAI, 2026); their total gives them away.
	if u.ReasoningTokens > 0 && u.TotalTokens == u.PromptTokens+output+u.ReasoningTokens {
		output += u.ReasoningTokens
	}
	n := llm.Inclusive(u.PromptTokens, u.CachedTokens, u.CacheWriteTokens, 0, output, u.ReasoningTokens)
	n.InputAudio, n.OutputAudio = min(u.PromptAudioTokens, n.Input), min(u.CompletionAudioTokens, n.Output)
	n.Service, n.Knowledge = u.Service, u.Tokens.Knowledge()
	return n
}

// noteSearches notes that a Chat client is not told how many hosted web searches there were (protocols.md D.13).
func noteSearches(x *llm.Exchange, u *llm.Usage) {
	if u.WebSearches == 0 {
		return
	}
	field := "usage.server_tool_use"
	if x.Target == llm.Responses {
		field = "tool_usage"
	}
	x.Warnings.Drop(field)
}

// AppendUsage appends the usage object that tells a Chat client of u. What is not known is zero: clients want numbers.
func AppendUsage(dst []byte, u *llm.Usage) []byte {
	dst = strconv.AppendInt(append(dst, `{"prompt_tokens":`...), u.Prompt(), 10)
	dst = strconv.AppendInt(append(dst, `,"completion_tokens":`...), u.Output, 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), u.Total(), 10)
	dst = strconv.AppendInt(append(dst, `,"prompt_tokens_details":{"cached_tokens":`...), u.CacheRead, 10)
	dst = strconv.AppendInt(append(dst, `,"cache_write_tokens":`...), u.CacheWrite5m+u.CacheWrite1h, 10)
	dst = strconv.AppendInt(append(dst, `},"completion_tokens_details":{"reasoning_tokens":`...), u.Reasoning, 10)
	return append(dst, "}}"...)
}
