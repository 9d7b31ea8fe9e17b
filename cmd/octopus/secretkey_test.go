package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretKey(t *testing.T) {
	key := bytes.Repeat([]byte{7}, secretKeySize)
	text := base64.StdEncoding.EncodeToString(key)
	file := filepath.Join(t.TempDir(), "a", "made.key")

	if got, err := readSecretKey(text, file); !bytes.Equal(got, key) || err != nil {
		t.Errorf("given: %x, %v", got, err)
	}
	made, err := readSecretKey("", file)
	if err != nil || len(made) != secretKeySize {
		t.Fatalf("missing file: %x, %v", made, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file that was made: %v, %v", info, err)
	}
	if again, err := readSecretKey("", file); !bytes.Equal(again, made) || err != nil {
		t.Errorf("read again: %x, %v; want %x", again, err, made)
	}
	for _, bad := range []string{"short", base64.StdEncoding.EncodeToString(key[1:]), "%%%"} {
		if _, err := readSecretKey(bad, ""); err == nil || strings.Contains(err.Error(), bad) || !strings.Contains(err.Error(), "--secret-key") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := readSecretKey("", t.TempDir()); err == nil {
		t.Error("a folder is taken for a key")
	}
}

func TestNothingIsLeftOfASecretKeyThatWasNotWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "made.key")
	first, err := readSecretKey("", file)
	if err != nil {
		t.Fatal(err)
	}
	// Another process that makes one at the same time must not replace it.
	if err := writeSecretKey(file); err == nil {
		t.Error("a key was replaced")
	}
	if again, err := readSecretKey("", file); !bytes.Equal(again, first) || err != nil {
		t.Errorf("got %x, %v; want %x", again, err, first)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v; want the key alone", files, err)
	}
}
