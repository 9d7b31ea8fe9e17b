package chat

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// part holds the members of one content part.
type part struct {
	kind                       string
	text, refusal, thinking    []byte
	image, detail, audio, file []byte
	control, breakpoint        []byte
}

// readPart appends the item that a content part is. The names of Responses' parts are understood as well: clients
// replay them on the wrong route.
func (d *reader) readPart(items []llm.Item, p *place, value []byte, role llm.Role) []llm.Item {
	if kindOf(value) != isObject {
		d.wrongType(p, "an object")
		return items
	}
	g := d.readPartMembers(p, value)
	item := llm.Item{Raw: value, RawProtocol: llm.Chat}
	switch g.kind {
	case "text":
		item.Text = d.decoded(&place{up: p, name: "text"}, g.text)
	case "input_text", "output_text":
		item.Text, item.Raw = d.decoded(&place{up: p, name: "text"}, g.text), nil
	case "refusal":
		item.Kind = llm.Refusal
		item.Text = d.decoded(&place{up: p, name: "refusal"}, g.refusal)
	case "thinking":
		item.Kind = llm.Thought // Mistral's
		item.Text = d.joinText(&place{up: p, name: "thinking"}, g.thinking)
	case "image_url", "input_image":
		item.Kind = llm.Image
		d.readImage(&place{up: p, name: "image_url"}, &g, &item.Media)
	case "input_audio":
		item.Kind = llm.Audio
		d.readAudio(&place{up: p, name: "input_audio"}, g.audio, &item.Media)
	case "file", "input_file":
		item.Kind = llm.File
		if at := (place{up: p, name: "file"}); g.file != nil {
			d.readFile(&at, g.file, &item.Media)
		} else {
			d.readFile(p, value, &item.Media) // Responses' flat form
		}
	case "":
		d.missing(&place{up: p, name: "type"})
	default:
		d.fail(&place{up: p, name: "type"}, "invalid_value", "is a kind of content that is not known")
	}
	if !allowed(item.Kind, role) {
		d.fail(&place{up: p, name: "type"}, "invalid_value", "is not possible in a message of this role")
	}
	item.Cache = max(
		d.readMark(&place{up: p, name: "cache_control"}, g.control),
		d.readMark(&place{up: p, name: "prompt_cache_breakpoint"}, g.breakpoint))
	return append(items, item)
}

func (d *reader) readPartMembers(p *place, value []byte) part {
	var g part
	m := json.Object(value)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			g.kind = d.text(&place{up: p, name: "type"}, m.Value())
		case "text":
			g.text = m.Value()
		case "refusal":
			g.refusal = m.Value()
		case "thinking":
			g.thinking = m.Value()
		case "image_url":
			g.image = m.Value()
		case "detail":
			g.detail = m.Value()
		case "input_audio":
			g.audio = m.Value()
		case "file":
			g.file = m.Value()
		case "cache_control":
			g.control = m.Value()
		case "prompt_cache_breakpoint":
			g.breakpoint = m.Value()
		}
	}
	return g
}

// allowed reports whether a message of that role may hold a kind of content.
func allowed(k llm.ItemKind, role llm.Role) bool {
	switch k {
	case llm.Text:
		return true
	case llm.Refusal, llm.Thought:
		return role == llm.Assistant
	}
	return role == llm.User
}

// joinText returns the text of a string, or of an array of text parts.
func (d *reader) joinText(p *place, value []byte) []byte {
	if kindOf(value) != isArray {
		return d.decoded(p, value)
	}
	var text []byte
	i := 0
	for e := json.Array(value); e.Next(); i++ {
		at := place{up: p, index: i}
		text = append(text, d.decoded(&place{up: &at, name: "text"}, json.Get(e.Value(), "text"))...)
	}
	return text
}

// readImage reads an image: an object with url and detail, or Responses' string with the detail beside it.
func (d *reader) readImage(p *place, g *part, media *llm.Media) {
	at := p
	value, detail := g.image, g.detail
	if kindOf(value) == isObject {
		at = &place{up: p, name: "url"}
		value, detail = json.Get(g.image, "url"), json.Get(g.image, "detail")
	}
	address := d.decoded(at, value)
	media.Detail = d.text(&place{up: p, name: "detail"}, detail)
	switch {
	case len(address) == 0:
		d.missing(at)
	case isWeb(address):
		media.URL = json.Borrow(address)
	default:
		u, ok := parseDataURL(address)
		if !ok || !u.base64 {
			d.fail(at, "invalid_value", "must be an http or https address, or a data URL with base64")
			return
		}
		media.Data, media.Type = u.data, u.mediaType
		if !strings.HasPrefix(media.Type, "image/") {
			media.Type = sniff(u.data)
		}
	}
}

// readAudio reads a sound.
func (d *reader) readAudio(p *place, value []byte, media *llm.Media) {
	value = d.object(p, value)
	media.Data = d.decoded(&place{up: p, name: "data"}, json.Get(value, "data"))
	format := d.text(&place{up: p, name: "format"}, json.Get(value, "format"))
	if len(media.Data) == 0 {
		d.missing(&place{up: p, name: "data"})
	}
	if format == "" {
		d.missing(&place{up: p, name: "format"})
	}
	media.Type = "audio/" + format
}

// readFile reads a document. Its type is what the data URL says, else what the name or the content does.
func (d *reader) readFile(p *place, value []byte, media *llm.Media) {
	value = d.object(p, value)
	var data []byte
	m := json.Object(value)
	for m.Next() {
		at := place{up: p, name: json.Borrow(m.Key)}
		switch at.name {
		case "file_id":
			media.FileID = d.text(&at, m.Value())
		case "file_data":
			data = d.decoded(&at, m.Value())
		case "file_url":
			media.URL = d.text(&at, m.Value())
		case "filename":
			media.Name = d.text(&at, m.Value())
		}
	}
	at := place{up: p, name: "file_data"}
	switch {
	case len(data) == 0 && media.FileID == "" && media.URL == "":
		d.missing(&at)
	case len(data) == 0:
	case isWeb(data):
		media.URL = json.Borrow(data)
	default:
		d.readFileData(&at, data, media)
	}
}

func (d *reader) readFileData(p *place, data []byte, media *llm.Media) {
	u, ok := parseDataURL(data)
	if !ok {
		u = dataURL{data: data, base64: true}
	}
	media.Type = u.mediaType
	if media.Type == "" || media.Type == "application/octet-stream" {
		media.Type = typeOfName(media.Name)
	}
	if media.Type == "" {
		media.Type = sniff(u.data)
	}
	switch {
	case !strings.HasPrefix(media.Type, "text/") && !u.base64:
		d.fail(p, "invalid_value", "must hold base64")
	case !strings.HasPrefix(media.Type, "text/"):
		media.Data = u.data
	default:
		text, err := u.decode()
		if err != nil {
			d.fail(p, "invalid_value", "can't be decoded")
		}
		media.Text = text
	}
}
