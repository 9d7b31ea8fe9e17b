package requestlog

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"octopus/admin/store"
	"octopus/gateway/outcome"
)

// Query says which rows are wanted. The zero value wants them all. Fields that are empty or zero are no condition.
type Query struct {
	// From, which is part of it, and To, which is not, bound the time at which rows were written.
	From, To time.Time
	// Status is an HTTP status, or from 1 to 5 a class of them (5 is 500 to 599).
	Status int
	// Class is how the request ended; Failed wants all that did not succeed.
	Class  *outcome.Class
	Failed bool
	// Group, Channel, Model and APIKey are names; Group and APIKey may be ids as well. Model is the requested one or an
	// attempt's; Channel that of any attempt.
	Group, Channel, Model, APIKey string
	// Text must be part of the id, the message, the model or an attempt's message, in upper or lower case.
	Text string
	// Limit is how many rows are wanted at most, 1 to MaxLimit; zero means DefaultLimit.
	Limit int
	// Cursor is the Page.Next of the page before.
	Cursor string
}

// The bounds of Query.Limit.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// searchTime bounds one search: a condition that few rows meet gives short pages rather than slow ones.
const searchTime = 30 * time.Millisecond

// Page is some rows, the newest first.
type Page struct {
	Rows []*Row
	// Next is the cursor of the page after this one, empty when there is none. A page may be short, or empty, and yet have a
	// next one: the search goes on there.
	Next string
}

// ErrCursor is returned for a cursor that is none.
var ErrCursor = errors.New("requestlog: not a cursor of this log")

// Search returns the newest rows that a query wants.
func (l *Log) Search(q Query) (Page, error) {
	from, to := firstNumber(q.From), uint64(math.MaxUint64)
	if !q.To.IsZero() {
		to = firstNumber(q.To)
	}
	if q.Cursor != "" {
		before, err := strconv.ParseUint(q.Cursor, 36, 64)
		if err != nil {
			return Page{}, ErrCursor
		}
		to = min(to, before)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	wanted := q.Filter()
	var page Page
	var bad error
	until := time.Now().Add(l.searchTime)
	var records [][]byte
	seen := 0 // rows, of all blocks: a quiet server's blocks have one row each
	err := l.store.Scan(store.Range{From: blockKey(nil, from), To: blockKey(nil, to), Reverse: true}, func(key, stored []byte) bool {
		if records, bad = splitBlock(records[:0], stored); bad != nil {
			return false
		}
		first := numberOf(key)
		for i := len(records) - 1; i >= 0; i-- {
			number := first + uint64(i)
			if number >= to {
				continue
			}
			if len(page.Rows) == limit || seen%64 == 63 && time.Now().After(until) {
				page.Next = strconv.FormatUint(number+1, 36)
				return false
			}
			seen++
			var row *Row
			if row, bad = readRow(records[i]); bad != nil {
				return false
			}
			if row.Number = number; wanted(row) {
				page.Rows = append(page.Rows, row)
			}
		}
		return true
	})
	return page, errors.Join(err, bad)
}

// Filter returns what reports whether a row meets the conditions other than time. Several goroutines may call it at once.
func (q Query) Filter() func(*Row) bool {
	q.Text = strings.ToLower(q.Text)
	return q.wants
}

// wants reports whether a row meets the conditions other than time. Text is in lower case.
func (q *Query) wants(r *Row) bool {
	switch {
	case q.Status > 5 && r.Status != q.Status || q.Status > 0 && q.Status <= 5 && r.Status/100 != q.Status:
		return false
	case q.Class != nil && r.Class != *q.Class || q.Failed && r.Class == outcome.ClassNone:
		return false
	case q.Group != "" && r.Group != q.Group && r.GroupID != q.Group:
		return false
	case q.APIKey != "" && r.APIKeyName != q.APIKey && r.APIKeyID != q.APIKey:
		return false
	case q.Channel != "" && !r.attempted(func(a *outcome.Attempt) bool { return a.Channel == q.Channel || a.ChannelID == q.Channel }):
		return false
	case q.Model != "" && r.Requested != q.Model && !r.attempted(func(a *outcome.Attempt) bool { return a.Model == q.Model }):
		return false
	}
	return q.Text == "" || contains(r.ID, q.Text) || contains(r.Message, q.Text) || contains(r.Requested, q.Text) ||
		r.attempted(func(a *outcome.Attempt) bool { return contains(a.Message, q.Text) || contains(a.Model, q.Text) })
}

// attempted reports whether any attempt is of a kind.
func (r *Row) attempted(is func(*outcome.Attempt) bool) bool {
	for i := range r.Attempts {
		if is(&r.Attempts[i]) {
			return true
		}
	}
	return false
}

// contains reports whether a text has a part, which is in lower case, in any case.
func contains(text, part string) bool { return strings.Contains(strings.ToLower(text), part) }
