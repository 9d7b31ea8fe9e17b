package codec

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"octopus/codec/llm"
)

func TestEnvelopes(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	own := NewSealer(key, "anthropic", "channel00001")
	sealed := llm.Sealed{Kind: llm.SealSignature, Model: "claude-opus-4-8", Item: "rs_1", Opaque: []byte("sig/+=\"\u00e9"), Text: 1 << 63}
	envelope := own.Seal([]byte("> "), sealed)[2:]
	if !bytes.HasPrefix(envelope, []byte("gw1.am-sig.")) || bytes.ContainsAny(envelope, " \"\n+/=") {
		t.Errorf("envelope: %s", envelope)
	}
	got, ours, ok := own.Open(envelope)
	if !ours || !ok || !reflect.DeepEqual(got, sealed) {
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

// TestEarlierEnvelopesOpen opens one that was made before envelopes knew their model and the hash of their text.
func TestEarlierEnvelopesOpen(t *testing.T) {
	by := NewSealer(sealKey, "anthropic", "7")
	const envelope = "gw1.am-sig.eyJmIjoiYW50aHJvcGljIiwiYyI6IjciLCJvIjoiRXFRQjEifQ.shlhT738b5Sfd-Dvx0NuIg"
	got, _, ok := by.Open([]byte(envelope))
	if want := (llm.Sealed{Kind: llm.SealSignature, Opaque: []byte("EqQB1")}); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, ok %v, want %+v", got, ok, want)
	}
	if !got.Fits([]byte("First thought.")) {
		t.Error("an envelope that knows of no text fits none")
	}
}

func FuzzOpen(f *testing.F) {
	own := NewSealer([]byte("key"), "openai", "c")
	f.Add(own.Seal(nil, llm.Sealed{Kind: llm.SealEncrypted, Opaque: []byte("x")}))
	f.Add(own.Seal(nil, llm.Sealed{Kind: llm.SealSignature, Model: "m", Item: "rs_1", Opaque: []byte("x"), Text: 77}))
	f.Add([]byte("gw1.x.y.z"))
	f.Add([]byte("gw1...."))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		sealed, ours, ok := own.Open(envelope)
		if ok && (!ours || !bytes.Equal(own.Seal(nil, sealed), envelope)) {
			t.Errorf("%q was opened to %+v, which is sealed otherwise", envelope, sealed)
		}
	})
}
