package gatewaytest

import (
	"bytes"
	"context"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// End is how an exchange ended. The zero value is EndRunning.
type End uint8

// How exchanges end.
const (
	// EndRunning is an exchange that is not over.
	EndRunning End = iota
	// EndComplete is an answer that went out as the script wanted it, up to the last byte.
	EndComplete
	// EndLeft is a client that closed the connection, or its writing half, before that.
	EndLeft
	// EndCut is a connection that the script closed or reset.
	EndCut
	// EndClosed is a connection that Provider.Close closed.
	EndClosed
)

// String returns running, complete, left, cut or closed.
func (e End) String() string {
	switch e {
	case EndComplete:
		return "complete"
	case EndLeft:
		return "left"
	case EndCut:
		return "cut"
	case EndClosed:
		return "closed"
	}
	return "running"
}

// Exchange is one request and what became of it. It is a copy; only Header and Body are shared, and never written to.
type Exchange struct {
	// Number counts requests from 1 since Start.
	Number int
	// Connection counts connections from 1 since Start: equal numbers mean that a connection was used again.
	Connection int
	// Time is when the request had been read.
	Time time.Time
	// Protocol is that of the path, 0 for models and unknown paths.
	Protocol llm.Protocol
	// Method, Path and Query are as sent, the query without its question mark.
	Method, Path, Query string
	// Header has canonical names.
	Header textproto.MIMEHeader
	Body   []byte
	// Credential is the API key, without "Bearer" and without directives.
	Credential string
	// Model is as sent, with its directives.
	Model string
	// Stream says that a stream was asked for.
	Stream bool
	// Mishap is the fault that the directive mishap chose for this request, as directives; empty for none.
	Mishap string
	// Usage is what the answer reports, or would if the script let it. It is zero, with Knowledge Unknown, for other calls
	// and for requests that are refused as wrong.
	Usage llm.Usage

	// Status is what was answered, 0 while nothing was.
	Status int
	// Tokens is how many tokens of a stream were written.
	Tokens int
	// Written is how many bytes were written, headers included.
	Written int64
	// End is how it ended, and Ended when: for EndLeft, when the provider saw it, which while it waits is at once.
	End   End
	Ended time.Time
}

// Arrived returns a condition for Provider.Wait: at least n requests have been received.
func Arrived(n int) func([]Exchange) bool {
	return func(log []Exchange) bool { return len(log) >= n }
}

// Ended returns a condition for Provider.Wait: at least n exchanges are over.
func Ended(n int) func([]Exchange) bool {
	return func(log []Exchange) bool {
		over := 0
		for i := range log {
			if log[i].End != EndRunning {
				over++
			}
		}
		return over >= n
	}
}

// journal is the provider's memory.
type journal struct {
	now func() time.Time

	// mu guards all below, and the status and end of records.
	mu      sync.Mutex
	records []*record
	// changed is closed, and forgotten, at the next change; nil while nobody waits.
	changed chan struct{}
}

// record is an entry of the journal. A nil record ignores everything.
type record struct {
	journal *journal
	// exchange is immutable from begin or asked on, but for Status, End and Ended, which journal.mu guards.
	exchange Exchange
	// written and tokens are added to by the connection's goroutine.
	written, tokens atomic.Int64
}

// begin adds a request.
func (j *journal) begin(ctx *fasthttp.RequestCtx, number int, connection int) *record {
	uri := ctx.Request.URI()
	r := &record{journal: j, exchange: Exchange{
		Number:     number,
		Connection: connection,
		Time:       j.now(),
		Method:     string(ctx.Method()),
		Path:       string(uri.PathOriginal()),
		Query:      string(uri.QueryString()),
		Header:     textproto.MIMEHeader{},
		Body:       bytes.Clone(ctx.PostBody()),
	}}
	for key, value := range ctx.Request.Header.All() {
		r.exchange.Header.Add(string(key), string(value))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	j.tell()
	return r
}

// update changes what the journal shows of the exchange.
func (r *record) update(change func(*Exchange)) {
	if r == nil {
		return
	}
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	change(&r.exchange)
	r.journal.tell()
}

func (r *record) end(end End) {
	r.update(func(e *Exchange) { e.End, e.Ended = end, r.journal.now() })
}

func (r *record) wrote(n int) {
	if r != nil {
		r.written.Add(int64(n))
	}
}

func (r *record) sent(tokens int) {
	if r != nil {
		r.tokens.Store(int64(tokens))
	}
}

// tell wakes those who wait. The caller holds mu.
func (j *journal) tell() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// poke wakes those who wait for something else than records.
func (j *journal) poke() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell()
}

// look returns a copy of the log and a channel that is closed at the next change.
func (j *journal) look() ([]Exchange, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	log := make([]Exchange, len(j.records))
	for i, r := range j.records {
		log[i] = r.exchange
		log[i].Written = r.written.Load()
		log[i].Tokens = int(r.tokens.Load())
	}
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return log, j.changed
}

// wait blocks until done says true.
func (j *journal) wait(ctx context.Context, done func([]Exchange) bool) ([]Exchange, error) {
	for {
		log, changed := j.look()
		if done(log) {
			return log, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return log, ctx.Err()
		}
	}
}

func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = nil
	j.tell()
}
