package codec

import "octopus/codec/llm"

// Step is what a Bridge makes of the bytes it was fed. The zero value is Hold.
type Step uint8

// The steps of an answer.
const (
	// Hold means that nothing real has arrived: the appended bytes must wait, another target may still be tried.
	Hold Step = iota
	// Commit means that the first real event is among the bytes, now or earlier: the answer has begun.
	Commit
	// End means that the answer is complete, terminal event included. What follows is ignored.
	End
	// Failed means that the upstream reported an error or sent nonsense; Failure tells which. Nothing of the failed
	// event was appended.
	Failed
	// Again means that a follow-up call to the same target must continue the answer: FollowUp has its body, and the bridge
	// takes the answer to it like more of the first.
	Again
)

// Cause is why no more bytes come from the upstream.
type Cause uint8

// Why an upstream's stream is over.
const (
	// EOF means that the body ended as HTTP wants it to.
	EOF Cause = iota
	// Cut means that the connection broke inside the body.
	Cut
	// Stalled means that the upstream was silent for too long.
	Stalled
	// Gone means that the client left, so nobody reads what is appended.
	Gone
)

// Target is what a request is rewritten for: compiled once per snapshot, shared by calls, never written to.
type Target struct {
	// Protocol is what the upstream speaks.
	Protocol llm.Protocol
	// Model is the upstream's name of the model.
	Model string
	// Params is the channel's merge patch over the body (RFC 7396), or nil. Make it with CompileParams.
	Params *Params
	// AlwaysStream asks the upstream for a stream also where the client wants a whole answer. Passthrough does not.
	AlwaysStream bool
	// Options are the channel's options of conversion. Nil means llm.DefaultOptions; passthrough has none.
	Options *llm.Options
	// Capabilities is what is known of the model.
	Capabilities llm.Capabilities
	// Sealer makes and opens the envelopes of opaque reasoning. Nil means that there are none.
	Sealer llm.Sealer
}

// Bridge carries one call between a client's protocol and an upstream's. It belongs to one goroutine at a time, and to
// one call from Acquire to Release.
//
// Per attempt the relay calls AppendRequest, then either Answer once (a whole body) or Feed until End or Failed and
// Finish when the upstream stops before that.
type Bridge interface {
	// AppendRequest appends the body for target t and makes the bridge ready for its answer, forgetting any earlier
	// attempt. An error is an *llm.Error, when this target can't take the request, or a *Missing.
	AppendRequest(dst []byte, r *Request, t *Target) ([]byte, error)
	// Feed takes the next bytes of a streamed answer, cut anywhere, and appends what the client is to get: whole events
	// only, so that an error event can follow at any time. When dst is empty the result may alias src. src is borrowed
	// for the call. After End or Failed, Feed must not be called again.
	Feed(dst, src []byte) ([]byte, Step)
	// Finish ends a streamed answer for which Feed has not returned End or Failed. It appends a missing terminal event and
	// returns End when the answer is complete without it, else Failed.
	Finish(dst []byte, cause Cause) ([]byte, Step)
	// Answer takes a whole answer with status 2xx and appends what the client is to get, or returns Failed. When dst is
	// empty the result may alias body.
	Answer(dst, body []byte) ([]byte, Step)
	// Reject takes a whole answer with another status, appends what the client is to get should this be the last attempt,
	// and returns the error it says.
	Reject(dst []byte, status int, body []byte) ([]byte, *llm.Error)
	// AppendError appends an in-band error event, and what ends a stream after it, in the client's protocol. It may be
	// called at any time after the response's headers, also with no attempt made, but only once.
	AppendError(dst []byte, e *llm.Error) []byte
	// AppendKeepAlive appends what tells the client that the connection lives: a comment, or a ping event.
	AppendKeepAlive(dst []byte) []byte
	// Stopped reports whether a streamed answer lacks nothing but what may follow its stop reason: usage and the terminal
	// event.
	Stopped() bool
	// AnswerID returns the upstream's id of an answer that is told under another one, empty while it is not known and where
	// bytes pass as they are. It is valid until the next call of the bridge.
	AnswerID() string
	// Failure returns why the last Feed, Finish or Answer returned Failed, else nil.
	Failure() *llm.Error
	// Skipped returns how many events of the answer could not be read and were left out.
	Skipped() int
	// Usage returns what is known so far of the tokens used.
	Usage() llm.Usage
	// AppendHeader appends the header lines, each with its CRLF, that the request just written needs beside the usual ones.
	AppendHeader(dst []byte) []byte
	// FollowUp appends the body of a follow-up call, and returns whether there is one: after Again, and after a Reject that
	// a request written otherwise would not have met.
	FollowUp(dst []byte) ([]byte, bool)
	// Remember returns what later requests may refer to of an answer that is complete.
	Remember() Remembered
	// Warnings returns what the last AppendRequest could not carry over exactly, valid until the next. It is nil where bytes
	// pass as they are.
	Warnings() *llm.Warnings
}
