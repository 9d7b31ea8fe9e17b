// Package gateway relays requests from clients to providers: the data port of Octopus.
//
// A request takes one straight line through the files of this package:
//
//	server.go        listener, limits of a connection, shutdown
//	relay.go         dispatch of a request, and the line itself
//	authenticate.go  who calls
//	admission.go     how many run at once, and who waits
//	route.go         model -> group, and what the API key may call
//	keylimits.go     what the API key is limited to; account.go counts it, behind the seam of shared.go
//	limits.go        which channels are below their limits; window.go counts a minute
//	attempts.go      pick -> send -> judge, at most policy.attempts times
//	pick.go          which target is next; explain.go says why there is none
//	attempt.go       one try on one target; head.go is the head of its request, hedge.go a second try beside it
//	upstream.go      one exchange with a provider; body.go reads what it answers
//	failure.go       which class a failure has, and what follows
//	fetch.go         images that a target is sent in place of their addresses
//	respond.go       headers and whole answers; stream.go streamed ones; late.go ends what does not end itself
//	call.go          the state of one request, from acquireCall to its single finish
//
// Beside the line stand snapshot.go (the compiled configuration, immutable, loaded once per request), health.go (which targets
// are out; targets.go shows it), sweep.go (notices clients that left), refuse.go (errors in the client's protocol), models.go (/v1/models) and metrics.go.
//
// The package knows no database, no Redis and no panel: it declares what it needs of them (Ledger, Catalog, Memory, Shared) and
// works without.
package gateway
