package dial

import (
	"errors"
	"net/url"
	"strings"
	"unique"
)

// Proxy is a server that connections are asked of. It is comparable: two are equal when they are the same server with the
// same credentials. Printing one shows host and port only. The zero value is no proxy; ParseProxy makes the others.
type Proxy struct {
	// Address is where the proxy listens. TLS says that its scheme is https.
	Address
	// socks5 says that the proxy speaks SOCKS5, not HTTP.
	socks5 bool
	// user and password are zero without credentials. They are handles so that no way of printing a Proxy shows them.
	user, password unique.Handle[string]
}

// defaultSOCKSPort is what IANA has assigned.
const defaultSOCKSPort = 1080

// ParseProxy reads the URL of a proxy: scheme http, https or socks5, perhaps user and password, a host in ASCII, a port
// or none. The empty text is no proxy. The error says what is wrong without repeating any of the URL.
func ParseProxy(text string) (Proxy, error) {
	if text == "" {
		return Proxy{}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return Proxy{}, errors.New("not a valid URL")
	}
	p := Proxy{socks5: u.Scheme == "socks5"}
	switch {
	case !p.socks5 && u.Scheme != "http" && u.Scheme != "https":
		return Proxy{}, errors.New("scheme must be http, https or socks5")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Proxy{}, errors.New("a proxy has neither path nor query nor fragment")
	}
	p.TLS = u.Scheme == "https"
	if p.Host, err = parseHost(u); err != nil {
		return Proxy{}, err
	}
	if p.Port, err = parsePort(u); err != nil {
		return Proxy{}, err
	}
	if p.socks5 && u.Port() == "" {
		p.Port = defaultSOCKSPort
	}
	if u.User != nil {
		user := u.User.Username()
		password, _ := u.User.Password()
		switch {
		case p.socks5 && (user == "" || len(user) > maxSOCKSText || len(password) > maxSOCKSText):
			return Proxy{}, errors.New("for SOCKS5 the user name must have 1 to 255 bytes, the password at most 255")
		case !p.socks5 && strings.Contains(user, ":"):
			return Proxy{}, errors.New("a user name for HTTP has no colon") // RFC 7617, section 2
		}
		p.user, p.password = unique.Make(user), unique.Make(password)
	}
	return p, nil
}

// login returns user and password, and whether there are any.
func (p Proxy) login() (user, password string, ok bool) {
	if p.user == (unique.Handle[string]{}) {
		return "", "", false
	}
	return p.user.Value(), p.password.Value(), true
}
