package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen before it gives up. It is no part of any promise.
const patience = 20 * time.Second

// binary is the path of the octopus that the tests run. TestMain builds it.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "octopus-test-")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "octopus")
	args := []string{"build", "-o", binary, "-ldflags", "-X main.version=v0.0.0-test"}
	if underRaceDetector() {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		log.Printf("go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// underRaceDetector reports whether the tests run with -race. The binary is then built with it too.
func underRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// octopus returns the binary with args, and with env as the only OCTOPUS variables.
func octopus(env []string, args ...string) *exec.Cmd {
	command := exec.Command(binary, args...)
	// The race detector would have each process wait a second before it ends.
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GORACE=atexit_sleep_ms=0"}, env...)
	return command
}

// result is what a command that ended left behind.
type result struct {
	code           int
	stdout, stderr string
}

// runToEnd runs the binary until it ends by itself.
func runToEnd(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := octopus(env, args...)
	command.Dir, command.Stdout, command.Stderr = t.TempDir(), &stdout, &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(patience, func() { command.Process.Kill() })
	err := command.Wait()
	if !stuck.Stop() {
		t.Fatalf("octopus %s did not end; stderr:\n%s", strings.Join(args, " "), stderr.String())
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a running octopus.
type process struct {
	t *testing.T
	*exec.Cmd
	// data and admin are the addresses that its log names.
	data, admin string
	stdout      *lines
	log         *lines
	// exited is closed when the process has ended.
	exited chan struct{}
}

// start runs the binary and returns when both ports listen. Free ports are chosen unless args say otherwise. At the end
// of the test the process is killed if it still runs, and the test fails if the race detector spoke.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, Cmd: octopus(env, args...), stdout: newLines(), log: newLines(), exited: make(chan struct{})}
	p.Dir = t.TempDir() // where its database is, unless args say otherwise
	p.Env = append([]string{"OCTOPUS_SERVER_HOST=127.0.0.1", "OCTOPUS_SERVER_PORT=0", "OCTOPUS_ADMIN_PORT=0"}, p.Env...)
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.stdout.read(stdout) })
	reading.Go(func() { p.log.read(stderr) })
	go func() {
		reading.Wait()
		_ = p.Wait() // The state tells more than the error.
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.exited
		if log := p.log.all(); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic") {
			t.Errorf("the process logged:\n%s", log)
		}
	})
	p.data = p.waitLog("data port listening", "addr")
	p.admin = p.waitLog("admin port listening", "addr")
	return p
}

// waitLog waits for the next log line that contains text and returns the value of key in it, or the line when key is empty.
func (p *process) waitLog(text, key string) string {
	p.t.Helper()
	line, ok := p.log.wait(text)
	if !ok {
		p.t.Fatalf("no further log line with %q; log:\n%s", text, p.log.all())
	}
	if key == "" {
		return line
	}
	for _, field := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" {},", r) }) {
		for _, form := range []string{key + "=", `"` + key + `":`} {
			if value, ok := strings.CutPrefix(field, form); ok {
				return strings.Trim(value, `"`)
			}
		}
	}
	p.t.Fatalf("no %s in %q", key, line)
	return ""
}

// signal sends sig to the process.
func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// exitCode waits for the process to end.
func (p *process) exitCode() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("the process did not end; log:\n%s", p.log.all())
		return 0
	}
}

// get asks the process, over a connection of its own, and returns status and body. Any error is status 0.
func get(url string, header ...string) (status int, body string) {
	response, err := ask(context.Background(), "GET", url, "", header...)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// ask sends one request over a connection of its own. Headers are given as "Name: value".
func ask(ctx context.Context, method, url, body string, header ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	request.Close = true
	return http.DefaultClient.Do(request)
}

// eventually waits until what happens does. It looks often, which is cheaper than a promise from another process.
func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !happens() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// lines collects the lines of a stream and lets one goroutine wait for them in order.
type lines struct {
	// mu guards text, read and ended.
	mu    sync.Mutex
	text  []string
	taken int
	ended bool
	grown chan struct{}
}

func newLines() *lines { return &lines{grown: make(chan struct{}, 1)} }

func (l *lines) read(r io.Reader) {
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		l.mu.Lock()
		l.text = append(l.text, scanner.Text())
		l.mu.Unlock()
		l.wake()
	}
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.wake()
}

func (l *lines) wake() {
	select {
	case l.grown <- struct{}{}:
	default:
	}
}

// wait returns the next line that contains text, which is then behind it, or false when none comes.
func (l *lines) wait(text string) (line string, ok bool) {
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		for i := l.taken; i < len(l.text); i++ {
			if strings.Contains(l.text[i], text) {
				l.taken = i + 1
				line := l.text[i]
				l.mu.Unlock()
				return line, true
			}
		}
		ended := l.ended
		l.mu.Unlock()
		if ended {
			return "", false
		}
		select {
		case <-l.grown:
		case <-deadline:
			return "", false
		}
	}
}

// all returns everything read so far.
func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "\n")
}

// write makes a file with that content in a directory of the test's own and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// proves prints the line of one row of faults.md when the test is over: pass, or fail, and what was shown. It is to be
// called first, so that the clean-up of what the test starts counts as well.
func proves(t *testing.T, row, evidence string) {
	t.Helper()
	t.Cleanup(func() {
		verdict := "pass"
		if t.Failed() {
			verdict = "fail"
		}
		fmt.Printf("%s %s %s\n", row, verdict, evidence)
	})
}
