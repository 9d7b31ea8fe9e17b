package dial

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseProxy(t *testing.T) {
	for _, test := range []struct {
		text   string
		want   Address
		socks5 bool
		login  string // user:password, empty for none
	}{
		{"", Address{}, false, ""},
		{"http://proxy.example", Address{"proxy.example", 80, false}, false, ""},
		{"http://Proxy.Example:3128/", Address{"proxy.example", 3128, false}, false, ""},
		{"https://me:p%40ss%3a@proxy.example", Address{"proxy.example", 443, true}, false, "me:p@ss:"},
		{"https://me@[2001:DB8::1]:8443", Address{"2001:db8::1", 8443, true}, false, "me:"},
		{"socks5://127.0.0.1", Address{"127.0.0.1", 1080, false}, true, ""},
		{"socks5://a%3Ab:c@[::1]:9050", Address{"::1", 9050, false}, true, "a:b:c"},
	} {
		got, err := ParseProxy(test.text)
		if err != nil || got.Address != test.want || got.socks5 != test.socks5 {
			t.Errorf("ParseProxy(%q) = %+v socks5 %v, %v; want %+v socks5 %v", test.text, got.Address, got.socks5, err, test.want, test.socks5)
			continue
		}
		user, password, ok := got.login()
		if ok != (test.login != "") || ok && user+":"+password != test.login {
			t.Errorf("ParseProxy(%q) has the credentials %q, %q, %v; want %q", test.text, user, password, ok, test.login)
		}
		if again, _ := ParseProxy(test.text); again != got {
			t.Errorf("ParseProxy(%q) gives two that are not equal", test.text)
		}
	}
}

func TestProxiesWithOtherCredentialsAreOthers(t *testing.T) {
	seen := make(map[Proxy]string)
	for _, text := range []string{
		"http://a.example", "http://me@a.example", "http://me:1@a.example", "http://me:2@a.example", "http://you:1@a.example",
		"https://a.example:80", "socks5://a.example:80", "http://a.example:81", "http://b.example",
	} {
		p, err := ParseProxy(text)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[p]; ok {
			t.Errorf("%s equals %s", text, other)
		}
		seen[p] = text
	}
}

func TestParseProxySaysWhatIsWrongAndRepeatsNothing(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"proxy.example:3128", "scheme"},
		{"ftp://me:hunter2@proxy.example", "scheme"},
		{"socks5h://me:hunter2@proxy.example", "scheme"},
		{"http://me:hunter2/@proxy.example", "not a valid URL"},
		{"http://me:hunter2@", "host is missing"},
		{"http://me:hunter2@a b", "not a valid URL"},
		{"http://me:hunter2@proxy.example/path", "path"},
		{"http://me:hunter2@proxy.example?q", "query"},
		{"http://me:hunter2@proxy.example?", "query"},
		{"http://me:hunter2@proxy.example#f", "fragment"},
		{"http://me:hunter2@proxy.example:0", "port"},
		{"http://hunter2%3a:x@proxy.example", "colon"},
		{"socks5://:hunter2@proxy.example", "255"},
		{"socks5://me:hunter2" + strings.Repeat("x", 249) + "@proxy.example", "255"},
		{"socks5://hunter2" + strings.Repeat("x", 249) + "@proxy.example", "255"},
	} {
		p, err := ParseProxy(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseProxy(%q) = %v, %v, want an error about %q", test.text, p, err, test.want)
		}
	}
}

func TestPrintingAProxyShowsNoCredential(t *testing.T) {
	p, err := ParseProxy("http://somebody:hunter2@proxy.example:3128")
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ proxy Proxy }{p} // a field that fmt may not ask how it wants to be shown
	for _, value := range []any{p, &p, hidden, map[Proxy]int{p: 1}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if got := fmt.Sprintf(format, value); strings.Contains(got, "hunter2") || strings.Contains(got, "somebody") ||
				strings.Contains(got, fmt.Sprintf("%x", "hunter2")) {
				t.Errorf("%s of %T: %s", format, value, got)
			}
		}
	}
	if got := p.String(); got != "proxy.example:3128" {
		t.Errorf("String() = %q", got)
	}
}
