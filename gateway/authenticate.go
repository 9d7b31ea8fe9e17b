package gateway

import (
	"bytes"
	"net"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
)

// apiKey is an API key as requests read it.
type apiKey struct {
	id, name   string
	enabled    bool
	expiresAt  time.Time
	allowedIPs []netip.Prefix
	groups     nameSet
	channels   nameSet
	// limits has what the key is limited to, nil for a key without limits.
	limits *config.APIKey
	// scope keeps affinity keys of different API keys apart. It is made of the key itself, so that it is the same in all replicas.
	scope uint64
}

// nameSet is a set of names, or all of them.
type nameSet struct {
	all   bool
	names map[string]struct{}
}

func newNameSet(names []string) nameSet {
	s := nameSet{names: make(map[string]struct{}, len(names))}
	for _, name := range names {
		if name == "*" {
			s.all = true
		}
		s.names[name] = struct{}{}
	}
	return s
}

func (s *nameSet) has(name string) bool {
	if s.all {
		return true
	}
	_, ok := s.names[name]
	return ok
}

// errCredential is the answer to a missing, unknown, disabled or expired key: the same for all, so that nothing can be
// learnt from it.
var errCredential = &llm.Error{
	Kind: llm.Authentication, Code: "invalid_api_key", NoRetry: true,
	Message: "The API key is missing or not valid. Send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
}

var (
	bearer        = []byte("bearer ")
	authorization = []byte("Authorization")
	xAPIKey       = []byte("X-Api-Key")
)

// authenticate finds the API key of the request. Restrictions are the key's, whichever header carries it.
func (c *call) authenticate(ctx *fasthttp.RequestCtx) *llm.Error {
	c.outcome.Client = c.gateway.clientAddress(ctx)
	key, err := c.snapshot.keyOf(&ctx.Request.Header)
	if err != nil {
		return err
	}
	c.key = key
	c.outcome.APIKeyID, c.outcome.APIKeyName = key.id, key.name
	return key.admit(c.outcome.Client)
}

// keyOf returns the API key that the request's headers carry.
func (s *snapshot) keyOf(h *fasthttp.RequestHeader) (*apiKey, *llm.Error) {
	credential, err := credentialOf(h)
	if err != nil {
		return nil, err
	}
	key := s.keys[config.HashAPIKey(credential)]
	if key == nil || !key.enabled || !key.expiresAt.IsZero() && !time.Now().Before(key.expiresAt) {
		return nil, errCredential
	}
	return key, nil
}

// admit checks the client's address.
func (k *apiKey) admit(client netip.Addr) *llm.Error {
	if len(k.allowedIPs) == 0 {
		return nil
	}
	for _, p := range k.allowedIPs {
		if p.Contains(client) {
			return nil
		}
	}
	return &llm.Error{Kind: llm.Permission, NoRetry: true,
		Message: "This API key may not be used from " + client.String() + "."}
}

// credentialOf returns the key in the request's headers, borrowed, or an empty one. Two different ones are refused: which
// of them counts must not be a matter of taste.
func credentialOf(h *fasthttp.RequestHeader) ([]byte, *llm.Error) {
	var found []byte
	several := false
	for name, value := range h.All() {
		switch {
		case bytes.Equal(name, authorization):
			// The scheme is case-insensitive (RFC 9110, section 11.1). Another scheme carries no key of ours.
			if len(value) < len(bearer) || !bytes.EqualFold(value[:len(bearer)], bearer) {
				continue
			}
			value = value[len(bearer):]
		case !bytes.Equal(name, xAPIKey):
			continue
		}
		if value = bytes.TrimSpace(value); len(value) == 0 {
			continue
		}
		if found != nil && !bytes.Equal(found, value) {
			several = true
		}
		found = value
	}
	if several {
		return nil, &llm.Error{Kind: llm.InvalidRequest, Code: "ambiguous_credential", NoRetry: true,
			Message: "The request carries two different API keys. Send one, as 'Authorization: Bearer KEY' or 'x-api-key: KEY'."}
	}
	return found, nil
}

// clientAddress returns the address of the client: the peer, or behind trusted proxies the rightmost address of
// X-Forwarded-For that is not a trusted proxy.
func (g *Gateway) clientAddress(ctx *fasthttp.RequestCtx) netip.Addr {
	peer := addressOf(ctx.RemoteAddr())
	if len(g.options.TrustedProxies) == 0 || !g.trusts(peer) {
		return peer
	}
	client := peer
	values := ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)
	for i := len(values) - 1; i >= 0; i-- {
		for rest := values[i]; ; {
			at := bytes.LastIndexByte(rest, ',')
			address, ok := parseForwarded(string(bytes.TrimSpace(rest[at+1:])))
			if !ok {
				// Whoever is left of this can't be known.
				return client
			}
			client = address
			if !g.trusts(client) {
				return client
			}
			if at < 0 {
				break
			}
			rest = rest[:at]
		}
	}
	return client
}

func (g *Gateway) trusts(a netip.Addr) bool {
	for _, p := range g.options.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseForwarded reads one element of X-Forwarded-For: an address, which some proxies send with a port.
func parseForwarded(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
