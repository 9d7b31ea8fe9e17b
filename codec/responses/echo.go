package responses

import "octopus/codec/llm"

// echoes are the members of a response that repeat the request, with what stands there when the request doesn't say.
var echoes = [...]struct{ name, absent string }{
	{"instructions", "null"},
	{"max_output_tokens", "null"},
	{"max_tool_calls", "null"},
	{"metadata", "{}"},
	{"parallel_tool_calls", "true"},
	{"previous_response_id", "null"},
	{"prompt_cache_key", "null"},
	{"prompt_cache_retention", "null"},
	{"reasoning", `{"effort":null,"summary":null}`},
	{"safety_identifier", "null"},
	{"temperature", "1"},
	{"text", `{"format":{"type":"text"}}`},
	{"tool_choice", `"auto"`},
	{"tools", "[]"},
	{"top_logprobs", "0"},
	{"top_p", "1"},
	{"truncation", `"disabled"`},
	{"user", "null"},
}

// appendEcho appends the members of a response object that repeat the request, each with a comma before it: what the client
// wrote, never what became of it.
func appendEcho(dst []byte, r *llm.Request) []byte {
	for _, member := range echoes {
		dst = append(append(append(dst, `,"`...), member.name...), `":`...)
		value := []byte(nil)
		for i := range r.Echo {
			if r.Echo[i].Name == member.name {
				value = r.Echo[i].Value
			}
		}
		if value == nil {
			dst = append(dst, member.absent...)
		} else {
			dst = appendLine(dst, value)
		}
	}
	if r.Store != nil && !*r.Store {
		return append(dst, `,"store":false`...)
	}
	return append(dst, `,"store":true`...)
}
