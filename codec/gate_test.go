package codec

import (
	"fmt"
	"reflect"
	"testing"

	"octopus/codec/llm"
)

// stepLog notes the steps that it takes, in a word or two.
type stepLog struct{ steps []string }

// Emit implements llm.Emitter.
func (l *stepLog) Emit(e *llm.Event) {
	names := [...]string{"start", "open", "delta", "cite", "close", "usage", "stop", "fault"}
	step := names[e.Kind]
	switch e.Kind {
	case llm.EventOpen, llm.EventClose:
		step = fmt.Sprint(step, " ", e.Index)
	case llm.EventDelta:
		step = fmt.Sprintf("%d %s", e.Index, e.Text)
	case llm.EventStop:
		step = fmt.Sprintf("stop %s output=%d %s", e.Stop.Sequence, e.Usage.Output, e.Usage.Knowledge)
	}
	l.steps = append(l.steps, step)
}

// Steps for gates.
var (
	textItem    = &llm.Item{Kind: llm.Text}
	thoughtItem = &llm.Item{Kind: llm.Thought}
	gateUsage   = &llm.Usage{Output: 5, Knowledge: llm.Reported}
)

func gateText(index int, text string) llm.Event {
	return llm.Event{Kind: llm.EventDelta, Index: index, Text: []byte(text)}
}

// TestGate follows what passes a gate, and what the relay learns of it: whether there is anything real, and the end.
func TestGate(t *testing.T) {
	open := llm.Event{Kind: llm.EventOpen, Item: textItem}
	closed := llm.Event{Kind: llm.EventClose, Item: textItem}
	start, stop := llm.Event{Kind: llm.EventStart}, llm.Event{Kind: llm.EventStop, Usage: gateUsage}
	f := func(name string, whole bool, steps []llm.Event, real, stopped bool, want ...string) {
		t.Helper()
		var log stepLog
		g := gate{to: &log, whole: whole, request: new(llm.Request)}
		g.enforcer.reset([]string{"END"})
		for i := range steps {
			g.Emit(&steps[i])
		}
		if !reflect.DeepEqual(log.steps, want) {
			t.Errorf("%s: %q, want %q", name, log.steps, want)
		}
		if g.real != real || g.stopped != stopped || g.fault != nil {
			t.Errorf("%s: real %t, stopped %t, fault %v", name, g.real, g.stopped, g.fault)
		}
	}
	f("nothing real", false, []llm.Event{start, open}, false, false, "start", "open 0")
	f("text", false, []llm.Event{start, open, gateText(0, "hi"), closed, stop}, true, true,
		"start", "open 0", "0 hi", "close 0", "stop  output=5 reported")
	f("what may begin a sequence waits", false, []llm.Event{start, open, gateText(0, "E")}, false, false, "start", "open 0")
	f("and comes with the end", false, []llm.Event{start, open, gateText(0, "E"), closed}, true, false,
		"start", "open 0", "0 E", "close 0")
	f("a sequence ends a stream at once", false,
		[]llm.Event{start, open, gateText(0, "hiEND"), gateText(0, "more"), closed, stop}, true, true,
		"start", "open 0", "0 hi", "close 0", "stop END output=1 estimated")
	f("a whole answer says its usage first", true,
		[]llm.Event{start, open, gateText(0, "hiEND"), gateText(0, "more"), closed, stop}, true, true,
		"start", "open 0", "0 hi", "close 0", "stop END output=5 reported")
	f("reasoning may say it", false,
		[]llm.Event{start, {Kind: llm.EventOpen, Item: thoughtItem}, gateText(0, "END"), {Kind: llm.EventClose, Item: thoughtItem}, stop},
		true, true, "start", "open 0", "0 END", "close 0", "stop  output=5 reported")
	f("nothing behind the end", false, []llm.Event{start, stop, open, stop}, true, true, "start", "stop  output=5 reported")
}

// TestGateKeepsFaults keeps a fault for the relay: another target may answer.
func TestGateKeepsFaults(t *testing.T) {
	var log stepLog
	g := gate{to: &log}
	fault := &llm.Error{Kind: llm.Overloaded, Message: "too much"}
	for _, e := range []llm.Event{
		{Kind: llm.EventStart}, {Kind: llm.EventFault, Err: fault, Usage: gateUsage}, {Kind: llm.EventFault}, {Kind: llm.EventStop},
	} {
		g.Emit(&e)
	}
	if g.fault != fault || g.real || g.stopped || g.usage != *gateUsage || len(log.steps) != 1 {
		t.Errorf("fault %v, real %t, stopped %t, usage %+v, steps %q", g.fault, g.real, g.stopped, g.usage, log.steps)
	}
	g.reset()
	g.to = &log
	if g.Emit(&llm.Event{Kind: llm.EventFault}); g.fault == nil || g.fault.Message == "" {
		t.Errorf("a fault without words: %v", g.fault)
	}
}
