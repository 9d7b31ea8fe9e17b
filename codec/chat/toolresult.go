package chat

import "octopus/codec/llm"

// noResult stands for the result of a call that has none.
const noResult = "[no result recorded]"

// writeResults writes the results of a turn's calls, and behind all of them the images and documents that a message
// of role tool can't hold.
func (w *writer) writeResults(index int, calls []pairEnd) {
	for i := range calls {
		w.writeResult(index, &calls[i])
	}
	if w.x.Options.ToolImageParts {
		return
	}
	for i := range calls {
		if answer := calls[i].answer; answer != none {
			w.writeAttachment(w.pairs.ends[answer].item)
		}
	}
}

func (w *writer) writeResult(index int, call *pairEnd) {
	var result *llm.Item
	switch {
	case call.answer != none:
		result = w.pairs.ends[call.answer].item
	case index == len(w.r.Turns)-1 || !w.x.Options.Repair:
		w.refuse(turnPath(&w.r.Turns[index]), "invalid_value",
			"has the call `"+call.item.CallID+"` without a result, which is not possible")
		return
	default:
		w.approximate(w.resultField())
		result = &llm.Item{IsError: true, Parts: []llm.Item{{Text: []byte(noResult)}}}
	}
	w.warnOfResult(result)
	w.open("tool")
	w.dst = append(w.dst, `,"tool_call_id":"`...)
	w.dst = append(w.appendCallID(call.item.CallID), '"')
	w.key("content")
	if w.x.Options.ToolImageParts && hasMedia(result) {
		w.dst = append(w.dst, '[')
		if result.IsError {
			w.part()
			w.writeTextPart([]byte(toolErrorPrefix), llm.CacheNone)
		}
		w.writeParts(result.Parts)
		w.dst = append(w.dst, ']', '}')
		return
	}
	w.dst = append(w.dst, '"')
	w.writeResultText(result)
	w.dst = append(w.dst, '"', '}')
}

// writeResultText writes the texts of a result into a string.
func (w *writer) writeResultText(result *llm.Item) {
	if result.IsError {
		w.dst = append(w.dst, toolErrorPrefix...)
	}
	first := true
	for i := range result.Parts {
		p := &result.Parts[i]
		if p.Kind != llm.Text && !isInline(p) {
			continue
		}
		if !first {
			w.dst = append(w.dst, `\n`...)
		}
		first = false
		if p.Kind == llm.Text {
			w.dst = appendEscaped(w.dst, p.Text)
		} else {
			w.writeDocument(&p.Media)
		}
	}
}

// warnOfResult notes the marks of prompt caching, which no message of role tool has.
func (w *writer) warnOfResult(result *llm.Item) {
	marked := result.Cache != llm.CacheNone
	for i := range result.Parts {
		marked = marked || result.Parts[i].Kind == llm.Text && result.Parts[i].Cache != llm.CacheNone
	}
	if marked {
		w.dropMark()
	}
}

// hasMedia reports whether a result has anything that is no text.
func hasMedia(result *llm.Item) bool {
	for i := range result.Parts {
		if p := &result.Parts[i]; p.Kind != llm.Text && !isInline(p) || len(p.Parts) > 0 {
			return true
		}
	}
	return false
}

// writeAttachment writes a user's message with the images and documents of a result.
func (w *writer) writeAttachment(result *llm.Item) {
	if !hasMedia(result) {
		return
	}
	w.open("user")
	w.dst = append(w.dst, `,"content":[{"type":"text","text":"[attachment of tool result `...)
	w.dst = append(w.appendCallID(result.CallID), `]"}`...)
	for i := range result.Parts {
		switch p := &result.Parts[i]; {
		case p.Kind == llm.Text:
		case isInline(p):
			w.writeMedia(p.Parts)
		default:
			w.part()
			w.writePart(p)
		}
	}
	w.dst = append(w.dst, ']', '}')
}

// writeOrphan writes a result whose call is not part of the conversation as a text.
func (w *writer) writeOrphan(result *llm.Item) {
	if !w.x.Options.Repair {
		w.refuse(w.resultField(), "invalid_value",
			"has the result `"+result.CallID+"` without a call, which is not possible")
		return
	}
	w.approximate(w.resultField())
	w.warnOfResult(result)
	w.part()
	w.dst = append(w.dst, `{"type":"text","text":"[orphan tool result `...)
	w.dst = append(appendEscaped(w.dst, result.CallID), "] "...)
	w.writeResultText(result)
	w.dst = append(w.dst, '"', '}')
	for i := range result.Parts {
		if p := &result.Parts[i]; p.Kind != llm.Text && !isInline(p) {
			w.part()
			w.writePart(p)
		}
	}
}
