package admin

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"octopus/admin/store"
)

// The one account of the panel, and the cost of Argon2id for its password: what OWASP asks for ("Password Storage Cheat
// Sheet", 2026), 19 MiB of memory and two passes by one thread.
const (
	accountName   = "admin"
	argonMemory   = 19 << 10 // KiB
	argonPasses   = 2
	argonThreads  = 1
	argonSaltSize = 16
	argonKeySize  = 32
)

// The bounds of a password: characters at least, bytes at most.
const (
	minPassword = 8
	maxPassword = 1024
)

// account is what store.SpaceAccount has under accountName, as JSON. A database without it is in the state in which the
// password is admin and can only be changed.
type account struct {
	// Username is the name to log in with.
	Username string
	// Hash is the password's, as PHC strings are: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
	Hash string
}

// SetPassword makes password the one of the account. The error says what is wrong with it, in words for whoever chose it.
func SetPassword(s *store.Store, password string) error {
	switch {
	case password == accountName:
		return errors.New("the password admin is everyone's; choose another one")
	case utf8.RuneCountInString(password) < minPassword:
		return fmt.Errorf("the password is shorter than %d characters", minPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	text, err := json.Marshal(account{Username: accountName, Hash: hashPassword(password)})
	if err != nil {
		panic("BUG: two strings are no JSON")
	}
	b := s.NewBatch()
	b.Set(store.SpaceAccount.Key(nil, accountName), text)
	return s.Commit(b)
}

// hashPassword returns the PHC string of a password, with a new salt.
func hashPassword(password string) string {
	salt := make([]byte, argonSaltSize)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonThreads, argonKeySize)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonThreads, encode(salt), encode(key))
}
