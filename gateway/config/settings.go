package config

import "time"

// Settings are the knobs that belong to no single object. Defaults are those of DefaultSettings. Durations are at most
// MaxDuration.
type Settings struct {
	// LogBodies says which bodies the request log keeps: LogBodiesNone, LogBodiesErrors or LogBodiesAll.
	LogBodies string
	// LogRetention and LogMaxSize (bytes) bound the request log.
	LogRetention time.Duration
	LogMaxSize   int64
	// StatsSaveInterval is how often ledger and statistics are written, from MinStatsSaveInterval.
	StatsSaveInterval time.Duration
	// PriceSyncInterval and PriceSyncURL (http or https) say how often, and from where, prices come. Zero means never.
	PriceSyncInterval time.Duration
	PriceSyncURL      string
	// ModelSyncInterval is how often channels' models are listed. Zero means never.
	ModelSyncInterval time.Duration
	// Proxy is the proxy of channels that name none: a URL as Channel.Proxy, or empty.
	Proxy Secret
	// CORSOrigins lists origins that browsers may call the data port from, in the spelling browsers send (scheme, host and
	// port in lower case); "*" allows all. Empty turns CORS off.
	CORSOrigins []string
	// ResponseModel says which model an answer names: ResponseModelUpstream or ResponseModelRequested.
	ResponseModel string
	// RelayHeaders adds the x-octopus-* headers to answers.
	RelayHeaders bool
	// MetricsAuth asks for the admin credential on /metrics.
	MetricsAuth bool
	// AllowMetadataAddresses lets channels reach link-local addresses, where clouds serve machine credentials.
	AllowMetadataAddresses bool
	// ResponseStore bounds what is remembered for previous_response_id.
	ResponseStore ResponseStore
}

// Which bodies the request log keeps.
const (
	LogBodiesNone   = "none"
	LogBodiesErrors = "errors"
	LogBodiesAll    = "all"
)

// Which model an answer names.
const (
	// ResponseModelUpstream is what the upstream reported.
	ResponseModelUpstream = "upstream"
	// ResponseModelRequested is what the client asked for.
	ResponseModelRequested = "requested"
)

// MinStatsSaveInterval is the shortest Settings.StatsSaveInterval.
const MinStatsSaveInterval = 10 * time.Millisecond

// ResponseStore bounds the memory of answers.
type ResponseStore struct {
	TTL      time.Duration
	MaxBytes int64
}

// DefaultSettings returns the settings of a new installation.
func DefaultSettings() Settings {
	return Settings{
		LogBodies:         LogBodiesNone,
		LogRetention:      720 * time.Hour,
		LogMaxSize:        10 << 30,
		StatsSaveInterval: time.Second,
		PriceSyncInterval: 24 * time.Hour,
		PriceSyncURL:      "https://models.dev/api.json",
		ModelSyncInterval: 24 * time.Hour,
		ResponseModel:     ResponseModelUpstream,
		RelayHeaders:      true,
		ResponseStore:     ResponseStore{TTL: 24 * time.Hour, MaxBytes: 256 << 20},
	}
}
