package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// startTimeout bounds the wait for a line that a child prints when it has started.
	startTimeout = 15 * time.Second
	// stopTimeout is how long a child may take to end by itself when its stdin has ended.
	stopTimeout = 5 * time.Second
	// keptLines is how many lines of a child's output are kept: the first ones, where addresses and errors are.
	keptLines = 100
)

// child is a process in a role. Make it with startChild; stop it on every path.
type child struct {
	name    string
	command *exec.Cmd
	stdin   io.Closer
	output  *output
	// exited is closed when the process has ended.
	exited chan struct{}
}

// startChild runs this program in a role, with dir as its working directory. Variables of Octopus's own stay behind.
func startChild(name, dir string, role ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{
		name:    name,
		command: exec.Command(self, append([]string{roleArgument}, role...)...),
		output:  newOutput(),
		exited:  make(chan struct{}),
	}
	c.command.Dir = dir
	c.command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "OCTOPUS_") })
	c.command.Stdout, c.command.Stderr = c.output, c.output
	c.command.WaitDelay = stopTimeout
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = c.command.Wait() // what it printed tells more
		close(c.exited)
	}()
	return c, nil
}

// process returns the child's process.
func (c *child) process() process { return process(c.command.Process.Pid) }

// await returns what stands behind mark in the first line that has it.
func (c *child) await(ctx context.Context, mark string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		lines, grown := c.output.look()
		for _, line := range lines {
			if _, behind, found := strings.Cut(line, mark); found {
				return behind, nil
			}
		}
		var why string
		select {
		case <-grown:
			continue
		case <-c.exited:
			why = "ended"
		case <-ctx.Done():
			why = ctx.Err().Error()
		}
		return "", fmt.Errorf("%s did not say %q: %s; it printed:\n%s", c.name, mark, why, strings.Join(lines, "\n"))
	}
}

// stop ends the process and waits until it has ended.
func (c *child) stop() {
	_ = c.stdin.Close()
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		_ = c.command.Process.Kill()
		<-c.exited
	}
}

// output keeps the first lines that a child prints.
type output struct {
	// mu guards what follows.
	mu      sync.Mutex
	lines   []string
	partial []byte
	// grown is closed, and replaced, when a line comes.
	grown chan struct{}
}

func newOutput() *output { return &output{grown: make(chan struct{})} }

// Write takes what the child prints. It never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.lines) >= keptLines {
		return len(p), nil
	}
	o.partial = append(o.partial, p...)
	for {
		line, rest, found := bytes.Cut(o.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		o.lines = append(o.lines, string(line))
		o.partial = rest
		close(o.grown)
		o.grown = make(chan struct{})
	}
}

// look returns the lines so far, and a channel that is closed when there are more.
func (o *output) look() ([]string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clip(o.lines), o.grown
}
