package admin

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/admin/stats"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// CatalogModel is what the price catalog knows of one model of one provider.
type CatalogModel struct {
	// Provider is the provider's id, Name its own name of the model.
	Provider, Name string
	// Price is what it costs, nil when that is not known. It is read only.
	Price *outcome.Price
	// ContextWindow and MaxOutput are limits in tokens; 0 means unknown.
	ContextWindow, MaxOutput int64
}

// PriceSync is how the syncing of the price catalog stands.
type PriceSync struct {
	// Source is where the catalog comes from. Models says how many models it has, Refused how many entries made no sense.
	Source          string
	Models, Refused int
	// Tried and Succeeded are when a sync was last begun and last went well, zero for never.
	Tried, Succeeded time.Time
	// Err is why the last sync failed, empty when it did not.
	Err string
}

// rates are prices of a million tokens, null where they are not known.
type rates struct {
	Input        *int64 `json:"input_nano_usd"`
	Output       *int64 `json:"output_nano_usd"`
	CacheRead    *int64 `json:"cache_read_nano_usd"`
	CacheWrite5m *int64 `json:"cache_write_5m_nano_usd"`
	CacheWrite1h *int64 `json:"cache_write_1h_nano_usd"`
	Reasoning    *int64 `json:"reasoning_nano_usd"`
	InputAudio   *int64 `json:"input_audio_nano_usd"`
	OutputAudio  *int64 `json:"output_audio_nano_usd"`
}

func ratesOf(r *outcome.Rates) rates {
	return rates{
		perMillion(r.Input), perMillion(r.Output), perMillion(r.CacheRead), perMillion(r.CacheWrite5m), perMillion(r.CacheWrite1h),
		perMillion(r.Reasoning), perMillion(r.InputAudio), perMillion(r.OutputAudio),
	}
}

// perMillion returns the price of a million tokens in nano-USD by that of one in pico-USD, nil for one that is not known.
func perMillion(picoUSD int64) *int64 {
	if picoUSD < 0 {
		return nil
	}
	nanoUSD := picoUSD * 1000
	return &nanoUSD
}

// ownPrice is one item of /prices. Channel is nil when the price is for all.
type ownPrice struct {
	ID         string   `json:"id"`
	Revision   uint64   `json:"revision"`
	Managed    string   `json:"managed"`
	Model      string   `json:"model"`
	Channel    *string  `json:"channel"`
	PerMillion ownRates `json:"per_million_tokens"`
}

// ownRates are the prices of an ownPrice, null where they are the catalog's.
type ownRates struct {
	Input      *int64 `json:"input_nano_usd"`
	Output     *int64 `json:"output_nano_usd"`
	CacheRead  *int64 `json:"cache_read_nano_usd"`
	CacheWrite *int64 `json:"cache_write_nano_usd"`
}

func ownPrices(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	prices := s.options.Config().Prices
	items := make([]ownPrice, len(prices))
	for i := range prices {
		p := &prices[i]
		items[i] = ownPrice{
			ID: p.ID, Revision: p.Revision, Managed: p.Managed, Model: p.Model, Channel: optional(p.Channel),
			PerMillion: ownRates{perMillion(p.Input), perMillion(p.Output), perMillion(p.CacheRead), perMillion(p.CacheWrite)},
		}
	}
	return page(items, q)
}

// catalogModel is one item of /prices/catalog. PerMillion is nil when the catalog has no price.
type catalogModel struct {
	Provider        string `json:"provider"`
	Model           string `json:"model"`
	PerMillion      *rates `json:"per_million_tokens"`
	Tiers           []tier `json:"tiers"`
	Fast            *rates `json:"fast_per_million_tokens"`
	ContextWindow   *int64 `json:"context_window"`
	MaxOutputTokens *int64 `json:"max_output_tokens"`
}

// tier are the prices of requests whose prompt has more tokens than AboveTokens. What is null is as without tiers.
type tier struct {
	AboveTokens int64 `json:"above_tokens"`
	PerMillion  rates `json:"per_million_tokens"`
}

func catalogModelOf(m *CatalogModel) catalogModel {
	item := catalogModel{Provider: m.Provider, Model: m.Name, Tiers: []tier{}}
	if m.ContextWindow > 0 {
		item.ContextWindow = &m.ContextWindow
	}
	if m.MaxOutput > 0 {
		item.MaxOutputTokens = &m.MaxOutput
	}
	if p := m.Price; p != nil {
		usual := ratesOf(&p.Rates)
		item.PerMillion = &usual
		for i := range p.Tiers {
			item.Tiers = append(item.Tiers, tier{p.Tiers[i].Above, ratesOf(&p.Tiers[i].Rates)})
		}
		if p.Fast != nil {
			fast := ratesOf(p.Fast)
			item.Fast = &fast
		}
	}
	return item
}

// catalogList is the answer of /prices/catalog: the list, and how its syncing stands.
type catalogList struct {
	list[catalogModel]
	Sync priceSync `json:"sync"`
}

var catalogParameters = parameters([]parameter{
	{name: "search", kind: aText, about: "Part of provider/model, in upper or lower case."},
}, limitAndCursor)

func catalogPrices(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	search := strings.ToLower(q.text("search"))
	var found []CatalogModel
	for m := range s.options.Catalog {
		if strings.Contains(strings.ToLower(m.Provider+"/"+m.Name), search) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b CatalogModel) int {
		return cmp.Or(strings.Compare(a.Provider, b.Provider), strings.Compare(a.Name, b.Name))
	})
	wanted, err := page(found, q)
	if err != nil {
		return nil, err
	}
	items := make([]catalogModel, len(wanted.Items))
	for i := range wanted.Items {
		items[i] = catalogModelOf(&wanted.Items[i])
	}
	return catalogList{list[catalogModel]{items, wanted.NextCursor}, s.priceSync()}, nil
}

// unpricedModel is one item of /prices/unpriced. Channel is nil for a model that was called and that the configuration names of
// no enabled channel. The numbers are those of the model at all channels, of all time.
type unpricedModel struct {
	Model               string  `json:"model"`
	Channel             *string `json:"channel"`
	Attempts            int64   `json:"attempts"`
	CostUnknownRequests int64   `json:"cost_unknown_requests"`
}

func unpricedModels(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	c, table := s.options.Config(), s.options.Ledger.Stats()
	var items []unpricedModel
	configured := make(map[string]bool)
	for i := range c.Channels {
		channel := &c.Channels[i]
		if !channel.Enabled {
			continue
		}
		for _, model := range modelsOf(c, channel) {
			configured[model] = true
			if !s.options.Priced(channel.Name, model) {
				total := table.Total(stats.ByModel, model)
				items = append(items, unpricedModel{model, &channel.Name, total.Requests, total.CostUnknown})
			}
		}
	}
	for _, seen := range table.Totals(stats.ByModel) {
		if configured[seen.ID] || seen.ID == stats.OtherModels || s.pricedAnywhere(c, seen.ID) {
			continue
		}
		items = append(items, unpricedModel{seen.ID, nil, seen.Requests, seen.CostUnknown})
	}
	slices.SortStableFunc(items, func(a, b unpricedModel) int {
		return cmp.Or(cmp.Compare(b.CostUnknownRequests, a.CostUnknownRequests), strings.Compare(a.Model, b.Model))
	})
	return page(items, q)
}

// modelsOf returns the models that the configuration names of a channel, each once.
func modelsOf(c *config.Config, channel *config.Channel) []string {
	models := slices.Clone(channel.Models)
	for i := range c.Groups {
		for _, m := range c.Groups[i].Members {
			if m.Channel == channel.Name {
				models = append(models, m.Model)
			}
		}
	}
	slices.Sort(models)
	return slices.Compact(models)
}

// pricedAnywhere reports whether an enabled channel has a price for a model.
func (s *Server) pricedAnywhere(c *config.Config, model string) bool {
	return slices.ContainsFunc(c.Channels, func(channel config.Channel) bool {
		return channel.Enabled && s.options.Priced(channel.Name, model)
	})
}

// priceSync is how the syncing of the catalog stands. Error is why the last sync failed, nil when it did not.
type priceSync struct {
	Source      string     `json:"source"`
	Models      int        `json:"models"`
	Refused     int        `json:"refused"`
	TriedAt     *time.Time `json:"tried_at"`
	SucceededAt *time.Time `json:"succeeded_at"`
	Error       *string    `json:"error"`
}

func (s *Server) priceSync() priceSync {
	p := s.options.PriceSync()
	return priceSync{p.Source, p.Models, p.Refused, optionalMoment(p.Tried), optionalMoment(p.Succeeded), optional(p.Err)}
}

// syncTimeout bounds a sync that a caller waits for.
const syncTimeout = time.Minute

func syncPrices(s *Server, _ *fasthttp.RequestCtx, _ query) (any, error) {
	if !s.syncing.CompareAndSwap(false, true) {
		return nil, refused(fasthttp.StatusConflict, "sync_running", "prices are being synced already")
	}
	defer s.syncing.Store(false)
	ctx, cancel := context.WithTimeout(s.running, syncTimeout)
	defer cancel()
	if err := s.options.SyncPrices(ctx); err != nil {
		return nil, refused(fasthttp.StatusBadGateway, "sync_failed", "the catalog stays as it was: "+err.Error())
	}
	return s.priceSync(), nil
}
