package gateway

import (
	"bytes"
	"slices"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
)

// forwarded lists the client's headers that go upstream besides those with forwardedPrefix (protocols.md A.1); true is for
// those that mean something in the client's protocol alone and stay when a call is converted. All others always stay:
// credentials, hop-by-hop headers, and whatever could say where a request goes.
var forwarded = map[string]bool{
	"User-Agent": false, "Idempotency-Key": false, "X-Client-Request-Id": false, "Traceparent": false, "Tracestate": false,
	"Session_id": true, "Conversation_id": true, "Originator": true, "X-App": true, "X-Stainless-Helper-Method": true, "Openai-Beta": true,
}

// forwardedPrefix covers anthropic-version, anthropic-beta, anthropic-workspace-id and their like.
const forwardedPrefix = "Anthropic-"

// collectForwarded keeps what goes upstream of the request's headers and its query. Control characters, which could split
// the upstream's request, are refused.
func (c *call) collectForwarded(ctx *fasthttp.RequestCtx) *llm.Error {
	c.query = append(c.query, ctx.URI().QueryString()...)
	if bytes.ContainsFunc(c.query, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return &llm.Error{Kind: llm.InvalidRequest, NoRetry: true, Message: "The query string has a control character."}
	}
	for name, value := range ctx.Request.Header.All() {
		if !isForwarded(name) {
			continue
		}
		if string(name) == anthropicVersion {
			if c.hasVersion {
				continue // one is enough
			}
			c.hasVersion = true
		}
		if bytes.ContainsAny(value, "\r\n\x00") {
			return &llm.Error{Kind: llm.InvalidRequest, NoRetry: true,
				Message: "The header " + printable(name) + " has a control character."}
		}
		lines := &c.forward
		if own, known := forwarded[string(name)]; own || !known {
			lines = &c.forwardOwn
		}
		*lines = append(append(append(append(*lines, name...), ": "...), value...), "\r\n"...)
	}
	return nil
}

// anthropicVersion names the version of Anthropic's API.
const anthropicVersion = "Anthropic-Version"

// isForwarded reports whether a client's header goes upstream. What is no token (RFC 9110, section 5.6.2) never does.
func isForwarded(name []byte) bool {
	if _, known := forwarded[string(name)]; known {
		return true
	}
	return bytes.HasPrefix(name, []byte(forwardedPrefix)) && !bytes.ContainsAny(name, " \t:")
}

// appendLines appends header lines without those that a channel overrides.
func appendLines(dst, lines []byte, overrides []string) []byte {
	if len(overrides) == 0 {
		return append(dst, lines...)
	}
	for line := range bytes.SplitAfterSeq(lines, []byte{'\n'}) {
		name, _, _ := bytes.Cut(line, []byte{':'})
		if !slices.Contains(overrides, string(name)) {
			dst = append(dst, line...)
		}
	}
	return dst
}

// channelHeaders returns the header lines of a channel by the upstream's protocol: the credential of k, which is nil for
// channels that need none, and the configured headers.
func channelHeaders(c *config.Channel, k *config.Key) (headers [len(llm.Protocols) + 1][]byte) {
	for _, p := range llm.Protocols {
		headers[p] = appendChannelHeader(nil, p, c, k)
	}
	return headers
}

func appendChannelHeader(dst []byte, p llm.Protocol, c *config.Channel, k *config.Key) []byte {
	if k != nil {
		switch auth := c.Auth; {
		case auth == config.AuthXAPIKey || auth == "" && p == llm.Messages:
			dst = append(dst, "x-api-key: "...)
		case auth == config.AuthAPIKey:
			dst = append(dst, "api-key: "...)
		default:
			dst = append(dst, "Authorization: Bearer "...)
		}
		dst = append(append(dst, k.Secret.Reveal()...), "\r\n"...)
	}
	for _, h := range c.Headers {
		dst = append(append(append(append(dst, h.Name...), ": "...), h.Value.Reveal()...), "\r\n"...)
	}
	return dst
}
