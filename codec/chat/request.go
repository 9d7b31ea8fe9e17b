package chat

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// ErrResponsesShape is what ReadRequest returns for a body with "input" and without "messages": Cursor posts bodies
// of Responses to /v1/chat/completions (protocols.md D.21). The caller compares the pointer, reads the body as
// Responses and answers as Chat. As an error of its own it says that messages are missing.
var ErrResponsesShape = &llm.Error{
	Kind:    llm.InvalidRequest,
	Code:    "missing_required_parameter",
	Param:   "messages",
	Message: "`messages` is required",
}

// ReadRequest fills r from the body of a Chat Completions request
// (https://platform.openai.com/docs/api-reference/chat/create). What r holds afterwards is borrowed from body;
// whatever it held before is forgotten.
//
// Of members with one name the last one counts, null is the same as absent. Top-level fields that are not known go to
// r.Extra, and those of messages as messages.NAME, for the sake of warnings. An error has the kind InvalidRequest and
// the JSON path of the field as Param; it is ErrResponsesShape for a body of Responses.
func ReadRequest(body []byte, r *llm.Request) *llm.Error {
	*r = llm.Request{Protocol: llm.Chat}
	d := reader{r: r}
	var f deferred
	m := json.Object(body)
	for m.Next() {
		p := place{name: json.Borrow(m.Key)}
		if value := m.Value(); !f.keep(p.name, value) && !d.member(&p, value) {
			d.extra(p.name, value)
		}
	}
	switch {
	case !m.Complete():
		return &llm.Error{
			Kind: llm.InvalidRequest, Code: "invalid_json",
			Message: "the body is no JSON object: " + json.FindFault(body).String(),
		}
	case json.IsNull(f.messages) && !json.IsNull(f.input):
		return ErrResponsesShape
	}
	d.readDeferred(&f)
	return d.err
}

// reader fills a request. The first error stays; what is read after it doesn't count.
type reader struct {
	r       *llm.Request
	err     *llm.Error
	results bool       // the last turn consists of results of tools, and the next user message belongs to it
	calls   []pending  // the calls of the last assistant message with any
	legacy  int        // how many calls of the deprecated kind there were
	slab    []byte     // room for decoded strings
	items   []llm.Item // room for items
}

// deferred are members that are read in an order of our own, once all of the body has been seen.
type deferred struct {
	messages, input           []byte
	maxTokens, maxCompletion  []byte
	effort, reasoning, think  []byte
	tools, functions          []byte
	toolChoice, functionCall  []byte
	parallel, user, safetyID  []byte
	streamOptions, modalities []byte
}

// keep notes value when name is one of the deferred members.
func (f *deferred) keep(name string, value []byte) bool {
	slot := f.slot(name)
	if slot == nil {
		return false
	}
	*slot = value
	return true
}

func (f *deferred) slot(name string) *[]byte {
	switch name {
	case "messages":
		return &f.messages
	case "input":
		return &f.input
	case "max_tokens":
		return &f.maxTokens
	case "max_completion_tokens":
		return &f.maxCompletion
	case "reasoning_effort":
		return &f.effort
	case "reasoning":
		return &f.reasoning
	case "thinking":
		return &f.think
	case "tools":
		return &f.tools
	case "functions":
		return &f.functions
	case "tool_choice":
		return &f.toolChoice
	case "function_call":
		return &f.functionCall
	case "parallel_tool_calls":
		return &f.parallel
	case "user":
		return &f.user
	case "safety_identifier":
		return &f.safetyID
	case "stream_options":
		return &f.streamOptions
	case "modalities":
		return &f.modalities
	}
	return nil
}

// member reads one top-level field that depends on no other. It returns false for a field that is not known.
func (d *reader) member(p *place, value []byte) bool {
	r, s := d.r, &d.r.Sampling
	switch p.name {
	case "model":
		r.Model = d.text(p, value)
	case "stream":
		r.Stream = d.isTrue(p, value)
	case "temperature":
		s.Temperature = d.number(p, value, 0, 2)
	case "top_p":
		s.TopP = d.number(p, value, 0, 1)
	case "top_k":
		s.TopK = d.number(p, value, 0, 1<<53)
	case "frequency_penalty":
		s.FrequencyPenalty = d.number(p, value, -2, 2)
	case "presence_penalty":
		s.PresencePenalty = d.number(p, value, -2, 2)
	case "seed":
		s.Seed = d.number(p, value, -1<<63, 1<<63)
	case "logit_bias":
		s.LogitBias = d.object(p, value)
	case "n":
		s.N = 0
		if n := d.integer(p, value, 1, 128); n != nil {
			s.N = *n
		}
	case "stop":
		d.readStop(p, value)
	case "logprobs":
		s.Logprobs = d.isTrue(p, value)
	case "top_logprobs":
		s.TopLogprobs = d.integer(p, value, 0, 20)
	case "verbosity":
		s.Verbosity = d.oneOf(p, value, "low", "medium", "high")
	case "response_format":
		d.readFormat(p, value)
	case "web_search_options":
		r.Search = d.readSearch(p, value)
	case "prompt_cache_key":
		r.Cache.Key = d.text(p, value)
	case "prompt_cache_retention":
		r.Cache.Retention = d.text(p, value)
	case "prompt_cache_options":
		r.Cache.Options = d.object(p, value)
	case "cache_control":
		r.Cache.Auto = d.readMark(p, value)
	case "service_tier":
		r.ServiceTier = d.text(p, value)
	case "store":
		r.Store = d.flag(p, value)
	case "metadata":
		r.Metadata = d.object(p, value)
	default:
		return false
	}
	return true
}

// extra notes a field that has no place in the neutral form.
func (d *reader) extra(name string, value []byte) {
	for i := range d.r.Extra {
		if d.r.Extra[i].Name == name {
			d.r.Extra[i].Value = value
			return
		}
	}
	d.r.Extra = append(d.r.Extra, llm.Field{Name: strings.Clone(name), Value: value})
}

// inner notes a field inside of another that has no place in the neutral form, so that writers can warn of it.
func (d *reader) inner(object string, key, value []byte) {
	if json.Truthy(value) && !json.IsEmpty(value) {
		d.extra(object+"."+string(key), value)
	}
}

func (d *reader) readDeferred(f *deferred) {
	r := d.r
	if r.Model == "" {
		d.missing(&place{name: "model"})
	}
	const most = 1 << 53
	r.Sampling.MaxTokens = d.integer(&place{name: "max_completion_tokens"}, f.maxCompletion, 1, most)
	if r.Sampling.MaxTokens == nil {
		r.Sampling.MaxTokens = d.integer(&place{name: "max_tokens"}, f.maxTokens, 1, most)
	}
	d.readModalities(f.modalities)
	d.readReasoning(f)
	r.IncludeUsage = d.isTrue(
		&place{up: &place{name: "stream_options"}, name: "include_usage"},
		json.Get(d.object(&place{name: "stream_options"}, f.streamOptions), "include_usage"))
	if r.User = d.text(&place{name: "safety_identifier"}, f.safetyID); r.User == "" {
		r.User = d.text(&place{name: "user"}, f.user)
	}
	d.readTools(&place{name: "tools"}, f.tools)
	r.Choice.Parallel = d.flag(&place{name: "parallel_tool_calls"}, f.parallel)
	d.readChoice(&place{name: "tool_choice"}, f.toolChoice)
	d.readFunctions(f)
	d.readMessages(&place{name: "messages"}, f.messages)
}

// readModalities keeps the wish for anything but text, which the writers refuse; text is what everybody gives anyway.
func (d *reader) readModalities(value []byte) {
	for e := json.Array(d.array(&place{name: "modalities"}, value)); e.Next(); {
		if string(e.Value()) != `"text"` {
			d.extra("modalities", value)
			return
		}
	}
}

// readReasoning reads how much to think: OpenAI's reasoning_effort, or what aggregators made of it, OpenRouter's object
// reasoning and Anthropic's object thinking.
func (d *reader) readReasoning(f *deferred) {
	r := &d.r.Reasoning
	r.Effort = d.readEffort(&place{name: "reasoning_effort"}, f.effort)
	p := place{name: "reasoning"}
	m := json.Object(d.object(&p, f.reasoning))
	for m.Next() {
		at := place{up: &p, name: json.Borrow(m.Key)}
		switch value := m.Value(); at.name {
		case "effort":
			if effort := d.readEffort(&at, value); r.Effort == "" {
				r.Effort = effort
			}
		case "max_tokens":
			if n := d.integer(&at, value, 1, 1<<53); n != nil && r.Thinking == "" {
				r.Thinking, r.Budget = llm.ThinkingBudget, *n
			}
		case "enabled":
			if on := d.flag(&at, value); on != nil && !*on && r.Effort == "" {
				r.Effort = llm.EffortNone
			}
		case "summary":
			r.Summary = d.text(&at, value)
		default:
			d.inner("reasoning", m.Key, value)
		}
	}
	p = place{name: "thinking"}
	if thinking := d.object(&p, f.think); thinking != nil {
		d.readThinking(&p, thinking)
	}
}

func (d *reader) readEffort(p *place, value []byte) llm.Effort {
	effort := llm.Effort(d.text(p, value))
	if effort != "" && !effort.Valid() {
		d.fail(p, "invalid_value", "must be none, minimal, low, medium, high, xhigh or max")
	}
	return effort
}

func (d *reader) readThinking(p *place, thinking []byte) {
	r := &d.r.Reasoning
	kind := llm.Thinking(d.oneOf(&place{up: p, name: "type"}, json.Get(thinking, "type"),
		string(llm.ThinkingBudget), string(llm.ThinkingAdaptive), string(llm.ThinkingOff), string(llm.ThinkingBetween)))
	budget := d.integer(&place{up: p, name: "budget_tokens"}, json.Get(thinking, "budget_tokens"), 1, 1<<53)
	switch {
	case kind == "":
		return
	case kind != llm.ThinkingBudget:
		r.Thinking = kind
	case budget != nil:
		r.Thinking, r.Budget = kind, *budget
	default:
		r.Thinking = llm.ThinkingAdaptive // GLM's and Kimi's switch, which leaves the amount to the model
	}
	r.Display = d.text(&place{up: p, name: "display"}, json.Get(thinking, "display"))
}

// readStop reads one stop sequence, or a list of them.
func (d *reader) readStop(p *place, value []byte) {
	s := &d.r.Sampling
	s.Stop = nil
	switch kindOf(value) {
	case isNull:
	case isString:
		s.Stop = []string{d.text(p, value)}
	case isArray:
		i := 0
		for e := json.Array(value); e.Next(); i++ {
			at := place{up: p, index: i}
			if kindOf(e.Value()) != isString {
				d.wrongType(&at, "a string")
				return
			}
			s.Stop = append(s.Stop, d.text(&at, e.Value()))
		}
	default:
		d.wrongType(p, "a string or an array of strings")
	}
}

// readFormat reads response_format.
func (d *reader) readFormat(p *place, value []byte) {
	f := &d.r.Format
	*f = llm.Format{}
	if value = d.object(p, value); value == nil {
		return
	}
	at := place{up: p, name: "type"}
	kind := json.Get(value, "type")
	if json.IsNull(kind) {
		d.missing(&at)
		return
	}
	switch d.oneOf(&at, kind, "text", "json_object", "json_schema") {
	case "json_object":
		f.Kind = llm.FormatJSON
	case "json_schema":
		f.Kind = llm.FormatSchema
		d.readSchema(&place{up: p, name: "json_schema"}, json.Get(value, "json_schema"))
	}
}

func (d *reader) readSchema(p *place, value []byte) {
	if value = d.object(p, value); value == nil {
		d.missing(p)
		return
	}
	f := &d.r.Format
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "name":
			f.Name = d.text(&at, m.Value())
		case "description":
			f.Description = d.text(&at, m.Value())
		case "schema":
			f.Schema = d.object(&at, m.Value())
		case "strict":
			f.Strict = d.flag(&at, m.Value())
		}
	}
}

// readSearch reads web_search_options.
func (d *reader) readSearch(p *place, value []byte) *llm.WebSearch {
	if value = d.object(p, value); value == nil {
		return nil
	}
	w := new(llm.WebSearch)
	w.ContextSize = d.oneOf(&place{up: p, name: "search_context_size"}, json.Get(value, "search_context_size"), "low",
		"medium", "high")
	at := place{up: p, name: "user_location"}
	if location := d.object(&at, json.Get(value, "user_location")); location != nil {
		w.Location = d.object(&place{up: &at, name: "approximate"}, json.Get(location, "approximate"))
		if w.Location == nil {
			w.Location = location // Responses' flat form
		}
	}
	return w
}

// readMark reads a mark of prompt caching: Anthropic's cache_control, which several gateways take from Chat clients
// too, or OpenAI's prompt_cache_breakpoint.
func (d *reader) readMark(p *place, value []byte) llm.CacheTTL {
	if value = d.object(p, value); value == nil {
		return llm.CacheNone
	}
	switch d.text(&place{up: p, name: "ttl"}, json.Get(value, "ttl")) {
	case "1h", "12h":
		return llm.CacheLong
	}
	return llm.CacheShort
}

// kind is what a JSON value is.
type kind uint8

const (
	isNull kind = iota // or missing
	isString
	isNumber
	isBool
	isObject
	isArray
)

// kindOf returns what value, as a cursor returns it, is.
func kindOf(value []byte) kind {
	if len(value) == 0 {
		return isNull
	}
	switch value[0] {
	case 'n':
		return isNull
	case '"':
		return isString
	case 't', 'f':
		return isBool
	case '{':
		return isObject
	case '[':
		return isArray
	}
	return isNumber
}

// decoded returns the decoded text of a string, or nil when the value is null.
func (d *reader) decoded(p *place, value []byte) []byte {
	switch kindOf(value) {
	case isNull:
		return nil
	case isString:
		inner := value[1 : len(value)-1]
		if bytes.IndexByte(inner, '\\') < 0 {
			return inner
		}
		return d.decode(p, value)
	}
	d.wrongType(p, "a string")
	return nil
}

// minSlab is how much room is made at once for decoded strings, in bytes.
const minSlab = 16 << 10

// decode decodes a string with escapes. The decoded strings of a body lie side by side in few slabs; none is longer
// than it was.
func (d *reader) decode(p *place, value []byte) []byte {
	if cap(d.slab)-len(d.slab) < len(value) {
		d.slab = make([]byte, 0, max(len(value), minSlab))
	}
	start := len(d.slab)
	slab, ok := json.AppendUnquoted(d.slab, value)
	if !ok {
		d.fail(p, "invalid_value", "has an escape that JSON doesn't know")
	}
	d.slab = slab
	return slab[start:len(slab):len(slab)]
}

// text is decoded as a string.
func (d *reader) text(p *place, value []byte) string { return json.Borrow(d.decoded(p, value)) }

// oneOf is text for a field with a closed set of values.
func (d *reader) oneOf(p *place, value []byte, allowed ...string) string {
	text := d.text(p, value)
	if text == "" {
		return ""
	}
	for _, a := range allowed {
		if text == a {
			return a
		}
	}
	d.fail(p, "invalid_value", fmt.Sprintf("must be one of %q", allowed))
	return ""
}

// The two values of optional flags; nobody writes to them.
var yes, no = true, false

// flag returns an optional boolean, nil when the value is null.
func (d *reader) flag(p *place, value []byte) *bool {
	switch string(value) {
	case "", "null":
		return nil
	case "true":
		return &yes
	case "false":
		return &no
	}
	d.wrongType(p, "a boolean")
	return nil
}

// isTrue is flag with false for null.
func (d *reader) isTrue(p *place, value []byte) bool {
	f := d.flag(p, value)
	return f != nil && *f
}

// integer returns an optional integer between low and high, nil when the value is null.
func (d *reader) integer(p *place, value []byte, low, high int64) *int64 {
	switch kindOf(value) {
	case isNull:
		return nil
	case isNumber:
		n, ok := json.Int(value)
		if ok && n >= low && n <= high {
			return &n
		}
		d.fail(p, "invalid_value", fmt.Sprintf("must be an integer from %d to %d", low, high))
		return nil
	}
	d.wrongType(p, "an integer")
	return nil
}

// number returns the text of an optional number between low and high, nil when the value is null.
func (d *reader) number(p *place, value []byte, low, high float64) []byte {
	switch kindOf(value) {
	case isNull:
		return nil
	case isNumber:
		if n, err := strconv.ParseFloat(json.Borrow(value), 64); err != nil || n < low || n > high {
			d.fail(p, "invalid_value", fmt.Sprintf("must be a number from %g to %g", low, high))
		}
		return value
	}
	d.wrongType(p, "a number")
	return nil
}

// object returns an optional object, nil when the value is null.
func (d *reader) object(p *place, value []byte) []byte {
	switch kindOf(value) {
	case isNull:
		return nil
	case isObject:
		return value
	}
	d.wrongType(p, "an object")
	return nil
}

// array returns an optional array, nil when the value is null.
func (d *reader) array(p *place, value []byte) []byte {
	switch kindOf(value) {
	case isNull:
		return nil
	case isArray:
		return value
	}
	d.wrongType(p, "an array")
	return nil
}

// fail notes an error, unless there is one already.
func (d *reader) fail(p *place, code, reason string) {
	if d.err == nil {
		path := p.String()
		d.err = &llm.Error{Kind: llm.InvalidRequest, Code: code, Param: path, Message: "`" + path + "` " + reason}
	}
}

func (d *reader) wrongType(p *place, want string) { d.fail(p, "invalid_type", "must be "+want) }

func (d *reader) missing(p *place) { d.fail(p, "missing_required_parameter", "is required") }
