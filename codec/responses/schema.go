package responses

import "octopus/codec/json"

// maxSchemaDepth is how deep a schema may be nested to be looked at. The API itself takes 10 levels.
const maxSchemaDepth = 32

// isStrictSchema reports whether a JSON schema keeps to the subset that the API takes with strict: objects list all their
// properties as required and allow no others, and no unsupported keyword is used
// (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas).
func isStrictSchema(schema []byte) bool {
	return string(json.Get(schema, "type")) == `"object"` && strictLevel(schema, 0)
}

func strictLevel(schema []byte, depth int) bool {
	if depth > maxSchemaDepth {
		return false
	}
	var properties, required []byte
	object, closed := false, false
	m := json.Object(schema)
	for m.Next() {
		value := m.Value()
		switch string(m.Key) {
		case "type":
			object = isObjectType(value)
		case "properties":
			properties = value
		case "required":
			required = value
		case "additionalProperties":
			closed = string(value) == "false"
		case "items":
			if !strictLevel(value, depth+1) {
				return false
			}
		case "anyOf":
			e := json.Array(value)
			for e.Next() {
				if !strictLevel(e.Value(), depth+1) {
					return false
				}
			}
		case "$defs", "definitions":
			if !strictMembers(value, depth+1) {
				return false
			}
		case "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
			"propertyNames", "minProperties", "maxProperties", "unevaluatedProperties", "unevaluatedItems", "contains",
			"minContains", "maxContains", "uniqueItems", "prefixItems", "default", "examples":
			return false
		}
	}
	if !m.Complete() {
		return false
	}
	if !object && properties == nil {
		return true
	}
	return closed && requiresAll(properties, required) && strictMembers(properties, depth+1)
}

// isObjectType reports whether the value of type is "object", alone or in a list.
func isObjectType(value []byte) bool {
	if string(value) == `"object"` {
		return true
	}
	e := json.Array(value)
	for e.Next() {
		if string(e.Value()) == `"object"` {
			return true
		}
	}
	return false
}

// strictMembers looks at the schemas that are the members of an object.
func strictMembers(object []byte, depth int) bool {
	m := json.Object(object)
	for m.Next() {
		if !strictLevel(m.Value(), depth) {
			return false
		}
	}
	return true
}

// requiresAll reports whether each property is in the list.
func requiresAll(properties, required []byte) bool {
	listed := make(map[string]bool)
	e := json.Array(required)
	for e.Next() {
		listed[stringOf(e.Value())] = true
	}
	m := json.Object(properties)
	for m.Next() {
		if !listed[string(m.Key)] {
			return false
		}
	}
	return true
}
