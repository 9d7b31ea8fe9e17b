package config

import (
	"crypto/sha256"
	"net/netip"
	"time"
)

// MinAPIKeyLength is the least number of characters of an API key.
const MinAPIKeyLength = 24

// APIKey is a credential of one of our clients. The key itself is not kept.
type APIKey struct {
	Object
	// Name is unique, has no control character, 1 to 64 bytes.
	Name string
	// SHA256 is the hash of the key, unique; see HashAPIKey.
	SHA256 [sha256.Size]byte
	// Last4 are the last four characters of the key, for people; empty when only the hash was given.
	Last4   string
	Enabled bool
	// Groups lists the groups that may be called, by name, not by alias; "*" allows all. Empty allows none.
	Groups []string
	// Channels lists the channels that may be called as channel/model, by name; "*" allows all. Empty allows none.
	Channels []string
	// BudgetNanoUSD is what may be spent per BudgetPeriod. 0 means no budget.
	BudgetNanoUSD int64
	BudgetPeriod  BudgetPeriod
	// RPM is requests per minute, TPM tokens per minute, Concurrency requests at once. 0 means no limit.
	RPM, TPM, Concurrency int
	// Unpriced says whether models without a price may be called by a key with a budget: UnpricedRefuse (also the empty
	// value) or UnpricedAllow.
	Unpriced string
	// ExpiresAt ends the key's life. The zero time means never.
	ExpiresAt time.Time
	// AllowedIPs bounds the client addresses, in masked form and IPv4 as such. Empty allows all.
	AllowedIPs []netip.Prefix
}

// What happens to models without a price when an API key has a budget.
const (
	UnpricedRefuse = "refuse"
	UnpricedAllow  = "allow"
)

// BudgetPeriod is the period a budget is renewed in. The zero value is BudgetTotal.
type BudgetPeriod string

// The periods of a budget.
const (
	BudgetTotal BudgetPeriod = "total"
	BudgetDay   BudgetPeriod = "day"
	BudgetMonth BudgetPeriod = "month"
)

// HashAPIKey returns the hash under which an API key is kept.
func HashAPIKey(key []byte) [sha256.Size]byte { return sha256.Sum256(key) }
