package gateway

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

func TestErrorsAreClassedByWhatTheySayBeforeTheirStatus(t *testing.T) {
	for _, c := range []struct {
		status int
		kind   llm.ErrorKind
		want   outcome.Class
	}{
		{400, llm.InvalidRequest, outcome.ClassInvalid},
		{400, llm.Authentication, outcome.ClassCredential},
		{400, llm.Permission, outcome.ClassCredential},
		{400, llm.Billing, outcome.ClassQuota},
		{400, llm.ContextLength, outcome.ClassContext},
		{400, llm.ContentPolicy, outcome.ClassFilter},
		{400, llm.RateLimit, outcome.ClassRateLimited},
		{429, llm.Billing, outcome.ClassQuota},
		{500, llm.Overloaded, outcome.ClassOverloaded},
		{401, llm.Upstream, outcome.ClassCredential},
		{404, llm.NotFound, outcome.ClassModel},
		{413, llm.TooLarge, outcome.ClassInvalid},
		{500, llm.Upstream, outcome.ClassTransient},
		{302, llm.Upstream, outcome.ClassNonsense},
	} {
		if got := rejected(c.status, &llm.Error{Kind: c.kind}); got != c.want {
			t.Errorf("status %d, kind %v: got %v, want %v", c.status, c.kind, got, c.want)
		}
	}
}

func TestBrokenExchangesAreClassedByTheirCause(t *testing.T) {
	inHeaders := func(err error) error { return fmt.Errorf("error when reading response headers: %w", err) }
	for _, c := range []struct {
		err  error
		want outcome.Class
	}{
		{errQuiet, outcome.ClassSilent},
		{inHeaders(errQuiet), outcome.ClassSilent},
		{os.ErrDeadlineExceeded, outcome.ClassSilent},
		{io.EOF, outcome.ClassTransient},
		{inHeaders(io.EOF), outcome.ClassTransient},
		{inHeaders(syscall.ECONNRESET), outcome.ClassTransient},
		{inHeaders(fmt.Errorf("unexpected first line")), outcome.ClassNonsense},
		{errTooLarge, outcome.ClassNonsense},
	} {
		if got := exchangeFailure(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			seconds, milliseconds string
			want                  time.Duration
		}{
			{"", "", 0},
			{"120", "", 2 * time.Minute},
			{"1.5", "", 1500 * time.Millisecond},
			{"2", "300", 300 * time.Millisecond},
			{"2", "soon", 2 * time.Second},
			{"1m", "", 0},
			{"-5", "", 0},
			{"NaN", "", 0},
			{"99999999999999", "", 24 * time.Hour},
			{"Inf", "", 24 * time.Hour},
			{time.Now().Add(time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), "", time.Minute},
			{"Wed, 21 Oct 1998 07:28:00 GMT", "", 0},
		} {
			if got := parseRetryAfter([]byte(c.seconds), []byte(c.milliseconds)); got != c.want {
				t.Errorf("%q, %q ms: got %v, want %v", c.seconds, c.milliseconds, got, c.want)
			}
		}
	})
}
