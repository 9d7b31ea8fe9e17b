package gateway

import (
	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// Catalog knows what models cost at their providers, and how long they may be. It is immutable.
type Catalog interface {
	// Find returns what is known of a model that is called at a host, in the provider's spelling: its price, nil when that is
	// not known, and its limits.
	Find(host, model string) (*outcome.Price, llm.Capabilities)
}

// emptyCatalog knows nothing.
type emptyCatalog struct{}

// Find returns nothing.
func (emptyCatalog) Find(string, string) (*outcome.Price, llm.Capabilities) {
	return nil, llm.Capabilities{}
}

// pricing finds the prices of a snapshot: own ones of a model and channel first, then own ones of a model, then the catalog's.
type pricing struct {
	own     map[ownPrice]*outcome.Rates
	catalog Catalog
}

// ownPrice names an own price; its channel is empty for all.
type ownPrice struct{ channel, model string }

func newPricing(prices []config.Price, catalog Catalog) pricing {
	p := pricing{own: make(map[ownPrice]*outcome.Rates, len(prices)), catalog: catalog}
	for i := range prices {
		listed := &prices[i]
		r := outcome.UnknownRates()
		r.Input, r.Output, r.CacheRead, r.CacheWrite5m = listed.Input, listed.Output, listed.CacheRead, listed.CacheWrite
		p.own[ownPrice{listed.Channel, listed.Model}] = &r
	}
	return p
}

// find returns the price of a model on a channel that is reached at a host, nil when it has none, and what is known of its
// limits.
//
// An own price with a rate of the input stands for itself: what it doesn't name of the caches costs what the input costs, for a
// catalog's discount belongs to the catalog's price. Any other rate that it doesn't name comes from the next source.
func (p *pricing) find(channel, host, model string) (*outcome.Price, llm.Capabilities) {
	listed, limits := p.catalog.Find(host, model)
	own := p.own[ownPrice{channel, model}]
	if all := p.own[ownPrice{"", model}]; all != nil {
		if own == nil {
			own = all
		} else {
			merged := own.Or(*all)
			own = &merged
		}
	}
	if own == nil {
		return listed, limits
	}
	if listed == nil {
		return &outcome.Price{Rates: *own}, limits
	}
	if own.Input >= 0 {
		price := &outcome.Price{Rates: *own}
		if own.Output < 0 {
			price.Output = listed.Output
		}
		return price, limits
	}
	price := &outcome.Price{Rates: own.Or(listed.Rates)}
	for _, tier := range listed.Tiers {
		price.Tiers = append(price.Tiers, outcome.Tier{Above: tier.Above, Rates: own.Or(tier.Rates)})
	}
	if listed.Fast != nil {
		fast := own.Or(*listed.Fast)
		price.Fast = &fast
	}
	return price, limits
}

// priced returns the member with its price, and what the catalog knows of its model's limits.
func (m member) priced(prices *pricing) member {
	var limits llm.Capabilities
	m.price, limits = prices.find(m.channel.name, m.channel.host, m.model)
	for _, p := range llm.Protocols {
		m.targets[p].Capabilities = limits
	}
	return m
}

// Priced reports whether a channel, which is named and enabled, has a price for a model: then its cost is known.
func (g *Gateway) Priced(channel, model string) bool {
	s := g.snapshot.Load()
	if s == nil || s.channels[channel] == nil {
		return false
	}
	price, _ := s.pricing.find(channel, s.channels[channel].host, model)
	return price != nil && price.Input >= 0 && price.Output >= 0
}

// bill notes what the call cost: the attempt that served it, or broke off while it did, and those that lost against it, whose
// usage is estimated. Attempts that failed before an answer cost nothing, and so does counting tokens.
func (c *call) bill() {
	o := &c.outcome
	switch o.Operation {
	case outcome.Compact:
		return // the provider does not tell what it used
	case outcome.CountTokens, outcome.Stored:
		o.CostKnown = true
	}
	if c.state < stateBegun && (o.Class != outcome.ClassClientGone || len(o.Attempts) == 0) {
		o.CostKnown = true // no answer began; a provider that a client left alone may charge for one all the same
	}
	served := o.Served()
	if o.CostKnown && served >= 0 {
		o.Attempts[served].CostKnown = true
	}
	if o.Operation != outcome.Generate {
		return
	}
	for i := range o.Attempts {
		a, used := &o.Attempts[i], &o.Attempts[i].Usage
		if i == served {
			used = &o.Usage
		}
		m := c.route.group.member(a.ChannelID, a.Model)
		if *used == (llm.Usage{}) || m == nil {
			continue
		}
		a.CostNanoUSD, a.CostKnown = outcome.Cost(used, m.price, m.channel.priceMultiplier)
		o.CostNanoUSD += a.CostNanoUSD
		// What a lost attempt cost beside it does not make the cost of the answer unknown.
		o.CostKnown = o.CostKnown || i == served && a.CostKnown
	}
}

// member returns the member for a channel's model, nil when there is none.
func (g *group) member(channelID, model string) *member {
	for i := range g.members {
		if m := &g.members[i]; m.channel.id == channelID && m.model == model {
			return m
		}
	}
	return nil
}
