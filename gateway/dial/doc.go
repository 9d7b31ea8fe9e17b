// Package dial opens connections to upstreams: it owns name resolution, the connect timeout, TLS, and the rule which
// addresses may be reached at all. The relay and the background syncs dial through the same Dialer, so none of them has
// a way around that rule.
//
// Promises: IPv4 and IPv6 are tried as RFC 8305 has it; one timeout covers lookup, connect and TLS handshake;
// certificates are verified, by the system's roots (SSL_CERT_FILE and SSL_CERT_DIR replace them), for the host of the
// Address; addresses where clouds hand out machine credentials are refused at the moment of connecting, whatever name
// led there. Loopback and private addresses are allowed, because that is where local models live;
// not so for DialPublic, which connects to what clients name.
//
// What fails is an *Error. Its Kind is for decisions and for clients, its text, which names host and port, for
// operators only.
//
// Start reading at ParseURL, then Dialer.
package dial
