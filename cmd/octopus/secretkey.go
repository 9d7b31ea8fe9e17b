package main

import (
	"cmp"
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
	switch err := writeSecretKey(file); {
	case errors.Is(err, fs.ErrExist): // another process was faster
	case err != nil:
		return nil, fmt.Errorf("secret key: %w", err)
	}
	if text, err = os.ReadFile(file); err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return parseSecretKey(string(text), file)
}

// writeSecretKey makes a file with a new key. Whatever happens meanwhile, the file has all of it or does not exist: half a key
// would be in the way of every later start.
func writeSecretKey(file string) error {
	out, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = out.WriteString(base64.StdEncoding.EncodeToString(newSecretKey()) + "\n")
	if err := cmp.Or(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if err = os.Link(out.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(out.Name(), file) // a file system without links
	}
	if err != nil {
		return err
	}
	// What the key seals is on disk soon, and the name of its file must be too.
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
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
