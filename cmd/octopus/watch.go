package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"octopus/gateway/config"
)

const (
	// watchInterval is how often the file is looked at. Asking for its state costs microseconds and, unlike change events,
	// works on every file system and for files behind symbolic links that are swapped, as Kubernetes does.
	watchInterval = 250 * time.Millisecond
	// watchStillness is how long a changed file must stay as it is before it is read, so that no half-written one is.
	watchStillness = time.Second
)

// configFile keeps a configuration in step with the declarative file. It belongs to one goroutine at a time.
type configFile struct {
	path string
	// change makes what its argument makes of the current configuration the one in use, or returns an error and leaves the
	// old one.
	change func(func(*config.Config) (*config.Config, bool, error)) (next *config.Config, changed bool, err error)
	log    *slog.Logger
	// loaded is the state of the file just before it was read last; nil means that there was none.
	loaded os.FileInfo
}

func newConfigFile(path string, c *configuration, log *slog.Logger) *configFile {
	return &configFile{path: path, change: c.change, log: log}
}

// load reads the file and applies it. An equal file changes nothing. On an error, which names the file and the line, the
// old configuration stays.
func (f *configFile) load() (changed bool, err error) {
	// State first, content second: a write in between is seen as a change by the next look.
	f.loaded = fileState(f.path)
	data, err := os.ReadFile(f.path)
	if err != nil {
		return false, err
	}
	file, err := config.ParseFile(data, os.LookupEnv)
	if err != nil {
		return false, located(f.path, err)
	}
	next, changed, err := f.change(file.Apply)
	if err != nil {
		return false, located(f.path, err)
	}
	if !changed {
		return false, nil
	}
	f.log.Info("configuration applied", "file", f.path, "revision", next.Revision,
		"channels", len(next.Channels), "groups", len(next.Groups), "api_keys", len(next.APIKeys))
	if fields := next.WithoutEffect(); len(fields) > 0 {
		f.log.Warn("configured, but without effect in this version", "file", f.path, "fields", strings.Join(fields, ", "))
	}
	return true, nil
}

// watch loads the file whenever it has changed and then been still for watchStillness, and at once for each value on
// now, until ctx ends.
func (f *configFile) watch(ctx context.Context, now <-chan struct{}) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	seen, seenAt := f.loaded, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-now:
			f.reload()
			seen = f.loaded
		case <-ticker.C:
			if state := fileState(f.path); !sameState(state, seen) {
				seen, seenAt = state, time.Now()
			} else if !sameState(seen, f.loaded) && time.Since(seenAt) >= watchStillness {
				f.reload()
				seen = f.loaded
			}
		}
	}
}

// reload is load for a running server: it logs what came of it.
func (f *configFile) reload() {
	changed, err := f.load()
	switch {
	case err != nil:
		f.log.Error("the old configuration stays", "err", oneLine(err.Error()))
	case !changed:
		f.log.Info("configuration unchanged", "file", f.path)
	}
}

// located puts the name of the file before an error about its content, as file:line when that is known.
func located(path string, err error) error {
	var field *config.FieldError
	if errors.As(err, &field) && field.Line > 0 {
		// The text begins with the line of the first field; further ones keep theirs.
		if text, ok := strings.CutPrefix(err.Error(), "line "); ok {
			return fmt.Errorf("%s:%s", path, text)
		}
	}
	return fmt.Errorf("%s: %w", path, err)
}

// fileState returns what tells one state of a file from another, links followed, or nil when there is no such file.
func fileState(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// sameState reports whether a and b are the same file, unwritten in between.
func sameState(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
