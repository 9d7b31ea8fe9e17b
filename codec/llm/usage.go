package llm

// Knowledge says how a Usage is known. The zero value is Unknown.
type Knowledge uint8

// How a usage is known, from worst to best.
const (
	// Unknown means that the provider reported nothing.
	Unknown Knowledge = iota
	// Estimated means that some of the numbers are our own: counted by a local tokenizer, or guessed by the length of the text.
	Estimated
	// Partial means that the stream was cut before the final report: the numbers are a lower bound.
	Partial
	// Reported means that the provider's final numbers are here.
	Reported
)

// String returns unknown, estimated, partial or reported.
func (k Knowledge) String() string {
	switch k {
	case Estimated:
		return "estimated"
	case Partial:
		return "partial"
	case Reported:
		return "reported"
	}
	return "unknown"
}

// Service is a class of service, which may have prices of its own. The zero value is the ordinary one.
type Service uint8

// The classes of service.
const (
	// ServiceStandard is the ordinary service, and what a provider that says nothing gives.
	ServiceStandard Service = iota
	// ServiceFast is a faster one that costs more: OpenAI's service_tier priority (or fast), Anthropic's speed fast.
	ServiceFast
	// ServiceFlex is a slower one that costs less: OpenAI's service_tier flex.
	ServiceFlex
)

// ServiceOf returns the class of service in a service_tier or speed as it stands in an answer. Anthropic's tier priority is
// capacity that was paid for before, not a price of its own, and is not for this function.
func ServiceOf(value []byte) Service {
	switch string(value) {
	case `"priority"`, `"fast"`, `"ultrafast"`:
		return ServiceFast
	case `"flex"`:
		return ServiceFlex
	}
	return ServiceStandard
}

// Usage is what one call used: tokens, and the hosted tools that are charged by the call. No number is negative.
//
// The kinds do not overlap, so that each can be priced alone: OpenAI's prompt_tokens is Input + CacheRead + both cache
// writes, Anthropic's input_tokens is Input alone.
type Usage struct {
	// Input counts prompt tokens that came neither from a cache nor went into one.
	Input int64
	// CacheRead counts prompt tokens read from the provider's cache.
	CacheRead int64
	// CacheWrite5m and CacheWrite1h count prompt tokens written to a cache that lives 5 minutes or 1 hour. A provider
	// that doesn't say how long its cache lives is counted under CacheWrite5m.
	CacheWrite5m, CacheWrite1h int64
	// Output counts generated tokens, reasoning included.
	Output int64
	// Reasoning counts those of Output that were reasoning.
	Reasoning int64
	// WebSearches counts the hosted web searches, which providers charge by the request: Anthropic's
	// server_tool_use.web_search_requests, Responses' tool_usage.web_search.num_requests. Chat never tells it.
	WebSearches int64
	// InputAudio and OutputAudio count those of Input and Output that were sound.
	InputAudio, OutputAudio int64
	// Service is the class of service that the provider says it gave.
	Service Service
	// Knowledge says how the numbers are known.
	Knowledge Knowledge
}

// Prompt returns all prompt tokens: what OpenAI calls prompt_tokens or input_tokens.
func (u *Usage) Prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite5m + u.CacheWrite1h }

// Plus returns what two calls used together, known as well as the worse known of them.
func (u *Usage) Plus(v *Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, CacheRead: u.CacheRead + v.CacheRead,
		CacheWrite5m: u.CacheWrite5m + v.CacheWrite5m, CacheWrite1h: u.CacheWrite1h + v.CacheWrite1h,
		Output: u.Output + v.Output, Reasoning: u.Reasoning + v.Reasoning, WebSearches: u.WebSearches + v.WebSearches,
		Knowledge: min(u.Knowledge, v.Knowledge),
	}
}

// Total returns prompt and output tokens together.
func (u *Usage) Total() int64 { return u.Prompt() + u.Output }

// MaxTokens is the largest count of tokens that is believed: ten times the largest context of any model. A provider
// that reports more, or less than none, is taken to have reported nothing.
const MaxTokens = 100_000_000

// Inclusive returns the usage that OpenAI's way of counting describes: prompt includes what was read from and written
// to a cache, output includes reasoning. Some compatible providers report a prompt that excludes both caches; it is
// recognised by being smaller than them. Numbers are taken as 0 to MaxTokens each; Knowledge is left Unknown.
func Inclusive(prompt, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning int64) Usage {
	input := prompt - cacheRead - cacheWrite5m - cacheWrite1h
	if input < 0 {
		input = prompt
	}
	return Usage{
		Input:        input,
		CacheRead:    cacheRead,
		CacheWrite5m: cacheWrite5m,
		CacheWrite1h: cacheWrite1h,
		Output:       output,
		Reasoning:    min(reasoning, output),
	}
}

// Tokens takes in what a provider reports about one call, number by number. The zero value has seen nothing.
type Tokens struct {
	seen, doubtful, final bool
}

// Take sets count to n. A later report wins over an earlier one, except that zero never wipes a number out: some
// providers repeat the usage and leave most of it at zero. A number that can't be believed is ignored.
func (t *Tokens) Take(count *int64, n int64) {
	switch {
	case n < 0 || n > MaxTokens:
		t.doubtful = true
	case n == 0:
		t.seen = true
	default:
		t.seen = true
		*count = n
	}
}

// Seen reports whether any number was believed.
func (t *Tokens) Seen() bool { return t.seen }

// Finish says that what was reported so far is the provider's last word.
func (t *Tokens) Finish() { t.final = t.seen }

// Knowledge returns how the numbers are known.
func (t *Tokens) Knowledge() Knowledge {
	switch {
	case !t.seen:
		return Unknown
	case t.doubtful || !t.final:
		return Partial
	}
	return Reported
}
