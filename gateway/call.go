package gateway

import (
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// abandonment is why a call is ended from outside. A larger one overrules a smaller one.
type abandonment uint8

const (
	// notAbandoned is a call that runs.
	notAbandoned abandonment = iota
	// abandonedByClient is a call whose client left.
	abandonedByClient
	// abandonedByShutdown is a call that outlived the drain timeout.
	abandonedByShutdown
)

// call is one request, from acquireCall to its finish, which runs exactly once. It belongs to the goroutine that serves
// the client's connection; abandon alone may be called by others.
type call struct {
	gateway  *Gateway
	snapshot *snapshot
	start    instant

	// mu guards client, abandoned, shown, drains, gone, decided, hedge for others than the call's goroutine, and the attempts' upstream.
	mu sync.Mutex
	// client is the connection that the call answers, nil when the call is over.
	client    *clientConn
	abandoned abandonment
	// shown is what others may know of the call (running.go).
	shown shown
	// drains is whether the upstream is heard to its end when the client has left (drain.go).
	drains bool
	// gone is closed when the call is abandoned while it waits (wait.go), nil when it does not.
	gone chan struct{}
	// admitted is whether the call has a place to give back (admission.go).
	admitted bool
	// bodyHeld is how many bytes the body is counted with.
	bodyHeld int
	// decided is the attempt that won a race.
	decided *attempt

	id      []byte // request id
	key     *apiKey
	route   route
	request codec.Request
	// body is the request's body, nil before it is read and once the answer has begun.
	body *buffer
	// query is the request's query string, without its question mark, or empty.
	query []byte
	// forward are header lines for the upstream that come from the client.
	forward []byte
	// forwardOwn are those that mean something only in the client's own protocol, as the query does.
	forwardOwn []byte
	// hasVersion is whether anthropic-version is among them.
	hasVersion bool
	// scratch is for short texts.
	scratch [256]byte

	// attempt is the one that runs, or the last one: own, or that of the hedge once it has won. begun counts those that began.
	attempt *attempt
	own     attempt
	begun   int
	// hedge is the second attempt beside own, nil when there was none; racing is whether it is not decided which of them the
	// client is answered by. hedgeAfter is when it is due, counted from the start of own, 0 before that is known.
	hedge      *hedge
	racing     bool
	hedgeAfter time.Duration
	tried      candidates
	recall     recall
	stored     storedRequest
	// free is storage for picking a member, placeUntil when the call has waited long enough for a place on a channel,
	// roughTokens what it is counted with in advance (limits.go).
	free        lb.Set
	placeUntil  instant
	roughTokens int64
	keyUse      keyUse
	// pending is what is to be written to the client next.
	pending []byte
	// failure is the best explanation so far of why there is no answer (failure.go).
	failure failure
	// refusal is why a target could not be sent the request at all, told when no other one was tried.
	refusal *llm.Error

	affinity affinityKey

	// estimated is whether the answer is a number of tokens that the gateway counted itself.
	estimated bool

	state callState
	// lastWrite is when the client last got something.
	lastWrite instant

	// transcript is what is kept of the bodies.
	transcript transcript

	outcome outcome.Outcome
}

// callState is how far the answer to the client is. It only grows.
type callState uint8

const (
	// stateOpen means that the status is not decided.
	stateOpen callState = iota
	// stateEarly means that a stream's headers are out, without any event: keep-alives may follow.
	stateEarly
	// stateBegun means that the answer is bound to a target.
	stateBegun
	// stateEnded means that everything the client gets is pending or written.
	stateEnded
)

// route is where a request goes.
type route struct {
	group *group
	// direct is the group of a channel/model route: its one member is made for this call.
	direct       group
	directMember [1]member
}

// largestForward is the largest buffer for forwarded headers that a released call keeps.
const largestForward = 16 << 10

var calls = sync.Pool{New: func() any { return new(call) }}

// acquireCall makes a call for a request on client.
func (g *Gateway) acquireCall(client *clientConn) *call {
	c := calls.Get().(*call)
	c.gateway, c.snapshot, c.start = g, g.snapshot.Load(), now()
	c.id = appendRequestID(c.id[:0], g.requestIDPrefix, g.requestIDs.Add(1))
	c.outcome.Start = time.Now()
	c.attempt, c.own.call = &c.own, c
	c.mu.Lock()
	c.client = client
	c.mu.Unlock()
	client.begin(c)
	g.inFlight.Add(1)
	return c
}

// finish ends the call: it closes what is open, records the outcome and releases the call.
func (c *call) finish() {
	c.mu.Lock()
	client := c.client
	if client == nil {
		panic("BUG: finish called twice")
	}
	c.client, c.shown = nil, shown{}
	c.mu.Unlock()
	client.end()
	g := c.gateway
	defer g.inFlight.Add(-1)

	if c.admitted {
		c.admitted = false
		defer g.admission.leave()
	}

	c.dropBody()
	if c.racing {
		c.stopHedge(c.lose)
	}
	// Deferred like the above, as a place must come back even when ending the call panics.
	held, used := c.attempt.place, llm.Usage{}
	begun := c.outcome.FirstToken > 0 || !c.request.Stream && c.state == stateEnded
	c.attempt.place = place{}
	defer func() { held.giveBack(&used, begun) }()
	due := c.keyDue(begun)
	defer func() { due.settle() }()

	c.endAttempt()
	used = c.outcome.Usage
	c.estimateLost()
	c.outcome.Warnings = string(c.appendWarnings(c.scratch[:0]))
	c.outcome.ID = json.Borrow(c.id)
	c.outcome.Total = c.start.until(now())
	c.bill()
	due.used = c.keyUsed(begun)
	c.transcript.show(&c.outcome)
	g.metrics.record(c)
	if g.options.Ledger != nil {
		g.options.Ledger.Record(&c.outcome)
	}
	c.release()
}

// release resets the call and gives it back to the pool.
func (c *call) release() {
	attempts := c.outcome.Attempts[:0]
	clear(c.outcome.Attempts)
	c.outcome = outcome.Outcome{Attempts: attempts}
	c.request.Reset()
	c.releaseBody()
	c.own.reset()
	if c.hedge != nil {
		c.hedge.release()
		c.hedge = nil
	}
	c.decided, c.racing, c.hedgeAfter = nil, false, 0
	if cap(c.forward)+cap(c.forwardOwn) > largestForward {
		c.forward, c.forwardOwn = nil, nil
	}
	c.forward, c.forwardOwn, c.query = c.forward[:0], c.forwardOwn[:0], c.query[:0]
	c.gateway, c.snapshot, c.key = nil, nil, nil
	c.route = route{}
	c.recall, c.stored = recall{}, storedRequest{}
	c.keyUse = keyUse{}
	c.tried.reset()
	c.affinity = affinityKey{}
	c.placeUntil, c.roughTokens = 0, 0
	c.begun = 0
	c.pending = nil
	c.failure, c.refusal = failure{}, nil
	c.hasVersion, c.estimated = false, false
	c.state, c.abandoned, c.drains = stateOpen, notAbandoned, false
	c.transcript.reset()
	c.lastWrite = 0
	calls.Put(c)
}

// abandon ends the call from outside, if it is still the one that client waits for: the upstream connection is closed,
// and whoever reads from it learns why by ended. A call that drains keeps its connection when its client leaves.
func (c *call) abandon(client *clientConn, why abandonment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != client || c.abandoned >= why {
		return
	}
	if c.abandoned == notAbandoned && c.gone != nil {
		close(c.gone)
	}
	c.abandoned = why
	if why == abandonedByClient && c.drains {
		return
	}
	c.own.cut()
	if c.hedge != nil {
		c.hedge.cut()
	}
}

// ended returns why the call was abandoned, if it was.
func (c *call) ended() abandonment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.abandoned
}

// releaseBody gives the request's body back. Nothing may refer to it afterwards, the request's model included.
func (c *call) releaseBody() {
	releaseBuffer(c.body)
	c.body = nil
	c.dropBody()
}

// requestIDPrefix is what request ids begin with, as the providers' do; requestIDLength is how long they are.
const (
	requestIDPrefix = "req_"
	requestIDLength = len(requestIDPrefix) + 22
)

// appendRequestID appends requestIDPrefix and 22 letters or digits: the process' random prefix and a counter, in base 32.
func appendRequestID(dst []byte, prefix, count uint64) []byte {
	const digits = "0123456789abcdefghijklmnopqrstuv"
	dst = append(dst, requestIDPrefix...)
	for shift := 60; shift >= 0; shift -= 5 {
		dst = append(dst, digits[prefix>>shift&31])
	}
	for shift := 40; shift >= 0; shift -= 5 {
		dst = append(dst, digits[count>>shift&31])
	}
	return dst
}

var _ fasthttp.BodyWriterTo = (*call)(nil)
