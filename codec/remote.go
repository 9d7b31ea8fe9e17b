package codec

import (
	"slices"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// Missing is the error of AppendRequest for a target that must be given images and documents themselves and not their
// addresses (llm.Options.FetchImages): once Request.Downloads has an entry for each, the request can be appended.
type Missing struct {
	// URLs are http or https addresses, each once, borrowed from the request.
	URLs []string
}

// Error says that something has to be downloaded. It is not for clients.
func (m *Missing) Error() string {
	return "codec: " + strconv.Itoa(len(m.URLs)) + " addresses of the request have to be downloaded first"
}

// Download is what was found at an address.
type Download struct {
	// Type is the MIME type that the content shows itself, and Data the content in base64.
	Type string
	Data []byte
	// Failure is why there is none, in words for the client that go on from "can't be downloaded: ", else empty.
	Failure string
}

// remote is an image or a document of a request that stands at an address.
type remote struct {
	media *llm.Media
	kind  llm.ItemKind
	// url and mediaType are what the client said.
	url, mediaType string
}

// inline puts what was downloaded in place of the addresses that the target is not to be sent, and all others back where an
// earlier target was sent the content. The error is a *Missing or an *llm.Error.
func (b *translation) inline(r *Request) error {
	for i := range b.remotes {
		at := &b.remotes[i]
		at.media.URL, at.media.Type, at.media.Data = at.url, at.mediaType, nil
	}
	if !b.exchange.Options.FetchImages || b.request.Protocol == b.target {
		return nil
	}
	if b.remotes == nil {
		for i := range b.request.Turns {
			b.findRemotes(b.request.Turns[i].Items)
		}
	}
	var missing *Missing
	for i := range b.remotes {
		at := &b.remotes[i]
		if at.kind == llm.File && b.target != llm.Chat {
			continue // the others read documents by their address, or refuse them in their own words
		}
		found := r.Downloads[at.url]
		switch {
		case found == nil && missing == nil:
			missing = &Missing{URLs: []string{at.url}}
		case found == nil:
			if !slices.Contains(missing.URLs, at.url) {
				missing.URLs = append(missing.URLs, at.url)
			}
		case found.Failure != "":
			return b.unreachable(r, at, found.Failure)
		case (at.kind == llm.Image) != strings.HasPrefix(found.Type, "image/"):
			return b.unreachable(r, at, "what is there is of type "+found.Type)
		default:
			at.media.URL, at.media.Type, at.media.Data = "", found.Type, found.Data
		}
	}
	if missing != nil {
		return missing
	}
	return nil
}

// findRemotes notes the images and documents among items that stand at an address.
func (b *translation) findRemotes(items []llm.Item) {
	for i := range items {
		item := &items[i]
		if media := &item.Media; (item.Kind == llm.Image || item.Kind == llm.File) && isWebAddress(media.URL) {
			b.remotes = append(b.remotes, remote{media: media, kind: item.Kind, url: media.URL, mediaType: media.Type})
		}
		b.findRemotes(item.Parts)
	}
}

// isWebAddress reports whether an address is one of http or https. Schemes have no case (RFC 3986, section 3.1).
func isWebAddress(url string) bool {
	scheme, _, ok := strings.Cut(url, "://")
	return ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// unreachable is the error for an address without what belongs there.
func (b *translation) unreachable(r *Request, at *remote, reason string) *llm.Error {
	e := &llm.Error{Kind: llm.InvalidRequest, Code: "invalid_image_url", Param: placeOf(r.Body, at.url), NoRetry: true}
	if at.kind == llm.File {
		e.Code = "invalid_file_url"
	}
	if e.Param == "" {
		e.Param = "previous_response_id" // it stands in the history
	}
	e.Message = "`" + e.Param + "` can't be downloaded: " + reason + "."
	return e
}

// maxDepth is how deep placeOf looks into a body: a part in a document in a result in a message, and some more.
const maxDepth = 24

// placeOf returns the path of the first string in a JSON text that is the given one, or "".
func placeOf(body []byte, text string) string {
	path, ok := appendPlace(nil, body, text, maxDepth)
	if !ok {
		return ""
	}
	return string(path)
}

func appendPlace(dst, value []byte, text string, depth int) ([]byte, bool) {
	if depth == 0 || len(value) < len(text)+2 {
		return dst, false
	}
	before := len(dst)
	switch value[0] {
	case '"':
		found, ok := json.Unquote(value)
		return dst, ok && string(found) == text
	case '[':
		e := json.Array(value)
		for i := 0; e.Next(); i++ {
			dst = append(strconv.AppendInt(append(dst[:before], '['), int64(i), 10), ']')
			if path, ok := appendPlace(dst, e.Value(), text, depth-1); ok {
				return path, true
			}
		}
	default:
		m := json.Object(value)
		for m.Next() {
			if dst = dst[:before]; before > 0 {
				dst = append(dst, '.')
			}
			dst = append(dst, m.Key...)
			if path, ok := appendPlace(dst, m.Value(), text, depth-1); ok {
				return path, true
			}
		}
	}
	return dst[:before], false
}
