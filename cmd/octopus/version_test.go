package main

import (
	"regexp"
	"runtime"
	"testing"
)

func TestVersionNamesReleaseGoAndSystem(t *testing.T) {
	got := runToEnd(t, nil, "version")
	want := "octopus v0.0.0-test " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	if got.code != 0 || got.stdout != want || got.stderr != "" {
		t.Errorf("%+v, want %q and exit code 0", got, want)
	}
}

func TestVersionWithoutLinkerFlag(t *testing.T) {
	// The test binary has no version of its own, so this is what the Go tool knows, and never empty.
	if got := currentVersion(); !regexp.MustCompile(`^(v\d|devel)`).MatchString(got) {
		t.Errorf("%q, want a version or devel", got)
	}
}
