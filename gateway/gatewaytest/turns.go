package gatewaytest

import (
	"math"
	"slices"
	"strings"
)

// turn is what messages of one role in a row make: Anthropic joins them.
type turn struct {
	role   string
	blocks []placed
	// first is the number of its first message.
	first int
	// text is whether the last message was a string.
	text bool
}

// placed is a block and where it stands.
type placed struct {
	at    *place
	value []byte
	kind  string
}

// anthropicMessage takes a message by itself.
func anthropicMessage(j *judge, at *place, value []byte) *complaint {
	if c := anyObject(j, at, value); c != nil {
		return c
	}
	role := member(value, "role")
	blocks := userBlocks
	switch decoded(role) {
	case "":
		return j.missing(at.field("role"))
	case "user":
	case "assistant":
		blocks = assistantBlocks
	case "system":
		if !j.claude.midSystem {
			return j.complain(at, "", "{at}: role 'system' is not supported on this model")
		}
		blocks = systemBlocks
	default:
		return j.complain(at.field("role"), "", "{at}: Input should be 'user' or 'assistant'")
	}
	content := func(j *judge, at *place, value []byte) *complaint {
		if kindOf(value) == 's' || kindOf(value) == 'a' {
			return either("sa", text, array(blockOf(decoded(role), blocks), 0, math.MaxInt32))(j, at, value)
		}
		return j.wrongType(at, "a", value)
	}
	return object(fields{"role": text, "content": content}, "content")(j, at, value)
}

// blockOf takes the blocks that a role may send.
func blockOf(role string, blocks map[string]rule) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		kind := decoded(member(value, "type"))
		_, mine := blocks[kind]
		_, users := userBlocks[kind]
		_, assistants := assistantBlocks[kind]
		if kindOf(value) == 'o' && !mine && (users || assistants) {
			return j.complain(at, "", "{at}: `%s` blocks can only be in `%s` messages", kind, otherRole(role))
		}
		return tagged(blocks)(j, at, value)
	}
}

// otherRole returns whose blocks those are that role may not send.
func otherRole(role string) string {
	if role == "user" {
		return "assistant"
	}
	return "user"
}

// turns checks the order of roles and blocks.
func (j *judge) turns() *complaint {
	all, c := j.readTurns()
	if c != nil {
		return c
	}
	if len(all) == 0 {
		return j.refuse("", "", "messages: at least one message is required")
	}
	if all[0].role != "user" {
		return j.refuse("", "", "messages: first message must use the \"user\" role")
	}
	var waiting unanswered
	ids := map[string]bool{}
	for i, t := range all {
		switch t.role {
		case "system":
			if all[i-1].role != "user" {
				return j.refuse("", "", "messages.%d: `system` messages must directly follow a `user` message", t.first)
			}
			continue
		case "user":
			if c := j.results(t, all, i, waiting); c != nil {
				return c
			}
			waiting = nil
		default:
			if len(waiting) > 0 {
				return j.notAnswered(waiting, t.first-1)
			}
			if waiting, c = j.calls(t, i == len(all)-1, ids); c != nil {
				return c
			}
		}
	}
	last := all[len(all)-1]
	if len(waiting) > 0 {
		return j.notAnswered(waiting, last.first)
	}
	if last.role == "assistant" {
		return j.lastWord(last)
	}
	return j.thoughtFirst(all)
}

// readTurns joins messages of one role.
func (j *judge) readTurns() ([]turn, *complaint) {
	var all []turn
	i, count := 0, 0
	for range elements(member(j.body, "messages")) {
		count++
	}
	for message := range elements(member(j.body, "messages")) {
		at := (*place)(nil).field("messages").element(i)
		role, content := decoded(member(message, "role")), member(message, "content")
		if len(all) == 0 || all[len(all)-1].role != role {
			all = append(all, turn{role: role, first: i})
		}
		t := &all[len(all)-1]
		t.text = isString(content)
		n := 0
		if t.text && decodedLen(content) > 0 {
			n++
			t.blocks = append(t.blocks, placed{at: at, value: put(nil, `{"type":"text","text":`, content, `}`), kind: "text"})
		}
		for block := range elements(content) {
			t.blocks = append(t.blocks, placed{at: at.field("content").element(n), value: block, kind: decoded(member(block, "type"))})
			n++
		}
		if n == 0 && (i < count-1 || role != "assistant") {
			return nil, j.refuse("", "", "messages.%d: all messages must have non-empty content except for the optional final "+
				"assistant message", i)
		}
		i++
	}
	return all, nil
}

// results checks the results in a user's turn, turn i of all.
func (j *judge) results(t turn, all []turn, i int, waiting unanswered) *complaint {
	other := false
	seen := unanswered{}
	for _, b := range t.blocks {
		if b.kind != "tool_result" {
			other = true
			continue
		}
		id := decoded(member(b.value, "tool_use_id"))
		switch {
		case !other && waiting.answer(id):
			seen = append(seen, id)
		case other && !slices.Contains(seen, id):
			// What follows other content does not count as following the calls immediately.
			return j.notAnswered(append(waiting, id), max(0, t.first-1))
		case slices.Contains(seen, id):
			return j.complain(b.at, "", "{at}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s",
				id)
		default:
			return j.complain(b.at, "", "{at}: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block "+
				"must have a corresponding `tool_use` block in the previous message.", id)
		}
	}
	if len(waiting) > 0 {
		return j.notAnswered(waiting, all[max(0, i-1)].first)
	}
	return nil
}

// calls returns the ids of the calls in an assistant's turn. ids are those of all calls so far.
func (j *judge) calls(t turn, last bool, ids map[string]bool) (unanswered, *complaint) {
	var calls unanswered
	searches := unanswered{}
	for _, b := range t.blocks {
		switch b.kind {
		case "tool_use":
			id := decoded(member(b.value, "id"))
			if ids[id] {
				return nil, j.refuse("", "", "messages.%d.content: `tool_use` ids must be unique", t.first)
			}
			ids[id] = true
			calls = append(calls, id)
		case "server_tool_use":
			searches = append(searches, decoded(member(b.value, "id")))
		case "web_search_tool_result":
			id := decoded(member(b.value, "tool_use_id"))
			if !searches.answer(id) {
				return nil, j.complain(b.at, "", "{at}: unexpected `tool_use_id` found in `web_search_tool_result` blocks: %s. Each "+
					"`web_search_tool_result` block must have a corresponding `server_tool_use` block before it.", id)
			}
		}
	}
	if len(searches) > 0 && !last && len(calls) == 0 {
		return nil, j.refuse("", "", "messages.%d: `web_search` tool use with id `%s` was found without a corresponding "+
			"`web_search_tool_result` block", t.first, searches[0])
	}
	return calls, nil
}

func (j *judge) notAnswered(waiting unanswered, message int) *complaint {
	return j.refuse("", "", "messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each "+
		"`tool_use` block must have a corresponding `tool_result` block in the next message.", message, strings.Join(waiting, ", "))
}

// lastWord checks an assistant's turn at the end: a beginning that the model shall continue, or a turn that was paused.
func (j *judge) lastWord(t turn) *complaint {
	if len(t.blocks) == 0 {
		return nil
	}
	last := t.blocks[len(t.blocks)-1]
	if last.kind == "server_tool_use" || strings.HasSuffix(last.kind, "_tool_result") {
		return nil
	}
	text := decoded(member(last.value, "text"))
	switch {
	case !j.claude.prefill:
		return j.refuse("", "", "This model does not support assistant message prefill. The conversation must end with a user message.")
	case j.thinks() && last.kind == "text" && t.blocks[0].kind != "thinking" && t.blocks[0].kind != "redacted_thinking":
		return j.thoughtMissing(t.blocks[0])
	case last.kind == "text" && text != strings.TrimRight(text, " \t\r\n"):
		return j.refuse("", "", "messages: final assistant content cannot end with trailing whitespace")
	case last.kind == "thinking" || last.kind == "redacted_thinking":
		return j.complain(last.at, "", "{at}: The final block in an assistant message cannot be `thinking`.")
	}
	return nil
}

// thoughtFirst checks, for models that think with a budget, that an assistant's turn whose calls are being answered begins
// with its thinking.
func (j *judge) thoughtFirst(all []turn) *complaint {
	if decoded(member(member(j.body, "thinking"), "type")) != "enabled" || len(all) < 2 {
		return nil
	}
	user, assistant := all[len(all)-1], all[len(all)-2]
	if user.blocks[0].kind != "tool_result" || assistant.role != "assistant" {
		return nil
	}
	if kind := assistant.blocks[0].kind; kind != "thinking" && kind != "redacted_thinking" {
		return j.thoughtMissing(assistant.blocks[0])
	}
	return nil
}

func (j *judge) thoughtMissing(b placed) *complaint {
	return j.complain(b.at.field("type"), "", "{at}: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is "+
		"enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` and "+
		"`tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable "+
		"`thinking`.", b.kind)
}
