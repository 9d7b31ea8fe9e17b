package main

import (
	"bytes"
	"strings"
	"testing"

	"octopus/gateway/gatewaytest"
)

// provider starts a scripted provider for a test.
func provider(t *testing.T, o gatewaytest.Options) *gatewaytest.Provider {
	t.Helper()
	p, err := gatewaytest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestLearnEveryDialect(t *testing.T) {
	p := provider(t, gatewaytest.Options{Script: "tokens=20,burst", Validate: true})
	for _, d := range dialects {
		r, err := learn(t.Context(), d, providerAddress(p), smallBody)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		if r.events < 21 || len(r.text) < 20 {
			t.Errorf("%s: %d events, text %q; want 20 tokens and an end", d.name, r.events, r.text)
		}
	}
	for _, e := range p.Requests() {
		if e.Credential != clientKey || e.Model != clientModel {
			t.Errorf("the provider got credential %q and model %q", e.Credential, e.Model)
		}
	}
}

func TestLearnRefusesABrokenProvider(t *testing.T) {
	p := provider(t, gatewaytest.Options{})
	for script, want := range map[string]string{
		"tokens=5,noend": "without its last event",
		"tokens=5,crlf":  "inside an event",
		"status=503":     "status 503",
		"tools":          "no text",
	} {
		if err := p.SetScript(script); err != nil {
			t.Fatal(err)
		}
		_, err := learn(t.Context(), findDialect("chat"), providerAddress(p), smallBody)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", script, err, want)
		}
	}
}

func TestPattern(t *testing.T) {
	const body = `{"id":"chatcmpl-aaaa","object":"chat.completion","created":1795423880,"model":"model-asked",` +
		`"choices":[{"message":{"content":"It is 5 o'clock."}}],"completed_at":1795423881}`
	p := newPattern([]byte(body))
	for _, c := range []struct{ name, from, to, want string }{
		{"the same", "", "", ""},
		{"another id", "chatcmpl-aaaa", "chatcmpl-zzzz", ""},
		{"another time", "1795423880", "1995423880", ""},
		{"another end", "1795423881", "1895423881", ""},
		{"another model", "model-asked", "model-given", ""},
		{"other text", "5 o'clock", "6 o'clock", "differs at byte 132"},
		{"another object", "chat.completion", "chat.completiox", "differs at byte"},
		{"another last byte", `1}`, `1]`, "differs at byte"},
		{"longer", "5 o'clock", "15 o'clock", "bytes instead of"},
		{"shorter", `}]`, `]`, "bytes instead of"},
	} {
		err := p.check([]byte(strings.Replace(body, c.from, c.to, 1)))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRequestBodiesHaveTheirSize(t *testing.T) {
	for _, d := range dialects {
		for _, size := range []int{smallBody, largeBody} {
			got := len(d.requestBody(true, size))
			if got < size*9/10 || got > size*11/10 {
				t.Errorf("%s: %d bytes, want about %d", d.name, got, size)
			}
		}
	}
}

func TestSmallAnswersAreOneKilobyte(t *testing.T) {
	p := provider(t, gatewaytest.Options{Script: answerText})
	for _, d := range dialects {
		r, err := learn(t.Context(), d, providerAddress(p), smallBody)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(r.whole.body); n < 900 || n > 1800 {
			t.Errorf("%s: %d bytes: %s", d.name, n, r.whole.body)
		}
	}
}

func TestStringBehind(t *testing.T) {
	for _, c := range []struct {
		data, want string
		found      bool
	}{
		{`{"a":"b"}`, "b", true},
		{`{"a":""}`, "", true},
		{`{"a":"x\"y\\","b":1}`, `x"y\`, true},
		{`{"a":"\u00e9"}`, "é", true},
		{`{"b":"c"}`, "", false},
		{`{"a":"b`, "", false},
		{`{"a":"b\`, "", false},
		{`{"a":"\x"}`, "", false},
	} {
		got, found := stringBehind([]byte(c.data), `"a":"`)
		if found != c.found || !bytes.Equal(got, []byte(c.want)) {
			t.Errorf("%s: got %q, %t; want %q, %t", c.data, got, found, c.want, c.found)
		}
	}
}
