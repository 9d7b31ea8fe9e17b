package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// parameter is a query parameter of a route. One that is not given has its fallback, which may be empty for none.
type parameter struct {
	name, about string
	kind        parameterKind
	// fallback is the default as a caller would write it, empty for none.
	fallback string
	// min and max bound numbers.
	min, max int
	// choices are the values of a choice.
	choices []string
}

// parameterKind is what values of a parameter look like.
type parameterKind string

// The kinds of parameters.
const (
	aText   parameterKind = "text"
	aNumber parameterKind = "number"
	aFlag   parameterKind = "flag" // true or false
	aTime   parameterKind = "time" // RFC 3339
	aChoice parameterKind = "choice"
)

// maxText is how long a parameter's text may be, in bytes.
const maxText = 256

// Times of the query are within these years: earlier and later ones are mistakes, and the log's keys have no room for them.
const (
	firstYear = 1970
	lastYear  = 2400
)

// query is the values of a route's parameters by name, as given or as the fallback. Ask for names that the route declares.
type query map[string]string

// The error codes of queries.
const (
	codeBadParameter     = "bad_parameter"
	codeUnknownParameter = "unknown_parameter"
)

// readQuery checks what the caller gave. Undeclared parameters are refused: a misspelled filter would show everything.
func readQuery(args *fasthttp.Args, declared []parameter) (query, error) {
	q := make(query, len(declared))
	for key, value := range args.All() {
		name, text := string(key), string(value)
		at := slices.IndexFunc(declared, func(p parameter) bool { return p.name == name })
		if at < 0 {
			return nil, badField(codeUnknownParameter, shortened(name), unknownParameter(declared))
		}
		if _, twice := q[name]; twice {
			return nil, badField(codeBadParameter, name, name+" is given twice")
		}
		if text == "" {
			continue // as good as not given
		}
		if problem := declared[at].check(text); problem != "" {
			return nil, badField(codeBadParameter, name, name+": "+problem)
		}
		q[name] = text
	}
	for _, p := range declared {
		if q[p.name] == "" {
			q[p.name] = p.fallback
		}
	}
	return q, nil
}

func unknownParameter(declared []parameter) string {
	if len(declared) == 0 {
		return "this path takes no query parameters"
	}
	names := make([]string, len(declared))
	for i, p := range declared {
		names[i] = p.name
	}
	return "no such query parameter here; known are " + strings.Join(names, ", ")
}

// shortened returns the beginning of a text that came from outside and goes into an error.
func shortened(text string) string { return text[:min(len(text), maxText)] }

// check returns what is wrong with a value, or nothing.
func (p *parameter) check(text string) string {
	switch p.kind {
	case aNumber:
		if n, err := strconv.Atoi(text); err != nil || n < p.min || n > p.max {
			return fmt.Sprintf("expected a number from %d to %d", p.min, p.max)
		}
	case aFlag:
		if text != "true" && text != "false" {
			return "expected true or false"
		}
	case aTime:
		if t, err := time.Parse(time.RFC3339, text); err != nil || t.Year() <= firstYear || t.Year() >= lastYear {
			return "expected a time in RFC 3339, such as 2026-01-31T18:00:00Z (a + is written %2B)"
		}
	case aChoice:
		if !slices.Contains(p.choices, text) {
			return "expected one of " + strings.Join(p.choices, ", ")
		}
	default:
		if len(text) > maxText {
			return fmt.Sprintf("expected at most %d bytes", maxText)
		}
	}
	return ""
}

// text returns a parameter's value, empty when there is none.
func (q query) text(name string) string {
	value, declared := q[name]
	if !declared {
		panic("BUG: the route does not declare the parameter " + name)
	}
	return value
}

// number returns the value of a number.
func (q query) number(name string) int {
	n, err := strconv.Atoi(q.text(name))
	if err != nil {
		panic("BUG: " + name + " was not checked")
	}
	return n
}

// flag returns the value of a flag.
func (q query) flag(name string) bool { return q.text(name) == "true" }

// time returns the value of a time, zero when there is none.
func (q query) time(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic("BUG: " + name + " was not checked")
	}
	return t
}

// span returns the times from and to, of which to must be the later one. Zero times are those that were not given.
func (q query) span() (from, to time.Time, err error) {
	from, to = q.time("from"), q.time("to")
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, badField(codeBadParameter, "to", "to: expected a time after from")
	}
	return from, to, nil
}

// The bounds of limit.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// limitAndCursor are the parameters of lists that have pages.
var limitAndCursor = []parameter{
	{name: "limit", kind: aNumber, fallback: strconv.Itoa(defaultLimit), min: 1, max: maxLimit, about: "How many items are wanted at most."},
	{name: "cursor", kind: aText, about: "The next_cursor of the page before."},
}

// page returns the items of a whole list that a query with limitAndCursor wants.
func page[T any](items []T, q query) (list[T], error) {
	at, err := uint64(0), error(nil)
	if cursor := q.text("cursor"); cursor != "" {
		if at, err = strconv.ParseUint(cursor, 36, 32); err != nil {
			return list[T]{}, badCursor()
		}
	}
	from := min(int(at), len(items))
	to := min(from+q.number("limit"), len(items))
	next := ""
	if to < len(items) {
		next = strconv.FormatUint(uint64(to), 36)
	}
	return listed(items[from:to], next), nil
}

func badCursor() error {
	return badField(codeBadParameter, "cursor", "cursor: expected the next_cursor of a page before")
}

// parameters returns several lists of parameters as one.
func parameters(of ...[]parameter) []parameter { return slices.Concat(of...) }
