package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// scriptLimit is how long a script may run.
const scriptLimit = 2 * time.Minute

// script is a running node script.
type script struct {
	*exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer
	output *bufio.Scanner
}

// caseLine is what a script says of one case.
type caseLine struct {
	Name   string
	OK     bool
	Detail string
	// Milliseconds is how long the case took.
	Milliseconds int `json:"ms"`

	// What leave.mjs says: all models that were asked for; and of one case, its model, and when the client left, in
	// milliseconds since 1970.
	Asked []string
	Model string
	Left  int64
}

// startScript runs a script against g.
func startScript(t *testing.T, g *gateway, name string, env ...string) *script {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v: the official SDKs run on node; run make test, which says what to install", err)
	}
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		t.Fatalf("%v: the official SDKs are not installed here; run make test, which installs them", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scriptLimit)
	t.Cleanup(cancel)
	s := &script{Cmd: exec.CommandContext(ctx, node, name+".mjs")}
	s.Env = append(os.Environ(), "OCTOPUS_URL=http://"+g.data, "OCTOPUS_KEY="+apiKey)
	s.Env = append(s.Env, env...)
	s.Stderr = &s.stderr
	stdout, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.stdin, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	s.output = bufio.NewScanner(stdout)
	s.output.Buffer(nil, 16<<20)
	return s
}

// next returns the next line, or false at the end of the script, which must be a good one.
func (s *script) next(t *testing.T) (line caseLine, ok bool) {
	t.Helper()
	if s.output.Scan() {
		if err := json.Unmarshal(s.output.Bytes(), &line); err != nil {
			t.Fatalf("the script printed %q: %v", s.output.Text(), err)
		}
		return line, true
	}
	if err := s.Wait(); err != nil || s.output.Err() != nil {
		t.Errorf("the script ended with %v, %v:\n%s", err, s.output.Err(), s.stderr.String())
	}
	return caseLine{}, false
}

// report makes a subtest of a line.
func (l caseLine) report(t *testing.T) {
	t.Helper()
	t.Run(l.Name, func(t *testing.T) {
		t.Logf("%d ms", l.Milliseconds)
		if !l.OK {
			t.Error(l.Detail)
		}
	})
}

// runScript runs a script to its end, every case a subtest.
func runScript(t *testing.T, g *gateway, name string, env ...string) {
	t.Helper()
	s := startScript(t, g, name, env...)
	cases := 0
	for line, ok := s.next(t); ok; line, ok = s.next(t) {
		line.report(t)
		cases++
	}
	if cases == 0 {
		t.Error("the script ran no case")
	}
}
