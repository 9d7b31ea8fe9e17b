package gatewaytest

import (
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"octopus/codec/llm"
)

// rule judges the value that stands at a place. It returns nil when the provider would take it. The value is JSON.
type rule func(j *judge, at *place, value []byte) *complaint

// anything takes every value.
func anything(*judge, *place, []byte) *complaint { return nil }

// kindOf returns the letter of a value's kind: s string, i integer, n number, b boolean, a array, o object, 0 null.
func kindOf(value []byte) byte {
	switch value[0] {
	case '"':
		return 's'
	case '{':
		return 'o'
	case '[':
		return 'a'
	case 't', 'f':
		return 'b'
	case 'n':
		return 0
	}
	if slices.ContainsFunc(value, func(c byte) bool { return c == '.' || c|0x20 == 'e' }) {
		return 'n'
	}
	return 'i'
}

// boolean takes true and false.
func boolean(j *judge, at *place, value []byte) *complaint {
	if kindOf(value) != 'b' {
		return j.wrongType(at, "b", value)
	}
	return nil
}

// text takes every string.
func text(j *judge, at *place, value []byte) *complaint {
	if kindOf(value) != 's' {
		return j.wrongType(at, "s", value)
	}
	return nil
}

// textUpTo takes strings of 1 to most characters.
func textUpTo(most int) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := text(j, at, value); c != nil {
			return c
		}
		switch s := decoded(value); {
		case s == "":
			return j.emptyText(at)
		case utf8.RuneCountInString(s) > most:
			return j.tooLong(at, s, most)
		}
		return nil
	}
}

// shortText takes strings of at most so many characters, the empty one too.
func shortText(most int) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := text(j, at, value); c != nil {
			return c
		}
		if s := decoded(value); utf8.RuneCountInString(s) > most {
			return j.tooLong(at, s, most)
		}
		return nil
	}
}

// match takes strings that a pattern describes. Those that are too long for limit are told so.
func match(pattern string, limit int) rule {
	compiled := regexp.MustCompile(pattern)
	return func(j *judge, at *place, value []byte) *complaint {
		if c := textUpTo(limit)(j, at, value); c != nil {
			return c
		}
		if !compiled.MatchString(decoded(value)) {
			return j.noMatch(at, pattern)
		}
		return nil
	}
}

// oneOf takes some strings.
func oneOf(allowed ...string) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := text(j, at, value); c != nil {
			return c
		}
		if s := decoded(value); !slices.Contains(allowed, s) {
			return j.notOneOf(at, s, allowed)
		}
		return nil
	}
}

// integer takes whole numbers from least to most.
func integer(least, most float64) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if kindOf(value) != 'i' {
			return j.wrongType(at, "i", value)
		}
		if n, err := strconv.ParseFloat(string(value), 64); err != nil || n < least || n > most {
			return j.outside(at, 'i', value, least, most)
		}
		return nil
	}
}

// number takes numbers from least to most.
func number(least, most float64) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if kind := kindOf(value); kind != 'i' && kind != 'n' {
			return j.wrongType(at, "n", value)
		}
		if n, err := strconv.ParseFloat(string(value), 64); err != nil || n < least || n > most {
			return j.outside(at, 'n', value, least, most)
		}
		return nil
	}
}

// orNull takes null, and what r takes. Only Anthropic tells null from absent.
func orNull(r rule) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if kindOf(value) == 0 {
			return nil
		}
		return r(j, at, value)
	}
}

// array takes arrays of least to most values that element takes.
func array(element rule, least, most int) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if kindOf(value) != 'a' {
			return j.wrongType(at, "a", value)
		}
		n := 0
		for v := range elements(value) {
			if c := element(j, at.element(n), v); c != nil {
				return c
			}
			n++
		}
		if n < least || n > most {
			return j.wrongLength(at, n, least, most)
		}
		return nil
	}
}

// either takes what the rule for the value's kind takes.
func either(kinds string, rules ...rule) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		for i := range len(kinds) {
			if kinds[i] == kindOf(value) {
				return rules[i](j, at, value)
			}
		}
		return j.wrongType(at, kinds, value)
	}
}

// anyObject takes every object.
func anyObject(j *judge, at *place, value []byte) *complaint {
	if kindOf(value) != 'o' {
		return j.wrongType(at, "o", value)
	}
	return nil
}

// mapOf takes objects of whatever keys with values that r takes.
func mapOf(r rule) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := anyObject(j, at, value); c != nil {
			return c
		}
		for key, v := range members(value) {
			if c := r(j, at.field(decodedKey(key)), v); c != nil {
				return c
			}
		}
		return nil
	}
}

// fields are the members that an object may have.
type fields map[string]rule

// and returns f with more.
func (f fields) and(more fields) fields {
	all := fields{}
	for key, r := range f {
		all[key] = r
	}
	for key, r := range more {
		all[key] = r
	}
	return all
}

// object takes objects that have these fields, no others, and the required ones of them. To OpenAI, null is as good as
// absent.
func object(known fields, required ...string) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if kindOf(value) != 'o' {
			return j.wrongType(at, "o", value)
		}
		for _, key := range required {
			if member(value, key) == nil {
				return j.missing(at.field(key))
			}
		}
		for key, v := range members(value) {
			name := decodedKey(key)
			r, ok := known[name]
			if !ok {
				return j.unknown(at.field(name))
			}
			if kindOf(v) == 0 && j.protocol != llm.Messages {
				continue
			}
			if c := r(j, at.field(name), v); c != nil {
				return c
			}
		}
		return nil
	}
}

// tagged takes objects whose type is one of the keys and that its rule takes.
func tagged(kinds map[string]rule) rule {
	var names []string
	for kind := range kinds {
		names = append(names, kind)
	}
	slices.Sort(names)
	return func(j *judge, at *place, value []byte) *complaint {
		if kindOf(value) != 'o' {
			return j.wrongType(at, "o", value)
		}
		if member(value, "type") == nil {
			return j.missing(at.field("type"))
		}
		kind := decoded(member(value, "type"))
		r, ok := kinds[kind]
		if !ok {
			return j.noSuchTag(at, kind, names)
		}
		return r(j, at.tagged(kind), value)
	}
}

// decoded returns the text of the JSON string that value is, or nothing.
func decoded(value []byte) string { return string(appendDecoded(nil, value)) }

// decodedKey returns a key without its escapes.
func decodedKey(key []byte) string {
	if !slices.Contains(key, '\\') {
		return string(key)
	}
	return decoded(put(nil, `"`, key, `"`))
}
