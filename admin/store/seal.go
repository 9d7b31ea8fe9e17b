package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// sealer seals secrets with AES-256-GCM, under a key of its own that follows from the secret key.
type sealer struct{ aead cipher.AEAD }

// errSealed is the error of a box that was sealed with another key, or for another place, or was changed.
var errSealed = errors.New("sealed with another secret key, or changed since")

func newSealer(secretKey []byte) (*sealer, error) {
	if len(secretKey) != 32 {
		return nil, fmt.Errorf("store: the secret key has %d bytes, want 32", len(secretKey))
	}
	key, err := hkdf.Key(sha256.New, secretKey, nil, "octopus/store", 32)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &sealer{aead}, nil
}

// seal returns the box that holds a secret and opens at a place only, which names the object and the field.
func (s *sealer) seal(place, secret string) []byte {
	return s.aead.Seal(nil, nil, []byte(secret), []byte(place))
}

// open returns the secret in a box.
func (s *sealer) open(place string, box []byte) (string, error) {
	secret, err := s.aead.Open(nil, nil, box, []byte(place))
	if err != nil {
		return "", errSealed
	}
	return string(secret), nil
}
