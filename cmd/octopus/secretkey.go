package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretKeySize is the size of the secret key in bytes.
const secretKeySize = 32

// readSecretKey returns the secret key: the one that is given in base64, else that of the file, which is made when it is
// missing, with its directory.
func readSecretKey(given, file string) ([]byte, error) {
	if given != "" {
		return parseSecretKey(given, "--secret-key")
	}
	text, err := os.ReadFile(file)
	if err == nil {
		return parseSecretKey(string(text), file)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	key := newSecretKey()
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	_, err = out.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return key, nil
}

// newSecretKey returns a random key.
func newSecretKey() []byte {
	key := make([]byte, secretKeySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return key
}

// parseSecretKey reads a key in base64. The error says where it comes from, and nothing of it.
func parseSecretKey(text, source string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != secretKeySize {
		return nil, fmt.Errorf("%s: expected %d bytes in base64 (openssl rand -base64 %d makes some)", source, secretKeySize, secretKeySize)
	}
	return key, nil
}
