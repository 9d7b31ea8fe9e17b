package gatewaytest

import (
	"math"
	"regexp"
	"strings"
)

// claude is what one of Anthropic's models takes (protocols.md D.5).
type claude struct {
	// known is false for the models of other vendors.
	known bool
	// maxOutput is the largest max_tokens.
	maxOutput int
	// sampling is whether temperature, top_p and top_k are accepted.
	sampling bool
	// thinking has the accepted types of thinking, separated by spaces.
	thinking string
	// offBelowXHigh is whether thinking can't be disabled with the efforts xhigh and max.
	offBelowXHigh bool
	// omits is whether thinking is shown only on request.
	omits bool
	// noForce is whether tool_choice can't force a call.
	noForce bool
	// formats is whether output_config.format and strict tools are accepted.
	formats bool
	// prefill is whether the assistant may have the last word.
	prefill bool
	// midSystem is whether messages may have the role system.
	midSystem bool
	// efforts are the accepted efforts, separated by spaces.
	efforts string
}

const (
	effortsTo45 = "low medium high"
	effortsTo46 = "low medium high max"
	effortsAll  = "low medium high xhigh max"
)

// claudes is read from the top; the first pattern that matches counts. Names have hyphens where others write dots.
var claudes = []struct {
	pattern *regexp.Regexp
	claude  claude
}{
	{regexp.MustCompile(`sonnet-5-5`), claude{maxOutput: 128_000, thinking: "adaptive between_tools", omits: true, noForce: true,
		formats: true, midSystem: true, efforts: effortsAll}},
	{regexp.MustCompile(`opus-5-5`), claude{maxOutput: 128_000, thinking: "adaptive", omits: true, noForce: true, formats: true,
		midSystem: true, efforts: effortsAll}},
	{regexp.MustCompile(`haiku-5-5|opus-5`), claude{maxOutput: 128_000, thinking: "adaptive disabled", offBelowXHigh: true,
		omits: true, formats: true, midSystem: true, efforts: effortsAll}},
	{regexp.MustCompile(`fable-5-1`), claude{maxOutput: 128_000, thinking: "adaptive", omits: true, noForce: true, formats: true,
		midSystem: true, efforts: effortsAll}},
	{regexp.MustCompile(`fable|mythos`), claude{maxOutput: 128_000, thinking: "adaptive", omits: true, formats: true,
		midSystem: true, efforts: effortsAll}},
	{regexp.MustCompile(`opus-4-8|sonnet-5`), claude{maxOutput: 128_000, thinking: "adaptive disabled", omits: true,
		formats: true, midSystem: true, efforts: effortsAll}},
	{regexp.MustCompile(`opus-4-7`), claude{maxOutput: 128_000, thinking: "adaptive disabled", omits: true, formats: true,
		efforts: effortsAll}},
	{regexp.MustCompile(`-4-6`), claude{maxOutput: 128_000, sampling: true, thinking: "adaptive enabled disabled",
		formats: true, efforts: effortsTo46}},
	{regexp.MustCompile(`opus-4-5`), claude{maxOutput: 64_000, sampling: true, thinking: "enabled disabled", formats: true,
		prefill: true, efforts: effortsTo45}},
	{regexp.MustCompile(`-4-5`), claude{maxOutput: 64_000, sampling: true, thinking: "enabled disabled", formats: true,
		prefill: true}},
	{regexp.MustCompile(`opus-4-1\b`), claude{maxOutput: 32_000, sampling: true, thinking: "enabled disabled", formats: true,
		prefill: true}},
	{regexp.MustCompile(`opus-4`), claude{maxOutput: 32_000, sampling: true, thinking: "enabled disabled", prefill: true}},
	{regexp.MustCompile(`sonnet-4|-3-7`), claude{maxOutput: 64_000, sampling: true, thinking: "enabled disabled", prefill: true}},
	{regexp.MustCompile(`-3-5`), claude{maxOutput: 8192, sampling: true, prefill: true}},
	{regexp.MustCompile(`claude-(3|2|instant)`), claude{maxOutput: 4096, sampling: true, prefill: true}},
	{regexp.MustCompile(``), claude{maxOutput: 128_000, thinking: "adaptive", omits: true, formats: true, efforts: effortsAll}},
}

// claudeOf returns what the model of that name takes. The models of other vendors take everything.
func claudeOf(model string) claude {
	name := strings.ReplaceAll(model, ".", "-")
	if !strings.Contains(name, "claude") {
		return claude{
			maxOutput: math.MaxInt32, sampling: true, thinking: "adaptive between_tools enabled disabled", formats: true,
			prefill: true, midSystem: true, efforts: effortsAll,
		}
	}
	found := claude{}
	for _, row := range claudes {
		if row.pattern.MatchString(name) {
			found = row.claude
			break
		}
	}
	found.known = true
	return found
}

// allows reports whether word is one of list, whose words are separated by spaces.
func allows(list, word string) bool {
	for one := range strings.FieldsSeq(list) {
		if one == word {
			return true
		}
	}
	return false
}
