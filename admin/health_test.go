package admin

import (
	"strings"
	"testing"
	"time"

	"octopus/gateway/outcome"
)

func TestHealthTellsEveryTarget(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := openWithToken(t, Options{Health: func() []TargetHealth {
		return []TargetHealth{
			{ChannelID: "c1", Channel: "north", KeyID: "k1", Key: "main", Model: "m", State: "out", InFlight: 2, CoolingUntil: at.Add(time.Minute),
				Why: outcome.ClassRateLimited, LastError: outcome.ClassOverloaded, LastErrorAt: at, Latency: 250 * time.Millisecond},
			{ChannelID: "c2", Channel: "local", Model: "m", State: "sound"},
		}
	}})
	_, body := p.call(t, "GET", "/api/v1/health", "")
	want := strings.ReplaceAll(`{"items":[
{"channel_id":"c1","channel":"north","key_id":"k1","key":"main","model":"m","state":"out","in_flight":2,"cooling_until":"2026-01-02T03:05:05Z",
"cooling_why":"rate_limited","last_error":{"class":"overloaded","at":"2026-01-02T03:04:05Z"},"latency_ms":250},
{"channel_id":"c2","channel":"local","key_id":null,"key":null,"model":"m","state":"sound","in_flight":0,"cooling_until":null,
"cooling_why":null,"last_error":null,"latency_ms":null}],"next_cursor":null}`, "\n", "")
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	var first list[target]
	if p.ask(t, "/api/v1/health?limit=1", &first); len(first.Items) != 1 || first.NextCursor == nil {
		t.Errorf("the first page is %+v", first)
	}
}
