package config

import (
	"reflect"
	"testing"
)

func TestDefaultsHaveNoFieldsWithoutEffect(t *testing.T) {
	for _, text := range []string{"", `
channels: [{name: a, type: anthropic, base_url: "https://a.example", keys: [sk-1], models: [m], headers: {x-a: b}, params: {a: 1}, proxy: "socks5://p.example", limits: {concurrency: 1, rpm: 1, tpm: 1}, price_multiplier: 2, client_gone: drain}]
groups: [{name: g, aliases: [h], mode: least-latency, affinity: session, match: "^m", members: [{channel: a, model: m}], policy: {attempts: 1, deadline: 1s, keepalive: 1s, rate_limit_wait: 1s, commit: complete, cooldown: {base: 1s}, hedge: {after: p95}}}]
api_keys: [{name: k, key: sk-octopus-0123456789abcdef, groups: ["*"], expires_at: 2030-01-01T00:00:00Z, allowed_ips: [10.0.0.1], budget_usd: 1, budget_period: day, rpm: 1, tpm: 1, concurrency: 1, unpriced: allow}]
prices: [{model: m, input: 1}]
settings: {log_bodies: all, log_retention: 1h, log_max_size: 1, stats_save_interval: 2s, price_sync_interval: 0, price_sync_url: "", cors_origins: ["*"], response_model: requested, relay_headers: false, metrics_auth: true, allow_metadata_addresses: true, proxy: "http://p.example"}
`} {
		if got := mustApply(t, Empty(), text).WithoutEffect(); len(got) > 0 {
			t.Errorf("without effect: %q, want none", got)
		}
	}
}

func TestFieldsWithoutEffect(t *testing.T) {
	c := mustApply(t, Empty(), `
channels:
  - {name: a, type: anthropic, base_url: "https://a.example", model_sync: {include: x}, convert: {strict: true, upstream_stream: always},
     client_gone: cancel}
groups:
  - {name: gpt-5.4}
settings: {model_sync_interval: 0, response_store: {ttl: 1h}}
`)
	want := []string{
		`channels["a"].model_sync`,
		"settings.model_sync_interval",
	}
	if got := c.WithoutEffect(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
