package messages

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// ReadRequest reads the body of POST /v1/messages into r, which it overwrites; the memory of an earlier request in r is used
// again. What r holds afterwards borrows from body.
//
// The error says which field can't be, by its path in Param: nothing but what this protocol itself asks for is checked here.
// Fields that the neutral form has no place for go to Extra, those inside output_config under the name output_config.NAME;
// content and tools that only Anthropic knows are kept as they are (Raw).
func ReadRequest(body []byte, r *llm.Request) *llm.Error {
	return readRequest(&bodyFields{}, body, r)
}

// ReadCount is ReadRequest for the body of POST /v1/messages/count_tokens, which needs no max_tokens.
func ReadCount(body []byte, r *llm.Request) *llm.Error {
	return readRequest(&bodyFields{unlimited: true}, body, r)
}

func readRequest(f *bodyFields, body []byte, r *llm.Request) *llm.Error {
	*r = llm.Request{
		Protocol: llm.Messages,
		System:   r.System[:0],
		Turns:    r.Turns[:0],
		Tools:    r.Tools[:0],
		Extra:    r.Extra[:0],
	}
	m := json.Object(body)
	for m.Next() {
		if field := f.field(m.Key); field != nil {
			*field = m.Value()
		} else {
			setExtra(r, string(m.Key), m.Value())
		}
	}
	if !m.Complete() {
		return &llm.Error{
			Kind: llm.InvalidRequest, Code: codeInvalidJSON,
			Message: "the request body is no JSON object: " + json.FindFault(body).String(),
		}
	}
	if err := readBody(f, r); err != nil {
		return sayPath(err)
	}
	return nil
}

// bodyFields are the raw values of the top level. Of a name that is repeated the last one counts.
type bodyFields struct {
	model, messages, maxTokens, system   []byte
	temperature, topP, topK, stop        []byte
	thinking, outputConfig, outputFormat []byte
	tools, toolChoice, servers           []byte
	cache, metadata, tier, speed, stream []byte
	// unlimited is whether max_tokens may be missing.
	unlimited bool
}

// field returns where the value of the member name is kept, or nil when it has no place here.
func (f *bodyFields) field(name []byte) *[]byte {
	switch string(name) {
	case "model":
		return &f.model
	case "messages":
		return &f.messages
	case "max_tokens":
		return &f.maxTokens
	case "system":
		return &f.system
	case "temperature":
		return &f.temperature
	case "top_p":
		return &f.topP
	case "top_k":
		return &f.topK
	case "stop_sequences":
		return &f.stop
	case "thinking":
		return &f.thinking
	case "output_config":
		return &f.outputConfig
	case "output_format":
		return &f.outputFormat
	case "tools":
		return &f.tools
	case "tool_choice":
		return &f.toolChoice
	case "mcp_servers":
		return &f.servers
	case "cache_control":
		return &f.cache
	case "metadata":
		return &f.metadata
	case "service_tier":
		return &f.tier
	case "speed":
		return &f.speed
	case "stream":
		return &f.stream
	}
	return nil
}

// setExtra notes a field without a place of its own. A null is as good as none.
func setExtra(r *llm.Request, name string, value []byte) {
	for i := range r.Extra {
		if r.Extra[i].Name == name {
			r.Extra[i].Value = value
			return
		}
	}
	if !json.IsNull(value) {
		r.Extra = append(r.Extra, llm.Field{Name: name, Value: value})
	}
}

func readBody(f *bodyFields, r *llm.Request) *llm.Error {
	if err := readString(&r.Model, f.model, "model"); err != nil {
		return err
	}
	if r.Model == "" {
		return missing("model")
	}
	if err := readScalars(f, r); err != nil {
		return err
	}
	if err := readThinking(f, r); err != nil {
		return err
	}
	if err := readFormat(f, r); err != nil {
		return err
	}
	if err := readTools(f.tools, f.servers, r); err != nil {
		return err
	}
	if err := readChoice(f.toolChoice, r); err != nil {
		return err
	}
	if err := readSystem(f.system, r); err != nil {
		return err
	}
	return readMessages(f.messages, r)
}

func readScalars(f *bodyFields, r *llm.Request) *llm.Error {
	s := &r.Sampling
	if json.IsNull(f.maxTokens) && !f.unlimited {
		return missing("max_tokens")
	}
	if err := readCount(&s.MaxTokens, f.maxTokens, "max_tokens"); err != nil {
		return err
	}
	r.Cache.Prewarm = s.MaxTokens != nil && *s.MaxTokens == 0
	for _, number := range [...]struct {
		field *[]byte
		value []byte
		name  string
	}{
		{&s.Temperature, f.temperature, "temperature"}, {&s.TopP, f.topP, "top_p"}, {&s.TopK, f.topK, "top_k"},
	} {
		if err := readNumber(number.field, number.value, number.name); err != nil {
			return err
		}
	}
	if err := readStrings(&s.Stop, f.stop, "stop_sequences"); err != nil {
		return err
	}
	if err := readBool(&r.Stream, f.stream, "stream"); err != nil {
		return err
	}
	if err := readString(&r.ServiceTier, f.tier, "service_tier"); err != nil {
		return err
	}
	if err := readString(&r.Speed, f.speed, "speed"); err != nil {
		return err
	}
	if err := readCache(&r.Cache.Auto, f.cache, "cache_control"); err != nil {
		return err
	}
	return readMetadata(f.metadata, r)
}

// readMetadata takes the user's id out. Only what else stands in the object, which Anthropic itself wouldn't accept, is
// metadata in the sense of the other protocols.
func readMetadata(value []byte, r *llm.Request) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	others := false
	m := json.Object(value)
	for m.Next() {
		if string(m.Key) != "user_id" {
			others = true
		} else if err := readString(&r.User, m.Value(), "user_id"); err != nil {
			return at(err, "metadata")
		}
	}
	if !m.Complete() {
		return invalidType("metadata", "an object")
	}
	if others {
		r.Metadata = value
	}
	return nil
}

func readThinking(f *bodyFields, r *llm.Request) *llm.Error {
	if json.IsNull(f.thinking) {
		return nil
	}
	kind := ""
	m := json.Object(f.thinking)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "type":
			err = readString(&kind, m.Value(), "type")
		case "budget_tokens":
			var budget *int64
			if err = readCount(&budget, m.Value(), "budget_tokens"); err == nil && budget != nil {
				r.Reasoning.Budget = *budget
			}
		case "display":
			err = readString(&r.Reasoning.Display, m.Value(), "display")
		default:
			setExtra(r, "thinking."+string(m.Key), m.Value())
		}
		if err != nil {
			return at(err, "thinking")
		}
	}
	if !m.Complete() {
		return invalidType("thinking", "an object")
	}
	switch r.Reasoning.Thinking = llm.Thinking(kind); r.Reasoning.Thinking {
	case llm.ThinkingOff, llm.ThinkingAdaptive, llm.ThinkingBetween:
	case llm.ThinkingBudget:
		if r.Reasoning.Budget == 0 {
			return missing("thinking.budget_tokens")
		}
	case "":
		return missing("thinking.type")
	default:
		return invalidValue("thinking.type", "must be enabled, adaptive, between_tools or disabled")
	}
	return nil
}

// readFormat reads output_config and output_format, the older name of output_config.format.
func readFormat(f *bodyFields, r *llm.Request) *llm.Error {
	format, path := f.outputFormat, "output_format"
	if !json.IsNull(f.outputConfig) {
		m := json.Object(f.outputConfig)
		for m.Next() {
			switch string(m.Key) {
			case "effort":
				if err := readEffort(m.Value(), r); err != nil {
					return err
				}
			case "format":
				if !json.IsNull(m.Value()) {
					format, path = m.Value(), "output_config.format"
				}
			default:
				setExtra(r, "output_config."+string(m.Key), m.Value())
			}
		}
		if !m.Complete() {
			return invalidType("output_config", "an object")
		}
	}
	if json.IsNull(format) {
		return nil
	}
	kind := ""
	m := json.Object(format)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			if err := readString(&kind, m.Value(), "type"); err != nil {
				return at(err, path)
			}
		case "schema":
			r.Format.Schema = m.Value()
		}
	}
	switch {
	case !m.Complete():
		return invalidType(path, "an object")
	case kind == "":
		return missing(path + ".type")
	case kind != "json_schema":
		return invalidValue(path+".type", "must be json_schema")
	case json.IsNull(r.Format.Schema):
		return missing(path + ".schema")
	case r.Format.Schema[0] != '{':
		return invalidType(path+".schema", "an object")
	}
	r.Format.Kind = llm.FormatSchema
	return nil
}

func readEffort(value []byte, r *llm.Request) *llm.Error {
	effort := ""
	if err := readString(&effort, value, "output_config.effort"); err != nil {
		return err
	}
	switch r.Reasoning.Effort = llm.Effort(effort); r.Reasoning.Effort {
	case "", llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh, llm.EffortMax:
		return nil
	}
	return invalidValue("output_config.effort", "must be low, medium, high, xhigh or max")
}

// readSystem reads the system prompt, a string or blocks of text.
func readSystem(value []byte, r *llm.Request) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	items, err := readContent(r.System[:0], value, 1)
	if err != nil {
		return at(err, "system")
	}
	for i := range items {
		if items[i].Kind != llm.Text {
			return invalidValue("system["+strconv.Itoa(i)+"].type", "must be text")
		}
	}
	r.System = items
	return nil
}

func readMessages(value []byte, r *llm.Request) *llm.Error {
	if json.IsNull(value) {
		return missing("messages")
	}
	e := json.Array(value)
	for e.Next() {
		i := len(r.Turns)
		// The items of an earlier request are used again.
		if i < cap(r.Turns) {
			r.Turns = r.Turns[:i+1]
		} else {
			r.Turns = append(r.Turns, llm.Turn{})
		}
		t := &r.Turns[i]
		*t = llm.Turn{Items: t.Items[:0], Path: llm.Path{List: "messages", Index: i}}
		if err := readMessage(e.Value(), t); err != nil {
			return at(err, "messages["+strconv.Itoa(i)+"]")
		}
	}
	switch {
	case !e.Complete():
		return invalidType("messages", "an array")
	case len(r.Turns) == 0:
		return invalidValue("messages", "must have at least one message")
	}
	return nil
}

func readMessage(value []byte, t *llm.Turn) *llm.Error {
	var role string
	var content []byte
	m := json.Object(value)
	for m.Next() {
		switch string(m.Key) {
		case "role":
			if err := readString(&role, m.Value(), "role"); err != nil {
				return err
			}
		case "content":
			content = m.Value()
		}
	}
	if !m.Complete() {
		return invalidType("", "an object")
	}
	switch role {
	case "user":
		t.Role = llm.User
	case "assistant":
		t.Role = llm.Assistant
	case "system":
		t.Role = llm.System
	case "":
		return missing("role")
	default:
		return invalidValue("role", "must be user, assistant or system")
	}
	if json.IsNull(content) {
		return missing("content")
	}
	items, err := readContent(t.Items, content, maxNesting)
	if err != nil {
		return at(err, "content")
	}
	t.Items = items
	return nil
}
