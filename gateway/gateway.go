package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/dial"
	"octopus/gateway/outcome"
)

// Options configure a Gateway. The zero value is usable but for MaxBodySize.
type Options struct {
	// MaxBodySize is the largest request body in bytes, after decoding. It must be positive.
	MaxBodySize int
	// MaxInFlight is how many requests run at once. Those beyond wait a moment, or are refused. Zero means any number.
	MaxInFlight int
	// MaxBodyMemory is how many bytes of request bodies there may be at once, small ones apart. Requests with bodies beyond
	// are refused. Zero means any number.
	MaxBodyMemory int64
	// SecretKey signs the envelopes that opaque reasoning travels in through clients of another protocol. Nil means a key
	// of this process, which opens no envelope of another one.
	SecretKey []byte
	// TrustedProxies lists the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Logger gets what operators must know; nothing per request above debug. Nil means slog.Default.
	Logger *slog.Logger
	// Ledger records outcomes. Nil means nowhere.
	Ledger Ledger
	// Catalog returns the catalog of prices that the next Apply or Reprice compiles. Nil means one that knows nothing.
	Catalog func() Catalog
	// Spent returns what each API key has spent since a time, in nano-USD, by id; the zero time is the beginning. Apply asks it
	// for keys whose budget is new to the process, so that a restart forgets nothing. Nil means that nothing was spent.
	Spent func(since time.Time) (map[string]int64, error)
	// Shared counts what API keys take of their limits. Nil means in this process.
	Shared Shared
	// Memory keeps answers for later requests. Nil means in this process, within settings.response_store.
	Memory Memory
	// Dialer makes the connections to upstreams. Nil means one with default options.
	Dialer *dial.Dialer
}

// Ledger records what happened. It is called once per request, after the last byte, from the goroutine that served it.
type Ledger interface {
	// Record takes o, which is borrowed for the call. It must not wait for I/O.
	Record(o *outcome.Outcome)
}

// Gateway relays requests by a configuration that can be swapped at any time. Make it with New; it has no use as a zero
// value. All methods may be called at any time from any goroutine.
type Gateway struct {
	options Options
	logger  *slog.Logger
	metrics *gatewayMetrics
	// snapshot is what new requests read. Apply writes it; a request loads it once.
	snapshot atomic.Pointer[snapshot]
	// origins live beside snapshots, so that connections survive a change of configuration.
	origins origins
	// health lives beside snapshots as well.
	health health
	// hedges are the goroutines of hedges that run.
	hedges  sync.WaitGroup
	clients clientConns
	memory  Memory
	// fetcher downloads the images of converted requests for channels that want them.
	fetcher fetcher
	// local is memory unless the options named another.
	local   localMemory
	servers servers
	// admission and waiters are where requests wait before they run, and for a channel below its limits.
	admission admission
	waiters   waiters
	// loads live beside snapshots, as what channels were given counts on after a change of configuration.
	loads  loads
	shared Shared
	// accounts are shared unless the options named another.
	accounts accounts
	// draining is set once, by StartDraining.
	draining atomic.Bool
	inFlight atomic.Int64
	// requestIDs counts requests; with the prefix it makes their ids unique.
	requestIDs      atomic.Uint64
	requestIDPrefix uint64
	// applying makes sure that one Apply runs at a time.
	applying sync.Mutex
	// stop ends the sweeper, which closes swept, and dials.
	stop  context.CancelFunc
	swept chan struct{}
}

// New returns a gateway without configuration: until the first Apply it is not ready and answers 503.
func New(o Options) *Gateway {
	if o.MaxBodySize <= 0 {
		panic("BUG: gateway.Options.MaxBodySize must be positive")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	g := &Gateway{options: o, logger: o.Logger, health: newHealth()}
	if g.options.Dialer == nil {
		g.options.Dialer = dial.New(dial.Options{})
	}
	if g.options.Catalog == nil {
		g.options.Catalog = func() Catalog { return emptyCatalog{} }
	}
	dialer := g.options.Dialer
	g.fetcher = fetcher{gateway: g, dial: func(ctx context.Context, a dial.Address, timeout time.Duration) (net.Conn, error) {
		return dialer.DialPublic(ctx, a, timeout)
	}}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
	if g.memory = o.Memory; g.memory == nil {
		g.memory = &g.local
	}
	if g.shared = o.Shared; g.shared == nil {
		g.shared = &g.accounts
	}
	if g.options.SecretKey == nil {
		g.options.SecretKey = make([]byte, 32)
		_, _ = rand.Read(g.options.SecretKey)
	}
	g.admission.limit, g.admission.mostBodies = int64(o.MaxInFlight), o.MaxBodyMemory
	g.requestIDPrefix = binary.LittleEndian.Uint64(seed[:])
	g.metrics = newGatewayMetrics(g)
	ctx, cancel := context.WithCancel(context.Background())
	g.stop, g.swept = cancel, make(chan struct{})
	g.origins.dialing = ctx
	go func() {
		defer close(g.swept)
		g.clients.sweep(ctx)
	}()
	return g
}

// Apply compiles cfg and lets new requests read it; running ones keep what they started with. On an error the old
// configuration stays.
func (g *Gateway) Apply(cfg *config.Config) error {
	g.applying.Lock()
	defer g.applying.Unlock()
	next, err := g.compile(cfg, g.snapshot.Load())
	if err != nil {
		return err
	}
	if o := &g.options; o.Shared == nil {
		if err := g.accounts.open(cfg.APIKeys, o.Spent); err != nil {
			return err
		}
	}
	g.local.limit(cfg.Settings.ResponseStore.TTL, cfg.Settings.ResponseStore.MaxBytes)
	g.options.Dialer.AllowMetadata(cfg.Settings.AllowMetadataAddresses)
	previous := g.snapshot.Swap(next)
	g.origins.keep(next)
	g.loads.keep(next)
	g.accounts.keep(cfg.APIKeys)
	g.health.keep(next)
	g.resetEdited(previous, next)
	return nil
}

// Reprice compiles the configuration in use again, with the prices of the present catalog. They hold for requests that begin
// from now on.
func (g *Gateway) Reprice() error {
	g.applying.Lock()
	defer g.applying.Unlock()
	current := g.snapshot.Load()
	if current == nil {
		return nil
	}
	next, err := g.compile(current.config, current)
	if err != nil {
		return err
	}
	g.snapshot.Store(next)
	g.origins.keep(next)
	return nil
}

// Ready reports whether a configuration is loaded and the gateway is not draining.
func (g *Gateway) Ready() bool { return g.snapshot.Load() != nil && !g.draining.Load() }

// WriteMetrics writes the gateway's metrics in Prometheus' text format.
func (g *Gateway) WriteMetrics(w io.Writer) { g.metrics.write(w) }
