package prices

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/dial"
)

const (
	// firstSync is the longest wait before the first sync after a start: replicas that start together don't ask together.
	firstSync = 30 * time.Second
	// firstRetry is the wait after a failed sync. It doubles with each further one, up to the interval.
	firstRetry = time.Minute
	// maxETag is the longest entity tag that is kept.
	maxETag = 256
)

// Options are what a Sync is made with.
type Options struct {
	// Dialer connects to the catalog's server. Nil means one with default options.
	Dialer *dial.Dialer
	// Logger is told of each change of state: a new catalog, the first failure after a success. Nil means slog.Default.
	Logger *slog.Logger
	// Swapped is told a new catalog, after Catalog returns it, from the goroutine that fetched it. Nil means that nobody is.
	Swapped func(*Catalog)
	// Keep stores a document that was good, and its entity tag, for Restore. It borrows the document. Nil means nowhere.
	Keep func(document []byte, etag string) error
}

// Settings say whence and how often.
type Settings struct {
	// URL is where the catalog is; empty means nowhere.
	URL string
	// Proxy is what leads there: a URL with scheme http, https or socks5, or empty for none.
	Proxy config.Secret
	// Interval is the time between two syncs, varied by a tenth. Zero means that only Now syncs.
	Interval time.Duration
}

// Status is how the last sync went.
type Status struct {
	// Source is the current catalog's; Models says how many models it has, Refused how many entries made no sense.
	Source          string
	Models, Refused int
	// Tried and Succeeded are when a sync was last begun and last went well, zero for never.
	Tried, Succeeded time.Time
	// Err is why the last sync failed, empty when it did not.
	Err string
}

// Sync keeps a catalog up to date. Make it with New. Its methods may be called at any time from any goroutine.
type Sync struct {
	options Options
	// fetch is package fetch, or a test's.
	fetch func(ctx context.Context, from Settings, etag string) (document, error)
	// current is written by syncs and Restore, read by everyone; readers may see the previous one for a moment.
	current atomic.Pointer[Catalog]
	// changed wakes Run when the settings change. It holds one signal.
	changed chan struct{}
	// syncing is held during a sync: one at a time.
	syncing sync.Mutex
	// mu guards what stands below it.
	mu       sync.Mutex
	settings Settings
	status   Status
	failures int
}

// New returns a Sync that has the built-in catalog and fetches nothing before Configure and Run, or Now.
func New(o Options) *Sync {
	if o.Dialer == nil {
		o.Dialer = dial.New(dial.Options{})
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Sync{options: o, changed: make(chan struct{}, 1)}
	s.fetch = func(ctx context.Context, from Settings, etag string) (document, error) {
		return fetch(ctx, o.Dialer, from, etag)
	}
	s.current.Store(Builtin())
	return s
}

// Catalog returns the current catalog.
func (s *Sync) Catalog() *Catalog { return s.current.Load() }

// Restore makes a document that Keep stored the current catalog. An error leaves things as they are.
func (s *Sync) Restore(document []byte, etag string) error {
	c, err := Parse(document)
	if err != nil {
		return err
	}
	c.ETag = etag
	s.current.Store(c)
	return nil
}

// Configure changes the settings. Run acts on them at once.
func (s *Sync) Configure(to Settings) {
	s.mu.Lock()
	same := s.settings == to
	s.settings = to
	s.mu.Unlock()
	if !same {
		select {
		case s.changed <- struct{}{}:
		default: // a signal is waiting already
		}
	}
}

// Run syncs until ctx ends, whose error it returns.
func (s *Sync) Run(ctx context.Context) error {
	wait := rand.N(firstSync)
	for {
		settings := s.configured()
		timer := time.NewTimer(wait)
		if settings.Interval == 0 || settings.URL == "" {
			timer.Stop() // until the settings change
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-s.changed:
			timer.Stop()
			wait = rand.N(firstSync)
		case <-timer.C:
			_, err := s.Now(ctx)
			wait = s.next(settings.Interval, err)
		}
	}
}

// next returns the wait before the next sync.
func (s *Sync) next(interval time.Duration, err error) time.Duration {
	if err != nil {
		s.mu.Lock()
		failures := s.failures
		s.mu.Unlock()
		interval = min(interval, firstRetry<<min(failures-1, 20))
	}
	return interval - interval/10 + rand.N(interval/5+1)
}

func (s *Sync) configured() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Now syncs at once. An error means that the catalog is as it was; the next one may come from anywhere in the chain of
// fetching, reading and storing.
func (s *Sync) Now(ctx context.Context) (Status, error) {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	settings := s.configured()
	s.mu.Lock()
	s.status.Tried = time.Now()
	s.mu.Unlock()
	swapped, err := s.sync(ctx, settings)
	s.mu.Lock()
	first := err != nil && s.failures == 0
	if err != nil {
		s.failures++
		s.status.Err = err.Error()
	} else {
		s.failures = 0
		s.status.Err, s.status.Succeeded = "", time.Now()
	}
	s.mu.Unlock()
	switch {
	case first && ctx.Err() == nil:
		s.options.Logger.Warn("price sync failed, the last good catalog stays", "err", err)
	case swapped != nil:
		s.options.Logger.Info("price catalog replaced", "models", swapped.Len(), "refused", swapped.Refused)
		if s.options.Swapped != nil {
			s.options.Swapped(swapped)
		}
	}
	return s.Status(), err
}

// sync fetches the catalog and makes it the current one, unless that is what it is.
func (s *Sync) sync(ctx context.Context, from Settings) (*Catalog, error) {
	old := s.Catalog()
	d, err := s.fetch(ctx, from, old.ETag)
	if err != nil || d.body == nil {
		return nil, err
	}
	c, err := Parse(d.body)
	if err != nil {
		return nil, err
	}
	if len(d.etag) <= maxETag {
		c.ETag = d.etag
	}
	s.current.Store(c)
	if s.options.Keep != nil {
		if err := s.options.Keep(d.body, c.ETag); err != nil {
			s.options.Logger.Error("the price catalog could not be stored; it will be fetched again after a restart", "err", err)
		}
	}
	return c, nil
}

// Status returns how things stand.
func (s *Sync) Status() Status {
	c := s.Catalog()
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Source, status.Models, status.Refused = c.Source, c.Len(), c.Refused
	return status
}
