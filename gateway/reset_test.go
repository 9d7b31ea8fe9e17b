package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

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
			{"1m", "", time.Minute},
			{"2", "0", 2 * time.Second},
			{"1.5h", "", 90 * time.Minute},
			{"-5", "", 0},
			{"NaN", "", 0},
			{"99999999999999", "", 24 * time.Hour},
			{"Inf", "", 0},
			{time.Now().Add(time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), "", time.Minute},
			{"Wed, 21 Oct 1998 07:28:00 GMT", "", 0},
		} {
			if got := parseRetryAfter([]byte(c.seconds), []byte(c.milliseconds)); got != c.want {
				t.Errorf("%q, %q ms: got %v, want %v", c.seconds, c.milliseconds, got, c.want)
			}
		}
	})
}

func TestHowLongATargetAsksToBeLeftAlone(t *testing.T) {
	f := func(name, lines string, e llm.Error, want time.Duration) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			synctest.Test(t, func(t *testing.T) {
				t.Helper()
				time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
				if got := leftAlone(headerOf(lines), &e); got != want {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
	limited := llm.Error{Kind: llm.RateLimit}
	said := llm.Error{Kind: llm.RateLimit, RetryAfter: 20 * time.Second}
	f("nothing is said", "", limited, 0)
	f("the header wins over words", "Retry-After: 7", said, 7*time.Second)
	f("milliseconds win over seconds", "Retry-After: 7\nretry-after-ms: 6500", said, 6500*time.Millisecond)
	f("words win over limits", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 1s", said, 20*time.Second)
	f("a zero says nothing", "Retry-After: 0", said, 20*time.Second)
	f("OpenAI, requests", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 6m0s\n"+
		"x-ratelimit-remaining-tokens: 149984\nx-ratelimit-reset-tokens: 20ms", limited, 6*time.Minute)
	f("both used up", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 1s\n"+
		"x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 20s", limited, 20*time.Second)
	f("nothing is used up", "x-ratelimit-remaining-requests: 9\nx-ratelimit-reset-requests: 6m0s", limited, 0)
	f("no word on what is left", "x-ratelimit-reset-tokens: 12", limited, 12*time.Second)
	f("OpenRouter", "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767225690000", limited, 90*time.Second)
	f("Anthropic", "anthropic-ratelimit-requests-remaining: 49\nanthropic-ratelimit-requests-reset: 2026-01-01T00:00:02Z\n"+
		"anthropic-ratelimit-input-tokens-remaining: 0\nanthropic-ratelimit-input-tokens-reset: 2026-01-01T00:00:40Z\n"+
		"anthropic-ratelimit-output-tokens-remaining: 0\nanthropic-ratelimit-output-tokens-reset: 2026-01-01T00:00:30Z", limited,
		40*time.Second)
	f("far away", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 720h", limited, llm.MaxWait)
	f("not about limits", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 6m0s", llm.Error{Kind: llm.Upstream}, 0)
	f("overloaded with a header", "Retry-After: 30", llm.Error{Kind: llm.Overloaded}, 30*time.Second)
}

// headerOf makes a header of lines.
func headerOf(lines string) *fasthttp.ResponseHeader {
	h := new(fasthttp.ResponseHeader)
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		h.Add(name, value)
	}
	return h
}

func FuzzLeftAlone(f *testing.F) {
	f.Add("120", "", "0", "6m0s", "2026-01-01T00:00:00Z")
	f.Add("Wed, 21 Oct 2026 07:28:00 GMT", "1500", "", "1741305600000", "")
	f.Fuzz(func(t *testing.T, seconds, milliseconds, left, reset, anthropic string) {
		h := new(fasthttp.ResponseHeader)
		h.Set("Retry-After", seconds)
		h.Set("Retry-After-Ms", milliseconds)
		h.Set("X-Ratelimit-Remaining-Tokens", left)
		h.Set("X-Ratelimit-Reset-Tokens", reset)
		h.Set("Anthropic-Ratelimit-Tokens-Reset", anthropic)
		if wait := leftAlone(h, &llm.Error{Kind: llm.RateLimit}); wait < 0 || wait > llm.MaxWait {
			t.Errorf("got %v", wait)
		}
	})
}
