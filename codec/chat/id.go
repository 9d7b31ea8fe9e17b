package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// idDigits is how many characters follow the prefix of an id.
const idDigits = 24

// appendID appends an id that the gateway makes itself: the same seed and number always give the same.
func appendID(dst []byte, prefix, seed string, number int) []byte {
	var text [64]byte
	sum := sha256.Sum256(strconv.AppendInt(append(append(text[:0], seed...), '/'), int64(number), 10))
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	return append(append(dst, prefix...), digits[:idDigits]...)
}
