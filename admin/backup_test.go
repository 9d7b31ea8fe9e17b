package admin

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"octopus/admin/store"
)

func TestBackupIsACopyOfTheDatabase(t *testing.T) {
	l, s := newLedger(t)
	p := openWithToken(t, Options{Ledger: l, Backup: s.Backup})
	l.Record(failedOver("req_1"))
	l.Flush()
	dir := filepath.Join(t.TempDir(), "backups", "monday")
	body, err := json.Marshal(backup{dir})
	if err != nil {
		t.Fatal(err)
	}
	if response, answer := p.call(t, "POST", "/api/v1/backup", string(body)); response.StatusCode != 200 || answer != string(body) {
		t.Fatalf("%d %s", response.StatusCode, answer)
	}
	copied, err := store.Open(store.Options{Path: dir, SecretKey: make([]byte, 32), MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if n := countRows(t, copied); n != 1 {
		t.Errorf("the copy has %d rows", n)
	}
	t.Run("never over something else", func(t *testing.T) {
		response, answer := p.call(t, "POST", "/api/v1/backup", string(body))
		checkRefused(t, response, answer, 409, "exists", "dir")
	})
	t.Run("not where nobody may write", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		response, answer := p.call(t, "POST", "/api/v1/backup", `{"dir":"`+file+`/below"}`)
		checkRefused(t, response, answer, 400, "bad_field", "dir")
	})
}

func TestBackupBodiesThatCantBeUsed(t *testing.T) {
	p := openWithToken(t, Options{Backup: func(string) error { return errors.New("must not be called") }})
	for body, field := range map[string]string{
		`{"dir":"relative/path"}`: "dir", `{"dir":""}`: "dir", `{}`: "dir", `{"dir":"./x"}`: "dir",
	} {
		response, answer := p.call(t, "POST", "/api/v1/backup", body)
		checkRefused(t, response, answer, 400, "bad_field", field)
	}
	for _, body := range []string{``, `null `, `[]`, `{"dir":1}`, `{"dir":"/x","force":true}`, `{"dir":"/x"}{}`, `{"dir":"/x"`, "\xff"} {
		response, answer := p.call(t, "POST", "/api/v1/backup", body)
		if response.StatusCode != 400 {
			t.Errorf("%q: %d %s", body, response.StatusCode, answer)
		}
	}
}

func TestAFaultOfOursIsLoggedAndNotTold(t *testing.T) {
	p := openWithToken(t, Options{Backup: func(string) error { return errors.New("the disk says 42") }})
	response, body := p.call(t, "POST", "/api/v1/backup", `{"dir":"/x"}`)
	checkError(t, response, body, 500, "internal")
	if log := p.log.String(); !strings.Contains(log, "the disk says 42") || strings.Contains(body, "42") {
		t.Errorf("log %q, answer %s", log, body)
	}
}
