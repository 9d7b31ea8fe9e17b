package codec

import "octopus/codec/llm"

// gate stands between a decoder and a writer: it notes what the relay must know, keeps faults back, and looks for stop
// sequences where the upstream can't.
type gate struct {
	to llm.Emitter
	// id is the upstream's id of the answer; of several calls that make one answer, the first one's.
	id []byte
	// real is whether a client waits for something among the steps, stopped whether the last one was handed on.
	real, stopped bool
	fault         *llm.Error
	usage         llm.Usage
	// earlier is the usage of the choices before this one, or nil.
	earlier  *llm.Usage
	enforcer enforcer
	// said is what was handed on of the answer, for what must be estimated of the usage of request.
	said    speech
	request *llm.Request
	// announce is whether the beginning of the answer tells an estimate of the prompt's tokens, which the upstream doesn't.
	announce bool
	thoughts thoughts
	// ordered is whether calls must pass one after the other, calls sees to it.
	ordered bool
	calls   callOrder
	open    []openItem
	// whole is whether the upstream's answer is all here: one that a stop sequence ends still says its usage then, behind
	// what is left out. matched is that sequence.
	whole   bool
	matched string
}

// maxAnswerID is the longest id of an answer that is kept, in bytes.
const maxAnswerID = 256

// openItem is an item between its EventOpen and its EventClose.
type openItem struct {
	index int
	kind  llm.ItemKind
}

// reset makes the gate ready for an answer.
func (g *gate) reset() {
	kept := thoughts{record: g.thoughts.record[:0], text: g.thoughts.text[:0], calls: g.thoughts.calls[:0]}
	calls := callOrder{calls: g.calls.calls, waiting: g.calls.waiting, places: g.calls.places}
	calls.reset()
	said := g.said
	said.reset(false)
	*g = gate{
		id: g.id[:0], enforcer: enforcer{held: g.enforcer.held[:0]}, thoughts: kept, calls: calls, open: g.open[:0], said: said,
	}
}

// next makes the gate ready for the next choice, which stops at the sequences too.
func (g *gate) next(stop []string) {
	usage := g.total(g.usage)
	g.earlier, g.usage = &usage, llm.Usage{}
	g.said.reset(g.said.exact)
	g.stopped, g.whole, g.matched, g.open = false, false, "", g.open[:0]
	g.calls.reset()
	g.enforcer.reset(stop)
}

// total returns the usage of all choices, that of the one that is running being u.
func (g *gate) total(u llm.Usage) llm.Usage {
	if g.earlier == nil {
		return u
	}
	sum := g.earlier.Plus(&u)
	if sum.Knowledge == llm.Unknown && g.earlier.Knowledge != llm.Unknown {
		sum.Knowledge = llm.Partial
	}
	return sum
}

// Emit hands a step on, unless it is a fault: that the relay answers, or another target does.
func (g *gate) Emit(e *llm.Event) {
	if g.stopped || g.fault != nil {
		return
	}
	if e.Usage != nil {
		g.usage = *e.Usage
	}
	if g.matched != "" && e.Kind != llm.EventFault {
		if e.Kind == llm.EventStop {
			g.stop(e)
		}
		return
	}
	g.thoughts.see(e)
	switch e.Kind {
	case llm.EventStart:
		if len(g.id) == 0 && len(e.ID) <= maxAnswerID {
			g.id = append(g.id, e.ID...)
		}
		if g.announce && (e.Usage == nil || e.Usage.Prompt() == 0) {
			announced := *e
			announced.Usage = &llm.Usage{Input: estimate(g.request), Knowledge: llm.Estimated}
			e = &announced
		}
	case llm.EventFault:
		if g.fault = e.Err; g.fault == nil {
			g.fault = &llm.Error{Kind: llm.Upstream, Message: "upstream reported an error"}
		}
		return
	case llm.EventOpen:
		g.open = append(g.open, openItem{e.Index, e.Item.Kind})
		g.real = g.real || e.Item.Kind == llm.Call || e.Item.Kind == llm.Hosted
	case llm.EventDelta:
		if g.enforcer.active() && g.isText(e.Index) {
			g.enforce(e)
			return
		}
		g.real = g.real || len(e.Text) > 0
	case llm.EventClose:
		if g.enforcer.active() && g.isText(e.Index) {
			g.handOn(&llm.Event{Kind: llm.EventDelta, Index: e.Index}, g.enforcer.rest())
		}
		g.close(e.Index)
		g.real = g.real || e.Item != nil && len(e.Item.Seal) > 0
	case llm.EventStop:
		g.real, g.stopped = true, true
		if g.said.exact && g.usage.Knowledge != llm.Reported {
			g.usage = g.said.complete(g.usage, g.request)
			end := *e
			end.Usage = &g.usage
			e = &end
		}
	}
	g.pass(e)
}

// enforce hands on a piece of text as far as no stop sequence begins in it, and stops the answer at one.
func (g *gate) enforce(e *llm.Event) {
	text, matched := g.enforcer.next(e.Text)
	g.handOn(e, text)
	if matched == "" {
		return
	}
	for len(g.open) > 0 {
		last := g.open[len(g.open)-1]
		g.open = g.open[:len(g.open)-1]
		g.pass(&llm.Event{Kind: llm.EventClose, Index: last.index, Item: &llm.Item{Kind: last.kind}})
	}
	g.matched = matched
	if g.whole {
		return
	}
	// The upstream's own count will not come.
	g.usage = g.said.complete(g.usage, g.request)
	g.stop(&llm.Event{Kind: llm.EventStop})
}

// stop hands on the end of an answer that a stop sequence ended.
func (g *gate) stop(e *llm.Event) {
	g.real, g.stopped = true, true
	end := *e
	end.Usage, end.Stop = &g.usage, llm.Stop{Reason: llm.StopSequence, Sequence: g.matched}
	g.pass(&end)
}

// handOn hands on the step e with another text, if there is any.
func (g *gate) handOn(e *llm.Event, text []byte) {
	if len(text) == 0 {
		return
	}
	g.real = true
	cut := *e
	cut.Text, cut.Logprobs = text, nil
	g.pass(&cut)
}

func (g *gate) isText(index int) bool {
	for i := range g.open {
		if g.open[i].index == index {
			return g.open[i].kind == llm.Text
		}
	}
	return false
}

func (g *gate) close(index int) {
	for i := range g.open {
		if g.open[i].index == index {
			g.open = append(g.open[:i], g.open[i+1:]...)
			return
		}
	}
}

// pass hands on a step, its usage that of all choices so far.
func (g *gate) pass(e *llm.Event) {
	g.said.Emit(e)
	if g.earlier != nil && e.Usage != nil {
		sum := g.total(*e.Usage)
		summed := *e
		summed.Usage, e = &sum, &summed
	}
	if g.ordered {
		g.calls.pass(e, g.to)
		return
	}
	g.to.Emit(e)
}
