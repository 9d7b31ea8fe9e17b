package chat

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// part appends the comma between two elements of an array.
func (w *writer) part() {
	if w.dst[len(w.dst)-1] != '[' {
		w.dst = append(w.dst, ',')
	}
}

// writeParts writes the elements of a content array.
func (w *writer) writeParts(items []llm.Item) {
	for i := range items {
		w.part()
		w.writePart(&items[i])
	}
}

// writeMedia writes those of the items that are no text.
func (w *writer) writeMedia(items []llm.Item) {
	for i := range items {
		if items[i].Kind != llm.Text {
			w.part()
			w.writePart(&items[i])
		}
	}
}

// writePart writes a content part of a user's message.
func (w *writer) writePart(item *llm.Item) {
	if item.RawProtocol == llm.Chat && item.Raw != nil {
		w.dst = append(w.dst, item.Raw...)
		return
	}
	m := &item.Media
	mark := w.mark(item)
	switch item.Kind {
	case llm.Text:
		w.writeTextPart(item.Text, mark)
	case llm.Image:
		w.writeImage(m, mark)
	case llm.Audio:
		w.dst = append(w.dst, `{"type":"input_audio","input_audio":{"data":`...)
		w.dst = json.AppendString(w.dst, m.Data)
		w.text("format", audioFormat(m.Type))
		w.dst = append(w.dst, "}}"...)
	case llm.File:
		w.writeFile(item, mark)
	default:
		w.refuse(w.contentField(), "unsupported_item", "has an item of type "+item.Name+", which is not available")
	}
}

// mark returns the mark of an item, or none while there are too many of them: the earliest are left out first.
func (w *writer) mark(item *llm.Item) llm.CacheTTL {
	if !isMarkable(item) {
		return llm.CacheNone
	}
	if w.spare > 0 && w.model.CacheBreakpoints {
		w.spare--
		w.dropMark()
		return llm.CacheNone
	}
	return item.Cache
}

// contentField names content in the client's words.
func (w *writer) contentField() string {
	return w.word("messages.content", "input.content", "messages.content")
}

func (w *writer) writeTextPart(text []byte, mark llm.CacheTTL) {
	w.dst = append(w.dst, `{"type":"text","text":`...)
	w.dst = json.AppendString(w.dst, text)
	w.breakpoint(mark)
	w.dst = append(w.dst, '}')
}

// writeImage writes an image by its address, or with its data in one.
func (w *writer) writeImage(m *llm.Media, mark llm.CacheTTL) {
	w.dst = append(w.dst, `{"type":"image_url","image_url":{"url":"`...)
	switch {
	case m.FileID != "":
		w.refuse(w.contentField()+w.word(".file.file_id", ".file_id", ".source.file_id"), "unsupported_value",
			"is an image by its file id, which is not available")
	case m.URL != "":
		w.dst = appendEscaped(w.dst, m.URL)
	default:
		w.writeData(m.Type, m.Data)
	}
	w.dst = append(w.dst, '"')
	w.text("detail", m.Detail)
	w.dst = append(w.dst, '}')
	w.breakpoint(mark)
	w.dst = append(w.dst, '}')
}

// writeData writes a data URL into a string.
func (w *writer) writeData(mediaType string, data []byte) {
	w.dst = append(w.dst, "data:"...)
	w.dst = appendEscaped(w.dst, mediaType)
	w.dst = append(w.dst, ";base64,"...)
	w.dst = appendEscaped(w.dst, data)
}

// audioFormat returns Chat's word for a media type.
func audioFormat(mediaType string) string {
	format := strings.TrimPrefix(mediaType, "audio/")
	switch format {
	case "mpeg":
		return "mp3"
	case "x-wav", "wave":
		return "wav"
	}
	return format
}

// isInline reports whether a document is written as text: its text is in the request.
func isInline(item *llm.Item) bool {
	m := &item.Media
	return item.Kind == llm.File && (m.Text != nil || m.Data == nil && m.URL == "" && m.FileID == "")
}

// writeFile writes a document (protocols.md D.12).
func (w *writer) writeFile(item *llm.Item, mark llm.CacheTTL) {
	m := &item.Media
	if m.Citations {
		w.drop("messages.content.citations")
	}
	if isInline(item) {
		w.dst = append(w.dst, `{"type":"text","text":"`...)
		w.writeDocument(m)
		w.dst = append(w.dst, '"')
		w.breakpoint(mark)
		w.dst = append(w.dst, '}')
		w.writeMedia(item.Parts)
		return
	}
	w.dst = append(w.dst, `{"type":"file","file":{`...)
	switch {
	case m.FileID != "":
		w.dst = append(w.dst, `"file_id":`...)
		w.dst = json.AppendString(w.dst, m.FileID)
	case m.URL != "":
		w.refuse(w.contentField()+w.word(".file.file_url", ".file_url", ".source.url"), "unsupported_value",
			"is a document by its address, which is not available")
	default:
		w.dst = append(w.dst, `"filename":`...)
		w.dst = json.AppendString(w.dst, fileName(m))
		w.dst = append(w.dst, `,"file_data":"`...)
		w.writeData(m.Type, m.Data)
		w.dst = append(w.dst, '"')
	}
	if m.Context != "" {
		w.drop("messages.content.context")
	}
	w.dst = append(w.dst, '}')
	w.breakpoint(mark)
	w.dst = append(w.dst, '}')
}

// fileName returns the name of a document, which OpenAI wants to have.
func fileName(m *llm.Media) string {
	switch {
	case m.Name != "":
		return m.Name
	case m.Type == "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
		return "document.docx"
	case m.Type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return "document.xlsx"
	}
	return "document.pdf"
}

// writeDocument writes a document that has its text in the request into a string.
func (w *writer) writeDocument(m *llm.Media) {
	w.dst = append(w.dst, "<document"...)
	w.writeAttribute("title", m.Name)
	w.writeAttribute("context", m.Context)
	w.dst = append(w.dst, '>')
	w.dst = appendEscaped(w.dst, m.Text)
	w.dst = append(w.dst, "</document>"...)
}

func (w *writer) writeAttribute(name, value string) {
	if value == "" {
		return
	}
	w.dst = append(append(append(w.dst, ' '), name...), `=\"`...)
	w.dst = appendEscaped(w.dst, strings.ReplaceAll(value, `"`, "&quot;"))
	w.dst = append(w.dst, `\"`...)
}
