package json

// IsStrictSchema reports whether OpenAI accepts a JSON schema as strict: every object closed, all of its properties
// required, no keyword beyond those that are enforced
// (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). The root must be an object. False is always the
// safe answer: the schema is then sent as one to follow where possible.
func IsStrictSchema(schema []byte) bool {
	return string(Get(schema, "type")) == `"object"` && IsNull(Get(schema, "anyOf")) &&
		isStrict(schema, maxStrictDepth)
}

// maxStrictDepth is how deep OpenAI lets strict schemas be nested, their inner levels (properties, items) counted too.
const maxStrictDepth = 20

func isStrict(schema []byte, depth int) bool {
	if depth == 0 || len(schema) == 0 || schema[0] != '{' {
		return false
	}
	var properties, required, closed []byte
	object := false
	m := Object(schema)
	for m.Next() {
		value := m.Value()
		switch string(m.Key) {
		case "type":
			object = object || NamesObject(value)
		case "properties":
			properties = value
		case "required":
			required = value
		case "additionalProperties":
			closed = value
		case "items":
			if !isStrict(value, depth-1) {
				return false
			}
		case "anyOf":
			for e := Array(value); e.Next(); {
				if !isStrict(e.Value(), depth-1) {
					return false
				}
			}
		case "$defs", "definitions":
			if !eachIsStrict(value, depth-1) {
				return false
			}
		case "$ref", "$schema", "$id", "title", "description", "enum", "const", "pattern", "format", "multipleOf",
			"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems":
		default:
			return false
		}
	}
	if !object && properties == nil {
		return true
	}
	return string(closed) == "false" && eachIsStrict(properties, depth-1) && requiresAll(properties, required)
}

// NamesObject reports whether the value of a schema's "type" is object, or an array with object in it.
func NamesObject(value []byte) bool {
	if string(value) == `"object"` {
		return true
	}
	for e := Array(value); e.Next(); {
		if string(e.Value()) == `"object"` {
			return true
		}
	}
	return false
}

// eachIsStrict reports whether all values of an object are strict schemas. Nil is an object without any.
func eachIsStrict(object []byte, depth int) bool {
	m := Object(object)
	for m.Next() {
		if !isStrict(m.Value(), depth) {
			return false
		}
	}
	return object == nil || m.Complete()
}

// requiresAll reports whether the array required names all properties.
func requiresAll(properties, required []byte) bool {
	names := make(map[string]bool)
	for e := Array(required); e.Next(); {
		if name, ok := Unquote(e.Value()); ok {
			names[string(name)] = true
		}
	}
	m := Object(properties)
	for m.Next() {
		if !names[string(m.Key)] {
			return false
		}
	}
	return true
}
