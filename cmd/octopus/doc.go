// Command octopus is a self-hosted LLM gateway: many provider accounts behind one endpoint.
//
//	octopus start           run the gateway and the admin server
//	octopus demo            the same with a scripted provider inside, and curl lines to paste
//	octopus backup DIR      copy the database of a running server
//	octopus reset-password  set the admin password in the database of a stopped server
//	octopus healthcheck     exit 0 when the local server is ready
//	octopus version         print the version
//
// This is where the houses meet: gateway relays, admin shows, and neither knows of the other; start.go wires them in
// numbered order and takes them down in reverse. Everything that ends the process stands here too: flags, signals, exit
// codes. A command that can't do its work says why in one line on stderr and exits with 1.
//
// Start reading at cli in main.go, then startCommand.
package main
