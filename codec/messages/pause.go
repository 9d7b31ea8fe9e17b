package messages

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxRounds is how many calls one answer may take, the first included, and maxPaused how much of an answer is kept for the next.
const (
	maxRounds = 5
	maxPaused = 8 << 20
)

// pause is about answers that Anthropic interrupts because a hosted tool takes long (stop reason pause_turn): the same request
// with the answer so far makes it go on (https://docs.anthropic.com/en/api/handling-stop-reasons). The content is kept as raw
// JSON while it arrives.
type pause struct {
	wanted  bool
	held    bool
	resumed bool // the next message_start belongs to the same answer
	rounds  int
	earlier llm.Usage

	content   []byte
	kind      pausedKind
	inputAt   int    // where in content the input of a call begins
	input     bool   // pieces of the input have come
	citations []byte // of the text that is open
}

type pausedKind uint8

const (
	pausedWhole pausedKind = iota
	pausedText
	pausedThinking
	pausedCall
)

// hasHosted reports whether the upstream runs a tool of the request itself.
func hasHosted(r *llm.Request, options *llm.Options) bool {
	if r.Search != nil {
		return true
	}
	for i := range r.Tools {
		if isHosted(&r.Tools[i], options) {
			return true
		}
	}
	return false
}

// addTo adds the tokens of the earlier rounds.
func (p *pause) addTo(u *llm.Usage) {
	u.Input += p.earlier.Input
	u.CacheRead += p.earlier.CacheRead
	u.CacheWrite5m += p.earlier.CacheWrite5m
	u.CacheWrite1h += p.earlier.CacheWrite1h
	u.Output += p.earlier.Output
	u.Reasoning += p.earlier.Reasoning
	u.WebSearches += p.earlier.WebSearches
	u.Service = max(u.Service, p.earlier.Service)
}

// hold reports whether the answer is to go on with another call, and remembers that.
func (p *pause) hold() bool {
	if !p.wanted || p.rounds+1 >= maxRounds || len(p.content) == 0 {
		return false
	}
	p.held = true
	return true
}

// AllowPause lets the answer go on after a pause, which costs another call: see Paused. It is to be called right after Reset,
// and changes nothing for requests without hosted tools and for clients that know pauses themselves. Without it, a pause ends
// the answer with StopPause.
func (d *Decoder) AllowPause() {
	d.pause.wanted = d.x.Request.Protocol != llm.Messages && hasHosted(d.x.Request, d.x.Options)
}

// Paused reports whether the answer needs another call to go on: AppendContinuation makes its body, and Event, Answer and End
// then take the next answer. Neither a Stop nor a Fault was emitted.
func (d *Decoder) Paused() bool { return d.pause.held }

// AppendContinuation appends the body of the call that a paused answer goes on with: body, which AppendRequest made, with the
// answer so far behind its conversation. It makes d ready for the next answer.
func (d *Decoder) AppendContinuation(dst, body []byte) []byte {
	// The conversation is the last member of the body.
	dst = append(dst, bytes.TrimSuffix(body, []byte("]}"))...)
	dst = append(dst, `,{"role":"assistant","content":[`...)
	dst = append(dst, d.pause.content...)
	dst = append(dst, `]}]}`...)
	d.pause.earlier = d.Usage()
	d.usage = Usage{}
	d.stop, d.stopped = llm.Stop{}, false
	d.pause.held, d.pause.resumed = false, true
	d.pause.rounds++
	return dst
}

// blockStart keeps the beginning of a block. A block that comes whole is kept as it is.
func (p *pause) blockStart(block []byte) {
	if !p.wanted {
		return
	}
	p.blockStop()
	if len(p.content) > maxPaused {
		p.wanted, p.content = false, p.content[:0]
		return
	}
	if len(p.content) > 0 {
		p.content = append(p.content, ',')
	}
	p.kind, p.input, p.citations = pausedWhole, false, p.citations[:0]
	switch kind, _ := json.Unquote(json.Get(block, "type")); string(kind) {
	case "text":
		if json.IsEmpty(json.Get(block, "citations")) {
			p.kind = pausedText
		}
	case "thinking":
		if json.IsEmpty(json.Get(block, "signature")) {
			p.kind = pausedThinking
		}
	case "tool_use", "server_tool_use", "mcp_tool_use":
		p.kind = pausedCall
	}
	p.paused(block)
}

// paused keeps a block's members without what its deltas add to.
func (p *pause) paused(block []byte) {
	if p.kind == pausedWhole {
		p.content = append(p.content, block...)
		return
	}
	// The member that grows is put last and left open.
	grows := [...]string{pausedText: "text", pausedThinking: "thinking", pausedCall: "input"}[p.kind]
	p.content = append(p.content, '{')
	var value []byte
	m := json.Object(block)
	for m.Next() {
		switch name := string(m.Key); {
		case name == grows:
			value = m.Value()
		case name == "signature" && p.kind == pausedThinking, name == "citations" && json.IsEmpty(m.Value()):
		default:
			p.content = json.AppendString(p.content, name)
			p.content = append(append(append(p.content, ':'), m.Value()...), ',')
		}
	}
	p.content = json.AppendString(p.content, grows)
	p.content = append(p.content, ':')
	p.inputAt = len(p.content)
	switch {
	case p.kind == pausedCall && json.IsNull(value):
		p.content = append(p.content, emptyObject...)
	case p.kind == pausedCall:
		p.content = append(p.content, value...)
	case len(value) >= 2 && value[0] == '"':
		p.content = append(p.content, value[:len(value)-1]...)
	default:
		p.content = append(p.content, '"')
	}
}

// blockDelta keeps a piece of the block that is open.
func (p *pause) blockDelta(kind, text, partial, signature, citation []byte) {
	if !p.wanted {
		return
	}
	switch {
	case p.kind == pausedText && string(kind) == "text_delta", p.kind == pausedThinking && string(kind) == "thinking_delta":
		if len(text) >= 2 && text[0] == '"' {
			// The text stays escaped as it came.
			p.content = append(p.content, text[1:len(text)-1]...)
		}
	case p.kind == pausedText && string(kind) == "citations_delta" && !json.IsEmpty(citation):
		if len(p.citations) > 0 {
			p.citations = append(p.citations, ',')
		}
		p.citations = append(p.citations, citation...)
	case p.kind == pausedThinking && string(kind) == "signature_delta":
		p.content = append(append(p.content, `","signature":`...), signature...)
		p.content = append(p.content, '}')
		p.kind = pausedWhole
	case p.kind == pausedCall && string(kind) == "input_json_delta" && !json.IsEmpty(partial):
		if !p.input {
			// The empty input of the beginning makes room.
			p.input = true
			p.content = p.content[:p.inputAt]
		}
		p.content, _ = json.AppendUnquoted(p.content, partial)
	}
}

// blockStop closes the block that is open.
func (p *pause) blockStop() {
	if !p.wanted {
		return
	}
	switch p.kind {
	case pausedText:
		p.content = append(p.content, '"')
		if len(p.citations) > 0 {
			p.content = append(append(append(p.content, `,"citations":[`...), p.citations...), ']')
		}
		p.content = append(p.content, '}')
	case pausedThinking:
		p.content = append(p.content, `"}`...)
	case pausedCall:
		p.content = append(p.content, '}')
	}
	p.kind = pausedWhole
}
