package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

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
}

// rule is what follows from a class of failure.
type rule struct {
	// repeat allows the same target once more.
	repeat bool
	// others allows other targets; false means that the client is told at once.
	others bool
	// rank orders what the client is told when targets failed differently: the lowest wins (design.md section 5).
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
	outcome.ClassCut:         {rank: 0, scope: scopeModel, others: true}, // as long as the client has got none of the answer
	outcome.ClassInvalid:     {rank: 1, scope: scopeNone},
	outcome.ClassContext:     {rank: 1, scope: scopeNone, others: true},
	outcome.ClassFilter:      {rank: 1, scope: scopeNone},
	outcome.ClassState:       {rank: 1, scope: scopeNone, others: true},
	outcome.ClassClientGone:  {rank: 1, scope: scopeNone},
	outcome.ClassRefused:     {rank: 1, scope: scopeNone},
	outcome.ClassInternal:    {rank: 1, scope: scopeNone},
	outcome.ClassRateLimited: {rank: 2, scope: scopeKeyModel, atOnce: true, asks: true, others: true},
	outcome.ClassOverloaded:  {rank: 3, scope: scopeModel, atOnce: true, asks: true, others: true},
	outcome.ClassSilent:      {rank: 4, scope: scopeModel, atOnce: true, others: true},
	outcome.ClassTransient:   {rank: 5, scope: scopeModel, others: true, repeat: true},
	outcome.ClassNonsense:    {rank: 6, scope: scopeModel, others: true},
	outcome.ClassQuota:       {rank: 7, scope: scopeKey, atOnce: true, asks: true, others: true},
	outcome.ClassCredential:  {rank: 8, scope: scopeKey, atOnce: true, others: true},
	outcome.ClassModel:       {rank: 9, scope: scopeModel, atOnce: true, others: true},
	outcome.ClassUnavailable: {rank: 10, scope: scopeNone, others: true},
}

// explains reports whether f is better to tell the client than the other.
func (f *failure) explains(other *failure) bool {
	return other.err == nil || rules[f.class].rank < rules[other.class].rank
}

// rejected classifies an upstream's answer with a status that is not 2xx. e is what the bridge read from it.
func rejected(status int, e *llm.Error) outcome.Class {
	if class := inBand(e); class != outcome.ClassNonsense {
		return class
	}
	switch {
	case status == 401 || status == 403:
		return outcome.ClassCredential
	case status == 402:
		return outcome.ClassQuota
	case status == 429:
		return outcome.ClassRateLimited
	case status == 503 || status == 529:
		return outcome.ClassOverloaded
	case status == 404 && (e.Code == "previous_response_not_found" || e.Param == "previous_response_id"):
		return outcome.ClassInvalid
	case status == 404:
		return outcome.ClassModel
	case status == 408 || status == 504:
		return outcome.ClassSilent
	case status == 400 || status == 409 || status == 413 || status == 415 || status == 422:
		return outcome.ClassInvalid
	case status >= 500:
		return outcome.ClassTransient
	case status < 400:
		return outcome.ClassNonsense // a redirect is not followed
	}
	return outcome.ClassInvalid
}

// inBand classifies an error that stood in an answer with status 200.
func inBand(e *llm.Error) outcome.Class {
	switch e.Kind {
	case llm.ContextLength:
		return outcome.ClassContext
	case llm.ContentPolicy:
		return outcome.ClassFilter
	case llm.RateLimit:
		return outcome.ClassRateLimited
	case llm.Overloaded:
		return outcome.ClassOverloaded
	case llm.Billing:
		return outcome.ClassQuota
	case llm.Authentication, llm.Permission:
		return outcome.ClassCredential
	}
	return outcome.ClassNonsense
}

// told is what the client may know of an upstream's error of a class. The provider's words reach the client where the
// request is at fault; elsewhere they are about our account, and the client is told in ours.
func told(class outcome.Class, e *llm.Error) *llm.Error {
	told := &llm.Error{Kind: llm.Upstream, RetryAfter: e.RetryAfter}
	switch class {
	case outcome.ClassInvalid, outcome.ClassContext, outcome.ClassFilter, outcome.ClassState:
		return e
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
	if errors.As(err, &failed) && failed.Kind == dial.Timeout {
		return outcome.ClassSilent
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

// parseRetryAfter reads the headers Retry-After and retry-after-ms; zero means none. Dates (RFC 9110, section 10.2.3) count
// from now.
func parseRetryAfter(seconds, milliseconds []byte) time.Duration {
	const most = 24 * time.Hour
	for _, h := range [...]struct {
		text []byte
		unit time.Duration
	}{{milliseconds, time.Millisecond}, {seconds, time.Second}} {
		if n, err := strconv.ParseFloat(string(h.text), 64); err == nil && n > 0 {
			return time.Duration(min(n*float64(h.unit), float64(most)))
		}
	}
	if at, err := time.Parse(time.RFC1123, string(seconds)); err == nil {
		return max(0, min(time.Until(at), most))
	}
	return 0
}
