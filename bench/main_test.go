package main

import (
	"os"
	"testing"
)

// TestMain makes this test binary one of the processes that the tests start, as main does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == roleArgument {
		os.Exit(runRole(os.Args[2:]))
	}
	os.Exit(m.Run())
}
