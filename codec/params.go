package codec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"octopus/codec/json"
)

// Params is a merge patch over request bodies (RFC 7396, https://www.rfc-editor.org/rfc/rfc7396): its members are
// set, its nulls remove, its objects are merged into objects. It is compiled once per snapshot, shared by calls and
// never written to.
type Params struct {
	patch patch
	// withUsage is patch and stream_options.include_usage, which streams of Chat upstreams need; withoutUsage is patch without
	// stream_options, for upstreams that don't know them.
	withUsage, withoutUsage patch
}

// patch is what to do with the members of one object.
type patch []change

// change is what to do with one member.
type change struct {
	name string
	// prefix is the name as JSON with its colon, for a member that must be added.
	prefix []byte
	// value is what the member becomes where it is no object, or missing. Nil removes it.
	value []byte
	// merge is what to do inside a member that is an object, when nested is set.
	merge  patch
	nested bool
}

// maxChanges is how many members an object of a patch may have. A call ticks them off in one word, and withUsage may
// have one more.
const maxChanges = 63

// includeUsage asks a Chat upstream for the usage at the end of a stream.
var includeUsage = patch{{
	name:   "stream_options",
	prefix: []byte(`"stream_options":`),
	value:  []byte(`{"include_usage":true}`),
	merge: patch{{
		name:   "include_usage",
		prefix: []byte(`"include_usage":`),
		value:  []byte(`true`),
	}},
	nested: true,
}}

// CompileParams reads a merge patch. It returns nil for a patch that changes nothing, and an error for one that is no
// JSON object or holds an object of more than 63 members. The result keeps no reference to raw.
func CompileParams(raw []byte) (*Params, error) {
	if json.IsNull(bytes.TrimSpace(raw)) {
		return nil, nil
	}
	if err := json.Check(raw); err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	p, err := compile(raw)
	if err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	if len(p) == 0 {
		return nil, nil
	}
	return &Params{patch: p, withUsage: p.withUsage(), withoutUsage: p.without(streamOptions)}, nil
}

// compile reads one object of a patch, which is well-formed JSON.
func compile(raw []byte) (patch, error) {
	var p patch
	m := json.Object(raw)
	for m.Next() {
		c, err := compileChange(string(m.Key), m.Value())
		if err != nil {
			return nil, err
		}
		if i := p.find([]byte(c.name)); i >= 0 {
			p[i] = c // the last of two members with one name counts
			continue
		}
		if len(p) == maxChanges {
			return nil, fmt.Errorf("an object has more than %d members", maxChanges)
		}
		p = append(p, c)
	}
	if !m.Complete() {
		return nil, errors.New("not a JSON object")
	}
	return p, nil
}

func compileChange(name string, value []byte) (change, error) {
	c := change{name: name, prefix: append(json.AppendString(nil, name), ':')}
	switch {
	case json.IsNull(value):
		return c, nil
	case value[0] != '{':
		c.value = bytes.Clone(value)
		return c, nil
	}
	merge, err := compile(value)
	c.nest(merge)
	return c, err
}

// nest makes c a change of the inside of an object.
func (c *change) nest(merge patch) {
	c.merge, c.nested = merge, true
	c.value = merge.appendTo(nil, []byte("{}"), nil)
}

// withUsage returns p with includeUsage besides, unless p has its own word on that.
func (p patch) withUsage() patch {
	p = slices.Clone(p)
	i := p.find([]byte("stream_options"))
	switch {
	case i < 0:
		return append(p, includeUsage...)
	case p[i].nested && p[i].merge.find([]byte("include_usage")) < 0:
		p[i].nest(append(slices.Clone(p[i].merge), includeUsage[0].merge...))
	}
	return p
}

// without returns p with a member removed, whatever p says of it.
func (p patch) without(name string) patch {
	p = slices.DeleteFunc(slices.Clone(p), func(c change) bool { return c.name == name })
	return append(p, change{name: name})
}

// and returns p with those changes besides that it has no word of its own on.
func (p patch) and(more patch) patch {
	p = slices.Clone(p)
	for _, c := range more {
		if p.find([]byte(c.name)) < 0 {
			p = append(p, c)
		}
	}
	return p
}

// appendTo appends value, that of a member which stays, with c applied.
func (c *change) appendTo(dst, value []byte) []byte {
	if c.nested && value[0] == '{' {
		return c.merge.appendTo(dst, value, nil)
	}
	return append(dst, c.value...)
}

// find returns the index of the change of that member, or -1.
func (p patch) find(name []byte) int {
	for i := range p {
		if p[i].name == string(name) {
			return i
		}
	}
	return -1
}

// appendTo appends object, a well-formed JSON object, with p applied. Every byte that p does not speak of stays as it
// is. A model that is not nil replaces the members of that name, unless p has its own word on them.
func (p patch) appendTo(dst, object, model []byte) []byte {
	from := bytes.IndexByte(object, '{') + 1 // object[from:] is still to be appended
	dst = append(dst, object[:from]...)
	kept := len(dst) // dst[:kept] ends behind the brace or behind the last member that stays
	empty := true    // no member stays
	removed := false // the member before this one was removed
	var found uint64 // the changes whose member is there
	for m := json.Object(object); m.Next(); {
		if removed {
			from = m.KeyStart // its comma goes with it
		}
		i := p.find(m.Key)
		if removed = i >= 0 && p[i].value == nil; removed {
			dst = append(dst, object[from:m.KeyStart]...)
			from = m.End
			continue
		}
		dst = append(dst, object[from:m.Start]...)
		switch value := m.Value(); {
		case i < 0 && model != nil && string(m.Key) == "model":
			dst = append(dst, model...)
		case i < 0:
			dst = append(dst, value...)
		default:
			dst = p[i].appendTo(dst, value)
		}
		if i >= 0 {
			found |= 1 << i
		}
		from, kept, empty = m.End, len(dst), false
	}
	if removed {
		dst = dst[:kept] // the comma before the last member
	}
	for i := range p {
		if found&(1<<i) != 0 || p[i].value == nil {
			continue
		}
		if !empty {
			dst = append(dst, ',')
		}
		dst = append(append(dst, p[i].prefix...), p[i].value...)
		empty = false
	}
	return append(dst, object[from:]...)
}
