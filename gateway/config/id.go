package config

import (
	"crypto/rand"
	"strings"
)

// idLength is the number of characters of an ID.
const idLength = 12

// NewID returns a random ID: 12 lower-case letters and digits, 60 random bits.
func NewID() string { return strings.ToLower(rand.Text()[:idLength]) }

// isID says whether text is 12 ASCII letters or digits.
func isID(text string) bool {
	if len(text) != idLength {
		return false
	}
	for i := range len(text) {
		if !isAlphanumeric(text[i]) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
