package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// AppendRequest appends the body of a Chat Completions request that asks x.Model what x.Request asks
// (https://platform.openai.com/docs/api-reference/chat/create). x.Request is not changed. The order of the members is
// fixed, the conversation stands last, so that equal requests give equal bytes and prompt caches keep working.
//
// What can't be carried over is noted in x.Warnings, or is an error where the options are strict. An error has the
// field in the client's words as Param; dst is then returned as it was. x.Names and x.StopEnforced are set for the
// answer. Streams are asked for their usage unless x.NoStreamOptions: a client of another protocol is told of it at the end.
func AppendRequest(dst []byte, x *llm.Exchange) ([]byte, *llm.Error) {
	x.Names.Reset()
	x.StopEnforced, x.JSONTool, x.MaxTokensChosen = nil, "", false
	if err := llm.CheckFileIDs(x); err != nil {
		return dst, err
	}
	w := writer{x: x, r: x.Request, model: llm.OpenAIModelOf(x.Model), dst: dst}
	w.dst = append(w.dst, `{"model":`...)
	w.dst = json.AppendString(w.dst, x.Model)
	if w.r.Stream {
		w.dst = append(w.dst, `,"stream":true`...)
		if !x.NoStreamOptions {
			w.dst = append(w.dst, `,"stream_options":{"include_usage":true}`...)
		}
	}
	w.writeSampling()
	w.writeReasoning()
	w.writeFormat()
	w.writeIdentity()
	w.writeCache()
	w.writeExtra()
	w.writeTools()
	w.writeMessages()
	if w.err != nil {
		return dst, w.err
	}
	return append(w.dst, '}'), nil
}

// writer makes one request. The first error stays.
type writer struct {
	x     *llm.Exchange
	r     *llm.Request
	model llm.OpenAIModel
	dst   []byte
	err   *llm.Error

	tools   int    // how many tools were written
	scratch []byte // for JSON inside of strings

	spare int // how many of the next marks of prompt caching are too many

	pairs pairs // which results belong to which calls
}

// word returns the one of three names of a field that the client knows.
func (w *writer) word(chat, responses, messages string) string {
	switch w.r.Protocol {
	case llm.Responses:
		return responses
	case llm.Messages:
		return messages
	}
	return chat
}

// drop notes that a field is left out.
func (w *writer) drop(field string) {
	if w.x.Options.Strict {
		w.refuse(field, "unsupported_parameter", "is not available")
		return
	}
	w.x.Warnings.Drop(field)
}

// approximate notes that a field reaches the upstream with a meaning that is close but not equal.
func (w *writer) approximate(field string) {
	if w.x.Options.Strict {
		w.refuse(field, "unsupported_value", "can't be carried over exactly")
		return
	}
	w.x.Warnings.Approximate(field)
}

// refuse ends the request with an error that names the field, the target and a remedy.
func (w *writer) refuse(field, code, reason string) {
	if w.err != nil {
		return
	}
	w.err = &llm.Error{
		Kind: llm.InvalidRequest, Code: code, Param: field, NoRetry: true,
		Message: "`" + field + "` " + reason + " for model " + w.x.Model +
			" (OpenAI Chat Completions upstream). Change it, or use a channel of another protocol.",
	}
}

// member appends a member whose value is raw JSON, unless it is nil.
func (w *writer) member(name string, value []byte) {
	if value != nil {
		w.key(name)
		w.dst = append(w.dst, value...)
	}
}

// text appends a member whose value is a string, unless it is empty.
func (w *writer) text(name, value string) {
	if value != "" {
		w.key(name)
		w.dst = json.AppendString(w.dst, value)
	}
}

// key appends a comma and the name of a member.
func (w *writer) key(name string) {
	w.dst = append(append(append(w.dst, `,"`...), name...), `":`...)
}

// writeSampling writes the knobs of generation, without those that reasoning models refuse (protocols.md D.5).
func (w *writer) writeSampling() {
	s := &w.r.Sampling
	w.writeMaxTokens()
	effort, _ := w.r.Reasoning.OpenAIEffort()
	free := !w.model.Reasons
	some := free || w.model.SamplingWithEffortNone && effort == llm.EffortNone
	w.knob("temperature", s.Temperature, "1", some)
	w.knob("top_p", s.TopP, "1", some)
	w.knob("frequency_penalty", s.FrequencyPenalty, "0", free)
	w.knob("presence_penalty", s.PresencePenalty, "0", free)
	w.knob("logit_bias", s.LogitBias, "{}", free)
	w.member("seed", s.Seed)
	if s.N > 1 {
		w.member("n", strconv.AppendInt(nil, s.N, 10))
	}
	switch {
	case s.TopK == nil:
	case w.x.Options.AcceptsTopK || w.r.Protocol == llm.Chat:
		w.member("top_k", s.TopK)
	default:
		w.drop("top_k")
	}
	w.writeLogprobs(some)
	w.writeStop()
	w.text("verbosity", s.Verbosity)
}

// knob writes a member that only some models accept. Where it isn't, its default value goes without a word.
func (w *writer) knob(name string, value []byte, byDefault string, accepted bool) {
	switch {
	case value == nil:
	case accepted:
		w.member(name, value)
	case string(value) != byDefault && string(value) != byDefault+".0":
		w.drop(name)
	}
}

// writeMaxTokens writes the limit of the output. Anthropic's limit of zero, which only fills the cache, becomes the
// smallest that is possible; the decoder leaves out what is generated.
func (w *writer) writeMaxTokens() {
	limit := w.r.Sampling.MaxTokens
	if w.r.Cache.Prewarm {
		if w.r.Protocol != llm.Messages {
			w.refuse("prompt_cache_options.prewarm", "unsupported_parameter", "is not available")
		}
		limit = new(int64(1))
	}
	if limit == nil {
		return
	}
	name := w.x.Options.MaxTokensField
	switch {
	case name != "":
	case w.model.Reasons:
		name = "max_completion_tokens"
	default:
		name = "max_tokens"
	}
	w.key(name)
	w.dst = strconv.AppendInt(w.dst, *limit, 10)
}

func (w *writer) writeLogprobs(accepted bool) {
	s := &w.r.Sampling
	top := s.TopLogprobs != nil && *s.TopLogprobs > 0
	switch {
	case s.Logprobs && accepted:
		w.dst = append(w.dst, `,"logprobs":true`...)
		if s.TopLogprobs != nil {
			w.key("top_logprobs")
			w.dst = strconv.AppendInt(w.dst, *s.TopLogprobs, 10)
		}
	case s.Logprobs:
		w.drop(w.word("logprobs", "include", ""))
	case top:
		w.drop("top_logprobs") // without logprobs it means nothing
	}
}

// maxStops is how many stop sequences Chat accepts.
const maxStops = 4

// writeStop writes the stop sequences that the upstream can look for, and leaves the others to the gateway
// (protocols.md D.6).
func (w *writer) writeStop() {
	stop := w.r.Sampling.Stop
	if len(stop) == 0 {
		return
	}
	if !w.model.StopAccepted {
		w.x.StopEnforced = stop
		return
	}
	if w.x.StopEnforced = stop[min(maxStops, len(stop)):]; w.x.Options.EnforceStop {
		w.x.StopEnforced = stop
	}
	w.key("stop")
	w.dst = append(w.dst, '[')
	for i, s := range stop[:min(maxStops, len(stop))] {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = json.AppendString(w.dst, s)
	}
	w.dst = append(w.dst, ']')
}

// writeReasoning writes how much the model shall think (protocols.md D.7).
func (w *writer) writeReasoning() {
	r := &w.r.Reasoning
	field := w.word("reasoning_effort", "reasoning.effort", "thinking")
	if r.Effort != "" && w.r.Protocol == llm.Messages {
		field = "output_config.effort"
	}
	wanted, exact := r.OpenAIEffort()
	effort := w.model.Nearest(wanted)
	switch {
	case effort == "" && wanted != "" && wanted != llm.EffortNone:
		w.drop(field)
	case effort != "" && (effort != wanted || !exact):
		w.approximate(field)
	}
	if r.Updated {
		w.approximate(updatedEffort)
	}
	w.text("reasoning_effort", string(effort))
	if r.Summary != "" {
		w.drop(w.word("reasoning.summary", "reasoning.summary", "thinking.display"))
	}
	if r.Display == "summarized" {
		w.drop("thinking.display") // what an upstream shows of its reasoning is shown anyway
	}
	if r.Context != "" && r.Context != "auto" {
		w.drop("reasoning.context")
	}
	if r.Mode != "" && r.Mode != "standard" {
		w.drop("reasoning.mode")
	}
}

// updatedEffort is a Responses item whose effort counts for the whole request elsewhere.
const updatedEffort = "input.configuration_update"

// writeFormat writes the shape of the answer. Anthropic's schemas are strict where OpenAI's rules for that allow it
// (protocols.md D.8).
func (w *writer) writeFormat() {
	f := &w.r.Format
	switch f.Kind {
	case llm.FormatJSON:
		w.dst = append(w.dst, `,"response_format":{"type":"json_object"}`...)
	case llm.FormatSchema:
		name, strict := f.Name, f.Strict
		if w.r.Protocol == llm.Messages {
			if strict = &no; json.IsStrictSchema(f.Schema) {
				strict = &yes
			}
			if name == "" {
				name = "output"
			}
		}
		if name == "" {
			name = "response"
		}
		w.dst = append(w.dst, `,"response_format":{"type":"json_schema","json_schema":{"name":`...)
		w.dst = json.AppendString(w.dst, name)
		w.text("description", f.Description)
		w.member("schema", f.Schema)
		w.flag("strict", strict)
		w.dst = append(w.dst, "}}"...)
	}
}

// flag appends a member whose value is a boolean, unless it is nil.
func (w *writer) flag(name string, value *bool) {
	if value != nil {
		w.key(name)
		w.dst = strconv.AppendBool(w.dst, *value)
	}
}

// writeIdentity writes who asks, what is kept of it, and how fast the answer must come.
func (w *writer) writeIdentity() {
	if user := w.r.User; user != "" {
		name := "user"
		if w.x.Options.FirstParty {
			name = "safety_identifier"
		}
		if len(user) > maxUser {
			sum := sha256.Sum256([]byte(user))
			user = hex.EncodeToString(sum[:])
		}
		w.text(name, user)
	}
	w.writeStore()
	w.writeTier()
	if w.r.MaxToolCalls != nil {
		w.drop("max_tool_calls")
	}
	switch {
	case w.r.PreviousResponseID != "" && w.err == nil:
		w.err = &llm.Error{
			Kind: llm.NotFound, Code: "previous_response_not_found", Param: "previous_response_id", NoRetry: true,
			Message: "`previous_response_id` names a response that is not known here, and no OpenAI Chat Completions " +
				"upstream keeps any: send store: false and the whole conversation as input",
		}
	case w.r.Conversation != "":
		w.refuse("conversation", "unsupported_parameter", "is not available without a stored conversation")
	}
}

// maxUser is the longest id of a user that OpenAI accepts (protocols.md D.18).
const maxUser = 64

// writeStore writes store and metadata, which OpenAI accepts only together. What a Responses client wants stored is
// stored by the gateway (protocols.md D.17), unless the upstream is OpenAI itself.
func (w *writer) writeStore() {
	store := w.r.Store
	if w.r.Protocol == llm.Responses && !w.x.Options.FirstParty {
		store = nil
	}
	w.flag("store", store)
	switch {
	case json.IsEmpty(w.r.Metadata):
	case w.r.Protocol == llm.Chat || store != nil && *store:
		w.member("metadata", w.r.Metadata)
	default:
		w.drop("metadata")
	}
}

// writeTier writes service_tier (protocols.md D.15).
func (w *writer) writeTier() {
	tier := w.r.ServiceTier
	switch {
	case w.r.Protocol == llm.Messages && tier == "standard_only":
		tier = "default"
	case tier == "ultrafast":
		tier = "priority"
		w.approximate("service_tier")
	}
	if w.r.Speed == "fast" {
		if w.x.Options.TierToSpeed {
			tier = "priority"
		} else {
			w.drop("speed")
		}
	}
	w.text("service_tier", tier)
}

// writeExtra writes the top-level fields that no rule maps: those of a Chat client, and those that the channel lists.
// Some of other protocols ask for what would be missed badly; these are refused.
func (w *writer) writeExtra() {
	for i := range w.r.Extra {
		f := &w.r.Extra[i]
		switch {
		case strings.Contains(f.Name, "."):
			w.drop(f.Name) // it stood inside of another field
		case w.r.Protocol == llm.Chat || w.forwards(f.Name):
			w.key(f.Name)
			w.dst = append(w.dst, f.Value...)
		case f.Name == "moderation" && w.x.Options.FirstParty:
			w.member(f.Name, f.Value)
		default:
			w.leaveOut(f)
		}
	}
}

// forwards reports whether the channel wants a field sent on.
func (w *writer) forwards(name string) bool {
	for _, known := range w.x.Options.ForwardUnknown {
		if known == name {
			return true
		}
	}
	return false
}

// leaveOut decides about a top-level field that Chat doesn't have (protocols.md B.3, H.2).
func (w *writer) leaveOut(f *llm.Field) {
	if json.IsNull(f.Value) {
		return
	}
	switch f.Name {
	case "prompt", "inference_geo", "container", "compaction":
		w.refuse(f.Name, "unsupported_parameter", "is not available")
	case "thread":
		w.refuse(f.Name, "thread_unsupported_request", "is not available")
	case "mcp_servers":
		if !json.IsEmpty(f.Value) {
			w.refuse(f.Name, "unsupported_parameter", "is not available")
		}
	case "background":
		if string(f.Value) == "true" {
			w.refuse(f.Name, "unsupported_value", "can't be true")
		}
	case "moderation", "access_programs":
		if mode := json.Get(f.Value, "mode"); string(mode) == `"block"` {
			w.refuse(f.Name, "unsupported_value", "can't be enforced")
			return
		}
		w.drop(f.Name)
	case "truncation":
		if string(f.Value) != `"disabled"` {
			w.drop(f.Name)
		}
	case "stream_options": // usage always comes along, and nothing is obfuscated
	case "include":
		w.leaveOutInclude(f.Value)
	default:
		w.drop(f.Name)
	}
}

// leaveOutInclude decides about what a Responses client wants to see beside the answer. Encrypted reasoning comes in
// envelopes without being asked for, log probabilities are part of the sampling; the rest is of hosted tools.
func (w *writer) leaveOutInclude(list []byte) {
	for e := json.Array(list); e.Next(); {
		switch string(e.Value()) {
		case `"reasoning.encrypted_content"`, `"message.output_text.logprobs"`:
		default:
			w.drop("include")
		}
	}
}
