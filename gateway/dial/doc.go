// Package dial opens connections to upstreams: it owns name resolution, the connect timeout, proxies, TLS, and the rule
// which addresses may be reached at all. The relay and the background syncs dial through the same Dialer, so none of them
// has a way around that rule.
//
// Promises: IPv4 and IPv6 are tried as RFC 8305 has it; one timeout covers lookup, connect, proxy and TLS handshake;
// certificates are verified, by the system's roots (SSL_CERT_FILE and SSL_CERT_DIR replace them), for the host of the
// Address; addresses where clouds hand out machine credentials are refused at the moment of connecting, whatever name
// led there. Loopback and private addresses are allowed, because that is where local models live;
// not so for DialPublic, which connects to what clients name, and never through a proxy: only here can be checked where a
// name leads.
//
// A Proxy is asked for a tunnel: an HTTP one, with or without TLS, by CONNECT, for plain http upstreams as well, so that
// the upstream's credential is for the upstream only; a SOCKS5 one by RFC 1928. It resolves the upstream's name. The rule
// about addresses holds for the proxy's own, and for an upstream that is named by its address; where a name leads is the
// proxy's matter. Its credential is in no error and in nothing that prints.
//
// What fails is an *Error. Its Kind is for decisions and for clients, its text, which names host and port, for
// operators only.
//
// Start reading at ParseURL and ParseProxy, then Dialer.
package dial
