package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPageSaysWhatTheTestsPrinted(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	output := strings.Join([]string{
		"=== RUN   TestProviderFaults",
		"F07 pass one timer | for both",
		"F30 pass clients leave",
		"F30 fail clients leave rudely",
		"F30 pass clients leave",
		"    leave_test.go:1: left",
		"--- FAIL: TestClientLeaves (1s)",
		"F31 passed by",
		"PASS",
	}, "\n")
	var shown strings.Builder
	failed, err := run(strings.NewReader(output), &shown, page)
	if err != nil || failed != 1 {
		t.Fatalf("%d rows failed, %v; want 1", failed, err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n## A. Providers that misbehave\n\n| row |",
		"\n| F07 | pass | headers at once, first token after 20 s: first-token timer counts headers *and* first event; " +
			"other target | one timer \\| for both |\n",
		"\n| F30 | fail | ", " | clients leave; clients leave rudely |\n",
		"\n| F31 | not there yet | ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if got, want := strings.Count(shown.String(), "\n"), 6; got != want {
		t.Errorf("%d lines are shown, want the %d about rows and failures:\n%s", got, want, shown.String())
	}
}

func TestRowsStandOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		if r.name != "" && seen[r.name] {
			t.Errorf("%s stands twice", r.name)
		}
		seen[r.name] = true
	}
	if len(seen) < 70 {
		t.Errorf("%d rows", len(seen))
	}
}
