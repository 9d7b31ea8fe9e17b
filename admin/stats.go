package admin

import (
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/admin/stats"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// sums are the sums that every answer about statistics has.
type sums struct {
	Requests            int64 `json:"requests"`
	Failures            int64 `json:"failures"`
	InputTokens         int64 `json:"input_tokens"`
	CacheReadTokens     int64 `json:"cache_read_tokens"`
	CacheWriteTokens    int64 `json:"cache_write_tokens"`
	OutputTokens        int64 `json:"output_tokens"`
	CostNanoUSD         int64 `json:"cost_nano_usd"`
	CostUnknownRequests int64 `json:"cost_unknown_requests"`
}

func sumsOf(c *stats.Counters) sums {
	return sums{
		Requests: c.Requests, Failures: c.Failed(),
		InputTokens: c.Input, CacheReadTokens: c.CacheRead, CacheWriteTokens: c.CacheWrite(), OutputTokens: c.Output,
		CostNanoUSD: c.CostNanoUSD, CostUnknownRequests: c.CostUnknown,
	}
}

// details are the sums and what else is counted.
type details struct {
	sums
	ReasoningTokens int64            `json:"reasoning_tokens"`
	FailuresByClass map[string]int64 `json:"failures_by_class"`
	// TimeMS and FirstTokenMS are nil when there was nothing to time.
	TimeMS       *times `json:"time_ms"`
	FirstTokenMS *times `json:"first_token_ms"`
}

// times say how long something took, in milliseconds: on average, and what half, 95 % and 99 % did not exceed.
type times struct {
	Average float64 `json:"average"`
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
}

func detailsOf(c *stats.Counters) details {
	d := details{
		sums: sumsOf(c), ReasoningTokens: c.Reasoning, FailuresByClass: make(map[string]int64),
		TimeMS: timesOf(c.Time, c.Requests, &c.Times), FirstTokenMS: timesOf(c.FirstTokenTime, c.FirstTokens, &c.FirstTokenTimes),
	}
	for class, n := range c.Failures {
		if n > 0 {
			d.FailuresByClass[outcome.Class(class).String()] = n
		}
	}
	return d
}

func timesOf(sum time.Duration, n int64, h *stats.Histogram) *times {
	if n == 0 {
		return nil
	}
	return &times{milliseconds(sum / time.Duration(n)), milliseconds(h.Quantile(0.5)), milliseconds(h.Quantile(0.95)),
		milliseconds(h.Quantile(0.99))}
}

// summary is the answer of /stats/summary.
type summary struct {
	Total sums `json:"total"`
	Today sums `json:"today"`
}

func statsSummary(s *Server, _ *fasthttp.RequestCtx, _ query) (any, error) {
	table := s.options.Ledger.Stats()
	total := table.Total(stats.All, "")
	today, err := table.Sum(stats.All, "", table.Today())
	if err != nil {
		return nil, err
	}
	return summary{sumsOf(&total), sumsOf(&today)}, nil
}

// The values of the parameter step.
const (
	byHour = "hour"
	byDay  = "day"
)

var spanParameters = []parameter{
	{name: "from", kind: aTime, about: "Begin of the time; by default a day before its end, with step=day 30 days."},
	{name: "to", kind: aTime, about: "End of the time, by default now."},
}

var seriesParameters = parameters([]parameter{
	{name: "step", kind: aChoice, fallback: byHour, choices: []string{byHour, byDay}, about: "Hours of UTC, or days where the server is."},
}, spanParameters, []parameter{
	{name: "channel", kind: aText, about: "Name or id: only what was tried on this channel. At most one of these five may be given."},
	{name: "key", kind: aText, about: "Id: only what was tried with this key of a channel."},
	{name: "model", kind: aText, about: "The upstream's name: only what was tried on this model."},
	{name: "group", kind: aText, about: "Name or id: only the requests for this group."},
	{name: "api_key", kind: aText, about: "Name or id: only the requests with this API key."},
})

// dimensions are the dimensions by the parameters that name them.
var dimensions = []struct {
	name string
	of   stats.Dimension
}{
	{"channel", stats.ByChannel}, {"key", stats.ByKey}, {"model", stats.ByModel}, {"group", stats.ByGroup}, {"api_key", stats.ByAPIKey},
}

// point is one hour or day of /stats/series.
type point struct {
	Start time.Time `json:"start"`
	details
}

func statsSeries(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	dimension, id, err := s.series(q)
	if err != nil {
		return nil, err
	}
	daily := q.text("step") == byDay
	span, err := statsSpan(q, daily)
	if err != nil {
		return nil, err
	}
	points, err := s.options.Ledger.Stats().Points(dimension, id, span, daily)
	if err != nil {
		return nil, err
	}
	items := make([]point, len(points))
	for i := range points {
		items[i] = point{moment(points[i].Start), detailsOf(&points[i].Counters)}
	}
	return listed(items, ""), nil
}

// statsSpan returns the span that a query wants.
func statsSpan(q query, daily bool) (stats.Span, error) {
	from, to, err := q.span()
	if from.IsZero() {
		end := to
		if end.IsZero() {
			end = time.Now()
		}
		from = end.AddDate(0, 0, -1)
		if daily {
			from = end.AddDate(0, 0, -30)
		}
	}
	return stats.Span{From: from, To: to}, err
}

// series returns the series that a query wants, by id.
func (s *Server) series(q query) (stats.Dimension, string, error) {
	dimension, id := stats.All, ""
	for _, d := range dimensions {
		wanted := q.text(d.name)
		switch {
		case wanted == "":
		case id != "":
			return 0, "", badField(codeBadParameter, d.name, "at most one of channel, key, model, group and api_key may be given")
		default:
			dimension, id = d.of, wanted
		}
	}
	c := s.options.Config()
	switch dimension {
	case stats.ByChannel:
		id = idByName(c.Channels, id, func(c *config.Channel) (string, string) { return c.ID, c.Name })
	case stats.ByGroup:
		id = idByName(c.Groups, id, func(g *config.Group) (string, string) { return g.ID, g.Name })
	case stats.ByAPIKey:
		id = idByName(c.APIKeys, id, func(k *config.APIKey) (string, string) { return k.ID, k.Name })
	}
	return dimension, id, nil
}

// idByName returns the id of the object with a name. A name that nothing has is taken for an id: statistics outlive objects.
func idByName[T any](objects []T, name string, of func(*T) (id, name string)) string {
	i := slices.IndexFunc(objects, func(o T) bool { _, n := of(&o); return n == name })
	if i < 0 {
		return name
	}
	id, _ := of(&objects[i])
	return id
}

// order is a number that a ranking can be ordered by.
type order struct {
	name string
	by   func(*stats.Counters) int64
}

var orders = []order{
	{"requests", func(c *stats.Counters) int64 { return c.Requests }},
	{"failures", (*stats.Counters).Failed},
	{"input_tokens", func(c *stats.Counters) int64 { return c.Input }},
	{"cache_read_tokens", func(c *stats.Counters) int64 { return c.CacheRead }},
	{"cache_write_tokens", (*stats.Counters).CacheWrite},
	{"output_tokens", func(c *stats.Counters) int64 { return c.Output }},
	{"cost_nano_usd", func(c *stats.Counters) int64 { return c.CostNanoUSD }},
	{"cost_unknown_requests", func(c *stats.Counters) int64 { return c.CostUnknown }},
}

func orderNames() []string {
	names := make([]string, len(orders))
	for i, o := range orders {
		names[i] = o.name
	}
	return names
}

var rankingParameters = parameters([]parameter{
	{name: "by", kind: aChoice, fallback: "model", choices: []string{"channel", "key", "model", "group", "api_key"},
		about: "What is ranked."},
	{name: "order", kind: aChoice, fallback: "requests", choices: orderNames(), about: "The number that counts."},
}, []parameter{
	{name: "from", kind: aTime, about: "Begin of the time, by default a day before its end."},
	{name: "to", kind: aTime, about: "End of the time, by default now."},
}, limitAndCursor)

// ranked is one item of /stats/ranking. Name is nil when the object is gone; of a key it is the channel's and, behind a slash,
// the key's own, or its id.
type ranked struct {
	ID   string  `json:"id"`
	Name *string `json:"name"`
	details
}

func statsRanking(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	var dimension stats.Dimension
	for _, d := range dimensions {
		if d.name == q.text("by") {
			dimension = d.of
		}
	}
	span, err := statsSpan(q, false)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(orders, func(o order) bool { return o.name == q.text("order") })
	ranking, err := s.options.Ledger.Stats().Ranking(dimension, span, orders[at].by)
	if err != nil {
		return nil, err
	}
	wanted, err := page(ranking, q)
	if err != nil {
		return nil, err
	}
	names := namesOf(s.options.Config(), dimension)
	items := make([]ranked, len(wanted.Items))
	for i := range wanted.Items {
		r := &wanted.Items[i]
		items[i] = ranked{r.ID, optional(names[r.ID]), detailsOf(&r.Counters)}
		if dimension == stats.ByModel {
			items[i].Name = &r.ID
		}
	}
	return list[ranked]{items, wanted.NextCursor}, nil
}

// namesOf returns the names of what a dimension is about, by id.
func namesOf(c *config.Config, dimension stats.Dimension) map[string]string {
	names := make(map[string]string)
	switch dimension {
	case stats.ByChannel:
		for i := range c.Channels {
			names[c.Channels[i].ID] = c.Channels[i].Name
		}
	case stats.ByKey:
		for i := range c.Channels {
			for _, k := range c.Channels[i].Keys {
				name := k.Name
				if name == "" {
					name = k.ID
				}
				names[k.ID] = c.Channels[i].Name + "/" + name
			}
		}
	case stats.ByGroup:
		for i := range c.Groups {
			names[c.Groups[i].ID] = c.Groups[i].Name
		}
	case stats.ByAPIKey:
		for i := range c.APIKeys {
			names[c.APIKeys[i].ID] = c.APIKeys[i].Name
		}
	}
	return names
}
