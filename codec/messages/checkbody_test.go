package messages

import (
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// checkBody checks what Anthropic itself checks of a request: unless the client is Anthropic's own, who may be wrong by
// itself, roles take turns, calls are answered at once and in the next message, and no text is empty.
func checkBody(t *testing.T, text string, client llm.Protocol) {
	t.Helper()
	if !json.Valid([]byte(text)) {
		t.Fatalf("no JSON: %q", text)
	}
	if client == llm.Messages {
		return
	}
	role := ""
	var open []string
	messages := json.Array([]byte(look(text, "messages")))
	for n := 0; messages.Next(); n++ {
		message := string(messages.Value())
		next := look(message, "role")
		if n == 0 && next != `"user"` || next == role {
			t.Errorf("message %d has role %s behind %s in %s", n, next, role, text)
		}
		if next != `"system"` {
			role = next
		}
		blocks := json.Array([]byte(look(message, "content")))
		count, results := 0, true
		var calls []string
		for ; blocks.Next(); count++ {
			block := string(blocks.Value())
			kind := look(block, "type")
			if kind == `"tool_result"` {
				if !results || len(open) == 0 || open[0] != look(block, "tool_use_id") {
					t.Errorf("result %s in message %d answers none of %v in %s", block, n, open, text)
					return
				}
				open = open[1:]
				continue
			}
			results = false
			switch kind {
			case `"text"`:
				if strings.TrimSpace(look(block, "text")) == `""` {
					t.Errorf("empty text in %s", text)
				}
			case `"tool_use"`:
				calls = append(calls, look(block, "id"))
				if next != `"assistant"` {
					t.Errorf("call of the user in %s", text)
				}
			}
		}
		if len(open) > 0 {
			t.Errorf("calls %v are not answered in message %d of %s", open, n, text)
		}
		open = calls
		if count == 0 {
			t.Errorf("message %d is empty in %s", n, text)
		}
	}
	if len(open) > 0 {
		t.Errorf("calls %v are not answered in %s", open, text)
	}
}
