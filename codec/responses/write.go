package responses

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// minOutputTokens is the least max_output_tokens that the API takes.
const minOutputTokens = 16

// writer makes the body of one request.
type writer struct {
	x     *llm.Exchange
	r     *llm.Request
	dst   []byte
	err   *llm.Error
	model llm.OpenAIModel
	// own is whether the client speaks this protocol too: what it wrote is sent as it wrote it.
	own bool
	// wire has the names of tools that go by another name.
	wire map[llm.ToolName]string
	// kept are the tools that are sent.
	kept []int
	// at is the turn that is being written, nil before the first.
	at *llm.Turn
	// uses is the bound of a web search that becomes one of the request, nil when there is none.
	uses *int64
}

// AppendRequest appends the body of a POST /v1/responses that asks x.Model what x.Request says. It notes in x.Warnings what
// the body can't carry, in x.Names the tools that go by another name, and in x.StopEnforced the stop sequences, which this
// protocol doesn't have.
//
// An error is InvalidRequest: something that can't be asked here, named by its path in the client's body as far as it is known.
// dst is then returned as it was. With x.Options.Strict that is also so for everything else that would be lost.
func AppendRequest(dst []byte, x *llm.Exchange) ([]byte, *llm.Error) {
	x.Names.Reset()
	x.StopEnforced = x.StopEnforced[:0]
	if err := llm.CheckFileIDs(x); err != nil {
		return dst, err
	}
	w := writer{
		x: x, r: x.Request, dst: dst, model: llm.OpenAIModelOf(x.Model),
		own: x.Request.Protocol == llm.Responses,
	}
	w.dst = append(w.dst, `{"model":`...)
	w.dst = json.AppendString(w.dst, x.Model)
	w.scalars()
	w.state()
	w.text()
	w.extra()
	w.tools()
	if w.uses != nil {
		w.integer("max_tool_calls", *w.uses)
	}
	w.conversation()
	w.dst = append(w.dst, '}')
	if w.err != nil {
		return dst, w.err
	}
	return w.dst, nil
}

// reject notes what can't be asked for. The first such error counts. A path that nobody knows is empty.
func (w *writer) reject(code, param, message string) {
	if w.err == nil {
		w.err = worded(&llm.Error{Kind: llm.InvalidRequest, Code: code, Param: param, Message: message, NoRetry: true})
	}
}

// refuse says that a field is not available, and what can be done.
func (w *writer) refuse(param, remedy string) {
	w.reject(codeUnsupportedField, param,
		fmt.Sprintf("is not available for model %s (OpenAI Responses upstream). %s", w.r.Model, remedy))
}

// drop notes that a field is left out. An empty name is nothing to note.
func (w *writer) drop(field string) {
	if w.x.Options.Strict {
		w.refuse(field, "Remove it, or use a channel that doesn't convert strictly.")
		return
	}
	w.x.Warnings.Drop(field)
}

// approximate notes that a field arrives with a meaning that is not quite the same.
func (w *writer) approximate(field string) {
	if w.x.Options.Strict {
		w.refuse(field, "It has no exact counterpart there. Remove it, or use a channel that doesn't convert strictly.")
		return
	}
	w.x.Warnings.Approximate(field)
}

// name opens a member of the request.
func (w *writer) name(name string) {
	w.dst = append(append(append(w.dst, ',', '"'), name...), '"', ':')
}

func (w *writer) raw(name string, value []byte) {
	if value != nil {
		w.name(name)
		w.dst = append(w.dst, value...)
	}
}

func (w *writer) str(name, value string) {
	if value != "" {
		w.name(name)
		w.dst = json.AppendString(w.dst, value)
	}
}

func (w *writer) boolean(name string, value bool) {
	w.name(name)
	w.dst = strconv.AppendBool(w.dst, value)
}

func (w *writer) integer(name string, value int64) {
	w.name(name)
	w.dst = strconv.AppendInt(w.dst, value, 10)
}

// echo returns what a client of this protocol wrote for a member, or nil.
func (w *writer) echo(name string) []byte {
	if !w.own {
		return nil
	}
	for i := range w.r.Echo {
		if w.r.Echo[i].Name == name {
			return w.r.Echo[i].Value
		}
	}
	return nil
}

// is reports whether raw, a JSON number or nil, is the number n.
func is(raw []byte, n float64) bool {
	f, err := strconv.ParseFloat(json.Borrow(raw), 64)
	return err == nil && f == n
}

// scalars writes the knobs of generation and reasoning.
func (w *writer) scalars() {
	s := &w.r.Sampling
	if w.r.Stream {
		w.boolean("stream", true)
	}
	w.maxTokens()
	effort := w.reasoning()
	samples := w.own || !w.model.Reasons || w.model.SamplingWithEffortNone && effort == llm.EffortNone
	w.knob("temperature", s.Temperature, samples, 1)
	w.knob("top_p", s.TopP, samples, 1)
	if s.TopK != nil {
		w.drop("top_k")
	}
	w.knob("frequency_penalty", s.FrequencyPenalty, false, 0)
	w.knob("presence_penalty", s.PresencePenalty, false, 0)
	if s.Seed != nil {
		w.drop("seed")
	}
	if !json.IsEmpty(s.LogitBias) {
		w.drop("logit_bias")
	}
	switch {
	case w.x.FansOut():
		w.approximate("n")
	case s.N > 1:
		w.reject(codeUnsupportedValue, "n", "may only be 1: this model's upstream gives one answer (OpenAI Responses). A channel with the option fan_out takes up to 8")
	}
	w.x.StopEnforced = append(w.x.StopEnforced, s.Stop...)
	w.include(samples)
	if w.r.MaxToolCalls != nil {
		w.integer("max_tool_calls", *w.r.MaxToolCalls)
	}
}

// knob writes a number, or notes that it is left out unless it says what is so anyway.
func (w *writer) knob(name string, value []byte, accepted bool, usual float64) {
	switch {
	case value == nil:
	case accepted:
		w.raw(name, value)
	case !is(value, usual):
		w.drop(name)
	}
}

func (w *writer) maxTokens() {
	limit := w.r.Sampling.MaxTokens
	prewarm := w.r.Cache.Prewarm && !w.own
	switch {
	case prewarm && w.model.CacheBreakpoints:
		w.name("prompt_cache_options")
		w.dst = append(w.dst, `{"prewarm":true}`...)
	case prewarm:
		w.integer("max_output_tokens", minOutputTokens)
	case limit != nil && w.own:
		w.integer("max_output_tokens", *limit)
	case limit != nil:
		w.integer("max_output_tokens", max(*limit, minOutputTokens))
	}
}

// reasoning writes how much the model shall think, and returns the effort that was asked for.
func (w *writer) reasoning() llm.Effort {
	want := &w.r.Reasoning
	if raw := w.echo("reasoning"); raw != nil && stringOf(json.Get(raw, "effort")) == string(want.Effort) {
		w.raw("reasoning", raw)
		return want.Effort
	}
	effort, exact := want.OpenAIEffort()
	summary := want.Summary
	if w.r.Protocol == llm.Messages && want.Display != "omitted" &&
		(want.Thinking == llm.ThinkingBudget || want.Thinking == llm.ThinkingAdaptive) {
		summary = "auto"
	}
	if w.model.Known && !w.model.Reasons {
		if effort != "" && effort != llm.EffortNone {
			w.drop(w.effortField())
		}
		if summary != "" && w.r.Protocol == llm.Chat {
			w.drop("reasoning.summary")
		}
		return ""
	}
	send := effort
	if !w.own {
		send = w.model.Nearest(effort)
	}
	if send != effort || !exact {
		w.approximate(w.effortField())
	}
	if send == "" && summary == "" && want.Context == "" && want.Mode == "" {
		return send
	}
	w.name("reasoning")
	w.dst = append(w.dst, '{')
	before := len(w.dst)
	for _, member := range [...]struct{ name, value string }{
		{"effort", string(send)}, {"summary", summary}, {"context", want.Context}, {"mode", want.Mode},
	} {
		w.str(member.name, member.value)
	}
	// The first member has a comma too many.
	w.dst = append(slices.Delete(w.dst, before, before+1), '}')
	return send
}

// effortField is what the client calls the effort.
func (w *writer) effortField() string {
	switch {
	case w.own:
		return "reasoning.effort"
	case w.r.Protocol == llm.Chat:
		return "reasoning_effort"
	case w.r.Reasoning.Effort != "":
		return "output_config.effort"
	}
	return "thinking"
}

// include asks for what the answer shall hold besides.
func (w *writer) include(samples bool) {
	s := &w.r.Sampling
	if w.own {
		for i := range w.r.Extra {
			if w.r.Extra[i].Name == "include" {
				w.logprobs(true)
				return // extra sends it
			}
		}
	}
	logprobs := s.Logprobs
	if logprobs && !samples {
		w.drop("logprobs")
		logprobs = false
	}
	encrypted := w.r.Reasoning.Encrypted
	if !w.own {
		encrypted = w.model.Reasons || !w.model.Known && w.thinks()
	}
	switch {
	case logprobs && encrypted:
		w.raw("include", []byte(`["`+includeEncrypted+`","`+includeLogprobs+`"]`))
	case logprobs:
		w.raw("include", []byte(`["`+includeLogprobs+`"]`))
	case encrypted:
		w.raw("include", []byte(`["`+includeEncrypted+`"]`))
	}
	w.logprobs(logprobs)
}

// logprobs writes how many alternatives the log probabilities have.
func (w *writer) logprobs(wanted bool) {
	if n := w.r.Sampling.TopLogprobs; n != nil && (wanted || w.own) {
		w.integer("top_logprobs", *n)
	}
}

// thinks reports whether the client asks for reasoning at all.
func (w *writer) thinks() bool {
	want := &w.r.Reasoning
	return want.Effort != "" && want.Effort != llm.EffortNone || want.Thinking != "" && want.Thinking != llm.ThinkingOff
}

// state writes what the provider keeps, and for whom.
func (w *writer) state() {
	r := w.r
	switch {
	case r.Store != nil && (w.own || r.Protocol == llm.Chat):
		w.boolean("store", *r.Store)
	case !w.own:
		w.boolean("store", false)
	}
	if w.own {
		w.str("previous_response_id", r.PreviousResponseID)
		w.str("conversation", r.Conversation)
		w.raw("safety_identifier", w.echo("safety_identifier"))
		w.raw("user", w.echo("user"))
		w.str("service_tier", r.ServiceTier)
	} else {
		if w.x.Options.FirstParty {
			w.str("safety_identifier", shortUser(r.User))
		} else {
			w.str("user", shortUser(r.User))
		}
		w.tier()
	}
	if r.Protocol != llm.Messages {
		w.raw("metadata", r.Metadata)
	}
	switch {
	case r.Cache.Key != "":
		w.str("prompt_cache_key", r.Cache.Key)
	case !w.own && w.x.Options.PromptCacheKey && w.x.Options.FirstParty:
		w.str("prompt_cache_key", cacheKey(r))
	}
	w.str("prompt_cache_retention", r.Cache.Retention)
	if r.Cache.Auto != llm.CacheNone && !w.x.Options.FirstParty {
		w.drop("cache_control") // OpenAI itself caches by its own
	}
	if r.Cache.Options != nil && (w.own || r.Protocol == llm.Chat) {
		w.raw("prompt_cache_options", r.Cache.Options)
	}
}

// shortUser returns an end user's id in the 64 characters that the API takes: a longer one is hashed.
func shortUser(id string) string {
	if len(id) <= 64 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// cacheKey derives a prompt_cache_key: requests of one user, else with the same system texts and tools, share a cache.
func cacheKey(r *llm.Request) string {
	if r.User == "" && len(r.System)+len(r.Tools) == 0 {
		return "" // nothing that a cache could hold
	}
	hash := sha256.New()
	if r.User != "" {
		hash.Write([]byte(r.User))
	} else {
		for i := range r.System {
			if !isBilling(r.System[i].Text) {
				hash.Write(r.System[i].Text)
			}
		}
		for i := range r.Tools {
			hash.Write([]byte(r.Tools[i].Name))
			hash.Write(r.Tools[i].Schema)
		}
	}
	sum := hash.Sum(nil)
	return "gw_" + hex.EncodeToString(sum[:16])
}

// tier writes the service tier of a client of another protocol.
func (w *writer) tier() {
	tier := w.r.ServiceTier
	if w.r.Protocol == llm.Messages {
		switch tier {
		case "standard_only":
			tier = "default"
		case "auto", "":
		default:
			w.drop("service_tier")
			tier = ""
		}
		if w.r.Speed == "fast" {
			if w.x.Options.TierToSpeed {
				tier = "priority"
			} else {
				w.drop("speed")
			}
		}
	}
	w.str("service_tier", tier)
}

// text writes the shape of the answer and its verbosity.
func (w *writer) text() {
	if raw := w.echo("text"); raw != nil {
		w.raw("text", raw)
		return
	}
	format, verbosity := &w.r.Format, w.r.Sampling.Verbosity
	if format.Kind == llm.FormatText && verbosity == "" {
		return
	}
	w.dst = append(w.dst, `,"text":{`...)
	switch format.Kind {
	case llm.FormatJSON:
		w.dst = append(w.dst, `"format":{"type":"json_object"}`...)
	case llm.FormatSchema:
		w.schema(format)
	}
	if verbosity != "" {
		if format.Kind != llm.FormatText {
			w.dst = append(w.dst, ',')
		}
		w.dst = json.AppendString(append(w.dst, `"verbosity":`...), verbosity)
	}
	w.dst = append(w.dst, '}')
}

func (w *writer) schema(format *llm.Format) {
	name, strict := format.Name, format.Strict
	switch {
	case name != "":
	case w.r.Protocol == llm.Messages:
		name = "output"
	default:
		name = "response"
	}
	if strict == nil && w.r.Protocol == llm.Messages {
		fits := json.IsStrictSchema(format.Schema)
		strict = &fits
	}
	w.dst = json.AppendString(append(w.dst, `"format":{"type":"json_schema","name":`...), name)
	w.str("description", format.Description)
	if format.Schema == nil {
		w.raw("schema", []byte("{}"))
	} else {
		w.raw("schema", format.Schema)
	}
	if strict != nil {
		w.boolean("strict", *strict)
	}
	w.dst = append(w.dst, '}')
}

// extra writes or drops the client's fields that the neutral form has no place for.
func (w *writer) extra() {
	for i := range w.r.Extra {
		field := &w.r.Extra[i]
		switch {
		case w.own, slices.Contains(w.x.Options.ForwardUnknown, field.Name):
			w.dst = json.AppendString(append(w.dst, ','), field.Name)
			w.dst = append(append(w.dst, ':'), field.Value...)
		case w.r.Protocol == llm.Chat:
			w.chatExtra(field)
		default:
			w.messagesExtra(field)
		}
	}
}

// chatExtra handles a field of Chat Completions.
func (w *writer) chatExtra(field *llm.Field) {
	switch field.Name {
	case "moderation":
		w.raw(field.Name, field.Value)
	case "modalities":
		if bytes.Contains(field.Value, []byte(`"audio"`)) {
			w.refuse("modalities", "Ask for text only, or use an OpenAI Chat channel.")
		}
	case "audio":
		// It says how, modalities whether: alone it asks for nothing.
	default:
		w.drop(field.Name)
	}
}

// messagesExtra handles a field of Anthropic Messages.
func (w *writer) messagesExtra(field *llm.Field) {
	switch field.Name {
	case "thread":
		w.reject("thread_unsupported_request", "thread",
			"is kept by Anthropic only. Send the full conversation in `messages`.")
	case "inference_geo", "container", "compaction":
		w.refuse(field.Name, "Remove it, or use an Anthropic channel.")
	case "mcp_servers":
		// Its servers are among the tools.
	default:
		w.drop(field.Name)
	}
}
