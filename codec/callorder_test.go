package codec

import (
	"fmt"
	"slices"
	"testing"

	"octopus/codec/llm"
)

// steps collects what an emitter was given, in short.
type steps []string

func (s *steps) Emit(e *llm.Event) {
	switch e.Kind {
	case llm.EventOpen:
		*s = append(*s, fmt.Sprintf("open %d %s", e.Index, e.Item.Name))
	case llm.EventDelta:
		*s = append(*s, fmt.Sprintf("delta %d %s", e.Index, e.Text))
	case llm.EventClose:
		*s = append(*s, fmt.Sprintf("close %d", e.Index))
	default:
		*s = append(*s, "stop")
	}
}

func TestCallsPassOneAfterTheOther(t *testing.T) {
	scratch := []byte("x")
	var o callOrder
	o.reset()
	var got steps
	open := func(index int, kind llm.ItemKind, name string) {
		o.pass(&llm.Event{Kind: llm.EventOpen, Index: index, Item: &llm.Item{Kind: kind, Name: name}}, &got)
	}
	delta := func(index int, text string) {
		scratch = append(scratch[:0], text...) // the decoder's memory, which it uses again
		o.pass(&llm.Event{Kind: llm.EventDelta, Index: index, Text: scratch}, &got)
	}
	end := func(index int) { o.pass(&llm.Event{Kind: llm.EventClose, Index: index}, &got) }

	open(0, llm.Text, "")
	open(1, llm.Call, "a")
	delta(1, "a1")
	open(2, llm.Call, "b")
	delta(2, "b1")
	open(3, llm.Call, "c")
	open(4, llm.Text, "")
	delta(4, "late")
	end(4)
	delta(1, "a2")
	delta(0, "text")
	delta(3, "c1")
	delta(2, "b2")
	end(3)
	end(1)
	delta(2, "b3")
	end(2)
	end(0)
	o.pass(&llm.Event{Kind: llm.EventStop}, &got)
	want := []string{"open 0 ", "open 1 a", "delta 1 a1", "open 2 ", "delta 2 late", "close 2", "delta 1 a2", "delta 0 text",
		"close 1", "open 3 b", "delta 3 b1", "delta 3 b2", "delta 3 b3", "close 3", "open 4 c", "delta 4 c1", "close 4", "close 0",
		"stop"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(o.waiting) != 0 || o.open != -1 {
		t.Errorf("%d steps still wait", len(o.waiting))
	}
}
