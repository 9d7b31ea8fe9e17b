package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
)

// headOf returns the request line and the header lines that an upstream gets for a request in Messages with a query and
// header lines, from a channel with headers of its own at a base URL.
func headOf(t *testing.T, base, query, lines string, own []config.Header) []string {
	t.Helper()
	heads := make(chan []string, 1)
	address := rawUpstream(t, func(_ int, c net.Conn, r *bufio.Reader) {
		var raw strings.Builder
		if req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(r, &raw))); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
			head, _, _ := strings.Cut(raw.String(), "\r\n\r\n")
			heads <- strings.Split(head, "\r\n")
			_, _ = io.WriteString(c, withHead(200, `{"id":"1","type":"message","role":"assistant","content":[],"model":"x","stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`))
		}
	})
	w := newWorld(t, 1, func(c *config.Config) {
		at(address)(c)
		for i := range c.Channels[0].Endpoints {
			c.Channels[0].Endpoints[i].BaseURL += base
		}
		c.Channels[0].Headers = own
	})
	conn := w.dial()
	send(t, conn, "POST "+paths[llm.Messages]+query, lines, requestBody(llm.Messages, "m", false))
	if resp, body := receive(t, conn); resp.StatusCode != 200 {
		t.Fatalf("got %d, %s", resp.StatusCode, body)
	}
	return <-heads
}

func TestHeadersOfTheChannelWin(t *testing.T) {
	own := []config.Header{{Name: "Anthropic-Version", Value: "2024-01-01"}, {Name: "User-Agent", Value: "octopus"}}
	const lines = "User-Agent: client\r\nAnthropic-Version: 2023-01-01\r\nAnthropic-Version: 2023-01-02\r\nAnthropic-Beta: a\r\nAnthropic-Beta: b\r\n"
	for _, c := range []struct {
		name, lines string
		own         []config.Header
		header      string
		want        []string
	}{
		{"the version that there is by default", "", nil, "anthropic-version", []string{"2023-06-01"}},
		{"the client's version", lines, nil, "anthropic-version", []string{"2023-01-01"}},
		{"the channel's version", lines, own, "anthropic-version", []string{"2024-01-01"}},
		{"the channel's version without the client's", "", own, "anthropic-version", []string{"2024-01-01"}},
		{"the client's agent", lines, nil, "user-agent", []string{"client"}},
		{"the channel's agent", lines, own, "user-agent", []string{"octopus"}},
		{"what the channel does not set", lines, own, "anthropic-beta", []string{"a", "b"}},
		{"a name that is no token", "Anthropic-Foo Transfer-Encoding: chunked\r\n", nil, "anthropic-foo transfer-encoding", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, line := range headOf(t, "", "", c.lines, c.own) {
				if name, value, _ := strings.Cut(line, ": "); strings.EqualFold(name, c.header) {
					got = append(got, value)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestQueryOfTheBaseURLWins(t *testing.T) {
	for _, c := range []struct{ name, base, query, want string }{
		{"none", "", "", ""},
		{"the client's alone", "", "?beta=true", "?beta=true"},
		{"the base URL's alone", "?api-version=1", "", "?api-version=1"},
		{"both", "?api-version=1", "?beta=true", "?api-version=1&beta=true"},
		{"the same name", "?api-version=1&tenant=a", "?api-version=evil&beta=true&tenant=b", "?api-version=1&tenant=a&beta=true"},
		{"the same name, encoded", "?api-version=1", "?api%2Dversion=evil", "?api-version=1"},
		{"a name that can't be decoded", "?api-version=1", "?api-version%zz=evil", "?api-version=1"},
		{"a name without a value", "?api-version=1", "?api-version&&x", "?api-version=1&x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := "POST /v1/messages" + c.want + " HTTP/1.1"
			if got := string(appendQuery([]byte("POST /v1/messages"), strings.TrimPrefix(c.base, "?"), []byte(strings.TrimPrefix(c.query, "?")))) + " HTTP/1.1"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	if got, want := headOf(t, "?api-version=1", "?api-version=evil&beta=true", "", nil)[0], "POST /v1/messages?api-version=1&beta=true HTTP/1.1"; got != want {
		t.Errorf("the upstream got %q, want %q", got, want)
	}
}
