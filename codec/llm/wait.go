package llm

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxWait bounds what is believed of a provider's words about how long to wait.
const MaxWait = 24 * time.Hour

// waitUnits are the units of time that providers write, in the singular where there is one.
var waitUnits = map[string]time.Duration{
	"ms": time.Millisecond, "msec": time.Millisecond, "millisecond": time.Millisecond,
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
}

// ParseWait reads the span of time that text begins with, as providers write it: "6m0s", "20ms", "1.5s", "35 seconds",
// "1 minute 30 seconds", "2d3h"; a bare number is seconds. What follows is ignored. The result is at most MaxWait; ok is
// false where text does not begin with a span.
func ParseWait(text string) (wait time.Duration, ok bool) {
	for text = strings.TrimLeft(text, " "); ; {
		end := 0
		for end < len(text) && (text[end]-'0' <= 9 || text[end] == '.' && end > 0) {
			end++
		}
		digits := strings.TrimRight(text[:end], ".")
		number, err := strconv.ParseFloat(digits, 64)
		if end == 0 || err != nil && number == 0 {
			return wait, ok
		}
		sentenceEnds := len(digits) < end
		text = strings.TrimLeft(text[end:], " ")
		end = 0
		for end < len(text) && text[end]|0x20-'a' <= 'z'-'a' && !sentenceEnds {
			end++
		}
		name := strings.ToLower(text[:end])
		unit, known := waitUnits[name]
		if !known && len(name) > 2 {
			unit, known = waitUnits[strings.TrimSuffix(name, "s")]
		}
		switch {
		case end == 0 && !ok:
			return inWait(number * float64(time.Second)), true
		case !known:
			return wait, ok // a number of something else
		}
		wait, ok = inWait(float64(wait)+number*float64(unit)), true
		text = strings.TrimLeft(text[end:], " ")
	}
}

// inWait returns a span in nanoseconds within 0 and MaxWait.
func inWait(nanoseconds float64) time.Duration {
	if nanoseconds >= float64(MaxWait) {
		return MaxWait
	}
	return time.Duration(math.Round(max(0, nanoseconds)))
}

// The smallest numbers that are times since 1970 and no spans: seconds of 2001, milliseconds of 2001.
const (
	leastSeconds      = 1e9
	leastMilliseconds = 1e12
)

// ParseReset reads when a limit is lifted and returns how long that is from now: a time (RFC 3339), a time since 1970 in seconds
// or milliseconds, or a span that ParseWait reads. The result is at most MaxWait, and zero for a time that has passed; ok is false
// where text is none of them.
func ParseReset(text string) (wait time.Duration, ok bool) {
	text = strings.TrimSpace(text)
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return within(at), true
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(number, 0) {
		switch {
		case number >= 1000*leastMilliseconds:
			return MaxWait, true
		case number >= leastMilliseconds:
			return within(time.UnixMilli(int64(number))), true
		case number >= leastSeconds:
			return within(time.UnixMilli(int64(number * 1000))), true
		}
	}
	return ParseWait(text)
}

// within returns how far a time is from now, within 0 and MaxWait.
func within(at time.Time) time.Duration { return min(max(0, time.Until(at)), MaxWait) }

// waitWords go before a span in the messages of rate limits:
//
//	Please try again in 6m0s.                 OpenAI, Groq (https://github.com/elizaOS/eliza/issues/4040, 2025-03)
//	Please retry after 54 seconds.            Azure (https://github.com/langchain-ai/langchain/issues/12986, 2023-11)
//	Please retry in 34.07s.                   Gemini (https://github.com/diegosouzapw/OmniRoute/issues/9504, 2026-08)
//	Please wait 42 seconds before retrying.   GitHub Models
var waitWords = [...]string{"try again in ", "try again after ", "retry after ", "retry in ", "please wait "}

// accessWords go before the day on which Anthropic lets an organisation in again that has spent what it allowed itself
// (https://github.com/anthropics/claude-code/issues/2127, 2025-06), as accessLayout has it.
const (
	accessWords  = "regain access on "
	accessLayout = "2006-01-02 at 15:04 utc"
)

// WaitOf reads how long to wait out of a provider's message. Zero means that it doesn't say; the most is MaxWait.
func WaitOf(message string) time.Duration {
	message = strings.ToLower(message)
	for _, words := range waitWords {
		if _, text, found := strings.Cut(message, words); found {
			if wait, ok := ParseWait(text); ok {
				return wait
			}
		}
	}
	if _, text, found := strings.Cut(message, accessWords); found && len(text) >= len(accessLayout) {
		if at, err := time.Parse(accessLayout, text[:len(accessLayout)]); err == nil {
			return within(at)
		}
	}
	return 0
}
