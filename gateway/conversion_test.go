package gateway

import (
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// speaking leaves the first channel one endpoint, in a protocol.
func speaking(p llm.Protocol) func(*config.Config) {
	return func(c *config.Config) {
		url := c.Channels[0].Endpoints[0].BaseURL
		c.Channels[0].Endpoints = []config.Endpoint{{Protocol: p, BaseURL: url}}
		c.Channels[0].Convert.Options = llm.DefaultOptions()
	}
}

func TestConvertedCalls(t *testing.T) {
	for _, upstream := range llm.Protocols {
		w := newWorld(t, 1, speaking(upstream))
		eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
			for _, script := range []string{"tokens=20", "tokens=20,every=2ms", "reasoning,tokens=5,every=1ms", "cached=4,tokens=3", "split=7,tokens=9"} {
				row := w.script(script)
				status, body, header := w.call(p, "m", stream)
				if status != 200 || stream && !strings.Contains(body, terminal[p]) {
					t.Fatalf("%v upstream, %s: got %d, %s", upstream, script, status, body)
				}
				checkEvents(t, body)
				log := w.providers[0].Requests()
				if len(log) != 1 || log[0].Protocol != upstream || log[0].Stream != stream {
					t.Fatalf("%v upstream, %s: the provider got %+v", upstream, script, log)
				}
				want := log[0].Usage
				want.Knowledge = llm.Reported
				if o := w.ledger.wait(t, row); o.Usage != want || o.Class != outcome.ClassNone {
					t.Errorf("%v upstream, %s: usage %+v, want %+v; class %v", upstream, script, o.Usage, want, o.Class)
				}
				if header.Get("X-Octopus-Channel") != "p1" {
					t.Errorf("headers: %v", header)
				}
			}
		})
	}
}

func TestConvertedFailures(t *testing.T) {
	for _, upstream := range llm.Protocols {
		w := newWorld(t, 1, speaking(upstream))
		for _, p := range llm.Protocols {
			t.Run(fmt.Sprintf("%v on %v", p, upstream), func(t *testing.T) {
				for script, want := range map[string]string{"tokens=20,every=3ms,cut=10": "error", "tokens=20,every=3ms,errorevent=10": "error"} {
					row := w.script(script)
					status, body, _ := w.call(p, "m", true)
					if status != 200 || !strings.Contains(body, want) || strings.Contains(body, "message_stop") ||
						strings.Contains(body, "response.completed") || strings.Contains(body, `"finish_reason":"stop"`) {
						t.Errorf("%s: got %d, %s", script, status, body)
					}
					if o := w.ledger.wait(t, row); o.Class != outcome.ClassCut {
						t.Errorf("%s: class %v", script, o.Class)
					}
				}
				w.script("status=400")
				if status, body, _ := w.call(p, "m", false); status != 400 || (p == llm.Messages) != strings.HasPrefix(body, `{"type":"error"`) {
					t.Errorf("got %d, %s", status, body)
				}
			})
		}
	}
}
