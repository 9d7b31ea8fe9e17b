package admin

import (
	"fmt"
	"strings"
	"testing"

	"octopus/gateway/config"
)

// examplePath returns a route's path with something in its parameters.
func (r *route) examplePath() string {
	return strings.NewReplacer("{id}", "req_1", "{profile}", "heap").Replace(r.path)
}

func TestEveryRouteButTheProbesNeedsTheToken(t *testing.T) {
	p := openWithToken(t, Options{})
	for _, r := range table() {
		t.Run(r.method+" "+r.path, func(t *testing.T) {
			response, body := p.send(t, r.method+" "+r.examplePath()+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			switch r.path {
			case "/healthz", "/readyz", "/metrics":
				if response.StatusCode != 200 {
					t.Errorf("%d %s", response.StatusCode, body)
				}
			default:
				checkError(t, response, body, 401, "unauthorized")
				if got := response.Header.Get("WWW-Authenticate"); got != "Bearer" {
					t.Errorf("WWW-Authenticate %q", got)
				}
			}
		})
	}
}

func TestToken(t *testing.T) {
	p := openWithToken(t, Options{})
	for header, want := range map[string]int{
		"Bearer " + token:               200,
		"bearer  " + token:              200,
		"Bearer " + token + "0":         401,
		"Bearer " + token[1:]:           401,
		"Bearer":                        401,
		"Basic " + token:                401,
		token:                           401,
		"Bearer " + token + " " + token: 401,
	} {
		response, body := p.send(t, "GET /api/v1/stats/summary HTTP/1.1\r\nHost: localhost\r\nAuthorization: "+header+"\r\nConnection: close\r\n\r\n")
		if response.StatusCode != want {
			t.Errorf("%q: %d %s, want %d", header, response.StatusCode, body, want)
		}
		if want == 401 && strings.Contains(body, token) {
			t.Errorf("the refusal shows the token: %s", body)
		}
	}
}

func TestWithoutATokenNobodyMayCall(t *testing.T) {
	p := open(t, Options{})
	for _, header := range []string{"", "Authorization: Bearer\r\n", "Authorization: Bearer \r\n"} {
		response, body := p.send(t, "GET /api/v1/stats/summary HTTP/1.1\r\nHost: localhost\r\n"+header+"Connection: close\r\n\r\n")
		checkError(t, response, body, 401, "no_admin_token")
		if !strings.Contains(body, "--admin-token") {
			t.Errorf("the refusal does not say what to do: %s", body)
		}
	}
}

func TestMetricsNeedTheTokenWhenTheSettingSaysSo(t *testing.T) {
	for _, needed := range []bool{false, true} {
		c := config.Empty()
		c.Settings.MetricsAuth = needed
		p := openWithToken(t, Options{Config: func() *config.Config { return c }})
		t.Run(fmt.Sprint(needed), func(t *testing.T) {
			if response, body := p.get(t, "/metrics"); (response.StatusCode == 401) != needed {
				t.Errorf("without token: %d %s", response.StatusCode, body)
			}
			if response, body := p.call(t, "GET", "/metrics", ""); response.StatusCode != 200 {
				t.Errorf("with token: %d %s", response.StatusCode, body)
			}
			if response, _ := p.get(t, "/healthz"); response.StatusCode != 200 {
				t.Errorf("/healthz: %d", response.StatusCode)
			}
		})
	}
}
