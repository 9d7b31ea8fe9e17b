package llm

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
)

// maxCallID is the longest call id that every provider accepts (protocols.md D.20).
const maxCallID = 64

// lowerBase32 makes names of hashes: letters and digits that no provider objects to.
var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// AppendCallID appends the id that a call, and its result, carry towards a provider. An id that every provider accepts (1 to
// 64 letters, digits, underscores and hyphens) is appended as it is. Another becomes call_ and 26 characters of its hash: a
// pure function, so that a call and its result stay a pair without any memory. An empty id stays empty: it is the reader's
// part to give such calls an id by their place, with AppendCallIDAt.
func AppendCallID(dst []byte, id string) []byte {
	if isWireName(id, maxCallID) || id == "" {
		return append(dst, id...)
	}
	return appendHash(append(dst, "call_"...), id, 26)
}

// CallIDs is which ids of calls an upstream takes, in requests. The zero value is CallIDsNative.
type CallIDs uint8

// The ids that upstreams take.
const (
	// CallIDsNative are those of AppendCallID.
	CallIDsNative CallIDs = iota
	// CallIDsShort are the same, but no longer than 40 characters: older Chat upstreams, Azure's among them.
	CallIDsShort
	// CallIDsMistral are 9 letters and digits, as Mistral wants them.
	CallIDsMistral
)

// Append appends the id that a call, and its result, carry towards an upstream that takes ids like that. It is AppendCallID with
// other bounds: an id within them is appended as it is, an empty one stays empty, and any other becomes what its hash says.
func (c CallIDs) Append(dst []byte, id string) []byte {
	const mistral, short = 9, 40
	switch {
	case c == CallIDsMistral && id != "":
		if len(id) == mistral && isWireName(id, mistral) && !strings.ContainsAny(id, "_-") {
			return append(dst, id...)
		}
		return appendHash(dst, id, mistral)
	case c == CallIDsShort && len(id) > short:
		return appendHash(append(dst, "call_"...), id, 26)
	}
	return AppendCallID(dst, id)
}

// AppendCallIDAt appends the id of a call that came without one: call_ and its place, the turn and the number of the call in
// it, both counted from 0.
func AppendCallIDAt(dst []byte, turn, call int) []byte {
	dst = strconv.AppendInt(append(dst, "call_"...), int64(turn), 10)
	return strconv.AppendInt(append(dst, '_'), int64(call), 10)
}

// appendHash appends the first n characters, 52 at most, of the hash of text.
func appendHash(dst []byte, text string, n int) []byte {
	sum := sha256.Sum256([]byte(text))
	var digits [52]byte
	lowerBase32.Encode(digits[:], sum[:])
	return append(dst, digits[:n]...)
}

// isWireName reports whether text is 1 to limit letters, digits, underscores and hyphens.
func isWireName(text string, limit int) bool {
	if text == "" || len(text) > limit {
		return false
	}
	for i := 0; i < len(text); i++ {
		if !isWireByte(text[i]) {
			return false
		}
	}
	return true
}

func isWireByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
