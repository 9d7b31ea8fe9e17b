package gatewaytest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// mint makes what only the provider that made it can read or check: signatures of thinking, redacted and encrypted reasoning,
// search results, ids of items. Nothing is kept: whatever comes back carries a keyed sum. Its value is the provider's seed, so
// that providers with different seeds refuse each other's. It is no cryptography; it catches mistakes, not attacks.
type mint uint64

// sum returns a keyed sum of parts: FNV-1a with the key in front, and ids' mixing behind.
func (m mint) sum(parts ...[]byte) uint64 {
	h := newHash(m)
	for _, part := range parts {
		h.add(part)
		h.add([]byte{0})
	}
	return h.done()
}

// hash is a sum in the making.
type hash uint64

func newHash(m mint) hash {
	h := hash(14695981039346656037)
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(m))
	h.add(key[:])
	return h
}

func (h *hash) add(part []byte) {
	for _, c := range part {
		*h = (*h ^ hash(c)) * 1099511628211
	}
}

func (h hash) done() uint64 {
	g := ids{state: uint64(h)}
	return g.next()
}

// What is minted. The prefix is what the real ones look like; the filler makes them as long.
var (
	mintedSignature = coin{prefix: "EqQBCgIYAhIk", filler: "scripted-provider-signature-of-thinking"}
	mintedRedacted  = coin{prefix: "EmwKAhgBEgy3", filler: "scripted-provider-redacted-thinking-data"}
	mintedReasoning = coin{prefix: "gAAAAABo5mU7", filler: "scripted-provider-encrypted-reasoning"}
	mintedSearch    = coin{prefix: "EqgfCioIARgB", filler: "scripted-provider-encrypted-search-result"}
)

// coin is a kind of what is minted.
type coin struct{ prefix, filler string }

// strike appends a coin that holds payload and is bound to seen, which travels beside it.
func (c *coin) strike(dst []byte, m mint, payload []byte, seen uint64) []byte {
	raw := make([]byte, 0, 128)
	raw = binary.BigEndian.AppendUint64(raw, m.sum([]byte(c.filler), payload, binary.BigEndian.AppendUint64(nil, seen)))
	raw = append(append(raw, payload...), 0)
	raw = append(raw, c.filler...)
	return base64.RawURLEncoding.AppendEncode(append(dst, c.prefix...), raw)
}

// read returns the payload of a coin, and false when m didn't strike it, or not for what it was seen with.
func (c *coin) read(m mint, text string, seen uint64) (payload []byte, ok bool) {
	encoded, ok := strings.CutPrefix(text, c.prefix)
	if !ok {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(raw) < 9+len(c.filler) || string(raw[len(raw)-len(c.filler):]) != c.filler {
		return nil, false
	}
	payload = raw[8 : len(raw)-len(c.filler)-1]
	want := m.sum([]byte(c.filler), payload, binary.BigEndian.AppendUint64(nil, seen))
	return payload, binary.BigEndian.Uint64(raw) == want
}

// seen returns what a coin is bound to: a text.
func (m mint) seen(text string) uint64 { return m.sum([]byte(text)) }

// item is what the id of one of Responses' items says.
type item struct {
	// answer is common to the items of one answer.
	answer uint64
	// reasoned is whether there was reasoning in that answer.
	reasoned bool
}

// itemID appends the id of an item. serial tells the items of an answer apart.
func (m mint) itemID(dst []byte, prefix string, i item, serial byte) []byte {
	var raw [24]byte
	binary.BigEndian.PutUint64(raw[:8], i.answer)
	raw[8] = serial
	if i.reasoned {
		raw[9] = 1
	}
	binary.BigEndian.PutUint64(raw[10:18], m.sum([]byte("filler"), raw[:10]))
	copy(raw[18:], binary.BigEndian.AppendUint64(nil, m.sum([]byte(prefix), raw[:18])))
	return hex.AppendEncode(append(dst, prefix...), raw[:])
}

// readItemID returns what an id says, and false when m didn't make it.
func (m mint) readItemID(prefix, id string) (i item, ok bool) {
	raw, err := hex.DecodeString(strings.TrimPrefix(id, prefix))
	if err != nil || len(raw) != 24 || !strings.HasPrefix(id, prefix) {
		return item{}, false
	}
	want := binary.BigEndian.AppendUint64(nil, m.sum([]byte(prefix), raw[:18]))
	if string(want[:6]) != string(raw[18:]) {
		return item{}, false
	}
	return item{answer: binary.BigEndian.Uint64(raw), reasoned: raw[9] == 1}, true
}
