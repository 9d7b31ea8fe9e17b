package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

func TestOwnPricesAreThoseOfTheConfiguration(t *testing.T) {
	c := config.Empty()
	c.Prices = []config.Price{
		{Object: config.Object{ID: "abc", Revision: 3, Managed: "file"}, Model: "m", Channel: "north", Input: 1_250_000, Output: 10_000_000,
			CacheRead: 0, CacheWrite: config.NoPrice},
		{Object: config.Object{ID: "def", Revision: 4}, Model: "m", Input: config.NoPrice, Output: 1, CacheRead: config.NoPrice, CacheWrite: config.NoPrice},
	}
	p := openWithToken(t, Options{Config: func() *config.Config { return c }})
	_, body := p.call(t, "GET", "/api/v1/prices", "")
	want := strings.ReplaceAll(`{"items":[
{"id":"abc","revision":3,"managed":"file","model":"m","channel":"north","per_million_tokens":
{"input_nano_usd":1250000000,"output_nano_usd":10000000000,"cache_read_nano_usd":0,"cache_write_nano_usd":null}},
{"id":"def","revision":4,"managed":"","model":"m","channel":null,"per_million_tokens":
{"input_nano_usd":null,"output_nano_usd":1000,"cache_read_nano_usd":null,"cache_write_nano_usd":null}}],"next_cursor":null}`, "\n", "")
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

// shelf is a catalog of some models in no order.
func shelf() []CatalogModel {
	rates := outcome.UnknownRates()
	rates.Input, rates.Output, rates.Reasoning = 2_500_000, 15_000_000, 3
	long := outcome.UnknownRates()
	long.Input = 5_000_000
	models := []CatalogModel{{Provider: "openai", Name: "gpt", ContextWindow: 1000,
		Price: &outcome.Price{Rates: rates, Tiers: []outcome.Tier{{Above: 200, Rates: long}}, Fast: &long}}}
	for i := range 5 {
		models = append(models, CatalogModel{Provider: "acme", Name: fmt.Sprint("Model-", 5-i)})
	}
	return models
}

func TestTheCatalogIsSearchedAndPaged(t *testing.T) {
	p := openWithToken(t, Options{Catalog: slices.Values(shelf()), PriceSync: func() PriceSync { return PriceSync{Source: "builtin", Models: 6, Err: "no route"} }})
	for query, want := range map[string]string{
		"":                    "acme/Model-1 acme/Model-2 acme/Model-3 acme/Model-4 acme/Model-5 openai/gpt",
		"?search=MODEL-3":     "acme/Model-3",
		"?search=e/m&limit=2": "acme/Model-1 acme/Model-2 +",
		"?limit=3&cursor=3":   "acme/Model-4 acme/Model-5 openai/gpt",
		"?search=%25%25%25":   "",
		"?search=%%%":         "",
	} {
		var got catalogList
		p.ask(t, "/api/v1/prices/catalog"+query, &got)
		var names []string
		for _, m := range got.Items {
			names = append(names, m.Provider+"/"+m.Model)
		}
		if got.NextCursor != nil {
			names = append(names, "+")
		}
		if text := strings.Join(names, " "); text != want {
			t.Errorf("%q: got %q, want %q", query, text, want)
		}
		if got.Sync.Source != "builtin" || *got.Sync.Error != "no route" || got.Sync.SucceededAt != nil {
			t.Errorf("%q: sync is %+v", query, got.Sync)
		}
	}
	_, body := p.call(t, "GET", "/api/v1/prices/catalog?search=gpt", "")
	none := `"cache_read_nano_usd":null,"cache_write_5m_nano_usd":null,"cache_write_1h_nano_usd":null,`
	long := `{"input_nano_usd":5000000000,"output_nano_usd":null,` + none + `"reasoning_nano_usd":null,"input_audio_nano_usd":null,"output_audio_nano_usd":null}`
	want := `{"provider":"openai","model":"gpt","per_million_tokens":{"input_nano_usd":2500000000,"output_nano_usd":15000000000,` + none +
		`"reasoning_nano_usd":3000,"input_audio_nano_usd":null,"output_audio_nano_usd":null},"tiers":[{"above_tokens":200,"per_million_tokens":` + long +
		`}],"fast_per_million_tokens":` + long + `,"context_window":1000,"max_output_tokens":null}`
	if !strings.Contains(body, want) {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestUnpricedModelsAreThoseOfTheConfigurationAndOfTheStatistics(t *testing.T) {
	c := named()
	c.Channels = append(c.Channels, config.Channel{Name: "off", Models: []string{"m-9"}})
	c.Groups[0].Members = append(c.Groups[0].Members, config.Member{Channel: "south", Model: "m-3"}, config.Member{Channel: "south", Model: "m-1"})
	seen := failedOver("req_1")
	seen.CostKnown, seen.Attempts[1].CostKnown = false, false
	priced := map[string]bool{"south/m-1": true}
	p := recorded(t, Options{
		Config: func() *config.Config { return c }, Priced: func(channel, model string) bool { return priced[channel+"/"+model] },
	}, seen)
	check := func(query, want string) {
		t.Helper()
		var got list[unpricedModel]
		p.ask(t, "/api/v1/prices/unpriced"+query, &got)
		var lines []string
		for _, m := range got.Items {
			channel := "-"
			if m.Channel != nil {
				channel = *m.Channel
			}
			lines = append(lines, fmt.Sprint(m.Model, "@", channel, " ", m.Attempts, " ", m.CostUnknownRequests))
		}
		if text := strings.Join(lines, ", "); text != want {
			t.Errorf("%q: got %q, want %q", query, text, want)
		}
	}
	// m-2 was called and nobody names it; m-1 has a price at one of its channels.
	check("", "m-2@- 1 1, m-1@north 1 0, m-3@south 0 0")
	check("?limit=1&cursor=1", "m-1@north 1 0")
	priced["north/m-2"] = true
	check("", "m-1@north 1 0, m-3@south 0 0")
}

func TestPricesAreSyncedNow(t *testing.T) {
	tried := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var fails error
	p := openWithToken(t, Options{
		SyncPrices: func(context.Context) error { return fails },
		PriceSync: func() PriceSync {
			return PriceSync{Source: "models.dev", Models: 4000, Refused: 2, Tried: tried, Succeeded: tried}
		},
	})
	response, body := p.call(t, "POST", "/api/v1/prices/sync", "")
	want := `{"source":"models.dev","models":4000,"refused":2,"tried_at":"2026-01-02T03:04:05Z","succeeded_at":"2026-01-02T03:04:05Z","error":null}`
	if response.StatusCode != 200 || body != want {
		t.Errorf("%d %s, want %s", response.StatusCode, body, want)
	}
	fails = errors.New("no route")
	response, body = p.call(t, "POST", "/api/v1/prices/sync", "")
	checkError(t, response, body, 502, "sync_failed")
	if !strings.Contains(body, "no route") {
		t.Errorf("it does not say why: %s", body)
	}
	response, body = p.call(t, "GET", "/api/v1/prices/sync", "")
	checkError(t, response, body, 405, "method_not_allowed")
}

func TestOneSyncAtATimeWhichShutdownEnds(t *testing.T) {
	begun := make(chan struct{})
	p := openWithToken(t, Options{SyncPrices: func(ctx context.Context) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	}})
	first := make(chan int)
	go func() {
		response, _ := p.call(t, "POST", "/api/v1/prices/sync", "")
		first <- response.StatusCode
	}()
	<-begun
	response, body := p.call(t, "POST", "/api/v1/prices/sync", "")
	checkError(t, response, body, 409, "sync_running")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() { _ = p.Shutdown(ctx) }()
	if status := <-first; status != 502 {
		t.Errorf("the first one ended with %d", status)
	}
}
