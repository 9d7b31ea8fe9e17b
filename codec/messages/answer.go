package messages

import (
	"bytes"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// AnswerWriter makes the whole answer that an Anthropic client gets of the steps of an answer (protocols.md B.9). Call Reset
// first.
type AnswerWriter struct {
	x       *llm.Exchange
	items   []answerItem
	model   string
	tier    string
	usage   llm.Usage
	stop    llm.Stop
	refused bool
	ended   bool
	err     *llm.Error
}

// answerItem is an item of the answer.
type answerItem struct {
	kind             llm.ItemKind
	redacted, custom bool
	id, name         string
	text             []byte
	citations        []llm.Citation
	seal             []byte
	hosted           []byte
}

// Reset makes w ready for another answer.
func (w *AnswerWriter) Reset(x *llm.Exchange) { *w = AnswerWriter{x: x, items: w.items[:0]} }

// Emit takes the next step.
func (w *AnswerWriter) Emit(e *llm.Event) {
	if w.ended {
		return
	}
	if e.ServiceTier != "" {
		w.tier = strings.Clone(e.ServiceTier)
	}
	if e.Usage != nil {
		w.usage = *e.Usage
	}
	switch e.Kind {
	case llm.EventStart:
		w.model = strings.Clone(e.Model)
	case llm.EventOpen:
		w.items = append(w.items, answerItem{
			kind: e.Item.Kind, redacted: e.Item.Redacted, custom: e.Item.Custom, name: strings.Clone(e.Item.Name),
			id: string(llm.AppendCallID(nil, e.Item.CallID)),
		})
	case llm.EventStop:
		w.stop, w.ended = e.Stop, true
		w.stop.Sequence, w.stop.Explanation = strings.Clone(e.Stop.Sequence), strings.Clone(e.Stop.Explanation)
	case llm.EventFault:
		w.err, w.ended = e.Err, true
	case llm.EventDelta, llm.EventCite, llm.EventClose:
		if e.Index >= 0 && e.Index < len(w.items) {
			w.add(&w.items[e.Index], e)
		}
	}
}

func (w *AnswerWriter) add(it *answerItem, e *llm.Event) {
	switch {
	case e.Kind == llm.EventDelta:
		it.text = append(it.text, e.Text...)
		w.refused = w.refused || it.kind == llm.Refusal && len(e.Text) > 0
	case e.Kind == llm.EventCite:
		it.citations = append(it.citations, keptCitation(e.Citation))
	case it.kind == llm.Thought:
		it.redacted = it.redacted || e.Item.Redacted && len(it.text) == 0
		var hash llm.TextHash
		hash.Add(it.text)
		it.seal = appendSeal(it.seal[:0], w.x, e.Item, it.redacted, hash)
	case it.kind == llm.Hosted:
		it.hosted = appendHosted(it.hosted[:0], w.x, e.Item, e.Index)
	}
}

// keptCitation returns a copy of a citation that outlives the step it came with.
func keptCitation(c *llm.Citation) llm.Citation {
	kept := *c
	kept.URL, kept.Title, kept.Cited = strings.Clone(c.URL), strings.Clone(c.Title), strings.Clone(c.Cited)
	kept.Raw = bytes.Clone(c.Raw)
	return kept
}

// Append appends the body, or returns the error that the answer ended with.
func (w *AnswerWriter) Append(dst []byte) ([]byte, *llm.Error) {
	switch {
	case w.err != nil:
		return dst, w.err
	case !w.ended:
		return dst, &llm.Error{Kind: llm.Upstream, Message: "upstream closed the stream"}
	}
	dst = appendMessageHead(dst, w.x, w.model)
	dst = append(dst, `,"content":[`...)
	open := len(dst)
	if !discards(w.x) {
		for i := range w.items {
			dst = w.appendItem(dst, open, &w.items[i])
		}
		if len(dst) == open {
			dst = w.appendBlank(dst)
		}
	}
	dst = append(dst, `],`...)
	dst = appendStop(dst, w.x, &w.stop, w.refused)
	dst = append(dst, `,"usage":`...)
	dst = appendUsage(dst, &w.usage, w.tier)
	return append(dst, '}'), nil
}

// appendItem appends the block of an item. Items without any content have none.
func (w *AnswerWriter) appendItem(dst []byte, open int, it *answerItem) []byte {
	before := len(dst)
	if before > open {
		dst = append(dst, ',')
	}
	start := len(dst)
	switch it.kind {
	case llm.Text, llm.Refusal:
		dst = it.appendText(dst, w.x)
	case llm.Thought:
		switch {
		case !it.redacted:
			dst = append(dst, `{"type":"thinking","thinking":`...)
			dst = json.AppendString(dst, it.text)
			dst = append(dst, `,"signature":`...)
			dst = append(json.AppendString(dst, it.seal), '}')
		case len(it.seal) > 0:
			dst = append(dst, `{"type":"redacted_thinking","data":`...)
			dst = append(json.AppendString(dst, it.seal), '}')
		}
	case llm.Call:
		dst = append(dst, `{"type":"tool_use","id":`...)
		dst = json.AppendString(dst, it.id)
		dst = append(dst, `,"name":`...)
		dst = json.AppendString(dst, it.name)
		dst = append(dst, `,"input":`...)
		dst = append(it.appendInput(dst, w.stop.Reason == llm.StopLength), '}')
	case llm.Hosted:
		dst = append(dst, bytes.ReplaceAll(it.hosted, []byte{'\n'}, []byte{','})...)
	}
	if len(dst) == start {
		return dst[:before]
	}
	return dst
}

func (it *answerItem) appendText(dst []byte, x *llm.Exchange) []byte {
	if len(bytes.TrimSpace(it.text)) == 0 {
		return dst
	}
	dst = append(dst, `{"type":"text","text":`...)
	dst = json.AppendString(dst, it.text)
	start := len(dst)
	for i := range it.citations {
		c := appendCitation(nil, &it.citations[i], it.text)
		switch {
		case len(c) == 0:
			x.Warnings.Drop(annotationsField)
			continue
		case len(dst) == start:
			dst = append(dst, `,"citations":[`...)
		default:
			dst = append(dst, ',')
		}
		dst = append(dst, c...)
	}
	if len(dst) > start {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendInput appends the input of a call. One that was cut off is ended as well as it can be: the stop reason tells. One that
// is no JSON for another reason is kept as a text, as in a history.
func (it *answerItem) appendInput(dst []byte, cut bool) []byte {
	text := bytes.TrimSpace(it.text)
	switch {
	case it.custom:
		return append(json.AppendString(append(dst, `{"input":`...), it.text), '}')
	case len(text) == 0:
		return append(dst, emptyObject...)
	case json.Check(text) != nil && cut:
		return appendEnded(dst, text)
	case json.Check(text) != nil:
		return append(json.AppendString(append(dst, `{"_raw_arguments":`...), it.text), '}')
	case text[0] != '{':
		return append(append(append(dst, `{"value":`...), text...), '}')
	}
	return append(dst, text...)
}

// appendBlank appends the texts of white space alone, where there is nothing else.
func (w *AnswerWriter) appendBlank(dst []byte) []byte {
	var text []byte
	for i := range w.items {
		if it := &w.items[i]; it.kind == llm.Text || it.kind == llm.Refusal {
			text = append(text, it.text...)
		}
	}
	if len(text) == 0 {
		return dst
	}
	dst = append(dst, `{"type":"text","text":`...)
	return append(json.AppendString(dst, text), '}')
}

// appendEnded appends an object whose text was cut off, with its strings and brackets closed, or an empty one when that makes
// no JSON.
func appendEnded(dst, text []byte) []byte {
	var brackets []byte
	inString, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{':
			brackets = append(brackets, '}')
		case c == '[':
			brackets = append(brackets, ']')
		case (c == '}' || c == ']') && len(brackets) > 0:
			brackets = brackets[:len(brackets)-1]
		}
	}
	ended := bytes.Clone(text)
	if inString {
		if escaped {
			ended = ended[:len(ended)-1]
		}
		ended = append(ended, '"')
	}
	ended = bytes.TrimRight(ended, ", \t\r\n")
	if bytes.HasSuffix(ended, []byte{':'}) {
		ended = append(ended, "null"...)
	}
	for i := len(brackets) - 1; i >= 0; i-- {
		ended = append(ended, brackets[i])
	}
	if len(ended) == 0 || ended[0] != '{' || json.Check(ended) != nil {
		return append(dst, emptyObject...)
	}
	return append(dst, ended...)
}
