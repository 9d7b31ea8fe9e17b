package json

import (
	"strings"
	"testing"
)

func TestStrictSchemas(t *testing.T) {
	f := func(schema string, want bool) {
		t.Helper()
		if got := IsStrictSchema([]byte(schema)); got != want {
			t.Errorf("%s: got %t, want %t", schema, got, want)
		}
	}
	f(`{"type":"object","properties":{},"additionalProperties":false}`, true)
	f(`{"type":"object","properties":{"a":{"type":"array","items":{"$ref":"#/$defs/b"}}},"required":["a"],"additionalProperties":false,"$defs":{"b":{"type":"string"}}}`, true)
	f(`{"type":"object","properties":{"a":{"type":["object","null"],"properties":{"b":{}}}},"required":["a"],"additionalProperties":false}`, false)
	f(`{"type":"object","properties":{"a":{}},"additionalProperties":false}`, false)
	f(`{"type":"object","properties":{"a":{}},"required":["a"]}`, false)
	f(`{"type":"object","properties":{"a":{"oneOf":[]}},"required":["a"],"additionalProperties":false}`, false)
	f(`{"type":"object","properties":{"a":{"anyOf":[{"type":"object"}]}},"required":["a"],"additionalProperties":false}`, false)
	f(`{"type":"array","items":{}}`, false)
	f(`{"type":"object","properties":{},"additionalProperties":false,"anyOf":[{}]}`, false)
	f(`{"type":"object","properties":{"a":{"x-order":1}},"required":["a"],"additionalProperties":false}`, false)
	f(`{"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false}`, false)
	f(``, false)
	f(strings.Repeat(`{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":`, 40)+`{}`+strings.Repeat("}}", 40), false)
}
