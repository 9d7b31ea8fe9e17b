package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"octopus/admin"
	"octopus/admin/stats"
	"octopus/admin/store"
	"octopus/codec/llm"
	"octopus/gateway"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/sync/prices"
)

// adminShutdownTimeout bounds the wait for running requests of the admin port, which are short.
const adminShutdownTimeout = 5 * time.Second

// How long the end of the process waits for what was recorded last: on a disk that is slow, and on one that takes nothing.
const (
	lastWriteTimeout = 15 * time.Second
	fullDiskTimeout  = 3 * time.Second
)

// startCommand runs the gateway and the admin server.
type startCommand struct {
	serverFlags
	databaseFlags
	Config string `placeholder:"FILE" help:"Declarative file, applied at start, on SIGHUP and when it has changed."`
}

// Run serves until SIGTERM or SIGINT.
func (c *startCommand) Run() error {
	s, err := openServer(&c.serverFlags, c.DatabasePath, c.secretKey, listen)
	if err != nil {
		return err
	}
	defer s.close()
	if c.Config == "" {
		if len(s.configuration.get().APIKeys) == 0 {
			s.log.Warn("no configuration, so no API key and no model is known; give a file with --config or OCTOPUS_CONFIG")
		}
		return s.run(nil)
	}
	file := newConfigFile(c.Config, s.configuration, s.log)
	if _, err := file.load(); err != nil {
		return err
	}
	return s.run(file)
}

// secretKey returns the secret key of the database.
func (c *startCommand) secretKey() ([]byte, error) {
	return readSecretKey(c.SecretKey, c.secretKeyFlags.file(&c.databaseFlags))
}

// server is everything one process runs. Make it with openServer, then give the gateway its configuration, then run.
type server struct {
	flags *serverFlags
	log   *slog.Logger
	// stop gets SIGTERM and SIGINT, hangup SIGHUP.
	stop, hangup chan os.Signal
	// data and control are the ports.
	data, control net.Listener
	// certificate is nil without TLS.
	certificate *certificate
	// inFlight is what the log says of the requests at once.
	inFlight slog.Attr
	store    *store.Store
	ledger   *admin.Ledger
	prices   *prices.Sync
	gateway  *gateway.Gateway
	// configuration is that of the database, in use.
	configuration *configuration
	admin         *admin.Server
	// background runs the loops of ledger and prices; endBackground ends them.
	background    sync.WaitGroup
	endBackground context.CancelFunc
	// closing closes the database once.
	closing sync.Once
}

// openServer wires a server in the order that its parts need each other, with the database in a directory and the key that
// seals it. Steps 8 to 10 are run's. On an error nothing stays open.
func openServer(flags *serverFlags, database string, secretKey func() ([]byte, error), listen listenFunc) (_ *server, err error) {
	// 1. Signals: from here on none is lost, and SIGHUP doesn't end the process.
	s := &server{flags: flags, stop: make(chan os.Signal, 2), hangup: make(chan os.Signal, 1)}
	signal.Notify(s.stop, syscall.SIGTERM, os.Interrupt)
	signal.Notify(s.hangup, syscall.SIGHUP)
	s.log = newLogger(os.Stderr, flags.LoggingLevel, flags.LoggingFormat)
	defer func() {
		if err != nil {
			s.close()
		}
	}()

	// 2. Both ports, before anything that takes time: connections wait in the backlog, and a taken port ends the process
	// before it has served or changed anything.
	if s.data, err = listen(flags.ServerHost, flags.ServerPort, defaultServerPort); err != nil {
		return nil, fmt.Errorf("data port (--server-host, --server-port): %w", err)
	}
	if s.control, err = listen(flags.AdminHost, flags.AdminPort, defaultAdminPort); err != nil {
		return nil, fmt.Errorf("admin port (--admin-host, --admin-port): %w", err)
	}

	// 3. The certificate of the data port.
	if flags.TLSCert != "" {
		if s.certificate, err = loadCertificate(flags.TLSCert, flags.TLSKey); err != nil {
			return nil, err
		}
	}

	// 4. The database, and what reads and writes it in the background.
	key, err := secretKey()
	if err != nil {
		return nil, err
	}
	if s.store, err = store.Open(store.Options{Path: database, SecretKey: key, Logger: s.log}); err != nil {
		return nil, err
	}
	if s.ledger, err = admin.NewLedger(s.store, ledgerSettings(config.DefaultSettings()), s.log); err != nil {
		return nil, err
	}
	if s.prices, err = openPrices(s.store, s.log, s.reprice); err != nil {
		return nil, err
	}

	// 5. The gateway, which has no configuration yet.
	proxies := make([]netip.Prefix, len(flags.TrustedProxies))
	for i, p := range flags.TrustedProxies {
		proxies[i] = p.Prefix
	}
	memory, maxInFlight := useMemory(), flags.MaxInFlight
	if maxInFlight == 0 {
		maxInFlight = defaultMaxInFlight(memory)
	}
	s.inFlight = slog.Group("", "max_in_flight", maxInFlight, "memory_mib", memory>>20)
	s.gateway = gateway.New(gateway.Options{
		MaxBodySize:    int(flags.MaxBodySize),
		MaxInFlight:    maxInFlight,
		MaxBodyMemory:  memory / bodyShare,
		SecretKey:      key,
		TrustedProxies: proxies,
		Logger:         s.log,
		Ledger:         s.ledger,
		Catalog:        func() gateway.Catalog { return catalog{s.prices.Catalog()} },
		Spent:          s.spent,
	})

	// 6. The configuration of the database.
	if s.configuration, err = openConfiguration(s.store, s.use); err != nil {
		return nil, err
	}

	// 7. The admin server, which sees the gateway through functions.
	s.admin = admin.New(s.adminOptions())
	return s, nil
}

// use makes a configuration the one in use.
func (s *server) use(c *config.Config) error {
	if err := s.gateway.Apply(c); err != nil {
		return err
	}
	s.ledger.Configure(ledgerSettings(c.Settings))
	s.prices.Configure(prices.Settings{URL: c.Settings.PriceSyncURL, Proxy: c.Settings.Proxy, Interval: c.Settings.PriceSyncInterval})
	return nil
}

// ledgerSettings returns the ledger's part of the settings.
func ledgerSettings(s config.Settings) admin.LedgerSettings {
	return admin.LedgerSettings{SaveInterval: s.StatsSaveInterval, Retention: s.LogRetention, MaxBytes: s.LogMaxSize}
}

// keptPrices is the name under which the last good catalog of prices is kept.
const keptPrices = "prices"

// openPrices returns the syncing of prices, with the last good catalog.
func openPrices(s *store.Store, log *slog.Logger, swapped func(*prices.Catalog)) (*prices.Sync, error) {
	sync := prices.New(prices.Options{Logger: log, Swapped: swapped, Keep: func(document []byte, etag string) error {
		return s.KeepDocument(keptPrices, document, etag)
	}})
	document, etag, err := s.KeptDocument(keptPrices)
	if err != nil {
		return nil, err
	}
	if document != nil {
		if err := sync.Restore(document, etag); err != nil {
			log.Warn("the kept catalog of prices can't be read, the one in the binary serves", "err", err)
		}
	}
	return sync, nil
}

// reprice has the gateway take a new catalog of prices into use.
func (s *server) reprice(*prices.Catalog) {
	if err := s.gateway.Reprice(); err != nil {
		s.log.Error("the new prices are not in use", "err", err)
	}
}

// spent returns what each API key has spent since a time, by id; the zero time is the beginning. What was recorded before is
// counted, and the hour that the time is in as a whole.
func (s *server) spent(since time.Time) (map[string]int64, error) {
	s.ledger.Flush()
	sums := s.ledger.Stats().Totals(stats.ByAPIKey)
	if !since.IsZero() {
		var err error
		sums, err = s.ledger.Stats().Ranking(stats.ByAPIKey, stats.Span{From: since}, func(c *stats.Counters) int64 { return c.CostNanoUSD })
		if err != nil {
			return nil, fmt.Errorf("what API keys have spent: %w", err)
		}
	}
	spent := make(map[string]int64, len(sums))
	for i := range sums {
		spent[sums[i].ID] = sums[i].CostNanoUSD
	}
	return spent, nil
}

// catalog is a catalog of prices as the gateway wants it.
type catalog struct{ of *prices.Catalog }

// Find returns what the catalog says about a model at a host.
func (c catalog) Find(host, model string) (*outcome.Price, llm.Capabilities) {
	m := c.of.Find(host, model)
	if m == nil {
		return nil, llm.Capabilities{}
	}
	return m.Price, llm.Capabilities{ContextWindow: m.ContextWindow, MaxOutput: m.MaxOutput, DefaultOutput: m.DefaultOutput}
}

// writeMetrics writes the metrics of all parts.
func (s *server) writeMetrics(w io.Writer) {
	s.gateway.WriteMetrics(w)
	s.ledger.WriteMetrics(w)
}

// run serves until SIGTERM or SIGINT and then drains. It watches file unless that is nil. When both ports listen it calls
// the announcements.
func (s *server) run(file *configFile, announcements ...func()) error {
	// 8. The loops in the background, and both ports.
	background, end := context.WithCancel(context.Background())
	s.endBackground = end
	s.background.Go(func() { _ = s.ledger.Run(background) })
	s.background.Go(func() { _ = s.prices.Run(background) })
	served := make(chan error, 2)
	go func() { served <- s.gateway.Serve(s.data, s.certificate.config()) }()
	go func() { served <- s.admin.Serve(s.control) }()
	s.log.Info("data port listening", "addr", s.data.Addr().String())
	s.log.Info("admin port listening", "addr", s.control.Addr().String())
	s.log.Info("requests at once", s.inFlight)

	// 9. Watch the file.
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	var reload chan struct{}
	if file != nil {
		reload = make(chan struct{}, 1)
		watching.Go(func() { file.watch(ctx, reload) })
	}
	stopWatching := func() {
		cancel()
		watching.Wait()
	}
	defer stopWatching()
	for _, announce := range announcements {
		announce()
	}

	// 10. Wait for what ends the process.
	for {
		select {
		case <-s.hangup:
			s.reload(reload)
		case got := <-s.stop:
			cancel() // A change that waits for the disk now ends with the database.
			return s.drain(got, served)
		case err := <-served:
			return fmt.Errorf("a port was lost: %w", err)
		}
	}
}

// reload reads the certificate again and has the watcher read the file, whichever there is. file is nil without a watcher.
func (s *server) reload(file chan<- struct{}) {
	if s.certificate == nil && file == nil {
		s.log.Warn("nothing to reload: neither --config nor --tls-cert is given")
		return
	}
	if s.certificate != nil {
		if err := s.certificate.load(); err != nil {
			s.log.Error("the old TLS certificate stays", "err", err)
		} else {
			s.log.Info("TLS certificate loaded", "file", s.certificate.certFile)
		}
	}
	select {
	case file <- struct{}{}:
	default: // There is no watcher, or it has one such wish before it and will read the newest bytes.
	}
}

// drain takes the server down in reverse: the data port says that it is leaving, serves on for the delay, closes and
// waits for running requests; then the admin port, which shows the drain until then, closes. It returns an error when
// requests had to be ended.
func (s *server) drain(got os.Signal, served <-chan error) error {
	s.log.Info("draining", "signal", got.String(), "delay", s.flags.DrainDelay, "timeout", s.flags.DrainTimeout)
	go func() {
		got := <-s.stop
		s.log.Warn("second signal, exiting at once", "signal", got.String())
		os.Exit(1)
	}()
	s.gateway.StartDraining()
	time.Sleep(s.flags.DrainDelay)

	ctx, cancel := context.WithTimeout(context.Background(), s.flags.DrainTimeout)
	defer cancel()
	drained := s.gateway.Shutdown(ctx)

	adminCtx, cancelAdmin := context.WithTimeout(context.Background(), adminShutdownTimeout)
	defer cancelAdmin()
	if err := s.admin.Shutdown(adminCtx); err != nil {
		s.log.Warn("requests on the admin port were cut", "err", err)
	}
	// A signal right after the start can come before Serve has seen its listener; a closed one ends it all the same.
	s.close()
	for range cap(served) {
		if err := <-served; err != nil {
			s.log.Warn("a port closed with an error", "err", err)
		}
	}
	if drained != nil {
		return fmt.Errorf("requests were still running after --drain-timeout %v and were ended: %w", s.flags.DrainTimeout, drained)
	}
	s.log.Info("drained")
	return nil
}

// close closes the ports, writes what is recorded, closes the database, and stops listening for signals. It may be called more
// than once, and on a half-made server.
func (s *server) close() {
	for _, ln := range []net.Listener{s.data, s.control} {
		if ln != nil {
			ln.Close()
		}
	}
	s.closing.Do(s.closeStore)
	signal.Stop(s.stop)
	signal.Stop(s.hangup)
}

// closeStore ends the loops in the background, which write what is recorded, and closes the database.
func (s *server) closeStore() {
	if s.endBackground != nil {
		s.endBackground()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.background.Wait()
		}()
		timeout := lastWriteTimeout
		if s.store.State().Waiting != nil {
			timeout = fullDiskTimeout
		}
		select {
		case <-ended:
		case <-time.After(timeout):
			s.log.Error("the disk does not take what was recorded last")
		}
	}
	if s.store == nil {
		return
	}
	if err := s.store.Close(); err != nil {
		s.log.Error("the database was not closed well", "err", err)
	}
}

// newLogger returns a logger that writes lines of level and above to w, as text or as JSON.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	var options slog.HandlerOptions
	switch level {
	case "debug":
		options.Level = slog.LevelDebug
	case "warn":
		options.Level = slog.LevelWarn
	case "error":
		options.Level = slog.LevelError
	}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &options))
	}
	return slog.New(slog.NewTextHandler(w, &options))
}
