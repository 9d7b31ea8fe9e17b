package config

import (
	"net/textproto"
	"testing"
)

func TestHeaderNames(t *testing.T) {
	const notToken = "must have a header name of letters, digits and !#$%&'*+-.^_`|~"
	for name, want := range map[string]string{
		"X-Team":              "",
		"Openai-Organization": "",
		"X_under.score!":      "",
		"x-team":              "must be in canonical form: X-Team",
		"":                    notToken,
		"X Team":              notToken,
		"X-Team:":             notToken,
		"X-Team\r\nHost":      notToken,
		"X-Täm":               notToken,
		"Authorization":       "must not be set here: credentials belong in keys",
		"X-API-Key":           "must not be set here: credentials belong in keys",
		"api-key":             "must not be set here: credentials belong in keys",
		"host":                "must not be set here: the host of base_url decides",
		"content-length":      "must not be set here: it follows from the body",
		"Transfer-Encoding":   "must not be set here: it belongs to the connection",
		"TE":                  "must not be set here: it belongs to the connection",
		"Connection":          "must not be set here: it belongs to the connection",
		"Proxy-Authorization": "must not be set here: the user info of proxy decides",
	} {
		if got := headerNameProblem(name); got != want {
			t.Errorf("headerNameProblem(%q) = %q, want %q", name, got, want)
		}
	}
	for name := range ownedHeaders {
		if textproto.CanonicalMIMEHeaderKey(name) != name {
			t.Errorf("owned header %q is not in canonical form and never found", name)
		}
	}
}

func TestHeaderValues(t *testing.T) {
	const control = "must not have line breaks or other control characters"
	for value, want := range map[Secret]string{
		"":                   "",
		"blue":               "",
		"a b\tc":             "",
		"grün":               "",
		"a\r\nHost: b":       control,
		"a\nb":               control,
		"a\rb":               control,
		"a\x00b":             control,
		"a\x7fb":             control,
		"trailing newline\n": control,
	} {
		if got := headerValueProblem(value); got != want {
			t.Errorf("headerValueProblem(%q) = %q, want %q", value.Reveal(), got, want)
		}
	}
}
