// Package admin is the admin port: what operators and their tools call, apart from the clients' traffic.
//
// It serves /metrics, /healthz and /readyz without credential, and behind the admin token the REST API below /api/v1, its
// description and the profiles of the process. It has the ledger itself (Ledger: the rows of admin/requestlog and the sums of
// admin/stats, in one batch); it knows nothing of the gateway and the syncs: what it shows of them is handed to it as
// functions (Options), and cmd/octopus wires them.
//
// Some promises hold for every path. A request must call the port by IP address, as localhost or by a configured name, else it
// is refused before anything is looked up, which is what keeps a web page from reaching the port through a name of its own
// (DNS rebinding). Errors are JSON, {"error":{"code","message","field"}}, those of the HTTP layer included. A query parameter
// that a route does not declare, or a value that it can't have, is refused by name. Answers hold no secret: what they are made
// of (outcomes, prices, names) has none.
//
// Start reading at Server in server.go, then table in routes.go, which has a line for each call; query.go reads parameters,
// authorize.go checks the token, host.go names. Each resource has a file: stats.go, logs.go, logstream.go, prices.go, health.go,
// requests.go, backup.go, profile.go.
package admin
