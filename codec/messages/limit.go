package messages

import (
	"strconv"
	"strings"

	"octopus/codec/llm"
)

// FittingMaxTokens returns the largest max_tokens with which a request fits the model's context window, when e is Anthropic's
// refusal of a larger one, else 0: "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, …". Where the
// writer has chosen max_tokens itself (Exchange.MaxTokensChosen), the same request may be sent once more with that limit as
// Exchange.Capabilities.MaxOutput (protocols.md D.4).
func FittingMaxTokens(e *llm.Error) int64 {
	_, sum, ok := strings.Cut(e.Message, "exceed context limit: ")
	if !ok {
		return 0
	}
	input, rest := leadingNumber(sum)
	_, rest, ok = strings.Cut(rest, " > ")
	if !ok || input == 0 {
		return 0
	}
	window, _ := leadingNumber(rest)
	return max(window-input, 0)
}

// leadingNumber reads the number that text begins with.
func leadingNumber(text string) (int64, string) {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0, text[end:]
	}
	return n, text[end:]
}
