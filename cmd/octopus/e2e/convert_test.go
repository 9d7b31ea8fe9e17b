package e2e

import (
	"fmt"
	"testing"

	"octopus/gateway/gatewaytest"
)

// crowdStreams is how many streams of a pair of protocols run at once (convert/crowd.mjs).
const crowdStreams = 200

// converter is a running octopus whose channels speak one protocol each, so that clients of the others are converted.
type converter struct {
	*process
	// chat, responses and messages are the providers behind the channels of these names.
	chat, responses, messages *gatewaytest.Provider
}

// startConverter runs octopus with the channels chat, responses and messages, and the groups via-chat, via-responses and
// via-messages. Their providers refuse whatever the real ones would. The channel vendor is one of chat's provider that wants
// its reasoning back, strict one of that of messages that drops nothing.
func startConverter(t *testing.T) *converter {
	t.Helper()
	c := &converter{
		chat:      startValidatingProvider(t),
		responses: startValidatingProvider(t),
		messages:  startValidatingProvider(t),
	}
	one := func(name, kind, options string, p *gatewaytest.Provider) string {
		return fmt.Sprintf("  - {name: %s, type: %s, base_url: %q, keys: [upstream-%[1]s], convert: {%[4]s}}\n",
			name, kind, p.URL(), options)
	}
	c.process = startProcess(t, "channels:\n"+
		one("chat", "openai-chat", "custom_tools: true", c.chat)+
		one("vendor", "openai-chat", "echo_reasoning: true", c.chat)+
		one("responses", "openai-responses", "reasoning_details: true", c.responses)+
		one("messages", "anthropic", "reasoning_details: true, first_party: true", c.messages)+
		one("strict", "anthropic", "strict: true", c.messages)+
		"groups:\n"+
		group("via-chat", "mode: failover", "{channel: chat, model: gpt-4.1}")+
		group("via-responses", "mode: failover", "{channel: responses, model: gpt-4.1}")+
		group("via-messages", "mode: failover", "{channel: messages, model: claude-sonnet-4-5}")+
		"api_keys:\n  - {name: e2e, key: "+apiKey+`, groups: ["*"], channels: ["*"]}`+"\n")
	return c
}

// startValidatingProvider runs a provider that is as strict as the real ones until the test ends.
func startValidatingProvider(t *testing.T) *gatewaytest.Provider {
	t.Helper()
	p, err := gatewaytest.Start(gatewaytest.Options{Validate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestConversion lets every client library talk to a provider of every protocol.
func TestConversion(t *testing.T) {
	c := startConverter(t)
	for _, library := range []string{
		"openai-chat", "openai-responses", "anthropic", "ai-openai-chat", "ai-openai-responses", "ai-anthropic",
		"langchain-openai-chat", "langchain-openai-responses", "langchain-anthropic", "agents-chat", "agents-responses",
	} {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			runScript(t, &gateway{process: c.process}, "convert/"+library)
		})
	}
}

// TestConversionKnowsTheModels asks every model for what it may not take.
func TestConversionKnowsTheModels(t *testing.T) {
	c := startConverter(t)
	runScript(t, &gateway{process: c.process}, "convert/models")
}

// TestConversionOfHistories sends conversations that are hard to tell in another protocol.
func TestConversionOfHistories(t *testing.T) {
	c := startConverter(t)
	runScript(t, &gateway{process: c.process}, "convert/histories")
}

// TestConversionOfSchemas sends schemas that not every provider takes.
func TestConversionOfSchemas(t *testing.T) {
	c := startConverter(t)
	runScript(t, &gateway{process: c.process}, "convert/schemas")
}

// TestConversionForAgents sends what coding agents send.
func TestConversionForAgents(t *testing.T) {
	c := startConverter(t)
	runScript(t, &gateway{process: c.process}, "convert/agentic")
}

func TestTwoHundredConvertedStreamsAtOnce(t *testing.T) {
	c := startConverter(t)
	runScript(t, &gateway{process: c.process}, "convert/crowd")
	for _, p := range []*gatewaytest.Provider{c.chat, c.responses, c.messages} {
		// Clients of two other protocols come to each.
		if _, err := p.Wait(patient(t), gatewaytest.Ended(2*crowdStreams)); err != nil {
			t.Error(err)
		}
		if got := p.Counts(); got.Requests != 2*crowdStreams || got.Left != 0 {
			t.Errorf("provider: %+v, want %d requests, none left", got, 2*crowdStreams)
		}
	}
}
