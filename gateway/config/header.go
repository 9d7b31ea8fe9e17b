package config

import (
	"net/textproto"
	"strings"
)

// ownedHeaders are the request headers that the gateway sets or removes itself, in canonical form: framing, hop-by-hop
// fields (RFC 9110, section 7.6.1), the body's own description, and credentials, which belong in keys.
var ownedHeaders = map[string]string{
	"Host":                "the host of base_url decides",
	"Content-Length":      "it follows from the body",
	"Content-Type":        "it follows from the body",
	"Content-Encoding":    "it follows from the body",
	"Accept-Encoding":     "the gateway reads the answer",
	"Expect":              "it belongs to the connection",
	"Connection":          "it belongs to the connection",
	"Keep-Alive":          "it belongs to the connection",
	"Proxy-Connection":    "it belongs to the connection",
	"Te":                  "it belongs to the connection",
	"Trailer":             "it belongs to the connection",
	"Transfer-Encoding":   "it belongs to the connection",
	"Upgrade":             "it belongs to the connection",
	"Proxy-Authenticate":  "it belongs to the proxy",
	"Proxy-Authorization": "the user info of proxy decides",
	"Authorization":       "credentials belong in keys",
	"X-Api-Key":           "credentials belong in keys",
	"Api-Key":             "credentials belong in keys",
}

// headerNameProblem says what is wrong with a header's name, or nothing.
func headerNameProblem(name string) string {
	if !isToken(name) {
		return "must have a header name of letters, digits and !#$%&'*+-.^_`|~"
	}
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	if reason, owned := ownedHeaders[canonical]; owned {
		return "must not be set here: " + reason
	}
	if canonical != name {
		return "must be in canonical form: " + canonical
	}
	return ""
}

// isToken says whether text is a token of RFC 9110, section 5.6.2.
func isToken(text string) bool {
	for i := range len(text) {
		if !isAlphanumeric(text[i]) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(text[i])) {
			return false
		}
	}
	return text != ""
}

// headerValueProblem says what is wrong with a header's value, or nothing. Tabs and bytes beyond ASCII are allowed
// (RFC 9110, section 5.5).
func headerValueProblem(value Secret) string {
	text := value.Reveal()
	for i := range len(text) {
		if text[i] < ' ' && text[i] != '\t' || text[i] == 0x7f {
			return "must not have line breaks or other control characters"
		}
	}
	return ""
}
