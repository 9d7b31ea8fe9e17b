package gatewaytest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"octopus/codec/llm"
)

// complaint is why a request is refused, in the provider's words.
type complaint struct {
	// status is 400 when 0.
	status  int
	message string
	// param and code are OpenAI's; empty means null.
	param, code string
}

// The methods of judge that return complaints have the wordings of OpenAI, as seen in 2025 and 2026, and of Anthropic, whose
// messages are those of pydantic (https://docs.pydantic.dev/latest/errors/validation_errors).

// complain returns a complaint about the value at a place, whose path stands for {at} in the format.
func (j *judge) complain(at *place, code, format string, args ...any) *complaint {
	path := at.path(j.protocol)
	format = strings.ReplaceAll(format, "{at}", strings.ReplaceAll(path, "%", "%%"))
	return &complaint{message: fmt.Sprintf(format, args...), param: path, code: code}
}

// refuse returns a complaint about more than one value. The param is OpenAI's.
func (j *judge) refuse(param, code, format string, args ...any) *complaint {
	return &complaint{message: fmt.Sprintf(format, args...), param: param, code: code}
}

// wrongType complains that a value isn't of one of kinds, which are letters as in kindOf.
func (j *judge) wrongType(at *place, kinds string, value []byte) *complaint {
	if j.protocol != llm.Messages {
		return j.complain(at, "invalid_type", "Invalid type for '{at}': expected %s, but got %s instead.", openAIKinds(kinds),
			openAIKind(kindOf(value)))
	}
	return j.complain(at, "", "{at}: Input should be a valid %s", pydanticKind(kinds[0]))
}

// openAIKinds names the kinds that were expected.
func openAIKinds(kinds string) string {
	if len(kinds) == 1 {
		return openAIKind(kinds[0])
	}
	var names []string
	for i := range len(kinds) {
		_, name, _ := strings.Cut(openAIKind(kinds[i]), " ")
		names = append(names, name)
	}
	return "one of " + names[0] + " or " + strings.Join(names[1:], " or ")
}

func openAIKind(kind byte) string {
	switch kind {
	case 's':
		return "a string"
	case 'i':
		return "an integer"
	case 'n':
		return "a decimal"
	case 'b':
		return "a boolean"
	case 'a':
		return "an array"
	case 'o':
		return "an object"
	}
	return "null"
}

func pydanticKind(kind byte) string {
	switch kind {
	case 's':
		return "string"
	case 'i':
		return "integer"
	case 'n':
		return "number"
	case 'b':
		return "boolean"
	case 'a':
		return "list"
	}
	return "dictionary"
}

// unknown complains about a field that the provider doesn't know.
func (j *judge) unknown(at *place) *complaint {
	switch {
	case j.protocol == llm.Messages:
		return j.complain(at, "", "{at}: Extra inputs are not permitted")
	case j.protocol == llm.Chat && at.parent == nil:
		return j.refuse("", "", "Unrecognized request argument supplied: %s", at.key)
	}
	return j.complain(at, "unknown_parameter", "Unknown parameter: '{at}'.")
}

// missing complains about a field that must be there.
func (j *judge) missing(at *place) *complaint {
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: Field required")
	}
	return j.complain(at, "missing_required_parameter", "Missing required parameter: '{at}'.")
}

// notOneOf complains about a string that isn't one of allowed.
func (j *judge) notOneOf(at *place, value string, allowed []string) *complaint {
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: Input should be %s", enumerate(allowed, " or "))
	}
	last := " and "
	if len(allowed) > 2 {
		last = ", and "
	}
	return j.complain(at, "invalid_value", "Invalid value: '%s'. Supported values are: %s.", value,
		enumerate(allowed, last))
}

// enumerate quotes names and puts commas between them, and last before the last.
func enumerate(names []string, last string) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			b.WriteString(last)
		default:
			b.WriteString(", ")
		}
		b.WriteString("'" + name + "'")
	}
	return b.String()
}

// noSuchTag complains about an object whose type isn't one of allowed.
func (j *judge) noSuchTag(at *place, kind string, allowed []string) *complaint {
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: Input tag '%s' found using 'type' does not match any of the expected tags: %s", kind,
			enumerate(allowed, ", "))
	}
	return j.notOneOf(at.field("type"), kind, allowed)
}

// outside complains about a number that is too small or too large.
func (j *judge) outside(at *place, kind byte, value []byte, least, most float64) *complaint {
	number, _ := strconv.ParseFloat(string(value), 64)
	limit, word, sign, code := most, "above maximum", "<=", "_above_max_value"
	pydantic := "less than or equal to"
	if number < least {
		limit, word, sign, code = least, "below minimum", ">=", "_below_min_value"
		pydantic = "greater than or equal to"
	}
	bound := strconv.FormatFloat(limit, 'f', -1, 64)
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: Input should be %s %s", pydantic, bound)
	}
	_, name, _ := strings.Cut(openAIKind(kind), " ")
	return j.complain(at, name+code, "Invalid '{at}': %s %s value. Expected a value %s %s, but got %s instead.", name, word, sign,
		bound, string(value))
}

// tooLong complains about a string of more than most characters.
func (j *judge) tooLong(at *place, text string, most int) *complaint {
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: String should have at most %d characters", most)
	}
	return j.complain(at, "string_above_max_length", "Invalid '{at}': string too long. Expected a string with maximum length %d, "+
		"but got a string with length %d instead.", most, utf8.RuneCountInString(text))
}

// emptyText complains about a string that must not be empty.
func (j *judge) emptyText(at *place) *complaint {
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: String should have at least 1 character")
	}
	return j.complain(at, "empty_string", "Invalid '{at}': empty string. Expected a string with minimum length 1, but got an empty "+
		"string instead.")
}

// noMatch complains about a string that doesn't match a pattern.
func (j *judge) noMatch(at *place, pattern string) *complaint {
	if j.protocol == llm.Messages {
		return j.complain(at, "", "{at}: String should match pattern '%s'", pattern)
	}
	return j.complain(at, "invalid_value", "Invalid '{at}': string does not match pattern. Expected a string that matches the "+
		"pattern '%s'.", pattern)
}

// wrongLength complains about an array of too few or too many elements.
func (j *judge) wrongLength(at *place, length, least, most int) *complaint {
	switch {
	case j.protocol == llm.Messages && length < least:
		return j.complain(at, "", "{at}: List should have at least %d item after validation, not %d", least, length)
	case j.protocol == llm.Messages:
		return j.complain(at, "", "{at}: List should have at most %d items after validation, not %d", most, length)
	case length == 0:
		return j.complain(at, "empty_array", "Invalid '{at}': empty array. Expected an array with minimum length %d, but got an "+
			"empty array instead.", least)
	}
	return j.complain(at, "array_above_max_length", "Invalid '{at}': array too long. Expected an array with maximum length %d, but "+
		"got an array with length %d instead.", most, length)
}

// unsupported complains, as OpenAI does, about a field that the model doesn't take. remedy is a sentence with the space before
// it, or empty.
func (j *judge) unsupported(at *place, remedy string) *complaint {
	return j.complain(at, "unsupported_parameter", "Unsupported parameter: '{at}' is not supported with this model.%s", remedy)
}
