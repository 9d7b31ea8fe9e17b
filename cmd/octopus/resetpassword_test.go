package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"octopus/admin/store"
)

// accountIn returns what the account's record in a database is, empty for none.
func accountIn(t *testing.T, dir, keyFile string) string {
	t.Helper()
	text, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Options{Path: dir, SecretKey: key, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	account, _, err := s.Get(nil, store.SpaceAccount.Key(nil, "admin"))
	if err != nil {
		t.Fatal(err)
	}
	return string(account)
}

func TestResetPassword(t *testing.T) {
	p := start(t, nil, "start")
	dir := filepath.Join(p.Dir, "data", "octopus")
	env := []string{"OCTOPUS_DATABASE_PATH=" + dir}
	t.Run("not while the server runs", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "reset-password", "--admin-password=correct horse"), "another process has it open")
	})
	p.signal(syscall.SIGTERM)
	p.exitCode()
	if got := accountIn(t, dir, dir+".key"); got != "" {
		t.Fatalf("a new database has the account %s", got)
	}
	seen := make(map[string]bool)
	check := func(t *testing.T, got result) {
		t.Helper()
		if got != (result{0, "the password of admin is set\n", ""}) {
			t.Errorf("got %+v", got)
		}
		account := accountIn(t, dir, dir+".key")
		if !strings.Contains(account, "$argon2id$v=19$m=19456,t=2,p=1$") || seen[account] || strings.Contains(account, "horse") {
			t.Errorf("the account is %s", account)
		}
		seen[account] = true
	}
	t.Run("by flag", func(t *testing.T) {
		check(t, runToEnd(t, env, "reset-password", "--admin-password=correct horse"))
	})
	t.Run("by variable", func(t *testing.T) {
		check(t, runToEnd(t, append(env, "OCTOPUS_ADMIN_PASSWORD=correct horse"), "reset-password"))
	})
	t.Run("by a line on standard input", func(t *testing.T) {
		command := octopus(env, "reset-password")
		command.Stdin = strings.NewReader("correct horse\r\nsomething else\n")
		var stdout, stderr strings.Builder
		command.Stdout, command.Stderr = &stdout, &stderr
		_ = command.Run() // the exit code tells
		check(t, result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()})
	})
	t.Run("nothing at all", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "reset-password"), "standard input")
	})
	t.Run("a bad one changes nothing", func(t *testing.T) {
		before := accountIn(t, dir, dir+".key")
		checkRefused(t, runToEnd(t, env, "reset-password", "--admin-password=admin"), "admin")
		checkRefused(t, runToEnd(t, env, "reset-password", "--admin-password=short"), "8 characters")
		if after := accountIn(t, dir, dir+".key"); after != before {
			t.Error("the account is another one")
		}
	})
	t.Run("a database that is not there is not made", func(t *testing.T) {
		nowhere := filepath.Join(t.TempDir(), "db")
		checkRefused(t, runToEnd(t, nil, "reset-password", "--database-path="+nowhere, "--secret-key-file="+dir+".key", "--admin-password=correct horse"), "there is none")
		checkRefused(t, runToEnd(t, nil, "reset-password", "--database-path="+nowhere, "--admin-password=correct horse"), "secret key")
		if _, err := os.Stat(nowhere); err == nil {
			t.Error("there is one now")
		}
		if _, err := os.Stat(nowhere + ".key"); err == nil {
			t.Error("there is a key now")
		}
	})
}
