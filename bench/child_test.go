package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// started starts a role of this test binary.
func started(t *testing.T, role ...string) *child {
	t.Helper()
	c, err := startChild("child", t.TempDir(), role...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}

func TestChildrenListenAndEnd(t *testing.T) {
	upstream := started(t, "provider", "tokens=5")
	address, err := upstream.await(t.Context(), listeningLine)
	if err != nil {
		t.Fatal(err)
	}
	d := findDialect("messages")
	proxy := started(t, "fasthttp", address, d.name)
	through, err := proxy.await(t.Context(), listeningLine)
	if err != nil {
		t.Fatal(err)
	}
	if w := asking(t, d, address, through, true); w.err != nil {
		t.Error(w.err)
	}
	for _, c := range []*child{proxy, upstream} {
		c.stop()
		if state := c.command.ProcessState; !state.Success() {
			t.Errorf("%v: %v", c.command.Args, state)
		}
	}
}

func TestGuardTakesItsProgramWithIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's /proc")
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	for name, end := range map[string]func(*child){
		"asked to stop":          (*child).stop,
		"the bench's pipe broke": func(c *child) { _ = c.stdin.Close(); <-c.exited },
	} {
		c := started(t, "guard", sleep, "60")
		line, err := c.await(t.Context(), guardingLine)
		if err != nil {
			t.Fatal(err)
		}
		var guarded process
		var at int64
		if _, err := fmt.Sscan(line, &guarded, &at); err != nil {
			t.Fatal(err)
		}
		if age := time.Since(time.Unix(0, at)); age < 0 || age > time.Minute {
			t.Errorf("%s: started %v ago", name, age)
		}
		if _, err := guarded.cpuTime(); err != nil {
			t.Errorf("%s: the program does not run: %v", name, err)
		}
		end(c)
		if _, err := guarded.cpuTime(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the program still runs (%v)", name, err)
		}
	}
}

func TestChildThatFailsSaysWhy(t *testing.T) {
	for want, role := range map[string][]string{
		"unknown role":      {"nobody"},
		"unknown directive": {"provider", "nonsense"},
		"no such file":      {"guard", "/nonexistent/program"},
		"ended by itself":   {"guard", "false"},
	} {
		c := started(t, role...)
		if _, err := c.await(t.Context(), listeningLine); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", role, err, want)
		}
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	c := started(t, "provider", "")
	if _, err := c.await(t.Context(), listeningLine); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.await(ctx, "what it never says"); err == nil {
		t.Error("found what was never said")
	}
}

func TestOutputKeepsTheFirstLines(t *testing.T) {
	o := newOutput()
	_, grown := o.look()
	for i := range keptLines {
		fmt.Fprintf(o, "li")
		fmt.Fprintf(o, "ne %d\n", i)
	}
	select {
	case <-grown:
	default:
		t.Error("nobody was told that lines came")
	}
	fmt.Fprint(o, "one too many\n")
	if lines, _ := o.look(); len(lines) != keptLines || lines[0] != "line 0" || lines[keptLines-1] != "line 99" {
		t.Errorf("got %d lines: %q", len(lines), lines)
	}
}
