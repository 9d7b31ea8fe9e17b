package llm

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestParseWait(t *testing.T) {
	f := func(text string, want time.Duration) {
		t.Helper()
		if got, ok := ParseWait(text); got != want || !ok {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	f("1s", time.Second)
	f("6m0s", 6*time.Minute)
	f("20ms", 20*time.Millisecond)
	f("1h2m3.5s", time.Hour+2*time.Minute+3500*time.Millisecond)
	f("2m59.56s. Need more tokens?", 2*time.Minute+59560*time.Millisecond)
	f("35 seconds", 35*time.Second)
	f("1 minute 30 seconds.", 90*time.Second)
	f("1 Minute", time.Minute)
	f("0h5m", 5*time.Minute)
	f("2 hrs", 2*time.Hour)
	f(" 45", 45*time.Second)
	f("0.25", 250*time.Millisecond)
	f("7. Then", 7*time.Second)
	f("5s 3 requests", 5*time.Second)
	f("2d3h", MaxWait)
	f("99999999999999999999999999", MaxWait)
}

func TestWhatIsNoSpan(t *testing.T) {
	for _, text := range []string{"", "soon", "a while", "-5", "NaN", "Inf", ".", "5 requests", "1e9", "in 5s", "٣s"} {
		if got, ok := ParseWait(text); got != 0 || ok {
			t.Errorf("%q: got %v, %v", text, got, ok)
		}
	}
}

func TestParseReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01 00:00 UTC
		f := func(text string, want time.Duration, wantOK bool) {
			t.Helper()
			if got, ok := ParseReset(text); got != want || ok != wantOK {
				t.Errorf("%q: got %v, %v, want %v, %v", text, got, ok, want, wantOK)
			}
		}
		f("2000-01-01T00:01:30Z", 90*time.Second, true)
		f("2000-01-01T01:00:00.5+01:00", 500*time.Millisecond, true)
		f("1999-12-31T23:59:59Z", 0, true)
		f("2020-01-01T00:00:00Z", MaxWait, true)
		f("6m0s", 6*time.Minute, true)
		f("12", 12*time.Second, true)
		f("1e30", MaxWait, true)
		f("tomorrow", 0, false)
		f("", 0, false)
		time.Sleep(time.Until(time.Unix(1_741_305_000, 0)))
		f("1741305600", 10*time.Minute, true)
		f("1741305600000", 10*time.Minute, true)
		f("1741305600.5", 10*time.Minute+500*time.Millisecond, true)
		f("1741300000", 0, true)
	})
}

func TestWaitOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01 00:00 UTC
		f := func(message string, want time.Duration) {
			t.Helper()
			if got := WaitOf(message); got != want {
				t.Errorf("%q: got %s, want %s", message, got, want)
			}
		}
		f("Rate limit reached. Please try again in 1.5s.", 1500*time.Millisecond)
		f("Please Try Again In 20ms", 20*time.Millisecond)
		f("try again in 1m30s. Visit", 90*time.Second)
		f("try again in 35 seconds", 35*time.Second)
		f("Rate limit is exceeded. Try again in 30 seconds.", 30*time.Second)
		f("have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 54 seconds. Please go here", 54*time.Second)
		f("Please retry in 34.074824224s.", 34074824224)
		f("Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 42 seconds before retrying.", 42*time.Second)
		f("try again in 9999h", MaxWait)
		f("You will regain access on 2000-01-01 at 12:00 UTC.", 12*time.Hour)
		f("You will regain access on 2000-04-01 at 00:00 UTC.", MaxWait)
		f("You will regain access on Monday.", 0)
		f("try again in a while", 0)
		f("Please try again later", 0)
		f("no hint", 0)
	})
}

func FuzzWaits(f *testing.F) {
	for _, text := range []string{"6m0s", "20ms", "1741305600000", "2026-01-01T00:00:00Z", "try again in 1.5s", "regain access on 2026-04-01 at 00:00 UTC", "1e309", "0x1p-2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(how string, wait time.Duration, ok bool) {
			if wait < 0 || wait > MaxWait || wait != 0 && !ok {
				t.Errorf("%s of %q: got %v, %v", how, text, wait, ok)
			}
		}
		wait, ok := ParseWait(text)
		check("ParseWait", wait, ok)
		reset, resetOK := ParseReset(text)
		check("ParseReset", reset, resetOK)
		check("WaitOf", WaitOf(text), true)
		if ok {
			if again, _ := ParseWait(wait.String()); again != wait {
				t.Errorf("%q: read %v, and of that %v", text, wait, again)
			}
		}
	})
}
