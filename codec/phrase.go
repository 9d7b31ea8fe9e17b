package codec

import (
	"strings"

	"octopus/codec/llm"
)

// maxPhraseText is how much of a message is searched for phrases, in bytes.
const maxPhraseText = 4 << 10

// phrase is a message that providers use for one kind of error where status, code and type don't tell it.
type phrase struct {
	kind llm.ErrorKind
	on   statusSet
	// where is how words stand in the message. A message can quote what the client sent, so what takes a key or a model out of
	// service is believed only where the client's words can't stand: at the beginning or at the end.
	where place
	// words are in lower case; and, when not empty, stands somewhere behind them.
	words, and string
}

type place uint8

const (
	anywhere place = iota
	begins
	ends
)

// statusSet is a set of kinds of statuses.
type statusSet uint8

const (
	// onRefusal is 4xx, those aside that say it all by themselves: 401, 402, 408 and 429.
	onRefusal statusSet = 1 << iota
	on429
	on5xx

	onAny = onRefusal | on429 | on5xx
)

// statuses returns the set that a status is in. Inside a stream, without one, everything may be meant.
func statuses(status int) statusSet {
	switch {
	case status == 0:
		return onAny
	case status == 429:
		return on429
	case status >= 500:
		return on5xx
	case status == 401 || status == 402 || status == 408 || status < 400:
		return 0
	}
	return onRefusal
}

// phrases are the messages that are known, with who says them and, where they were found, the issue and its month. The first
// that fits counts.
var phrases = [...]phrase{
	// Reasoning that another provider or account made: Anthropic, and Claude on Bedrock and Vertex (anthropics/claude-code#10627,
	// 2025-10; deepset-ai/haystack-core-integrations#2146, 2025-08; tailcallhq/forgecode#1853, 2025-11).
	{llm.ForeignPart, onRefusal, anywhere, "invalid `signature` in `thinking`", ""},
	{llm.ForeignPart, onRefusal, anywhere, "invalid `data` in `redacted_thinking`", ""},
	{llm.ForeignPart, onRefusal, anywhere, "thinking.signature", ""},
	{llm.ForeignPart, onRefusal, anywhere, "expected `thinking`", ""},
	{llm.ForeignPart, onRefusal, anywhere, "cannot contain `thinking`", ""},
	{llm.ForeignPart, onRefusal, anywhere, "blocks in the latest assistant message cannot", "modified"},
	// OpenAI and Azure, in Responses (openai/codex#8145, 2025-12; continuedev/continue#10643, 2026-02). The second comes with 404.
	{llm.ForeignPart, onRefusal, begins, "the encrypted content", "could not be"},
	{llm.ForeignPart, onRefusal, anywhere, "items are not persisted when", ""},
	{llm.ForeignPart, onRefusal, begins, "item '", "was provided without its required"},
	// DeepSeek wants its own reasoning back with calls, which another provider did not give
	// (JohnnyZ93/oai-compatible-copilot#202, 2026-04; agentscope-ai/agentscope-java#2400, 2026-07).
	{llm.ForeignPart, onRefusal, begins, "the ", "in the thinking mode must be passed back"},
	// OpenRouter, 404: the model is there, but not with what the request needs (lastmile-ai/mcp-agent#237, 2025-05).
	{llm.ForeignPart, onRefusal, begins, "no endpoints found that support", ""},
	// The field that asks for the usage of a stream (QuantumNous/new-api#418, 2024-08; Azure's models of other makers,
	// CherryHQ/cherry-studio#9214, 2025-08; Mistral, songquanpeng/one-api#2187, 2025-03).
	{llm.ForeignPart, onRefusal, begins, "unknown parameter: 'stream_options'", ""},
	{llm.ForeignPart, onRefusal, begins, "unsupported parameter: 'stream_options'", ""},
	{llm.ForeignPart, onRefusal, begins, "unrecognized request argument supplied: stream_options", ""},
	{llm.ForeignPart, onRefusal, begins, "extra parameters ['stream_options'] are not allowed", ""},
	{llm.ForeignPart, onRefusal, anywhere, "stream_options", "not supported"},
	{llm.ForeignPart, onRefusal, anywhere, "stream_options", "not permitted"},

	// Content filters: Azure (openai/openai-python#331, 2023-03), Anthropic (anthropics/claude-code#58367, 2026-05), DeepSeek
	// (deepseek-ai/DeepSeek-V2#30, 2024-05), OpenAI with the code invalid_prompt or of its safety system, xAI with 403,
	// OpenRouter with 403.
	{llm.ContentPolicy, onRefusal | on5xx, anywhere, "content management policy", ""},
	{llm.ContentPolicy, onRefusal | on5xx, anywhere, "blocked by content filtering policy", ""},
	{llm.ContentPolicy, onRefusal, begins, "content exists risk", ""},
	{llm.ContentPolicy, onRefusal, anywhere, "flagged as potentially violating", ""},
	{llm.ContentPolicy, onRefusal, anywhere, "as a result of our safety system", ""},
	{llm.ContentPolicy, onRefusal, anywhere, "violates usage guidelines", ""},
	{llm.ContentPolicy, onRefusal, anywhere, "your input was flagged", ""},

	// Prompts beyond the context window: OpenAI, DeepSeek, OpenRouter and vLLM (meta-llama/llama-verifications#58, 2025-08; since
	// 0.16 harbor-framework/harbor#996, 2026-03); OpenAI in Responses; llama.cpp; Anthropic; Anthropic about input and
	// max_tokens together; Google; Bedrock; xAI; Mistral; Moonshot; Groq; Alibaba; Copilot; text-generation-inference.
	{llm.ContextLength, onRefusal | on5xx, anywhere, "context length", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "context window", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "context size", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "prompt is too long", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "exceed context limit", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "exceeds the maximum number of tokens", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "input is too long", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "maximum prompt length is", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "too large for model with", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "exceeded model token limit", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "reduce the length of the messages", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "range of input length should be", ""},
	{llm.ContextLength, onRefusal | on5xx, anywhere, "prompt token count of", "exceeds the limit"},
	{llm.ContextLength, onRefusal | on5xx, begins, "input validation error: `inputs`", "must be <="},

	// Accounts without money or quota, where the status is another one than 402. Anthropic with 400 (anthropics/claude-code#2127,
	// 2025-06); DeepSeek (Aider-AI/aider#4851, 2026-02); OpenRouter (Gitlawb/openclaude#936, 2026-04); xAI with 403 and 429
	// (continuedev/continue#12670, 2026-06; Wei-Shaw/sub2api#4069, 2026-07); Azure API Management and SiliconFlow with 403;
	// LiteLLM with 400.
	{llm.Billing, onRefusal, begins, "your credit balance is too low", ""},
	{llm.Billing, onRefusal, begins, "you have reached your specified api usage limits", ""},
	{llm.Billing, onRefusal | on429, begins, "insufficient balance", ""},
	{llm.Billing, onRefusal | on429, begins, "insufficient credits", ""},
	{llm.Billing, onRefusal | on429, begins, "this request requires more credits", ""},
	{llm.Billing, onRefusal | on429, begins, "rate limit exceeded: free-models-per-day", ""},
	{llm.Billing, onRefusal | on429, begins, "your newly created team", "credits"},
	{llm.Billing, onRefusal | on429, begins, "you have run out of credits", ""},
	{llm.Billing, onRefusal | on429, begins, "your team ", "used all available credits"},
	{llm.Billing, onRefusal | on429, begins, "out of call volume quota", ""},
	{llm.Billing, onRefusal | on429, begins, "sorry, your account balance is insufficient", ""},
	{llm.Billing, onRefusal | on429, begins, "budget has been exceeded", ""},

	// Credentials, where the status is another one than 401, mostly 400: xAI (continuedev/continue#10778, 2026-02); Google;
	// Anthropic (anthropics/claude-code#19028, 2026-01); Groq (songquanpeng/one-api#271, 2024-08).
	{llm.Authentication, onRefusal, begins, "incorrect api key provided", ""},
	{llm.Authentication, onRefusal, begins, "api key not valid", ""},
	{llm.Authentication, onRefusal, begins, "api key expired", ""},
	{llm.Authentication, onRefusal, begins, "this organization has been disabled", ""},
	{llm.Authentication, onRefusal, begins, "organization has been restricted", ""},
	{llm.Permission, onRefusal, begins, "user location is not supported", ""},

	// Models that are not there, where the status is another one than 404 or 410. DeepSeek with 400 (ConardLi/easy-dataset#9,
	// 2025-03); OpenAI and vLLM; OpenAI with 400, and with 403 (continuedev/continue#10120, 2026-02); Mistral and OpenRouter
	// with 400; Bedrock with 400 and 403; Azure.
	{llm.NotFound, onRefusal, begins, "model not exist", ""},
	{llm.NotFound, onRefusal, begins, "the model `", "does not exist"},
	{llm.NotFound, onRefusal, begins, "the requested model", "does not exist"},
	{llm.NotFound, onRefusal, begins, "project `", "does not have access to model"},
	{llm.NotFound, onRefusal, begins, "invalid model", ""},
	{llm.NotFound, onRefusal, ends, "is not a valid model id", ""},
	{llm.NotFound, onRefusal, begins, "the provided model identifier is invalid", ""},
	{llm.NotFound, onRefusal, begins, "invocation of model id", ""},
	{llm.NotFound, onRefusal, begins, "you don't have access to the model", ""},
	{llm.NotFound, onRefusal, begins, "the api deployment for this resource does not exist", ""},

	// Servers that are full, where the status is another one than 503 or 529. OpenAI (openai/openai-python#414, 2023-04;
	// openai/codex#19446, 2026-04) and Moonshot; Azure with 429 (pollinations/pollinations#6260, 2025-12); Mistral with 429
	// (continuedev/continue#6185, 2025-06); Google (google-gemini/gemini-cli#23520, 2026-03); OpenRouter with 502; DeepSeek.
	{llm.Overloaded, on429 | on5xx, anywhere, "overloaded", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "is at capacity", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "experiencing high demand", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "tier capacity exceeded", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "no capacity available", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "no instances available", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "server is busy", ""},
	{llm.Overloaded, on429 | on5xx, anywhere, "service is too busy", ""},
}

// kindOfPhrase returns the kind of error that a message in lower case means, if it is one of those that are known. Param is the
// field that the provider names.
func kindOfPhrase(status int, message, param string) (kind llm.ErrorKind, ok bool) {
	on := statuses(status)
	if on == 0 {
		return 0, false
	}
	if param == streamOptions && strings.Contains(message, "not permitted") {
		return llm.ForeignPart, true
	}
	for i := range phrases {
		if p := &phrases[i]; p.on&on != 0 && p.fits(message) {
			return p.kind, true
		}
	}
	return 0, false
}

// fits reports whether a message in lower case is the phrase.
func (p *phrase) fits(message string) bool {
	at := strings.Index(message, p.words)
	switch {
	case at < 0:
		return false
	case p.where == begins && at > 0:
		return false
	case p.where == ends && !strings.HasSuffix(strings.TrimRight(message, ". "), p.words):
		return false
	}
	return p.and == "" || strings.Contains(message[at+len(p.words):], p.and)
}
