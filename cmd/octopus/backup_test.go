package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackup(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m")+"settings: {stats_save_interval: 1h}\n")
	p := start(t, nil, "start", "--config="+file, "--admin-token="+testToken)
	if status, body := calls("m", false)[0].do(t.Context(), p.data); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	env := []string{"OCTOPUS_ADMIN_URL=http://" + p.admin + "/", "OCTOPUS_ADMIN_TOKEN=" + testToken}
	dir := filepath.Join(t.TempDir(), "monday")

	got := runToEnd(t, env, "backup", dir)
	if got.code != 0 || !strings.HasPrefix(got.stdout, dir+" ") || got.stderr != "" {
		t.Fatalf("got %+v", got)
	}
	t.Run("the copy is a database with what was not written yet", func(t *testing.T) {
		key := filepath.Join(p.Dir, "data", "octopus.key")
		copied := start(t, nil, "start", "--database-path="+dir, "--secret-key-file="+key, "--admin-token="+testToken)
		var logs struct{ Items []map[string]any }
		if copied.askAdmin("/api/v1/logs", &logs); len(logs.Items) != 1 {
			t.Errorf("its log has %d rows, want 1", len(logs.Items))
		}
		if status, body := calls("m", false)[0].do(t.Context(), copied.data); status != 200 {
			t.Errorf("its configuration does not serve: %d %s", status, body)
		}
	})
	t.Run("a second one does not replace it", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "backup", dir), "exists already")
	})
	t.Run("a relative directory is where the command is", func(t *testing.T) {
		got := runToEnd(t, env, "backup", "here")
		made, _, _ := strings.Cut(got.stdout, " ")
		if !filepath.IsAbs(made) || filepath.Base(made) != "here" || got.code != 0 {
			t.Fatalf("got %+v", got)
		}
	})
	t.Run("another token", func(t *testing.T) {
		got := runToEnd(t, env, "backup", dir, "--admin-token=wrong-wrong-wrong-wrong")
		checkRefused(t, got, "status 401")
		if strings.Contains(got.stderr, "wrong") {
			t.Errorf("it shows the token: %s", got.stderr)
		}
	})
	t.Run("no token", func(t *testing.T) {
		checkRefused(t, runToEnd(t, nil, "backup", dir), "--admin-token")
	})
	t.Run("no server", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "backup", dir, "--admin-url=http://127.0.0.1:"+closedPort(t)), "refused")
	})
	t.Run("no URL", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "backup", dir, "--admin-url=localhost:8081"), "--admin-url")
	})
	t.Run("the data port", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "backup", dir, "--admin-url=http://"+p.data), "status 404")
	})
	t.Run("no directory", func(t *testing.T) {
		checkRefused(t, runToEnd(t, env, "backup"), "<dir>")
	})
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Errorf("beside the copy are %v, %v", entries, err)
	}
}
