package codec

import "octopus/codec/llm"

// listener hears what a provider says to a client of its own protocol, where the bytes pass and only a tap looks at them. It
// is there for channels that report no usage.
type listener struct {
	speech
	protocol llm.Protocol
	decoder  decoder
	exchange llm.Exchange
	request  llm.Request
	warnings llm.Warnings
	// client is the request as it came, whose own body may be gone when the answer is over; body is a copy of that.
	client Request
	body   []byte
}

// newListener returns a listener for answers in protocol p.
func newListener(p llm.Protocol) *listener {
	return &listener{protocol: p, decoder: dialects[p].newDecoder()}
}

// listen makes the listener ready for the answer to r.
func (l *listener) listen(r *Request, t *Target) {
	l.reset(true)
	l.body = append(l.body[:0], r.Body...)
	l.client = Request{Protocol: r.Protocol, Body: l.body, foreign: r.foreign}
	l.request = llm.Request{Protocol: r.Protocol}
	l.exchange = llm.Exchange{
		Request: &l.request, Model: t.Model, Target: t.Protocol, Options: t.Options, Warnings: &l.warnings,
	}
	l.decoder.Reset(&l.exchange)
}

// release drops what the listener borrowed.
func (l *listener) release() {
	l.reset(false)
	l.client, l.request, l.exchange = Request{}, llm.Request{}, llm.Exchange{}
	l.warnings.Reset()
	if cap(l.body) > maxKept {
		l.body = nil
	}
}

// hear returns u, what the provider has reported, completed by what was heard. What is neither complete nor has a word in it is
// left alone: it may be no answer at all.
func (l *listener) hear(u llm.Usage) llm.Usage {
	if u.Knowledge == llm.Reported || l.said == 0 && !l.decoder.Done() {
		return u
	}
	if err := l.client.read(&l.request); err != nil {
		// The provider has understood more of it: all of it counts.
		l.request = llm.Request{Turns: []llm.Turn{{Items: []llm.Item{{Text: l.body}}}}}
	}
	return l.complete(u, &l.request)
}
