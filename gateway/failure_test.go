package gateway

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/dial"
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
		{401, llm.Authentication, outcome.ClassCredential},
		{400, llm.ForeignPart, outcome.ClassState},
		{400, llm.NotFound, outcome.ClassModel},
		{405, llm.Upstream, outcome.ClassModel},
		{407, llm.Upstream, outcome.ClassNonsense},
		{411, llm.Upstream, outcome.ClassNonsense},
		{424, llm.Upstream, outcome.ClassTransient},
		{431, llm.Upstream, outcome.ClassInvalid},
		{499, llm.Upstream, outcome.ClassTransient},
		{408, llm.Timeout, outcome.ClassSilent},
		{520, llm.Upstream, outcome.ClassTransient},
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

func TestWhatThisMachineLacksIsNotTheUpstreamsFault(t *testing.T) {
	for kind, want := range map[dial.Kind]outcome.Class{
		dial.Timeout: outcome.ClassSilent, dial.Exhausted: outcome.ClassUnavailable, dial.Canceled: outcome.ClassUnavailable,
		dial.Refused: outcome.ClassTransient,
	} {
		class := dialFailure(&dial.Error{Kind: kind})
		if class != want || rules[class].scope != scopeNone && class == outcome.ClassUnavailable {
			t.Errorf("%v is %v, want %v", kind, class, want)
		}
	}
}
