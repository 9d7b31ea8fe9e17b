package gatewaytest

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// imageTypes are the images that both providers take.
var imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// imageType returns the type that the first bytes of an image tell, or nothing.
func imageType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "image/gif"
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

// dataURL returns the media type and the bytes of a data URL in base64.
func dataURL(url string) (mediaType string, data []byte, ok bool) {
	rest, isData := strings.CutPrefix(url, "data:")
	head, encoded, hasComma := strings.Cut(rest, ",")
	mediaType, isBase64 := strings.CutSuffix(head, ";base64")
	if !isData || !hasComma || !isBase64 {
		return "", nil, false
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	return mediaType, data, err == nil && len(data) > 0
}

// appendAttachment appends what a part of any protocol is when it is an image or a file: its type and length in brackets, or
// its address.
func appendAttachment(dst, part []byte) []byte {
	kind := decoded(member(part, "type"))
	url := member(part, "image_url")
	source := member(part, "source")
	switch kind {
	case "image_url":
		url = member(url, "url")
	case "file":
		url = member(member(part, "file"), "file_data")
	case "input_file":
		if url = member(part, "file_data"); url == nil {
			url = member(part, "file_url")
		}
	case "image", "document":
		url = member(source, "url")
	case "input_image":
	default:
		return dst
	}
	mediaType, data, isData := dataURL(decoded(url))
	if source != nil && url == nil {
		mediaType, isData = decoded(member(source, "media_type")), true
		data = appendDecoded(nil, member(source, "data"))
		if decoded(member(source, "type")) == "base64" {
			// The error shows as an attachment of 0 bytes, and Validate refuses it.
			data, _ = base64.StdEncoding.DecodeString(string(data))
		}
	}
	if isData {
		return put(dst, "[", mediaType, " of ", len(data), " bytes]")
	}
	return put(dst, "[", appendDecoded(nil, url), "]")
}

// isWebURL reports whether a URL is one that a provider would fetch.
func isWebURL(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

// openAIImage takes the URL of an image, or a data URL with one.
func openAIImage(j *judge, at *place, value []byte) *complaint {
	if c := text(j, at, value); c != nil || isWebURL(decoded(value)) {
		return c
	}
	mediaType, data, ok := dataURL(decoded(value))
	switch {
	case !ok:
		return j.complain(at, "invalid_value", "Invalid '{at}'. Expected a valid URL or a base64-encoded data URL with an image MIME "+
			"type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=').")
	case !strings.HasPrefix(mediaType, "image/"):
		return j.complain(at, "invalid_value", "Invalid MIME type. Only image types are supported.")
	case imageType(data) == "":
		return j.complain(at, "invalid_image_format", "You uploaded an unsupported image. Please make sure your image has of one "+
			"the following formats: ['png', 'jpeg', 'gif', 'webp'].")
	}
	return nil
}

// fileData takes a data URL with a file.
func fileData(j *judge, at *place, value []byte) *complaint {
	if c := text(j, at, value); c != nil {
		return c
	}
	mediaType, data, ok := dataURL(decoded(value))
	switch {
	case !ok || mediaType == "":
		return j.complain(at, "invalid_value", "Invalid '{at}'. Expected a base64-encoded data URL with an application/pdf MIME type "+
			"(e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix.")
	case mediaType == "application/pdf" && !bytes.HasPrefix(data, []byte("%PDF-")):
		return j.complain(at, "invalid_value", "Invalid '{at}'. The file is not a PDF.")
	}
	return nil
}

// base64Text takes bytes in base64.
func base64Text(j *judge, at *place, value []byte) *complaint {
	if c := text(j, at, value); c != nil {
		return c
	}
	if data, err := base64.StdEncoding.DecodeString(decoded(value)); err != nil || len(data) == 0 {
		return j.complain(at, "invalid_value", "{at}: Invalid base64 data")
	}
	return nil
}

// anthropicImage takes a base64 source of an image.
func anthropicImage(j *judge, at *place, value []byte) *complaint {
	known := fields{"type": text, "media_type": oneOf(imageTypes...), "data": base64Text}
	if c := object(known, "media_type", "data")(j, at, value); c != nil {
		return c
	}
	claimed := decoded(member(value, "media_type"))
	data, _ := base64.StdEncoding.DecodeString(decoded(member(value, "data")))
	switch found := imageType(data); {
	case !slices.Contains(imageTypes, found):
		return &complaint{message: "Could not process image"}
	case found != claimed:
		return j.complain(at, "", "{at}: The image was specified using the %s media type, but the image appears to be a %s image",
			claimed, found)
	}
	return nil
}

// anthropicPDF takes a base64 source of a document.
func anthropicPDF(j *judge, at *place, value []byte) *complaint {
	known := fields{"type": text, "media_type": oneOf("application/pdf"), "data": base64Text}
	if c := object(known, "media_type", "data")(j, at, value); c != nil {
		return c
	}
	data, _ := base64.StdEncoding.DecodeString(decoded(member(value, "data")))
	if !bytes.HasPrefix(data, []byte("%PDF-")) {
		return j.complain(at.field("data"), "", "{at}: The PDF specified was not valid.")
	}
	return nil
}

// webURL takes a URL that the provider would fetch.
func webURL(j *judge, at *place, value []byte) *complaint {
	if c := text(j, at, value); c != nil {
		return c
	}
	if !isWebURL(decoded(value)) {
		return j.complain(at, "invalid_value", "{at}: URL sources must be http or https URLs.")
	}
	return nil
}
