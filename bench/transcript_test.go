package main

import (
	"strings"
	"testing"
)

// chatEvents are the events of a small chat stream, each with its end.
var chatEvents = []string{
	`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{"content":" \"w\u00f6rld\""},"finish_reason":null}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n",
	"data: [DONE]\n\n",
}

func chatReference() *reference {
	return &reference{dialect: findDialect("chat"), text: []byte(`Hello "wörld"`), events: len(chatEvents)}
}

// listenTo feeds stream to t in pieces of n bytes and returns the first error.
func listenTo(t *transcript, stream string, n int) error {
	t.reset()
	for len(stream) > 0 {
		piece := stream[:min(n, len(stream))]
		stream = stream[len(piece):]
		if err := t.take([]byte(piece)); err != nil {
			return err
		}
	}
	return t.finish()
}

func TestTranscriptTakesTheWholeStream(t *testing.T) {
	checked := newTranscript(chatReference())
	for _, stream := range []string{
		strings.Join(chatEvents, ""),
		": keep-alive\n\n" + strings.Join(chatEvents, ": another\n\n"),
	} {
		for n := 1; n <= len(stream); n++ {
			if err := listenTo(&checked, stream, n); err != nil {
				t.Fatalf("in pieces of %d bytes: %v", n, err)
			}
		}
	}
}

func TestTranscriptSeesWhatIsWrong(t *testing.T) {
	with := func(at int, event string) string {
		events := append([]string(nil), chatEvents...)
		events[at] = event
		return strings.Join(events, "")
	}
	whole := strings.Join(chatEvents, "")
	for _, c := range []struct{ name, stream, want string }{
		{"an event without text is missing", with(3, ""), "has 4 events instead of 5"},
		{"an event with text is missing at the end", with(2, ""), "says 5 bytes of text instead of 14"},
		{"an event with text is missing before another", with(1, ""), "where the provider says"},
		{"[DONE] is missing", with(4, ""), "without its last event"},
		{"cut in the middle of an event", whole[:len(whole)-3], "inside an event"},
		{"other text", with(1, strings.Replace(chatEvents[1], "Hello", "Hallo", 1)), "where the provider says"},
		{"one letter too many", with(1, strings.Replace(chatEvents[1], "Hello", "Helloo", 1)), "where the provider says"},
		{"text twice", with(1, chatEvents[1]+chatEvents[1]), "where the provider says"},
		{"text behind the whole text", with(3, chatEvents[1]), "where the provider says"},
		{"an event twice", with(0, chatEvents[0]+chatEvents[0]), "has 6 events instead of 5"},
		{"an event behind [DONE]", whole + chatEvents[3], "behind the last one"},
		{"[DONE] twice", whole + chatEvents[4], "behind the last one"},
		{"an error instead of text", with(1, "data: {\"error\":{\"message\":\"no\"}}\n\n"), "where the provider says"},
		{"text that is not closed", with(1, `data: {"choices":[{"delta":{"content":"Hello`+"\n\n"), "should have text"},
		{"nothing", "", "without its last event"},
	} {
		for _, n := range []int{1, 7, len(whole)} {
			checked := newTranscript(chatReference())
			err := listenTo(&checked, c.stream, n)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, in pieces of %d: got %v, want %q", c.name, n, err, c.want)
			}
		}
	}
}
