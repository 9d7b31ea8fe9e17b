package chat

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// sources are the pages that an answer cites (protocols.md D.16). Chat counts places in characters of the whole text,
// from the first text item to the last.
type sources struct {
	list       []source
	characters int64 // of text so far
}

// source is one cited page, and the part of the text that it stands for.
type source struct {
	url, title string
	start, end int64
	item       int
	placed     bool // start and end are known
}

// count takes in the next piece of text.
func (s *sources) count(text []byte) { s.characters += int64(utf8.RuneCount(text)) }

// add notes a citation of a text item that begins at start. What names no page, a place in a document, has no form in Chat.
func (s *sources) add(x *llm.Exchange, item int, start int64, c *llm.Citation) {
	if c.URL == "" {
		field := "content.citations"
		if x.Target == llm.Responses {
			field = "output.content.annotations"
		}
		x.Warnings.Drop(field)
		return
	}
	n := source{url: strings.Clone(c.URL), title: strings.Clone(c.Title), item: item}
	if n.title == "" {
		n.title = n.url
	}
	if c.End > 0 {
		n.start, n.end, n.placed = start+c.Start, start+c.End, true
	}
	s.list = append(s.list, n)
}

// finish ends a text item: citations without a place of their own stand for all of it.
func (s *sources) finish(item int, start int64) {
	for i := range s.list {
		if n := &s.list[i]; n.item == item && !n.placed {
			n.start, n.end, n.placed = start, s.characters, true
		}
	}
}

// append appends the array of annotations.
func (s *sources) append(dst []byte) []byte {
	dst = append(dst, '[')
	for i := range s.list {
		n := &s.list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"type":"url_citation","url_citation":{"start_index":`...)
		dst = strconv.AppendInt(dst, n.start, 10)
		dst = strconv.AppendInt(append(dst, `,"end_index":`...), n.end, 10)
		dst = json.AppendString(append(dst, `,"title":`...), n.title)
		dst = json.AppendString(append(dst, `,"url":`...), n.url)
		dst = append(dst, "}}"...)
	}
	return append(dst, ']')
}
