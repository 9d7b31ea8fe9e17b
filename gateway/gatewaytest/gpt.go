package gatewaytest

import (
	"regexp"
	"strings"
)

// gpt is what one of OpenAI's models takes (protocols.md D.5). The zero value is a model of another vendor, which takes
// everything.
type gpt struct {
	known bool
	// reasons is whether temperature and its like are refused.
	reasons bool
	// samples is whether they are accepted with the effort none.
	samples bool
	// efforts are the values of the reasoning effort, nil for all.
	efforts []string
}

// gpts is read from the top; the first pattern that matches counts.
var gpts = []struct {
	pattern *regexp.Regexp
	gpt     gpt
}{
	{regexp.MustCompile(`-chat`), gpt{known: true}},
	{regexp.MustCompile(`^gpt-6.*-(sol|luna)|^gpt-6\.1-terra`), reasoner("none low medium high xhigh max", false)},
	{regexp.MustCompile(`^gpt-([6-9]|\d\d)`), reasoner("low medium high xhigh max", false)},
	{regexp.MustCompile(`^gpt-5.*-(codex|pro)`), gpt{known: true, reasons: true}},
	{regexp.MustCompile(`^gpt-5\.1`), reasoner("none low medium high", true)},
	{regexp.MustCompile(`^gpt-5\.`), reasoner("none low medium high xhigh", true)},
	{regexp.MustCompile(`^gpt-5`), reasoner("minimal low medium high", false)},
	{regexp.MustCompile(`^o\d`), reasoner("low medium high", false)},
}

// reasoner returns a model that reasons with these efforts, which are separated by spaces.
func reasoner(efforts string, samples bool) gpt {
	return gpt{known: true, reasons: true, samples: samples, efforts: strings.Fields(efforts)}
}

// gptName is how the names of OpenAI's models begin.
var gptName = regexp.MustCompile(`^(gpt-\d|o\d|chatgpt-)`)

// gptOf returns what the model of that name takes.
func gptOf(model string) gpt {
	if !gptName.MatchString(model) {
		return gpt{}
	}
	for _, row := range gpts {
		if row.pattern.MatchString(model) {
			return row.gpt
		}
	}
	return gpt{known: true}
}
