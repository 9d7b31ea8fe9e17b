package codec

import (
	"bytes"
	"slices"

	"octopus/codec/chat"
	"octopus/codec/json"
	"octopus/codec/llm"
	"octopus/codec/messages"
	"octopus/codec/responses"
	"octopus/codec/sse"
)

// tap is what a bridge asks of a protocol to watch an answer that passes by.
type tap interface {
	// Event reads one event of a stream.
	Event(e *sse.Event) llm.Mark
	// Answer reads a whole answer: Real, Fault or Junk.
	Answer(body []byte) llm.Mark
	// Model is where the last event or answer names its model.
	Model() json.Span
	// Stopped reports whether the answer is complete, its terminal event aside.
	Stopped() bool
	// Usage returns the tokens reported so far.
	Usage() llm.Usage
	// AppendEnd appends the terminal event.
	AppendEnd(dst []byte) []byte
	// AppendError appends an error event and the end; begun tells whether the client has the beginning of this answer.
	AppendError(dst []byte, e *llm.Error, begun bool) []byte
}

var (
	_ tap    = (*chat.Tap)(nil)
	_ tap    = (*responses.Tap)(nil)
	_ tap    = (*messages.Tap)(nil)
	_ Bridge = (*passthrough)(nil)
)

// passthrough is the bridge between equal protocols. Bytes pass as they came, but for
//   - the model, the channel's params and stream_options in requests, and the envelopes of opaque reasoning, which only the
//     provider that minted it may see,
//   - the model in answers, when the request asks for another name,
//   - the usage chunk that only the gateway asked for,
//   - events that can't be read (they would end the stream in most SDKs), which are left out,
//   - error events and what ends a stream after them: Feed returns Failed, and AppendError words the error anew.
type passthrough struct {
	protocol llm.Protocol
	tap      tap // one of the three below

	chat      chat.Tap
	responses responses.Tap
	messages  messages.Tap

	events  sse.Reader
	event   sse.Event
	model   []byte     // what answers report as their model, as JSON; empty when they are left alone
	quoted  []byte     // the target's model as JSON
	hide    bool       // the usage chunk is not for the client
	count   bool       // the answer is a number of tokens
	store   bool       // the provider remembers the answer
	whole   []byte     // the answer that Answer was given, borrowed
	reduced []byte     // storage for a request without its reasoning
	opened  bool       // the first byte of the stream was looked at
	step    Step       // Hold or Commit: what Feed has returned
	skipped int        // events that could not be read
	failure *llm.Error // why the last call failed
	// rewriter writes requests anew that came in another protocol; nil until there is one. rewritten tells that the last did.
	rewriter  *translation
	rewritten bool
	// cleaned is a request without the foreign part of its envelopes, edits what is to be done for that.
	cleaned []byte
	edits   json.Edits
	// warnings are of what was omitted.
	warnings llm.Warnings
	// listener hears the answers of channels whose usage is estimated, heard tells whether it does; nil until there is one.
	listener *listener
	heard    bool
}

// reset makes b ready for a call in protocol p.
func (b *passthrough) reset(p llm.Protocol) {
	b.protocol = p
	switch p {
	case llm.Chat:
		b.tap = &b.chat
	case llm.Responses:
		b.tap = &b.responses
	case llm.Messages:
		b.tap = &b.messages
	}
	b.restart(1)
}

// restart forgets the answer that was watched.
func (b *passthrough) restart(choices int) {
	switch b.protocol {
	case llm.Chat:
		b.chat.Reset(choices)
	case llm.Responses:
		b.responses.Reset()
	case llm.Messages:
		b.messages.Reset()
	}
	b.events.Reset()
	b.whole = nil
	b.hide, b.count, b.opened, b.step, b.failure = false, false, false, Hold, nil
	b.skipped = 0
	b.model = b.model[:0]
	b.warnings.Reset()
}

// release drops what b borrowed.
func (b *passthrough) release() {
	b.restart(1)
	b.event = sse.Event{}
	if b.rewritten {
		b.rewriter.release()
		b.rewritten = false
	}
	if b.heard {
		b.listener.release()
		b.heard = false
	}
	if cap(b.model) > maxKept {
		b.model = nil
	}
	if cap(b.quoted) > maxKept {
		b.quoted = nil
	}
	if cap(b.reduced) > maxKept {
		b.reduced = nil
	}
	if cap(b.cleaned) > maxKept {
		b.cleaned = nil
	}
	b.edits = nil
}

// AppendRequest implements Bridge. What a provider accepts in its own protocol is its affair: an error there is only on a strict
// channel, where foreign reasoning would have to be left out.
func (b *passthrough) AppendRequest(dst []byte, r *Request, t *Target) ([]byte, error) {
	b.restart(r.choices)
	b.store = r.Store || r.Thread
	b.listen(r, t)
	if r.AnswerModel != "" {
		b.model = json.AppendString(b.model, r.AnswerModel)
	}
	if b.rewritten = r.foreign; b.rewritten {
		return b.rewrite(dst, r, t)
	}
	b.quoted = json.AppendString(b.quoted[:0], t.Model)
	ask := r.Protocol == llm.Chat && r.Stream && !r.IncludeUsage
	b.hide, b.count = ask, r.Count
	strips := b.protocol == llm.Responses && t.Options != nil && t.Options.StripReasoning
	body, cleaned := r.Body, strips || !r.NoEnvelopes && bytes.Contains(r.Body, envelopeQuoted)
	if cleaned {
		var err error
		if body, err = b.clean(r, t); err != nil {
			return dst, err
		}
	}
	switch {
	case r.Omit != 0:
		return b.appendReduced(dst, body, r, t, ask), nil
	case t.Params == nil && !cleaned:
		return appendEdited(dst, r, b.quoted, ask), nil
	case t.Params == nil && ask:
		return includeUsage.appendTo(dst, body, b.quoted), nil
	case t.Params == nil:
		return patch(nil).appendTo(dst, body, b.quoted), nil
	case ask:
		return t.Params.withUsage.appendTo(dst, body, b.quoted), nil
	}
	return t.Params.patch.appendTo(dst, body, b.quoted), nil
}

// appendReduced appends r's body, as far as it was cleaned, without what r omits.
func (b *passthrough) appendReduced(dst, body []byte, r *Request, t *Target, ask bool) []byte {
	p := t.Params
	if p == nil {
		p = &noParams
	}
	changes := p.patch
	switch {
	case r.Protocol == llm.Chat && r.Omit&OmitStreamOptions != 0:
		changes = p.withoutUsage
		if slices.ContainsFunc(r.edits, func(e edit) bool { return e.options }) {
			b.warnings.Drop(streamOptions)
		}
	case ask:
		changes = p.withUsage
	}
	if r.Omit&OmitReasoning != 0 {
		var more patch
		b.reduced, more = withoutReasoning(b.reduced[:0], body, r.Protocol)
		if len(b.reduced) < len(body) {
			b.warnings.Drop(reasoningFields[r.Protocol])
		}
		body = b.reduced
		changes = changes.and(more)
	}
	return changes.appendTo(dst, body, b.quoted)
}

// reasoningFields are where requests carry opaque reasoning, for warnings.
var reasoningFields = [...]string{
	llm.Chat: "messages.reasoning_details", llm.Responses: "input.encrypted_content", llm.Messages: "messages.content.thinking",
}

// noParams is the patch of channels without params.
var noParams = Params{withUsage: includeUsage, withoutUsage: patch(nil).without(streamOptions)}

// listen has the answer heard where the channel's usage is to be estimated.
func (b *passthrough) listen(r *Request, t *Target) {
	if b.heard = t.Options != nil && t.Options.EstimateUsage && !r.Count; !b.heard {
		return
	}
	if b.listener == nil || b.listener.protocol != b.protocol {
		b.listener = newListener(b.protocol)
	}
	b.listener.listen(r, t)
}

// clean returns r's body without foreign reasoning, and with the target's own in its native form.
func (b *passthrough) clean(r *Request, t *Target) ([]byte, error) {
	x := llm.Exchange{Model: t.Model, Options: t.Options, Warnings: &b.warnings, Sealer: t.Sealer}
	if x.Options == nil {
		x.Options = &defaultOptions
	}
	b.edits = dialects[b.protocol].leaveOutForeign(b.edits[:0], r.Body, &x)
	if dropped := b.warnings.Dropped(); len(dropped) > 0 && x.Options.Strict {
		return nil, &llm.Error{Kind: llm.InvalidRequest, Code: "unsupported_parameter", Param: dropped[0], NoRetry: true,
			Message: dropped[0] + " has reasoning of another provider, which this channel, converting strictly, does not leave out."}
	}
	b.cleaned = b.edits.AppendTo(b.cleaned[:0], r.Body)
	return b.cleaned, nil
}

// rewrite reads the request of a client that wrote in another protocol than that of the endpoint, and writes it anew. The answer
// passes as it is.
func (b *passthrough) rewrite(dst []byte, r *Request, t *Target) ([]byte, error) {
	if b.rewriter == nil {
		b.rewriter = newTranslation(b.protocol, b.protocol)
	}
	b.hide, b.count = r.Protocol == llm.Chat && r.Stream && !r.IncludeUsage, r.Count
	return b.rewriter.AppendRequest(dst, r, t)
}

// appendEdited appends r's body with every model replaced, and with the usage asked for if need be. It looks at no
// other byte: Peek has noted where to cut.
func appendEdited(dst []byte, r *Request, model []byte, ask bool) []byte {
	from := 0
	options := &includeUsage[0]
	if ask && !slices.ContainsFunc(r.edits, func(e edit) bool { return e.options }) {
		from = r.first
		dst = append(dst, r.Body[:from]...)
		dst = append(append(append(dst, options.prefix...), options.value...), ',')
	}
	for i := range r.edits {
		e := &r.edits[i]
		if e.options && !ask {
			continue
		}
		dst = append(dst, r.Body[from:e.Start]...)
		if e.options {
			dst = options.appendTo(dst, r.Body[e.Start:e.End])
		} else {
			dst = append(dst, model...)
		}
		from = e.End
	}
	return append(dst, r.Body[from:]...)
}

// Feed implements Bridge.
func (b *passthrough) Feed(dst, src []byte) ([]byte, Step) {
	if b.failure = b.open(src); b.failure != nil {
		return dst, Failed
	}
	b.events.Feed(src)
	var run json.Span // src[run.Start:run.End] is for the client as it is
	step := b.step
	for step < End && b.events.Next(&b.event) {
		forward := true
		step, forward = b.judge(step)
		end := b.events.Pos()
		if forward && !b.event.Copied && !b.renames() {
			run.End = end
			continue
		}
		dst = append(dst, src[run.Start:run.End]...)
		if forward {
			dst = b.appendEvent(dst)
		}
		run = json.Span{Start: end, End: end}
	}
	if step < End && b.events.Err() != nil {
		step, b.failure = Failed, &llm.Error{Kind: llm.Upstream, Message: "upstream sent an event that is too large"}
	}
	if step != Failed {
		b.step = min(step, Commit)
	}
	if len(dst) == 0 && run.End > run.Start {
		return src[run.Start:run.End:run.End], step
	}
	return append(dst, src[run.Start:run.End]...), step
}

// judge returns what the event that was just read makes of step, and whether the event is for the client.
func (b *passthrough) judge(step Step) (next Step, forward bool) {
	if b.heard {
		b.listener.decoder.Event(&b.event, b.listener)
	}
	switch b.tap.Event(&b.event) {
	case llm.Real:
		return Commit, true
	case llm.Tally:
		return step, !b.hide
	case llm.Junk:
		if string(b.event.Data) != done { // which some providers of every protocol send
			b.skipped++
		}
		return step, false
	case llm.Fault:
		b.failure = readFault(200, b.event.Data)
		if b.failure.Message == "" {
			b.failure.Message = "upstream reported an error"
		}
		return Failed, false
	case llm.Last:
		if step == Hold && !b.tap.Stopped() {
			b.failure = &llm.Error{Kind: llm.Upstream, Message: "upstream sent an empty answer"}
			return Failed, false
		}
		return End, true
	}
	return step, true
}

// open looks at the first byte of a stream, and returns an error when no event stream begins like that.
func (b *passthrough) open(src []byte) *llm.Error {
	for i := 0; i < len(src) && !b.opened; i++ {
		switch src[i] {
		case ' ', '\t', '\r', '\n', '\xef', '\xbb', '\xbf': // white space and the byte order mark
			continue
		case '<':
			return &llm.Error{Kind: llm.Upstream, Message: "upstream sent HTML in place of an event stream"}
		case '{', '[', '"':
			if e := readFault(200, src[i:]); e.Message != "" {
				return e
			}
			return &llm.Error{Kind: llm.Upstream, Message: "upstream sent JSON in place of an event stream"}
		}
		b.opened = true
	}
	return nil
}

// renames reports whether the model has to be replaced in the event, or the answer, that was just read.
func (b *passthrough) renames() bool { return len(b.model) > 0 && b.tap.Model().End > 0 }

// appendEvent appends the event that was just read.
func (b *passthrough) appendEvent(dst []byte) []byte {
	raw := b.event.Raw
	if !b.renames() {
		return append(dst, raw...)
	}
	// A JSON string has no line break in it, so the model stands on one line, however many there are.
	model := b.tap.Model()
	start := b.event.Locate(model.Start)
	dst = append(append(dst, raw[:start]...), b.model...)
	return append(dst, raw[start+model.End-model.Start:]...)
}

// Finish implements Bridge.
func (b *passthrough) Finish(dst []byte, cause Cause) ([]byte, Step) {
	b.failure = nil
	step := b.step
	// What parses as an event was not cut, whatever became of its blank line.
	if b.events.Rest(&b.event) && b.event.Lines > 0 {
		forward, skipped := true, b.skipped
		if step, forward = b.judge(step); forward {
			dst = appendBlankLine(b.appendEvent(dst))
		}
		b.skipped = skipped // half an event is none that was left out
	}
	switch {
	case step >= End:
		return dst, step
	case b.tap.Stopped():
		return b.tap.AppendEnd(dst), End
	}
	b.failure = &llm.Error{Kind: llm.Upstream, Message: "upstream closed the stream"}
	switch cause {
	case Cut:
		b.failure.Message = "upstream broke the connection"
	case Stalled:
		b.failure.Kind = llm.Timeout
		b.failure.Message = "upstream was silent for too long"
	case Gone:
		b.failure.Kind = llm.Internal
		b.failure.Message = "client left before the end of the answer"
	}
	return dst, Failed
}

// Skipped implements Bridge.
func (b *passthrough) Skipped() int { return b.skipped }

// done is the data of Chat's last event.
const done = "[DONE]"

// appendBlankLine ends the event that dst ends with.
func appendBlankLine(dst []byte) []byte {
	if dst[len(dst)-1] != '\n' {
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

// Answer implements Bridge.
func (b *passthrough) Answer(dst, body []byte) ([]byte, Step) {
	b.failure, b.whole = nil, body
	mark := llm.Junk
	if !b.count {
		mark = b.tap.Answer(body)
	} else if _, ok := countIn(body); ok {
		mark = llm.Real
	}
	if b.heard && mark == llm.Real {
		b.listener.decoder.Answer(body, b.listener)
	}
	switch mark {
	case llm.Real:
		model := b.tap.Model()
		switch {
		case b.renames():
			dst = append(append(dst, body[:model.Start]...), b.model...)
			return append(dst, body[model.End:]...), End
		case len(dst) == 0:
			return body[:len(body):len(body)], End
		}
		return append(dst, body...), End
	case llm.Fault:
		b.failure = readFault(200, body)
	default:
		// It may still be an error of some other shape, {"detail":…} for one.
		if json.Valid(body) {
			b.failure = readFault(200, body)
		}
	}
	if b.failure == nil || b.failure.Message == "" {
		b.failure = &llm.Error{Kind: llm.Upstream, Message: "upstream sent an answer that can't be read"}
	}
	return dst, Failed
}

// Reject implements Bridge. A body in the shape of the client's protocol passes as it is, names of accounts and keys
// masked; of any other the message is put into that shape.
func (b *passthrough) Reject(dst []byte, status int, body []byte) ([]byte, *llm.Error) {
	e := readFault(status, body)
	if isErrorOf(b.protocol, body) {
		return appendMasked(dst, body), e
	}
	return AppendErrorBody(dst, b.protocol, e, ""), e
}

// isErrorOf reports whether body is an error object of protocol p.
func isErrorOf(p llm.Protocol, body []byte) bool {
	fault := json.Get(body, "error")
	if p == llm.Messages && (string(json.Get(body, "type")) != `"error"` || !isString(json.Get(fault, "type"))) {
		return false
	}
	return isString(json.Get(fault, "message"))
}

func isString(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// AppendError implements Bridge.
func (b *passthrough) AppendError(dst []byte, e *llm.Error) []byte {
	if len(b.model) > 0 {
		b.responses.Rename(b.model)
	}
	return b.tap.AppendError(dst, e, b.step == Commit)
}

// AppendKeepAlive implements Bridge. Clients of Messages count events, not bytes (protocols.md C.8).
func (b *passthrough) AppendKeepAlive(dst []byte) []byte {
	return appendKeepAlive(dst, b.protocol)
}

// appendKeepAlive appends the sign of life of a protocol.
func appendKeepAlive(dst []byte, p llm.Protocol) []byte {
	if p == llm.Messages {
		return append(dst, "event: ping\ndata: {\"type\": \"ping\"}\n\n"...)
	}
	return append(dst, ": keep-alive\n\n"...)
}

// Stopped implements Bridge.
func (b *passthrough) Stopped() bool { return b.tap.Stopped() }

// AnswerID implements Bridge: the client is told the upstream's own.
func (b *passthrough) AnswerID() string { return "" }

// Failure implements Bridge.
func (b *passthrough) Failure() *llm.Error { return b.failure }

// Usage implements Bridge.
func (b *passthrough) Usage() llm.Usage {
	if b.heard {
		return b.listener.hear(b.tap.Usage())
	}
	return b.tap.Usage()
}

// AppendHeader implements Bridge: the client has sent what it needs.
func (b *passthrough) AppendHeader(dst []byte) []byte { return dst }

// FollowUp implements Bridge: a client of the same protocol sees to it itself.
func (b *passthrough) FollowUp(dst []byte) ([]byte, bool) { return dst, false }

// Remember implements Bridge: the provider remembers the response, or the thread, and the relay whose it is.
func (b *passthrough) Remember() Remembered {
	switch {
	case !b.store:
		return Remembered{}
	case b.protocol == llm.Messages:
		return Remembered{ID: b.messages.ID(b.whole)}
	}
	return Remembered{ID: b.responses.ID(b.whole)}
}

// Warnings implements Bridge: bytes that pass as they are lose nothing.
func (b *passthrough) Warnings() *llm.Warnings {
	switch {
	case b.rewritten:
		return b.rewriter.Warnings()
	case !b.warnings.Empty():
		return &b.warnings
	}
	return nil
}
