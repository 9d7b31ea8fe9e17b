package messages

import (
	"bytes"
	"strings"

	"octopus/codec/json"
)

// maxSchemaDepth is how deep schemas are looked into. Deeper ones exist only to keep a parser busy.
const maxSchemaDepth = 64

// appendInputSchema appends the schema of a tool's input as Anthropic wants it: an object's, without $schema and without
// members that are null (protocols.md B.5). Apart from that it stays byte by byte as it was.
func appendInputSchema(dst, schema []byte) []byte {
	if json.IsNull(schema) || schema[0] != '{' {
		return append(dst, `{"type":"object","properties":{}}`...)
	}
	kind := json.Get(schema, "type")
	isObject := string(kind) == `"object"`
	if isObject && !bytes.Contains(schema, []byte("null")) && !bytes.Contains(schema, []byte(`"$schema"`)) {
		return append(dst, schema...)
	}
	// Slow path: the outer object is written anew.
	dst = append(dst, '{')
	open := len(dst)
	if kind == nil {
		dst = append(dst, `"type":"object"`...)
	}
	m := json.Object(schema)
	for m.Next() {
		switch {
		case string(m.Key) == "$schema", json.IsNull(m.Value()):
			continue
		case len(dst) > open:
			dst = append(dst, ',')
		}
		dst = append(json.AppendString(dst, m.Key), ':')
		if string(m.Key) == "type" && !isObject {
			dst = append(dst, `"object"`...)
		} else {
			dst = appendWithoutNulls(dst, m.Value(), string(m.Key), maxSchemaDepth)
		}
	}
	if len(dst) == open {
		dst = append(dst, `"type":"object"`...)
	}
	return append(dst, '}')
}

// appendWithoutNulls appends a value of a schema, members that are null left out wherever null is no value of its own.
func appendWithoutNulls(dst, value []byte, name string, depth int) []byte {
	if depth == 0 || !bytes.Contains(value, []byte("null")) || name == "enum" || name == "const" || name == "default" {
		return append(dst, value...)
	}
	switch value[0] {
	case '{':
		dst = append(dst, '{')
		open := len(dst)
		m := json.Object(value)
		for m.Next() {
			key := string(m.Key)
			if json.IsNull(m.Value()) && key != "const" && key != "default" {
				continue
			}
			if len(dst) > open {
				dst = append(dst, ',')
			}
			dst = append(json.AppendString(dst, m.Key), ':')
			dst = appendWithoutNulls(dst, m.Value(), key, depth-1)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		open := len(dst)
		e := json.Array(value)
		for e.Next() {
			if len(dst) > open {
				dst = append(dst, ',')
			}
			dst = appendWithoutNulls(dst, e.Value(), "", depth-1)
		}
		return append(dst, ']')
	}
	return append(dst, value...)
}

// maxOptional is how many properties of an answer's schema may be optional, maxReferences how many references are followed.
const (
	maxOptional   = 10
	maxReferences = 1000
)

// appendAnswerSchema appends the schema of an answer as output_config.format takes it, with the rules that the official SDKs
// apply (protocols.md D.8): what the format can't say moves into descriptions. It returns false for schemas that can't be
// said at all: recursive ones, open objects, many optional properties, references to elsewhere.
func appendAnswerSchema(dst, schema []byte) ([]byte, bool) {
	s := sanitizer{root: schema}
	start := len(dst)
	dst = s.append(dst, schema, maxSchemaDepth)
	if s.failed || s.optional > maxOptional || len(s.refs) > maxReferences || s.recursive() {
		return dst[:start], false
	}
	return dst, true
}

// sanitizer walks over one schema.
type sanitizer struct {
	root     []byte
	optional int
	failed   bool
	refs     []reference
	within   string // the definition that is being walked over
}

// reference says that one definition refers to another. The empty name is the root.
type reference struct{ from, to string }

// append appends one schema.
func (s *sanitizer) append(dst, schema []byte, depth int) []byte {
	if depth == 0 || len(schema) == 0 || schema[0] != '{' {
		s.failed = true
		return dst
	}
	var description []byte
	var constraints []byte
	var properties, required, open []byte
	isObject := false
	dst = append(dst, '{')
	start := len(dst)
	m := json.Object(schema)
	for m.Next() {
		value := m.Value()
		if json.IsNull(value) && string(m.Key) != "const" && string(m.Key) != "default" {
			continue
		}
		switch key := string(m.Key); key {
		case "description":
			description, _ = json.Unquote(value)
		case "type":
			isObject = isObject || json.NamesObject(value)
			dst = appendMember(dst, start, key, value)
		case "$ref":
			s.refer(value)
			dst = appendMember(dst, start, key, definitionsToDefs(value))
		case "enum", "const", "default", "title":
			dst = appendMember(dst, start, key, value)
		case "required":
			required = value
			dst = appendMember(dst, start, key, value)
		case "anyOf", "oneOf", "allOf":
			if key == "oneOf" {
				key = "anyOf"
			}
			dst = s.appendList(appendKey(dst, start, key), value, depth-1)
		case "items":
			dst = s.append(appendKey(dst, start, key), value, depth-1)
		case "properties":
			properties, isObject = value, true
			dst = s.appendMap(appendKey(dst, start, key), value, depth-1, false)
		case "$defs", "definitions":
			dst = s.appendMap(appendKey(dst, start, "$defs"), value, depth-1, true)
		case "additionalProperties":
			open = value
		case "patternProperties":
			s.failed = true
		case "format":
			if isKnownFormat(value) {
				dst = appendMember(dst, start, key, value)
			} else {
				constraints = appendConstraint(constraints, key, value)
			}
		case "$schema", "$id", "$comment":
		default:
			constraints = appendConstraint(constraints, key, value)
		}
	}
	if !m.Complete() || open != nil && string(open) != "false" {
		s.failed = true
	}
	if isObject {
		if properties == nil || json.IsEmpty(properties) {
			s.failed = true
		}
		s.countOptional(properties, required)
		dst = append(appendKey(dst, start, "additionalProperties"), "false"...)
	}
	if len(constraints) > 0 {
		if len(description) > 0 {
			description = append(bytes.Clone(description), "\n\n"...)
		}
		description = append(append(append(description, '{'), constraints...), '}')
	}
	if len(description) > 0 {
		dst = json.AppendString(appendKey(dst, start, "description"), description)
	}
	return append(dst, '}')
}

// appendKey appends the name of a member of the object that begins at start.
func appendKey(dst []byte, start int, key string) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	return append(json.AppendString(dst, key), ':')
}

func appendMember(dst []byte, start int, key string, value []byte) []byte {
	return append(appendKey(dst, start, key), value...)
}

// appendConstraint appends a keyword to those that move into the description.
func appendConstraint(dst []byte, key string, value []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, ", "...)
	}
	return append(append(append(dst, key...), ": "...), value...)
}

func (s *sanitizer) appendList(dst, list []byte, depth int) []byte {
	dst = append(dst, '[')
	open := len(dst)
	e := json.Array(list)
	for e.Next() {
		if len(dst) > open {
			dst = append(dst, ',')
		}
		dst = s.append(dst, e.Value(), depth)
	}
	s.failed = s.failed || !e.Complete()
	return append(dst, ']')
}

// appendMap appends named schemas, properties or definitions.
func (s *sanitizer) appendMap(dst, object []byte, depth int, definitions bool) []byte {
	dst = append(dst, '{')
	start := len(dst)
	m := json.Object(object)
	for m.Next() {
		dst = appendKey(dst, start, string(m.Key))
		outer := s.within
		if definitions {
			s.within = string(m.Key)
		}
		dst = s.append(dst, m.Value(), depth)
		s.within = outer
	}
	s.failed = s.failed || !m.Complete()
	return append(dst, '}')
}

// refer notes a reference. Only those to definitions of the same schema can be followed.
func (s *sanitizer) refer(value []byte) {
	target, _ := json.Unquote(definitionsToDefs(value))
	name, ok := strings.CutPrefix(string(target), "#/$defs/")
	if !ok || strings.Contains(name, "/") {
		s.failed = true
		return
	}
	s.refs = append(s.refs, reference{s.within, name})
}

func definitionsToDefs(value []byte) []byte {
	if rest, ok := bytes.CutPrefix(value, []byte(`"#/definitions/`)); ok {
		return append([]byte(`"#/$defs/`), rest...)
	}
	return value
}

// recursive reports whether a definition leads back to itself: whether, after taking away again and again those that refer to
// none of the rest, something remains.
func (s *sanitizer) recursive() bool {
	refs := s.refs
	for {
		referring := make(map[string]bool, len(refs))
		for _, r := range refs {
			referring[r.from] = true
		}
		var rest []reference
		for _, r := range refs {
			if referring[r.to] {
				rest = append(rest, r)
			}
		}
		if len(rest) == len(refs) {
			return len(refs) > 0
		}
		refs = rest
	}
}

func (s *sanitizer) countOptional(properties, required []byte) {
	names := make(map[string]bool)
	e := json.Array(required)
	for e.Next() {
		name, _ := json.Unquote(e.Value())
		names[string(name)] = true
	}
	m := json.Object(properties)
	for m.Next() {
		if !names[string(m.Key)] {
			s.optional++
		}
	}
}

// isKnownFormat reports whether the keyword format may have this value.
func isKnownFormat(value []byte) bool {
	switch string(value) {
	case `"date-time"`, `"time"`, `"date"`, `"duration"`, `"email"`, `"hostname"`, `"uri"`, `"ipv4"`, `"ipv6"`, `"uuid"`:
		return true
	}
	return false
}
