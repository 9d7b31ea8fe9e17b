package gatewaytest

import (
	"maps"
	"math"
	"strings"
)

// responsesFields are the fields of protocols.md A.4.
var responsesFields = openAIFields.and(fields{
	"input":                either("sa", text, array(inputItem, 0, math.MaxInt32)),
	"instructions":         text,
	"prompt":               object(fields{"id": text, "version": text, "variables": anyObject}, "id"),
	"max_output_tokens":    integer(16, math.MaxInt64),
	"max_tool_calls":       integer(1, math.MaxInt64),
	"reasoning":            responsesReasoning,
	"text":                 object(fields{"format": responsesFormat, "verbosity": oneOf("low", "medium", "high")}),
	"tools":                array(responsesTool, 0, 1024),
	"tool_choice":          either("so", oneOf("none", "auto", "required"), responsesToolChoice),
	"previous_response_id": text,
	"conversation":         either("so", text, object(fields{"id": text}, "id")),
	"background":           boolean,
	"truncation":           oneOf("auto", "disabled"),
	"include":              array(oneOf(includable...), 0, math.MaxInt32),
	"prompt_cache_options": object(fields{
		"mode": oneOf("implicit", "explicit"), "ttl": oneOf("30m", "12h"), "prewarm": boolean, "comparison_response_id": text,
	}),
	"service_tier":   oneOf("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
	"stream_options": object(fields{"include_obfuscation": boolean}),
	"context_management": array(object(fields{"type": oneOf("compaction"), "compact_threshold": integer(1000, math.MaxInt64)},
		"type"), 1, math.MaxInt32),
	"access_programs": anything,
})

// includable are the values of include.
var includable = []string{
	"file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "message.input_image.image_url",
	"computer_call_output.output.image_url", "code_interpreter_call.outputs", "reasoning.encrypted_content",
	"message.output_text.logprobs",
}

var responsesReasoningFields = object(fields{
	"effort": effort, "summary": oneOf("auto", "concise", "detailed"), "generate_summary": oneOf("auto", "concise", "detailed"),
	"context": oneOf("auto", "current_turn", "all_turns"), "mode": oneOf("standard", "pro"),
})

// responsesReasoning takes settings of the reasoning, of models that reason.
func responsesReasoning(j *judge, at *place, value []byte) *complaint {
	if c := responsesReasoningFields(j, at, value); c != nil {
		return c
	}
	if j.gpt.known && !j.gpt.reasons && member(value, "summary") != nil {
		return j.unsupported(at.field("summary"), "")
	}
	return nil
}

// Tools and their choice.
var (
	responsesFunction = function(object(functionFields.and(fields{
		"type": text, "defer_loading": boolean, "async": boolean, "allowed_callers": array(text, 0, math.MaxInt32),
		"output_schema": anyObject,
	}), "name"))
	responsesCustom = object(fields{
		"type": text, "name": toolName, "description": text, "defer_loading": boolean,
		"allowed_callers": array(text, 0, math.MaxInt32), "format": tagged(map[string]rule{
			"text":    object(fields{"type": text}),
			"grammar": object(grammarFields.and(fields{"type": text}), "definition", "syntax"),
		}),
	}, "name")
	responsesWebSearch = object(fields{
		"type": text, "search_context_size": oneOf("low", "medium", "high"), "external_web_access": boolean,
		"filters":       object(fields{"allowed_domains": array(text, 0, 100), "blocked_domains": array(text, 0, 100)}),
		"user_location": object(openAIUserLocation.and(fields{"type": oneOf("approximate")})),
	})
	callables = map[string]rule{"function": responsesFunction, "custom": responsesCustom}
	hosted    = map[string]rule{
		"namespace": object(fields{
			"type": text, "name": toolName, "description": text, "tools": array(tagged(callables), 1, 1024),
		}, "name", "tools"),
		"web_search": responsesWebSearch, "web_search_2025_08_26": responsesWebSearch,
		"web_search_preview": responsesWebSearch, "web_search_preview_2025_03_11": responsesWebSearch,
		"mcp":         withFields("server_label"),
		"file_search": withFields("vector_store_ids"), "code_interpreter": withFields("container"),
		"tool_search": anyObject, "image_generation": anyObject, "computer": anyObject, "computer_use_preview": anyObject,
		"local_shell": anyObject, "shell": anyObject, "apply_patch": anyObject, "programmatic_tool_calling": anyObject,
	}
	responsesTool   = tagged(merged(callables, hosted))
	responsesNamed  = object(fields{"type": text, "name": toolName}, "name")
	namedCallables  = map[string]rule{"function": responsesNamed, "custom": responsesNamed}
	responsesChoice = tagged(merged(hosted, merged(namedCallables, map[string]rule{
		"mcp": object(fields{"type": text, "server_label": text, "name": text}, "server_label"),
	}), bare("web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "computer")))
	responsesToolChoice = func(j *judge, at *place, value []byte) *complaint {
		if decoded(member(value, "type")) != "allowed_tools" {
			return responsesChoice(j, at, value)
		}
		return object(fields{"type": text, "mode": oneOf("auto", "required"), "tools": array(responsesChoice, 1, 128)},
			"mode", "tools")(j, at, value)
	}
)

// withFields takes objects that have some fields, whatever else is in them: hosted tools are not the gateway's business.
func withFields(required ...string) rule {
	return func(j *judge, at *place, value []byte) *complaint {
		for _, key := range required {
			if member(value, key) == nil {
				return j.missing(at.field(key))
			}
		}
		return nil
	}
}

// bare returns rules for objects that have a type and nothing else.
func bare(kinds ...string) map[string]rule {
	rules := map[string]rule{}
	for _, kind := range kinds {
		rules[kind] = object(fields{"type": text})
	}
	return rules
}

// merged returns the rules of all tables; later ones win.
func merged(tables ...map[string]rule) map[string]rule {
	all := map[string]rule{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// responsesFormat takes the format of the answer.
func responsesFormat(j *judge, at *place, value []byte) *complaint {
	if c := responsesFormats(j, at, value); c != nil {
		return c
	}
	if why := strictSchema(member(value, "schema")); why != "" && string(member(value, "strict")) == "true" {
		return j.complain(at.field("schema"), "invalid_json_schema", "Invalid schema for response_format '%s': %s",
			decoded(member(value, "name")), why)
	}
	return nil
}

var responsesFormats = tagged(map[string]rule{
	"text":        object(fields{"type": text}),
	"json_object": object(fields{"type": text}),
	"json_schema": object(fields{
		"type": text, "name": toolName, "schema": anyObject, "strict": boolean, "description": text,
	}, "name", "schema"),
})

// responses checks a request of Responses.
func (j *judge) responses() *complaint {
	if c := object(responsesFields, "model")(j, nil, j.body); c != nil {
		return c
	}
	at := func(key string) *place { return (*place)(nil).field(key) }
	previous, conversation := j.has("previous_response_id"), j.has("conversation")
	var before *stored
	switch {
	case previous && conversation:
		return j.refuse("previous_response_id", "mutually_exclusive_parameters",
			"Mutually exclusive parameters: 'previous_response_id' and 'conversation'.")
	case conversation:
		c := j.refuse("conversation", "", "Conversation with id '%s' not found.", j.text("conversation"))
		c.status = 404
		return c
	case previous:
		if before = j.provider.shelf.find(j.text("previous_response_id")); before == nil {
			return j.refuse("previous_response_id", "previous_response_not_found", "Previous response with id '%s' not found.",
				j.text("previous_response_id"))
		}
	case j.has("prompt"):
		c := j.refuse("prompt", "", "Prompt with id '%s' not found.", decoded(member(member(j.body, "prompt"), "id")))
		c.status = 404
		return c
	case !j.has("input"):
		return j.missing(at("input"))
	}
	if j.has("stream_options") && string(member(j.body, "stream")) != "true" {
		return j.refuse("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	if string(member(j.body, "background")) == "true" && string(member(j.body, "store")) == "false" {
		return j.refuse("background", "", "Background responses must be stored. Set 'store' to true.")
	}
	if c := j.sampling(decoded(member(member(j.body, "reasoning"), "effort"))); c != nil {
		return c
	}
	if j.gpt.reasons && !j.gpt.samples && strings.Contains(string(member(j.body, "include")), "output_text.logprobs") {
		return j.refuse("include", "unsupported_parameter", "logprobs are not supported with reasoning models.")
	}
	if c := j.responsesChoice(); c != nil {
		return c
	}
	return j.responsesConversation(before)
}

// responsesChoice checks the choice of tools, and the word that OpenAI wants to see for JSON answers.
func (j *judge) responsesChoice() *complaint {
	format := member(member(j.body, "text"), "format")
	if decoded(member(format, "type")) == "json_object" &&
		!strings.Contains(strings.ToLower(string(member(j.body, "input"))+j.text("instructions")), "json") {
		return j.refuse("input", "", "Response input messages must contain the word 'json' in some form to use 'text.format' of "+
			"type 'json_object'.")
	}
	choice := member(j.body, "tool_choice")
	none := true
	for range elements(member(j.body, "tools")) {
		none = false
	}
	if mode := decoded(choice); mode == "required" && none {
		return j.refuse("tool_choice", "", "Tool choice 'required' must be specified with 'tools' parameter.")
	}
	chosen := put(nil, "[", choice, "]")
	if decoded(member(choice, "type")) == "allowed_tools" {
		chosen = member(choice, "tools")
	}
	for tool := range elements(chosen) {
		kind, name := decoded(member(tool, "type")), decoded(member(tool, "name"))
		if kind != "" && !hasResponsesTool(member(j.body, "tools"), kind, name) {
			shown := kind
			if name != "" {
				shown = name
			}
			return j.refuse("tool_choice", "", "Tool choice '%s' not found in 'tools' parameter.", shown)
		}
	}
	return nil
}

// hasResponsesTool reports whether tools, or a namespace among them, have one of that type, and of that name unless it is
// empty.
func hasResponsesTool(tools []byte, kind, name string) bool {
	for tool := range elements(tools) {
		if hasResponsesTool(member(tool, "tools"), kind, name) {
			return true
		}
		if decoded(member(tool, "type")) == kind && (name == "" || kind == "mcp" || decoded(member(tool, "name")) == name) {
			return true
		}
	}
	return false
}
