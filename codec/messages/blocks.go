package messages

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

func (w *writer) writeSystem() {
	if len(w.system) == 0 && w.instruction == "" {
		return
	}
	w.dst = append(w.dst, `,"system":[`...)
	for i := range w.system {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		item := &w.system[i]
		if w.writeRaw(item) {
			continue
		}
		w.dst = append(w.dst, `{"type":"text","text":`...)
		w.dst = json.AppendString(w.dst, item.Text)
		w.writeToolMark(item.Cache)
		w.dst = append(w.dst, '}')
	}
	if w.instruction != "" {
		if len(w.system) > 0 {
			w.dst = append(w.dst, ',')
		}
		writeText(w, nil, w.instruction)
	}
	w.dst = append(w.dst, ']')
}

// writeRaw writes an item as an Anthropic client, or Anthropic itself, wrote it.
func (w *writer) writeRaw(item *llm.Item) bool {
	if item.Raw == nil || item.RawProtocol != llm.Messages {
		return false
	}
	w.dst = append(w.dst, item.Raw...)
	return true
}

// writeMessages writes the conversation. It stands last, so that all before it is the prefix of the next request too, and a
// paused answer can be put behind it.
func (w *writer) writeMessages() {
	w.dst = append(w.dst, `,"messages":[`...)
	for i := range w.messages {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.writeMessage(&w.messages[i], i == len(w.messages)-1)
	}
	w.dst = append(w.dst, ']')
}

func (w *writer) writeMessage(m *message, isLast bool) {
	switch m.role {
	case llm.Assistant:
		w.dst = append(w.dst, `{"role":"assistant","content":[`...)
	case llm.System:
		w.dst = append(w.dst, `{"role":"system","content":[`...)
	default:
		w.dst = append(w.dst, `{"role":"user","content":[`...)
	}
	open := len(w.dst)
	for c := m.firstCall; c < m.firstCall+m.answers; c++ {
		w.comma(open)
		w.writeResult(&w.calls[c])
	}
	for i := range m.refs {
		w.comma(open)
		r := &m.refs[i]
		trim := isLast && !w.native && m.role == llm.Assistant && i == len(m.refs)-1
		w.writeBlock(r, trim)
	}
	w.dst = append(w.dst, `]}`...)
}

// comma writes a comma unless nothing was written since open.
func (w *writer) comma(open int) {
	if len(w.dst) > open {
		w.dst = append(w.dst, ',')
	}
}

// writeBlock writes one block. trim takes the white space off the end of a text: Anthropic refuses it at the beginning of an
// answer.
func (w *writer) writeBlock(r *ref, trim bool) {
	if r.kind == refText {
		writeText(w, nil, r.text)
		return
	}
	item := r.item
	if item.Kind == llm.Thought {
		w.writeThought(r)
		return
	}
	if (w.native || item.Kind == llm.Hosted) && w.writeRaw(item) {
		return
	}
	switch item.Kind {
	case llm.Text, llm.Refusal:
		text := item.Text
		if trim {
			text = bytes.TrimRight(text, " \t\r\n")
		}
		if r.text != "" {
			text = append([]byte(r.text), text...)
		}
		writeText(w, item, text)
	case llm.Image, llm.File:
		w.writeMedia(item, item.Cache)
	case llm.Call:
		w.writeCall(r)
	}
}

// writeText writes a text, with the mark of the item it is of.
func writeText[T string | []byte](w *writer, item *llm.Item, text T) {
	w.dst = append(w.dst, `{"type":"text","text":`...)
	w.dst = json.AppendString(w.dst, text)
	if item != nil {
		w.writeMark(item.Cache)
	}
	w.dst = append(w.dst, '}')
}

func (w *writer) writeThought(r *ref) {
	switch r.thought.kind {
	case thoughtRaw:
		w.dst = append(w.dst, r.item.Raw...)
	case thoughtSigned:
		w.dst = append(w.dst, `{"type":"thinking","thinking":`...)
		w.dst = json.AppendString(w.dst, r.item.Text)
		w.dst = append(w.dst, `,"signature":`...)
		w.dst = json.AppendString(w.dst, r.thought.opaque)
		w.dst = append(w.dst, '}')
	case thoughtRedacted:
		w.dst = append(w.dst, `{"type":"redacted_thinking","data":`...)
		w.dst = json.AppendString(w.dst, r.thought.opaque)
		w.dst = append(w.dst, '}')
	}
}

// writeCall writes a call of a client's tool.
func (w *writer) writeCall(r *ref) {
	item := r.item
	w.dst = append(w.dst, `{"type":"tool_use","id":`...)
	w.dst = json.AppendString(w.dst, w.calls[r.call].wire)
	w.text("name", w.wireName(item.Namespace, item.Name))
	w.dst = append(w.dst, `,"input":`...)
	if item.Custom {
		w.dst = append(w.dst, `{"input":`...)
		w.dst = append(json.AppendString(w.dst, item.Text), '}')
	} else {
		w.writeArguments(item.Arguments)
	}
	w.writeMark(item.Cache)
	w.dst = append(w.dst, '}')
}

// writeArguments writes what OpenAI's clients have as a string as the object that Anthropic wants (protocols.md D.9), byte by
// byte as it was.
func (w *writer) writeArguments(arguments []byte) {
	arguments = bytes.TrimSpace(arguments)
	switch {
	case len(arguments) == 0:
		w.dst = append(w.dst, emptyObject...)
	case json.Check(arguments) != nil:
		w.approximate(w.word("messages.tool_calls.function.arguments", "input.arguments"))
		w.dst = append(w.dst, `{"_raw_arguments":`...)
		w.dst = append(json.AppendString(w.dst, arguments), '}')
	case arguments[0] != '{':
		w.approximate(w.word("messages.tool_calls.function.arguments", "input.arguments"))
		w.dst = append(w.dst, `{"value":`...)
		w.dst = append(append(w.dst, arguments...), '}')
	default:
		w.dst = append(w.dst, arguments...)
	}
}

// writeResult writes the result of a call, or that there is none.
func (w *writer) writeResult(c *call) {
	w.dst = append(w.dst, `{"type":"tool_result","tool_use_id":`...)
	w.dst = json.AppendString(w.dst, c.wire)
	if c.result == nil {
		w.text("content", textNoResult)
		w.dst = append(w.dst, `,"is_error":true}`...)
		return
	}
	w.writeParts(c.result)
	if c.result.IsError {
		w.dst = append(w.dst, `,"is_error":true`...)
	}
	w.writeMark(markOf(c.result))
	w.dst = append(w.dst, '}')
}

// writeParts writes the content of a result. A result without any has none; its marks stand at the result itself.
func (w *writer) writeParts(result *llm.Item) {
	start := len(w.dst)
	w.dst = append(w.dst, `,"content":[`...)
	open := len(w.dst)
	for i := range result.Parts {
		part := &result.Parts[i]
		switch part.Kind {
		case llm.Text, llm.Refusal:
			if len(part.Text) > 0 {
				w.comma(open)
				w.dst = append(w.dst, `{"type":"text","text":`...)
				w.dst = append(json.AppendString(w.dst, part.Text), '}')
			}
		case llm.Image, llm.File:
			w.comma(open)
			w.writeMedia(part, llm.CacheNone)
		}
	}
	if len(w.dst) == open {
		w.dst = w.dst[:start]
		return
	}
	w.dst = append(w.dst, ']')
}
