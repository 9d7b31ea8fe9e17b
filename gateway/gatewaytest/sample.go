package gatewaytest

// sample makes values that fit a JSON schema, with these separators.
type sample struct{ comma, colon string }

// How arguments are written, and how a text is.
var (
	compact  = sample{comma: ",", colon: `":`}
	readable = sample{comma: ", ", colon: `": `}
)

// maxSchemaDepth bounds what is made of nested schemas.
const maxSchemaDepth = 4

// appendObject appends a JSON object that fits a simple JSON schema: every property, with the first value its enum
// allows or a plausible one of its type.
func (m sample) appendObject(dst, schema []byte, depth int) []byte {
	dst = append(dst, '{')
	separator := ""
	for key, property := range members(member(schema, "properties")) {
		dst = put(dst, separator, `"`, key, m.colon)
		separator = m.comma
		dst = m.appendValue(dst, property, depth)
	}
	return append(dst, '}')
}

func (m sample) appendValue(dst, schema []byte, depth int) []byte {
	for _, key := range [...]string{"const", "default"} {
		if value := member(schema, key); value != nil {
			return append(dst, value...)
		}
	}
	for value := range elements(member(schema, "enum")) {
		return append(dst, value...)
	}
	kind := member(schema, "type")
	for first := range elements(kind) { // "type": ["string", "null"]
		kind = first
		break
	}
	switch string(kind) {
	case `"integer"`:
		return append(dst, '1')
	case `"number"`:
		return append(dst, "1.5"...)
	case `"boolean"`:
		return append(dst, "true"...)
	case `"null"`:
		return append(dst, "null"...)
	case `"array"`:
		if items := member(schema, "items"); items != nil && depth < maxSchemaDepth {
			return append(m.appendValue(append(dst, '['), items, depth+1), ']')
		}
		return append(dst, "[]"...)
	case `"object"`:
		if depth < maxSchemaDepth {
			return m.appendObject(dst, schema, depth+1)
		}
		return append(dst, "{}"...)
	}
	return append(dst, `"example"`...)
}
