package prices

import (
	"octopus/gateway/outcome"
)

// Catalog is a list of prices. It is immutable. The zero value knows nothing.
type Catalog struct {
	// Source says where it comes from: SourceBuiltin or SourceModelsDev.
	Source string
	// ETag is the HTTP entity tag that it came with, or empty.
	ETag string
	// Refused counts the models whose entry made no sense and was left out.
	Refused int
	// providers are found by their id at models.dev.
	providers map[string]*provider
	// hosts finds a provider's id by the host of its API.
	hosts map[string]string
}

// The sources of catalogs.
const (
	SourceBuiltin   = "builtin"
	SourceModelsDev = "models.dev"
)

// Model is what a catalog knows of one model of one provider.
type Model struct {
	// Provider is the provider's id at models.dev, Name its own name of the model.
	Provider, Name string
	// Price is what it costs, nil when that is not known.
	Price *outcome.Price
	// ContextWindow and MaxOutput are limits in tokens, DefaultOutput is what clients ask for that have no wish; 0 means unknown.
	ContextWindow, MaxOutput, DefaultOutput int64
	// released is the date of release, for the choice between equals.
	released string
}

// provider is one provider's models, by name and by normalized name.
type provider struct {
	models, normalized map[string]*Model
}

func newCatalog(source string) *Catalog {
	return &Catalog{Source: source, providers: make(map[string]*provider), hosts: make(map[string]string)}
}

// add adds a model, and makes it the one of its normalized name unless another one has the better claim.
func (c *Catalog) add(m *Model) {
	p := c.providers[m.Provider]
	if p == nil {
		p = &provider{models: make(map[string]*Model), normalized: make(map[string]*Model)}
		c.providers[m.Provider] = p
	}
	p.models[m.Name] = m
	short := normalize(m.Name)
	if other := p.normalized[short]; other == nil || m.stands(short, other) {
		p.normalized[short] = m
	}
}

// stands reports whether m rather than other is meant by a normalized name: the one that has this name, else the newer one.
// Names decide between equals, so that the order of reading does not.
func (m *Model) stands(short string, other *Model) bool {
	own, others := plain(m.Name) == short, plain(other.Name) == short
	switch {
	case own != others:
		return own
	case m.released != other.released:
		return m.released > other.released
	}
	return m.Name < other.Name
}

// Len returns how many models the catalog has.
func (c *Catalog) Len() int {
	n := 0
	for _, p := range c.providers {
		n += len(p.models)
	}
	return n
}

// All calls yield with each model, in no order, until it returns false.
func (c *Catalog) All(yield func(*Model) bool) {
	for _, p := range c.providers {
		for _, m := range p.models {
			if !yield(m) {
				return
			}
		}
	}
}

// Find returns what is known of a model that is called at a host: what the host's provider says, else what the model's home
// says. It returns nil when neither has the model. A provider that has the model but no price for it hides the home's: the
// home's limits might fit, its price would be a guess.
func (c *Catalog) Find(host, model string) *Model {
	id := c.providerOf(host)
	if m := c.at(id, model); m != nil {
		return m
	}
	if home := homeOf(model); home != id {
		return c.at(home, model)
	}
	return nil
}

// at returns a provider's model, or nil.
func (c *Catalog) at(id, model string) *Model {
	p := c.providers[id]
	if p == nil {
		return nil
	}
	if m := p.models[model]; m != nil {
		return m
	}
	return p.normalized[normalize(model)]
}
