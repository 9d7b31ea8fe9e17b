package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Names of targets, in the order in which they are measured.
const (
	direct     = "direct"
	floor      = "fasthttp"
	octopusWay = "octopus"
)

var targetNames = []string{direct, floor, octopusWay}

// idleTime is how long a process is left alone before it is asked what it holds.
const idleTime = 500 * time.Millisecond

// stage is the processes of one scenario, and the ways through them.
type stage struct {
	provider *child
	children []*child
	targets  []*target
}

// openStage starts the provider with that script and a gateway for each target of o. Each has served no request yet. The
// caller closes the stage, unless there is an error.
func openStage(ctx context.Context, o *options, script string) (_ *stage, err error) {
	s := &stage{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	var provider string
	if s.provider, provider, err = s.start(ctx, o, "provider", "provider", script); err != nil {
		return nil, err
	}
	for _, name := range targetNames {
		if !slices.Contains(o.targets, name) {
			continue
		}
		t := &target{name: name, address: provider, upstream: provider, provider: s.provider.process()}
		switch name {
		case floor:
			var c *child
			if c, t.address, err = s.start(ctx, o, name, "fasthttp", provider, o.dialect.name); err != nil {
				return nil, err
			}
			t.gateway = c.process()
		case octopusWay:
			running, err := startOctopus(ctx, o.binary, o.dir, provider, o.upstream)
			if err != nil {
				return nil, err
			}
			s.children = append(s.children, running.child)
			t.address, t.admin, t.gateway, t.ready = running.data, running.admin, running.server, running.readyAfter
		}
		s.targets = append(s.targets, t)
	}
	if err := pause(ctx, idleTime); err != nil {
		return nil, err
	}
	for _, t := range s.targets {
		if t.gateway == 0 {
			continue
		}
		if t.idle, err = t.gateway.memory(); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return s, nil
}

// start runs a role that listens, and returns its address.
func (s *stage) start(ctx context.Context, o *options, name string, role ...string) (*child, string, error) {
	c, err := startChild(name, o.dir, role...)
	if err != nil {
		return nil, "", err
	}
	s.children = append(s.children, c)
	address, err := c.await(ctx, listeningLine)
	return c, address, err
}

// close stops all processes, gateways first.
func (s *stage) close() {
	for _, c := range slices.Backward(s.children) {
		c.stop()
	}
}
