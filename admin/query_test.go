package admin

import (
	"strings"
	"testing"
)

func TestQueriesThatCantBeUsedAreRefusedByName(t *testing.T) {
	p := openWithToken(t, Options{})
	for _, test := range []struct {
		name, path, code, field string
	}{
		{"unknown", "/api/v1/logs?colour=blue", codeUnknownParameter, "colour"},
		{"unknown where there are none", "/api/v1/stats/summary?limit=1", codeUnknownParameter, "limit"},
		{"in the wrong case", "/api/v1/logs?Limit=1", codeUnknownParameter, "Limit"},
		{"twice", "/api/v1/logs?limit=1&limit=1", codeBadParameter, "limit"},
		{"limit of nothing", "/api/v1/logs?limit=0", codeBadParameter, "limit"},
		{"negative limit", "/api/v1/logs?limit=-1", codeBadParameter, "limit"},
		{"limit above the bound", "/api/v1/logs?limit=501", codeBadParameter, "limit"},
		{"huge limit", "/api/v1/logs?limit=99999999999999999999999999", codeBadParameter, "limit"},
		{"limit that is no number", "/api/v1/prices?limit=1e3", codeBadParameter, "limit"},
		{"flag", "/api/v1/logs?failed=yes", codeBadParameter, "failed"},
		{"class", "/api/v1/logs?class=broken", codeBadParameter, "class"},
		{"status", "/api/v1/logs?status=ok", codeBadParameter, "status"},
		{"status out of range", "/api/v1/logs?status=1000", codeBadParameter, "status"},
		{"status class out of range", "/api/v1/logs?status=7xx", codeBadParameter, "status"},
		{"negative status class", "/api/v1/logs?status=-1xx", codeBadParameter, "status"},
		{"huge status", "/api/v1/logs/stream?status=99999999999999999999", codeBadParameter, "status"},
		{"time", "/api/v1/logs?from=yesterday", codeBadParameter, "from"},
		{"time far away", "/api/v1/logs?to=9999-01-01T00:00:00Z", codeBadParameter, "to"},
		{"time long ago", "/api/v1/stats/series?from=0001-01-01T00:00:00Z", codeBadParameter, "from"},
		{"times in the wrong order", "/api/v1/logs?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", codeBadParameter, "to"},
		{"times in the wrong order of series", "/api/v1/stats/ranking?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", codeBadParameter, "to"},
		{"cursor of the log", "/api/v1/logs?cursor=%25%25", codeBadParameter, "cursor"},
		{"huge cursor of the log", "/api/v1/logs?cursor=zzzzzzzzzzzzzzzzzzzzzzzz", codeBadParameter, "cursor"},
		{"cursor of prices", "/api/v1/prices?cursor=-1", codeBadParameter, "cursor"},
		{"huge cursor of prices", "/api/v1/prices?cursor=zzzzzzzzzzzzzzzzzzzzzzzz", codeBadParameter, "cursor"},
		{"step", "/api/v1/stats/series?step=week", codeBadParameter, "step"},
		{"two series", "/api/v1/stats/series?channel=a&model=b", codeBadParameter, "model"},
		{"ranking", "/api/v1/stats/ranking?by=colour", codeBadParameter, "by"},
		{"order", "/api/v1/stats/ranking?order=colour", codeBadParameter, "order"},
		{"text that is too long", "/api/v1/logs?text=" + strings.Repeat("x", maxText+1), codeBadParameter, "text"},
		{"seconds of a profile", "/debug/pprof/profile?seconds=3600", codeBadParameter, "seconds"},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := p.call(t, "GET", test.path, "")
			checkRefused(t, response, body, 400, test.code, test.field)
		})
	}
}

func TestQueriesThatAreOdd(t *testing.T) {
	p := openWithToken(t, Options{})
	for name, path := range map[string]string{
		"percent signs are plain text":  "/api/v1/logs?text=%%%",
		"bytes that are no text":        "/api/v1/logs?text=%ff%00",
		"empty means not given":         "/api/v1/logs?limit=&from=&status=&class=&cursor=",
		"a question mark alone":         "/api/v1/logs?",
		"names that nothing has":        "/api/v1/logs?group=nobody&channel=nobody&model=nobody&api_key=nobody",
		"a series of nothing":           "/api/v1/stats/series?channel=nobody",
		"bounds":                        "/api/v1/logs?limit=500&status=599&from=1971-01-01T00:00:00Z&to=2399-12-31T23:59:59%2B01:00",
		"bounds of the statistics":      "/api/v1/stats/series?step=day&from=1971-01-01T00:00:00Z&to=2399-12-31T23:59:59Z",
		"a cursor behind the last item": "/api/v1/stats/ranking?cursor=zzzz",
	} {
		t.Run(name, func(t *testing.T) {
			var got list[any]
			if p.ask(t, path, &got); got.Items == nil || len(got.Items) > 0 || got.NextCursor != nil {
				t.Errorf("got %+v, want no items and no cursor", got)
			}
		})
	}
}
