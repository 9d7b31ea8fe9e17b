// Package requestlog is the ledger: a row for each finished request, in the order in which they finished.
//
// A Buffer turns outcomes into rows; it belongs to one goroutine at a time. A Log puts the rows of buffers into a batch of the
// store, numbers them, finds them again (Find, Search), tells those who follow it (Follow) and removes what is too old or too
// much (Prune).
//
// Start reading at Row.
package requestlog
