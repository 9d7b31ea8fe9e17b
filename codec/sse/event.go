package sse

import "bytes"

// Event is one block of a stream, up to and including the blank line that ends it. It may be all comment. Its bytes are
// borrowed: they are valid until the next call of a method of the Reader.
type Event struct {
	// Raw is every byte of the block as it came.
	Raw []byte
	// Name is the value of the last event field, or nil.
	Name []byte
	// Data is the value of the data field; of several data fields, the values joined by a newline each.
	Data []byte
	// Lines counts the data fields. Zero means that there is no data: a comment, a lone name, or blank lines.
	Lines int
	// Copied tells that Raw lies in the Reader's own buffer, not in the bytes that were fed: the block arrived in
	// pieces.
	Copied bool

	dataStart int // offset in Raw of the first data field's value
}

// parse sets the fields of e from the bytes of one block, a byte order mark of skip bytes left out. Data of several
// lines is joined in the given buffer, which is returned.
func (e *Event) parse(raw []byte, skip int, joined []byte) []byte {
	*e = Event{Raw: raw}
	for i := skip; i < len(raw); {
		end, next := lineEnd(raw, i)
		field, value := splitField(raw[i:end])
		switch string(field) {
		case "data":
			switch e.Lines++; e.Lines {
			case 1:
				e.Data, e.dataStart = value, end-len(value)
			case 2:
				joined = append(joined[:0], e.Data...)
				fallthrough
			default:
				joined = append(append(joined, '\n'), value...)
				e.Data = joined
			}
		case "event":
			e.Name = value
		}
		i = next
	}
	return joined
}

// Locate returns the offset in Raw of Data[i]. It must not be a newline that joins two lines.
func (e *Event) Locate(i int) int {
	if e.Lines == 1 {
		return e.dataStart + i
	}
	for at := e.dataStart; ; {
		end, next := lineEnd(e.Raw, at)
		if i <= end-at {
			return at + i
		}
		i -= end - at + 1
		// On to the next data field.
		for at = next; ; at = next {
			end, next = lineEnd(e.Raw, at)
			if field, value := splitField(e.Raw[at:end]); string(field) == "data" {
				at = end - len(value)
				break
			}
		}
	}
}

// splitField returns the name and the value of the field that line is. A comment has an empty name.
func splitField(line []byte) (name, value []byte) {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return line, line[len(line):]
	}
	name, value = line[:i], line[i+1:]
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	return name, value
}

// lineEnd returns where the line that contains b[i] ends and where the next one begins. The end of b ends a line too.
func lineEnd(b []byte, i int) (end, next int) {
	end, next = len(b), len(b)
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		end, next = i+n, i+n+1
	}
	if n := bytes.IndexByte(b[i:end], '\r'); n >= 0 {
		// The carriage return of a CRLF belongs to the newline behind it; any other ends a line of its own.
		if i+n+1 != end || next == end {
			next = i + n + 1
		}
		end = i + n
	}
	return end, next
}
