package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is a running octopus.
type process struct {
	*exec.Cmd
	// data and admin are the addresses that its log names.
	data, admin string
	log         *lines
	// exited is closed when the process has ended.
	exited chan struct{}
}

// startProcess runs `octopus start` with that declarative file on free ports, and returns when both listen. At the end of
// the test the process is killed, and the test fails if the process panicked.
func startProcess(t *testing.T, file string, args ...string) *process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "octopus.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "start", "--config="+path, "--server-host=127.0.0.1", "--server-port=0", "--admin-port=0")
	command.Args = append(command.Args, args...)
	command.Dir = t.TempDir() // where its database is, unless args say otherwise
	p := &process{Cmd: command, log: newLines(), exited: make(chan struct{})}
	p.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "OCTOPUS_") })
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		p.log.read(stderr)
		_ = p.Wait() // it was killed
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.exited
		if log := p.log.all(); strings.Contains(log, "panic") {
			t.Errorf("the process logged:\n%s", log)
		}
	})
	p.data = p.listening(t, "data port listening")
	p.admin = p.listening(t, "admin port listening")
	return p
}

// listening waits for the log line of a port and returns its address.
func (p *process) listening(t *testing.T, message string) string {
	t.Helper()
	line, ok := p.log.wait(`msg="` + message + `"`)
	if !ok {
		t.Fatalf("no log line %q; log:\n%s", message, p.log.all())
	}
	_, address, _ := strings.Cut(line, "addr=")
	return strings.Trim(address, `"`)
}

// lines collects the lines of a stream.
type lines struct {
	// mu guards text, ended and changed.
	mu    sync.Mutex
	text  []string
	ended bool
	// changed is closed, and replaced, when there is more.
	changed chan struct{}
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

// read collects until r ends.
func (l *lines) read(r io.Reader) {
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		l.add(scanner.Text())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	close(l.changed)
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns the first line that contains text, or false when none comes.
func (l *lines) wait(text string) (line string, ok bool) {
	late := time.After(patience)
	for {
		l.mu.Lock()
		for _, line := range l.text {
			if strings.Contains(line, text) {
				l.mu.Unlock()
				return line, true
			}
		}
		ended, changed := l.ended, l.changed
		l.mu.Unlock()
		if ended {
			return "", false
		}
		select {
		case <-changed:
		case <-late:
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
