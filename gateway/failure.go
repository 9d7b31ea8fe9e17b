package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/dial"
	"octopus/gateway/outcome"
)

// failure is why an attempt, or all of them, failed.
type failure struct {
	class outcome.Class
	// err is what the client is told if this is what remains. It is nil for no failure.
	err *llm.Error
	// answer is the upstream's own answer in the client's protocol, with its status and header, when that is what the client
	// gets.
	answer []byte
	status int
	header *fasthttp.ResponseHeader
	// retryAfter is how long the target asks to be left alone. Zero means that it doesn't say; the most is llm.MaxWait.
	retryAfter time.Duration
	// omit is what the target can't take of the request, for a ClassState.
	omit codec.Omission
}

// rule is what follows from a class of failure.
type rule struct {
	// repeat allows the same target once more.
	repeat bool
	// omit allows the same target once more, with the part left out that it can't take.
	omit bool
	// others allows other targets; false means that the client is told at once.
	others bool
	// otherModel restricts the others to members with another model: the same one fails everywhere.
	otherModel bool
	// rank orders what the client is told when targets failed differently: the lowest wins (design.md section 5). An answer that
	// was cut comes first: whatever another target says of the request, it was good for one. What only the client can mend
	// comes next. State of another provider's stands behind what a later try can mend.
	rank int
	// scope is what may go out for it (health.go).
	scope scope
	// atOnce takes it out with the first failure, not with several in a row.
	atOnce bool
	// asks heeds how long the upstream asks to be left alone.
	asks bool
}

// rules is the failure table of design.md section 5.
var rules = [outcome.Classes]rule{
	outcome.ClassClientGone:  {rank: 0, scope: scopeNone},
	outcome.ClassInternal:    {rank: 0, scope: scopeNone},
	outcome.ClassRefused:     {rank: 0, scope: scopeNone},
	outcome.ClassCut:         {rank: 1, scope: scopeModel, others: true}, // as long as the client has got none of the answer
	outcome.ClassInvalid:     {rank: 2, scope: scopeNone},
	outcome.ClassFilter:      {rank: 2, scope: scopeNone},
	outcome.ClassContext:     {rank: 2, scope: scopeNone, others: true, otherModel: true},
	outcome.ClassRateLimited: {rank: 3, scope: scopeKeyModel, atOnce: true, asks: true, others: true},
	outcome.ClassOverloaded:  {rank: 4, scope: scopeModel, atOnce: true, asks: true, others: true},
	outcome.ClassSilent:      {rank: 5, scope: scopeModel, atOnce: true, others: true},
	outcome.ClassTransient:   {rank: 6, scope: scopeModel, others: true, repeat: true},
	outcome.ClassNonsense:    {rank: 7, scope: scopeModel, others: true},
	outcome.ClassState:       {rank: 8, scope: scopeNone, others: true, omit: true},
	outcome.ClassQuota:       {rank: 9, scope: scopeKey, atOnce: true, asks: true, others: true},
	outcome.ClassCredential:  {rank: 10, scope: scopeKey, atOnce: true, others: true},
	outcome.ClassModel:       {rank: 11, scope: scopeModel, atOnce: true, others: true},
	outcome.ClassUnavailable: {rank: 12, scope: scopeNone, others: true},
}

// classes is what the kind of an upstream's error means for the target. A kind that is missing says nothing: the status does.
var classes = map[llm.ErrorKind]outcome.Class{
	llm.InvalidRequest: outcome.ClassInvalid,
	llm.TooLarge:       outcome.ClassInvalid,
	llm.MediaType:      outcome.ClassInvalid,
	llm.Conflict:       outcome.ClassInvalid,
	llm.ContextLength:  outcome.ClassContext,
	llm.ContentPolicy:  outcome.ClassFilter,
	llm.ForeignPart:    outcome.ClassState,
	llm.Authentication: outcome.ClassCredential,
	llm.Permission:     outcome.ClassCredential,
	llm.Billing:        outcome.ClassQuota,
	llm.RateLimit:      outcome.ClassRateLimited,
	llm.NotFound:       outcome.ClassModel,
	llm.Overloaded:     outcome.ClassOverloaded,
	llm.Timeout:        outcome.ClassSilent,
}

// quotaReset is the wait from which on a rate limit is a quota: who has to wait that long has nothing left to spend.
const quotaReset = time.Hour

// explains reports whether f is better to tell the client than the other.
func (f *failure) explains(other *failure) bool {
	return other.err == nil || rules[f.class].rank < rules[other.class].rank
}

// newFailure is the failure of an attempt whose upstream answered with an error. e is what the bridge read from it; its
// RetryAfter becomes that of the target.
func newFailure(status int, e *llm.Error, h *fasthttp.ResponseHeader) failure {
	e.RetryAfter = leftAlone(h, e)
	e.NoRetry = e.NoRetry || string(h.Peek("X-Should-Retry")) == "false"
	return failureOf(rejected(status, e), e)
}

// failureOf is the failure of a class that e tells of.
func failureOf(class outcome.Class, e *llm.Error) failure {
	f := failure{class: class, err: told(class, e), retryAfter: e.RetryAfter}
	if class == outcome.ClassState {
		f.omit = codec.OmitReasoning
		if e.Param == "stream_options" {
			f.omit = codec.OmitStreamOptions
		}
	}
	return f
}

// rejected classifies an upstream's answer with a status that is not 2xx. e is what the bridge read from it.
func rejected(status int, e *llm.Error) outcome.Class {
	class, known := classes[e.Kind]
	switch {
	case class == outcome.ClassModel && isAboutObject(e):
		return outcome.ClassInvalid
	case class == outcome.ClassRateLimited && e.RetryAfter >= quotaReset:
		return outcome.ClassQuota
	case known:
		return class
	case status < 400:
		return outcome.ClassNonsense // a redirect is not followed
	case status == fasthttp.StatusMethodNotAllowed:
		return outcome.ClassModel // the endpoint is another one's
	case status == fasthttp.StatusRequestURITooLong || status == fasthttp.StatusRequestHeaderFieldsTooLarge:
		return outcome.ClassInvalid
	case status == fasthttp.StatusFailedDependency || status == statusClientGone || status >= 500:
		return outcome.ClassTransient // Bedrock says 424 where the model failed, a proxy 499 where it gave up
	}
	return outcome.ClassNonsense // of the gateway's own making, a 411 for one: the client can't help it
}

// isAboutObject reports whether what was not found is something that the request names, and not the model: no client may put a
// member out of service with the id of a file.
func isAboutObject(e *llm.Error) bool {
	if e.Code == "previous_response_not_found" || e.Param != "" && e.Param != "model" {
		return true
	}
	message := strings.ToLower(e.Message)
	for _, words := range [...]string{"no such file object", "file not found: file_", "container with id", "previous response"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// inBand classifies an error that stood in an answer with status 200. One that only blames the request is not believed: a request
// that can't be served is refused before an answer begins.
func inBand(e *llm.Error) outcome.Class {
	switch class := rejected(fasthttp.StatusOK, e); class {
	case outcome.ClassInvalid:
		return outcome.ClassNonsense
	default:
		return class
	}
}

// told is what the client may know of an upstream's error of a class. The provider's words reach the client where the
// request is at fault; elsewhere they are about our account, and the client is told in ours.
func told(class outcome.Class, e *llm.Error) *llm.Error {
	told := &llm.Error{Kind: llm.Upstream, RetryAfter: e.RetryAfter, NoRetry: e.NoRetry}
	switch class {
	case outcome.ClassInvalid, outcome.ClassContext, outcome.ClassFilter:
		return e
	case outcome.ClassState:
		told.Kind, told.Code = llm.ForeignPart, e.Code
		told.NoRetry = true
	case outcome.ClassCredential:
		told.Message = "The provider refused the gateway's credential."
		told.NoRetry = true
	case outcome.ClassQuota:
		told.Kind, told.Message = llm.Billing, "The gateway's account with the provider is out of quota."
		told.NoRetry = true
	case outcome.ClassRateLimited:
		told.Kind, told.Message = llm.RateLimit, "The provider limits the rate of requests."
	case outcome.ClassOverloaded:
		told.Kind, told.Message = llm.Overloaded, "The provider is overloaded."
	case outcome.ClassModel:
		told.Message = "The provider does not have the model."
		told.NoRetry = true
	case outcome.ClassSilent:
		told.Kind, told.Message = llm.Timeout, "The provider did not answer in time."
	case outcome.ClassCut:
		told.Message = "The provider closed the stream before its end."
	case outcome.ClassNonsense:
		told.Message = "The provider's answer could not be understood."
	case outcome.ClassUnavailable:
		told.Kind, told.Message = llm.Overloaded, "The gateway can't open another connection now."
	default:
		told.Message = "The provider failed."
		if e.Status != 0 {
			told.Message = fmt.Sprintf("The provider failed with status %d.", e.Status)
		}
	}
	return told
}

// cutFailure returns the failure of an answer that broke off after its first real event, and what the upstream said of it in
// short. e is what the bridge made of it, or nil.
func cutFailure(e *llm.Error) (f failure, message string) {
	f = failure{class: outcome.ClassCut, err: told(outcome.ClassCut, &llm.Error{})}
	if e == nil {
		return f, f.err.Message
	}
	switch class := inBand(e); {
	case e.Kind == llm.Timeout:
		f.err = told(outcome.ClassSilent, e)
	case class != outcome.ClassNonsense:
		f.err = told(class, e)
	default:
		f.err = told(outcome.ClassCut, e)
	}
	return f, e.Message
}

// dialFailure classifies an error of opening a connection.
func dialFailure(err error) outcome.Class {
	var failed *dial.Error
	if errors.As(err, &failed) {
		switch failed.Kind {
		case dial.Timeout:
			return outcome.ClassSilent
		case dial.Exhausted, dial.Canceled:
			return outcome.ClassUnavailable // it is not the upstream's fault
		}
	}
	return outcome.ClassTransient
}

// exchangeFailure classifies an error of sending a request or reading the answer's header.
func exchangeFailure(err error) outcome.Class {
	switch {
	case errors.Is(err, errQuiet) || errors.Is(err, os.ErrDeadlineExceeded):
		return outcome.ClassSilent
	case errors.Is(err, errTooLarge):
		return outcome.ClassNonsense
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		return outcome.ClassTransient
	case strings.Contains(err.Error(), "headers"):
		// fasthttp has no type for a header section that it can't parse.
		return outcome.ClassNonsense
	}
	return outcome.ClassTransient
}

// omit notes what the next request to the current target goes without, and reports whether that makes a difference. Each part
// is left out once.
func (a *attempt) omit(f *failure) bool {
	r := &a.call.request
	r.Omit = a.omitted
	if !r.Carries(f.omit, a.target.codec) {
		return false
	}
	a.omitted |= f.omit
	return true
}

// noteOmitted remembers for the channel that it does not know stream_options, once it answered without: a refusal alone could be
// about something else. Reasoning is another matter each time.
func (a *attempt) noteOmitted() {
	if a.omitted&codec.OmitStreamOptions != 0 {
		a.target.endpoint.origin.noStreamOptions.Store(true)
	}
}

// omitted is what requests to the origin go without from the beginning.
func (o *origin) omitted() codec.Omission {
	if o.noStreamOptions.Load() {
		return codec.OmitStreamOptions
	}
	return 0
}

// sameModel reports whether two upstream names are of one model: brokers put its maker in front ("openai/gpt-5.4").
func sameModel(a, b string) bool {
	return strings.EqualFold(a[strings.LastIndexByte(a, '/')+1:], b[strings.LastIndexByte(b, '/')+1:])
}
