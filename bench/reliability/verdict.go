package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// verdict is what tests have said about a row.
type verdict struct {
	failed bool
	// evidence is what was shown, each text once.
	evidence []string
}

// rowLine is a line about a row; testFailed one of "go test" about a failure.
var (
	rowLine    = regexp.MustCompile(`^([FS]\d\d) (pass|fail) (.+)$`)
	testFailed = regexp.MustCompile(`^\s*--- FAIL|^FAIL|^panic:|_test\.go:\d+: `)
)

// readVerdicts returns the verdicts that stand in the output of tests, by row, and copies the lines that matter to out.
func readVerdicts(in io.Reader, out io.Writer) (map[string]*verdict, error) {
	found := map[string]*verdict{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		m := rowLine.FindStringSubmatch(line)
		if m != nil || testFailed.MatchString(line) {
			if _, err := fmt.Fprintln(out, line); err != nil {
				return nil, err
			}
		}
		if m == nil {
			continue
		}
		v := found[m[1]]
		if v == nil {
			v = new(verdict)
			found[m[1]] = v
		}
		v.failed = v.failed || m[2] == "fail"
		if text := strings.TrimSpace(m[3]); !slices.Contains(v.evidence, text) {
			v.evidence = append(v.evidence, text)
		}
	}
	return found, lines.Err()
}
