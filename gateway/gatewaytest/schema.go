package gatewaytest

import (
	"fmt"
	"slices"
	"strings"
)

// functionSchema returns why OpenAI refuses the parameters of a function, or nothing.
func functionSchema(schema []byte) string {
	if kind := decoded(member(schema, "type")); kind != "object" {
		if kind == "" {
			kind = "None"
		}
		return fmt.Sprintf(`schema must be a JSON Schema of 'type: "object"', got 'type: "%s"'.`, kind)
	}
	return walkSchema(schema, nil, func(s []byte, context string) string {
		if decoded(member(s, "type")) == "array" && member(s, "items") == nil {
			return "In context=" + context + ", array schema missing items."
		}
		return ""
	})
}

// notStrict are the keywords that OpenAI's strict mode doesn't know
// (https://platform.openai.com/docs/guides/structured-outputs, 2026).
var notStrict = []string{
	"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties", "propertyNames",
	"unevaluatedProperties", "unevaluatedItems", "minProperties", "maxProperties", "uniqueItems", "contains", "default",
}

// strictSchema returns why a schema is outside the subset of OpenAI's strict mode, or nothing.
func strictSchema(schema []byte) string {
	if kind := decoded(member(schema, "type")); kind != "object" {
		if kind == "" {
			kind = "None"
		}
		return fmt.Sprintf(`schema must be a JSON Schema of 'type: "object"', got 'type: "%s"'.`, kind)
	}
	return walkSchema(schema, nil, func(s []byte, context string) string {
		for _, keyword := range notStrict {
			if member(s, keyword) != nil {
				return fmt.Sprintf("In context=%s, '%s' is not permitted.", context, keyword)
			}
		}
		if !isObjectSchema(s) {
			return ""
		}
		if string(member(s, "additionalProperties")) != "false" {
			return "In context=" + context + ", 'additionalProperties' is required to be supplied and to be false."
		}
		for key := range members(member(s, "properties")) {
			if !requires(s, key) {
				return fmt.Sprintf("In context=%s, 'required' is required to be supplied and to be an array including every key in "+
					"properties. Missing '%s'.", context, decodedKey(key))
			}
		}
		return ""
	})
}

// notFormats are the keywords that Anthropic's structured outputs don't know
// (https://platform.claude.com/docs/en/build-with-claude/structured-outputs, 2026).
var notFormats = []string{
	"oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties", "propertyNames",
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
	"uniqueItems", "minProperties", "maxProperties", "contains",
}

// stringFormats are the formats of strings that Anthropic knows.
var stringFormats = []string{
	"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
}

// maxOptional is how many properties may be optional in a schema of Anthropic's.
const maxOptional = 24

// formatSchema returns why a schema is outside the subset of Anthropic's structured outputs, or nothing.
func formatSchema(schema []byte) string {
	optional := 0
	why := walkSchema(schema, nil, func(s []byte, _ string) string {
		kind := decoded(member(s, "type"))
		for _, keyword := range notFormats {
			if member(s, keyword) != nil {
				return fmt.Sprintf("For '%s' type, property '%s' is not supported", kind, keyword)
			}
		}
		if format := decoded(member(s, "format")); format != "" && !slices.Contains(stringFormats, format) {
			return fmt.Sprintf("String format '%s' is not supported", format)
		}
		if least := string(member(s, "minItems")); least != "" && least != "0" && least != "1" {
			return fmt.Sprintf("For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: %s)", least)
		}
		if !isObjectSchema(s) {
			return ""
		}
		if string(member(s, "additionalProperties")) != "false" {
			return "For 'object' type, 'additionalProperties' must be explicitly set to false"
		}
		for key := range members(member(s, "properties")) {
			if !requires(s, key) {
				optional++
			}
		}
		return ""
	})
	switch {
	case why != "":
		return why
	case optional > maxOptional:
		return fmt.Sprintf("Schemas contains too many optional parameters (%d), limit: %d", optional, maxOptional)
	case recursive(schema):
		return "Recursive schemas are not supported"
	}
	return ""
}

// isObjectSchema reports whether a schema describes objects.
func isObjectSchema(schema []byte) bool {
	kind := member(schema, "type")
	if decoded(kind) == "object" || member(schema, "properties") != nil {
		return true
	}
	for one := range elements(kind) {
		if decoded(one) == "object" {
			return true
		}
	}
	return false
}

// requires reports whether the object schema lists key, which is as spelled, among its required ones.
func requires(schema, key []byte) bool {
	for one := range elements(member(schema, "required")) {
		if decoded(one) == decodedKey(key) {
			return true
		}
	}
	return false
}

// walkSchema shows a schema and those in it to check, which is also told where they are, until it objects.
func walkSchema(schema []byte, context []string, check func(schema []byte, context string) string) string {
	shown := "()"
	if len(context) > 0 {
		shown = "('" + strings.Join(context, "', '") + "')"
	}
	if why := check(schema, shown); why != "" {
		return why
	}
	in := func(keys ...string) []string { return append(slices.Clone(context), keys...) }
	for _, table := range [...]string{"properties", "$defs", "definitions"} {
		for key, inner := range members(member(schema, table)) {
			if why := walkSchema(inner, in(table, decodedKey(key)), check); why != "" {
				return why
			}
		}
	}
	for _, list := range [...]string{"anyOf", "allOf", "oneOf", "prefixItems"} {
		i := 0
		for inner := range elements(member(schema, list)) {
			if why := walkSchema(inner, in(list, fmt.Sprint(i)), check); why != "" {
				return why
			}
			i++
		}
	}
	if items := member(schema, "items"); items != nil {
		return walkSchema(items, in("items"), check)
	}
	return ""
}

// recursive reports whether a definition of the schema refers to itself, perhaps by way of others.
func recursive(schema []byte) bool {
	refers := map[string][]string{}
	for _, table := range [...]string{"$defs", "definitions"} {
		for key, definition := range members(member(schema, table)) {
			from := "#/" + table + "/" + decodedKey(key)
			_ = walkSchema(definition, nil, func(s []byte, _ string) string {
				if to := decoded(member(s, "$ref")); to != "" {
					refers[from] = append(refers[from], to)
				}
				return ""
			})
		}
	}
	for from := range refers {
		seen := map[string]bool{}
		for next := refers[from]; len(next) > 0; {
			to := next[0]
			next = next[1:]
			if to == from {
				return true
			}
			if !seen[to] {
				seen[to] = true
				next = append(next, refers[to]...)
			}
		}
	}
	return false
}
