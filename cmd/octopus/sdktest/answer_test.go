package sdktest

import (
	"strings"
	"testing"
)

// channels are those of the demo, by the only protocol that each speaks (cmd/octopus/demo.yaml).
var channels = map[string]string{"chat": "demo-a", "responses": "demo-b", "messages": "demo-c"}

// scripted returns the name of a model behind the channel that speaks a protocol. It makes the provider follow directives.
func scripted(protocol, directives string) string {
	return channels[protocol] + "/scripted!every=0s," + directives
}

// said returns what the provider says to a message: its sentence over and over until there are that many words, or once
// when words is 0.
func said(message string, words int) string {
	sentence := strings.Fields("I am Octopus's scripted provider, not a model. You wrote: " + message)
	if words == 0 {
		words = len(sentence)
	}
	all := make([]string, words)
	for i := range all {
		all[i] = sentence[i%len(sentence)]
	}
	return strings.Join(all, " ")
}

// What the provider counts in the message "Hello", and in its answer.
const (
	helloInput  = 9
	helloOutput = 11
)

// The function that the model may call, its schema, and what the provider makes of that.
const toolName, toolArguments = "get_weather", `{"city":"Bern"}`

var toolProperties = map[string]any{"city": map[string]any{"type": "string", "enum": []string{"Bern"}}}

// checkText compares an answer's text with what it should be.
func checkText(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}

// checkUsage compares what an answer says was used for the message "Hello" with what it should say.
func checkUsage(t *testing.T, input, output int64) {
	t.Helper()
	if input != helloInput || output != helloOutput {
		t.Errorf("usage %d + %d, want %d + %d", input, output, helloInput, helloOutput)
	}
}
