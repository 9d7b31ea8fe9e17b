package gatewaytest

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"octopus/codec/llm"
)

// answer is what the provider has to say, the same for all three protocols: reasoning, redacted reasoning, a search, text,
// calls, in this order.
type answer struct {
	// id is the answer's own, message, thinking and hiding those of Responses' items.
	id, message, thinking, hiding []byte
	// created is in Unix seconds.
	created int64

	reasoning words
	// hidden is whether Anthropic keeps the text of the reasoning to itself.
	hidden bool
	// signature is that of the reasoning, redacted the reasoning that is not shown: in Responses, encrypted content of one
	// item each. Both are empty where there is none.
	signature, redacted []byte
	// resumed is the id of the search at which the answer before was paused, search that of another one, or empty. found is
	// whether the results of the latter are there too.
	resumed, search []byte
	found           bool
	// proof is what Anthropic encrypts of a page it found.
	proof []byte

	text    words
	refusal bool
	cites   bool
	calls   []call
	stop    stop
	// stoppedAt is the stop sequence, in JSON, that ended the text.
	stoppedAt []byte
	usage     llm.Usage
}

// stop is why an answer ended.
type stop uint8

const (
	stopEnd stop = iota
	stopLength
	stopCalls
	stopRefusal
	stopFilter
	stopSequence
	stopPause
)

const (
	greeting     = " I am Octopus's scripted provider, not a model. You wrote: "
	refusalText  = " I'm sorry, but the script says that I can't help with that."
	thought      = " The script wants me to think, so let me think about this carefully before I answer."
	reported     = " I am Octopus's scripted provider, not a model. Your tools said: "
	noMessage    = "(nothing)"
	customInput  = "an example of \"custom\" input\nin two lines"
	maxEchoBytes = 400
)

// The page that the provider finds and cites.
const (
	pageURL   = "https://example.com/scripted"
	pageTitle = "A scripted page"
	pageQuote = "scripted provider"
	query     = "scripted provider"
)

// compose makes the answer to a. The provider's seed and the request's number are in g.
func (w *answer) compose(a *ask, s *script, g *ids, m mint, created int64) {
	w.created = created
	w.refusal, w.cites = s.refusal, s.cite
	w.stop = stopEnd
	w.stoppedAt = nil
	w.calls = w.calls[:0]
	w.reasoning = words{base: w.reasoning.base, tokens: s.reasoning, size: never}
	w.reasoning.repeat(append(w.reasoning.base[:0], thought...))
	w.text = words{base: w.text.base, size: never, big: w.text.big[:0]}

	switch a.protocol {
	case llm.Chat:
		w.id = g.base62(w.id[:0], "chatcmpl-", 29)
	case llm.Responses:
		w.id = g.hex(w.id[:0], "resp_")
	default:
		w.id = g.base58(w.id[:0], "msg_01")
	}
	kind := item{answer: g.next(), reasoned: s.reasoning > 0 || s.redacted}
	w.message = m.itemID(w.message[:0], "msg_", kind, 0)
	w.thinking = m.itemID(w.thinking[:0], "rs_", kind, 1)
	w.hiding = m.itemID(w.hiding[:0], "rs_", kind, 2)
	w.composeSecrets(a, s, m, kind)
	w.composeSearch(a, s, g, m, kind)

	calls := s.calls
	forced, _ := a.forced()
	switch {
	case a.rounds >= s.rounds:
		calls = 0
	case forced:
		calls = max(calls, 1)
	}
	if w.stop == stopPause {
		calls = 0
	}
	if calls > 0 {
		w.stop = stopCalls
		w.composeCalls(a, calls, g, m, kind)
	}
	if w.stop != stopPause && (calls == 0 || s.tokens > 0 || s.size > 0) {
		w.composeText(a, s)
	}
	if s.filter && w.stop == stopEnd {
		w.stop = stopFilter
	}
	if s.noChoices {
		w.reasoning.tokens, w.text.tokens, w.text.big, w.calls = 0, 0, w.text.big[:0], w.calls[:0]
		w.redacted, w.search, w.cites = w.redacted[:0], w.search[:0], false
	}
	w.composeUsage(a, s)
}

// composeSecrets makes what only the provider can read.
func (w *answer) composeSecrets(a *ask, s *script, m mint, kind item) {
	w.signature, w.redacted, w.hidden = w.signature[:0], w.redacted[:0], false
	if a.protocol == llm.Responses {
		if s.reasoning > 0 {
			w.signature = mintedReasoning.strike(w.signature, m, w.thinking, 0)
		}
		if s.redacted {
			w.redacted = mintedReasoning.strike(w.redacted, m, w.hiding, 0)
		}
		return
	}
	if a.protocol != llm.Messages {
		return
	}
	if s.reasoning > 0 {
		full := newHash(m)
		for token := range w.reasoning.all {
			full.add(token)
		}
		full.add([]byte{0})
		shown := full.done()
		adaptive := a.thinking == "adaptive" || a.thinking == "between_tools"
		w.hidden = a.display == "omitted" || a.display == "" && adaptive && claudeOf(a.model).omits
		if w.hidden {
			shown = m.seen("")
		}
		w.signature = mintedSignature.strike(w.signature, m, binary.BigEndian.AppendUint64(nil, full.done()), shown)
	}
	if s.redacted {
		w.redacted = mintedRedacted.strike(w.redacted, m, binary.BigEndian.AppendUint64(nil, kind.answer), 0)
	}
}

// composeSearch makes the search of the web, and pauses the turn there when the script wants it.
func (w *answer) composeSearch(a *ask, s *script, g *ids, m mint, kind item) {
	w.resumed, w.search, w.found, w.proof = w.resumed[:0], w.search[:0], false, w.proof[:0]
	pauses := 0
	if a.protocol == llm.Messages {
		pauses = s.pause
	}
	if a.protocol == llm.Messages {
		w.resumed = appendDecoded(w.resumed, a.pausedAt)
	}
	switch {
	case a.paused < pauses:
		w.stop = stopPause
		w.search = g.base58(w.search, "srvtoolu_01")
	case len(w.resumed) > 0:
	case s.search && a.protocol == llm.Messages:
		w.search, w.found = g.base58(w.search, "srvtoolu_01"), true
	case s.search && a.protocol == llm.Responses:
		w.search, w.found = m.itemID(w.search, "ws_", kind, 3), true
	}
	if w.found || w.cites || len(w.resumed) > 0 {
		w.proof = mintedSearch.strike(w.proof, m, []byte(pageURL), 0)
	}
}

// composeText sets text and, when it is cut short or a refusal, stop.
func (w *answer) composeText(a *ask, s *script) {
	switch {
	case s.refusal:
		w.text.repeat(append(w.text.base[:0], refusalText...))
		w.stop = stopRefusal
	case a.format != nil && s.tokens == 0 && s.size == 0:
		w.text.repeat(readable.appendObject(append(w.text.base[:0], ' '), a.format, 0))
	case s.rounds != never && a.rounds > 0:
		w.text.repeat(appendEcho(append(w.text.base[:0], reported...), a.results))
	default:
		w.text.repeat(appendEcho(append(w.text.base[:0], greeting...), a.user))
	}
	if s.remember {
		w.text.repeat(put(w.text.base, ". I remember ", a.thoughts, " thoughts."))
	}
	for range s.bigEvent {
		w.text.big = append(w.text.big, 'x')
	}
	switch {
	case s.tokens > 0:
		w.text.tokens = s.tokens
		if s.size > 0 {
			w.text.size = s.size
		}
	case s.size > 0:
		w.text.tokens, w.text.size = never, s.size
	default:
		w.text.tokens = w.text.period
		w.stopAt(a)
		if left := max(0, a.limit-s.reasoning); a.limit > 0 && left < w.text.count() {
			w.text.tokens, w.text.size, w.stop = left, never, stopLength
		}
	}
}

// stopAt ends the text before the first stop sequence in it.
func (w *answer) stopAt(a *ask) {
	if len(a.stops) == 0 || w.stop != stopEnd {
		return
	}
	stops := a.stops
	if isString(stops) {
		stops = put(nil, "[", stops, "]")
	}
	text := w.text.base[1:]
	for sequence := range elements(stops) {
		at := bytes.Index(text, appendDecoded(nil, sequence))
		if at < 0 || decodedLen(sequence) == 0 {
			continue
		}
		text = text[:at]
		w.stop, w.stoppedAt, w.text.size = stopSequence, sequence, at
	}
	if w.text.size == 0 {
		w.text.tokens = 0
	}
}

// appendEcho appends the beginning of a user's message.
func appendEcho(dst, user []byte) []byte {
	user = bytes.TrimSpace(user)
	if !utf8.Valid(user) {
		user = bytes.ToValidUTF8(user, []byte("\uFFFD"))
	}
	if len(user) == 0 {
		return append(dst, noMessage...)
	}
	if len(user) > maxEchoBytes {
		end := maxEchoBytes
		for end > 0 && !utf8.RuneStart(user[end]) {
			end--
		}
		dst = append(dst, user[:end]...)
		return append(dst, "…"...)
	}
	return append(dst, user...)
}

// composeUsage counts.
func (w *answer) composeUsage(a *ask, s *script) {
	output := w.reasoning.count() + w.text.count()
	for i := range w.calls {
		for range w.calls[i].fragments {
			output++
		}
	}
	if len(w.search) > 0 {
		output++
	}
	w.usage = llm.Usage{
		Input:        int64(max(0, a.inputTokens()-s.cached-s.cacheWritten)),
		CacheRead:    int64(s.cached),
		CacheWrite5m: int64(s.cacheWritten),
		Output:       int64(output * a.choices),
		Reasoning:    int64(w.reasoning.count() * a.choices),
		Knowledge:    llm.Reported,
	}
}

// absurd is what a provider reports that can't count.
var absurd = llm.Usage{Input: math.MaxInt64 / 1000, CacheRead: -3, Output: -7, Knowledge: llm.Reported}

// reported returns the usage as the script wants it reported.
func (w *answer) reported(s *script) *llm.Usage {
	if s.usage == usageAbsurd {
		return &absurd
	}
	return &w.usage
}
