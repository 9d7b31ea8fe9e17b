// Package outcome is what happened: everything that is known about a finished request, as plain data.
//
// The gateway fills one Outcome per request and hands it to its Ledger exactly once, when the last byte is out or the
// client is gone. Statistics, the request log and the metrics are made from it and from nothing else.
//
// Start reading at Outcome, then Class.
package outcome
