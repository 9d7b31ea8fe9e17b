package json

// Elements walks over the elements of one array, in order, without allocating. Make one with Array.
type Elements struct {
	// Span is where the current element lies.
	Span

	text  []byte
	at    int
	state walk
}

// Array returns a cursor over the array that text is. White space may stand around it, nothing else.
func Array(text []byte) Elements { return Elements{text: text} }

// Next goes to the next element. It returns false when there is none, or when the text is not well-formed: Complete
// tells which.
func (e *Elements) Next() bool {
	if e.state >= atEnd {
		return false
	}
	i := skipSpace(e.text, e.at)
	if i >= len(e.text) {
		return e.fault()
	}
	if e.state == atOpen {
		if e.text[i] != '[' {
			return e.fault()
		}
		if i = skipSpace(e.text, i+1); i < len(e.text) && e.text[i] == ']' {
			return e.close(i + 1)
		}
	} else {
		if e.text[i] == ']' {
			return e.close(i + 1)
		}
		if e.text[i] != ',' {
			return e.fault()
		}
		i++
	}
	start, end, ok := Skip(e.text, i)
	if !ok {
		return e.fault()
	}
	e.Span, e.at, e.state = Span{start, end}, end, atItem
	return true
}

// Value returns the text of the current element.
func (e *Elements) Value() []byte { return e.text[e.Start:e.End] }

// Complete reports, once Next has returned false, whether the whole text was one well-formed array.
func (e *Elements) Complete() bool { return e.state == atEnd }

func (e *Elements) close(i int) bool {
	e.state = atEnd
	if skipSpace(e.text, i) < len(e.text) {
		return e.fault()
	}
	return false
}

func (e *Elements) fault() bool {
	e.state = atFault
	return false
}
