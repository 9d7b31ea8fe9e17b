package codec

import (
	"strings"
	"testing"

	"octopus/codec/llm"
)

func TestSpeechBeyondWhatIsKeptCountsToo(t *testing.T) {
	piece := []byte(strings.Repeat("hello world ", 1<<10))
	of := func(exact bool, pieces int) int64 {
		var s speech
		s.reset(exact)
		for range pieces {
			s.Emit(&llm.Event{Kind: llm.EventDelta, Text: piece})
		}
		if len(s.text) > maxSpeech {
			t.Errorf("%d bytes are kept", len(s.text))
		}
		return s.tokens()
	}
	kept := maxSpeech / len(piece)
	for _, exact := range []bool{false, true} {
		if one, many := of(exact, kept), of(exact, 3*kept); many < 29*one/10 || many > 31*one/10 {
			t.Errorf("exact %t: %d tokens in %d pieces, %d in three times as many", exact, one, kept, many)
		}
	}
	if got, want := of(true, 1), int64(2<<10); got < want || got > want+want/50 {
		t.Errorf("%d tokens, want about %d", got, want)
	}
	if got := of(true, 0); got != 0 {
		t.Errorf("%d tokens of nothing", got)
	}
}

func TestSpeechHearsTextsAndCalls(t *testing.T) {
	var s speech
	for _, e := range []llm.Event{
		{Kind: llm.EventStart},
		{Kind: llm.EventOpen, Item: &llm.Item{Kind: llm.Text}},
		{Kind: llm.EventDelta, Text: []byte("1234567")},
		{Kind: llm.EventOpen, Item: &llm.Item{Kind: llm.Call, Name: "1234567"}},
		{Kind: llm.EventClose, Item: &llm.Item{Kind: llm.Call, Name: "1234567"}},
	} {
		s.Emit(&e)
	}
	if got := s.tokens(); got != 4 {
		t.Errorf("got %d, want the guess for 14 bytes, 4", got)
	}
	if s.text != nil {
		t.Errorf("%q is kept, although nobody counts it", s.text)
	}
}

func TestEstimatesLeaveWhatIsKnown(t *testing.T) {
	s := speech{said: 70}
	request := &llm.Request{System: []llm.Item{{Text: []byte("1234567")}}}
	got := s.complete(llm.Usage{Input: 5, CacheRead: 2, Output: 30, Knowledge: llm.Partial}, request)
	if want := (llm.Usage{Input: 5, CacheRead: 2, Output: 30, Knowledge: llm.Estimated}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got = s.complete(llm.Usage{Output: 1, Knowledge: llm.Partial}, request)
	if want := (llm.Usage{Input: 2 + 2*tokensOfTurn, Output: 20, Knowledge: llm.Estimated}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
