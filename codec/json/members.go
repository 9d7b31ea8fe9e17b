package json

import "bytes"

// Members walks over the members of one object, in the order of the text, without allocating.
//
//	m := json.Object(body)
//	for m.Next() {
//		switch string(m.Key) {
//		case "model":
//			model = m.Value()
//		}
//	}
//	if !m.Complete() { … }
//
// Make one with Object. A Members may not be copied while it is in use.
type Members struct {
	// Key is the name of the current member, decoded. It aliases the text unless the name is written with escapes; then
	// it is valid until the next call of Next.
	Key []byte
	// KeyStart is the offset of the quote that opens the name.
	KeyStart int
	// Span is where the value lies.
	Span

	text    []byte
	at      int
	state   walk
	scratch []byte
}

// walk is where a cursor stands in its object or array.
type walk uint8

const (
	atOpen  walk = iota // before the opening bracket
	atItem              // after a member or element
	atEnd               // after the closing bracket, nothing but white space behind it
	atFault             // the text is not what it should be
)

// Object returns a cursor over the object that text is. White space may stand around it, nothing else.
func Object(text []byte) Members { return Members{text: text} }

// Next goes to the next member. It returns false when there is none, or when the text is not well-formed: Complete
// tells which.
func (m *Members) Next() bool {
	if m.state >= atEnd {
		return false
	}
	i := skipSpace(m.text, m.at)
	if i >= len(m.text) {
		return m.fault()
	}
	if m.state == atOpen {
		if m.text[i] != '{' {
			return m.fault()
		}
		if i = skipSpace(m.text, i+1); i < len(m.text) && m.text[i] == '}' {
			return m.close(i + 1)
		}
	} else {
		if m.text[i] == '}' {
			return m.close(i + 1)
		}
		if m.text[i] != ',' {
			return m.fault()
		}
		i = skipSpace(m.text, i+1)
	}
	if i >= len(m.text) || m.text[i] != '"' {
		return m.fault()
	}
	m.KeyStart = i
	if i = m.readKey(i + 1); i < 0 {
		return m.fault()
	}
	i = skipSpace(m.text, i)
	if i >= len(m.text) || m.text[i] != ':' {
		return m.fault()
	}
	start, end, ok := Skip(m.text, i+1)
	if !ok {
		return m.fault()
	}
	m.Span, m.at, m.state = Span{start, end}, end, atItem
	return true
}

// readKey sets Key to the string whose first byte, the quote left out, is text[i]. It returns the offset behind the
// closing quote, or -1.
func (m *Members) readKey(i int) int {
	// Names are short: a plain loop beats two calls of IndexByte.
	for j := i; j < len(m.text); j++ {
		switch m.text[j] {
		case '"':
			m.Key = m.text[i:j]
			return j + 1
		case '\\':
			// Slow path: nobody writes escapes in names, but "mod\u0065l" is the name model all the same.
			_, end, ok := Skip(m.text, i-1)
			if !ok {
				return -1
			}
			m.scratch, ok = AppendUnquoted(m.scratch[:0], m.text[i-1:end])
			if !ok {
				return -1
			}
			m.Key = m.scratch
			return end
		}
	}
	return -1
}

// Value returns the text of the current member's value.
func (m *Members) Value() []byte { return m.text[m.Start:m.End] }

// Complete reports, once Next has returned false, whether the whole text was one well-formed object.
func (m *Members) Complete() bool { return m.state == atEnd }

func (m *Members) close(i int) bool {
	m.state = atEnd
	if skipSpace(m.text, i) < len(m.text) {
		return m.fault()
	}
	return false
}

func (m *Members) fault() bool {
	m.state = atFault
	return false
}

// Get returns the value of the member with that name in the object that text is, or nil when there is no such member or
// no such object. Of members with one name the last one counts, as everywhere in Octopus.
func Get(text []byte, name string) []byte {
	var value []byte
	m := Object(text)
	for m.Next() {
		if string(m.Key) == name {
			value = m.Value()
		}
	}
	if !m.Complete() {
		return nil
	}
	return value
}

// IsNull reports whether value, as a cursor returns it, is null or missing.
func IsNull(value []byte) bool { return len(value) == 0 || string(value) == "null" }

// Truthy reports whether value, as a cursor returns it, counts as true in JavaScript, which is how clients look whether
// there is an error.
func Truthy(value []byte) bool {
	switch string(value) {
	case "", "null", "false", "0", `""`:
		return false
	}
	return true
}

// IsEmpty reports whether value, as a cursor returns it, is missing, null, or a string, array or object with nothing
// inside.
func IsEmpty(value []byte) bool {
	if IsNull(value) {
		return true
	}
	switch value[0] {
	case '"':
		return len(value) == 2
	case '[', '{':
		return len(bytes.TrimLeft(value[1:len(value)-1], " \t\r\n")) == 0
	}
	return false
}
