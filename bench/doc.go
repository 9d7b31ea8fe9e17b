// Command bench measures Octopus from outside, beside two other ways to the same scripted provider: direct, with nothing
// in between, and fasthttp, a minimal streaming proxy on stock fasthttp that adds a credential and nothing else. That
// proxy is the floor; what Octopus does for its users costs what it uses beyond it.
//
//	go run ./bench                                  all scenarios, some seven minutes
//	go run ./bench -quick                           shows that all works; its figures mean little
//	go run ./bench -scenario closed,burst -rounds 9
//	go run ./bench -protocol messages -json out.json
//
// Everything runs in one go on this machine's loopback, each gateway and the provider as a process of its own, and each
// round measures every way once. All of it ends with the bench, whatever ends that.
//
// # Scenarios
//
//	start     starts the gateways: time until Octopus is ready, memory when idle
//	closed    1 KB answers to -conns connections, each of which asks again when it has its answer
//	rate200   1 KB answers at a fixed rate, which a slow gateway can't slow down; also rate1000
//	body100k  as closed, with requests of 100 KB
//	burst     streams of 100 tokens that the provider sends all at once, each in a chunk of its own, to -conns connections
//	paced     -streams streams open at once, with a token every 250 ms each
//
// # How to read the figures
//
// CPU µs per request or event is user and system time of the gateway's process alone, from /proc, and the figure to
// trust: client, provider and gateway share the same cores, so that rates and latencies say as much about the other two.
// "× fasthttp" compares it with the minimal proxy in the same round. Compare inside one run only: the machine drifts by
// half from run to run, and an idle core costs more per request than a busy one, so rate200 says nothing about closed.
// The kernel counts in steps of 10 ms; a measurement should take a hundred of them, which rate200 does not.
//
// Every way gets the same bytes. Streams are asked for without include_usage, so that Octopus asks for the usage itself
// and hides it: what it costs to count tokens is in its figures. Work that it does behind an answer counts as well, up to
// 100 ms after the last. KiB per stream is resident memory beyond that of the idle process; RSS counts pages of the
// program that other processes share, PSS divides them, and the minimal proxy shares its program with the bench.
//
// Every answer is checked: a whole one byte by byte against the provider's (ids, times and the model aside), a stream for
// each text, the number of its events, its last event and the end of its body. A wrong one is FAILED, and the exit
// code 1. Goals are shown and never decide about that code: they are for a quiet machine and a reader.
//
// Start reading at run in main.go, then scenarios.
package main
