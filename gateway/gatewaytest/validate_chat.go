package gatewaytest

import (
	"math"
	"slices"
	"strings"
)

// What names and ids look like to OpenAI.
const (
	maxName     = 64
	namePattern = `^[a-zA-Z0-9_-]+$`
)

var (
	toolName = match(namePattern, maxName)
	chatID   = textUpTo(64)
	anyWhole = integer(math.MinInt64, math.MaxInt64)
	natural  = integer(0, math.MaxInt64)
)

// cacheBreakpoint is the mark of OpenAI's explicit prompt caching.
var cacheBreakpoint = object(fields{"mode": oneOf("explicit"), "ttl": oneOf("30m", "12h")}, "mode")

// openAIUserLocation is the place of a web search without its type.
var openAIUserLocation = fields{"city": text, "country": text, "region": text, "timezone": text}

// Fields that OpenAI's two protocols share.
var openAIFields = fields{
	"model":                  textUpTo(256),
	"temperature":            number(0, 2),
	"top_p":                  number(0, 1),
	"top_logprobs":           integer(0, 20),
	"parallel_tool_calls":    boolean,
	"store":                  boolean,
	"metadata":               metadata,
	"user":                   text,
	"safety_identifier":      shortText(64),
	"prompt_cache_key":       shortText(64),
	"prompt_cache_retention": oneOf("in_memory", "24h"),
	"stream":                 boolean,
	"moderation":             object(fields{"model": text, "policy": anything}),
}

// chatFields are the fields of protocols.md A.2.
var chatFields = openAIFields.and(fields{
	"messages":              array(chatMessage, 1, math.MaxInt32),
	"max_completion_tokens": integer(1, math.MaxInt64),
	"max_tokens":            integer(1, math.MaxInt64),
	"frequency_penalty":     number(-2, 2),
	"presence_penalty":      number(-2, 2),
	"seed":                  anyWhole,
	"logit_bias":            mapOf(number(-100, 100)),
	"n":                     integer(1, 128),
	"stop":                  either("sa", text, array(text, 1, 4)),
	"logprobs":              boolean,
	"reasoning_effort":      effort,
	"verbosity":             oneOf("low", "medium", "high"),
	"tools":                 array(chatTool, 1, 128),
	"tool_choice":           either("so", oneOf("none", "auto", "required"), chatToolChoice),
	"response_format":       chatFormat,
	"stream_options":        object(fields{"include_usage": boolean, "include_obfuscation": boolean}),
	"modalities":            array(oneOf("text", "audio"), 1, 2),
	"audio":                 object(fields{"format": text, "voice": anything}, "format", "voice"),
	"prediction": object(fields{"type": oneOf("content"), "content": either("sa", text, array(chatTextPart, 1, math.MaxInt32))},
		"type", "content"),
	"web_search_options": object(fields{
		"user_location": object(fields{"type": oneOf("approximate"), "approximate": object(openAIUserLocation)},
			"type", "approximate"),
		"search_context_size": oneOf("low", "medium", "high"),
	}),
	"service_tier":         oneOf("auto", "default", "flex", "scale", "priority", "fast"),
	"prompt_cache_options": object(fields{"mode": oneOf("implicit", "explicit"), "ttl": oneOf("30m", "12h")}),
	"functions":            array(function(object(functionFields, "name")), 1, 128),
	"function_call":        either("so", oneOf("none", "auto"), object(fields{"name": toolName}, "name")),
})

// functionFields are those of a function, in either protocol.
var functionFields = fields{"name": toolName, "description": text, "parameters": anyObject, "strict": boolean}

var (
	chatTool = tagged(map[string]rule{
		"function": object(fields{"type": text, "function": function(object(functionFields, "name"))}, "function"),
		"custom": object(fields{
			"type": text, "custom": object(fields{"name": toolName, "description": text, "format": tagged(map[string]rule{
				"text": object(fields{"type": text}),
				"grammar": object(fields{
					"type": text, "grammar": object(grammarFields, "definition", "syntax"),
				}, "grammar"),
			})}, "name"),
		}, "custom"),
	})
	grammarFields  = fields{"definition": text, "syntax": oneOf("lark", "regex")}
	chatNamedTool  = object(fields{"name": toolName}, "name")
	chatChoiceTool = tagged(map[string]rule{
		"function": object(fields{"type": text, "function": chatNamedTool}, "function"),
		"custom":   object(fields{"type": text, "custom": chatNamedTool}, "custom"),
	})
	chatToolChoice = tagged(map[string]rule{
		"function": object(fields{"type": text, "function": chatNamedTool}, "function"),
		"custom":   object(fields{"type": text, "custom": chatNamedTool}, "custom"),
		"allowed_tools": object(fields{"type": text, "allowed_tools": object(fields{
			"mode": oneOf("auto", "required"), "tools": array(chatChoiceTool, 1, 128),
		}, "mode", "tools")}, "allowed_tools"),
	})
	chatFormat = tagged(map[string]rule{
		"text":        object(fields{"type": text}),
		"json_object": object(fields{"type": text}),
		"json_schema": object(fields{"type": text, "json_schema": chatSchema}, "json_schema"),
	})
)

// The content parts of messages.
var (
	chatText     = object(fields{"type": text, "text": text, "prompt_cache_breakpoint": cacheBreakpoint}, "text")
	chatTextPart = tagged(map[string]rule{"text": chatText})
	chatUserPart = tagged(map[string]rule{
		"text": chatText,
		"image_url": object(fields{
			"type": text, "prompt_cache_breakpoint": cacheBreakpoint,
			"image_url": object(fields{"url": openAIImage, "detail": imageDetail}, "url"),
		}, "image_url"),
		"input_audio": object(fields{
			"type": text, "prompt_cache_breakpoint": cacheBreakpoint,
			"input_audio": object(fields{"data": base64Text, "format": oneOf("wav", "mp3")}, "data", "format"),
		}, "input_audio"),
		"file": object(fields{"type": text, "prompt_cache_breakpoint": cacheBreakpoint, "file": chatFile}, "file"),
	})
	chatAssistantPart = tagged(map[string]rule{
		"text":    chatText,
		"refusal": object(fields{"type": text, "refusal": text}, "refusal"),
	})
	imageDetail = oneOf("auto", "low", "high", "original")
)

// chatFile takes a file by its id or with its data.
func chatFile(j *judge, at *place, value []byte) *complaint {
	if c := object(fields{"file_id": text, "file_data": fileData, "filename": text})(j, at, value); c != nil {
		return c
	}
	switch {
	case member(value, "file_id") != nil:
		return nil
	case member(value, "file_data") == nil:
		return j.missing(at.field("file_id"))
	case member(value, "filename") == nil:
		return j.missing(at.field("filename"))
	}
	return nil
}

// metadata takes 16 short strings.
func metadata(j *judge, at *place, value []byte) *complaint {
	if c := mapOf(shortText(512))(j, at, value); c != nil {
		return c
	}
	n := 0
	for key := range members(value) {
		if c := shortText(64)(j, at.field(decodedKey(key)), put(nil, `"`, key, `"`)); c != nil {
			return c
		}
		n++
	}
	if n > 16 {
		return j.complain(at, "object_above_max_properties", "Invalid '{at}': too many properties. Expected an object with at most "+
			"16 properties, but got an object with %d properties instead.", n)
	}
	return nil
}

// effort takes the efforts that the model knows.
func effort(j *judge, at *place, value []byte) *complaint {
	if c := oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")(j, at, value); c != nil {
		return c
	}
	switch {
	case j.gpt.known && !j.gpt.reasons:
		return j.unsupported(at, "")
	case j.gpt.efforts != nil && !slices.Contains(j.gpt.efforts, decoded(value)):
		return j.complain(at, "unsupported_value", "Unsupported value: '{at}' does not support '%s' with this model. Supported "+
			"values are: %s.", decoded(value), enumerate(j.gpt.efforts, ", and "))
	}
	return nil
}

// chat checks a request of Chat Completions.
func (j *judge) chat() *complaint {
	if c := object(chatFields, "model", "messages")(j, nil, j.body); c != nil {
		return c
	}
	at := func(key string) *place { return (*place)(nil).field(key) }
	switch {
	case j.has("stream_options") && string(member(j.body, "stream")) != "true":
		return j.refuse("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case j.has("max_tokens") && j.has("max_completion_tokens"):
		return j.refuse("max_tokens", "invalid_parameter_combination",
			"Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	case number32(member(j.body, "top_logprobs")) > 0 && string(member(j.body, "logprobs")) != "true":
		return j.refuse("top_logprobs", "", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
	case j.has("metadata") && string(member(j.body, "store")) != "true":
		return j.refuse("metadata", "", "The 'metadata' parameter is only allowed when 'store' is enabled.")
	case j.gpt.reasons && j.has("max_tokens"):
		return j.unsupported(at("max_tokens"), " Use 'max_completion_tokens' instead.")
	case j.gpt.reasons && j.has("stop"):
		return j.unsupported(at("stop"), "")
	}
	if c := j.sampling(j.text("reasoning_effort")); c != nil {
		return c
	}
	if c := j.chatTools(); c != nil {
		return c
	}
	return j.chatConversation()
}

// sampling complains about what reasoning models don't take.
func (j *judge) sampling(effort string) *complaint {
	if !j.gpt.reasons {
		return nil
	}
	defaults := [...]struct{ key, value string }{
		{"temperature", "1"}, {"top_p", "1"}, {"logprobs", "false"}, {"top_logprobs", "0"},
		{"presence_penalty", "0"}, {"frequency_penalty", "0"}, {"logit_bias", "{}"},
	}
	for i, field := range defaults {
		at := (*place)(nil).field(field.key)
		value := string(member(j.body, field.key))
		switch {
		case value == "" || value == field.value || value == field.value+".0":
		case i < 4 && j.gpt.samples && effort == "none":
		case i < 2:
			return j.complain(at, "unsupported_value", "Unsupported value: '{at}' does not support %s with this model. Only the "+
				"default (1) value is supported.", value)
		default:
			return j.unsupported(at, "")
		}
	}
	return nil
}

// chatTools checks what hangs on the list of tools, and the word that OpenAI wants to see for JSON answers.
func (j *judge) chatTools() *complaint {
	tools := member(j.body, "tools")
	for _, key := range [...]string{"tool_choice", "parallel_tool_calls"} {
		if j.has(key) && tools == nil {
			return j.refuse(key, "", "Invalid value for '%[1]s': '%[1]s' is only allowed when 'tools' are specified.", key)
		}
	}
	if decoded(member(member(j.body, "response_format"), "type")) == "json_object" &&
		!strings.Contains(strings.ToLower(string(member(j.body, "messages"))), "json") {
		return j.refuse("messages", "", "'messages' must contain the word 'json' in some form, to use 'response_format' of type "+
			"'json_object'.")
	}
	choice := member(j.body, "tool_choice")
	chosen := put(nil, "[", choice, "]")
	if decoded(member(choice, "type")) == "allowed_tools" {
		chosen = member(member(choice, "allowed_tools"), "tools")
	}
	for tool := range elements(chosen) {
		kind := decoded(member(tool, "type"))
		name := decoded(member(member(tool, kind), "name"))
		if kind != "" && !hasTool(tools, kind, name) {
			return j.refuse("tool_choice", "", "Invalid value for 'tool_choice': no %s named '%s' was specified in the 'tools' "+
				"parameter.", kind, name)
		}
	}
	return nil
}

// hasTool reports whether Chat's tools have one of that type and name.
func hasTool(tools []byte, kind, name string) bool {
	for tool := range elements(tools) {
		if decoded(member(tool, "type")) == kind && decoded(member(member(tool, kind), "name")) == name {
			return true
		}
	}
	return false
}

// chatSchema takes a JSON schema for the answer.
func chatSchema(j *judge, at *place, value []byte) *complaint {
	known := fields{"name": toolName, "description": text, "schema": anyObject, "strict": boolean}
	if c := object(known, "name")(j, at, value); c != nil {
		return c
	}
	if why := strictSchema(member(value, "schema")); why != "" && string(member(value, "strict")) == "true" {
		return j.refuse("response_format", "", "Invalid schema for response_format '%s': %s", decoded(member(value, "name")), why)
	}
	return nil
}

// function takes what r does when the schema of the parameters is one that OpenAI takes.
func function(r rule) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		if c := r(j, at, value); c != nil {
			return c
		}
		schema := member(value, "parameters")
		if schema == nil {
			return nil
		}
		why := functionSchema(schema)
		if why == "" && string(member(value, "strict")) == "true" {
			why = strictSchema(schema)
		}
		if why == "" {
			return nil
		}
		return j.complain(at.field("parameters"), "invalid_function_parameters", "Invalid schema for function '%s': %s",
			decoded(member(value, "name")), why)
	}
}
