package json

// Span is where a value lies in the text it was found in: text[Start:End]. The zero value is no value.
type Span struct {
	Start, End int
}
