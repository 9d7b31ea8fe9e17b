package admin

import (
	"encoding/json"
	"time"

	"github.com/valyala/fasthttp"
)

// answerJSON makes value the body of the answer.
func answerJSON(ctx *fasthttp.RequestCtx, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic("BUG: an answer is no JSON: " + err.Error())
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(body)
}

// list is the form of every list. NextCursor is what the query parameter cursor must be for the rest, null at the end.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// listed returns a list; no items are an empty array. next is empty at the end.
func listed[T any](items []T, next string) list[T] {
	if items == nil {
		items = []T{}
	}
	l := list[T]{Items: items}
	if next != "" {
		l.NextCursor = &next
	}
	return l
}

// moment returns t as answers have it: in UTC, to the microsecond.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// optionalMoment is moment, nil for the zero time.
func optionalMoment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = moment(t)
	return &t
}

// milliseconds returns d as answers have it.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// optionalMilliseconds is milliseconds, nil for zero.
func optionalMilliseconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	ms := milliseconds(d)
	return &ms
}

// optional returns a pointer to text, nil when it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
