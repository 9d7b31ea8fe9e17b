package e2e

import (
	"encoding/json"
	"strings"
)

// piece is the text that one event, or one whole answer, has in any of the protocols.
type piece struct {
	Choices []struct{ Delta, Message struct{ Content string } }
	Output  []struct{ Content []struct{ Text string } }
	Content []struct{ Text string }
	Type    string
	Delta   json.RawMessage
}

// textOf returns the model's text in an answer. Of a broken one it is what came.
func textOf(body string, stream bool) string {
	if !stream {
		return textOfPiece(body)
	}
	var text strings.Builder
	for _, e := range eventsOf(body) {
		text.WriteString(textOfPiece(e.data))
	}
	return text.String()
}

// event is an event of a stream.
type event struct{ name, data string }

// eventsOf reads a stream as the WHATWG wants it read (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func eventsOf(body string) []event {
	body = strings.TrimPrefix(body, "\uFEFF")
	body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
	var events []event
	for block := range strings.SplitSeq(body, "\n\n") {
		var e event
		var data []string
		for line := range strings.SplitSeq(block, "\n") {
			field, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimPrefix(value, " "); field {
			case "event":
				e.name = value
			case "data":
				data = append(data, value)
			}
		}
		if e.data = strings.Join(data, "\n"); data != nil {
			events = append(events, e)
		}
	}
	return events
}

// respelled returns a stream in the usual spelling.
func respelled(body string) string {
	var text strings.Builder
	for _, e := range eventsOf(body) {
		if e.name != "" {
			text.WriteString("event: " + e.name + "\n")
		}
		text.WriteString("data: " + strings.ReplaceAll(e.data, "\n", " ") + "\n\n")
	}
	return text.String()
}

func textOfPiece(data string) string {
	var p piece
	if json.Unmarshal([]byte(data), &p) != nil {
		return ""
	}
	var text strings.Builder
	switch p.Type {
	case "response.output_text.delta":
		var delta string
		_ = json.Unmarshal(p.Delta, &delta) // anything else is no text
		return delta
	case "content_block_delta":
		var delta struct{ Text string }
		_ = json.Unmarshal(p.Delta, &delta) // anything else is no text
		return delta.Text
	}
	for _, c := range p.Choices {
		text.WriteString(c.Delta.Content + c.Message.Content)
	}
	for _, item := range p.Output {
		for _, c := range item.Content {
			text.WriteString(c.Text)
		}
	}
	for _, c := range p.Content {
		text.WriteString(c.Text)
	}
	return text.String()
}
