package gateway

import (
	"testing"
	"testing/synctest"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

func TestRateLimitsInTheClientsWords(t *testing.T) {
	cases := []struct {
		client              llm.Protocol
		name, value         string
		wantName, wantValue string
	}{
		{llm.Chat, "Anthropic-Ratelimit-Requests-Limit", "50", "X-Ratelimit-Limit-Requests", "50"},
		{llm.Responses, "Anthropic-Ratelimit-Tokens-Remaining", "7", "X-Ratelimit-Remaining-Tokens", "7"},
		{llm.Chat, "Anthropic-Ratelimit-Tokens-Reset", "2000-01-01T00:01:30Z", "X-Ratelimit-Reset-Tokens", "1m30s"},
		{llm.Chat, "Anthropic-Ratelimit-Tokens-Reset", "1999-12-31T23:00:00Z", "X-Ratelimit-Reset-Tokens", "0s"},
		{llm.Chat, "Anthropic-Ratelimit-Tokens-Reset", "soon", "", ""},
		{llm.Chat, "Anthropic-Ratelimit-Input-Tokens-Limit", "9", "", ""},
		{llm.Messages, "X-Ratelimit-Limit-Requests", "50", "Anthropic-Ratelimit-Requests-Limit", "50"},
		{llm.Messages, "X-Ratelimit-Reset-Tokens", "1.5s", "Anthropic-Ratelimit-Tokens-Reset", "2000-01-01T00:00:01Z"},
		{llm.Messages, "X-Ratelimit-Reset-Requests", "60", "Anthropic-Ratelimit-Requests-Reset", "2000-01-01T00:01:00Z"},
		{llm.Messages, "X-Ratelimit-Reset-Requests", "-", "", ""},
		{llm.Messages, "X-Ratelimit-Limit-Images", "5", "", ""},
		{llm.Responses, "X-Ratelimit-Limit-Requests", "50", "X-Ratelimit-Limit-Requests", "50"},
		{llm.Messages, "Anthropic-Ratelimit-Output-Tokens-Limit", "5", "Anthropic-Ratelimit-Output-Tokens-Limit", "5"},
		{llm.Chat, "Retry-After", "5", "", ""},
	}
	for _, c := range cases {
		synctest.Test(t, func(t *testing.T) { // time begins at 2000-01-01
			var h fasthttp.ResponseHeader
			passRateLimit(&h, c.client, c.name, c.value)
			n := 0
			for name, value := range h.All() {
				if string(name) == "Content-Type" {
					continue
				}
				n++
				if string(name) != c.wantName || string(value) != c.wantValue {
					t.Errorf("%v, %s: %s: got %s: %s, want %s: %s", c.client, c.name, c.value, name, value, c.wantName, c.wantValue)
				}
			}
			if (n == 1) != (c.wantName != "") {
				t.Errorf("%v, %s: %s: %d headers", c.client, c.name, c.value, n)
			}
		})
	}
}
