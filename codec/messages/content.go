package messages

import (
	"bytes"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// readContent reads the content of a message, a tool result or the system prompt, a string or an array of blocks, and appends
// its items.
//
// depth is how far the content may be nested in other content: a result in a message, a document in a result, its parts.
func readContent(items []llm.Item, value []byte, depth int) ([]llm.Item, *llm.Error) {
	if depth == 0 {
		return items, invalidValue("", "is nested too deeply")
	}
	if value[0] == '"' {
		items = append(items, llm.Item{Kind: llm.Text})
		return items, readText(&items[len(items)-1].Text, value, "")
	}
	e := json.Array(value)
	for i := 0; e.Next(); i++ {
		items = append(items, llm.Item{})
		if err := readBlock(e.Value(), &items[len(items)-1], depth-1); err != nil {
			return items, at(err, "["+strconv.Itoa(i)+"]")
		}
	}
	if !e.Complete() {
		return items, invalidType("", "a string or an array of blocks")
	}
	return items, nil
}

// maxNesting is how deep content may be nested: the content of a message, of a result in it, of a document in that.
const maxNesting = 3

// block are the raw members of a content block, of whatever type.
type block struct {
	kind                              string
	text, thinking, signature, data   []byte
	source, title, context, citations []byte
	id, name, input, toolUseID        []byte
	content, isError, cache           []byte
}

// scan collects the members of a block. Of a name that is repeated the last one counts.
func (b *block) scan(value []byte) *llm.Error {
	var kind []byte
	m := json.Object(value)
	for m.Next() {
		switch string(m.Key) {
		case "type":
			kind = m.Value()
		case "text":
			b.text = m.Value()
		case "thinking":
			b.thinking = m.Value()
		case "signature":
			b.signature = m.Value()
		case "data":
			b.data = m.Value()
		case "source":
			b.source = m.Value()
		case "title":
			b.title = m.Value()
		case "context":
			b.context = m.Value()
		case "citations":
			b.citations = m.Value()
		case "id":
			b.id = m.Value()
		case "name":
			b.name = m.Value()
		case "input":
			b.input = m.Value()
		case "tool_use_id":
			b.toolUseID = m.Value()
		case "content":
			b.content = m.Value()
		case "is_error":
			b.isError = m.Value()
		case "cache_control":
			b.cache = m.Value()
		}
	}
	switch {
	case !m.Complete():
		return invalidType("", "an object")
	case json.IsNull(kind):
		return missing("type")
	}
	return readString(&b.kind, kind, "type")
}

// readBlock reads one content block of a request.
func readBlock(value []byte, item *llm.Item, depth int) *llm.Error {
	var b block
	if err := b.scan(value); err != nil {
		return err
	}
	item.Raw, item.RawProtocol = value, llm.Messages
	if err := readCache(&item.Cache, b.cache, "cache_control"); err != nil {
		return err
	}
	switch b.kind {
	case "text":
		return b.readTextBlock(item)
	case "image":
		item.Kind = llm.Image
		return readSource(b.source, item, depth)
	case "document":
		return b.readDocument(item, depth)
	case "search_result":
		return b.readSearchResult(item, depth)
	case "thinking":
		item.Kind = llm.Thought
		if json.IsNull(b.thinking) {
			return missing("thinking")
		}
		if err := readText(&item.Text, b.thinking, "thinking"); err != nil {
			return err
		}
		return readText(&item.Seal, b.signature, "signature")
	case "redacted_thinking":
		item.Kind, item.Redacted = llm.Thought, true
		if json.IsNull(b.data) {
			return missing("data")
		}
		return readText(&item.Seal, b.data, "data")
	case "tool_use":
		item.Kind = llm.Call
		return b.readCall(item)
	case "tool_result":
		return b.readResult(item, depth)
	case "server_tool_use":
		item.Kind = llm.Hosted
		return b.readCall(item)
	}
	return b.readOther(item)
}

func (b *block) readTextBlock(item *llm.Item) *llm.Error {
	item.Kind = llm.Text
	if json.IsNull(b.text) {
		return missing("text")
	}
	if err := readText(&item.Text, b.text, "text"); err != nil {
		return err
	}
	if json.IsEmpty(b.citations) {
		return nil
	}
	e := json.Array(b.citations)
	for e.Next() {
		item.Citations = append(item.Citations, readCitation(e.Value()))
	}
	if !e.Complete() {
		return invalidType("citations", "an array")
	}
	return nil
}

// readCitation reads one citation of a text. One that names no page is only its own protocol's.
func readCitation(value []byte) llm.Citation {
	c := llm.Citation{Raw: value, RawProtocol: llm.Messages}
	m := json.Object(value)
	for m.Next() {
		var field *string
		switch string(m.Key) {
		case "url":
			field = &c.URL
		case "title":
			field = &c.Title
		case "cited_text":
			field = &c.Cited
		default:
			continue
		}
		if text, ok := json.Unquote(m.Value()); ok {
			*field = json.Borrow(text)
		}
	}
	return c
}

func (b *block) readCall(item *llm.Item) *llm.Error {
	switch {
	case json.IsNull(b.id):
		return missing("id")
	case json.IsNull(b.name):
		return missing("name")
	}
	if err := readString(&item.CallID, b.id, "id"); err != nil {
		return err
	}
	if err := readString(&item.Name, b.name, "name"); err != nil {
		return err
	}
	switch {
	case json.IsNull(b.input):
		b.input = emptyObject
	case b.input[0] != '{':
		return invalidType("input", "an object")
	}
	item.Arguments = b.input
	return nil
}

// emptyObject is the input of a tool without parameters.
var emptyObject = []byte("{}")

func (b *block) readResult(item *llm.Item, depth int) *llm.Error {
	item.Kind = llm.Result
	if json.IsNull(b.toolUseID) {
		return missing("tool_use_id")
	}
	if err := readString(&item.CallID, b.toolUseID, "tool_use_id"); err != nil {
		return err
	}
	if err := readBool(&item.IsError, b.isError, "is_error"); err != nil {
		return err
	}
	if json.IsNull(b.content) {
		return nil
	}
	parts, err := readContent(nil, b.content, depth)
	if err != nil {
		return at(err, "content")
	}
	item.Parts = parts
	return nil
}

// readOther reads a block that the neutral form only carries along: the result of a hosted tool, which stands beside its
// call, or a type of its own.
func (b *block) readOther(item *llm.Item) *llm.Error {
	item.Kind, item.Name = llm.Opaque, b.kind
	if isHostedResult(b.kind) {
		item.Kind = llm.Hosted
	}
	if !json.IsNull(b.toolUseID) {
		return readString(&item.CallID, b.toolUseID, "tool_use_id")
	}
	return nil
}

// isHostedResult reports whether a type of block is the result of a tool that Anthropic ran.
func isHostedResult(kind string) bool {
	return len(kind) > len(hostedResult) && kind[len(kind)-len(hostedResult):] == hostedResult
}

// hostedResult ends the types of the blocks with results of hosted tools: web_search_tool_result and its like.
const hostedResult = "_tool_result"

func (b *block) readDocument(item *llm.Item, depth int) *llm.Error {
	item.Kind = llm.File
	if err := readString(&item.Media.Name, b.title, "title"); err != nil {
		return err
	}
	if err := readString(&item.Media.Context, b.context, "context"); err != nil {
		return err
	}
	item.Media.Citations = wantsCitations(b.citations)
	return readSource(b.source, item, depth)
}

// readSearchResult takes a search result for a document that has its text in the request, and its source for the context.
func (b *block) readSearchResult(item *llm.Item, depth int) *llm.Error {
	item.Kind = llm.File
	if err := readString(&item.Media.Name, b.title, "title"); err != nil {
		return err
	}
	if err := readString(&item.Media.Context, b.source, "source"); err != nil {
		return err
	}
	item.Media.Citations = wantsCitations(b.citations)
	if json.IsNull(b.content) {
		return missing("content")
	}
	return readParts(b.content, "content", item, depth)
}

func wantsCitations(citations []byte) bool {
	return !json.IsNull(citations) && citations[0] == '{' && string(json.Get(citations, "enabled")) == "true"
}

// readParts reads the content of a document: its text in one piece, and every part of it.
func readParts(value []byte, path string, item *llm.Item, depth int) *llm.Error {
	parts, err := readContent(nil, value, depth)
	if err != nil {
		return at(err, path)
	}
	var texts [][]byte
	for i := range parts {
		if parts[i].Kind == llm.Text {
			texts = append(texts, parts[i].Text)
		}
	}
	item.Parts = parts
	item.Media.Type = "text/plain"
	item.Media.Text = bytes.Join(texts, []byte("\n\n"))
	return nil
}

// readSource reads the source of an image or a document.
func readSource(value []byte, item *llm.Item, depth int) *llm.Error {
	if json.IsNull(value) {
		return missing("source")
	}
	var kind, mediaType string
	var data, url, file, content []byte
	m := json.Object(value)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "type":
			err = readString(&kind, m.Value(), "type")
		case "media_type":
			err = readString(&mediaType, m.Value(), "media_type")
		case "data":
			data = m.Value()
		case "url":
			url = m.Value()
		case "file_id":
			file = m.Value()
		case "content":
			content = m.Value()
		}
		if err != nil {
			return at(err, "source")
		}
	}
	if !m.Complete() {
		return invalidType("source", "an object")
	}
	item.Media.Type = mediaType
	var err *llm.Error
	switch kind {
	case "base64":
		err = required(data, "source.data", func() *llm.Error { return readText(&item.Media.Data, data, "source.data") })
	case "text":
		if mediaType == "" {
			item.Media.Type = "text/plain"
		}
		err = required(data, "source.data", func() *llm.Error { return readText(&item.Media.Text, data, "source.data") })
	case "url":
		err = required(url, "source.url", func() *llm.Error { return readString(&item.Media.URL, url, "source.url") })
	case "file":
		err = required(file, "source.file_id", func() *llm.Error {
			return readString(&item.Media.FileID, file, "source.file_id")
		})
	case "content":
		err = required(content, "source.content", func() *llm.Error {
			return readParts(content, "source.content", item, depth)
		})
	case "":
		err = missing("source.type")
	default:
		err = invalidValue("source.type", "must be base64, text, url, file or content")
	}
	return err
}

// required reads a value that must be there.
func required(value []byte, path string, read func() *llm.Error) *llm.Error {
	if json.IsNull(value) {
		return missing(path)
	}
	return read()
}
