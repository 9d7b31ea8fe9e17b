package responses

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Bounds of what is read, far beyond what any provider takes. They keep a hostile body from costing more than its size.
const (
	maxTools   = 4096
	maxUnknown = 256
)

// fields are the members of a request's body, raw, nil where absent or null.
type fields struct {
	model, input, instructions, text, reasoning                   []byte
	tools, toolChoice, parallel, maxToolCalls                     []byte
	maxOutputTokens, temperature, topP, topLogprobs               []byte
	stream, streamOptions, store, background, truncation, include []byte
	previousResponseID, conversation, prompt                      []byte
	metadata, user, safetyIdentifier, serviceTier                 []byte
	promptCacheKey, promptCacheOptions, promptCacheRetention      []byte
}

// ReadRequest reads the body of a client's POST /v1/responses into r, which it overwrites. Everything in r borrows from body.
//
// The turns of r are folded out of the flat list of items: what the model said, thought and called up to the next result or
// message makes one turn, results come to the turn behind their calls. Instructions and leading system and developer
// messages are r.System. Fields that r has no place for are in r.Extra, among them prompt, background when it is true,
// truncation when it is not the default, and an include with more than r can say. r.Store is nil where the client says nothing,
// which means true in this protocol.
//
// An error is InvalidRequest and names the field by its path.
func ReadRequest(body []byte, r *llm.Request) *llm.Error {
	*r = llm.Request{Protocol: llm.Responses}
	var f fields
	m := json.Object(body)
	for m.Next() {
		value := m.Value()
		if json.IsNull(value) {
			value = nil
		}
		if into := f.member(m.Key); into != nil {
			*into = value
		} else if value != nil {
			if len(r.Extra) == maxUnknown {
				return malformed(codeValue, "the request has more than 256 unknown fields")
			}
			r.Extra = append(r.Extra, llm.Field{Name: string(m.Key), Value: value})
		}
	}
	if !m.Complete() {
		return malformed("invalid_json", json.FindFault(body).String())
	}
	return worded(f.read(r))
}

// member returns where the value of the member key belongs, or nil when the name is not known.
func (f *fields) member(key []byte) *[]byte {
	switch string(key) {
	case "model":
		return &f.model
	case "input":
		return &f.input
	case "instructions":
		return &f.instructions
	case "text":
		return &f.text
	case "reasoning":
		return &f.reasoning
	case "tools":
		return &f.tools
	case "tool_choice":
		return &f.toolChoice
	case "parallel_tool_calls":
		return &f.parallel
	case "max_tool_calls":
		return &f.maxToolCalls
	case "max_output_tokens":
		return &f.maxOutputTokens
	case "temperature":
		return &f.temperature
	case "top_p":
		return &f.topP
	case "top_logprobs":
		return &f.topLogprobs
	case "stream":
		return &f.stream
	case "stream_options":
		return &f.streamOptions
	case "store":
		return &f.store
	case "background":
		return &f.background
	case "truncation":
		return &f.truncation
	case "include":
		return &f.include
	case "previous_response_id":
		return &f.previousResponseID
	case "conversation":
		return &f.conversation
	case "prompt":
		return &f.prompt
	case "metadata":
		return &f.metadata
	case "user":
		return &f.user
	case "safety_identifier":
		return &f.safetyIdentifier
	case "service_tier":
		return &f.serviceTier
	case "prompt_cache_key":
		return &f.promptCacheKey
	case "prompt_cache_options":
		return &f.promptCacheOptions
	case "prompt_cache_retention":
		return &f.promptCacheRetention
	}
	return nil
}

// read fills r from the raw members.
func (f *fields) read(r *llm.Request) *llm.Error {
	if f.model == nil {
		return under("model", malformed(codeMissing, "is required"))
	}
	if err := under("model", readString(f.model, &r.Model)); err != nil {
		return err
	}
	if err := f.readScalars(r); err != nil {
		return err
	}
	if err := f.readState(r); err != nil {
		return err
	}
	if err := under("text", readFormat(f.text, r)); err != nil {
		return err
	}
	if err := under("reasoning", readReasoning(f.reasoning, &r.Reasoning)); err != nil {
		return err
	}
	if err := f.readInclude(r); err != nil {
		return err
	}
	if err := readTools("tools", f.tools, r); err != nil {
		return err
	}
	if err := under("tool_choice", readChoice(f.toolChoice, &r.Choice)); err != nil {
		return err
	}
	f.keepEcho(r)
	f.keepExtra(r)
	return f.readInput(r)
}

func (f *fields) readScalars(r *llm.Request) *llm.Error {
	var stream *bool
	for _, err := range [...]*llm.Error{
		under("max_output_tokens", readInt(f.maxOutputTokens, &r.Sampling.MaxTokens)),
		under("max_tool_calls", readInt(f.maxToolCalls, &r.MaxToolCalls)),
		under("temperature", readNumber(f.temperature, &r.Sampling.Temperature)),
		under("top_p", readNumber(f.topP, &r.Sampling.TopP)),
		under("top_logprobs", readInt(f.topLogprobs, &r.Sampling.TopLogprobs)),
		under("parallel_tool_calls", readBool(f.parallel, &r.Choice.Parallel)),
		under("stream", readBool(f.stream, &stream)),
		under("store", readBool(f.store, &r.Store)),
		under("metadata", readObject(f.metadata, &r.Metadata)),
		under("service_tier", readString(f.serviceTier, &r.ServiceTier)),
		under("prompt_cache_key", readString(f.promptCacheKey, &r.Cache.Key)),
		under("prompt_cache_retention", readString(f.promptCacheRetention, &r.Cache.Retention)),
		under("prompt_cache_options", readObject(f.promptCacheOptions, &r.Cache.Options)),
		under("user", readString(f.user, &r.User)),
		under("safety_identifier", readString(f.safetyIdentifier, &r.User)),
	} {
		if err != nil {
			return err
		}
	}
	r.Stream = stream != nil && *stream
	r.Cache.Prewarm = string(json.Get(r.Cache.Options, "prewarm")) == "true"
	if r.User == "" {
		if id, ok := json.Unquote(json.Get(r.Metadata, "user_id")); ok {
			r.User = json.Borrow(id)
		}
	}
	return nil
}

// readState reads the handles of state that a server keeps.
func (f *fields) readState(r *llm.Request) *llm.Error {
	if err := under("previous_response_id", readString(f.previousResponseID, &r.PreviousResponseID)); err != nil {
		return err
	}
	if f.conversation == nil {
		return nil
	}
	id := f.conversation
	if id[0] == '{' {
		id = json.Get(id, "id")
	}
	if err := under("conversation", readString(id, &r.Conversation)); err != nil {
		return err
	}
	if r.PreviousResponseID != "" && r.Conversation != "" {
		return under("conversation", malformed(codeValue, "can't be combined with `previous_response_id`"))
	}
	return nil
}

// readFormat reads the member text: the shape of the answer and its verbosity.
func readFormat(text []byte, r *llm.Request) *llm.Error {
	if text == nil {
		return nil
	}
	if text[0] != '{' {
		return malformed(codeType, "must be an object")
	}
	var format []byte
	m := json.Object(text)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "format":
			err = under("format", readObject(m.Value(), &format))
		case "verbosity":
			err = under("verbosity", readString(m.Value(), &r.Sampling.Verbosity))
		}
		if err != nil {
			return err
		}
	}
	if format == nil {
		return nil
	}
	return under("format", readFormatObject(format, &r.Format))
}

func readFormatObject(object []byte, format *llm.Format) *llm.Error {
	var kind string
	m := json.Object(object)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "type":
			err = under("type", readString(m.Value(), &kind))
		case "name":
			err = under("name", readString(m.Value(), &format.Name))
		case "description":
			err = under("description", readString(m.Value(), &format.Description))
		case "schema":
			err = under("schema", readObject(m.Value(), &format.Schema))
		case "strict":
			err = under("strict", readBool(m.Value(), &format.Strict))
		}
		if err != nil {
			return err
		}
	}
	switch kind {
	case "", "text":
		format.Kind = llm.FormatText
	case "json_object":
		format.Kind = llm.FormatJSON
	case "json_schema":
		format.Kind = llm.FormatSchema
		if format.Schema == nil {
			return under("schema", malformed(codeMissing, "is required"))
		}
	default:
		return under("type", malformed(codeValue, "must be text, json_object or json_schema"))
	}
	return nil
}

func readReasoning(object []byte, r *llm.Reasoning) *llm.Error {
	if object == nil {
		return nil
	}
	if object[0] != '{' {
		return malformed(codeType, "must be an object")
	}
	var effort, summary, generateSummary string
	m := json.Object(object)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "effort":
			err = under("effort", readString(m.Value(), &effort))
		case "summary":
			err = under("summary", readString(m.Value(), &summary))
		case "generate_summary":
			err = under("generate_summary", readString(m.Value(), &generateSummary))
		case "context":
			err = under("context", readString(m.Value(), &r.Context))
		case "mode":
			err = under("mode", readString(m.Value(), &r.Mode))
		}
		if err != nil {
			return err
		}
	}
	if r.Summary = summary; summary == "" {
		r.Summary = generateSummary
	}
	return under("effort", readEffort(effort, &r.Effort))
}

// readEffort checks an effort. The empty text is none given.
func readEffort(text string, into *llm.Effort) *llm.Error {
	switch effort := llm.Effort(text); effort {
	case "":
	case llm.EffortNone, llm.EffortMinimal, llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh, llm.EffortMax:
		*into = effort
	default:
		return malformed(codeValue, "must be none, minimal, low, medium, high, xhigh or max")
	}
	return nil
}

// What a client may ask to be included that the neutral form knows.
const (
	includeEncrypted = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

// readInclude reads the member include. One that asks for more than the neutral form knows is kept in r.Extra as well.
func (f *fields) readInclude(r *llm.Request) *llm.Error {
	if f.include == nil {
		return nil
	}
	if f.include[0] != '[' {
		return under("include", malformed(codeType, "must be an array"))
	}
	more := false
	e := json.Array(f.include)
	for i := 0; e.Next(); i++ {
		var name string
		if err := within("include", i, readString(e.Value(), &name)); err != nil {
			return err
		}
		switch name {
		case includeEncrypted:
			r.Reasoning.Encrypted = true
		case includeLogprobs:
			r.Sampling.Logprobs = true
		default:
			more = true
		}
	}
	if !more {
		f.include = nil
	}
	return nil
}

// keepEcho notes what an answer repeats of the request.
func (f *fields) keepEcho(r *llm.Request) {
	for _, echo := range [...]llm.Field{
		{Name: "instructions", Value: f.instructions},
		{Name: "max_output_tokens", Value: f.maxOutputTokens},
		{Name: "max_tool_calls", Value: f.maxToolCalls},
		{Name: "metadata", Value: f.metadata},
		{Name: "parallel_tool_calls", Value: f.parallel},
		{Name: "previous_response_id", Value: f.previousResponseID},
		{Name: "prompt_cache_key", Value: f.promptCacheKey},
		{Name: "prompt_cache_retention", Value: f.promptCacheRetention},
		{Name: "reasoning", Value: f.reasoning},
		{Name: "safety_identifier", Value: f.safetyIdentifier},
		{Name: "temperature", Value: f.temperature},
		{Name: "text", Value: f.text},
		{Name: "tool_choice", Value: f.toolChoice},
		{Name: "tools", Value: f.tools},
		{Name: "top_logprobs", Value: f.topLogprobs},
		{Name: "top_p", Value: f.topP},
		{Name: "truncation", Value: f.truncation},
		{Name: "user", Value: f.user},
	} {
		if echo.Value != nil {
			r.Echo = append(r.Echo, echo)
		}
	}
}

// keepExtra adds the known fields that the neutral form has no place for, unless they say what is so anyway.
func (f *fields) keepExtra(r *llm.Request) {
	extra := func(name string, value []byte) {
		if value != nil {
			r.Extra = append(r.Extra, llm.Field{Name: name, Value: value})
		}
	}
	extra("prompt", f.prompt)
	if string(f.background) != "false" {
		extra("background", f.background)
	}
	if string(f.truncation) != `"disabled"` {
		extra("truncation", f.truncation)
	}
	extra("include", f.include)
	// Nothing is ever obfuscated: asking for that is no loss.
	if string(json.Get(f.streamOptions, "include_obfuscation")) == "true" {
		extra("stream_options", f.streamOptions)
	}
}

// readInput reads instructions and input.
func (f *fields) readInput(r *llm.Request) *llm.Error {
	instructions := f.instructions
	if instructions != nil && instructions[0] == '[' {
		// Clients may send the instructions of an earlier answer back, which can be a list of items.
		fold := folder{request: r, list: "instructions"}
		if err := fold.readItems(instructions); err != nil {
			return err
		}
		instructions = nil
	}
	text, err := readText(instructions)
	if err != nil {
		return under("instructions", err)
	}
	if len(text) > 0 {
		r.System = append(r.System, llm.Item{Kind: llm.Text, Text: text})
	}
	switch {
	case f.input == nil:
		if f.prompt == nil && r.PreviousResponseID == "" && r.Conversation == "" {
			return under("input", malformed(codeMissing, "is required"))
		}
	case f.input[0] == '"':
		text, err := readText(f.input)
		if err != nil {
			return under("input", err)
		}
		r.Turns = append(r.Turns, llm.Turn{
			Role:  llm.User,
			Items: []llm.Item{{Kind: llm.Text, Text: text}},
			Path:  llm.Path{List: "input"},
		})
	case f.input[0] == '[':
		fold := folder{request: r, list: "input"}
		return fold.readItems(f.input)
	default:
		return under("input", malformed(codeType, "must be a string or an array"))
	}
	return nil
}

// mediaOf splits a data URL into its type and its base64. It returns false for any other URL.
func mediaOf(url []byte) (mime string, data []byte, ok bool) {
	text := json.Borrow(url)
	if len(text) < 5 || !strings.EqualFold(text[:5], "data:") {
		return "", nil, false
	}
	head, tail, found := strings.Cut(text[5:], ",")
	if !found || !strings.HasSuffix(head, ";base64") {
		return "", nil, false
	}
	mime, _, _ = strings.Cut(head, ";")
	return mime, url[len(url)-len(tail):], true
}
