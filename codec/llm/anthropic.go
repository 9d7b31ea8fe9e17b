package llm

// AnthropicModel is what a model behind Anthropic Messages accepts (protocols.md D.5, as the Vercel AI SDK and LangChain
// know it in 2026). Take it from AnthropicModelOf.
type AnthropicModel struct {
	// Claude is whether the model is one of Anthropic's. Hosted tools exist for these only.
	Claude bool
	// MaxOutput is the largest max_tokens, 0 when unknown.
	MaxOutput int64
	// Sampling is whether temperature, top_p and top_k are accepted.
	Sampling bool
	// Adaptive, Budget and Off are the types of thinking that are accepted: adaptive, enabled with a budget, disabled.
	Adaptive, Budget, Off bool
	// OffBelowXHigh is whether disabled is refused together with the efforts xhigh and max.
	OffBelowXHigh bool
	// AlwaysThinks is whether the model can't be kept from thinking. MinimumBetween is whether between_tools is the least of
	// it.
	AlwaysThinks, MinimumBetween bool
	// ForcedChoice is whether tool_choice may be any or tool. ForcedChoiceWhileThinking is whether it may be while the model
	// thinks adaptively; with a budget no Claude allows it.
	ForcedChoice, ForcedChoiceWhileThinking bool
	// StructuredOutputs is whether output_config.format and strict tools are accepted.
	StructuredOutputs bool
	// Prefill is whether the last message may be the assistant's.
	Prefill bool
	// MidSystem is whether the role system is accepted inside messages.
	MidSystem bool
	// Efforts are the values of output_config.effort, in growing order; empty when there is no such field.
	Efforts []Effort
}

// The efforts of the generations of models.
var (
	effortsTo45 = []Effort{EffortLow, EffortMedium, EffortHigh}
	effortsTo46 = []Effort{EffortLow, EffortMedium, EffortHigh, EffortMax}
	effortsAll  = []Effort{EffortLow, EffortMedium, EffortHigh, EffortXHigh, EffortMax}
)

// modernClaude is what all models from Opus 4.7 on have in common; it is also what an unknown Claude is taken for.
var modernClaude = AnthropicModel{
	Claude: true, MaxOutput: 128_000, Adaptive: true, ForcedChoice: true, ForcedChoiceWhileThinking: true,
	StructuredOutputs: true, Efforts: effortsAll,
}

// AnthropicModelOf returns what the model of that name accepts. Names may have a prefix (anthropic/, us.anthropic.), dots in
// place of dashes, and a date or a version behind them. What is no Claude at all is taken for a model of a compatible
// provider, with the features that these have in common.
func AnthropicModelOf(model string) AnthropicModel {
	n := parseClaude(model)
	if !n.claude {
		return AnthropicModel{
			Sampling: true, Budget: true, Off: true, ForcedChoice: true, ForcedChoiceWhileThinking: true, Prefill: true,
		}
	}
	m := modernClaude
	switch {
	case n.family == "fable" || n.family == "mythos":
		m.AlwaysThinks, m.MidSystem = true, true
		m.ForcedChoice = !(n.family == "fable" && n.version >= 51)
	case n.family == "haiku" && n.version >= 55:
		m.Off, m.OffBelowXHigh, m.MidSystem = true, true, true
	case n.family == "opus" && n.version >= 55, n.family == "sonnet" && n.version >= 55:
		m.AlwaysThinks, m.MidSystem, m.ForcedChoice = true, true, false
		m.MinimumBetween = n.family == "sonnet"
	case n.family == "opus" && n.version >= 50:
		m.Off, m.OffBelowXHigh, m.MidSystem = true, true, true
	case n.family == "opus" && n.version >= 47, n.family == "sonnet" && n.version >= 50:
		m.Off, m.MidSystem = true, n.version >= 48
	case n.version == 0 || n.version >= 47:
		// Another name of a Claude, or another model of a generation that is known: see modernClaude.
	default:
		m = olderClaude(n)
	}
	return m
}

// olderClaude returns the row of a model up to 4.6.
func olderClaude(n claudeName) AnthropicModel {
	m := AnthropicModel{
		Claude: true, Sampling: true, Budget: true, Off: true, ForcedChoice: true, Prefill: true,
		StructuredOutputs: n.version >= 41,
	}
	switch {
	case n.version >= 46:
		m.MaxOutput, m.Adaptive, m.Prefill, m.ForcedChoiceWhileThinking = 128_000, true, false, true
		m.Efforts = effortsTo46
	case n.version >= 45:
		m.MaxOutput = 64_000
		if n.family == "opus" {
			m.Efforts = effortsTo45
		}
	case n.version >= 40 && n.family == "opus":
		m.MaxOutput = 32_000
	case n.version >= 37:
		m.MaxOutput = 64_000
	case n.version >= 35:
		m.MaxOutput, m.Budget, m.Off = 8_192, false, false
	default:
		m.MaxOutput, m.Budget, m.Off = 4_096, false, false
	}
	return m
}

// claudeName is what the name of a model says: the version is ten times major plus minor, 0 when there is none.
type claudeName struct {
	claude  bool
	family  string
	version int
}

// parseClaude reads names of the forms claude-FAMILY-MAJOR[-MINOR] and claude-MAJOR[-MINOR]-FAMILY.
func parseClaude(model string) claudeName {
	var n claudeName
	major, minor := -1, -1
	for rest := model; rest != ""; {
		var word string
		word, rest = nextWord(rest)
		switch {
		case equalFold(word, "claude"):
			n = claudeName{claude: true}
			major, minor = -1, -1
		case !n.claude:
			// A prefix: the provider's name, a region.
		case isNumber(word):
			switch value := number(word); {
			case value > 99:
				rest = "" // a date
			case major < 0:
				major = value
			case minor < 0 && value < 10:
				minor = value
			default:
				rest = ""
			}
		default:
			if family := claudeFamily(word); family != "" {
				n.family = family
			}
		}
	}
	if major >= 0 {
		n.version = 10*major + max(minor, 0)
	}
	return n
}

// claudeFamily returns the family that word names, or nothing.
func claudeFamily(word string) string {
	for _, family := range [...]string{"opus", "sonnet", "haiku", "fable", "mythos"} {
		if equalFold(word, family) {
			return family
		}
	}
	return ""
}

// nextWord cuts the first run of letters and digits off s.
func nextWord(s string) (word, rest string) {
	isWord := func(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
	start := 0
	for start < len(s) && !isWord(s[start]) {
		start++
	}
	end := start
	for end < len(s) && isWord(s[end]) {
		end++
	}
	return s[start:end], s[end:]
}

func isNumber(word string) bool {
	for i := range len(word) {
		if !isDigit(word[i]) {
			return false
		}
	}
	return word != ""
}

// number returns the value of word, or a large one for what is no version.
func number(word string) int {
	if len(word) > 2 {
		return 1000
	}
	value := 0
	for i := range len(word) {
		value = 10*value + int(word[i]-'0')
	}
	return value
}

// equalFold compares ASCII words; lower is in lower case.
func equalFold(word, lower string) bool {
	if len(word) != len(lower) {
		return false
	}
	for i := range len(word) {
		if c := word[i]; c != lower[i] && (c|0x20 != lower[i] || c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// Nearest returns the effort that the model takes for e: e itself, else the next lower one, else the lowest. It is empty when
// the model has none.
func (m *AnthropicModel) Nearest(e Effort) Effort {
	var nearest Effort
	for i, known := range m.Efforts {
		if i == 0 || known.rank() <= e.rank() {
			nearest = known
		}
	}
	return nearest
}
