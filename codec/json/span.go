package json

// Span is where a value lies in the text it was found in: text[Start:End]. The zero value is no value.
type Span struct {
	Start, End int
}

// Within returns where a span of a part of a text lies in the whole, the part beginning at start.
func (s Span) Within(start int) Span { return Span{Start: start + s.Start, End: start + s.End} }
