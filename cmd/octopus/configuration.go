package main

import (
	"errors"
	"fmt"
	"sync"

	"octopus/admin/store"
	"octopus/gateway/config"
)

// configuration is what is configured: in the database and, compiled, in the parts that act on it. Its methods may be called
// by any number of goroutines at once.
type configuration struct {
	store *store.Store
	// use makes a configuration the one in use, or returns an error and leaves the old one.
	use func(*config.Config) error
	// mu guards current, and is held during a change: there is one at a time.
	mu      sync.Mutex
	current *config.Config
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
	return &configuration{store: s, use: use, current: current}, nil
}

// change makes what edit makes of the current configuration the one in use and in the database. An error of edit, or of those
// two, changes nothing. changed is false, and nothing was written, when edit returns false.
func (c *configuration) change(edit func(*config.Config) (*config.Config, bool, error)) (next *config.Config, changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, changed, err = edit(c.current)
	if err != nil || !changed {
		return c.current, false, err
	}
	if err := c.use(next); err != nil {
		return c.current, false, err
	}
	if err := c.store.SaveConfig(next); err != nil {
		// What is not on disk is not in use either, or a restart would change it back without a word.
		return c.current, false, errors.Join(err, c.use(c.current))
	}
	c.current = next
	return next, true, nil
}
