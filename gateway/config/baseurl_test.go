package config

import "testing"

func TestTrimBaseURL(t *testing.T) {
	for pasted, want := range map[string]string{
		"https://api.openai.com/v1":                                   "https://api.openai.com/v1",
		"https://api.openai.com/v1/":                                  "https://api.openai.com/v1",
		"https://api.openai.com/v1/chat/completions":                  "https://api.openai.com/v1",
		"https://api.openai.com/v1/responses/":                        "https://api.openai.com/v1",
		"https://api.anthropic.com/v1/messages":                       "https://api.anthropic.com/v1",
		"https://a.example/chat/completions":                          "https://a.example",
		"https://a.example/":                                          "https://a.example",
		"https://a.example":                                           "https://a.example",
		"https://messages":                                            "https://messages",
		"https://a.example/messages?api-version=1":                    "https://a.example?api-version=1",
		"https://a.example/openai/responses?a=/chat/completions":      "https://a.example/openai?a=/chat/completions",
		"https://a.example/v1/?":                                      "https://a.example/v1?",
		"https://a.example/v1/completions":                            "https://a.example/v1/completions",
		"https://a.example/v1/my-messages":                            "https://a.example/v1/my-messages",
		"https://a.example/v%2F1/messages":                            "https://a.example/v%2F1",
		"not a URL":                                                   "not a URL",
		"":                                                            "",
		"https://a.example/serving-endpoints/messages/invocations/v1": "https://a.example/serving-endpoints/messages/invocations/v1",
	} {
		if got := TrimBaseURL(pasted); got != want {
			t.Errorf("TrimBaseURL(%q) = %q, want %q", pasted, got, want)
		}
	}
}

func TestBaseURLs(t *testing.T) {
	const (
		notURL    = "must be a URL such as https://api.openai.com/v1"
		notScheme = "must begin with http://, https://"
		notASCII  = "must be plain ASCII without spaces; write other hosts in their xn-- form"
		noHost    = "must name a host"
		badHost   = "must name a host of letters, digits, dots, hyphens and underscores"
		badPort   = "must have a port from 1 to 65535"
		user      = "must not carry a user name or password"
		fragment  = "must not have a fragment (#)"
		tail      = "must end before the protocol's own path (/chat/completions, /responses, /messages) and without a slash"
	)
	for text, want := range map[string]string{
		"https://api.openai.com/v1":            "",
		"HTTPS://API.openai.com/v1":            "",
		"http://127.0.0.1:11434":               "",
		"http://[2001:db8::1]:8080/v1":         "",
		"https://my_host.internal./v1?a=b":     "",
		"https://xn--bcher-kva.example":        "",
		"":                                     notURL,
		"a.example/v1":                         notURL,
		"/v1":                                  notURL,
		"https:a.example":                      notURL,
		"https://a.example/%zz":                notURL,
		"localhost:8080":                       notURL,
		"ftp://a.example":                      notScheme,
		"file:///etc/passwd":                   notScheme,
		"https://":                             noHost,
		"https:///v1":                          noHost,
		"https://:443/v1":                      noHost,
		"http://[fe80::1%25eth0]/":             noHost,
		"http://[:]/":                          notURL,
		"https://a.example\"x/v1":              badHost,
		"https://a.example:0":                  badPort,
		"https://a.example:65536":              badPort,
		"https://a.example:":                   badPort,
		"https://user:password@a.example":      user,
		"https://@a.example":                   user,
		"https://a.example/#":                  fragment,
		"https://a.example/v1#x":               fragment,
		"https://a.example/a b":                notASCII,
		"https://a.example/\r\nHost: b":        notASCII,
		"https://bücher.example":               notASCII,
		"https://a.example/":                   tail,
		"https://a.example/chat/completions":   tail,
		"https://a.example/v1/messages?beta=1": tail,
	} {
		if got := baseURLProblem(text); got != want {
			t.Errorf("baseURLProblem(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestProxies(t *testing.T) {
	for text, want := range map[Secret]string{
		"":                              "",
		"http://proxy.example:3128":     "",
		"https://user:p%40ss@proxy/":    "",
		"socks5://127.0.0.1:1080":       "",
		"socks5://a:b@[::1]:1080":       "",
		"socks5://:b@a.example":         "must have a user name of 1 to 255 bytes and a password of at most 255, as SOCKS5 has them",
		"http://a%3ab:c@a.example":      "must have a user name without a colon",
		"socks5h://127.0.0.1":           "must begin with http://, https://, socks5://",
		"127.0.0.1:1080":                "must be a URL such as socks5://127.0.0.1:1080",
		"http://proxy.example/path":     "must have neither path nor query",
		"http://proxy.example?a":        "must have neither path nor query",
		"http://proxy.example?":         "must have neither path nor query",
		"http://proxy.example/#a":       "must not have a fragment (#)",
		"http://user:pa ss@a.example":   "must be plain ASCII without spaces; write other hosts in their xn-- form",
		"http://user:p%zz@a.example":    "must be a URL such as socks5://127.0.0.1:1080",
		"http://user@":                  "must name a host",
		"http://proxy.example:99999999": "must have a port from 1 to 65535",
	} {
		if got := proxyProblem(text); got != want {
			t.Errorf("proxyProblem(%q) = %q, want %q", text.Reveal(), got, want)
		}
	}
}

func TestSourceURLs(t *testing.T) {
	for text, want := range map[string]string{
		"https://models.dev/api.json":    "",
		"http://a.example/?page=1":       "",
		"":                               "must be a URL such as https://models.dev/api.json",
		"ftp://a.example":                "must begin with http://, https://",
		"https://user@a.example/p.json":  "must not carry a user name or password",
		"https://a.example/p.json#price": "must not have a fragment (#)",
	} {
		if got := sourceURLProblem(text); got != want {
			t.Errorf("sourceURLProblem(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	const spelling = "must be only scheme, host and port, in lower case, as in https://chat.example.org"
	const ownPort = "must not name the scheme's own port, since browsers leave it out"
	for text, want := range map[string]string{
		"*":                               "",
		"https://chat.example.org":        "",
		"http://localhost:5173":           "",
		"https://a.example:80":            "",
		"http://[::1]:3000":               "",
		"chrome-extension://abcdefghijkl": "",
		"tauri://localhost":               "",
		"https://a.example/":              spelling,
		"https://a.example?":              spelling,
		"https://user@a.example":          spelling,
		"https://A.example":               spelling,
		"HTTPS://a.example":               spelling,
		"https://a.example:443":           ownPort,
		"http://a.example:80":             ownPort,
		"https://*.example":               "must name a host of letters, digits, dots, hyphens and underscores",
		"null":                            "must be a URL such as https://chat.example.org",
		"":                                "must be a URL such as https://chat.example.org",
		"a.example":                       "must be a URL such as https://chat.example.org",
		"https://a.example#":              "must not have a fragment (#)",
	} {
		if got := originProblem(text); got != want {
			t.Errorf("originProblem(%q) = %q, want %q", text, got, want)
		}
	}
}
