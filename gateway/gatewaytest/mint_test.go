package gatewaytest

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestMintKnowsItsOwn(t *testing.T) {
	ours, theirs := mint(1), mint(2)
	made := string(mintedSignature.strike(nil, ours, []byte("payload"), ours.seen("text")))
	if payload, ok := mintedSignature.read(ours, made, ours.seen("text")); !ok || string(payload) != "payload" {
		t.Errorf("read its own %q as %q, %v", made, payload, ok)
	}
	for name, c := range map[string]struct {
		m    mint
		text string
		seen string
	}{
		"another mint's": {theirs, made, "text"},
		"another text's": {ours, made, "texts"},
		"altered":        {ours, made[:20] + "x" + made[21:], "text"},
		"cut":            {ours, made[:len(made)-4], "text"},
		"another kind":   {ours, string(mintedRedacted.strike(nil, ours, []byte("payload"), 0)), "text"},
		"a word":         {ours, "signature", "text"},
		"nothing":        {ours, "", ""},
		"only a prefix":  {ours, mintedSignature.prefix, "text"},
	} {
		if _, ok := mintedSignature.read(c.m, c.text, c.m.seen(c.seen)); ok {
			t.Errorf("%s was taken for its own", name)
		}
	}
}

func TestMintKnowsItsItems(t *testing.T) {
	ours := mint(1)
	want := item{answer: 7, reasoned: true}
	id := string(ours.itemID(nil, "fc_", want, 3))
	if got, ok := ours.readItemID("fc_", id); !ok || got != want || len(id) != 51 {
		t.Errorf("%s is read as %+v, %v", id, got, ok)
	}
	for name, other := range map[string]string{
		"another prefix": strings.Replace(id, "fc_", "msg_", 1),
		"altered":        id[:3] + "1" + id[4:],
		"made up":        "fc_" + hex.EncodeToString(make([]byte, 24)),
		"short":          "fc_1",
		"empty":          "",
	} {
		if _, ok := ours.readItemID("fc_", other); ok {
			t.Errorf("%s: %s was taken for its own", name, other)
		}
	}
	if _, ok := mint(2).readItemID("fc_", id); ok {
		t.Error("another mint took it for its own")
	}
}
