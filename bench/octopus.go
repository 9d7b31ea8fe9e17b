package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// buildOctopus builds the binary that is measured, in dir, and returns its path.
func buildOctopus(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "octopus")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "octopus/cmd/octopus")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build octopus/cmd/octopus: %w\n%s", err, out)
	}
	return path, nil
}

// configuration is the declarative file of the Octopus that is measured: one channel at the provider, one group, one API
// key. Everything that is on by default is on.
const configuration = `channels:
  - {name: provider, type: %s, base_url: "http://%s/v1", keys: [%s], models: [%s]}
groups:
  - {name: %s, members: [{channel: provider, model: %s}]}
api_keys:
  - {name: bench, key: %s, groups: ["*"], channels: ["*"]}
`

// octopus is a running Octopus.
type octopus struct {
	// child is its guard.
	*child
	server process
	// data and admin are its addresses.
	data, admin string
	// readyAfter is the time from its start to the first answer that it is ready.
	readyAfter time.Duration
}

// startOctopus runs the binary at path, in a directory of its own below dir, in front of the provider at upstream, and
// returns when it is ready.
func startOctopus(ctx context.Context, path, dir, upstream string, d *dialect) (*octopus, error) {
	own, err := os.MkdirTemp(dir, "run-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(own, "octopus.yaml")
	text := fmt.Sprintf(configuration,
		d.channel, upstream, upstreamKey, upstreamModel, clientModel, upstreamModel, clientKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	guarded, err := startChild("octopus", own, "guard", path, "start", "--config", file,
		"--server-host", "127.0.0.1", "--server-port", "0", "--admin-host", "127.0.0.1", "--admin-port", "0")
	if err != nil {
		return nil, err
	}
	o := &octopus{child: guarded}
	if err := o.awaitReady(ctx); err != nil {
		o.stop()
		return nil, err
	}
	return o, nil
}

// awaitReady waits until the data port says that it is ready.
func (o *octopus) awaitReady(ctx context.Context) error {
	line, err := o.await(ctx, guardingLine)
	if err != nil {
		return err
	}
	var started int64
	if _, err := fmt.Sscan(line, &o.server, &started); err != nil {
		return fmt.Errorf("guard: %q: %w", line, err)
	}
	for _, port := range [...]struct {
		mark    string
		address *string
	}{
		{`msg="data port listening" addr=`, &o.data},
		{`msg="admin port listening" addr=`, &o.admin},
	} {
		if *port.address, err = o.await(ctx, port.mark); err != nil {
			return err
		}
	}
	deadline := time.Now().Add(startTimeout)
	for {
		status, _, err := fetch(ctx, o.data, "/readyz")
		if err == nil && status == 200 {
			o.readyAfter = time.Since(time.Unix(0, started))
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("octopus is not ready: status %d", status), err)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// fetch gets a path over a connection of its own.
func fetch(ctx context.Context, address, path string) (status int, body []byte, err error) {
	c, err := dial(ctx, address, time.Now().Add(patience), wholeBuffer)
	if err != nil {
		return 0, nil, err
	}
	defer c.Close()
	if status, err = c.ask(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, address)); err != nil {
		return 0, nil, err
	}
	body, err = c.all(nil)
	return status, body, err
}

// goroutines returns how many goroutines the Octopus with that admin port has.
func goroutines(ctx context.Context, admin string) (int, error) {
	status, metrics, err := fetch(ctx, admin, "/metrics")
	if err != nil || status != 200 {
		return 0, errors.Join(fmt.Errorf("metrics: status %d", status), err)
	}
	for line := range bytes.Lines(metrics) {
		if value, found := strings.CutPrefix(string(line), "go_goroutines "); found {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, errors.New("metrics: no go_goroutines")
}
