package gatewaytest

import (
	"math"
	"strings"
)

// chatRoles are the messages of Chat, by role.
var chatRoles = map[string]rule{
	"developer": object(chatSystem, "content"),
	"system":    object(chatSystem, "content"),
	"user": object(fields{
		"role": text, "name": chatName, "content": either("sa", text, array(chatUserPart, 1, math.MaxInt32)),
	}, "content"),
	"assistant": chatAssistant,
	"tool": object(fields{
		"role": text, "name": text, "tool_call_id": chatID, "content": either("sa", text, array(chatTextPart, 1, math.MaxInt32)),
	}, "content", "tool_call_id"),
	"function": object(fields{"role": text, "name": toolName, "content": text}, "name"),
}

// chatRoleNames are in the order in which OpenAI lists them.
var chatRoleNames = []string{"system", "assistant", "user", "function", "tool", "developer"}

// chatName is the name of a participant.
var chatName = match(`^[^\s<|\\/>]+$`, maxName)

var chatSystem = fields{
	"role": text, "name": chatName, "content": either("sa", text, array(chatTextPart, 1, math.MaxInt32)),
}

// chatAssistantFields are those of the assistant's messages. OpenAI takes back the annotations that it sent.
var chatAssistantFields = fields{
	"role":          text,
	"name":          chatName,
	"content":       either("sa", text, array(chatAssistantPart, 1, math.MaxInt32)),
	"refusal":       text,
	"annotations":   array(anything, 0, math.MaxInt32),
	"audio":         object(fields{"id": text}, "id"),
	"tool_calls":    array(chatCall, 1, 128),
	"function_call": object(fields{"name": toolName, "arguments": text}, "name", "arguments"),
}

// otherVendorsFields are what vendors that show their reasoning take back.
var otherVendorsFields = chatAssistantFields.and(fields{
	"reasoning_content": text, "reasoning": text, "reasoning_details": array(anything, 0, math.MaxInt32),
})

var chatCall = tagged(map[string]rule{
	"function": object(fields{
		"id": chatID, "type": text, "index": natural,
		"function": object(fields{"name": toolName, "arguments": text}, "name", "arguments"),
	}, "id", "function"),
	"custom": object(fields{
		"id": chatID, "type": text, "index": natural,
		"custom": object(fields{"name": toolName, "input": text}, "name", "input"),
	}, "id", "custom"),
})

func chatAssistant(j *judge, at *place, value []byte) *complaint {
	known := otherVendorsFields
	if j.gpt.known {
		known = chatAssistantFields
	}
	required := []string{"content"}
	for _, key := range [...]string{"tool_calls", "refusal", "function_call", "audio"} {
		if member(value, key) != nil {
			required = nil
		}
	}
	return object(known, required...)(j, at, value)
}

// chatMessage takes a message by itself.
func chatMessage(j *judge, at *place, value []byte) *complaint {
	if c := anyObject(j, at, value); c != nil {
		return c
	}
	role := member(value, "role")
	if role == nil {
		return j.missing(at.field("role"))
	}
	if c := oneOf(chatRoleNames...)(j, at.field("role"), role); c != nil {
		return c
	}
	return chatRoles[decoded(role)](j, at, value)
}

// chatConversation checks that tool messages follow the calls they answer.
func (j *judge) chatConversation() *complaint {
	var waiting, answered unanswered
	messages := (*place)(nil).field("messages")
	i := -1
	for message := range elements(member(j.body, "messages")) {
		i++
		role := decoded(member(message, "role"))
		if role != "tool" {
			if len(waiting) > 0 {
				return j.notFollowed(waiting, i-1)
			}
			answered = nil
		}
		for call := range elements(member(message, "tool_calls")) {
			waiting = append(waiting, decoded(member(call, "id")))
		}
		if role != "tool" {
			continue
		}
		id := decoded(member(message, "tool_call_id"))
		switch {
		case waiting.answer(id):
			answered = append(answered, id)
		case answered.answer(id):
			return j.complain(messages.element(i), "", "Duplicate value for 'tool_call_id' of '%s' in '{at}'", id)
		default:
			c := j.refuse("", "", "Invalid parameter: messages with role 'tool' must be a response to a preceding message with "+
				"'tool_calls'.")
			c.param = messages.element(i).field("role").path(j.protocol)
			return c
		}
	}
	if len(waiting) > 0 {
		return j.notFollowed(waiting, i)
	}
	return nil
}

// notFollowed complains that message i, or the tool messages up to it, leave calls unanswered.
func (j *judge) notFollowed(waiting unanswered, i int) *complaint {
	c := j.refuse("", "", "An assistant message with 'tool_calls' must be followed by tool messages responding to each "+
		"'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(waiting, ", "))
	c.param = (*place)(nil).field("messages").element(i).field("role").path(j.protocol)
	return c
}
