package responses

import (
	"bytes"
	"encoding/base64"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// appendContent appends the content of a message item: its text, or its parts. The id and the phase of the message stand at
// each of them.
func (a *arena) appendContent(items []llm.Item, it *item) ([]llm.Item, *llm.Error) {
	before := len(items)
	items, err := a.appendParts(items, "content", nonNull(it.content))
	for i := before; i < len(items); i++ {
		items[i].ID, items[i].Phase = it.id, it.phase
	}
	if last := len(items) - 1; it.cacheControl != nil && last >= before && items[last].Cache == llm.CacheNone {
		// A mark of the whole message, as other gateways take it, stands at its last part.
		items[last].Cache, items[last].Raw = (&part{cacheControl: it.cacheControl}).cache(), nil
	}
	return items, err
}

// appendParts appends the parts of a content or an output, which may be a plain string.
func (a *arena) appendParts(items []llm.Item, name string, value []byte) ([]llm.Item, *llm.Error) {
	if len(value) == 0 {
		return items, nil
	}
	switch value[0] {
	case '"':
		text, err := a.text(value)
		if err != nil {
			return items, under(name, err)
		}
		return append(items, llm.Item{Kind: llm.Text, Text: text}), nil
	case '[':
	default:
		return items, under(name, malformed(codeType, "must be a string or an array"))
	}
	e := json.Array(value)
	for i := 0; e.Next(); i++ {
		part := llm.Item{Raw: e.Value(), RawProtocol: llm.Responses}
		if err := a.readPart(&part); err != nil {
			return items, within(name, i, err)
		}
		items = append(items, part)
	}
	return items, nil
}

// part are the members of a content part, raw.
type part struct {
	kind                                              string
	text, refusal, annotations, logprobs              []byte
	imageURL, fileID, detail, fileData, fileURL, name []byte
	breakpoint, cacheControl                          []byte
}

// readPart fills into from its Raw.
func (a *arena) readPart(into *llm.Item) *llm.Error {
	if into.Raw[0] != '{' {
		return malformed(codeType, "must be an object")
	}
	var p part
	m := json.Object(into.Raw)
	for m.Next() {
		value := nonNull(m.Value())
		switch string(m.Key) {
		case "type":
			if err := under("type", readString(value, &p.kind)); err != nil {
				return err
			}
		case "text":
			p.text = value
		case "refusal":
			p.refusal = value
		case "annotations":
			p.annotations = value
		case "logprobs":
			p.logprobs = value
		case "image_url":
			p.imageURL = value
		case "file_id":
			p.fileID = value
		case "detail":
			p.detail = value
		case "file_data":
			p.fileData = value
		case "file_url":
			p.fileURL = value
		case "filename":
			p.name = value
		case "prompt_cache_breakpoint":
			p.breakpoint = value
		case "cache_control":
			p.cacheControl = value
		}
	}
	into.Cache = p.cache()
	switch p.kind {
	case "input_text", "output_text", "text", "summary_text":
		return p.readText(into, a)
	case "refusal":
		into.Kind = llm.Refusal
		return under("refusal", a.required(p.refusal, &into.Text))
	case "input_image":
		return p.readImage(into)
	case "input_file":
		return p.readFile(into)
	case "":
		return under("type", malformed(codeMissing, "is required"))
	}
	return under("type", malformed(codeUnsupportedValue,
		"must be input_text, input_image, input_file, output_text or refusal"))
}

// required reads a string that must be there.
func (a *arena) required(value []byte, into *[]byte) *llm.Error {
	if value == nil {
		return malformed(codeMissing, "is required")
	}
	text, err := a.text(value)
	*into = text
	return err
}

// cache reads the mark of prompt caching, OpenAI's or the cache_control that other gateways take.
func (p *part) cache() llm.CacheTTL {
	switch {
	case string(json.Get(p.breakpoint, "ttl")) == `"12h"`, string(json.Get(p.cacheControl, "ttl")) == `"1h"`:
		return llm.CacheLong
	case p.breakpoint != nil, p.cacheControl != nil:
		return llm.CacheShort
	}
	return llm.CacheNone
}

func (p *part) readText(into *llm.Item, a *arena) *llm.Error {
	into.Kind = llm.Text
	if len(p.logprobs) > 0 && !json.IsEmpty(p.logprobs) {
		into.Logprobs = p.logprobs
	}
	e := json.Array(p.annotations)
	for e.Next() {
		if c, ok := readCitation(e.Value()); ok {
			into.Citations = append(into.Citations, c)
		}
	}
	return under("text", a.required(p.text, &into.Text))
}

// readCitation reads an annotation. It returns false when it has no type.
func readCitation(annotation []byte) (c llm.Citation, ok bool) {
	c = llm.Citation{Raw: annotation, RawProtocol: llm.Responses}
	m := json.Object(annotation)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			ok = true
		case "url":
			_ = readString(m.Value(), &c.URL)
		case "title":
			_ = readString(m.Value(), &c.Title)
		case "start_index":
			c.Start, _ = json.Int(m.Value())
		case "end_index":
			c.End, _ = json.Int(m.Value())
		}
	}
	return c, ok
}

func (p *part) readImage(into *llm.Item) *llm.Error {
	into.Kind = llm.Image
	if err := under("detail", readString(p.detail, &into.Media.Detail)); err != nil {
		return err
	}
	if p.imageURL == nil {
		if err := under("file_id", readString(p.fileID, &into.Media.FileID)); err != nil {
			return err
		}
		if into.Media.FileID == "" {
			return under("image_url", malformed(codeMissing, "is required"))
		}
		return nil
	}
	url := p.imageURL
	if url[0] == '{' {
		// The form of Chat Completions, which mixed clients send here.
		url = json.Get(url, "url")
	}
	text, err := readText(nonNull(url))
	if err != nil {
		return under("image_url", err)
	}
	return under("image_url", setURL(&into.Media, text))
}

// setURL stores a URL, or what is in a data URL.
func setURL(media *llm.Media, url []byte) *llm.Error {
	if mime, data, ok := mediaOf(url); ok {
		media.Type, media.Data = mime, data
		return nil
	}
	text := json.Borrow(url)
	if !hasScheme(text, "https://") && !hasScheme(text, "http://") {
		return malformed(codeValue, "must be a http or https URL, or a data URL in base64")
	}
	media.URL = text
	return nil
}

func hasScheme(url, scheme string) bool {
	return len(url) > len(scheme) && strings.EqualFold(url[:len(scheme)], scheme)
}

func (p *part) readFile(into *llm.Item) *llm.Error {
	into.Kind = llm.File
	media := &into.Media
	if err := under("filename", readString(p.name, &media.Name)); err != nil {
		return err
	}
	switch {
	case p.fileData != nil:
		data, err := readText(p.fileData)
		if err != nil {
			return under("file_data", err)
		}
		if mime, inner, ok := mediaOf(data); ok {
			media.Type, data = mime, inner
		} else if bytes.HasPrefix(data, []byte("data:")) {
			return under("file_data", malformed(codeValue, "must be base64, or a data URL in base64"))
		} else {
			media.Type = typeOfName(media.Name)
		}
		if !strings.HasPrefix(media.Type, "text/") {
			media.Data = data
			return nil
		}
		plain, fault := base64.StdEncoding.AppendDecode(nil, data)
		if fault != nil {
			return under("file_data", malformed(codeValue, "is not valid base64"))
		}
		media.Text = plain
	case p.fileURL != nil:
		url, err := readText(p.fileURL)
		if err != nil {
			return under("file_url", err)
		}
		return under("file_url", setURL(media, url))
	default:
		if err := under("file_id", readString(p.fileID, &media.FileID)); err != nil {
			return err
		}
		if media.FileID == "" {
			return under("file_data", malformed(codeMissing, "is required"))
		}
	}
	return nil
}

// typeOfName returns the MIME type that a file's name stands for; PDF is what files are when nothing is said.
func typeOfName(name string) string {
	i := strings.LastIndexByte(name, '.')
	switch strings.ToLower(name[i+1:]) {
	case "txt", "text", "log":
		return "text/plain"
	case "md", "markdown":
		return "text/markdown"
	case "csv":
		return "text/csv"
	case "html", "htm":
		return "text/html"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case "pptx":
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	case "json":
		return "application/json"
	}
	return "application/pdf"
}
