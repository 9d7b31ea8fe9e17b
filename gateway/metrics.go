package gateway

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// gatewayMetrics are the metrics of design.md section 2.3. Labels come from the configuration, never from requests; those
// of groups and channels are found once per snapshot.
type gatewayMetrics struct {
	set            *metrics.Set
	requestSeconds histogram
	firstToken     histogram
	panics         *metrics.Counter
	tokens         [6]*metrics.Counter
	cost           *metrics.Counter
	// noGroup counts requests that reached no group.
	noGroup *groupMetrics
	// mu guards groups and channels.
	mu       sync.Mutex
	groups   map[string]*groupMetrics
	channels map[string]*channelMetrics
	// cooling returns how many targets of a channel are out.
	cooling func(channel string) int
}

func newGatewayMetrics(g *Gateway) *gatewayMetrics {
	set := metrics.NewSet()
	m := &gatewayMetrics{
		set:      set,
		panics:   set.NewCounter("octopus_panics_total"),
		groups:   make(map[string]*groupMetrics),
		channels: make(map[string]*channelMetrics),
	}
	for i, kind := range [...]string{"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"} {
		m.tokens[i] = set.NewCounter(fmt.Sprintf("octopus_tokens_total{kind=%q}", kind))
	}
	m.cost = set.NewCounter("octopus_cost_nano_usd_total")
	set.NewGauge("octopus_in_flight", func() float64 { return float64(g.inFlight.Load()) })
	set.NewGauge("octopus_waiting", func() float64 { return float64(g.admission.waiting()) + float64(g.waiters.count.Load()) })
	set.NewGauge("octopus_client_connections", func() float64 { return float64(g.clients.count.Load()) })
	set.NewGauge("octopus_config_revision", func() float64 {
		if s := g.snapshot.Load(); s != nil {
			return float64(s.config.Revision)
		}
		return 0
	})
	m.noGroup = m.group("")
	m.cooling = g.cooling
	return m
}

func (m *gatewayMetrics) write(w io.Writer) {
	m.set.WritePrometheus(w)
	m.requestSeconds.write(w, "octopus_request_seconds")
	m.firstToken.write(w, "octopus_first_token_seconds")
	metrics.WriteProcessMetrics(w)
}

// record counts a finished call.
func (m *gatewayMetrics) record(c *call) {
	o := &c.outcome
	of := m.noGroup
	if c.route.group != nil {
		of = c.route.group.metrics
	}
	of.count(o.Protocol, o.Status)
	m.requestSeconds.update(o.Total)
	if o.FirstToken > 0 {
		m.firstToken.update(o.FirstToken)
	}
	if o.CostNanoUSD > 0 {
		m.cost.AddInt64(o.CostNanoUSD)
	}
	if u := &o.Usage; u.Knowledge != llm.Unknown {
		for i, n := range [...]int64{u.Input, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h, u.Output, u.Reasoning} {
			if n > 0 {
				m.tokens[i].AddInt64(n)
			}
		}
	}
}

// attempt counts a finished attempt, and the events of its answer that were left out.
func (m *gatewayMetrics) attempt(ch *channel, class outcome.Class, skipped int) {
	ch.metrics.attempts[class].Inc()
	if skipped > 0 {
		ch.metrics.skipped.Add(skipped)
	}
}

// groupMetrics count the requests of a group.
type groupMetrics struct {
	set  *metrics.Set
	name string
	// requests are made as statuses occur, by protocol and place in countedStatuses.
	requests [len(llm.Protocols) + 1][len(countedStatuses)]atomic.Pointer[metrics.Counter]
}

// countedStatuses are the statuses that are counted by number; 0 stands for all others, and comes first.
var countedStatuses = [...]int{0, 200, 201, 202, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 424, 429, 431, 499, 500,
	501, 502, 503, 504, 529}

// group returns the metrics of a group.
func (m *gatewayMetrics) group(name string) *groupMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups[name] == nil {
		m.groups[name] = &groupMetrics{set: m.set, name: name}
	}
	return m.groups[name]
}

// count counts a request that ended with a status.
func (g *groupMetrics) count(p llm.Protocol, status int) {
	slot := &g.requests[p][max(0, slices.Index(countedStatuses[:], status))]
	counter := slot.Load()
	if counter == nil {
		label := "other"
		if slices.Contains(countedStatuses[1:], status) {
			label = strconv.Itoa(status)
		}
		counter = g.set.GetOrCreateCounter(fmt.Sprintf("octopus_requests_total{group=%q,protocol=%q,status=%q}", g.name, p, label))
		slot.Store(counter)
	}
	counter.Inc()
}

// channelMetrics count the attempts on a channel, by how they ended.
type channelMetrics struct {
	attempts [outcome.Classes]*metrics.Counter
	// skipped counts events of answers that could not be read and were left out.
	skipped *metrics.Counter
}

// channel returns the metrics of a channel.
func (m *gatewayMetrics) channel(name string) *channelMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.channels[name] == nil {
		c := new(channelMetrics)
		for class := range c.attempts {
			c.attempts[class] = m.set.GetOrCreateCounter(fmt.Sprintf("octopus_attempts_total{channel=%q,class=%q}",
				name, outcome.Class(class)))
		}
		m.set.NewGauge(fmt.Sprintf("octopus_target_cooling{channel=%q}", name), func() float64 { return float64(m.cooling(name)) })
		c.skipped = m.set.GetOrCreateCounter(fmt.Sprintf("octopus_events_skipped_total{channel=%q}", name))
		m.channels[name] = c
	}
	return m.channels[name]
}
