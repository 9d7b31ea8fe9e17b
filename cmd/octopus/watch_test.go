package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"octopus/gateway/config"
)

// watched is a configFile under test. Its file is real, its clock is the bubble's.
type watched struct {
	*configFile
	now chan struct{}
	// mu guards groups and text.
	mu sync.Mutex
	// groups holds the names of the groups of each configuration that was applied.
	groups []string
	text   []byte
}

// Write takes what is logged.
func (w *watched) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, line...)
	return len(line), nil
}

// logged returns what was logged so far.
func (w *watched) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}

// groupFile is a file with one group. Names of different length make files of different size, so that no two states
// look alike however fast they follow each other.
func groupFile(name string) string { return "groups: [{name: " + name + "}]\n" }

// watch loads a file with that content and watches it until the test ends. It must be called in a bubble.
func watch(t *testing.T, path, content string) *watched {
	t.Helper()
	w := &watched{now: make(chan struct{}, 1)}
	use := func(c *config.Config) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, g := range c.Groups {
			if g.Name == "refused-by-the-gateway" {
				return errors.New("the gateway refuses it")
			}
			w.groups = append(w.groups, g.Name)
		}
		return nil
	}
	current := config.Empty()
	w.configFile = &configFile{path: path, log: slog.New(slog.NewTextHandler(w, nil)),
		change: func(edit func(*config.Config) (*config.Config, bool, error)) (*config.Config, bool, error) {
			next, changed, err := edit(current)
			if err == nil && changed {
				err = use(next)
			}
			if err != nil || !changed {
				return current, false, err
			}
			current = next
			return next, true, nil
		}}
	put(t, path, content)
	if changed, err := w.load(); err != nil || !changed {
		t.Fatalf("load: %v, %v", changed, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		w.watch(ctx, w.now)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return w
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pass lets that much time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *watched) check(t *testing.T, when string, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.groups, want) {
		t.Errorf("%s: applied %v, want %v; log:\n%s", when, w.groups, want, w.text)
	}
}

func TestChangedFileIsAppliedWhenStill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "octopus.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path, groupFile("a"))
		pass(time.Minute)
		w.check(t, "unchanged", "a")

		put(t, path, groupFile("bb"))
		pass(watchStillness)
		w.check(t, "changed less than a second ago", "a")
		pass(watchInterval)
		w.check(t, "still for a second", "a", "bb")
		pass(time.Minute)
		w.check(t, "applied once", "a", "bb")
	})
}

func TestFileThatKeepsChangingIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "octopus.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path, groupFile("a"))
		// Someone writes a long file bit by bit: each state alone is broken.
		text := "groups:\n"
		for range 10 {
			text += "  - {name: "
			put(t, path, text)
			pass(700 * time.Millisecond)
			text += "g" + strings.Repeat("g", len(text)) + "}\n"
		}
		w.check(t, "while it is written", "a")
		if log := w.logged(); strings.Contains(log, "ERROR") {
			t.Errorf("a half-written file was read:\n%s", log)
		}
		put(t, path, groupFile("whole"))
		pass(2 * time.Second)
		w.check(t, "written", "a", "whole")
	})
}

func TestBadFileKeepsTheOldConfigurationAndSaysSoOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "octopus.yaml")
	for name, bad := range map[string]struct{ content, want string }{
		"unknown field":          {"groups:\n  - name: a\n    colour: blue\n", "octopus.yaml:3: "},
		"no YAML":                {"groups:\n  - name: [\n", "octopus.yaml:"},
		"of a newer version":     {"groups: [{name: a}]\nworkflows: []\n", "octopus.yaml:2: "},
		"value out of range":     {"groups:\n  - name: a\n    policy:\n      attempts: 9000\n", "octopus.yaml:4: "},
		"refused by the gateway": {groupFile("refused-by-the-gateway"), "octopus.yaml: the gateway refuses it"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, path, groupFile("a"))
				put(t, path, bad.content)
				pass(time.Minute)
				w.check(t, "bad", "a")
				log := w.logged()
				if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, bad.want) {
					t.Errorf("log:\n%swant one error with %q", log, bad.want)
				}
				put(t, path, groupFile("good-again"))
				pass(2 * time.Second)
				w.check(t, "good again", "a", "good-again")
			})
		})
	}
}

func TestFileThatIsGoneKeepsTheOldConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "octopus.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path, groupFile("a"))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		w.check(t, "gone", "a")
		if log := w.logged(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, path) {
			t.Errorf("log:\n%swant one error that names the file", log)
		}
		put(t, path, groupFile("bb"))
		pass(2 * time.Second)
		w.check(t, "back", "a", "bb")
	})
}

func TestSwappedLinkIsAChange(t *testing.T) {
	// How Kubernetes changes a ConfigMap: the folder behind a link is another one, the time of the file may be older.
	dir := t.TempDir()
	for _, version := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "2", "octopus.yaml"), groupFile("b"))
	link := filepath.Join(dir, "current")
	if err := os.Symlink("1", link); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, filepath.Join(link, "octopus.yaml"), groupFile("a"))
		if err := os.Symlink("2", link+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+".new", link); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		w.check(t, "swapped", "a", "b")
	})
}

func TestReloadDoesNotWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "octopus.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path, groupFile("a"))
		put(t, path, groupFile("bb"))
		w.now <- struct{}{}
		synctest.Wait()
		w.check(t, "asked for", "a", "bb")
		w.now <- struct{}{}
		pass(time.Minute)
		w.check(t, "asked for again", "a", "bb")
		if log := w.logged(); strings.Count(log, "configuration unchanged") != 1 {
			t.Errorf("log:\n%swant one line about the unchanged file", log)
		}
	})
}

func TestLocated(t *testing.T) {
	first := &config.FieldError{Line: 12, Path: "groups[0].name", Message: "is empty"}
	second := &config.FieldError{Line: 15, Message: "is odd"}
	for _, test := range []struct {
		err  error
		want string
	}{
		{first, "f.yaml:12: groups[0].name: is empty"},
		{config.FieldErrors{first, second}, "f.yaml:12: groups[0].name: is empty; line 15: is odd"},
		{&config.FieldError{Path: "groups", Message: "is empty"}, "f.yaml: groups: is empty"},
		{errors.New("line noise"), "f.yaml: line noise"},
	} {
		if got := located("f.yaml", test.err).Error(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestRunningServerKeepsWhatABadFileWouldBreak(t *testing.T) {
	proves(t, "F45", "bad, half-written, newer or missing file, by itself and with SIGHUP: the old configuration serves, the error names file and line")
	provider := startProvider(t)
	good := testConfig(provider, "m")
	path := write(t, "octopus.yaml", good)
	p := start(t, nil, "start", "--config="+path)
	serves := func(model string) {
		t.Helper()
		for _, c := range calls(model, false) {
			if status, body := c.do(t.Context(), p.data); status != 200 {
				t.Errorf("%s for %s: %d %.300s, want 200", c.path, model, status, body)
			}
		}
	}
	refused := func(want string) {
		t.Helper()
		if line := p.waitLog("the old configuration stays", ""); !strings.Contains(line, want) {
			t.Errorf("log %q, want %q in it", line, want)
		}
		serves("m")
	}
	serves("m")

	put(t, path, good+"    colour: blue\n") // seen by itself
	refused("octopus.yaml:14: ")
	p.signal(syscall.SIGHUP)
	refused("octopus.yaml:14: ")
	put(t, path, good[:len(good)/2]) // half written
	p.signal(syscall.SIGHUP)
	refused("octopus.yaml:")
	put(t, path, good+"workflows: []\n") // of a newer version
	p.signal(syscall.SIGHUP)
	refused("octopus.yaml:14: ")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	refused("octopus.yaml")

	put(t, path, testConfig(provider, "another"))
	p.waitLog("configuration applied", "")
	serves("another")
	if status, body := calls("m", false)[0].do(t.Context(), p.data); status != 404 {
		t.Errorf("the group that is gone: %d %.300s, want 404", status, body)
	}
}

func TestOptionsWithoutEffectAreNamed(t *testing.T) {
	path := write(t, "octopus.yaml", testConfig("http://127.0.0.1:9/v1", "m")+"settings: {model_sync_interval: 1h}\n")
	p := start(t, nil, "start", "--config="+path)
	if log := p.log.all(); !strings.Contains(log, "without effect") {
		t.Errorf("the sync of models is not there yet, and the log does not say so:\n%s", log)
	}
}

func TestRunningStreamOutlivesItsConfiguration(t *testing.T) {
	provider := startProvider(t)
	path := write(t, "octopus.yaml", testConfig(provider, "m"))
	p := start(t, nil, "start", "--config="+path)
	var open []*openStream
	for _, c := range calls("up/scripted!tokens=40,every=50ms", true) {
		s, err := c.open(t.Context(), p.data)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	put(t, path, strings.Replace(testConfig(provider, "another"), testKey, testKey+"-2", 1))
	p.signal(syscall.SIGHUP)
	p.waitLog("configuration applied", "")
	if status, body := calls("another", false)[0].do(t.Context(), p.data); status != 401 {
		t.Errorf("with the key that is gone: %d %.300s, want 401", status, body)
	}
	for _, s := range open {
		text, err := s.rest()
		if fault := s.fault(text, 40); err != nil || fault != "" {
			t.Errorf("%v, %s", err, fault)
		}
	}
}
