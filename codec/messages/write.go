package messages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// AppendRequest appends the body of POST /v1/messages that asks x.Model for what x.Request wants. The same exchange makes the
// same bytes every time; members stand in an order that keeps prompt caches valid, with the conversation last.
//
// What can't be carried over is noted in x.Warnings, or refused, by an error that names the client's field. A request of an
// Anthropic client is not adapted to the model: it is written as it was, reasoning of other providers left out. x.Names,
// x.JSONTool, x.MaxTokensChosen and x.StopEnforced are set for the answer.
func AppendRequest(dst []byte, x *llm.Exchange) ([]byte, *llm.Error) {
	w := writer{x: x, r: x.Request, native: x.Request.Protocol == llm.Messages, model: llm.AnthropicModelOf(x.Model)}
	x.Names.Reset()
	x.JSONTool, x.MaxTokensChosen, x.StopEnforced = "", false, nil
	if err := llm.CheckFileIDs(x); err != nil {
		return dst, err
	}
	w.planTools()
	w.planFormat()
	w.planConversation()
	w.planThinking()
	w.planChoice()
	w.planLimit()
	w.planSampling()
	w.planMarks()
	w.refuseUnknown()
	if w.err != nil {
		return dst, w.err
	}
	w.dst = append(dst, `{"model":`...)
	w.dst = json.AppendString(w.dst, x.Model)
	w.dst = append(w.dst, `,"max_tokens":`...)
	w.dst = strconv.AppendInt(w.dst, w.maxTokens, 10)
	w.writeScalars()
	w.writeThinking()
	w.writeOutputConfig()
	w.writeChoice()
	w.writeIdentity()
	w.writeExtra()
	w.writeServers()
	w.writeTools()
	w.writeSystem()
	w.writeMessages()
	w.dst = append(w.dst, '}')
	if w.err != nil {
		return dst, w.err
	}
	return w.dst, nil
}

// writer makes one body. First everything is decided, then it is written.
type writer struct {
	x     *llm.Exchange
	r     *llm.Request
	model llm.AnthropicModel
	// native is whether the client speaks this protocol too.
	native bool
	dst    []byte
	// err is the first reason to refuse the request.
	err *llm.Error

	tools       []plannedTool
	choice      plannedChoice
	thinking    plannedThinking
	schema      []byte // of output_config.format
	instruction string // to answer in JSON, behind the system prompt
	maxTokens   int64

	temperature, topP, topK []byte
	stop                    []string

	messages []message
	calls    []call
	system   []llm.Item

	marks plannedMarks
}

// word returns a field's name as the client calls it.
func (w *writer) word(chat, responses string) string {
	if w.r.Protocol == llm.Responses {
		return responses
	}
	return chat
}

// drop notes that a field of the client's is left out.
func (w *writer) drop(field string) {
	if w.x.Options.Strict {
		w.refuse(codeUnsupportedParameter, field, "Remove it or use an OpenAI-protocol channel.")
		return
	}
	w.x.Warnings.Drop(field)
}

// approximate notes that a field of the client's is carried over with another meaning.
func (w *writer) approximate(field string) {
	if w.x.Options.Strict {
		w.refuse(codeUnsupportedValue, field, "Change it or use an OpenAI-protocol channel.")
		return
	}
	w.x.Warnings.Approximate(field)
}

// The codes of refusals.
const (
	codeUnsupportedParameter = "unsupported_parameter"
	codeUnsupportedValue     = "unsupported_value"
	codeUnsupportedItem      = "unsupported_item"
	codeItemNotFound         = "item_not_found"
	codePreviousNotFound     = "previous_response_not_found"
)

// refuse refuses the request for a field that can be neither carried over nor left out. The remedy is a sentence.
func (w *writer) refuse(code, field, remedy string) {
	w.fail(&llm.Error{
		Kind: llm.InvalidRequest, Code: code, Param: field,
		Message: fmt.Sprintf("`%s` is not available for model %s (Anthropic Messages upstream). %s", field, w.x.Model, remedy),
	})
}

// fail refuses the request, unless that was done already.
func (w *writer) fail(err *llm.Error) {
	if w.err == nil {
		err.NoRetry = true
		w.err = err
	}
}

// writeScalars writes the plain members.
func (w *writer) writeScalars() {
	if w.r.Stream {
		w.dst = append(w.dst, `,"stream":true`...)
	}
	w.raw("temperature", w.temperature)
	w.raw("top_p", w.topP)
	w.raw("top_k", w.topK)
	if len(w.stop) > 0 {
		w.dst = append(w.dst, `,"stop_sequences":[`...)
		for i, s := range w.stop {
			if i > 0 {
				w.dst = append(w.dst, ',')
			}
			w.dst = json.AppendString(w.dst, s)
		}
		w.dst = append(w.dst, ']')
	}
}

// raw writes a member whose value is JSON already. Without a value there is no member.
func (w *writer) raw(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	w.dst = append(append(append(w.dst, `,"`...), name...), `":`...)
	w.dst = append(w.dst, value...)
}

// text writes a member whose value is a string. Without a text there is no member.
func (w *writer) text(name, text string) {
	if text == "" {
		return
	}
	w.dst = append(append(append(w.dst, `,"`...), name...), `":`...)
	w.dst = json.AppendString(w.dst, text)
}

// count writes a member whose value is a number. Without a number there is no member.
func (w *writer) count(name string, n *int64) {
	if n == nil {
		return
	}
	w.dst = append(append(append(w.dst, `,"`...), name...), `":`...)
	w.dst = strconv.AppendInt(w.dst, *n, 10)
}

// planSampling decides the knobs of generation (protocols.md B.3, D.5, D.6).
func (w *writer) planSampling() {
	s := &w.r.Sampling
	if w.native {
		w.temperature, w.topP, w.topK, w.stop = s.Temperature, s.TopP, s.TopK, s.Stop
		return
	}
	w.planStop()
	thinks := w.thinking.kind == llm.ThinkingAdaptive || w.thinking.kind == llm.ThinkingBudget
	accepted := w.model.Sampling && !thinks
	switch {
	case s.Temperature == nil:
	case !accepted:
		if !isNumber(s.Temperature, 1) {
			w.drop("temperature")
		}
	default:
		w.temperature = w.clampTemperature(s.Temperature)
	}
	switch {
	case s.TopP == nil:
	case !accepted || w.temperature != nil:
		if !isNumber(s.TopP, 1) {
			w.drop("top_p")
		}
	default:
		w.topP = s.TopP
	}
	switch {
	case s.TopK == nil:
	case !accepted:
		w.drop("top_k")
	default:
		w.topK = s.TopK
	}
	for _, penalty := range [...]struct {
		name  string
		value []byte
	}{{"frequency_penalty", s.FrequencyPenalty}, {"presence_penalty", s.PresencePenalty}} {
		if penalty.value != nil && !isNumber(penalty.value, 0) {
			w.drop(penalty.name)
		}
	}
	if s.Seed != nil {
		w.drop("seed")
	}
	if !json.IsEmpty(s.LogitBias) {
		w.drop("logit_bias")
	}
	if s.Verbosity != "" && s.Verbosity != "medium" {
		w.drop(w.word("verbosity", "text.verbosity"))
	}
	switch {
	case w.x.FansOut():
		w.approximate("n")
	case s.N > 1:
		w.refuse(codeUnsupportedValue, "n", "Ask for one answer, or for up to 8 of a channel with the option fan_out.")
	}
	alternatives := s.TopLogprobs != nil && *s.TopLogprobs > 0
	switch {
	case s.Logprobs:
		w.refuse(codeUnsupportedParameter, w.word("logprobs", "include"), "Remove it or use an OpenAI-protocol channel.")
	case alternatives && w.r.Protocol == llm.Responses:
		w.drop("top_logprobs")
	case alternatives:
		w.refuse(codeUnsupportedParameter, "top_logprobs", "Remove it or use an OpenAI-protocol channel.")
	}
}

// planStop takes over the stop sequences. Anthropic refuses those of white space alone.
func (w *writer) planStop() {
	for _, s := range w.r.Sampling.Stop {
		if strings.TrimSpace(s) == "" {
			w.drop("stop")
			continue
		}
		w.stop = append(w.stop, s)
	}
	if w.x.Options.EnforceStop {
		w.x.StopEnforced = w.r.Sampling.Stop
	}
}

// clampTemperature brings a temperature into Anthropic's range of 0 to 1.
func (w *writer) clampTemperature(value []byte) []byte {
	t, err := strconv.ParseFloat(string(value), 64)
	switch {
	case err != nil && t == 0, t < 0:
		w.approximate("temperature")
		return []byte("0")
	case t > 1:
		w.approximate("temperature")
		return []byte("1")
	}
	return value
}

// isNumber reports whether a number is n.
func isNumber(value []byte, n float64) bool {
	f, err := strconv.ParseFloat(string(value), 64)
	return err == nil && f == n
}

// writeIdentity writes who asks, and with what priority.
func (w *writer) writeIdentity() {
	user := w.r.User
	if user == "" && !w.native {
		id, _ := json.Unquote(json.Get(w.r.Metadata, "user_id"))
		user = string(id)
	}
	switch {
	case w.native && w.r.Metadata != nil:
		w.raw("metadata", w.r.Metadata)
	case user != "":
		if !w.native && looksPersonal(user) {
			sum := sha256.Sum256([]byte(user))
			user = hex.EncodeToString(sum[:])
		}
		w.dst = append(w.dst, `,"metadata":{"user_id":`...)
		w.dst = append(json.AppendString(w.dst, user), '}')
	}
	if !w.native && hasOtherThan(w.r.Metadata, "user_id") {
		w.drop("metadata")
	}
	w.writeTier()
	if w.marks.auto != llm.CacheNone {
		w.dst = append(w.dst, ',')
		w.dst = appendMark(w.dst, w.marks.auto)
	}
}

// looksPersonal reports whether an id of a user is an e-mail address or a telephone number, which Anthropic asks not to send.
func looksPersonal(user string) bool {
	if at := strings.IndexByte(user, '@'); at > 0 && strings.IndexByte(user[at:], '.') > 1 {
		return true
	}
	digits := 0
	for i := range len(user) {
		switch c := user[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == ' ' || c == '-' || c == '(' || c == ')' || c == '.' || c == '+' && i == 0:
		default:
			return false
		}
	}
	return user[0] == '+' && digits >= 7 || digits >= 7 && digits < len(user)
}

// hasOtherThan reports whether an object has a member of another name.
func hasOtherThan(object []byte, name string) bool {
	m := json.Object(object)
	for m.Next() {
		if string(m.Key) != name {
			return true
		}
	}
	return false
}

// writeTier writes the service tier and the speed (protocols.md D.15).
func (w *writer) writeTier() {
	if w.native {
		w.text("service_tier", w.r.ServiceTier)
		w.text("speed", w.r.Speed)
		return
	}
	switch w.r.ServiceTier {
	case "", "auto":
	case "default":
		w.text("service_tier", "standard_only")
	case "priority", "fast", "ultrafast":
		w.text("service_tier", "auto")
		if w.x.Options.TierToSpeed {
			w.text("speed", "fast")
		}
	default:
		w.drop("service_tier")
	}
}

// writeExtra writes the fields that have no place in the neutral form: all of them for a client of this protocol, else those
// that the channel lists.
func (w *writer) writeExtra() {
	for i := range w.r.Extra {
		field := &w.r.Extra[i]
		switch {
		case isNested(field.Name):
			// Written with thinking and output_config, to which it belongs.
		case w.native, w.forwards(field.Name):
			w.dst = json.AppendString(append(w.dst, ','), field.Name)
			w.dst = append(append(w.dst, ':'), field.Value...)
		}
	}
}

func isNested(name string) bool {
	return strings.HasPrefix(name, nestedThinking) || strings.HasPrefix(name, nestedOutput)
}

// What the names of fields inside thinking and output_config begin with in Request.Extra.
const (
	nestedThinking = "thinking."
	nestedOutput   = "output_config."
)

// writeNested writes the extra fields of an object as its members.
func (w *writer) writeNested(prefix string) {
	for i := range w.r.Extra {
		if name, ok := strings.CutPrefix(w.r.Extra[i].Name, prefix); ok && w.native {
			w.dst = json.AppendString(append(w.dst, ','), name)
			w.dst = append(append(w.dst, ':'), w.r.Extra[i].Value...)
		}
	}
}

func (w *writer) forwards(name string) bool {
	for _, known := range w.x.Options.ForwardUnknown {
		if known == name {
			return true
		}
	}
	return false
}

// refuseUnknown decides what becomes of the fields of another protocol that stand for themselves: hints are dropped, what
// would change the meaning of the answer is refused (protocols.md B.3).
func (w *writer) refuseUnknown() {
	if w.native {
		return
	}
	if w.r.PreviousResponseID != "" {
		w.failNotFound(codePreviousNotFound, "previous_response_id", "the previous response is not known here")
	}
	if w.r.Conversation != "" {
		w.refuse(codeUnsupportedParameter, "conversation", "Send the whole conversation as input.")
	}
	if w.r.Store != nil && *w.r.Store && w.r.Protocol == llm.Chat {
		w.drop("store")
	}
	if w.r.Reasoning.Context != "" && w.r.Reasoning.Context != "auto" {
		w.drop("reasoning.context")
	}
	if w.r.Reasoning.Mode != "" && w.r.Reasoning.Mode != "standard" {
		w.drop("reasoning.mode")
	}
	for i := range w.r.Extra {
		field := &w.r.Extra[i]
		if w.forwards(field.Name) {
			continue
		}
		w.judgeExtra(field)
	}
}

// failNotFound refuses a request that refers to what another upstream, or nobody, keeps.
func (w *writer) failNotFound(code, param, what string) {
	w.fail(&llm.Error{
		Kind: llm.NotFound, Code: code, Param: param,
		Message: what + ": send store: false and the whole conversation as input",
	})
}

func (w *writer) judgeExtra(field *llm.Field) {
	switch field.Name {
	case "stream_options", "stream_options.include_obfuscation", "stream_options.include_usage":
		// Usage always comes along, and nothing is obfuscated.
	case "modalities":
		if bytes.Contains(field.Value, []byte(`"audio"`)) {
			w.refuse(codeUnsupportedValue, field.Name, "Ask for text, or use an OpenAI-protocol channel.")
		}
	case "audio":
		// It says how answers sound; modalities says whether.
	case "prompt":
		w.refuse(codeUnsupportedParameter, field.Name, "Remove it or use an OpenAI-protocol channel.")
	case "background":
		if string(field.Value) == "true" {
			w.refuse(codeUnsupportedParameter, field.Name, "Remove it or use an OpenAI-protocol channel.")
		}
	case "truncation":
		if string(field.Value) != `"disabled"` {
			w.drop(field.Name)
		}
	case "moderation":
		if bytes.Contains(field.Value, []byte(`"block"`)) {
			w.refuse(codeUnsupportedParameter, field.Name, "Remove it or use an OpenAI-protocol channel.")
			return
		}
		w.drop(field.Name)
	case "include":
		// Reasoning comes back in envelopes without being asked for; everything else in the list is of hosted tools.
		e := json.Array(field.Value)
		for e.Next() {
			if string(e.Value()) != `"reasoning.encrypted_content"` {
				w.drop(field.Name)
			}
		}
	default:
		if json.Truthy(field.Value) {
			w.drop(field.Name)
		}
	}
}
