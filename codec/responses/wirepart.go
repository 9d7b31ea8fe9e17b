package responses

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// part writes one part of a message's content, texts as the given type. prefix goes in front of a text.
func (w *writer) part(it *llm.Item, textType string, prefix []byte) {
	if w.own && it.Raw != nil && len(prefix) == 0 {
		w.dst = append(w.dst, it.Raw...)
		return
	}
	switch it.Kind {
	case llm.Text, llm.Refusal:
		w.textPart(it, textType, prefix)
	case llm.Image:
		w.imagePart(it)
	case llm.File:
		w.filePart(it)
	case llm.Audio:
		w.dst = append(w.dst, "null"...)
		w.refuse(w.contentField(), "Send the text of the audio, or use an OpenAI Chat channel.")
	default:
		w.dst = append(w.dst, "null"...)
		w.reject(codeUnsupportedItem, w.contentField(), "holds an item ("+it.Name+") that only its own protocol knows")
	}
}

func (w *writer) textPart(it *llm.Item, textType string, prefix []byte) {
	w.dst = append(append(append(w.dst, `{"type":"`...), textType...), `","text":`...)
	w.prefixed(string(prefix), it.Text)
	if textType == "output_text" {
		// The array is required, what is in it belongs to the answer that it was made for.
		w.dst = append(w.dst, `,"annotations":[]`...)
		if len(it.Citations) > 0 {
			w.drop(w.citationsField())
		}
		if it.Cache != llm.CacheNone {
			w.drop("cache_control")
		}
	} else {
		w.breakpoint(it.Cache)
	}
	w.dst = append(w.dst, '}')
}

// contentField is the place in the client's body of the content that is being written.
func (w *writer) contentField() string {
	if w.at == nil {
		return "content"
	}
	return pathOf(w.at) + ".content"
}

// citationsField is what the client calls the sources of a text of the model.
func (w *writer) citationsField() string {
	switch w.r.Protocol {
	case llm.Chat:
		return "messages.annotations"
	case llm.Messages:
		return "messages.content.citations"
	}
	return "input.content.annotations"
}

// breakpoint writes the mark of prompt caching where the model knows it.
func (w *writer) breakpoint(ttl llm.CacheTTL) {
	switch {
	case ttl == llm.CacheNone:
	case !w.model.CacheBreakpoints:
		w.drop("cache_control")
	case ttl == llm.CacheLong:
		w.raw("prompt_cache_breakpoint", []byte(`{"mode":"explicit","ttl":"12h"}`))
	default:
		w.raw("prompt_cache_breakpoint", []byte(`{"mode":"explicit"}`))
	}
}

func (w *writer) imagePart(it *llm.Item) {
	m := &it.Media
	w.dst = append(w.dst, `{"type":"input_image"`...)
	switch {
	case m.FileID != "":
		w.str("file_id", m.FileID)
	case m.URL != "":
		w.str("image_url", m.URL)
	default:
		w.dataURL("image_url", imageType(m), m.Data)
	}
	detail := m.Detail
	if detail == "" {
		detail = "auto"
	}
	w.str("detail", detail)
	w.breakpoint(it.Cache)
	w.dst = append(w.dst, '}')
}

// imageType returns the MIME type of an image, looked up in its first bytes when the client doesn't say it.
func imageType(m *llm.Media) string {
	switch {
	case m.Type == "image/jpg":
		return "image/jpeg"
	case m.Type != "":
		return m.Type
	}
	// The first bytes of the formats, in base64.
	for _, magic := range [...]struct{ prefix, mime string }{
		{"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"},
	} {
		if strings.HasPrefix(json.Borrow(m.Data), magic.prefix) {
			return magic.mime
		}
	}
	return "image/png"
}

// dataURL writes base64 with its type.
func (w *writer) dataURL(name, mime string, data []byte) {
	w.name(name)
	w.dst = append(append(append(w.dst, `"data:`...), jsonSafe(mime)...), ";base64,"...)
	start := len(w.dst)
	w.dst = json.AppendString(w.dst, data)
	// The string goes on from the head: its opening quote is one too many.
	w.dst = append(w.dst[:start], w.dst[start+1:]...)
}

// jsonSafe returns a MIME type, or the general one when it has characters that no MIME type has.
func jsonSafe(mime string) string {
	for i := 0; i < len(mime); i++ {
		if c := mime[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return "application/octet-stream"
		}
	}
	return mime
}

func (w *writer) filePart(it *llm.Item) {
	m := &it.Media
	if m.Citations {
		w.drop("messages.content.citations")
	}
	if m.Text != nil {
		w.document(it)
		for i := range it.Parts {
			if it.Parts[i].Kind == llm.Image {
				w.dst = append(w.dst, ',')
				w.imagePart(&it.Parts[i])
			}
		}
		return
	}
	w.dst = append(w.dst, `{"type":"input_file"`...)
	switch {
	case m.FileID != "":
		w.str("file_id", m.FileID)
	case m.URL != "":
		w.str("filename", m.Name)
		w.str("file_url", m.URL)
	default:
		mime := m.Type
		if mime == "" {
			mime = "application/pdf"
		}
		name := m.Name
		if name == "" {
			name = "document.pdf"
		}
		w.str("filename", name)
		w.dataURL("file_data", mime, m.Data)
	}
	if m.Context != "" {
		w.drop("messages.content.context")
	}
	w.breakpoint(it.Cache)
	w.dst = append(w.dst, '}')
}

// document writes a plain text as a text that says what it is.
func (w *writer) document(it *llm.Item) {
	m := &it.Media
	text := []byte("<document")
	for _, attribute := range [...]struct{ name, value string }{{"title", m.Name}, {"context", m.Context}} {
		if attribute.value != "" {
			text = append(append(append(text, ' '), attribute.name...), `="`...)
			text = append(append(text, attributeText.Replace(attribute.value)...), '"')
		}
	}
	text = append(append(text, '>'), m.Text...)
	text = append(text, "</document>"...)
	w.textPart(&llm.Item{Kind: llm.Text, Text: text, Cache: it.Cache}, "input_text", nil)
}

// attributeText escapes what would end an attribute.
var attributeText = strings.NewReplacer(`&`, "&amp;", `"`, "&quot;", "<", "&lt;", "\n", " ")
