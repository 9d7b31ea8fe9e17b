package chat

import (
	"bytes"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// AnswerWriter is the emitter that collects the steps of an answer and writes it as a whole (protocols.md B.9). Make
// it ready with Reset, and take the body with Append once Stop or Fault has come.
type AnswerWriter struct {
	x           *llm.Exchange
	model, tier string
	choices     []byte // the choices before the one that is collected, each with its comma
	items       []emitted
	calls       []answeredCall

	text, refusal          []byte
	reasoning              [][]byte // the texts of the thoughts
	details                []byte   // the elements of reasoning_details
	logprobs, refusalProbs []byte   // the elements of the arrays
	thought                thoughts
	sources                sources
	usage                  llm.Usage
	stop                   llm.Stop
	err                    *llm.Error
}

// answeredCall is a call of the answer.
type answeredCall struct {
	id, name string
	form     form
	input    []byte
}

var _ llm.Emitter = (*AnswerWriter)(nil)

// Reset makes w ready for the answer to the request of x, which must stay valid until Append.
func (w *AnswerWriter) Reset(x *llm.Exchange) {
	*w = AnswerWriter{
		x: x, choices: w.choices[:0], items: w.items[:0], calls: w.calls[:0], text: w.text[:0], refusal: w.refusal[:0],
		details: w.details[:0], logprobs: w.logprobs[:0], refusalProbs: w.refusalProbs[:0],
	}
	w.thought.x = x
}

// Emit takes the next step.
func (w *AnswerWriter) Emit(e *llm.Event) {
	if e.Usage != nil {
		w.usage = *e.Usage
	}
	if e.ServiceTier != "" {
		w.tier = strings.Clone(e.ServiceTier)
	}
	switch e.Kind {
	case llm.EventStart:
		if w.x.Choice > 0 {
			w.keepChoice()
		}
		w.model = strings.Clone(e.Model)
	case llm.EventOpen:
		w.open(e)
	case llm.EventDelta:
		w.delta(e)
	case llm.EventCite:
		w.sources.add(w.x, e.Index, w.items[e.Index].start, e.Citation)
	case llm.EventClose:
		w.close(e)
	case llm.EventStop:
		w.stop = e.Stop
		w.stop.Explanation = strings.Clone(e.Stop.Explanation)
	case llm.EventFault:
		w.err = e.Err
	}
}

// keepChoice puts the choice that is complete aside, and makes w ready for the next.
func (w *AnswerWriter) keepChoice() {
	choices := append(w.appendChoice(w.choices, w.x.Choice-1), ',')
	tier, usage := w.tier, w.usage
	w.Reset(w.x)
	w.choices, w.tier, w.usage = choices, tier, usage
}

func (w *AnswerWriter) open(e *llm.Event) {
	i := emitted{kind: e.Item.Kind, start: w.sources.characters}
	switch i.kind {
	case llm.Thought:
		i.order = w.thought.begin()
		w.reasoning = append(w.reasoning, nil)
	case llm.Call:
		i.form, i.order = formOf(w.x.Request, e.Item), len(w.calls)
		if i.hidden = w.x.Request.Legacy && i.order > 0; i.hidden {
			w.x.Warnings.Drop("tool_calls") // the deprecated form has room for one
			break
		}
		w.calls = append(w.calls, answeredCall{
			id: strings.Clone(e.Item.CallID), name: strings.Clone(e.Item.Name), form: i.form,
		})
	}
	w.items = append(w.items, i)
}

func (w *AnswerWriter) delta(e *llm.Event) {
	i := &w.items[e.Index]
	switch i.kind {
	case llm.Text:
		w.sources.count(e.Text)
		w.text = append(w.text, e.Text...)
		w.logprobs = appendElements(w.logprobs, e.Logprobs)
	case llm.Refusal:
		w.refusal = append(w.refusal, e.Text...)
		w.refusalProbs = appendElements(w.refusalProbs, e.Logprobs)
	case llm.Thought:
		w.reasoning[i.order] = append(w.reasoning[i.order], e.Text...)
	case llm.Call:
		if !i.hidden {
			c := &w.calls[i.order]
			c.input = append(c.input, e.Text...)
		}
	}
}

// appendElements appends the elements of a raw array to others.
func appendElements(dst, array []byte) []byte {
	for e := json.Array(array); e.Next(); {
		if len(dst) > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e.Value()...)
	}
	return dst
}

func (w *AnswerWriter) close(e *llm.Event) {
	i := &w.items[e.Index]
	switch i.kind {
	case llm.Text:
		w.sources.finish(e.Index, i.start)
	case llm.Thought:
		if text := w.reasoning[i.order]; len(text) > 0 && w.x.Options.ReasoningDetails {
			w.details = w.thought.appendText(w.nextDetail(), i, text)
		}
		if w.thought.hasSeal(e.Item) {
			w.details = w.thought.appendSeal(w.nextDetail(), i, e.Item)
		}
	}
}

// nextDetail returns the elements of reasoning_details, ready for another one.
func (w *AnswerWriter) nextDetail() []byte {
	if len(w.details) > 0 {
		return append(w.details, ',')
	}
	return w.details
}

// Append appends the body of the answer, or returns the error that came in its place.
func (w *AnswerWriter) Append(dst []byte) ([]byte, *llm.Error) {
	if w.err != nil {
		return dst, w.err
	}
	dst = appendHead(dst, w.x, w.model, w.tier, "chat.completion")
	dst = append(append(dst, `"choices":[`...), w.choices...)
	dst = append(w.appendChoice(dst, w.x.Choice), `],"usage":`...)
	noteSearches(w.x, &w.usage)
	return append(AppendUsage(dst, &w.usage), '}'), nil
}

// appendChoice appends the choice that was collected.
func (w *AnswerWriter) appendChoice(dst []byte, index int) []byte {
	legacy := w.x.Request.Legacy
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(index), 10)
	dst = append(dst, `,"message":{"role":"assistant","content":`...)
	dst = w.appendContent(dst)
	dst = append(dst, `,"refusal":`...)
	switch {
	case len(w.refusal) > 0:
		dst = json.AppendString(dst, w.refusal)
	case w.stop.Reason == llm.StopFilter:
		dst = appendOrNull(dst, w.stop.Explanation)
	default:
		dst = append(dst, "null"...)
	}
	dst = w.appendReasoning(dst)
	if len(w.sources.list) > 0 {
		dst = w.sources.append(append(dst, `,"annotations":`...))
	}
	dst = w.appendCalls(dst, legacy)
	dst = append(dst, `},"logprobs":`...)
	dst = appendLogprobs(dst, bracketed(w.logprobs), bracketed(w.refusalProbs))
	return append(append(append(dst, `,"finish_reason":"`...), finishReason(w.stop.Reason, legacy)...), `"}`...)
}

// bracketed returns the array of some elements, nil for none.
func bracketed(elements []byte) []byte {
	if len(elements) == 0 {
		return nil
	}
	return append(append([]byte{'['}, elements...), ']')
}

// appendContent appends the text. There is none beside a call or a refusal; an answer with nothing in it has an empty
// one.
func (w *AnswerWriter) appendContent(dst []byte) []byte {
	text := w.text
	if w.x.Target == llm.Messages && w.x.Request.Format.Kind == llm.FormatJSON {
		text = withoutFence(text)
	}
	if len(text) == 0 && len(w.calls)+len(w.refusal) > 0 {
		return append(dst, "null"...)
	}
	return json.AppendString(dst, text)
}

// withoutFence takes JSON out of the fence that models like to put around it when they are only asked for it in words
// (protocols.md D.8).
func withoutFence(text []byte) []byte {
	inner, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte("```json"))
	if !ok {
		return text
	}
	inner, ok = bytes.CutSuffix(inner, []byte("```"))
	if !ok {
		return text
	}
	return bytes.TrimSpace(inner)
}

func (w *AnswerWriter) appendReasoning(dst []byte) []byte {
	first := true
	for _, text := range w.reasoning {
		switch {
		case len(text) == 0:
			continue
		case first:
			dst = append(dst, `,"reasoning_content":"`...)
		default:
			dst = append(dst, `\n\n`...)
		}
		first = false
		dst = appendEscaped(dst, text)
	}
	if !first {
		dst = append(dst, '"')
	}
	if len(w.details) > 0 {
		dst = append(append(append(dst, `,"reasoning_details":[`...), w.details...), ']')
	}
	return dst
}

func (w *AnswerWriter) appendCalls(dst []byte, legacy bool) []byte {
	if len(w.calls) == 0 {
		return dst
	}
	if legacy {
		dst = append(dst, `,"function_call":`...)
		return w.calls[0].appendFunction(dst)
	}
	dst = append(dst, `,"tool_calls":[`...)
	for i := range w.calls {
		if i > 0 {
			dst = append(dst, ',')
		}
		c := &w.calls[i]
		dst = json.AppendString(append(dst, `{"id":`...), c.id)
		if c.form == asCustom {
			dst = json.AppendString(append(dst, `,"type":"custom","custom":{"name":`...), c.name)
			dst = append(json.AppendString(append(dst, `,"input":`...), c.input), "}}"...)
			continue
		}
		dst = append(c.appendFunction(append(dst, `,"type":"function","function":`...)), '}')
	}
	return append(dst, ']')
}

// appendFunction appends a call as name and arguments.
func (c *answeredCall) appendFunction(dst []byte) []byte {
	dst = json.AppendString(append(dst, `{"name":`...), c.name)
	dst = append(dst, `,"arguments":"`...)
	switch {
	case c.form == asWrapped:
		dst = append(dst, `{\"input\":\"`...)
		dst = append(appendTwiceEscaped(dst, c.input), `\"}`...)
	case len(c.input) == 0:
		dst = append(dst, emptyObject...)
	default:
		dst = appendEscaped(dst, c.input)
	}
	return append(dst, `"}`...)
}
