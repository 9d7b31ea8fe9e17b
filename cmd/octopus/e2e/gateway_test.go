package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"octopus/gateway/gatewaytest"
)

// apiKey is the key of a client that may call everything.
const apiKey = "sk-octopus-e2e-0123456789abcdef"

// gateway is a running octopus and the providers behind its channels.
type gateway struct {
	*process
	north, south, west *gatewaytest.Provider
}

// startGateway runs octopus with the channels north, south and west, each at a provider of its own that speaks all three
// protocols, the group octo-1 (also known as octo) that takes them in turn, and whatever more declares: further entries
// of sections, by name. Args are further flags.
func startGateway(t *testing.T, more map[string]string, args ...string) *gateway {
	t.Helper()
	return startGatewayAt(t, []*gatewaytest.Provider{startProvider(t), startProvider(t), startProvider(t)}, more, args...)
}

// startGatewayAt is startGateway with providers that run already.
func startGatewayAt(t *testing.T, providers []*gatewaytest.Provider, more map[string]string, args ...string) *gateway {
	t.Helper()
	g := &gateway{north: providers[0], south: providers[1], west: providers[2]}
	sections := map[string]string{
		"channels": channel("north", g.north) + channel("south", g.south) + channel("west", g.west),
		"groups": group("octo-1", "aliases: [octo]",
			"{channel: north, model: m}", "{channel: south, model: m}", "{channel: west, model: m}"),
		"api_keys": "  - {name: e2e, key: " + apiKey + `, groups: ["*"], channels: ["*"]}` + "\n",
	}
	for name, text := range more {
		sections[name] += text
	}
	var file strings.Builder
	for _, name := range []string{"channels", "groups", "api_keys", "settings"} {
		if text := sections[name]; text != "" {
			fmt.Fprintf(&file, "%s:\n%s", name, text)
		}
	}
	g.process = startProcess(t, file.String(), args...)
	return g
}

// providers returns the providers in the order of the group octo-1.
func (g *gateway) providers() []*gatewaytest.Provider {
	return []*gatewaytest.Provider{g.north, g.south, g.west}
}

// channel returns the entry of a channel at a provider.
func channel(name string, p *gatewaytest.Provider) string {
	return channelWith(name, p, "", "upstream-"+name)
}

// channelWith returns the entry of a channel with these keys that speaks one protocol, or all three when it is empty.
func channelWith(name string, p *gatewaytest.Provider, protocol, keys string) string {
	if protocol != "" {
		return fmt.Sprintf("  - {name: %s, type: %s, base_url: %q, keys: [%s]}\n", name, protocol, p.URL(), keys)
	}
	return fmt.Sprintf(`  - name: %s
    type: openai-chat
    base_url: %s
    endpoints: [{type: openai-responses, base_url: %[2]q}, {type: anthropic, base_url: %[2]q}]
    keys: [%s]
`, name, p.URL(), keys)
}

// group returns the entry of a group with one more line and these members.
func group(name, line string, members ...string) string {
	return fmt.Sprintf("  - name: %s\n    %s\n    members: [%s]\n", name, line, strings.Join(members, ", "))
}

// startProvider runs a scripted provider until the test ends.
func startProvider(t *testing.T) *gatewaytest.Provider {
	t.Helper()
	p, err := gatewaytest.Start(gatewaytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// patient returns a context that ends when the test has waited long enough.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
