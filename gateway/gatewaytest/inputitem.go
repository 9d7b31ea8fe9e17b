package gatewaytest

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// The content parts of Responses.
var (
	inputText  = object(fields{"type": text, "text": text, "prompt_cache_breakpoint": cacheBreakpoint}, "text")
	inputImage = object(fields{
		"type": text, "image_url": openAIImage, "file_id": text, "detail": imageDetail, "prompt_cache_breakpoint": cacheBreakpoint,
	})
	inputFile = object(fields{
		"type": text, "file_data": fileData, "file_id": text, "file_url": webURL, "filename": text, "detail": imageDetail,
		"prompt_cache_breakpoint": cacheBreakpoint,
	})
	inputParts = map[string]rule{
		"input_text": inputText, "input_image": anyOf(inputImage, "image_url", "file_id"),
		"input_file": anyOf(inputFile, "file_data", "file_id", "file_url"),
	}
	outputParts = map[string]rule{
		"output_text": object(fields{
			"type": text, "text": text, "annotations": array(annotation, 0, math.MaxInt32), "logprobs": array(anything, 0, math.MaxInt32),
		}, "text"),
		"refusal": object(fields{"type": text, "refusal": text}, "refusal"),
	}
	annotation = tagged(map[string]rule{
		"url_citation": object(fields{
			"type": text, "start_index": natural, "end_index": natural, "title": text, "url": text,
		}, "start_index", "end_index", "title", "url"),
		"file_citation":           withFields("file_id", "index"),
		"container_file_citation": withFields("container_id", "file_id"),
		"file_path":               withFields("file_id", "index"),
	})
)

// anyOf takes what r does when one of keys is there.
func anyOf(r rule, keys ...string) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := r(j, at, value); c != nil {
			return c
		}
		for _, key := range keys {
			if member(value, key) != nil {
				return nil
			}
		}
		return j.missing(at.field(keys[0]))
	}
}

// itemID takes the id of an item: one that the provider made, of that kind.
func itemID(prefix string) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := textUpTo(64)(j, at, value); c != nil {
			return c
		}
		id := decoded(value)
		if !strings.HasPrefix(id, prefix) {
			return j.complain(at, "invalid_value", "Invalid '{at}': '%s'. Expected an ID that begins with '%s'.", id,
				strings.TrimSuffix(prefix, "_"))
		}
		if _, ok := j.provider.mint().readItemID(prefix, id); !ok {
			return j.notStored(id)
		}
		return nil
	}
}

// notStored complains about an item that the provider doesn't know.
func (j *judge) notStored(id string) *complaint {
	c := j.refuse("input", "", "Item with id '%s' not found. Items are not persisted when `store` is set to false. Try again with "+
		"`store` set to true, or remove this item from your input.", id)
	c.status = 404
	return c
}

var itemStatusRule = oneOf("in_progress", "completed", "incomplete")

// messageFields are those of messages, as input or as output that comes back.
var messageFields = fields{
	"type": oneOf("message"), "role": oneOf("user", "assistant", "system", "developer"), "id": itemID("msg_"),
	"status": itemStatusRule, "phase": oneOf("commentary", "final_answer"),
}

var (
	inputMessage = object(messageFields.and(fields{
		"content": either("sa", text, array(tagged(inputParts), 0, math.MaxInt32)),
	}), "role", "content")
	outputMessage = object(messageFields.and(fields{
		"content": either("sa", text, array(tagged(outputParts), 0, math.MaxInt32)),
	}), "role", "content")
	callOutput = either("sa", text, array(tagged(inputParts), 0, math.MaxInt32))
	caller     = anyObject
)

// items are the input items by type. Those without a rule of their own are no business of the gateway's.
var items = map[string]rule{
	"message": func(j *judge, at *place, value []byte) *complaint {
		if decoded(member(value, "role")) == "assistant" {
			return outputMessage(j, at, value)
		}
		return inputMessage(j, at, value)
	},
	"function_call": object(fields{
		"type": text, "id": itemID("fc_"), "call_id": chatID, "name": toolName, "namespace": text, "arguments": text,
		"status": itemStatusRule, "async": boolean, "caller": caller,
	}, "call_id", "name", "arguments"),
	"custom_tool_call": object(fields{
		"type": text, "id": itemID("ctc_"), "call_id": chatID, "name": toolName, "namespace": text, "input": text,
		"status": itemStatusRule, "caller": caller,
	}, "call_id", "name", "input"),
	"function_call_output": object(fields{
		"type": text, "id": text, "call_id": chatID, "output": callOutput, "status": itemStatusRule, "caller": caller,
		"name": toolName, "namespace": text,
	}, "call_id", "output"),
	"custom_tool_call_output": object(fields{
		"type": text, "id": text, "call_id": chatID, "output": callOutput, "status": itemStatusRule, "caller": caller,
		"name": toolName, "namespace": text,
	}, "call_id", "output"),
	"reasoning":      reasoningItem,
	"item_reference": object(fields{"type": text, "id": text}, "id"),
	"web_search_call": object(fields{
		"type": text, "id": itemID("ws_"), "status": text, "action": anyObject,
	}, "id"),
	"compaction": withFields("encrypted_content"), "compaction_trigger": anyObject,
	"additional_tools": object(fields{
		"type": text, "id": text, "role": oneOf("developer"), "tools": array(responsesTool, 0, 1024),
	}, "tools"),
	"configuration_update": anyObject, "tool_search_call": anyObject, "tool_search_output": anyObject,
	"program": anyObject, "program_output": anyObject, "file_search_call": anyObject, "code_interpreter_call": anyObject,
	"image_generation_call": anyObject, "computer_call": anyObject, "computer_call_output": anyObject,
	"local_shell_call": anyObject, "local_shell_call_output": anyObject, "shell_call": anyObject,
	"shell_call_output": anyObject, "apply_patch_call": anyObject, "apply_patch_call_output": anyObject,
	"mcp_list_tools": anyObject, "mcp_approval_request": anyObject, "mcp_approval_response": anyObject, "mcp_call": anyObject,
	"agent_message": anyObject,
}

// inputItem takes an input item by itself. A message needs no type.
func inputItem(j *judge, at *place, value []byte) *complaint {
	if c := anyObject(j, at, value); c != nil {
		return c
	}
	kind := decoded(member(value, "type"))
	if kind == "" && member(value, "role") != nil {
		kind = "message"
	}
	r, ok := items[kind]
	switch {
	case kind == "":
		return j.missing(at.field("type"))
	case !ok:
		return j.noSuchTag(at, kind, slices.Sorted(maps.Keys(items)))
	}
	return r(j, at, value)
}

var reasoningFields = object(fields{
	"type": text, "id": itemID("rs_"), "status": itemStatusRule, "encrypted_content": text,
	"summary": array(tagged(map[string]rule{"summary_text": object(fields{"type": text, "text": text}, "text")}), 0, math.MaxInt32),
	"content": array(tagged(map[string]rule{"reasoning_text": object(fields{"type": text, "text": text}, "text")}), 0, math.MaxInt32),
}, "summary")

// reasoningItem takes reasoning that the provider made, or stored.
func reasoningItem(j *judge, at *place, value []byte) *complaint {
	if c := reasoningFields(j, at, value); c != nil {
		return c
	}
	id, encrypted := decoded(member(value, "id")), decoded(member(value, "encrypted_content"))
	if encrypted == "" {
		if id != "" && j.provider.shelf.item(id) == nil {
			return j.notStored(id)
		}
		return nil
	}
	made, ok := mintedReasoning.read(j.provider.mint(), encrypted, 0)
	reason := ""
	switch {
	case !ok:
		reason = "Encrypted content could not be decrypted or parsed."
	case id != "" && id != string(made):
		reason = "Encrypted content item_id did not match the target item id."
	default:
		return nil
	}
	shown := encrypted
	if len(shown) > 12 {
		shown = shown[:4] + "..." + shown[len(shown)-4:]
	}
	return j.refuse("input", "invalid_encrypted_content", "The encrypted content %s could not be verified. Reason: %s", shown, reason)
}

// responsesConversation checks that items that belong together are together. before is what the request continues, or nil.
func (j *judge) responsesConversation(before *stored) *complaint {
	var all [][]byte
	if before != nil {
		all = append(all, before.context...)
	}
	past := len(all)
	for item := range inputItems(j.body) {
		if decoded(member(item, "type")) == "item_reference" {
			id := decoded(member(item, "id"))
			if item = j.provider.shelf.item(id); item == nil {
				return j.notStored(id)
			}
		}
		all = append(all, item)
	}
	if c := j.pairs(all); c != nil {
		return c
	}
	return j.reasoningPlaces(all, past)
}

// pairs checks that each call has its result, and each result its call.
func (j *judge) pairs(all [][]byte) *complaint {
	var waiting unanswered
	seen := map[string]bool{}
	for _, item := range all {
		if id := decoded(member(item, "id")); id != "" && seen[id] {
			return j.refuse("input", "", "Duplicate item found with id %s. Remove duplicate items from your input and try again.", id)
		} else if id != "" {
			seen[id] = true
		}
		id := decoded(member(item, "call_id"))
		switch decoded(member(item, "type")) {
		case "function_call", "custom_tool_call":
			waiting = append(waiting, id)
		case "function_call_output":
			if !waiting.answer(id) {
				return j.refuse("input", "", "No tool call found for function call output with call_id %s.", id)
			}
		case "custom_tool_call_output":
			if !waiting.answer(id) {
				return j.refuse("input", "", "No tool call found for custom tool call output with call_id %s.", id)
			}
		}
	}
	if len(waiting) > 0 {
		return j.refuse("input", "", "No tool output found for function call %s.", waiting[0])
	}
	return nil
}

// reasoningPlaces checks that reasoning is followed by what it led to, and that items which followed reasoning still do. Items
// before past are the provider's own.
func (j *judge) reasoningPlaces(all [][]byte, past int) *complaint {
	m := j.provider.mint()
	answers := map[uint64]bool{}
	for i, item := range all {
		kind, id := decoded(member(item, "type")), decoded(member(item, "id"))
		if kind == "reasoning" {
			if id == "" {
				made, _ := mintedReasoning.read(m, decoded(member(item, "encrypted_content")), 0)
				id = string(made)
			}
			if said, ok := m.readItemID("rs_", id); ok {
				answers[said.answer] = true
			}
			if i >= past && !followsReasoning(all[i+1:]) {
				return j.refuse("input", "", "Item '%s' of type 'reasoning' was provided without its required following item.", id)
			}
			continue
		}
		prefix, _, _ := strings.Cut(id, "_")
		if said, ok := m.readItemID(prefix+"_", id); ok && said.reasoned && !answers[said.answer] {
			return j.refuse("input", "", "Item '%s' of type '%s' was provided without its required 'reasoning' item.", id, kind)
		}
	}
	return nil
}

// followsReasoning reports whether the next item that is no reasoning is the assistant's.
func followsReasoning(rest [][]byte) bool {
	for _, item := range rest {
		switch kind := decoded(member(item, "type")); {
		case kind == "reasoning":
		case kind == "" || kind == "message":
			return decoded(member(item, "role")) == "assistant"
		default:
			return strings.HasSuffix(kind, "_call") || kind == "program" || kind == "compaction"
		}
	}
	return false
}
