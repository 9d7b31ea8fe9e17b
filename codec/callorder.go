package codec

import (
	"bytes"
	"slices"
	"strings"

	"octopus/codec/llm"
)

// callOrder lets one call after the other pass, for clients that take the first step of another call for the end of the one
// before: openai's stream helper for Chat parses the arguments then (npm openai 7.57), although the protocol has an index for
// every piece. What belongs to a call behind the one that is open waits until that is closed.
type callOrder struct {
	// open is the index of the call that passes, or negative; calls are the indexes of all that have begun.
	open    int
	calls   []int
	waiting []waitingStep
	// places are the indexes that the writer knows items by, which stay dense in the order in which they pass; begun is how
	// many there are.
	places []int
	begun  int
}

// waitingStep is a step that was put off, with bytes of its own.
type waitingStep struct {
	event llm.Event
	item  llm.Item
}

func (o *callOrder) reset() {
	clear(o.waiting)
	*o = callOrder{open: -1, calls: o.calls[:0], waiting: o.waiting[:0], places: o.places[:0]}
}

// pass hands a step on to a writer, now or in its turn.
func (o *callOrder) pass(e *llm.Event, to llm.Emitter) {
	if e.Kind == llm.EventOpen && e.Item.Kind == llm.Call {
		o.calls = append(o.calls, e.Index)
	}
	step := e.Kind == llm.EventOpen || e.Kind == llm.EventDelta || e.Kind == llm.EventClose
	if !step || !slices.Contains(o.calls, e.Index) {
		o.emit(e, to)
		return
	}
	if o.open >= 0 && e.Index != o.open {
		o.wait(e)
		return
	}
	o.hand(e, to)
	for o.open < 0 && len(o.waiting) > 0 {
		o.next(to)
	}
}

// hand hands on a step of the call that passes.
func (o *callOrder) hand(e *llm.Event, to llm.Emitter) {
	if o.open = e.Index; e.Kind == llm.EventClose {
		o.open = -1
	}
	o.emit(e, to)
}

// emit hands on a step with the index that the writer knows its item by.
func (o *callOrder) emit(e *llm.Event, to llm.Emitter) {
	switch e.Kind {
	case llm.EventOpen:
		for len(o.places) <= e.Index {
			o.places = append(o.places, 0)
		}
		o.places[e.Index] = o.begun
		o.begun++
	case llm.EventDelta, llm.EventCite, llm.EventClose:
	default:
		to.Emit(e)
		return
	}
	if e.Index == o.places[e.Index] {
		to.Emit(e)
		return
	}
	placed := *e
	placed.Index = o.places[e.Index]
	to.Emit(&placed)
}

// next hands on what waits of the call that has waited longest.
func (o *callOrder) next(to llm.Emitter) {
	index := o.waiting[0].event.Index
	left := o.waiting[:0]
	for i := range o.waiting {
		w := o.waiting[i]
		if w.event.Index != index {
			left = append(left, w)
			continue
		}
		if w.event.Item != nil {
			w.event.Item = &w.item
		}
		o.hand(&w.event, to)
	}
	clear(o.waiting[len(left):])
	o.waiting = left
}

// wait puts a step off.
func (o *callOrder) wait(e *llm.Event) {
	w := waitingStep{event: *e}
	w.event.Text = bytes.Clone(e.Text)
	if e.Item != nil {
		w.item = *e.Item
		w.item.ID, w.item.CallID = strings.Clone(e.Item.ID), strings.Clone(e.Item.CallID)
		w.item.Name, w.item.Namespace = strings.Clone(e.Item.Name), strings.Clone(e.Item.Namespace)
		w.item.Text, w.item.Arguments = bytes.Clone(e.Item.Text), bytes.Clone(e.Item.Arguments)
		w.event.Item = &w.item
	}
	o.waiting = append(o.waiting, w)
}
