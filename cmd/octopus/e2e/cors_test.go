package e2e

import (
	"strings"
	"testing"
)

func TestBrowsersMayCallFromListedOrigins(t *testing.T) {
	const mine, other = "https://app.example", "https://evil.example"
	g := startGateway(t, map[string]string{"settings": "  cors_origins: [" + mine + "]\n"})
	for _, test := range []struct {
		name, method, path, origin string
		headers                    []string
		body                       string
		status                     int
	}{
		{"preflight", "OPTIONS", "/v1/chat/completions", mine,
			[]string{"Access-Control-Request-Method: POST",
				"Access-Control-Request-Headers: authorization,content-type,x-stainless-os"}, "", 204},
		{"preflight from elsewhere", "OPTIONS", "/v1/chat/completions", other,
			[]string{"Access-Control-Request-Method: POST"}, "", 204},
		{"whole answer", "POST", "/v1/chat/completions", mine, nil, protocols[0].body("octo-1", false), 200},
		{"stream", "POST", "/v1/messages", mine, nil, protocols[2].body("octo-1", true), 200},
		{"from elsewhere", "POST", "/v1/responses", other, nil, protocols[1].body("octo-1", false), 200},
		{"an error", "POST", "/v1/responses", mine, nil, protocols[1].body("no-such-model", true), 404},
		{"a wrong key", "GET", "/v1/models", mine, []string{"Authorization: Bearer wrong"}, "", 401},
		{"a look-alike", "GET", "/v1/models", mine + ".evil.example", nil, "", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := g.do(t.Context(), test.method, test.path, test.body, append(test.headers, "Origin: "+test.origin)...)
			if got.status != test.status {
				t.Errorf("%v, want %d", got, test.status)
			}
			want := ""
			if test.origin == mine {
				want = mine
			}
			if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != want {
				t.Errorf("Access-Control-Allow-Origin %q, want %q", allowed, want)
			}
			if want == "" {
				return
			}
			if vary := got.header.Get("Vary"); !strings.Contains(vary, "Origin") {
				t.Errorf("Vary %q, want Origin in it", vary)
			}
			if test.method == "OPTIONS" {
				methods, headers := got.header.Get("Access-Control-Allow-Methods"), got.header.Get("Access-Control-Allow-Headers")
				if !strings.Contains(methods, "POST") || !strings.Contains(headers, "x-stainless-os") {
					t.Errorf("allowed methods %q and headers %q, want POST and x-stainless-os among them", methods, headers)
				}
			}
		})
	}
}
