package llm

// HostedTools is what becomes of hosted tools that the target can't run. The zero value is HostedAuto.
type HostedTools uint8

// What becomes of hosted tools.
const (
	// HostedAuto drops one with a warning where another tool remains and none forces it, and refuses the request otherwise.
	HostedAuto HostedTools = iota
	// HostedDrop always drops.
	HostedDrop
	// HostedReject always refuses.
	HostedReject
)

// Options are a channel's options of conversion (protocols.md). The zero value is not the default: take DefaultOptions.
type Options struct {
	// Strict refuses what would be dropped or approximated.
	Strict bool
	// HostedTools is the policy for hosted tools.
	HostedTools HostedTools
	// Family is who mints the opaque reasoning of the channel: "anthropic", "openai", or a name given to it.
	Family string
	// FirstParty is whether the channel is the provider's own API (api.openai.com, api.anthropic.com): newer fields and
	// roles are safe there.
	FirstParty bool
	// CustomTools is whether a Chat upstream knows custom tools.
	CustomTools bool
	// EchoReasoning sends reasoning_content back to a Chat upstream.
	EchoReasoning bool
	// StripReasoning leaves reasoning out of what a Responses upstream gets: some refuse such items.
	StripReasoning bool
	// SystemRole forces "system" in place of "developer" on a Chat upstream.
	SystemRole bool
	// MidSystem is whether a Chat upstream accepts system messages behind the first turn.
	MidSystem bool
	// ToolImageParts is whether a Chat upstream accepts images in tool messages.
	ToolImageParts bool
	// ReasoningAsSummary shows Chat's reasoning_content to Responses clients as a summary.
	ReasoningAsSummary bool
	// ThinkTags reads <think>…</think> in a Chat upstream's content as reasoning.
	ThinkTags bool
	// LenientEOF takes a Chat stream without finish_reason as complete.
	LenientEOF bool
	// AcceptsTopK sends top_k to a Chat upstream.
	AcceptsTopK bool
	// EmulateClientTools turns Anthropic's typed client tools into functions.
	EmulateClientTools bool
	// CodeExecution maps Responses' code_interpreter and Anthropic's code_execution onto each other, which run different code
	// in different sandboxes. Without it they are hosted tools that the other doesn't have.
	CodeExecution bool
	// ForwardUnknown lists top-level fields that are sent on although no rule maps them.
	ForwardUnknown []string
	// FanOut asks upstreams of Responses and Messages, which know one choice, once for each choice that a Chat client wants (n), up
	// to MaxFanOut. Without it such a request is refused.
	FanOut bool
	// NamePrefix writes a participant's name before its text.
	NamePrefix bool
	// Repair mends histories whose tool calls have no results.
	Repair bool
	// EnforceStop has the gateway look for stop sequences itself.
	EnforceStop bool
	// TierToSpeed maps service tiers to Anthropic's speed and back.
	TierToSpeed bool
	// AutoCache adds Anthropic's automatic cache mark to requests without marks.
	AutoCache bool
	// PromptCacheKey derives prompt_cache_key for OpenAI upstreams.
	PromptCacheKey bool
	// ReasoningDetails shows Chat clients reasoning_details with signatures.
	ReasoningDetails bool
	// FetchImages has the images of converted requests downloaded and sent along where the client gives their address, and the
	// documents for a Chat upstream, which knows no addresses of these.
	FetchImages bool
	// CallIDs is which ids of tool calls a Chat upstream takes.
	CallIDs CallIDs
	// EstimateUsage has the local tokenizer count what the upstream reports no usage of: where there is no report, or the
	// answer ends before it. It costs memory for what the model says, and the count.
	EstimateUsage bool
	// StreamInputEstimate tells Messages clients an estimate of the prompt's tokens where their stream begins and the upstream
	// hasn't told them yet. It costs the count before the first byte.
	StreamInputEstimate bool
	// MaxTokens is Anthropic's max_tokens where the client gives none and the model's limit is unknown; 0 means 8192.
	MaxTokens int64
	// MaxTokensField is Chat's field for the output limit: "max_tokens", "max_completion_tokens", or empty for the model's.
	MaxTokensField string
}

// MaxFanOut is how many choices a Chat client gets of an upstream that knows only one. It is a single digit.
const MaxFanOut = 8

// DefaultOptions returns the options of a channel that sets none.
func DefaultOptions() Options {
	return Options{MidSystem: true, ReasoningAsSummary: true, Repair: true, AutoCache: true, PromptCacheKey: true}
}
