package gatewaytest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// never is the place in a stream of what does not happen.
const never = math.MaxInt

// usageMode is how a stream reports its usage. The zero value is as the protocol wants it.
type usageMode uint8

const (
	usageNormal usageMode = iota
	usageNone
	usageTwice
	usageLate
	usageAbsurd
	usageFirst
	usageContent
)

// usageLateBy is how long after the rest of a stream a late usage comes.
const usageLateBy = 300 * time.Millisecond

// script is what the directives of one request ask for; doc.go explains each. Make it with newScript.
type script struct {
	tokens, size          int
	bigEvent              int
	reasoning, calls      int
	redacted, remember    bool
	rounds                int
	interleave            bool
	refusal, filter       bool
	search, cite          bool
	pause                 int
	cached, cacheWritten  int
	every, ping           time.Duration
	burst, obfuscation    bool
	usage                 usageMode
	split                 int
	crlf, cr, bom         bool
	comments, nul         bool
	multiline             bool
	noSpace, gzip         bool
	closes                bool
	closeIdle, closeNext  bool
	times, mishap         int
	delay, prelude, first time.Duration
	status                int
	code                  string
	retryAfter            string
	reset, silent         bool
	redirect              string
	html, empty, error200 bool
	noChoices, truncated  bool
	gzipBomb              bool
	endlessHeaders        bool
	endlessBody           bool
	cut, stall            int
	inside, rst           bool
	garbage, errorEvent   int
	noEnd, hang           bool
}

// newScript returns the script of no directives.
func newScript() script {
	return script{rounds: never, cut: never, stall: never, garbage: never, errorEvent: never}
}

// plain reports whether events go out as they are rendered: nothing to check or to change per event.
func (s *script) plain() bool {
	return s.cut == never && s.stall == never && s.garbage == never && s.errorEvent == never &&
		s.ping == 0 && s.split == 0 && !s.crlf && !s.cr && !s.bom && !s.comments && !s.nul && !s.multiline && !s.noSpace &&
		!s.gzip && !s.truncated
}

// read adds the directives of text, "a,b=c". With healed set, faults are checked but left out.
func (s *script) read(text string, healed bool) error {
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, ",")
		name, value, hasValue := strings.Cut(strings.TrimSpace(one), "=")
		if name == "" {
			continue
		}
		d := findDirective(name)
		if d == nil {
			return fmt.Errorf("unknown directive %q", name)
		}
		if hasValue && d.value == "" {
			return fmt.Errorf("directive %q takes no value", name)
		}
		into := s
		if healed && d.fault {
			ignored := newScript()
			into = &ignored
		}
		if err := d.set(into, value); err != nil {
			return fmt.Errorf("directive %q wants %s: %w", name, d.value, err)
		}
	}
	return nil
}

// directive is one row of the table in doc.go.
type directive struct {
	name string
	// value is what stands behind the equals sign, empty for nothing, in brackets when it may be left out.
	value string
	// fault says that times= counts it.
	fault bool
	set   func(s *script, value string) error
}

// directives has the rows in the order of doc.go.
var directives = [...]directive{
	{"tokens", "N", false, setNumber(1, func(s *script) *int { return &s.tokens })},
	{"size", "BYTES", false, setNumber(1, func(s *script) *int { return &s.size })},
	{"bigevent", "BYTES", false, setNumber(1, func(s *script) *int { return &s.bigEvent })},
	{"reasoning", "[N]", false, setNumberOr(8, func(s *script) *int { return &s.reasoning })},
	{"tools", "", false, func(s *script, _ string) error { s.calls = max(s.calls, 1); return nil }},
	{"calls", "N", false, setNumber(1, func(s *script) *int { return &s.calls })},
	{"rounds", "N", false, setNumber(0, func(s *script) *int { return &s.rounds })},
	{"interleave", "", false, setFlag(func(s *script) *bool { return &s.interleave })},
	{"redacted", "", false, setFlag(func(s *script) *bool { return &s.redacted })},
	{"remember", "", false, setFlag(func(s *script) *bool { return &s.remember })},
	{"search", "", false, setFlag(func(s *script) *bool { return &s.search })},
	{"cite", "", false, setFlag(func(s *script) *bool { return &s.cite })},
	{"pause", "[N]", false, setNumberOr(1, func(s *script) *int { return &s.pause })},
	{"refusal", "", false, setFlag(func(s *script) *bool { return &s.refusal })},
	{"filter", "", false, setFlag(func(s *script) *bool { return &s.filter })},
	{"cached", "N", false, setNumber(0, func(s *script) *int { return &s.cached })},
	{"cachewrite", "N", false, setNumber(0, func(s *script) *int { return &s.cacheWritten })},
	{"every", "D", false, setSpan(func(s *script) *time.Duration { return &s.every })},
	{"burst", "", false, setFlag(func(s *script) *bool { return &s.burst })},
	{"obfuscation", "", false, setFlag(func(s *script) *bool { return &s.obfuscation })},
	{"usage", "MODE", false, setUsage},

	{"split", "N", false, setNumber(1, func(s *script) *int { return &s.split })},
	{"crlf", "", false, setFlag(func(s *script) *bool { return &s.crlf })},
	{"cr", "", false, setFlag(func(s *script) *bool { return &s.cr })},
	{"bom", "", false, setFlag(func(s *script) *bool { return &s.bom })},
	{"comments", "", false, setFlag(func(s *script) *bool { return &s.comments })},
	{"nul", "", false, setFlag(func(s *script) *bool { return &s.nul })},
	{"multiline", "", false, setFlag(func(s *script) *bool { return &s.multiline })},
	{"nospace", "", false, setFlag(func(s *script) *bool { return &s.noSpace })},
	{"ping", "D", false, setSpan(func(s *script) *time.Duration { return &s.ping })},
	{"gzip", "", false, setFlag(func(s *script) *bool { return &s.gzip })},
	{"close", "", false, setFlag(func(s *script) *bool { return &s.closes })},
	{"closeidle", "", false, setFlag(func(s *script) *bool { return &s.closeIdle })},
	{"closenext", "", false, setFlag(func(s *script) *bool { return &s.closeNext })},

	{"times", "N", false, setNumber(1, func(s *script) *int { return &s.times })},
	{"mishap", "N", true, setPercent(func(s *script) *int { return &s.mishap })},
	{"delay", "D", true, setSpan(func(s *script) *time.Duration { return &s.delay })},
	{"prelude", "D", true, setSpan(func(s *script) *time.Duration { return &s.prelude })},
	{"first", "D", true, setSpan(func(s *script) *time.Duration { return &s.first })},
	{"status", "N", true, setStatus},
	{"code", "TEXT", true, setText(func(s *script) *string { return &s.code })},
	{"retry_after", "S", true, setText(func(s *script) *string { return &s.retryAfter })},
	{"reset", "", true, setFlag(func(s *script) *bool { return &s.reset })},
	{"silent", "", true, setFlag(func(s *script) *bool { return &s.silent })},
	{"redirect", "URL", true, setText(func(s *script) *string { return &s.redirect })},
	{"html", "", true, setFlag(func(s *script) *bool { return &s.html })},
	{"empty", "", true, setFlag(func(s *script) *bool { return &s.empty })},
	{"error200", "", true, setFlag(func(s *script) *bool { return &s.error200 })},
	{"nochoices", "", true, setFlag(func(s *script) *bool { return &s.noChoices })},
	{"truncated", "", true, setFlag(func(s *script) *bool { return &s.truncated })},
	{"gzipbomb", "", true, setFlag(func(s *script) *bool { return &s.gzipBomb })},
	{"endlessheaders", "", true, setFlag(func(s *script) *bool { return &s.endlessHeaders })},
	{"endlessbody", "", true, setFlag(func(s *script) *bool { return &s.endlessBody })},
	{"cut", "N", true, setNumber(0, func(s *script) *int { return &s.cut })},
	{"inside", "", true, setFlag(func(s *script) *bool { return &s.inside })},
	{"rst", "", true, setFlag(func(s *script) *bool { return &s.rst })},
	{"stall", "N", true, setNumber(0, func(s *script) *int { return &s.stall })},
	{"garbage", "N", true, setNumber(0, func(s *script) *int { return &s.garbage })},
	{"errorevent", "N", true, setNumber(0, func(s *script) *int { return &s.errorEvent })},
	{"noend", "", true, setFlag(func(s *script) *bool { return &s.noEnd })},
	{"hang", "", true, setFlag(func(s *script) *bool { return &s.hang })},
}

// findDirective returns the row with that name, or nil.
func findDirective(name string) *directive {
	for i := range directives {
		if directives[i].name == name {
			return &directives[i]
		}
	}
	return nil
}

// setFlag sets a boolean.
func setFlag(at func(*script) *bool) func(*script, string) error {
	return func(s *script, _ string) error {
		*at(s) = true
		return nil
	}
}

// setNumber sets a number that is at least least and at most 2³¹-1.
func setNumber(least int, at func(*script) *int) func(*script, string) error {
	return func(s *script, value string) error {
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return err
		}
		if int(n) < least {
			return fmt.Errorf("%d is less than %d", n, least)
		}
		*at(s) = int(n)
		return nil
	}
}

// setPercent sets a number from 1 to 100.
func setPercent(at func(*script) *int) func(*script, string) error {
	set := setNumber(1, at)
	return func(s *script, value string) error {
		if err := set(s, value); err != nil {
			return err
		}
		if *at(s) > 100 {
			return fmt.Errorf("%d is more than 100", *at(s))
		}
		return nil
	}
}

// setNumberOr is setNumber for a value that may be left out.
func setNumberOr(absent int, at func(*script) *int) func(*script, string) error {
	set := setNumber(1, at)
	return func(s *script, value string) error {
		if value == "" {
			*at(s) = absent
			return nil
		}
		return set(s, value)
	}
}

// setSpan sets a duration that is not negative.
func setSpan(at func(*script) *time.Duration) func(*script, string) error {
	return func(s *script, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		if d < 0 {
			return fmt.Errorf("%s is negative", d)
		}
		*at(s) = d
		return nil
	}
}

// setText sets a string that is not empty.
func setText(at func(*script) *string) func(*script, string) error {
	return func(s *script, value string) error {
		if value == "" {
			return fmt.Errorf("it is empty")
		}
		*at(s) = value
		return nil
	}
}

func setStatus(s *script, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return err
	}
	if n < 200 || n > 599 {
		return fmt.Errorf("%d is not between 200 and 599", n)
	}
	s.status = n
	return nil
}

func setUsage(s *script, value string) error {
	switch value {
	case "none":
		s.usage = usageNone
	case "twice":
		s.usage = usageTwice
	case "late":
		s.usage = usageLate
	case "absurd":
		s.usage = usageAbsurd
	case "first":
		s.usage = usageFirst
	case "content":
		s.usage = usageContent
	default:
		return fmt.Errorf("%q is not none, twice, late, absurd, first or content", value)
	}
	return nil
}
