package e2e

import (
	"flag"
	"fmt"
	"testing"
)

// full asks for the heavy forms of the rows of faults.md, as "make faults" does: each through channels of one protocol too,
// more clients, longer times.
var full = flag.Bool("full", false, "run the heavy forms of the rows of faults.md")

// proves prints the line of one row of faults.md, or of one scenario, when the test is over: pass, or fail, and what was
// shown. It is to be called first, so that the clean-up of what the test starts counts as well.
//
// What it returns is the evidence, to which figures may be added.
func proves(t *testing.T, row, evidence string) *string {
	t.Helper()
	t.Cleanup(func() {
		verdict := "pass"
		if t.Failed() {
			verdict = "fail"
		}
		fmt.Printf("%s %s %s\n", row, verdict, evidence)
	})
	return &evidence
}
