package gateway

import (
	"time"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// loadID is what the load of a target's members is known by: the id of the channel, which survives renames, and the model.
// Groups that share both share the load.
type loadID struct {
	channel, model string
}

// load returns the load of a channel's model. It is the previous snapshot's when that has one, so that what is known of
// members, and what they have in flight, survives a change of configuration.
func (s *snapshot) load(ch *channel, model string, previous *snapshot) *lb.Load {
	id := loadID{ch.id, model}
	l := s.loads[id]
	if l == nil && previous != nil {
		l = previous.loads[id]
	}
	if l == nil {
		l = new(lb.Load)
	}
	s.loads[id] = l
	return l
}

// sinceStart is now as package lb has it.
func sinceStart() time.Duration { return time.Duration(now()) }

const (
	// answerTokens is how many tokens an upstream makes in the time of its first one: with providers of 2026 that takes about
	// 0.7 s, and 70 follow each second. What matters is that it is the same for all members: where only some of the requests
	// are streams, both kinds must speak of the same time.
	answerTokens = 50
	// tokenBytes is about how many bytes of an answer are a token where none are reported.
	tokenBytes = 4
	// shortSilence is a silence that says nothing: the deadline was near.
	shortSilence = time.Second
)

// beginLoad counts the attempt, which is about to be sent, as in flight at its member.
func (a *attempt) beginLoad() {
	if l := a.target.member.load; l != nil {
		l.Begin()
		a.load = l
	}
}

// endLoad ends what beginLoad began, if anything. A silent attempt tells that its first token would have come later still.
func (a *attempt) endLoad() {
	l := a.load
	if l == nil {
		return
	}
	a.load = nil
	l.End()
	if a.record.Class == outcome.ClassSilent && !a.eventful.Load() {
		at := now()
		if waited := a.start.until(at); waited >= shortSilence && waited > l.Latency(time.Duration(at)) {
			l.Observe(waited, time.Duration(at))
		}
	}
}

// observeFirstToken notes how long the first token of the running attempt's stream has taken.
func (a *attempt) observeFirstToken() {
	if a.load != nil {
		at := now()
		a.load.Observe(a.start.until(at), time.Duration(at))
	}
}

// observeAnswer notes how long the first token of the running attempt may have taken, of whose answer only the end is known:
// it is length bytes long. Other answers than the model's say nothing.
func (a *attempt) observeAnswer(length int) {
	if a.load == nil || a.call.outcome.Operation != outcome.Generate {
		return
	}
	usage := a.bridge.Usage()
	tokens := usage.Output
	if usage.Knowledge == llm.Unknown {
		tokens = int64(length / tokenBytes)
	}
	at := now()
	a.load.Observe(a.start.until(at)*answerTokens/time.Duration(answerTokens+tokens), time.Duration(at))
}
