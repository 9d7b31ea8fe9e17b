package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"octopus/codec/llm"
)

// endpointPaths are what the gateway appends to a base URL, by protocol.
var endpointPaths = map[llm.Protocol]string{
	llm.Chat:      "/chat/completions",
	llm.Responses: "/responses",
	llm.Messages:  "/messages",
}

// TrimBaseURL returns the base of a pasted URL: the path without a protocol's own end (/chat/completions, /responses,
// /messages) and without slashes behind; a query is kept. Whether the result is a usable base is for Config.Validate.
func TrimBaseURL(pasted string) string {
	address, query, hasQuery := strings.Cut(pasted, "?")
	scheme, rest, _ := strings.Cut(address, "://")
	host, path, hasPath := strings.Cut(rest, "/")
	if !hasPath {
		return pasted
	}
	path = strings.TrimRight("/"+path, "/")
	for _, end := range endpointPaths {
		if base, found := strings.CutSuffix(path, end); found {
			path = strings.TrimRight(base, "/")
			break
		}
	}
	base := scheme + "://" + host + path
	if hasQuery {
		base += "?" + query
	}
	return base
}

// baseURLProblem says what is wrong with a base URL, or nothing. It never quotes the URL, which may carry a credential.
func baseURLProblem(text string) string {
	u, problem := parseURL(text, "https://api.openai.com/v1", "http", "https")
	switch {
	case problem != "":
		return problem
	case u.User != nil:
		return "must not carry a user name or password"
	case TrimBaseURL(text) != text:
		return "must end before the protocol's own path (/chat/completions, /responses, /messages) and without a slash"
	}
	return ""
}

// proxyProblem says what is wrong with the URL of a proxy, or nothing. The empty text is no proxy and valid.
func proxyProblem(proxy Secret) string {
	if proxy == "" {
		return ""
	}
	u, problem := parseURL(proxy.Reveal(), "socks5://127.0.0.1:1080", "http", "https", "socks5")
	switch {
	case problem != "":
		return problem
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery:
		return "must have neither path nor query"
	case u.User == nil:
		return ""
	}
	const most = 255 // RFC 1929
	password, _ := u.User.Password()
	switch user := u.User.Username(); {
	case u.Scheme == "socks5" && (user == "" || len(user) > most || len(password) > most):
		return "must have a user name of 1 to 255 bytes and a password of at most 255, as SOCKS5 has them"
	case u.Scheme != "socks5" && strings.Contains(user, ":"):
		return "must have a user name without a colon" // RFC 7617, section 2
	}
	return ""
}

// sourceURLProblem says what is wrong with the URL of something to fetch, or nothing.
func sourceURLProblem(text string) string {
	u, problem := parseURL(text, "https://models.dev/api.json", "http", "https")
	switch {
	case problem != "":
		return problem
	case u.User != nil:
		return "must not carry a user name or password"
	}
	return ""
}

// originProblem says what is wrong with a CORS origin, or nothing. Browsers send origins in one spelling only
// (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin) and they are compared as text.
func originProblem(text string) string {
	if text == "*" {
		return ""
	}
	u, problem := parseURL(text, "https://chat.example.org")
	switch {
	case problem != "":
		return problem
	case u.Scheme+"://"+u.Host != text || strings.ToLower(text) != text:
		return "must be only scheme, host and port, in lower case, as in https://chat.example.org"
	case u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443":
		return "must not name the scheme's own port, since browsers leave it out"
	}
	return ""
}

// parseURL parses an absolute URL with a host and no fragment, in one of the schemes, any when none is given.
func parseURL(text, example string, schemes ...string) (u *url.URL, problem string) {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return nil, "must be plain ASCII without spaces; write other hosts in their xn-- form"
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return nil, "must be a URL such as " + example
	}
	if !known(schemes, u.Scheme) {
		return nil, "must begin with " + strings.Join(schemes, "://, ") + "://"
	}
	if problem := hostProblem(u); problem != "" {
		return nil, problem
	}
	if strings.Contains(text, "#") {
		return nil, "must not have a fragment (#)"
	}
	return u, ""
}

// known says whether scheme is one of schemes, or none are asked for.
func known(schemes []string, scheme string) bool {
	for _, s := range schemes {
		if s == scheme {
			return true
		}
	}
	return len(schemes) == 0
}

func hostProblem(u *url.URL) string {
	host := u.Hostname()
	if host == "" {
		return "must name a host"
	}
	if strings.HasPrefix(u.Host, "[") {
		if address, err := netip.ParseAddr(host); err != nil || address.Zone() != "" {
			return "must name a host"
		}
	} else {
		for i := range len(host) {
			if !isAlphanumeric(host[i]) && !strings.ContainsRune("-._", rune(host[i])) {
				return "must name a host of letters, digits, dots, hyphens and underscores"
			}
		}
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); strings.HasSuffix(u.Host, ":") || u.Port() != "" && (err != nil || port == 0) {
		return "must have a port from 1 to 65535"
	}
	return ""
}
