package gateway

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// headRoom is the room in front of an upstream request's body for its head.
const headRoom = 4 << 10

// frame puts the head in front of the body that stands behind headRoom bytes. The body comes first because the head says its
// length.
func (a *attempt) frame(w []byte) {
	a.wire.bytes = w
	head := a.appendHead(a.head[:0], len(w)-headRoom)
	a.head = head[:0]
	if len(head) > headRoom {
		a.wire.bytes = slices.Insert(w, headRoom, head[headRoom:]...)
		a.wireStart = 0
		copy(a.wire.bytes, head[:headRoom])
		return
	}
	a.wireStart = headRoom - len(head)
	copy(w[a.wireStart:], head)
}

// appendHead appends the head of the upstream request for a body of length bytes.
func (a *attempt) appendHead(dst []byte, length int) []byte {
	c, e := a.call, a.target.endpoint
	switch c.outcome.Operation {
	case outcome.CountTokens:
		dst = append(append(dst, "POST "...), e.count...)
	case outcome.Stored:
		dst = append(append(append(append(dst, c.stored.method...), ' '), e.generate...), c.stored.suffix...)
	case outcome.Compact:
		dst = append(append(append(dst, "POST "...), e.generate...), "/compact"...)
	default:
		dst = append(append(dst, "POST "...), e.generate...)
	}
	own := e.protocol == c.request.Protocol
	if own {
		dst = appendQuery(dst, e.query, c.query)
	} else {
		dst = appendQuery(dst, e.query, nil)
	}
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, e.host...)
	dst = append(dst, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	if c.request.Stream {
		dst = append(dst, "\r\nAccept: text/event-stream\r\n"...)
	} else {
		dst = append(dst, "\r\nAccept: application/json\r\n"...)
	}
	overrides := a.target.member.channel.overrides
	dst = appendLines(dst, c.forward, overrides)
	if own {
		dst = appendLines(dst, c.forwardOwn, overrides)
	}
	if e.protocol == llm.Messages && !(own && c.hasVersion) && !slices.Contains(overrides, anthropicVersion) {
		dst = append(dst, "Anthropic-Version: 2023-06-01\r\n"...)
	}
	if c.outcome.Operation != outcome.Stored {
		dst = a.bridge.AppendHeader(dst)
	}
	dst = append(dst, a.target.key.headers[e.protocol]...)
	return append(dst, "\r\n"...)
}

// appendQuery appends the base URL's query and the client's, without the client's parameters that the base URL names.
func appendQuery(dst []byte, base string, query []byte) []byte {
	if base == "" {
		if len(query) > 0 {
			dst = append(append(dst, '?'), query...)
		}
		return dst
	}
	dst = append(append(dst, '?'), base...)
	for parameter := range bytes.SplitSeq(query, []byte{'&'}) {
		name, _, _ := bytes.Cut(parameter, []byte{'='})
		if len(parameter) > 0 && !namesParameter(base, name) {
			dst = append(append(dst, '&'), parameter...)
		}
	}
	return dst
}

// namesParameter reports whether a base URL's query has a parameter of that name, however either of them is encoded.
func namesParameter(base string, name []byte) bool {
	decoded, err := url.QueryUnescape(string(name))
	if err != nil {
		return true // a server may read anything into it
	}
	for parameter := range strings.SplitSeq(base, "&") {
		own, _, _ := strings.Cut(parameter, "=")
		if own, err := url.QueryUnescape(own); err == nil && own == decoded {
			return true
		}
	}
	return false
}
