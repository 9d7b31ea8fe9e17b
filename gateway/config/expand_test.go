package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	lookup := func(name string) (string, bool) {
		value, set := map[string]string{"A": "1", "_b2": "two", "EMPTY": "", "NESTED": "${A}", strings.Repeat("V", 128): "long"}[name]
		return value, set
	}
	const syntax = `"${" does not begin the name of a variable as in ${NAME}; write "$${" for the characters themselves`
	for _, c := range []struct{ name, text, want, err string }{
		{"no variable", "a $ b {c} $d", "a $ b {c} $d", ""},
		{"one", "${A}", "1", ""},
		{"several", "x${A}${_b2}-${EMPTY}.", "x1two-.", ""},
		{"values are not expanded again", "${NESTED}", "${A}", ""},
		{"escaped", "$${A}", "${A}", ""},
		{"escaped, then a variable", "$${${A}}", "${1}", ""},
		{"a dollar before an escape", "$$${A}", "$${A}", ""},
		{"a dollar in front of nothing", "cost: 5$", "cost: 5$", ""},
		{"the longest name", "${" + strings.Repeat("V", 128) + "}", "long", ""},
		{"unset", "${B}", "", "the variable B is not set"},
		{"not closed", "${A", "", syntax},
		{"no name", "${}", "", syntax},
		{"a digit first", "${1A}", "", syntax},
		{"a default", "${A:-x}", "", syntax},
		{"a long name", "${" + strings.Repeat("V", 129) + "}", "", syntax},
		{"more than the limit", strings.Repeat("${A}", 101), "", "the variables up to here stand for more than 8 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := expand(c.text, 100, lookup)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if err == nil && c.err != "" || err != nil && err.Error() != c.err {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// TestVariablesInFiles shows where variables count, and that their values stay single texts.
func TestVariablesInFiles(t *testing.T) {
	const text = `
channels:
  - name: ${OPENAI_SPARE}
    enabled: "${YES}"
    type: anthropic
    base_url: https://${OPENAI_SPARE}.example
    models: ["${COMMA}", "$${RPM}", "${RPM}"]
    limits: {rpm: "${RPM}"}
    params: {text: "${RPM}", "${RPM}": 1}
    price_multiplier: ${RPM}
# ${NO_SUCH} in a comment
settings: {log_retention: "${RPM}s", log_max_size: "${RPM}MiB"}
`
	c := mustApply(t, Empty(), text)
	channel := c.Channels[0]
	if channel.Name != "sk-spare" || !channel.Enabled || channel.Endpoints[0].BaseURL != "https://sk-spare.example" {
		t.Errorf("name %q, enabled %v, base URL %q", channel.Name, channel.Enabled, channel.Endpoints[0].BaseURL)
	}
	if got := strings.Join(channel.Models, "|"); got != "a, b: [c]|${RPM}|60" {
		t.Errorf("models %q", got)
	}
	if channel.Limits.RPM != 60 || channel.PriceMultiplier != 60*PriceMultiplierOne {
		t.Errorf("rpm %d, multiplier %d, want 60 each", channel.Limits.RPM, channel.PriceMultiplier)
	}
	if got, want := string(channel.Params), `{"text":"60","${RPM}":1}`; got != want {
		t.Errorf("params %s, want %s", got, want)
	}
	if c.Settings.LogRetention.Seconds() != 60 || c.Settings.LogMaxSize != 60<<20 {
		t.Errorf("retention %s, size %d", c.Settings.LogRetention, c.Settings.LogMaxSize)
	}
}

func TestFilesFromElsewhereHaveNoVariables(t *testing.T) {
	f, err := ParseFile([]byte("channels: [{name: a, type: anthropic, base_url: 'https://a.example', models: ['${HOME}', '$${HOME}', '${']}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := f.Apply(Empty())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Channels[0].Models, "|"); got != "${HOME}|$${HOME}|${" {
		t.Errorf("models %q, want the texts as they are", got)
	}
	if _, err := ParseFile([]byte("channels: [{name: a, limits: {rpm: '${RPM}'}}]"), nil); err == nil {
		t.Error("a text stands for a number")
	}
}

func TestVariablesOfAWholeFileAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("channels:\n")
	for i := range 9 {
		fmt.Fprintf(&text, "- {name: b%d, models: ['${A}']}\n", i)
	}
	mebibyte := strings.Repeat("x", 1<<20)
	_, err := ParseFile([]byte(text.String()), func(string) (string, bool) { return mebibyte, true })
	if want := `line 10: channels["b8"].models[0]: the variables up to here stand for more than 8 MiB`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
