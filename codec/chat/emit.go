package chat

import (
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// StreamWriter is the emitter that turns the steps of an answer into the events of a Chat stream (protocols.md A.3,
// C.5). It trusts its decoder: steps come in the order that llm.EventKind documents. Make it ready with Reset, and
// take what it has written with Take.
type StreamWriter struct {
	x       *llm.Exchange
	buf     []byte
	head    []byte // what every chunk begins with, up to the first member of its delta
	tiered  bool   // the service tier is in it
	items   []emitted
	calls   int // how many calls have begun
	thought thoughts
	sources sources
	refused bool // there is a refusal
	usage   llm.Usage
}

// emitted is one item of an answer, as far as it was written.
type emitted struct {
	kind   llm.ItemKind
	order  int   // among the calls, or among the thoughts
	start  int64 // where its text begins in all of the text, in characters
	begun  bool  // it has content
	form   form  // how the input of a call is written
	hidden bool  // there is no place for it
	// hash is of a thought's text, as far as it goes into reasoning_details.
	hash llm.TextHash
}

// form is how the input of a call is written.
type form uint8

const (
	asArguments form = iota
	asCustom         // the input of a custom tool, for a client that has declared it
	asWrapped        // the input of a custom tool, as the arguments of a function
)

// formOf returns how a call is written for the client of r. SDKs refuse custom calls that they know nothing of.
func formOf(r *llm.Request, call *llm.Item) form {
	if !call.Custom {
		return asArguments
	}
	for i := range r.Tools {
		if t := &r.Tools[i]; t.Kind == llm.CustomTool && t.Name == call.Name {
			return asCustom
		}
	}
	return asWrapped
}

var _ llm.Emitter = (*StreamWriter)(nil)

// Reset makes w ready for the answer to the request of x, which must stay valid until the answer is over.
func (w *StreamWriter) Reset(x *llm.Exchange) {
	*w = StreamWriter{x: x, buf: w.buf[:0], head: w.head[:0], items: w.items[:0],
		sources: sources{list: w.sources.list[:0]}}
	w.thought.x = x
}

// Take appends what was written since the last call, whole events only.
func (w *StreamWriter) Take(dst []byte) []byte {
	dst = append(dst, w.buf...)
	w.buf = w.buf[:0]
	return dst
}

// AppendError appends the event that tells the client of e, and the end of the stream. It may be called at any
// moment, also before Start, once what was written has been taken. There is no chunk with a finish_reason: it would
// mark the answer as a success.
func (w *StreamWriter) AppendError(dst []byte, e *llm.Error) []byte {
	var t Tap
	return t.AppendError(dst, e, true)
}

// Emit takes the next step.
func (w *StreamWriter) Emit(e *llm.Event) {
	if e.Usage != nil {
		w.usage = *e.Usage
	}
	if e.Kind != llm.EventStart {
		w.learnTier(e.ServiceTier)
	}
	switch e.Kind {
	case llm.EventStart:
		w.start(e)
	case llm.EventOpen:
		w.open(e)
	case llm.EventDelta:
		w.delta(e)
	case llm.EventCite:
		w.sources.add(w.x, e.Index, w.items[e.Index].start, e.Citation)
	case llm.EventClose:
		w.close(e)
	case llm.EventStop:
		w.stop(e)
	case llm.EventFault:
		w.buf = w.AppendError(w.buf, e.Err)
	}
}

// start writes the chunk with the role, at once: it tells the client that there is an answer. Each further choice begins with one
// too.
func (w *StreamWriter) start(e *llm.Event) {
	if w.x.Choice > 0 {
		w.items, w.calls, w.refused = w.items[:0], 0, false
		w.thought, w.sources = thoughts{x: w.x, seal: w.thought.seal}, sources{list: w.sources.list[:0]}
	}
	w.head = appendHead(append(w.head[:0], "data: "...), w.x, e.Model, e.ServiceTier, "chat.completion.chunk")
	w.head = append(w.head, choiceHead...)
	w.head[len(w.head)-choiceDigit] += byte(w.x.Choice)
	w.tiered = tierOf(e.ServiceTier) != ""
	w.begin()
	w.buf = append(w.buf, `"role":"assistant","content":""`...)
	w.end(nil, llm.Text)
}

// choiceHead is what stands before the members of a delta. The index is a single digit (see llm.MaxFanOut), choiceDigit bytes
// before the end.
const (
	choiceHead  = `"choices":[{"index":0,"delta":{`
	choiceDigit = len(`0,"delta":{`)
)

// learnTier puts the service tier into the chunks that follow, where the upstream tells it only in the end.
func (w *StreamWriter) learnTier(tier string) {
	if tier = tierOf(tier); tier == "" || w.tiered {
		return
	}
	w.tiered = true
	w.head = append(w.head[:len(w.head)-len(choiceHead)], `"service_tier":`...)
	w.head = append(append(json.AppendString(w.head, tier), ','), choiceHead...)
	w.head[len(w.head)-choiceDigit] += byte(w.x.Choice)
}

// appendHead appends what answers and chunks begin with, the comma behind it included.
func appendHead(dst []byte, x *llm.Exchange, model, tier, object string) []byte {
	dst = append(dst, `{"id":"`...)
	dst = appendID(dst, "chatcmpl-", x.AnswerID, none)
	dst = append(append(append(dst, `","object":"`...), object...), `","created":`...)
	dst = strconv.AppendInt(dst, x.Created, 10)
	switch {
	case x.AnswerModel != "":
		model = x.AnswerModel
	case model == "":
		model = x.Model
	}
	dst = append(json.AppendString(append(dst, `,"model":`...), model), ',')
	if tier = tierOf(tier); tier != "" {
		dst = append(json.AppendString(append(dst, `"service_tier":`...), tier), ',')
	}
	return dst
}

// tierOf returns OpenAI's word for the tier that an upstream reports (protocols.md D.15).
func tierOf(tier string) string {
	switch tier {
	case "standard", "batch":
		return "default"
	case "auto": // what was asked for, not what it became
		return ""
	}
	return tier
}

// begin begins a chunk with a delta.
func (w *StreamWriter) begin() { w.buf = append(w.buf, w.head...) }

// end ends a chunk. logprobs is a raw array for content of that kind, or nil.
func (w *StreamWriter) end(logprobs []byte, kind llm.ItemKind) {
	w.buf = append(w.buf, `},"logprobs":`...)
	if kind == llm.Refusal {
		w.buf = appendLogprobs(w.buf, nil, logprobs)
	} else {
		w.buf = appendLogprobs(w.buf, logprobs, nil)
	}
	w.buf = append(w.buf, `,"finish_reason":null}]`...)
	w.endChunk()
}

// endChunk ends a chunk behind its choices.
func (w *StreamWriter) endChunk() {
	if w.x.Request.IncludeUsage {
		w.buf = append(w.buf, `,"usage":null`...)
	}
	w.buf = append(w.buf, "}\n\n"...)
}

// appendLogprobs appends the value of logprobs in a choice, of two raw arrays that may be nil.
func appendLogprobs(dst, content, refusal []byte) []byte {
	if content == nil && refusal == nil {
		return append(dst, "null"...)
	}
	dst = appendRaw(append(dst, `{"content":`...), content)
	return append(appendRaw(append(dst, `,"refusal":`...), refusal), '}')
}

// appendRaw appends a raw value, or null when it is none, on one line: line breaks would end the data of an event.
func appendRaw(dst, value []byte) []byte {
	if value == nil || json.Check(value) != nil {
		return append(dst, "null"...)
	}
	start := len(dst)
	dst = append(dst, value...)
	for i, c := range dst[start:] {
		if c == '\n' || c == '\r' {
			dst[start+i] = ' '
		}
	}
	return dst
}

func (w *StreamWriter) open(e *llm.Event) {
	i := emitted{kind: e.Item.Kind, start: w.sources.characters}
	switch i.kind {
	case llm.Thought:
		i.order = w.thought.begin()
	case llm.Call:
		i.form, i.order = formOf(w.x.Request, e.Item), w.calls
		w.calls++
		if i.hidden = w.x.Request.Legacy && i.order > 0; i.hidden {
			w.x.Warnings.Drop("tool_calls") // the deprecated form has room for one
		} else {
			w.openCall(&i, e.Item)
		}
	}
	w.items = append(w.items, i)
}

// openCall writes the chunk that names a call.
func (w *StreamWriter) openCall(i *emitted, call *llm.Item) {
	w.begin()
	switch {
	case w.x.Request.Legacy:
		w.buf = append(w.buf, `"function_call":{"name":`...)
		w.buf = json.AppendString(w.buf, call.Name)
		w.buf = append(w.buf, `,"arguments":""}`...)
	default:
		w.buf = strconv.AppendInt(append(w.buf, `"tool_calls":[{"index":`...), int64(i.order), 10)
		w.buf = json.AppendString(append(w.buf, `,"id":`...), call.CallID)
		if i.form == asCustom {
			w.buf = json.AppendString(append(w.buf, `,"type":"custom","custom":{"name":`...), call.Name)
			w.buf = append(w.buf, `,"input":""}}]`...)
		} else {
			w.buf = json.AppendString(append(w.buf, `,"type":"function","function":{"name":`...), call.Name)
			w.buf = append(w.buf, `,"arguments":""}}]`...)
		}
	}
	w.end(nil, llm.Call)
}

func (w *StreamWriter) delta(e *llm.Event) {
	i := &w.items[e.Index]
	switch i.kind {
	case llm.Text:
		w.sources.count(e.Text)
		w.begin()
		w.buf = json.AppendString(append(w.buf, `"content":`...), e.Text)
		w.end(e.Logprobs, llm.Text)
	case llm.Refusal:
		w.writeRefusal(e.Text, e.Logprobs)
	case llm.Thought:
		w.begin()
		w.buf = w.thought.appendDelta(w.buf, i, e.Text)
		w.end(nil, llm.Thought)
	case llm.Call:
		w.callDelta(i, e.Text)
	}
	i.begun = true
}

func (w *StreamWriter) writeRefusal(text, logprobs []byte) {
	w.refused = true
	w.begin()
	w.buf = json.AppendString(append(w.buf, `"refusal":`...), text)
	w.end(logprobs, llm.Refusal)
}

// callDelta writes a piece of the input of a call.
func (w *StreamWriter) callDelta(i *emitted, text []byte) {
	if i.hidden {
		return
	}
	w.beginInput(i)
	if i.form == asWrapped {
		if !i.begun {
			w.buf = append(w.buf, `{\"input\":\"`...)
		}
		w.buf = appendTwiceEscaped(w.buf, text)
	} else {
		w.buf = appendEscaped(w.buf, text)
	}
	w.endInput()
}

// beginInput begins the chunk with a piece of the input, up to its opening quote. Nothing that names the call is
// repeated: the SDKs take that for another call.
func (w *StreamWriter) beginInput(i *emitted) {
	w.begin()
	if w.x.Request.Legacy {
		w.buf = append(w.buf, `"function_call":{"arguments":"`...)
		return
	}
	w.buf = strconv.AppendInt(append(w.buf, `"tool_calls":[{"index":`...), int64(i.order), 10)
	if i.form == asCustom {
		w.buf = append(w.buf, `,"custom":{"input":"`...)
	} else {
		w.buf = append(w.buf, `,"function":{"arguments":"`...)
	}
}

func (w *StreamWriter) endInput() {
	if w.x.Request.Legacy {
		w.buf = append(w.buf, `"}`...)
	} else {
		w.buf = append(w.buf, `"}}]`...)
	}
	w.end(nil, llm.Call)
}

func (w *StreamWriter) close(e *llm.Event) {
	i := &w.items[e.Index]
	switch i.kind {
	case llm.Text:
		w.sources.finish(e.Index, i.start)
	case llm.Thought:
		if w.thought.hasSeal(e.Item) {
			w.begin()
			w.buf = append(w.buf, `"reasoning_details":[`...)
			w.buf = append(w.thought.appendSeal(w.buf, i, e.Item), ']')
			w.end(nil, llm.Thought)
		}
	case llm.Call:
		w.closeCall(i)
	}
}

// closeCall writes what a call lacks: the arguments of one without any are {}, strict parsers accept nothing less.
func (w *StreamWriter) closeCall(i *emitted) {
	rest := ""
	switch {
	case i.hidden || i.form == asCustom:
		return
	case i.form == asWrapped && i.begun:
		rest = `\"}`
	case i.form == asWrapped:
		rest = `{\"input\":\"\"}`
	case !i.begun:
		rest = "{}"
	default:
		return
	}
	w.beginInput(i)
	w.buf = append(w.buf, rest...)
	w.endInput()
}

// stop writes the end: sources, the stop reason, the usage for those who asked, and the terminal event.
func (w *StreamWriter) stop(e *llm.Event) {
	if explanation := e.Stop.Explanation; explanation != "" && e.Stop.Reason == llm.StopFilter && !w.refused {
		w.writeRefusal([]byte(explanation), nil)
	}
	if len(w.sources.list) > 0 {
		w.begin()
		w.buf = w.sources.append(append(w.buf, `"annotations":`...))
		w.end(nil, llm.Text)
	}
	w.begin()
	w.buf = append(w.buf, `},"logprobs":null,"finish_reason":"`...)
	w.buf = append(append(w.buf, finishReason(e.Stop.Reason, w.x.Request.Legacy)...), `"}]`...)
	w.endChunk()
	if w.x.Choice+1 < w.x.Choices {
		return // the next choice follows
	}
	if w.x.Request.IncludeUsage {
		w.buf = append(w.buf, w.head[:len(w.head)-len(`{"index":0,"delta":{`)]...)
		w.buf = AppendUsage(append(w.buf, `],"usage":`...), &w.usage)
		w.buf = append(w.buf, "}\n\n"...)
	}
	noteSearches(w.x, &w.usage)
	var t Tap
	w.buf = t.AppendEnd(w.buf)
}

// finishReason returns Chat's word for why an answer ended (protocols.md D.2).
func finishReason(r llm.StopReason, legacy bool) string {
	switch r {
	case llm.StopTool:
		if legacy {
			return "function_call"
		}
		return "tool_calls"
	case llm.StopLength, llm.StopPause:
		return "length"
	case llm.StopFilter:
		return "content_filter"
	}
	return "stop"
}
