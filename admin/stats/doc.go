// Package stats counts what the ledger lists: requests, failures, tokens, money and times, by channel, key, model, group and
// API key, hour by hour.
//
// Counters are the numbers of one series over some time. A Delta collects outcomes; it belongs to one goroutine at a time and
// is as cheap to add to as its few map lookups. A Table takes deltas and puts the new sums into the batch that also has the
// rows they come from, so that the one is on disk exactly when the other is; it answers what is asked of the sums. Days are
// those of the process' time zone, hours those of UTC.
//
// Start reading at Counters.
package stats
