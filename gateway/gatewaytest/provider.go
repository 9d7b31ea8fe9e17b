package gatewaytest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Options configure a provider. The zero value is a plain one on a free port of 127.0.0.1.
type Options struct {
	// Addr is the TCP address to listen on. Empty means 127.0.0.1:0.
	Addr string
	// Prefix is what paths begin with. Empty means /v1.
	Prefix string
	// TLS serves HTTPS with a self-signed certificate for localhost, see CertificatePEM. ExpiredCertificate makes that
	// one which ended a day ago.
	TLS, ExpiredCertificate bool
	// NoLog leaves Requests and Wait without anything to show, and stores no responses. Recording keeps a copy of every
	// request until Reset.
	NoLog bool
	// Validate refuses what the real providers would, judging by the model's name too: unknown fields, wrong types and
	// values, broken conversations, what another provider made, missing headers. What reaches a model that is neither
	// OpenAI's nor Anthropic's by name is held to the protocol only.
	Validate bool
	// Script is what SetScript sets.
	Script string
	// Models is what GET /models lists; any other name is served as well. Empty means scripted-large and scripted-small.
	Models []string
	// Seed makes ids repeatable. Zero means ids that differ from provider to provider.
	Seed uint64
	// Now tells the time of answers and of the log, but not how long silences take. Nil means time.Now.
	Now func() time.Time
}

// Counts are what a provider counts, recorded or not.
type Counts struct {
	// Accepted is connections so far, Open those that are open now.
	Accepted, Open int64
	// Requests is requests so far, Left those whose client left before the answer was complete.
	Requests, Left int64
	// Tokens is how many tokens finished streams have sent.
	Tokens int64
}

// Provider is a running scripted provider. Its methods may be called from any goroutine.
type Provider struct {
	options     Options
	address     net.Addr
	certificate []byte
	tls         *tls.Config
	server      fasthttp.Server
	listener    net.Listener
	served      chan struct{}
	journal     journal
	directives  atomic.Pointer[string]
	shelf       shelf

	// Added to by connections, read by Counts.
	accepted, requests, left, tokens atomic.Int64

	// mu guards conns, closing and struck.
	mu      sync.Mutex
	conns   map[*conn]struct{}
	closing bool
	// struck counts requests that have times=, by model name and directives.
	struck map[string]int
}

// Start makes a provider that listens and serves. The caller closes it.
func Start(o Options) (*Provider, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Prefix == "" {
		o.Prefix = "/v1"
	}
	if len(o.Models) == 0 {
		o.Models = []string{"scripted-large", "scripted-small"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Seed == 0 {
		var random [8]byte
		// Read never fails (https://pkg.go.dev/crypto/rand#Read).
		_, _ = rand.Read(random[:])
		o.Seed = binary.LittleEndian.Uint64(random[:])
	}
	p := &Provider{
		options: o,
		served:  make(chan struct{}),
		journal: journal{now: o.Now},
		conns:   map[*conn]struct{}{},
		struck:  map[string]int{},
	}
	if err := p.SetScript(o.Script); err != nil {
		return nil, err
	}
	if o.TLS {
		certificate, text, err := selfSigned(time.Now(), o.ExpiredCertificate)
		if err != nil {
			return nil, err
		}
		p.certificate = text
		p.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	bound, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("gatewaytest: %w", err)
	}
	p.listener, p.address = bound, bound.Addr()
	p.server = fasthttp.Server{
		Handler:               p.handle,
		NoDefaultServerHeader: true,
		ReadBufferSize:        16 << 10, // the longest header section
		MaxRequestBodySize:    256 << 20,
		Logger:                silence{},
		CloseOnShutdown:       true,
	}
	go func() {
		defer close(p.served)
		// Serve returns when Close closes the listener; its error says just that.
		_ = p.server.Serve(&listener{Listener: bound, provider: p})
	}()
	return p, nil
}

func (p *Provider) handle(ctx *fasthttp.RequestCtx) {
	r := acquireReply(p, ctx.Conn().(*conn))
	r.serve(ctx)
	if !ctx.Response.IsBodyStream() {
		releaseReply(r)
	}
}

// URL returns the base URL that channels and SDKs of OpenAI want, with the prefix: http://127.0.0.1:PORT/v1.
func (p *Provider) URL() string { return p.Origin() + p.options.Prefix }

// Origin returns the URL without the prefix, as Anthropic's SDK wants it: http://127.0.0.1:PORT.
func (p *Provider) Origin() string {
	if p.options.TLS {
		return "https://" + p.address.String()
	}
	return "http://" + p.address.String()
}

// CertificatePEM returns the certificate to trust, nil without Options.TLS.
func (p *Provider) CertificatePEM() []byte { return p.certificate }

// SetScript sets directives for every request from now on, as Options.Script did. An error names the first that is
// wrong; then nothing changes.
func (p *Provider) SetScript(directives string) error {
	s := newScript()
	if err := s.read(directives, false); err != nil {
		return fmt.Errorf("gatewaytest: script %q: %w", directives, err)
	}
	p.directives.Store(&directives)
	return nil
}

func (p *Provider) script() string { return *p.directives.Load() }

// Requests returns what was received so far, oldest first, running exchanges included. It is empty with Options.NoLog.
func (p *Provider) Requests() []Exchange {
	log, _ := p.journal.look()
	return log
}

// Wait blocks until done says true of the log, which it is shown after every change; Arrived and Ended make usual
// conditions. It returns the log, and ctx's error when that ended first.
func (p *Provider) Wait(ctx context.Context, done func([]Exchange) bool) ([]Exchange, error) {
	return p.journal.wait(ctx, done)
}

// WaitOpen blocks until at most n connections are open, or until ctx ends, and returns ctx's error then.
func (p *Provider) WaitOpen(ctx context.Context, n int) error {
	_, err := p.journal.wait(ctx, func([]Exchange) bool { return p.Counts().Open <= int64(n) })
	return err
}

// Counts returns what was counted since Start.
func (p *Provider) Counts() Counts {
	p.mu.Lock()
	open := len(p.conns)
	p.mu.Unlock()
	return Counts{
		Accepted: p.accepted.Load(),
		Open:     int64(open),
		Requests: p.requests.Load(),
		Left:     p.left.Load(),
		Tokens:   p.tokens.Load(),
	}
}

// Reset forgets the log, the stored responses, and that faults with times= have struck. Running exchanges go on unrecorded.
func (p *Provider) Reset() {
	p.journal.reset()
	p.shelf.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.struck)
}

// Close closes the listener and every connection and waits until they are. It may be called again.
func (p *Provider) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closing = true
	for c := range p.conns {
		c.abort()
	}
	p.mu.Unlock()
	<-p.served
	// The error would be Background's.
	_ = p.WaitOpen(context.Background(), 0)
}

func (p *Provider) now() time.Time { return p.options.Now() }

func (p *Provider) mint() mint { return mint(p.options.Seed) }

// strikes counts a request with times= and reports whether its faults are still on.
func (p *Provider) strikes(script string, times int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.struck[script] >= times {
		return false
	}
	p.struck[script]++
	return true
}

// adopt makes an accepted connection one of the provider's.
func (p *Provider) adopt(raw *net.TCPConn) *conn {
	c := &conn{Conn: raw, raw: raw, provider: p, number: int(p.accepted.Add(1))}
	if p.tls != nil {
		c.Conn = tls.Server(raw, p.tls)
	}
	p.mu.Lock()
	p.conns[c] = struct{}{}
	closing := p.closing
	p.mu.Unlock()
	if closing {
		c.abort()
	}
	p.journal.poke()
	return c
}

// forget is adopt's opposite.
func (p *Provider) forget(c *conn) {
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	p.journal.poke()
}

// silence is fasthttp's logger: broken connections are this provider's trade.
type silence struct{}

// Printf prints nothing.
func (silence) Printf(string, ...any) {}
