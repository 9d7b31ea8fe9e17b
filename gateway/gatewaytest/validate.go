package gatewaytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// complaint is why a request is refused, in the provider's words; empty means that it is not.
type complaint string

func complain(format string, args ...any) complaint { return complaint(fmt.Sprintf(format, args...)) }

// object is a JSON object, decoded one level deep.
type object map[string]json.RawMessage

// The fields of requests, protocols.md A.2, A.4 and A.7. Behind each stand the JSON types it may have: s string,
// i integer, n number, b boolean, a array, o object. null is as good as absent.
var (
	chatFields = map[string]string{
		"model": "s", "messages": "a", "max_completion_tokens": "i", "max_tokens": "i", "temperature": "n", "top_p": "n",
		"frequency_penalty": "n", "presence_penalty": "n", "seed": "i", "logit_bias": "o", "n": "i", "stop": "sa",
		"logprobs": "b", "top_logprobs": "i", "reasoning_effort": "s", "verbosity": "s", "tools": "a", "tool_choice": "so",
		"parallel_tool_calls": "b", "response_format": "o", "stream": "b", "stream_options": "o", "modalities": "a",
		"audio": "o", "prediction": "o", "web_search_options": "o", "service_tier": "s", "store": "b", "metadata": "o",
		"user": "s", "safety_identifier": "s", "prompt_cache_key": "s", "prompt_cache_options": "o",
		"prompt_cache_retention": "s", "moderation": "o", "functions": "a", "function_call": "so",
	}
	responsesFields = map[string]string{
		"model": "s", "input": "sa", "instructions": "s", "prompt": "o", "max_output_tokens": "i", "max_tool_calls": "i",
		"temperature": "n", "top_p": "n", "top_logprobs": "i", "reasoning": "o", "text": "o", "tools": "a",
		"tool_choice": "so", "parallel_tool_calls": "b", "store": "b", "previous_response_id": "s", "conversation": "so",
		"background": "b", "truncation": "s", "include": "a", "metadata": "o", "user": "s", "safety_identifier": "s",
		"prompt_cache_key": "s", "prompt_cache_options": "o", "prompt_cache_retention": "s", "service_tier": "s",
		"stream": "b", "stream_options": "o", "context_management": "a", "moderation": "o", "access_programs": "ao",
	}
	messagesFields = map[string]string{
		"model": "s", "messages": "a", "max_tokens": "i", "system": "sa", "temperature": "n", "top_p": "n", "top_k": "i",
		"stop_sequences": "a", "thinking": "o", "output_config": "o", "output_format": "o", "tools": "a",
		"tool_choice": "o", "cache_control": "o", "metadata": "o", "service_tier": "s", "speed": "s", "inference_geo": "s",
		"container": "so", "diagnostics": "o", "context_management": "o", "compaction": "o", "mcp_servers": "a",
		"fallbacks": "a", "fallback_credit_token": "s", "thread": "o", "stream": "b",
	}
)

// validate returns why the real provider would refuse the request, or nil. It checks headers, fields and their types,
// roles, and that calls and results belong together; it does not check what depends on the model.
func validate(ctx *fasthttp.RequestCtx, r route, p llm.Protocol) *failure {
	if f := validateHeaders(ctx, p); f != nil {
		return f
	}
	if r != routeAnswer && r != routeCount {
		return nil
	}
	var request object
	var c complaint
	if err := json.Unmarshal(ctx.PostBody(), &request); err != nil {
		c = complain("%s (%v)", notJSON, err)
	} else {
		switch p {
		case llm.Chat:
			c = validateChat(request)
		case llm.Responses:
			c = validateResponses(request)
		default:
			c = validateMessages(request, r)
		}
	}
	if c == "" {
		return nil
	}
	f := fail(p, 400, "", "")
	f.message = string(c)
	return &f
}

// validateHeaders checks that the credential travels as the protocol wants it, and Anthropic's version.
func validateHeaders(ctx *fasthttp.RequestCtx, p llm.Protocol) *failure {
	h := &ctx.Request.Header
	has := func(name string) bool { return len(h.Peek(name)) > 0 }
	if p != llm.Messages {
		if !has("Authorization") && !has("Api-Key") {
			f := fail(p, 401, "", "")
			f.message = "You didn't provide an API key."
			return &f
		}
		return nil
	}
	if !has("Anthropic-Version") {
		f := fail(p, 400, "", "")
		f.message = "anthropic-version: header is required"
		return &f
	}
	return nil
}

// validateFields checks that each field is known and has one of its types.
func validateFields(request object, known map[string]string) complaint {
	for _, key := range slices.Sorted(maps.Keys(request)) {
		types, ok := known[key]
		if !ok {
			return complain("Unrecognized request argument supplied: %s", key)
		}
		if !fits(request[key], types) {
			return complain("Invalid type for '%s'.", key)
		}
	}
	return ""
}

// fits reports whether value is null or has one of types. An integer is a number too.
func fits(value json.RawMessage, types string) bool {
	if isNull(value) {
		return true
	}
	kind := typeOf(value)
	return strings.Contains(types, kind) || kind == "i" && strings.Contains(types, "n")
}

// required complains unless o, which stands at path, has all keys.
func required(o object, path string, keys ...string) complaint {
	for _, key := range keys {
		if isNull(o[key]) {
			return complain("Missing required parameter: '%s%s'.", path, key)
		}
	}
	return ""
}

func isNull(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// typeOf returns the letter of a value's JSON type.
func typeOf(value json.RawMessage) string {
	switch value[0] {
	case '"':
		return "s"
	case '{':
		return "o"
	case '[':
		return "a"
	case 't', 'f':
		return "b"
	}
	if strings.ContainsAny(string(value), ".eE") {
		return "n"
	}
	return "i"
}

// str returns the string that value is, or "".
func str(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// list returns the objects of the array that value, the field at path, is.
func list(path string, value json.RawMessage) ([]object, complaint) {
	var l []object
	if !isNull(value) && json.Unmarshal(value, &l) != nil {
		return nil, complain("Invalid type for '%s': expected an array of objects.", path)
	}
	return l, ""
}

// oneOf complains unless value, the field at path, is one of allowed.
func oneOf(path, value string, allowed ...string) complaint {
	if !slices.Contains(allowed, value) {
		return complain("Invalid value: '%s' for '%s'. Supported values are: '%s'.", value, path, strings.Join(allowed, "', '"))
	}
	return ""
}

// unanswered are the ids of calls that wait for their results.
type unanswered []string

// answer takes a call off the list. It returns false when it is not there.
func (u *unanswered) answer(id string) bool {
	at := slices.Index(*u, id)
	if at < 0 {
		return false
	}
	*u = slices.Delete(*u, at, at+1)
	return true
}

func validateChat(request object) complaint {
	if c := validateFields(request, chatFields); c != "" {
		return c
	}
	if c := required(request, "", "model", "messages"); c != "" {
		return c
	}
	if !isNull(request["stream_options"]) && string(request["stream"]) != "true" {
		return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
	}
	tools, c := list("tools", request["tools"])
	if c != "" {
		return c
	}
	for i, tool := range tools {
		path := fmt.Sprintf("tools[%d].", i)
		kind := str(tool["type"])
		if c := oneOf(path+"type", kind, "function", "custom"); c != "" {
			return c
		}
		var inner object
		if json.Unmarshal(tool[kind], &inner) != nil {
			return complain("Missing required parameter: '%s%s'.", path, kind)
		}
		if c := required(inner, path+kind+".", "name"); c != "" {
			return c
		}
	}
	messages, c := list("messages", request["messages"])
	if c != "" {
		return c
	}
	return validateChatMessages(messages)
}

// validateChatMessages checks roles and contents, and that tool messages follow the calls they answer.
func validateChatMessages(messages []object) complaint {
	if len(messages) == 0 {
		return "Invalid 'messages': empty array. Expected an array with minimum length 1."
	}
	var waiting unanswered
	notFollowed := func() complaint {
		return complain("An assistant message with 'tool_calls' must be followed by tool messages responding to each "+
			"'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(waiting, ", "))
	}
	for i, message := range messages {
		path := fmt.Sprintf("messages[%d].", i)
		role := str(message["role"])
		if c := oneOf(path+"role", role, "developer", "system", "user", "assistant", "tool", "function"); c != "" {
			return c
		}
		if role != "tool" && len(waiting) > 0 {
			return notFollowed()
		}
		calls, c := list(path+"tool_calls", message["tool_calls"])
		if c != "" {
			return c
		}
		if role != "assistant" || len(calls) == 0 && isNull(message["refusal"]) && isNull(message["function_call"]) {
			if c := required(message, path, "content"); c != "" {
				return c
			}
		}
		for _, call := range calls {
			if c := required(call, path+"tool_calls.", "id", "type"); c != "" {
				return c
			}
			waiting = append(waiting, str(call["id"]))
		}
		if role == "tool" && !waiting.answer(str(message["tool_call_id"])) {
			return "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
		}
	}
	if len(waiting) > 0 {
		return notFollowed()
	}
	return ""
}

func validateResponses(request object) complaint {
	if c := validateFields(request, responsesFields); c != "" {
		return c
	}
	if c := required(request, "", "model"); c != "" {
		return c
	}
	previous, conversation := !isNull(request["previous_response_id"]), !isNull(request["conversation"])
	switch {
	case previous && conversation:
		return "Mutually exclusive parameters: 'previous_response_id' and 'conversation'."
	case !previous && !conversation && isNull(request["input"]) && isNull(request["prompt"]):
		return "Missing required parameter: 'input'."
	}
	if limit := request["max_output_tokens"]; !isNull(limit) && number32(limit) < 16 {
		return complain("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got %s instead.",
			limit)
	}
	tools, c := list("tools", request["tools"])
	if c != "" {
		return c
	}
	for i, tool := range tools {
		keys := []string{"type"}
		if kind := str(tool["type"]); kind == "function" || kind == "custom" {
			keys = append(keys, "name")
		}
		if c := required(tool, fmt.Sprintf("tools[%d].", i), keys...); c != "" {
			return c
		}
	}
	if isNull(request["input"]) || typeOf(request["input"]) == "s" {
		return ""
	}
	items, c := list("input", request["input"])
	if c != "" {
		return c
	}
	return validateItems(items, previous || conversation)
}

// itemFields are the required fields of input items. Other types are not looked at.
var itemFields = map[string][]string{
	"":                        {"role", "content"},
	"message":                 {"role", "content"},
	"function_call":           {"call_id", "name", "arguments"},
	"function_call_output":    {"call_id", "output"},
	"custom_tool_call":        {"call_id", "name", "input"},
	"custom_tool_call_output": {"call_id", "output"},
	"reasoning":               {"summary"},
	"item_reference":          {"id"},
}

// validateItems checks the input items of Responses. continues says that earlier items are on the server.
func validateItems(items []object, continues bool) complaint {
	var waiting unanswered
	for i, item := range items {
		path := fmt.Sprintf("input[%d].", i)
		kind, id := str(item["type"]), str(item["call_id"])
		if c := required(item, path, itemFields[kind]...); c != "" {
			return c
		}
		switch kind {
		case "", "message":
			if c := oneOf(path+"role", str(item["role"]), "user", "assistant", "system", "developer"); c != "" {
				return c
			}
		case "function_call", "custom_tool_call":
			waiting = append(waiting, id)
		case "function_call_output", "custom_tool_call_output":
			if !waiting.answer(id) && !continues {
				return complain("No tool call found for function call output with call_id %s.", id)
			}
		}
	}
	if len(waiting) > 0 {
		return complain("No tool output found for function call %s.", waiting[0])
	}
	return ""
}

func validateMessages(request object, r route) complaint {
	for _, key := range slices.Sorted(maps.Keys(request)) {
		types, ok := messagesFields[key]
		if !ok {
			return complain("%s: Extra inputs are not permitted", key)
		}
		if !fits(request[key], types) {
			return complain("%s: Input has the wrong type", key)
		}
	}
	keys := []string{"max_tokens", "messages", "model"}
	if r == routeCount {
		keys = keys[1:]
	}
	for _, key := range keys {
		if isNull(request[key]) {
			return complain("%s: Field required", key)
		}
	}
	limit := number32(request["max_tokens"])
	if limit < 0 {
		return "max_tokens: Input should be greater than or equal to 0"
	}
	if c := validateThinking(request["thinking"], limit); c != "" {
		return c
	}
	tools, c := list("tools", request["tools"])
	if c != "" {
		return c
	}
	for i, tool := range tools {
		kind := str(tool["type"])
		switch {
		case isNull(tool["name"]) && !strings.HasSuffix(kind, "_toolset"):
			return complain("tools.%d.name: Field required", i)
		case (kind == "" || kind == "custom") && isNull(tool["input_schema"]):
			return complain("tools.%d.custom.input_schema: Field required", i)
		}
	}
	messages, c := list("messages", request["messages"])
	if c != "" {
		return c
	}
	return validateTurns(messages)
}

func validateThinking(raw json.RawMessage, limit int) complaint {
	if isNull(raw) {
		return ""
	}
	kind, budget := str(member(raw, "type")), number32(member(raw, "budget_tokens"))
	switch {
	case !slices.Contains([]string{"enabled", "adaptive", "between_tools", "disabled"}, kind):
		return "thinking.type: Input should be 'enabled', 'adaptive', 'between_tools' or 'disabled'"
	case kind == "enabled" && budget < 1024:
		return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
	case kind == "enabled" && limit > 0 && budget >= limit:
		return "`max_tokens` must be greater than `thinking.budget_tokens`"
	}
	return ""
}

// validateTurns checks messages of Anthropic: roles, blocks, and each tool_use answered in the next message.
func validateTurns(messages []object) complaint {
	if len(messages) == 0 {
		return "messages: at least one message is required"
	}
	var waiting unanswered
	notFollowed := func(i int) complaint {
		return complain("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each "+
			"`tool_use` block must have a corresponding `tool_result` block in the next message.", i,
			strings.Join(waiting, ", "))
	}
	for i, message := range messages {
		path := fmt.Sprintf("messages.%d", i)
		role := str(message["role"])
		switch {
		case role != "user" && role != "assistant" && role != "system":
			return complain("%s.role: Input should be 'user' or 'assistant'", path)
		case i == 0 && role != "user":
			return "messages: first message must use the \"user\" role"
		case isNull(message["content"]):
			return complain("%s.content: Field required", path)
		}
		var calls unanswered
		if typeOf(message["content"]) != "s" {
			blocks, c := list(path+".content", message["content"])
			if c != "" {
				return c
			}
			for k, block := range blocks {
				if c := validateBlock(fmt.Sprintf("%s.content.%d", path, k), block, &waiting, &calls); c != "" {
					return c
				}
			}
		}
		if len(waiting) > 0 {
			return notFollowed(i - 1)
		}
		waiting = calls
	}
	if len(waiting) > 0 {
		return notFollowed(len(messages) - 1)
	}
	return ""
}

// validateBlock checks one content block. Results are taken off waiting, the calls of the message before; calls are
// added to calls.
func validateBlock(path string, block object, waiting, calls *unanswered) complaint {
	switch kind := str(block["type"]); kind {
	case "":
		return complain("%s.type: Field required", path)
	case "text":
		if str(block["text"]) == "" {
			return complain("%s: text content blocks must be non-empty", path)
		}
	case "tool_use":
		if isNull(block["input"]) || typeOf(block["input"]) != "o" {
			return complain("%s.tool_use.input: Input should be a valid dictionary", path)
		}
		*calls = append(*calls, str(block["id"]))
	case "tool_result":
		if id := str(block["tool_use_id"]); !waiting.answer(id) {
			return complain("%s: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must "+
				"have a corresponding `tool_use` block in the previous message.", path, id)
		}
	case "thinking":
		if isNull(block["signature"]) {
			return complain("%s.thinking.signature: Field required", path)
		}
	}
	return ""
}
