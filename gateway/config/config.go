package config

import (
	"log/slog"
	"time"
)

// Config is everything that is configured. It is immutable once handed out.
type Config struct {
	// Revision grows by one with each change. 0 is the empty configuration of a new database.
	Revision uint64
	// FileHash is File.Hash of the declarative file that was applied last, or empty.
	FileHash string
	Channels []Channel
	Groups   []Group
	APIKeys  []APIKey
	Prices   []Price
	Settings Settings
}

// Empty returns the configuration of a new installation: revision 0, no objects, DefaultSettings.
func Empty() *Config { return &Config{Settings: DefaultSettings()} }

// Object is what channels, groups, API keys and prices have in common.
type Object struct {
	// ID is 12 letters or digits; it survives renames.
	ID string
	// Revision is the one that last changed the object.
	Revision uint64
	// Managed is "file" when a declarative file made the object, else empty.
	Managed string
}

// ManagedByFile is the value of Object.Managed for objects that the declarative file made.
const ManagedByFile = "file"

// Secret is a text that must not be shown: it prints as ***, also in logs and in JSON.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns ***, or nothing for the empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MaxDuration is the longest timer that can be configured.
const MaxDuration = 366 * 24 * time.Hour
