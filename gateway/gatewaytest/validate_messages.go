package gatewaytest

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// versionWithoutSampling is the anthropic-version that refuses temperature, top_p and top_k (protocols.md H).
const versionWithoutSampling = "2026-10-21"

// What names and ids look like to Anthropic.
var (
	anthropicName = match(`^[a-zA-Z0-9_-]{1,128}$`, 128)
	toolUseID     = match(`^[a-zA-Z0-9_-]+$`, 64)
	serverUseID   = match(`^srvtoolu_[a-zA-Z0-9_]+$`, 64)
)

// messagesFields are the fields of protocols.md A.7.
var messagesFields = fields{
	"model":         textUpTo(256),
	"messages":      array(anthropicMessage, 0, 100_000),
	"max_tokens":    natural,
	"system":        either("sa", text, array(tagged(map[string]rule{"text": textBlock}), 0, math.MaxInt32)),
	"temperature":   number(0, 1),
	"top_p":         number(0, 1),
	"top_k":         natural,
	"stream":        boolean,
	"thinking":      thinkingConfig,
	"cache_control": orNull(cacheControl),
	"stop_sequences": array(func(j *judge, at *place, value []byte) *complaint {
		if c := text(j, at, value); c != nil {
			return c
		}
		if strings.TrimSpace(decoded(value)) == "" {
			return j.refuse("", "", "stop_sequences: each stop sequence must contain non-whitespace")
		}
		return nil
	}, 0, math.MaxInt32),
	"output_config": object(fields{
		"effort": orNull(oneOf(strings.Fields(effortsAll)...)), "format": orNull(outputFormat), "task_budget": anyObject,
	}),
	"output_format": orNull(outputFormat),
	"tools":         array(anthropicTool, 0, math.MaxInt32),
	"tool_choice": tagged(map[string]rule{
		"auto": object(fields{"type": text, "disable_parallel_tool_use": boolean}),
		"any":  object(fields{"type": text, "disable_parallel_tool_use": boolean}),
		"tool": object(fields{"type": text, "name": text, "disable_parallel_tool_use": boolean}, "name"),
		"none": object(fields{"type": text}),
	}),
	"metadata":              object(fields{"user_id": orNull(userID)}),
	"service_tier":          oneOf("auto", "standard_only"),
	"speed":                 orNull(oneOf("standard", "fast")),
	"inference_geo":         orNull(text),
	"container":             orNull(either("so", text, anyObject)),
	"diagnostics":           orNull(object(fields{"previous_message_id": orNull(text)})),
	"context_management":    orNull(anyObject),
	"compaction":            anything,
	"mcp_servers":           array(mcpServer, 0, 20),
	"fallbacks":             array(anyObject, 0, math.MaxInt32),
	"fallback_credit_token": text,
	"thread": tagged(map[string]rule{
		"create": object(fields{"type": text}), "continue": object(fields{"type": text, "previous_message_id": text}, "previous_message_id"),
	}),
}

// betaFields are the fields that need a beta header which begins so.
var betaFields = map[string]string{
	"output_format": "structured-outputs-", "context_management": "context-management-", "compaction": "comp",
	"mcp_servers": "mcp-client-", "fallbacks": "", "fallback_credit_token": "", "thread": "message-threads-",
}

var cacheControl = object(fields{"type": oneOf("ephemeral"), "ttl": oneOf("5m", "1h")}, "type")

var mcpServer = object(fields{
	"type": oneOf("url"), "name": text, "url": webURL, "authorization_token": orNull(text), "tool_configuration": orNull(anyObject),
}, "type", "name", "url")

var thinkingConfig = tagged(map[string]rule{
	"enabled": object(fields{
		"type": text, "budget_tokens": integer(1024, math.MaxInt64), "display": orNull(oneOf("summarized", "omitted")),
	}, "budget_tokens"),
	"adaptive":      object(fields{"type": text, "display": orNull(oneOf("summarized", "omitted"))}),
	"between_tools": object(fields{"type": text}),
	"disabled":      object(fields{"type": text}),
})

// outputFormat takes a format with a schema that structured outputs know.
func outputFormat(j *judge, at *place, value []byte) *complaint {
	if c := object(fields{"type": oneOf("json_schema"), "schema": anyObject}, "type", "schema")(j, at, value); c != nil {
		return c
	}
	if !j.claude.formats {
		return j.complain(at, "", "This model does not support output format.")
	}
	if why := formatSchema(member(value, "schema")); why != "" {
		return j.complain(at.field("schema"), "", "{at}: %s", why)
	}
	return nil
}

// contact is what is no user's id: an address or the number of a telephone.
var contact = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$|^\+?[0-9][0-9 ().-]{6,}[0-9]$`)

// userID takes an id that tells nothing about the user.
func userID(j *judge, at *place, value []byte) *complaint {
	if c := shortText(256)(j, at, value); c != nil {
		return c
	}
	if contact.MatchString(decoded(value)) {
		return j.complain(at, "", "{at}: user_id appears to contain an email address or a phone number")
	}
	return nil
}

// anthropicCustomTool takes a tool of the client's.
var anthropicCustomTool = object(fields{
	"type": orNull(text), "name": anthropicName, "description": text, "input_schema": anyObject, "strict": boolean,
	"cache_control": orNull(cacheControl), "defer_loading": boolean, "eager_input_streaming": orNull(boolean),
	"allowed_callers": array(text, 0, math.MaxInt32), "input_examples": array(anyObject, 0, math.MaxInt32),
}, "name", "input_schema")

// anthropicWebSearch takes the tool that searches the web.
var anthropicWebSearch = object(fields{
	"type": text, "name": oneOf("web_search"), "allowed_domains": orNull(array(text, 0, math.MaxInt32)),
	"blocked_domains": orNull(array(text, 0, math.MaxInt32)), "max_uses": orNull(integer(1, math.MaxInt32)),
	"user_location": orNull(object(fields{
		"type": oneOf("approximate"), "city": orNull(text), "country": orNull(text), "region": orNull(text), "timezone": orNull(text),
	}, "type")),
	"cache_control": orNull(cacheControl), "defer_loading": boolean, "strict": boolean,
	"allowed_callers": array(text, 0, math.MaxInt32), "response_inclusion": anything,
}, "name")

// typedTools are the beginnings of the types of Anthropic's own tools.
var typedTools = []string{
	"bash_", "text_editor_", "code_execution_", "memory_", "web_fetch_", "tool_search_tool_", "computer_", "browser_",
	"mcp_toolset", "advisor_",
}

// anthropicTool takes a tool.
func anthropicTool(j *judge, at *place, value []byte) *complaint {
	if c := anyObject(j, at, value); c != nil {
		return c
	}
	kind := decoded(member(value, "type"))
	switch {
	case kind == "" || kind == "custom":
		return j.customTool(at.tagged("custom"), value)
	case strings.HasPrefix(kind, "web_search_"):
		return anthropicWebSearch(j, at.tagged(kind), value)
	case slices.ContainsFunc(typedTools, func(prefix string) bool { return strings.HasPrefix(kind, prefix) }):
		return nil
	}
	return j.noSuchTag(at, kind, append([]string{"custom", "web_search_20250305"}, typedTools...))
}

func (j *judge) customTool(at *place, value []byte) *complaint {
	if c := anthropicCustomTool(j, at, value); c != nil {
		return c
	}
	schema := member(value, "input_schema")
	switch kind := member(schema, "type"); {
	case kind == nil:
		return j.missing(at.field("input_schema").field("type"))
	case decoded(kind) != "object":
		return j.complain(at.field("input_schema").field("type"), "", "{at}: Input should be 'object'")
	}
	if string(member(value, "strict")) != "true" {
		return nil
	}
	if !j.claude.formats {
		return j.complain(at.field("strict"), "", "{at}: Extra inputs are not permitted")
	}
	if why := formatSchema(schema); why != "" {
		return j.complain(at.field("input_schema"), "", "{at}: %s", why)
	}
	return nil
}

// messages checks a request of Messages.
func (j *judge) messages() *complaint {
	if c := j.messagesFields(); c != nil {
		return c
	}
	for _, check := range [...]func() *complaint{
		j.limits, j.thinking, j.anthropicSampling, j.anthropicChoice, j.cacheMarks, j.turns,
	} {
		if c := check(); c != nil {
			return c
		}
	}
	return nil
}

func (j *judge) messagesFields() *complaint {
	required := []string{"max_tokens", "messages", "model"}
	if j.route == routeCount {
		required = required[1:]
	}
	if kindOf(j.body[skipSpace(j.body, 0):]) == 'o' {
		for key := range members(j.body) {
			name := decodedKey(key)
			beta, isBeta := betaFields[name]
			if isBeta && (j.betas == "" || !j.hasBeta(beta)) {
				return j.unknown((*place)(nil).field(name))
			}
		}
	}
	return object(messagesFields, required...)(j, nil, j.body[skipSpace(j.body, 0):])
}

// limits checks max_tokens and the effort against the model.
func (j *judge) limits() *complaint {
	if limit := number32(member(j.body, "max_tokens")); limit > j.claude.maxOutput {
		return j.refuse("", "", "max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", limit,
			j.claude.maxOutput, j.text("model"))
	}
	effort := decoded(member(member(j.body, "output_config"), "effort"))
	switch {
	case effort == "" || allows(j.claude.efforts, effort):
		return nil
	case j.claude.efforts == "":
		return j.refuse("", "", "This model does not support the effort parameter.")
	}
	return j.refuse("", "", "output_config.effort: This model does not support effort level '%s'. Supported levels: %s.", effort,
		strings.Join(strings.Fields(j.claude.efforts), ", "))
}

// thinking checks the kind of thinking against the model and the limit.
func (j *judge) thinking() *complaint {
	config := member(j.body, "thinking")
	if config == nil {
		return nil
	}
	kind := decoded(member(config, "type"))
	limit, budget := number32(member(j.body, "max_tokens")), number32(member(config, "budget_tokens"))
	effort := decoded(member(member(j.body, "output_config"), "effort"))
	switch {
	case !allows(j.claude.thinking, kind) && kind == "adaptive":
		return j.refuse("", "", "adaptive thinking is not supported on this model")
	case !allows(j.claude.thinking, kind) && kind == "enabled" && allows(j.claude.thinking, "adaptive"):
		return j.refuse("", "", `"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and `+
			`"output_config.effort" to control thinking behavior.`)
	case !allows(j.claude.thinking, kind):
		return j.refuse("", "", `"thinking.type.%s" is not supported for this model.`, kind)
	case kind == "disabled" && j.claude.offBelowXHigh && (effort == "xhigh" || effort == "max"):
		return j.refuse("", "", `"thinking.type.disabled" is not supported with effort '%s'.`, effort)
	case kind == "enabled" && limit > 0 && budget >= limit:
		return j.refuse("", "", "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "+
			"https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size")
	}
	return nil
}

// thinks reports whether the request turns thinking on.
func (j *judge) thinks() bool {
	kind := decoded(member(member(j.body, "thinking"), "type"))
	return kind == "enabled" || kind == "adaptive" || kind == "between_tools"
}

// anthropicSampling checks temperature, top_p and top_k.
func (j *judge) anthropicSampling() *complaint {
	for _, key := range [...]string{"temperature", "top_p", "top_k"} {
		switch {
		case !j.has(key):
		case j.version == versionWithoutSampling:
			return j.refuse("", "", "%s: Extra inputs are not permitted", key)
		case !j.claude.sampling:
			return j.refuse("", "", "`%s` is deprecated for this model.", key)
		}
	}
	temperature := string(member(j.body, "temperature"))
	switch {
	case j.claude.known && temperature != "" && j.has("top_p"):
		return j.refuse("", "", "`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	case !j.thinks():
		return nil
	case temperature != "" && temperature != "1" && temperature != "1.0":
		return j.refuse("", "", "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
	case j.has("top_k"):
		return j.refuse("", "", "`top_k` must be unset when thinking is enabled or in adaptive mode.")
	case j.has("top_p") && string(member(j.body, "top_p")) < "0.95":
		return j.refuse("", "", "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode.")
	}
	return nil
}

// anthropicChoice checks the tools' names and which one is chosen.
func (j *judge) anthropicChoice() *complaint {
	var names []string
	for tool := range elements(member(j.body, "tools")) {
		name := decoded(member(tool, "name"))
		if name != "" && slices.Contains(names, name) {
			return j.refuse("", "", "tools: Tool names must be unique.")
		}
		names = append(names, name)
	}
	choice := member(j.body, "tool_choice")
	kind, name := decoded(member(choice, "type")), decoded(member(choice, "name"))
	switch {
	case choice == nil:
		return nil
	case len(names) == 0:
		return j.refuse("", "", "tool_choice: Tool choice may only be specified while providing tools.")
	case kind == "tool" && !slices.Contains(names, name):
		return j.refuse("", "", "tool_choice.tool.name: Tool '%s' not found in provided tools", name)
	case kind != "any" && kind != "tool":
		return nil
	case j.claude.noForce:
		return j.refuse("", "", `tool_choice.type: "%s" is not supported for this model.`, kind)
	case j.claude.known && decoded(member(member(j.body, "thinking"), "type")) == "enabled":
		return j.refuse("", "", "Thinking may not be enabled when tool_choice forces tool use.")
	}
	return nil
}

// maxCacheMarks is how many blocks may have cache_control.
const maxCacheMarks = 4

// cacheMarks counts marks of the cache and checks that the long ones come first.
func (j *judge) cacheMarks() *complaint {
	marks, short := 0, false
	look := func(value []byte) *complaint {
		mark := member(value, "cache_control")
		if mark == nil {
			return nil
		}
		marks++
		if decoded(member(mark, "ttl")) != "1h" {
			short = true
		} else if short {
			return j.refuse("", "", "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that "+
				"blocks are processed in the following order: `tools`, `system`, `messages`.")
		}
		if decoded(member(value, "type")) == "text" && decodedLen(member(value, "text")) == 0 {
			return j.refuse("", "", "cache_control cannot be set for empty text blocks")
		}
		return nil
	}
	for _, list := range [...][]byte{member(j.body, "tools"), member(j.body, "system")} {
		for value := range elements(list) {
			if c := look(value); c != nil {
				return c
			}
		}
	}
	for message := range elements(member(j.body, "messages")) {
		for block := range elements(member(message, "content")) {
			if c := look(block); c != nil {
				return c
			}
			for inner := range elements(member(block, "content")) {
				if c := look(inner); c != nil {
					return c
				}
			}
		}
	}
	if j.has("cache_control") {
		marks++
	}
	if marks > maxCacheMarks {
		return j.refuse("", "", "A maximum of %d blocks with cache_control may be provided. Found %d.", maxCacheMarks, marks)
	}
	return nil
}
