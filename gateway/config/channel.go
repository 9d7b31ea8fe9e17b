package config

import (
	"encoding/json"
	"time"

	"octopus/codec/llm"
)

// Auth is how a channel's key travels upstream. The empty value is the default of the protocol: bearer for OpenAI's,
// x-api-key for Anthropic's.
type Auth string

// The ways a key travels.
const (
	// AuthBearer sends "Authorization: Bearer KEY".
	AuthBearer Auth = "bearer"
	// AuthXAPIKey sends "x-api-key: KEY".
	AuthXAPIKey Auth = "x-api-key"
	// AuthAPIKey sends "api-key: KEY", as Azure wants it.
	AuthAPIKey Auth = "api-key"
	// AuthNone sends nothing; the channel needs no keys (local models).
	AuthNone Auth = "none"
)

// Channel is one upstream account.
type Channel struct {
	Object
	// Name is unique, has no slash and no control character, 1 to 64 bytes; not "*".
	Name string
	// Enabled channels take part. The zero value is disabled; files default to true.
	Enabled bool
	// Endpoints lists the protocols of the account, the main one first; a protocol stands once. Never empty.
	Endpoints []Endpoint
	// Auth is how keys travel.
	Auth Auth
	// Keys is the key pool. Empty only with AuthNone, or for a channel that can't be used yet.
	Keys []Key
	// Models lists upstream model names, each once, 1 to 256 bytes: a hint for people and for Group.Match; a member may
	// name another.
	Models []string
	// ModelSync keeps Models in step with what the upstream lists.
	ModelSync ModelSync
	// Headers are added upstream, after the client's; the values are secrets. Names are in canonical form, sorted, and none
	// of those that the gateway owns: framing, hop-by-hop fields and credentials.
	Headers []Header
	// Params is an RFC 7396 merge patch over the request body, a JSON object without model and stream, or nil.
	Params json.RawMessage
	// Convert says how other protocols are converted for this channel.
	Convert Convert
	// ClientGone says what happens to the upstream call when the client leaves.
	ClientGone ClientGone
	// Proxy is a URL with scheme http, https or socks5, perhaps user and password, or empty for Settings.Proxy.
	Proxy Secret
	// PriceMultiplier scales the channel's prices, in millionths: 0 is free, PriceMultiplierOne the price as listed,
	// MaxPriceMultiplier the most.
	PriceMultiplier int64
	// Limits bound what the channel is given.
	Limits Limits
}

// Endpoint is where a channel speaks one protocol.
type Endpoint struct {
	Protocol llm.Protocol
	// BaseURL has scheme http or https, a host, and neither user info nor fragment. The protocol's path (/chat/completions,
	// /responses, /messages) is not part of it, nor is a slash at the end of the path; a query is kept. See TrimBaseURL.
	BaseURL string
}

// Key is one credential of a channel.
type Key struct {
	// ID is 12 letters or digits.
	ID string
	// Name is for people; it may be empty, and is unique in its channel otherwise, at most 64 bytes.
	Name string
	// Secret is the credential itself: visible ASCII, at least one character, unique in its channel.
	Secret Secret
	// Weight is the share of the key in its pool, 1 to 1000. Files default to 1.
	Weight int
}

// Header is one header added upstream.
type Header struct {
	Name  string
	Value Secret
}

// ModelSync keeps a channel's models in step with the upstream's list.
type ModelSync struct {
	Enabled bool
	// Include is an RE2 expression; empty means every model.
	Include string
}

// Convert holds a channel's options of conversion (protocols.md). Files default to llm.DefaultOptions.
type Convert struct {
	llm.Options
	// UpstreamStream is UpstreamStreamClient (also the empty value) or UpstreamStreamAlways.
	UpstreamStream string
}

// When converted requests stream upstream.
const (
	// UpstreamStreamClient streams when the client does.
	UpstreamStreamClient = "client"
	// UpstreamStreamAlways streams, and collects the answer for clients that don't.
	UpstreamStreamAlways = "always"
)

// ClientGone says what happens to the upstream call when its client leaves. The zero value is ClientGoneCancel.
type ClientGone string

// What to do when a client leaves.
const (
	// ClientGoneCancel closes the upstream connection.
	ClientGoneCancel ClientGone = "cancel"
	// ClientGoneDrain reads on for the final usage.
	ClientGoneDrain ClientGone = "drain"
)

// Values of Channel.PriceMultiplier, in millionths.
const (
	PriceMultiplierOne = 1_000_000
	MaxPriceMultiplier = 1000 * PriceMultiplierOne
)

// Limits bound what a channel is given, all its keys together. 0 means no limit.
type Limits struct {
	// Concurrency is requests at once.
	Concurrency int
	// RPM is requests per minute, repeated ones and those that count tokens included. TPM is tokens per minute: of prompt
	// and answer as the upstream reports them, until then a guess at the prompt's.
	RPM, TPM int
}

// DefaultConnectTimeout is how long dialing an upstream may take unless a group's policy says otherwise.
const DefaultConnectTimeout = 5 * time.Second
