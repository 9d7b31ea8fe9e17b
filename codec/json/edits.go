package json

import (
	"cmp"
	"slices"
)

// Edits are changes of a text that leave all its other bytes as they are. They may be noted in any order, but no two of them may
// overlap. The zero value changes nothing.
type Edits []Edit

// Edit puts another text in the place of a span.
type Edit struct {
	Span
	// With is borrowed until the edits are applied. Nil leaves the span out.
	With []byte
}

// AppendTo appends text with all edits applied. It sorts them.
func (e Edits) AppendTo(dst, text []byte) []byte {
	slices.SortFunc(e, func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) })
	from := 0
	for i := range e {
		dst = append(append(dst, text[from:e[i].Start]...), e[i].With...)
		from = e[i].End
	}
	return append(dst, text[from:]...)
}

// Omissions notes the edits that leave elements out of one array, or members out of one object, each with its comma. Call Keep or
// Omit for each of them in their order, and Close behind the last. The zero value is ready.
type Omissions struct {
	kept bool // one that stays is before this place
	some bool // left out are all so far, from on
	from int
	end  int
}

// Keep takes what stays: an element, or a member from its name on.
func (o *Omissions) Keep(e Edits, at Span) Edits {
	if o.some {
		e = append(e, Edit{Span: Span{Start: o.from, End: at.Start}})
		o.some = false
	}
	o.kept, o.end = true, at.End
	return e
}

// Omit takes what is left out.
func (o *Omissions) Omit(e Edits, at Span) Edits {
	switch {
	case o.kept:
		e = append(e, Edit{Span: Span{Start: o.end, End: at.End}})
	case !o.some:
		o.some, o.from = true, at.Start
	}
	o.end = at.End
	return e
}

// Close ends the walk.
func (o *Omissions) Close(e Edits) Edits {
	if o.some {
		e = append(e, Edit{Span: Span{Start: o.from, End: o.end}})
		o.some = false
	}
	return e
}
