package chat

import "strconv"

// place is where a value stands in the client's body: a member of an object, or an element of an array when it has no
// name. Places are linked upwards and put into words only for an error.
type place struct {
	up    *place
	name  string
	index int
}

// String returns the JSON path: messages[3].content[0].image_url.url.
func (p *place) String() string { return string(p.append(nil)) }

func (p *place) append(dst []byte) []byte {
	if p.up != nil {
		dst = p.up.append(dst)
	}
	if p.name == "" {
		dst = strconv.AppendInt(append(dst, '['), int64(p.index), 10)
		return append(dst, ']')
	}
	if len(dst) > 0 {
		dst = append(dst, '.')
	}
	return append(dst, p.name...)
}
