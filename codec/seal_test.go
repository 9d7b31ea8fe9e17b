package codec

import (
	"bytes"
	"strings"
	"testing"

	"octopus/codec/llm"
)

func TestEnvelopes(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	own := NewSealer(key, "anthropic", "channel00001")
	sealed := llm.Sealed{Kind: llm.SealSignature, Item: "rs_1", Opaque: []byte("sig/+=\"\u00e9")}
	envelope := own.Seal([]byte("> "), sealed)[2:]
	if !bytes.HasPrefix(envelope, []byte("gw1.am-sig.")) || bytes.ContainsAny(envelope, " \"\n+/=") {
		t.Errorf("envelope: %s", envelope)
	}
	got, ours, ok := own.Open(envelope)
	if !ours || !ok || got.Kind != sealed.Kind || got.Item != sealed.Item || string(got.Opaque) != string(sealed.Opaque) {
		t.Errorf("opened: %+v, ours %v, ok %v", got, ours, ok)
	}
	cases := []struct {
		name     string
		by       llm.Sealer
		envelope string
		ours     bool
	}{
		{"another channel", NewSealer(key, "anthropic", "channel00002"), string(envelope), true},
		{"another family", NewSealer(key, "openai", "channel00001"), string(envelope), true},
		{"another key", NewSealer([]byte("another"), "anthropic", "channel00001"), string(envelope), true},
		{"changed kind", own, strings.Replace(string(envelope), "am-sig", "am-red", 1), true},
		{"changed last character", own, string(envelope[:len(envelope)-2]) + "AA", true},
		{"cut", own, string(envelope[:len(envelope)/2]), true},
		{"only the prefix", own, "gw1.", true},
		{"a provider's own", own, "EqQBCkYIBhgCKkBhYmM=", false},
		{"empty", own, "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, ours, ok := c.by.Open([]byte(c.envelope)); ours != c.ours || ok {
				t.Errorf("ours %v, ok %v; want ours %v and not opened", ours, ok, c.ours)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	own := NewSealer([]byte("key"), "openai", "c")
	f.Add(own.Seal(nil, llm.Sealed{Kind: llm.SealEncrypted, Opaque: []byte("x")}))
	f.Add([]byte("gw1.x.y.z"))
	f.Add([]byte("gw1...."))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		sealed, ours, ok := own.Open(envelope)
		if ok && (!ours || !bytes.Equal(own.Seal(nil, sealed), envelope)) {
			t.Errorf("%q was opened to %+v, which is sealed otherwise", envelope, sealed)
		}
	})
}
