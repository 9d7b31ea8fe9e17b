package codec

import (
	"bytes"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// FuzzLeaveOutForeign holds requests that stay in their protocol against what is promised of those with envelopes: what is
// written is well-formed, there is nothing left to be left out of it, and where nothing is an envelope no byte changes.
func FuzzLeaveOutForeign(f *testing.F) {
	for _, v := range vectors(f, "req") {
		if v.client == v.target && bytes.Contains(v.in, envelopeQuoted) {
			f.Add(v.in, uint8(v.target-llm.Chat))
		}
	}
	sealer := NewSealer(sealKey, "anthropic", "7")
	f.Fuzz(func(t *testing.T, body []byte, protocol uint8) {
		if !json.Valid(body) {
			return
		}
		p := llm.Protocols[protocol%3]
		clean := func(body []byte) ([]byte, int, bool) {
			var warnings llm.Warnings
			x := llm.Exchange{Model: "m", Options: &defaultOptions, Warnings: &warnings, Sealer: sealer}
			edits := dialects[p].leaveOutForeign(nil, body, &x)
			return edits.AppendTo(nil, body), len(edits), warnings.Empty()
		}
		once, changes, _ := clean(body)
		if !json.Valid(once) {
			t.Fatalf("%s\nbecame\n%s", body, once)
		}
		if changes > 0 && !bytes.Contains(body, []byte("gw1")) && !bytes.ContainsRune(body, '\\') {
			t.Errorf("%s\nhas no envelope, but became\n%s", body, once)
		}
		if twice, _, quiet := clean(once); !bytes.Equal(twice, once) || !quiet {
			t.Errorf("%s\nbecame\n%s\nand then\n%s", body, once, twice)
		}
	})
}
