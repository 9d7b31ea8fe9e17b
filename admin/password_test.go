package admin

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"octopus/admin/store"
)

func TestPasswordsAreStoredAsArgon2idStrings(t *testing.T) {
	_, s := newLedger(t)
	hashes := make(map[string]bool)
	for range 2 {
		if err := SetPassword(s, "correct horse"); err != nil {
			t.Fatal(err)
		}
		text, ok, err := s.Get(nil, store.SpaceAccount.Key(nil, "admin"))
		if err != nil || !ok {
			t.Fatalf("nothing is stored: %v", err)
		}
		var a account
		if err := json.Unmarshal(text, &a); err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(a.Hash, "$")
		if a.Username != "admin" || len(parts) != 6 || strings.Join(parts[:4], "$") != "$argon2id$v=19$m=19456,t=2,p=1" {
			t.Fatalf("stored is %s", text)
		}
		salt, err := base64.RawStdEncoding.DecodeString(parts[4])
		if err != nil || len(salt) != 16 {
			t.Fatalf("salt %q: %v", parts[4], err)
		}
		key := argon2.IDKey([]byte("correct horse"), salt, 2, 19<<10, 1, 32)
		if got := base64.RawStdEncoding.EncodeToString(key); got != parts[5] {
			t.Errorf("the hash is %s, want %s", parts[5], got)
		}
		hashes[a.Hash] = true
	}
	if len(hashes) != 2 {
		t.Error("the salt is the same twice")
	}
}

func TestPasswordsThatAreNone(t *testing.T) {
	_, s := newLedger(t)
	for name, password := range map[string]string{
		"empty": "", "short": "1234567", "short in characters": "äöüäöü", "the first one": "admin", "too long": strings.Repeat("x", maxPassword+1),
	} {
		if err := SetPassword(s, password); err == nil || password != "" && password != "admin" && strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok, _ := s.Get(nil, store.SpaceAccount.Key(nil, "admin")); ok {
		t.Error("something is stored all the same")
	}
	for _, password := range []string{"12345678", strings.Repeat("x", maxPassword)} {
		if err := SetPassword(s, password); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
}
