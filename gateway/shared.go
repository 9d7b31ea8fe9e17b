package gateway

import (
	"time"

	"octopus/gateway/config"
)

// Shared counts what API keys take of their limits: the seam for replicas, which have one limit together. Methods may be called
// from any goroutine, and must not wait for I/O.
type Shared interface {
	// Take lets a request of a key begin that may use so much, or says why not. It takes all of it or nothing. taken is what
	// Settle wants to know.
	Take(key *config.APIKey, want Claim) (taken Claim, s Standing)
	// Settle ends a request that Take let in, which has used so much in the end.
	Settle(key *config.APIKey, taken, used Claim)
}

// Claim is what a request takes of its API key's limits.
type Claim struct {
	// Tokens is about how many it has, in advance; in the end, how many it had.
	Tokens int64
	// NanoUSD is the most that it is expected to cost; in the end, what it cost.
	NanoUSD int64
	// Spends says whether it is one of those that the budget is for.
	Spends bool
	// at is when it was taken; zero when it was not.
	at instant
}

// Standing is how an API key stands towards its limits.
type Standing struct {
	// Refused is the limit that the request was refused for, NoLimit when it was let in. Wait is when that allows it, counted from
	// now; zero when this is not known.
	Refused Limit
	Wait    time.Duration
	// Requests and Tokens are what is left of the limits per minute, the request counted.
	Requests, Tokens Allowance
}

// Limit is one of the limits of an API key. The zero value is none of them.
type Limit uint8

// The limits.
const (
	NoLimit Limit = iota
	// LimitBudget is a budget that is spent.
	LimitBudget
	// LimitReserved is a budget of which the requests that run may need the rest.
	LimitReserved
	// LimitConcurrency is requests at once, LimitRequests requests per minute, LimitTokens tokens per minute.
	LimitConcurrency
	LimitRequests
	LimitTokens
)

// Allowance is what is left of a limit per minute.
type Allowance struct {
	// Left is how many more there may be now.
	Left int64
	// Reset is how long it takes until all of the limit is there again.
	Reset time.Duration
}

var _ Shared = (*accounts)(nil)
