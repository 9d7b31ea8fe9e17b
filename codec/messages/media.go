package messages

import (
	"bytes"
	"encoding/base64"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// source is where the bytes of an image or a document are, once data URLs are taken apart and types are known.
type source struct {
	mediaType, url string
	data           []byte // base64
	text           []byte
}

// sourceOf finds out what media is. The text of a document of type text is decoded.
func sourceOf(media *llm.Media) source {
	s := source{mediaType: media.Type, url: media.URL, data: media.Data, text: media.Text}
	s.data = s.takeDataURL(s.data)
	if strings.HasPrefix(s.url, "data:") {
		s.data, s.url = s.takeDataURL([]byte(s.url)), ""
	}
	if i := strings.IndexByte(s.mediaType, ';'); i >= 0 {
		s.mediaType = strings.TrimSpace(s.mediaType[:i])
	}
	s.mediaType = strings.ToLower(s.mediaType)
	switch s.mediaType {
	case "image/jpg":
		s.mediaType = "image/jpeg"
	case "", "application/octet-stream":
		s.mediaType = sniff(s.data, media.Name, s.url)
	}
	if s.text == nil && len(s.data) > 0 && strings.HasPrefix(s.mediaType, "text/") {
		text := make([]byte, base64.StdEncoding.DecodedLen(len(s.data)))
		if n, err := base64.StdEncoding.Decode(text, s.data); err == nil {
			s.text = text[:n]
		}
	}
	return s
}

// takeDataURL returns the base64 of a data URL, and notes its type. What is none is returned as it is.
func (s *source) takeDataURL(data []byte) []byte {
	rest, ok := bytes.CutPrefix(data, []byte("data:"))
	if !ok {
		return data
	}
	head, body, ok := bytes.Cut(rest, []byte{','})
	if !ok {
		return nil
	}
	if mediaType, ok := bytes.CutSuffix(head, []byte(";base64")); ok {
		s.mediaType = string(mediaType)
		return body
	}
	s.mediaType = string(head)
	return base64.StdEncoding.AppendEncode(nil, body)
}

// signatures are how files begin, in base64.
var signatures = [...]struct{ prefix, mediaType string }{
	{"/9j/", "image/jpeg"}, {"iVBORw0KGgo", "image/png"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"},
	{"JVBERi0", mediaPDF},
}

const mediaPDF = "application/pdf"

// sniff guesses a type from the first bytes, else from the ending of a name.
func sniff(data []byte, names ...string) string {
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.prefix)) {
			return s.mediaType
		}
	}
	for _, name := range names {
		name, _, _ = strings.Cut(name, "?")
		switch name = strings.ToLower(name); {
		case strings.HasSuffix(name, ".pdf"):
			return mediaPDF
		case strings.HasSuffix(name, ".txt"), strings.HasSuffix(name, ".md"), strings.HasSuffix(name, ".csv"):
			return "text/plain"
		}
	}
	return ""
}

// checkMedia refuses what Anthropic can't read (protocols.md D.11, D.12), and notes what gets lost of the rest.
func (w *writer) checkMedia(item *llm.Item, path llm.Path) bool {
	field := w.pathOf(path) + ".content"
	if item.Kind == llm.Audio {
		w.refuse(codeUnsupportedValue, field, "Remove the audio or use an OpenAI-protocol channel.")
		return false
	}
	s := sourceOf(&item.Media)
	ok := false
	switch {
	case item.Kind == llm.Image && s.url != "":
		ok = true
	case item.Kind == llm.Image:
		switch s.mediaType {
		case "image/jpeg", "image/png", "image/gif", "image/webp":
			ok = len(s.data) > 0
		}
		if !ok {
			w.refuse(codeUnsupportedValue, field, "Send the image as JPEG, PNG, GIF or WebP.")
		}
	default:
		ok = s.text != nil || s.mediaType == mediaPDF && (s.url != "" || len(s.data) > 0) || s.url != "" && s.mediaType == ""
		if !ok {
			w.refuse(codeUnsupportedValue, field, "Send the file as PDF or text.")
		}
	}
	if d := item.Media.Detail; d != "" && d != "auto" {
		w.drop(w.word("messages.content.image_url.detail", "input.content.detail"))
	}
	return ok
}

// writeMedia writes an image or a document that checkMedia has passed, with a mark or none.
func (w *writer) writeMedia(item *llm.Item, mark llm.CacheTTL) {
	s := sourceOf(&item.Media)
	if item.Kind == llm.Image {
		w.dst = append(w.dst, `{"type":"image","source":`...)
	} else {
		w.dst = append(w.dst, `{"type":"document","source":`...)
	}
	switch {
	case s.text != nil:
		w.dst = append(w.dst, `{"type":"text","media_type":"text/plain","data":`...)
		w.dst = append(json.AppendString(w.dst, s.text), '}')
	case s.url != "":
		w.dst = append(w.dst, `{"type":"url","url":`...)
		w.dst = append(json.AppendString(w.dst, s.url), '}')
	default:
		w.dst = append(w.dst, `{"type":"base64","media_type":`...)
		w.dst = json.AppendString(w.dst, s.mediaType)
		w.dst = append(w.dst, `,"data":`...)
		w.dst = append(json.AppendString(w.dst, s.data), '}')
	}
	if item.Kind == llm.File {
		w.text("title", item.Media.Name)
		w.text("context", item.Media.Context)
		if item.Media.Citations {
			w.dst = append(w.dst, `,"citations":{"enabled":true}`...)
		}
	}
	w.writeMark(mark)
	w.dst = append(w.dst, '}')
}
