package gateway

import (
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// transcript is what is kept of the bodies of a call for the request log. The zero value keeps nothing.
type transcript struct {
	// wanted is settings.log_bodies, empty for none.
	wanted            string
	request, response []byte
}

// begin keeps the beginning of a request's body when bodies are wanted.
func (t *transcript) begin(wanted string, body []byte) {
	if wanted == config.LogBodiesNone || wanted == "" {
		return
	}
	t.wanted = wanted
	t.request = append(t.request[:0], body[:min(len(body), outcome.MaxBody)]...)
}

// answer keeps more of what the client got, up to the bound.
func (t *transcript) answer(part []byte) {
	if t.wanted == "" {
		return
	}
	t.response = append(t.response, part[:min(len(part), outcome.MaxBody-len(t.response))]...)
}

// show puts what was kept into the outcome, which borrows it.
func (t *transcript) show(o *outcome.Outcome) {
	if t.wanted == config.LogBodiesAll || t.wanted == config.LogBodiesErrors && o.Class != outcome.ClassNone {
		o.RequestBody, o.ResponseBody = t.request, t.response
	}
}

// keptTranscript is how large the storage of a released call may be.
const keptTranscript = 16 << 10

func (t *transcript) reset() {
	if cap(t.request)+cap(t.response) > keptTranscript {
		t.request, t.response = nil, nil
	}
	t.wanted, t.request, t.response = "", t.request[:0], t.response[:0]
}
