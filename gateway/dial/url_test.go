package dial

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, test := range []struct {
		base, host, uri string // host: Host header; uri: request URI for /chat
		want            URL
	}{
		{"https://api.openai.com/v1", "api.openai.com", "/v1/chat",
			URL{Address{"api.openai.com", 443, true}, "/v1", ""}},
		{"http://localhost", "localhost", "/chat",
			URL{Address{"localhost", 80, false}, "", ""}},
		{"http://127.0.0.1:11434/", "127.0.0.1:11434", "/chat",
			URL{Address{"127.0.0.1", 11434, false}, "", ""}},
		{"HTTPS://API.Example.COM:443/V1//", "api.example.com", "/V1/chat",
			URL{Address{"api.example.com", 443, true}, "/V1", ""}},
		{"http://example.com:443", "example.com:443", "/chat",
			URL{Address{"example.com", 443, false}, "", ""}},
		{"https://example.com:80", "example.com:80", "/chat",
			URL{Address{"example.com", 80, true}, "", ""}},
		{"https://example.com:/v1", "example.com", "/v1/chat",
			URL{Address{"example.com", 443, true}, "/v1", ""}},
		{"https://res.azure.example/openai?api-version=2025-01-01&a=%20", "res.azure.example",
			"/openai/chat?api-version=2025-01-01&a=%20",
			URL{Address{"res.azure.example", 443, true}, "/openai", "api-version=2025-01-01&a=%20"}},
		{"http://[::1]:8080/v1", "[::1]:8080", "/v1/chat",
			URL{Address{"::1", 8080, false}, "/v1", ""}},
		{"https://[2001:DB8::0:1]", "[2001:db8::1]", "/chat",
			URL{Address{"2001:db8::1", 443, true}, "", ""}},
		{"http://[fe80::1%25Eth0]:81", "[fe80::1]:81", "/chat",
			URL{Address{"fe80::1%Eth0", 81, false}, "", ""}},
		{"http://my_model.internal.:8000/a b/", "my_model.internal.:8000", "/a%20b/chat",
			URL{Address{"my_model.internal.", 8000, false}, "/a%20b", ""}},
		{"http://10.0.0.1/a%20b/%2F/", "10.0.0.1", "/a%20b/%2F/chat",
			URL{Address{"10.0.0.1", 80, false}, "/a%20b/%2F", ""}},
		{"https://xn--bcher-kva.example", "xn--bcher-kva.example", "/chat",
			URL{Address{"xn--bcher-kva.example", 443, true}, "", ""}},
	} {
		got, err := ParseURL(test.base)
		if err != nil || got != test.want {
			t.Errorf("ParseURL(%q) = %+v, %v; want %+v", test.base, got, err, test.want)
			continue
		}
		if got.HostHeader() != test.host {
			t.Errorf("%q: HostHeader() = %q, want %q", test.base, got.HostHeader(), test.host)
		}
		if uri := got.RequestURI("/chat"); uri != test.uri {
			t.Errorf("%q: RequestURI(/chat) = %q, want %q", test.base, uri, test.uri)
		}
	}
}

func TestParseURLSaysWhatIsWrongAndRepeatsNothing(t *testing.T) {
	for _, test := range []struct{ base, want string }{
		{"", "scheme"},
		{"api.openai.com/v1", "scheme"},
		{"localhost:8080", "scheme"},
		{"ftp://example.com", "scheme"},
		{"https:///v1", "host is missing"},
		{"https://:8080", "host is missing"},
		{"https://me:hunter2@example.com", "user name"},
		{"https://me:hunter2/x@example.com", "not a valid URL"},
		{"https://example.com/#hunter2", "fragment"},
		{"https://example.com:0", "port"},
		{"https://example.com:65536", "port"},
		{"https://example.com:hunter2", "not a valid URL"},
		{"https://bücher.example", "characters"},
		{"https://a,b.example", "characters"},
		{"https://[127.0.0.1]", ""},
		{"https://[hunter2]", ""},
		{"https://example.com/?key=hunter2 x", "query"},
		{"https://example.com/?key=ü", "query"},
		{"https://example.com/\r\nx", "not a valid URL"},
	} {
		u, err := ParseURL(test.base)
		if err == nil {
			t.Errorf("ParseURL(%q) = %+v, want an error", test.base, u)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseURL(%q): %v, want something about %q", test.base, err, test.want)
		}
	}
}

// What ParseURL lets through can stand in a request as it is, and reads the same when written out again.
func FuzzParseURL(f *testing.F) {
	for _, base := range []string{
		"https://api.openai.com/v1/", "http://[fe80::1%25a]:1?x=1", "http://a_b.:80/%2F/..", "http://A/ü", "http://::1",
	} {
		f.Add(base)
	}
	f.Fuzz(func(t *testing.T, base string) {
		u, err := ParseURL(base)
		if err != nil {
			return
		}
		line := u.HostHeader() + u.RequestURI("/x")
		if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("ParseURL(%q): %q can't stand in a request", base, line)
		}
		if u.Host == "" || u.Port == 0 || u.Path != "" && (u.Path[0] != '/' || strings.HasSuffix(u.Path, "/")) {
			t.Fatalf("ParseURL(%q) = %+v", base, u)
		}
		scheme := map[bool]string{false: "http", true: "https"}[u.TLS]
		again, err := ParseURL(scheme + "://" + u.HostHeader() + u.RequestURI(""))
		u.Host = withoutZone(u.Host)
		if err != nil || again != u {
			t.Fatalf("ParseURL(%q) = %+v, written out and read again %+v, %v", base, u, again, err)
		}
	})
}
