package codec

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// envelopePrefix is what every envelope begins with.
const envelopePrefix = "gw1."

// envelopeQuoted is how a JSON string with an envelope begins. Looking for the quote as well is several times as fast: bytes.Index
// takes its vector code when the first byte is common.
var envelopeQuoted = []byte(`"` + envelopePrefix)

// sealSize is how many bytes of the HMAC an envelope carries.
const sealSize = 16

// sealer is an llm.Sealer for the targets of one family on one channel. An envelope reads
//
//	gw1.<kind>.<base64url of {"f":family,"c":channel,"m":model,"i":item,"o":opaque,"h":text}>.<base64url of the HMAC-SHA256>
//
// where the HMAC is of all before it, m, i and h are left out when empty, and h is the text's hash in hexadecimal (protocols.md
// B.6). Encrypted state is bound to the account that made it, so that another channel can't open it; another model of the same
// channel can.
type sealer struct {
	key             []byte
	family, channel string
}

var _ llm.Sealer = (*sealer)(nil)

// NewSealer returns the sealer of a channel. The key is the gateway's secret, kept by reference; the channel is named by its
// id.
func NewSealer(key []byte, family, channel string) llm.Sealer {
	return &sealer{key: key, family: family, channel: channel}
}

// Seal implements llm.Sealer.
func (s *sealer) Seal(dst []byte, sealed llm.Sealed) []byte {
	start := len(dst)
	inner := append([]byte(`{"f":`), json.AppendString(nil, s.family)...)
	inner = json.AppendString(append(inner, `,"c":`...), s.channel)
	if sealed.Model != "" {
		inner = json.AppendString(append(inner, `,"m":`...), sealed.Model)
	}
	if sealed.Item != "" {
		inner = json.AppendString(append(inner, `,"i":`...), sealed.Item)
	}
	inner = json.AppendString(append(inner, `,"o":`...), sealed.Opaque)
	if sealed.Text != 0 {
		inner = strconv.AppendUint(append(inner, `,"h":"`...), uint64(sealed.Text), 16)
		inner = append(inner, '"')
	}
	inner = append(inner, '}')
	dst = append(append(append(dst, envelopePrefix...), sealed.Kind...), '.')
	dst = base64.RawURLEncoding.AppendEncode(dst, inner)
	sum := s.sum(dst[start:])
	return base64.RawURLEncoding.AppendEncode(append(dst, '.'), sum)
}

// Open implements llm.Sealer.
func (s *sealer) Open(envelope []byte) (sealed llm.Sealed, ours, ok bool) {
	text := string(envelope)
	rest, ours := strings.CutPrefix(text, envelopePrefix)
	if !ours {
		return llm.Sealed{}, false, false
	}
	at := strings.LastIndexByte(text, '.')
	sum, err := base64.RawURLEncoding.Strict().DecodeString(text[at+1:])
	if err != nil || !hmac.Equal(sum, s.sum(envelope[:at])) {
		return llm.Sealed{}, true, false
	}
	kind, payload, _ := strings.Cut(rest[:len(rest)-(len(text)-at)], ".")
	inner, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil {
		return llm.Sealed{}, true, false
	}
	if s.member(inner, "f") != s.family || s.member(inner, "c") != s.channel {
		return llm.Sealed{}, true, false
	}
	sealed = llm.Sealed{Kind: llm.SealKind(kind), Model: s.member(inner, "m"), Item: s.member(inner, "i"), Opaque: []byte(s.member(inner, "o"))}
	if text := s.member(inner, "h"); text != "" {
		hash, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return llm.Sealed{}, true, false
		}
		sealed.Text = llm.TextHash(hash)
	}
	return sealed, true, true
}

// member returns the text of a member of an envelope's object, or "".
func (s *sealer) member(inner []byte, name string) string {
	value, _ := json.Unquote(json.Get(inner, name))
	return string(value)
}

func (s *sealer) sum(text []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(text)
	return h.Sum(nil)[:sealSize]
}
