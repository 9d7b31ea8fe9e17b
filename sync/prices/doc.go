// Package prices knows what models cost at their providers.
//
// A Catalog is an immutable list of providers, their models, what these cost and how long they may be. Builtin is the one
// in the binary; Parse reads the one of models.dev (https://models.dev/api.json); a Sync fetches that now and then and
// keeps the last good one. What a catalog does not know it does not guess: a model without a price has none.
//
// Find looks for a model at the provider that a channel's address belongs to, and then at the model's home, which is the
// provider that made it. Names are compared as they are first, and then without what providers add to them: the maker in
// front, a date behind (see normalize).
//
// Start reading at Catalog.
package prices
