package e2e

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// metrics returns the values of all series that the admin port shows, by their full names.
func (g *gateway) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	got := read(client.Get("http://" + g.admin + "/metrics"))
	if got.status != 200 {
		t.Fatalf("metrics: %v", got)
	}
	series := map[string]float64{}
	for line := range strings.SplitSeq(got.body, "\n") {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("metrics line %q: %v", line, err)
		}
		series[line[:at]] = value
	}
	return series
}

// settledMetrics returns the metrics once no request runs: a client may have its last byte before it is counted.
func (g *gateway) settledMetrics(t *testing.T) map[string]float64 {
	t.Helper()
	for ctx := patient(t); ; {
		series := g.metrics(t)
		if series["octopus_in_flight"] == 0 {
			return series
		}
		if ctx.Err() != nil {
			t.Fatalf("octopus_in_flight stays at %v", series["octopus_in_flight"])
		}
	}
}

func TestMetricsEqualTheProvidersNumbers(t *testing.T) {
	g := startGateway(t, nil)
	wantRequests := map[string]float64{}
	for _, directives := range []string{
		"tokens=7",
		"reasoning=5,tokens=3",
		"cached=3,cachewrite=2,tokens=2",
		"calls=2",
		"tokens=60,burst",
		"tokens=5,split=1",
		"tokens=4,obfuscation,crlf,comments",
	} {
		for i := range protocols {
			p := &protocols[i]
			for _, stream := range []bool{false, true} {
				got := g.post(t.Context(), p, p.body("north/m!"+directives, stream))
				if got.status != 200 || stream && !strings.Contains(got.body, p.end) {
					t.Fatalf("%s %s, stream %t: %v", p.name, directives, stream, got)
				}
			}
		}
	}
	for i := range protocols {
		p := &protocols[i]
		for range 5 {
			g.post(t.Context(), p, p.body("octo", true))
		}
		wantRequests[series("octopus_requests_total", "group", "octo-1", "protocol", p.label, "status", "200")] = 5
		g.post(t.Context(), p, p.body("no-such-model", true))
		g.post(t.Context(), p, p.body("no-such-model", false))
		wantRequests[series("octopus_requests_total", "group", "", "protocol", p.label, "status", "404")] = 2
	}

	var want llm.Usage
	for _, p := range g.providers() {
		for _, e := range p.Requests() {
			want.Input += e.Usage.Input
			want.CacheRead += e.Usage.CacheRead
			want.CacheWrite5m += e.Usage.CacheWrite5m
			want.Output += e.Usage.Output
			want.Reasoning += e.Usage.Reasoning
		}
	}
	got := g.settledMetrics(t)
	for kind, n := range map[string]int64{
		"input": want.Input, "cache_read": want.CacheRead, "cache_write_5m": want.CacheWrite5m, "cache_write_1h": 0,
		"output": want.Output, "reasoning": want.Reasoning,
	} {
		if name := series("octopus_tokens_total", "kind", kind); got[name] != float64(n) {
			t.Errorf("%s is %v, want %d", name, got[name], n)
		}
	}
	for name, n := range wantRequests {
		if got[name] != n {
			t.Errorf("%s is %v, want %v", name, got[name], n)
		}
	}
	attempts := 0.0
	for name, n := range maps.All(got) {
		if strings.HasPrefix(name, "octopus_attempts_total{") {
			attempts += n
		}
	}
	requests := g.north.Counts().Requests + g.south.Counts().Requests + g.west.Counts().Requests
	if attempts != float64(requests) {
		t.Errorf("octopus_attempts_total sums up to %v, want %d, the requests at the providers", attempts, requests)
	}
}

// series returns the full name of a metric with labels.
func series(name string, labels ...string) string {
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}
