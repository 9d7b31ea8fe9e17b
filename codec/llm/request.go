package llm

// Request is a conversation and what is wanted of the model, in no protocol's words. A reader fills it from a client's
// body, a writer makes an upstream's body of it.
//
// Byte slices are borrowed from the client's body: they are valid as long as that is, and are never written to. Raw JSON
// (schemas, arguments, unmapped items) stays as it was written: key order, numbers and escapes are the client's.
type Request struct {
	// Protocol is the client's.
	Protocol Protocol
	// Model is what the client asked for; the writer takes the target's name instead.
	Model string
	// System are the leading system and developer texts in order: items of kind Text. Name is Chat's name of the participant,
	// at the first item of its message.
	System []Item
	// Turns is the conversation.
	Turns []Turn
	// Tools are what the model may call.
	Tools []Tool
	// Choice says whether and what it must call.
	Choice ToolChoice
	// Sampling are the knobs of generation.
	Sampling Sampling
	// Reasoning says how much the model shall think.
	Reasoning Reasoning
	// Format is the shape of the answer.
	Format Format
	// Cache is the policy of prompt caching; marks stand at the items.
	Cache CachePolicy
	// Search is Chat's web_search_options, nil when absent.
	Search *WebSearch
	// Stream asks for a stream. IncludeUsage asks for Chat's last usage chunk.
	Stream, IncludeUsage bool
	// Legacy is whether a Chat client used functions in place of tools: the answer then does too.
	Legacy bool
	// Store is Responses' and Chat's "store", nil when absent.
	Store *bool
	// PreviousResponseID and Conversation are Responses' handles of server-side state, empty when absent.
	PreviousResponseID, Conversation string
	// User is the best id of the end user: safety_identifier, user, or metadata.user_id.
	User string
	// Metadata is the raw object "metadata", nil when absent. Anthropic's user_id is in User.
	Metadata []byte
	// ServiceTier is the client's word for it, empty when absent; Speed is Anthropic's.
	ServiceTier, Speed string
	// MaxToolCalls bounds hosted tool calls, nil when absent.
	MaxToolCalls *int64
	// Echo are members of the client's body that an answer repeats (Responses), as raw JSON by name.
	Echo []Field
	// Extra are top-level fields that have no place here, in the client's order: writers of the same protocol send them,
	// others drop them with a warning.
	Extra []Field
}

// Field is a member of a JSON object: its name and its raw value.
type Field struct {
	Name  string
	Value []byte
}

// Sampling are the knobs of generation. Nil means not given. Numbers are kept as their JSON text, so that none changes on
// the way; MaxTokens alone is reckoned with.
type Sampling struct {
	// MaxTokens bounds the output, reasoning included.
	MaxTokens *int64
	// Temperature, TopP, TopK, FrequencyPenalty, PresencePenalty, Seed and LogitBias are raw JSON.
	Temperature, TopP, TopK           []byte
	FrequencyPenalty, PresencePenalty []byte
	Seed, LogitBias                   []byte
	// N is how many answers are wanted; 0 means not given.
	N int64
	// Stop are the stop sequences, decoded.
	Stop []string
	// Logprobs asks for log probabilities, TopLogprobs for that many alternatives.
	Logprobs    bool
	TopLogprobs *int64
	// Verbosity is low, medium or high, or empty.
	Verbosity string
}

// Effort is how much a model shall think, in OpenAI's words. The empty value means not given.
type Effort string

// The efforts, in growing order.
const (
	EffortNone    Effort = "none"
	EffortMinimal Effort = "minimal"
	EffortLow     Effort = "low"
	EffortMedium  Effort = "medium"
	EffortHigh    Effort = "high"
	EffortXHigh   Effort = "xhigh"
	EffortMax     Effort = "max"
)

// Thinking is how Anthropic's models are told to think. The empty value means not given.
type Thinking string

// The kinds of thinking.
const (
	ThinkingOff      Thinking = "disabled"
	ThinkingBudget   Thinking = "enabled"
	ThinkingAdaptive Thinking = "adaptive"
	ThinkingBetween  Thinking = "between_tools"
)

// Reasoning says how much the model shall think and what of it is shown.
type Reasoning struct {
	Effort   Effort
	Thinking Thinking
	// Budget is the tokens of ThinkingBudget.
	Budget int64
	// Display is Anthropic's summarized or omitted, or empty.
	Display string
	// Summary is Responses' auto, concise or detailed, or empty.
	Summary string
	// Encrypted is whether the client asked for encrypted reasoning (Responses' include).
	Encrypted bool
	// Context is Responses' reasoning.context, or empty; Mode its reasoning.mode.
	Context, Mode string
	// Updated is whether Effort was changed inside the conversation (Responses' configuration_update).
	Updated bool
}

// FormatKind is the shape of an answer. The zero value is text.
type FormatKind uint8

// The shapes of answers.
const (
	FormatText FormatKind = iota
	// FormatJSON is any JSON object.
	FormatJSON
	// FormatSchema is JSON by a schema.
	FormatSchema
)

// Format is the shape of the answer.
type Format struct {
	Kind FormatKind
	// Name, Description, Schema (raw JSON) and Strict belong to FormatSchema; the first two may be empty, Strict nil.
	Name, Description string
	Schema            []byte
	Strict            *bool
}

// CacheTTL is how long a marked prefix is to be cached. The zero value is no mark.
type CacheTTL uint8

// The lives of a cached prefix.
const (
	// CacheNone is no mark.
	CacheNone CacheTTL = iota
	// CacheShort is Anthropic's 5 minutes and OpenAI's 30 minutes.
	CacheShort
	// CacheLong is Anthropic's 1 hour and OpenAI's 12 hours.
	CacheLong
)

// CachePolicy is what a request says of prompt caching beside its marks.
type CachePolicy struct {
	// Key is OpenAI's prompt_cache_key, or empty.
	Key string
	// Auto marks the last cacheable block by itself (Anthropic's top-level cache_control).
	Auto CacheTTL
	// Retention is OpenAI's prompt_cache_retention; Options the raw prompt_cache_options, nil when absent.
	Retention string
	Options   []byte
	// Prewarm asks only to fill the cache (Anthropic's max_tokens 0, Responses' prewarm).
	Prewarm bool
}

// WebSearch are the parameters of a hosted web search.
type WebSearch struct {
	// ContextSize is OpenAI's low, medium or high, or empty.
	ContextSize string
	// Location is the raw object with city, country, region and timezone, nil when absent.
	Location []byte
	// AllowedDomains and BlockedDomains are raw arrays of strings, nil when absent.
	AllowedDomains, BlockedDomains []byte
	// MaxUses bounds the searches, nil when absent.
	MaxUses *int64
}
