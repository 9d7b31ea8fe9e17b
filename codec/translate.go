package codec

import (
	"bytes"

	"octopus/codec/chat"
	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/messages"
	"octopus/codec/responses"
	"octopus/codec/sse"
)

// maxWhole is the largest answer in JSON that is taken in place of an asked-for stream, in bytes.
const maxWhole = 64 << 20

// decoder reads the answers of one protocol.
type decoder interface {
	// Reset makes the decoder ready for an answer within x.
	Reset(x *llm.Exchange)
	// Event reads one event of a stream and hands its steps to out.
	Event(e *sse.Event, out llm.Emitter)
	// End ends a stream without its terminal event; cut tells that the connection broke.
	End(cut bool, out llm.Emitter)
	// Answer reads a whole answer.
	Answer(body []byte, out llm.Emitter)
	// Done reports whether the last step was handed on.
	Done() bool
	// Stopped reports whether the stop reason has come: what may follow it is usage and the terminal event.
	Stopped() bool
	// Skipped returns how many events could not be read.
	Skipped() int
}

// streamWriter writes a stream in one protocol.
type streamWriter interface {
	llm.Emitter
	// Reset makes the writer ready for an answer within x.
	Reset(x *llm.Exchange)
	// Take appends what is written and not taken yet.
	Take(dst []byte) []byte
	// AppendError appends an error event and what ends a stream after it.
	AppendError(dst []byte, e *llm.Error) []byte
}

// answerWriter writes a whole answer in one protocol.
type answerWriter interface {
	llm.Emitter
	Reset(x *llm.Exchange)
	// Append appends the answer, or returns why there is none.
	Append(dst []byte) ([]byte, *llm.Error)
}

// defaultOptions are the options of targets that have none.
var defaultOptions = llm.DefaultOptions()

// dialect is what a protocol brings to a translation.
type dialect struct {
	read       func(body []byte, r *llm.Request) *llm.Error
	write      func(dst []byte, x *llm.Exchange) ([]byte, *llm.Error)
	newDecoder func() decoder
	newStream  func() streamWriter
	newAnswer  func() answerWriter
	// leaveOutForeign notes what must change in a request with envelopes that stays in the protocol.
	leaveOutForeign func(edits json.Edits, body []byte, x *llm.Exchange) json.Edits
}

var dialects = [...]dialect{
	llm.Chat: {
		chat.ReadRequest, chat.AppendRequest,
		func() decoder { return new(chat.Decoder) },
		func() streamWriter { return new(chat.StreamWriter) },
		func() answerWriter { return new(chat.AnswerWriter) },
		chat.LeaveOutForeign,
	},
	llm.Responses: {
		responses.ReadRequest, responses.AppendRequest,
		func() decoder { return new(responses.Decoder) },
		func() streamWriter { return new(responses.StreamWriter) },
		func() answerWriter { return new(responses.AnswerWriter) },
		responses.LeaveOutForeign,
	},
	llm.Messages: {
		messages.ReadRequest, messages.AppendRequest,
		func() decoder { return new(messages.Decoder) },
		func() streamWriter { return new(messages.StreamWriter) },
		func() answerWriter { return new(messages.AnswerWriter) },
		messages.LeaveOutForeign,
	},
}

// translation is the bridge between different protocols: the client's request is read into the neutral form and written
// anew, the upstream's answer is read into steps and written anew. Whole answers and streams take the same steps.
type translation struct {
	client, target llm.Protocol
	decoder        decoder
	stream         streamWriter
	answer         answerWriter

	request  llm.Request
	parsed   bool // request holds the call's request
	exchange llm.Exchange
	warnings llm.Warnings
	// params is the channel's patch; scratch is the request before it, when there is one or a follow-up call may need it.
	params  *Params
	scratch []byte
	// reduced is the output limit of a follow-up call, zero for none, negative when there was one.
	reduced int64

	// previous and input are what the record of a Responses client's answer needs; resolved is its body with the history.
	previous string
	input    []byte
	resolved []byte

	// remotes are the images and documents of the request that stand at an address, nil while nobody wanted to know.
	remotes []remote

	gate   gate
	events sse.Reader
	event  sse.Event
	// whole collects an answer in JSON that came in place of a stream; looked tells that the first byte was looked at.
	whole   []byte
	isWhole bool
	looked  bool
	half    int  // how many events were cut by the end of the stream: none of those that were left out
	count   bool // the answer is a number of tokens
	failure *llm.Error
}

var _ Bridge = (*translation)(nil)

// newTranslation returns a bridge for a pair of protocols.
func newTranslation(client, target llm.Protocol) *translation {
	b := &translation{client: client, target: target, decoder: dialects[target].newDecoder(),
		stream: dialects[client].newStream(), answer: dialects[client].newAnswer()}
	b.exchange.Warnings = &b.warnings
	return b
}

// release drops what b borrowed.
func (b *translation) release() {
	b.request = llm.Request{}
	b.parsed, b.params, b.remotes = false, nil, nil
	names := b.exchange.Names
	names.Reset()
	b.exchange = llm.Exchange{Warnings: &b.warnings, Names: names}
	b.warnings.Reset()
	b.restart()
	if cap(b.scratch) > maxKept {
		b.scratch = nil
	}
	b.event = sse.Event{}
	if cap(b.input)+cap(b.resolved) > maxKept {
		b.input, b.resolved = nil, nil
	}
	b.previous, b.input, b.resolved = "", b.input[:0], b.resolved[:0]
}

// restart forgets the answer that was read.
func (b *translation) restart() {
	b.gate.reset()
	b.reduced = 0
	b.events.Reset()
	if cap(b.whole) > maxKept {
		b.whole = nil
	}
	b.whole, b.isWhole, b.looked, b.half, b.failure = b.whole[:0], false, false, 0, nil
}

// AppendRequest implements Bridge.
func (b *translation) AppendRequest(dst []byte, r *Request, t *Target) ([]byte, error) {
	if !b.parsed {
		if err := r.read(&b.request); err != nil {
			return dst, err
		}
		if b.client == llm.Responses && b.target != llm.Responses {
			if err := b.resolve(r); err != nil {
				return dst, err
			}
		}
		if b.client == llm.Chat && b.target == llm.Messages && r.Recall != nil {
			reattach(&b.request, r.Recall)
		}
		b.parsed = true
	}
	b.count = r.Count
	b.request.Stream = !b.count && (r.Stream || t.AlwaysStream)
	b.restart()
	b.warnings.Reset()
	x := &b.exchange
	x.Names.Reset()
	x.Request, x.Target, x.Model, x.Options = &b.request, t.Protocol, t.Model, t.Options
	if x.Options == nil {
		x.Options = &defaultOptions
	}
	x.Capabilities, x.Sealer = t.Capabilities, t.Sealer
	x.NoOpaque, x.NoStreamOptions = r.Omit&OmitReasoning != 0, r.Omit&OmitStreamOptions != 0
	x.AnswerID, x.AnswerModel, x.Created = r.AnswerID, r.AnswerModel, r.Created
	x.MaxTokensChosen, x.JSONTool, x.StopEnforced = false, "", nil
	if err := b.inline(r); err != nil {
		return dst, err
	}
	x.Choice, x.Choices = 0, 1
	if b.client == llm.Chat && b.target != llm.Chat && x.FansOut() {
		x.Choices = int(b.request.Sampling.N)
	}
	if b.count {
		return b.appendCounting(dst, t)
	}
	b.params = t.Params
	if t.Params == nil {
		start := len(dst)
		body, err := dialects[b.target].write(dst, x)
		if err != nil {
			return dst, err
		}
		if dst = body; b.mayFollow() {
			b.scratch = append(b.scratch[:0], body[start:]...)
		}
	} else {
		body, err := dialects[b.target].write(b.scratch[:0], x)
		if err != nil {
			return dst, err
		}
		b.scratch = body
		dst = t.Params.patch.appendTo(dst, body, json.AppendString(nil, t.Model))
	}
	b.resetDecoder()
	b.stream.Reset(x)
	b.answer.Reset(x)
	b.gate.thoughts.reset(x, b.client)
	b.gate.ordered = b.client == llm.Chat
	b.gate.calls.reset()
	b.gate.enforcer.reset(x.StopEnforced)
	b.gate.request, b.gate.said.exact = &b.request, x.Options.EstimateUsage
	b.gate.announce = x.Options.StreamInputEstimate && r.Stream && b.client == llm.Messages
	return dst, nil
}

// resetDecoder makes the decoder ready for the answer to a call.
func (b *translation) resetDecoder() {
	b.decoder.Reset(&b.exchange)
	if d, ok := b.decoder.(*messages.Decoder); ok {
		d.AllowPause()
	}
}

// resolve puts what a Responses request refers to into it, and keeps what its record needs.
func (b *translation) resolve(r *Request) *llm.Error {
	if r.Recall == nil {
		b.request.Store = new(bool) // nothing is remembered, and the answer says so
		return nil
	}
	if r.Store {
		b.previous = b.request.PreviousResponseID
		b.input = append(b.input[:0], json.Get(r.Body, "input")...)
	}
	if !needsHistory(&b.request) {
		return nil
	}
	body, err := appendResolved(b.resolved[:0], r.Body, b.request.PreviousResponseID, r.Recall)
	b.resolved = body
	if err != nil {
		return err
	}
	echo := b.request.Echo
	if err := responses.ReadRequest(body, &b.request); err != nil {
		return err
	}
	b.request.Echo = echo
	return nil
}

// Remember implements Bridge.
func (b *translation) Remember() Remembered {
	w, ok := b.stream.(*responses.StreamWriter)
	if !ok && b.gate.stopped {
		record, calls := b.gate.thoughts.remembered()
		return Remembered{Calls: calls, Thoughts: record}
	}
	if !ok || len(b.input) == 0 || !b.gate.stopped {
		return Remembered{}
	}
	if b.gate.to == llm.Emitter(b.answer) {
		body, err := b.answer.Append(nil)
		if err != nil {
			return Remembered{}
		}
		return remember(b.input, b.previous, body)
	}
	return remember(b.input, b.previous, w.AppendResponse(nil))
}

// Feed implements Bridge.
func (b *translation) Feed(dst, src []byte) ([]byte, Step) {
	b.failure = nil
	if b.look(src); b.isWhole {
		if len(b.whole)+len(src) > maxWhole {
			return b.fail(dst, &llm.Error{Kind: llm.Upstream, Message: "upstream sent an answer that is too large"})
		}
		b.whole = append(b.whole, src...)
		return dst, Hold
	}
	b.gate.to = b.stream
	b.events.Feed(src)
	for !b.done() && b.events.Next(&b.event) {
		b.decoder.Event(&b.event, &b.gate)
		b.classify(b.event.Data)
	}
	if b.events.Err() != nil && !b.done() {
		return b.fail(b.stream.Take(dst), &llm.Error{Kind: llm.Upstream, Message: "upstream sent an event that is too large"})
	}
	return b.take(dst)
}

// Skipped implements Bridge.
func (b *translation) Skipped() int { return b.decoder.Skipped() - b.half }

// look looks at the first byte of an answer: an upstream that was asked for a stream may send a whole answer all the same.
func (b *translation) look(src []byte) {
	if b.looked {
		return
	}
	rest := bytes.TrimLeft(src, " \t\r\n\xef\xbb\xbf")
	if len(rest) > 0 {
		b.looked, b.isWhole = true, rest[0] == '{' || rest[0] == '[' || rest[0] == '<'
	}
}

// done reports whether nothing that follows counts.
func (b *translation) done() bool { return b.decoder.Done() || b.gate.stopped || b.gate.fault != nil }

// classify gives a fault that an event said the kind that its words mean.
func (b *translation) classify(data []byte) {
	if b.gate.fault == nil {
		return
	}
	if e := readFault(200, data); e.Message != "" {
		b.gate.fault = e
	}
}

// take appends what was written and says what the steps so far mean.
func (b *translation) take(dst []byte) ([]byte, Step) {
	dst = b.stream.Take(dst)
	switch {
	case b.gate.fault != nil:
		return b.fail(dst, b.gate.fault)
	case b.pausing(), b.choosing():
		return dst, Again
	case b.gate.stopped:
		return dst, End
	case b.gate.real:
		return dst, Commit
	}
	return dst, Hold
}

func (b *translation) fail(dst []byte, e *llm.Error) ([]byte, Step) {
	b.failure = e
	return dst, Failed
}

// Finish implements Bridge.
func (b *translation) Finish(dst []byte, cause Cause) ([]byte, Step) {
	b.failure = nil
	b.gate.to = b.stream
	if b.isWhole && cause == EOF {
		b.readWhole(b.whole)
		return b.take(dst)
	}
	if !b.done() && b.events.Rest(&b.event) && b.event.Lines > 0 {
		skipped := b.decoder.Skipped()
		b.decoder.Event(&b.event, &b.gate)
		b.half = b.decoder.Skipped() - skipped
		b.classify(b.event.Data)
	}
	b.end(cause != EOF)
	dst, step := b.take(dst)
	switch step {
	case End, Again:
		return dst, step
	case Failed:
		return b.fail(dst, endOf(cause, b.failure))
	}
	return b.fail(dst, endOf(cause, &llm.Error{Kind: llm.Upstream}))
}

// endOf words the failure of a stream that ended for a cause.
func endOf(cause Cause, e *llm.Error) *llm.Error {
	if e.Message != "" && cause == EOF {
		return e
	}
	worded := *e
	switch cause {
	case EOF:
		worded.Message = "upstream closed the stream"
	case Cut:
		worded.Message = "upstream broke the connection"
	case Stalled:
		worded.Kind, worded.Message = llm.Timeout, "upstream was silent for too long"
	case Gone:
		worded.Kind, worded.Message = llm.Internal, "client left before the end of the answer"
	}
	return &worded
}

// readWhole reads an answer that is all here.
func (b *translation) readWhole(body []byte) {
	b.gate.whole = true
	b.decoder.Answer(body, &b.gate)
	b.classify(body)
	b.end(false)
}

// end tells the decoder that nothing follows.
func (b *translation) end(cut bool) {
	if !b.done() && !b.pausing() {
		b.decoder.End(cut, &b.gate)
	}
}

// Answer implements Bridge.
func (b *translation) Answer(dst, body []byte) ([]byte, Step) {
	b.failure = nil
	if b.count {
		return b.answerCount(dst, body)
	}
	b.gate.to = b.answer
	if b.look(body); b.looked && !b.isWhole && bytes.Contains(body, []byte("data:")) {
		// A stream that nobody asked for.
		b.gate.whole = true
		b.events.Feed(body)
		for !b.done() && b.events.Next(&b.event) {
			b.decoder.Event(&b.event, &b.gate)
			b.classify(b.event.Data)
		}
		if !b.done() && b.events.Rest(&b.event) && b.event.Lines > 0 {
			b.decoder.Event(&b.event, &b.gate)
			b.classify(b.event.Data)
		}
		b.end(false)
	} else {
		b.readWhole(body)
	}
	if b.gate.fault != nil {
		return b.fail(dst, b.gate.fault)
	}
	if b.pausing() || b.choosing() {
		return dst, Again
	}
	out, err := b.answer.Append(dst)
	if err != nil {
		return b.fail(dst, err)
	}
	return out, End
}

// Reject implements Bridge.
func (b *translation) Reject(dst []byte, status int, body []byte) ([]byte, *llm.Error) {
	e := readFault(status, body)
	b.reduce(e)
	return AppendErrorBody(dst, b.client, e, ""), e
}

// AppendError implements Bridge.
func (b *translation) AppendError(dst []byte, e *llm.Error) []byte {
	return b.stream.AppendError(dst, e)
}

// AppendKeepAlive implements Bridge.
func (b *translation) AppendKeepAlive(dst []byte) []byte { return appendKeepAlive(dst, b.client) }

// Failure implements Bridge.
func (b *translation) Failure() *llm.Error { return b.failure }

// Stopped implements Bridge.
func (b *translation) Stopped() bool { return b.decoder.Stopped() }

// AnswerID implements Bridge.
func (b *translation) AnswerID() string { return json.Borrow(b.gate.id) }

// Usage implements Bridge.
func (b *translation) Usage() llm.Usage {
	u := b.gate.usage
	switch {
	case b.gate.stopped:
	case b.gate.said.exact && b.gate.said.said > 0:
		u = b.gate.said.complete(u, &b.request)
	case u.Knowledge == llm.Reported:
		u.Knowledge = llm.Partial
	}
	return b.gate.total(u)
}

// AppendHeader implements Bridge.
func (b *translation) AppendHeader(dst []byte) []byte {
	if b.target != llm.Messages {
		return dst
	}
	start := len(dst)
	dst = append(dst, "anthropic-beta: "...)
	empty := len(dst)
	if dst = messages.AppendBetas(dst, &b.exchange); len(dst) == empty {
		return dst[:start]
	}
	return append(dst, "\r\n"...)
}

// Warnings implements Bridge.
func (b *translation) Warnings() *llm.Warnings { return &b.warnings }
