package admin

import (
	"fmt"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// recorded returns a port with a ledger that holds outcomes, oldest first.
func recorded(t *testing.T, o Options, outcomes ...*outcome.Outcome) *port {
	t.Helper()
	o.Ledger, _ = newLedger(t)
	for _, of := range outcomes {
		o.Ledger.Record(of)
		o.Ledger.Flush() // in this order
	}
	return openWithToken(t, o)
}

// failedOver is a request that a second channel served after a first one failed.
func failedOver(id string) *outcome.Outcome {
	return &outcome.Outcome{
		ID: id, Start: time.Now(), Protocol: llm.Chat, Stream: true, Requested: "fast", Group: "fast", GroupID: "g1", APIKeyID: "p1",
		APIKeyName: "ci", Status: 200, FirstToken: 300 * time.Millisecond, Total: 2 * time.Second,
		Attempts: []outcome.Attempt{
			{Channel: "north", ChannelID: "c1", Key: "k1", Model: "m-1", Duration: 100 * time.Millisecond, Status: 429,
				Class: outcome.ClassRateLimited, Verdict: outcome.TryNext, Message: "Slow down."},
			{Channel: "south", ChannelID: "c2", Key: "k2", Model: "m-2", Start: 100 * time.Millisecond, Duration: 1900 * time.Millisecond,
				FirstToken: 200 * time.Millisecond, Status: 200, CostNanoUSD: 700, CostKnown: true, Why: outcome.ByDefault,
				Skipped: []outcome.Skip{{Channel: "north", Model: "m-1", Key: "k1", Class: outcome.ClassRateLimited, Until: 5 * time.Second}}},
		},
		Usage:       llm.Usage{Input: 10, CacheRead: 20, CacheWrite5m: 3, CacheWrite1h: 4, Output: 50, Reasoning: 5, Knowledge: llm.Reported},
		CostNanoUSD: 700, CostKnown: true, Warnings: "dropped=seed,top_k; approx=reasoning_effort", BytesIn: 11, BytesOut: 22,
	}
}

// refusedRequest is one that no channel was asked about.
func refusedRequest(id string) *outcome.Outcome {
	return &outcome.Outcome{ID: id, Start: time.Now(), Protocol: llm.Messages, Status: 401, Class: outcome.ClassRefused, Message: "No such key."}
}

func named() *config.Config {
	c := config.Empty()
	c.Channels = []config.Channel{
		{Object: config.Object{ID: "c1"}, Name: "north", Enabled: true, Keys: []config.Key{{ID: "k1", Name: "main"}}, Models: []string{"m-1"}},
		{Object: config.Object{ID: "c2"}, Name: "south", Enabled: true, Keys: []config.Key{{ID: "k2"}}},
	}
	c.Groups = []config.Group{{Object: config.Object{ID: "g1"}, Name: "fast", Members: []config.Member{{Channel: "north", Model: "m-1"}}}}
	c.APIKeys = []config.APIKey{{Object: config.Object{ID: "p1"}, Name: "ci"}}
	return c
}

func TestSummaryIsWhatItIsPromisedToBe(t *testing.T) {
	p := recorded(t, Options{}, failedOver("req_1"), failedOver("req_2"), refusedRequest("req_3"))
	_, body := p.call(t, "GET", "/api/v1/stats/summary", "")
	const sums = `{"requests":3,"failures":1,"input_tokens":20,"cache_read_tokens":40,"cache_write_tokens":14,"output_tokens":100,` +
		`"cost_nano_usd":1400,"cost_unknown_requests":1}`
	if want := `{"total":` + sums + `,"today":` + sums + `}`; body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestSeriesAreByHourOrDayAndByWhatIsAsked(t *testing.T) {
	p := recorded(t, Options{Config: named}, failedOver("req_1"), refusedRequest("req_2"))
	for _, test := range []struct {
		query                      string
		requests, failures, output int64
	}{
		{"", 2, 1, 50},
		{"?step=day", 2, 1, 50},
		{"?group=fast", 1, 0, 50},
		{"?group=g1&step=day", 1, 0, 50},
		{"?api_key=ci", 1, 0, 50},
		{"?channel=north", 1, 1, 0}, // an attempt that failed
		{"?channel=c2", 1, 0, 50},
		{"?key=k2", 1, 0, 50},
		{"?model=m-2", 1, 0, 50},
	} {
		t.Run(test.query, func(t *testing.T) {
			var got list[point]
			p.ask(t, "/api/v1/stats/series"+test.query, &got)
			if len(got.Items) != 1 {
				t.Fatalf("%d points, want 1", len(got.Items))
			}
			of := got.Items[0]
			if of.Requests != test.requests || of.Failures != test.failures || of.OutputTokens != test.output {
				t.Errorf("got %+v, want %+v", of.sums, test)
			}
			if age := time.Since(of.Start); age < 0 || age > 25*time.Hour {
				t.Errorf("it begins at %v", of.Start)
			}
		})
	}
	t.Run("details", func(t *testing.T) {
		var got list[point]
		p.ask(t, "/api/v1/stats/series?group=fast", &got)
		of := got.Items[0]
		if of.ReasoningTokens != 5 || len(of.FailuresByClass) != 0 || of.TimeMS == nil || of.TimeMS.Average != 2000 || of.FirstTokenMS.Average != 300 {
			t.Errorf("got %+v", of)
		}
		if of.TimeMS.P50 < 1750 || of.TimeMS.P99 > 2250 {
			t.Errorf("quantiles are %+v", of.TimeMS)
		}
		p.ask(t, "/api/v1/stats/series?channel=north", &got)
		if of = got.Items[0]; of.FailuresByClass["rate_limited"] != 1 || of.FirstTokenMS != nil {
			t.Errorf("got %+v", of)
		}
	})
	t.Run("another time", func(t *testing.T) {
		var got list[point]
		p.ask(t, "/api/v1/stats/series?to=2020-01-01T00:00:00Z", &got)
		if len(got.Items) != 0 {
			t.Errorf("got %+v, want none", got.Items)
		}
	})
}

func TestRankingsHaveNamesAndPages(t *testing.T) {
	p := recorded(t, Options{Config: named}, failedOver("req_1"), failedOver("req_2"), refusedRequest("req_3"))
	for query, want := range map[string]string{
		"":                                "m-1 m-1 2, m-2 m-2 2",
		"?by=channel&order=failures":      "c1 north 2, c2 south 2",
		"?by=channel&order=cost_nano_usd": "c2 south 2, c1 north 2",
		"?by=key":                         "k1 north/main 2, k2 south/k2 2",
		"?by=group":                       "g1 fast 2",
		"?by=api_key":                     "p1 ci 2",
		"?by=key&to=2020-01-01T00:00:00Z": "",
		"?by=channel&limit=1&cursor=1":    "c2 south 2",
	} {
		var got list[ranked]
		p.ask(t, "/api/v1/stats/ranking"+query, &got)
		text := ""
		for i, of := range got.Items {
			if i > 0 {
				text += ", "
			}
			text += fmt.Sprint(of.ID, " ", *of.Name, " ", of.Requests)
		}
		if text != want {
			t.Errorf("%q: got %q, want %q", query, text, want)
		}
	}
	var first list[ranked]
	if p.ask(t, "/api/v1/stats/ranking?by=channel&limit=1", &first); len(first.Items) != 1 || first.NextCursor == nil || *first.NextCursor != "1" {
		t.Errorf("the first page is %+v", first)
	}
	for _, order := range orders {
		p.ask(t, "/api/v1/stats/ranking?order="+order.name, &first)
	}
}

func TestWhatIsGoneHasStatisticsButNoName(t *testing.T) {
	p := recorded(t, Options{}, failedOver("req_1"))
	var got list[ranked]
	if p.ask(t, "/api/v1/stats/ranking?by=group", &got); len(got.Items) != 1 || got.Items[0].ID != "g1" || got.Items[0].Name != nil {
		t.Errorf("got %+v", got.Items)
	}
}
