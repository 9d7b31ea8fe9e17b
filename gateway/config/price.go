package config

// Price is an own price of a model; there is one for a model and channel. Money per token is an integer number of
// pico-USD: 1 USD per million tokens is 1 000 000.
type Price struct {
	Object
	// Model is the upstream's name of the model, 1 to 256 bytes.
	Model string
	// Channel is the name of a channel, or empty for all.
	Channel string
	// Input, Output, CacheRead and CacheWrite are pico-USD per token, at most MaxPrice; negative means not given. At least
	// one is given.
	Input, Output, CacheRead, CacheWrite int64
}

// Values of the prices in a Price, in pico-USD per token.
const (
	// NoPrice is a price that is not given.
	NoPrice = -1
	// MaxPrice is 100 000 USD per million tokens: ten million tokens still fit 64 bits.
	MaxPrice = 100_000 * 1_000_000
)
