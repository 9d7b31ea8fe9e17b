package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"octopus/admin/store"
	"octopus/gateway/config"
)

// configuration is what is configured: in the database and, compiled, in the parts that act on it. Its methods may be called
// by any number of goroutines at once.
type configuration struct {
	store *store.Store
	// use makes a configuration the one in use, or returns an error and leaves the old one.
	use func(*config.Config) error
	// mu is held during a change: there is one at a time.
	mu sync.Mutex
	// inUse is what get returns. Written with mu held.
	inUse atomic.Pointer[config.Config]
}

// openConfiguration takes the configuration of the database into use.
func openConfiguration(s *store.Store, use func(*config.Config) error) (*configuration, error) {
	current, err := s.LoadConfig()
	if err != nil {
		return nil, err
	}
	if err := use(current); err != nil {
		return nil, fmt.Errorf("configuration in the database: %w", err)
	}
	c := &configuration{store: s, use: use}
	c.inUse.Store(current)
	return c, nil
}

// get returns the configuration in use, which is read only.
func (c *configuration) get() *config.Config { return c.inUse.Load() }

// change makes what edit makes of the current configuration the one in use and in the database. An error of edit, or of those
// two, changes nothing. changed is false, and nothing was written, when edit returns false.
func (c *configuration) change(edit func(*config.Config) (*config.Config, bool, error)) (next *config.Config, changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	current := c.get()
	next, changed, err = edit(current)
	if err != nil || !changed {
		return current, false, err
	}
	if err := c.use(next); err != nil {
		return current, false, err
	}
	if err := c.store.SaveConfig(next); err != nil {
		// What is not on disk is not in use either, or a restart would change it back without a word.
		return current, false, errors.Join(err, c.use(current))
	}
	c.inUse.Store(next)
	return next, true, nil
}
