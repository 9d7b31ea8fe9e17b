package dial

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// URL is a base URL in parts: where to connect, and what all requests there have in common.
type URL struct {
	Address
	// Path is percent-encoded and has no slash at its end, so that it is empty or begins with one.
	Path string
	// Query is percent-encoded, without the question mark.
	Query string
}

// ParseURL reads a base URL: scheme http or https, a host in ASCII, a port from 1 to 65535 or none, and neither user
// info nor fragment. The error says what is wrong without repeating any of the URL, which may hold a credential.
func ParseURL(base string) (URL, error) {
	u, a, err := parse(base)
	if err != nil {
		return URL{}, err
	}
	if u.Fragment != "" {
		return URL{}, errors.New("a fragment is never sent")
	}
	// Unlike the path, the query is not checked by package url.
	if strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return URL{}, errors.New("the query has characters that must be percent-encoded")
	}
	return URL{Address: a, Path: strings.TrimRight(u.EscapedPath(), "/"), Query: u.RawQuery}, nil
}

// ParseDownload reads the address of something that a client of ours names, to be fetched with GET: what ParseURL takes, but
// the path stays as it is, a fragment is left out, and what must be percent-encoded is. uri is what stands in the request line.
func ParseDownload(address string) (a Address, uri string, err error) {
	u, a, err := parse(address)
	if err != nil {
		return Address{}, "", err
	}
	u.RawQuery = encodeOdd(u.RawQuery)
	return a, u.RequestURI(), nil
}

// parse reads what is common to all addresses.
func parse(text string) (*url.URL, Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, Address{}, errors.New("not a valid URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, Address{}, errors.New("scheme must be http or https")
	}
	if u.User != nil {
		return nil, Address{}, errors.New("user name and password don't belong in a URL")
	}
	a := Address{TLS: u.Scheme == "https"}
	if a.Host, err = parseHost(u); err != nil {
		return nil, Address{}, err
	}
	if a.Port, err = parsePort(u); err != nil {
		return nil, Address{}, err
	}
	return u, a, nil
}

// encodeOdd percent-encodes the bytes of a query that can't stand in a request line.
func encodeOdd(query string) string {
	const digits = "0123456789ABCDEF"
	var encoded []byte
	for i := 0; i < len(query); i++ {
		if c := query[i]; c <= ' ' || c >= 0x7f {
			encoded = append(encoded, '%', digits[c>>4], digits[c&15])
		} else {
			encoded = append(encoded, c)
		}
	}
	return string(encoded)
}

// parseHost allows IP addresses, and names of letters, digits, hyphens, dots and underscores (which names in container
// networks have). Package url allows more, which would then stand in a Host header.
func parseHost(u *url.URL) (string, error) {
	host := u.Hostname()
	if host == "" {
		return "", errors.New("host is missing")
	}
	ip, err := netip.ParseAddr(host)
	if bracketed := strings.HasPrefix(u.Host, "["); bracketed && (err != nil || !ip.Is6()) {
		return "", errors.New("what stands in brackets must be an IPv6 address")
	}
	if err == nil {
		return ip.String(), nil
	}
	host = strings.ToLower(host)
	for _, c := range []byte(host) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return "", errors.New("host has characters that names don't have (an international one is written xn--…)")
		}
	}
	return host, nil
}

func parsePort(u *url.URL) (uint16, error) {
	if u.Port() == "" {
		return defaultPort(u.Scheme == "https"), nil
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("port must be 1 to 65535")
	}
	return uint16(n), nil
}

// RequestURI returns what stands in the request line for a call below u: its path, the suffix, and its query. The
// suffix begins with a slash and has no query of its own.
func (u URL) RequestURI(suffix string) string {
	if u.Query == "" {
		return u.Path + suffix
	}
	return u.Path + suffix + "?" + u.Query
}
