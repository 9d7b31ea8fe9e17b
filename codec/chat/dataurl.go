package chat

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"octopus/codec/json"
)

func isWeb(address []byte) bool {
	return bytes.HasPrefix(address, []byte("https://")) || bytes.HasPrefix(address, []byte("http://"))
}

// dataURL is an address that holds its content (RFC 2397).
type dataURL struct {
	mediaType string
	data      []byte
	base64    bool
}

// parseDataURL takes a data URL apart without decoding it. Parameters but base64 are left out.
func parseDataURL(address []byte) (dataURL, bool) {
	rest, ok := bytes.CutPrefix(address, []byte("data:"))
	if !ok {
		return dataURL{}, false
	}
	head, data, ok := bytes.Cut(rest, []byte(","))
	if !ok {
		return dataURL{}, false
	}
	u := dataURL{data: data}
	mediaType, parameters, _ := bytes.Cut(head, []byte(";"))
	u.base64 = bytes.HasSuffix(parameters, []byte("base64"))
	u.mediaType = json.Borrow(bytes.TrimSpace(mediaType))
	switch u.mediaType {
	case "base64":
		u.mediaType, u.base64 = "", true
	case "image/jpg":
		u.mediaType = "image/jpeg"
	}
	return u, true
}

// decode returns the content.
func (u *dataURL) decode() ([]byte, error) {
	if u.base64 {
		return base64.StdEncoding.DecodeString(json.Borrow(u.data))
	}
	text, err := url.PathUnescape(json.Borrow(u.data))
	return []byte(text), err
}

// sniff returns the media type that the first bytes of base64 data show, or the empty string.
func sniff(data []byte) string {
	for _, known := range [...]struct{ prefix, mediaType string }{
		{"iVBORw0KGgo", "image/png"},
		{"/9j/", "image/jpeg"},
		{"R0lGOD", "image/gif"},
		{"UklGR", "image/webp"},
		{"JVBERi0", "application/pdf"},
	} {
		if bytes.HasPrefix(data, []byte(known.prefix)) {
			return known.mediaType
		}
	}
	return ""
}

// typeOfName returns the media type that the ending of a file's name shows, or the empty string.
func typeOfName(name string) string {
	switch strings.ToLower(name[strings.LastIndexByte(name, '.')+1:]) {
	case "pdf":
		return "application/pdf"
	case "txt":
		return "text/plain"
	case "md":
		return "text/markdown"
	case "csv":
		return "text/csv"
	case "html":
		return "text/html"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return ""
}
