package llm

import "strings"

// OpenAIModel is what a model accepts behind one of OpenAI's two protocols, judged by its name (protocols.md D.5,
// after the tables of the AI SDK and LangChain of 2026). The zero value is a model that OpenAI doesn't make: nothing
// is known of it.
type OpenAIModel struct {
	// Known is whether the name is one of OpenAI's own.
	Known bool
	// Reasons is whether the model reasons: it refuses temperature, top_p, penalties, logit_bias and logprobs, and
	// takes its limit as max_completion_tokens.
	Reasons bool
	// SamplingWithEffortNone is whether a reasoning model accepts temperature, top_p and logprobs with the effort none.
	SamplingWithEffortNone bool
	// DeveloperRole is whether system texts have the role developer.
	DeveloperRole bool
	// StopAccepted is whether stop sequences are accepted.
	StopAccepted bool
	// CacheBreakpoints is whether the model knows explicit breakpoints and options of the prompt cache, prewarming
	// included.
	CacheBreakpoints bool
	// SearchOptions is whether the model is one of those that search the web by themselves and take web_search_options.
	SearchOptions bool
	// Efforts are the efforts that the model accepts, in growing order; nil means none where Known, else unknown.
	Efforts []Effort
}

// The sets of efforts that OpenAI's models accept.
var (
	openAIHighOnly = []Effort{EffortHigh}
	openAIThree    = []Effort{EffortLow, EffortMedium, EffortHigh}
	openAIMinimal  = []Effort{EffortMinimal, EffortLow, EffortMedium, EffortHigh}
	openAINone     = []Effort{EffortNone, EffortLow, EffortMedium, EffortHigh}
	openAIXHigh    = []Effort{EffortNone, EffortLow, EffortMedium, EffortHigh, EffortXHigh}
	openAICodexMax = []Effort{EffortLow, EffortMedium, EffortHigh, EffortXHigh}
	openAIPro      = []Effort{EffortMedium, EffortHigh, EffortXHigh}
	openAIMax      = []Effort{EffortLow, EffortMedium, EffortHigh, EffortXHigh, EffortMax}
	openAIAll      = []Effort{EffortNone, EffortLow, EffortMedium, EffortHigh, EffortXHigh, EffortMax}
)

// OpenAIModelOf returns what the model of that name accepts. Prefixes as aggregators write them ("openai/") don't
// count, nor does the date at the end.
func OpenAIModelOf(model string) OpenAIModel {
	model = model[strings.LastIndexByte(model, '/')+1:]
	m := OpenAIModel{StopAccepted: true, SearchOptions: strings.Contains(model, "-search")}
	switch {
	case len(model) > 1 && model[0] == 'o' && isDigit(model[1]):
		m.reason(openAIThree)
		if strings.HasPrefix(model, "o1-mini") || strings.HasPrefix(model, "o1-preview") {
			m.DeveloperRole, m.Efforts = false, nil
		}
	case strings.HasPrefix(model, "codex-mini"):
		m.reason(openAIThree)
	case strings.HasPrefix(model, "chatgpt-"):
		m.Known = true
	case strings.HasPrefix(model, "gpt-") && len(model) > 4 && isDigit(model[4]):
		m.readGPT(model[4:])
	}
	return m
}

// readGPT judges a model named gpt- and name, which begins with its version.
func (m *OpenAIModel) readGPT(name string) {
	m.Known = true
	major, name := leadingNumber(name)
	minor := 0
	if len(name) > 1 && name[0] == '.' && isDigit(name[1]) {
		minor, name = leadingNumber(name[1:])
	}
	if major < 5 || strings.Contains(name, "-chat") {
		return
	}
	codex, pro := strings.Contains(name, "-codex"), strings.Contains(name, "-pro")
	m.CacheBreakpoints = major > 5 || minor >= 6
	if major > 5 {
		m.reason(openAIMax)
		if strings.Contains(name, "-sol") || strings.Contains(name, "-luna") ||
			strings.Contains(name, "-terra") && (major > 6 || minor >= 1) {
			m.Efforts = openAIAll
		}
		return
	}
	switch {
	case minor == 0 && pro:
		m.reason(openAIHighOnly)
	case minor == 0 && codex:
		m.reason(openAIThree)
	case minor == 0:
		m.reason(openAIMinimal)
	case pro:
		m.reason(openAIPro)
	case codex && minor == 1 && !strings.Contains(name, "-max"):
		m.reason(openAIThree)
	case codex:
		m.reason(openAICodexMax)
	case minor == 1:
		m.reason(openAINone)
		m.SamplingWithEffortNone = true
	default:
		m.reason(openAIXHigh)
		m.SamplingWithEffortNone = true
	}
}

// reason makes m a reasoning model with these efforts.
func (m *OpenAIModel) reason(efforts []Effort) {
	m.Known, m.Reasons, m.DeveloperRole, m.StopAccepted, m.Efforts = true, true, true, false, efforts
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// leadingNumber returns the decimal number that s begins with, and the rest of s. Beyond three digits it is some
// other number than a version's, and large.
func leadingNumber(s string) (n int, rest string) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return n, s[i:]
		}
		n = min(n*10+int(s[i]-'0'), 1000)
	}
	return n, ""
}

// effortOrder holds all efforts in growing order.
var effortOrder = [...]Effort{EffortNone, EffortMinimal, EffortLow, EffortMedium, EffortHigh, EffortXHigh, EffortMax}

// rank returns the place of e in the order of efforts, or -1 when it is none of them.
func (e Effort) rank() int {
	for i, known := range effortOrder {
		if e == known {
			return i
		}
	}
	return -1
}

// Valid reports whether e is one of the efforts.
func (e Effort) Valid() bool { return e.rank() >= 0 }

// Nearest returns the effort to send in place of e: e itself where the model accepts it, else the next lower that it
// accepts, else the next higher. It returns the empty effort when the model accepts none, and e when nothing is known
// of the model.
func (m OpenAIModel) Nearest(e Effort) Effort {
	if e == "" || !m.Known {
		return e
	}
	nearest, rank := Effort(""), e.rank()
	for _, known := range m.Efforts {
		if known.rank() > rank && nearest != "" {
			break
		}
		nearest = known
		if known.rank() >= rank {
			break
		}
	}
	return nearest
}

// EffortOfBudget returns the effort that stands for Anthropic's budget of thinking tokens (protocols.md D.7).
func EffortOfBudget(tokens int64) Effort {
	switch {
	case tokens < 4096:
		return EffortLow
	case tokens < 16384:
		return EffortMedium
	case tokens < 32768:
		return EffortHigh
	}
	return EffortXHigh
}

// BudgetOfEffort returns the thinking tokens that stand for an effort with Anthropic's budget models (protocols.md
// D.7). None and the empty effort are 0: no thinking.
func BudgetOfEffort(e Effort) int64 {
	switch e {
	case EffortMinimal:
		return 1024
	case EffortLow:
		return 4096
	case EffortMedium:
		return 10000
	case EffortHigh:
		return 20000
	case EffortXHigh:
		return 32000
	case EffortMax:
		return 48000
	}
	return 0
}

// OpenAIEffort returns the effort that an OpenAI upstream is asked for (protocols.md D.7): an effort that was given
// wins, else it is read off the kind of thinking. exact tells whether it means the same; the empty effort means that
// nothing is sent.
func (r *Reasoning) OpenAIEffort() (e Effort, exact bool) {
	if r.Effort != "" {
		return r.Effort, true
	}
	switch r.Thinking {
	case ThinkingOff:
		return EffortNone, true
	case ThinkingBudget:
		return EffortOfBudget(r.Budget), false
	case ThinkingBetween:
		return EffortLow, false
	}
	return "", true
}
