package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestBudgetSurvivesARestart(t *testing.T) {
	provider := startProvider(t)
	for _, period := range []string{"total", "day", "month"} {
		t.Run(period, func(t *testing.T) { testBudgetSurvives(t, provider, period) })
	}
}

func testBudgetSurvives(t *testing.T, provider, period string) {
	config := strings.Replace(testConfig(provider, "m"), `channels: ["*"]}`, `channels: ["*"], budget_usd: 1, budget_period: `+period+`}`, 1) +
		"prices:\n  - {model: scripted, input: 0, output: 100000}\n"
	args := []string{"start", "--config=" + write(t, "octopus.yaml", config), "--database-path=" + filepath.Join(t.TempDir(), "db")}
	for round, want := range []struct {
		status int
		part   string
	}{
		{200, `"chat.completion"`},
		{429, "insufficient_quota"},
	} {
		p := start(t, nil, args...)
		if status, body := calls("m", false)[0].do(t.Context(), p.data); status != want.status || !strings.Contains(body, want.part) {
			t.Errorf("round %d: %d %.300s, want %d and %q", round, status, body, want.status, want.part)
		}
		p.signal(syscall.SIGTERM)
		if code := p.exitCode(); code != 0 {
			t.Fatalf("round %d: exit code %d", round, code)
		}
	}
}
