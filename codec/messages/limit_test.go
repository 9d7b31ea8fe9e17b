package messages

import (
	"testing"

	"octopus/codec/llm"
)

func TestFittingMaxTokens(t *testing.T) {
	f := func(message string, want int64) {
		t.Helper()
		if got := FittingMaxTokens(&llm.Error{Message: message}); got != want {
			t.Errorf("%s: got %d, want %d", message, got, want)
		}
	}
	f("input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length", 10_000)
	f("input length and `max_tokens` exceed context limit: 210000 + 32000 > 200000", 0)
	f("input length and `max_tokens` exceed context limit", 0)
	f("exceed context limit: x + y > z", 0)
	f("exceed context limit: 99999999999999999999 + 1 > 200000", 0)
	f("prompt is too long", 0)
}
