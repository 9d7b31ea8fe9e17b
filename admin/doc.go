// Package admin is the admin port: what operators and their tools call, apart from the clients' traffic.
//
// So far it serves /metrics, /healthz and /readyz, without credential. It knows nothing of the gateway: what it shows is
// handed to it as functions (Options), and cmd/octopus wires the two.
//
// Two promises hold for every path. A request must call the port by IP address or as localhost, else it is refused before
// anything is looked up, which is what keeps a web page from reaching the port through a name of its own (DNS
// rebinding). And errors are JSON, {"error":{"code","message","field"}}, those of the HTTP layer included.
//
// Start reading at Server in server.go, then routes.go; host.go has the check of names, error.go the form of errors.
package admin
