package e2e

import (
	"strconv"
	"testing"

	"octopus/gateway/gatewaytest"
)

func TestSDKs(t *testing.T) {
	t.Parallel()
	const maxBody = 2 << 20
	more := map[string]string{
		"channels": "  - {name: keyless, type: openai-chat, base_url: \"http://127.0.0.1:9/v1\"}\n",
		"groups": "  - {name: nobody, members: []}\n" +
			group("keyless", "mode: failover", "{channel: keyless, model: m}"),
	}
	g := startGateway(t, more, "--max-body-size="+strconv.Itoa(maxBody))
	for _, name := range []string{"chat", "responses", "messages", "models", "errors"} {
		t.Run(name, func(t *testing.T) {
			runScript(t, g, name, "OCTOPUS_MAX_BODY="+strconv.Itoa(maxBody),
				`OCTOPUS_MODELS=["octo-1","octo","nobody","keyless"]`)
		})
	}
}

func TestTwoHundredStreamsAtOnce(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	runScript(t, g, "crowd")
	for _, p := range g.providers() {
		if _, err := p.Wait(patient(t), gatewaytest.Ended(200)); err != nil {
			t.Error(err)
		}
		if got := p.Counts(); got.Requests != 200 || got.Left != 0 || got.Tokens != 200*60 {
			t.Errorf("provider: %+v, want 200 requests, none left, 12000 tokens", got)
		}
	}
}
