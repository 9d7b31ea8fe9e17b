package chat

import (
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// FuzzReadRequest reads any body, and writes what could be read: the result must be JSON that can be read again, and
// say the same.
func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(full), "m")
	f.Add([]byte(withMessages(hello, `,"functions":[{"name":"f"}],"function_call":{"name":"f"},`+
		`"reasoning":{"effort":"high"}`)), "gpt-5.6")
	f.Add([]byte(withMessages(`{"role":"assistant","tool_calls":[{"function":{"name":"a.b"}}]},{"role":"tool",`+
		`"content":"[tool_error] x"}`, "")), "o3")
	f.Add([]byte(withMessages(`{"role":"user","content":[{"type":"image_url","image_url":"data:;base64,iVBORw0KGgo"},`+
		`{"type":"text","text":"x","cache_control":{"ttl":"1h"}}]}`, "")), "m")
	f.Fuzz(func(t *testing.T, body []byte, model string) {
		r := new(llm.Request)
		if err := ReadRequest(body, r); err != nil || model == "" {
			if err != nil && err != ErrResponsesShape && (err.Kind != llm.InvalidRequest || err.Message == "") {
				t.Fatalf("error without a reason: %+v", err)
			}
			return
		}
		for _, protocol := range llm.Protocols {
			r.Protocol = protocol
			x := exchange(r, model)
			x.Options.EmulateClientTools, x.Options.ToolImageParts = protocol == llm.Messages, protocol == llm.Responses
			out, err := AppendRequest(nil, x)
			if err != nil {
				if err.Message == "" {
					t.Fatalf("refused without a reason: %+v", err)
				}
				continue
			}
			if !json.Valid(out) {
				t.Fatalf("no JSON: %s", out)
			}
			again := new(llm.Request)
			if err := ReadRequest(out, again); err != nil {
				t.Fatalf("what was written can't be read: %v: %s", err, out)
			}
		}
	})
}
