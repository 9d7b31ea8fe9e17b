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
	{regexp.MustCompile(`^gpt-6.*-(sol|luna)|^gpt-6\.1-terra`), gpt{known: true, reasons: true, efforts: strings.Fields("none low medium high xhigh max")}},
	{regexp.MustCompile(`^gpt-([6-9]|\d\d)`), gpt{known: true, reasons: true, efforts: strings.Fields("low medium high xhigh max")}},
	{regexp.MustCompile(`^gpt-5.*-(codex|pro)`), gpt{known: true, reasons: true}},
	{regexp.MustCompile(`^gpt-5\.1`), gpt{known: true, reasons: true, samples: true, efforts: strings.Fields("none low medium high")}},
	{regexp.MustCompile(`^gpt-5\.`), gpt{known: true, reasons: true, samples: true, efforts: strings.Fields("none low medium high xhigh")}},
	{regexp.MustCompile(`^gpt-5`), gpt{known: true, reasons: true, efforts: strings.Fields("minimal low medium high")}},
	{regexp.MustCompile(`^o\d`), gpt{known: true, reasons: true, efforts: strings.Fields("low medium high")}},
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
