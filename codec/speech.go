package codec

import (
	"octopus/codec/llm"
	"octopus/codec/tokens"
)

// maxSpeech is how much of an answer is kept for the tokenizer, in bytes. What is behind it counts like what is before.
const maxSpeech = 1 << 20

// speech is what a model has said, for an estimate of its tokens where the provider reports none (protocols.md C.7, D.6).
// The zero value has heard nothing, and only measures.
type speech struct {
	// exact is whether the tokenizer counts, for which the text is kept; else its length is all that is known of it.
	exact bool
	text  []byte
	said  int // bytes
}

// reset forgets what was said.
func (s *speech) reset(exact bool) {
	if cap(s.text) > maxKept {
		s.text = nil
	}
	*s = speech{exact: exact, text: s.text[:0]}
}

// Emit implements llm.Emitter: it hears texts, thoughts, and calls with their names.
func (s *speech) Emit(e *llm.Event) {
	switch {
	case e.Kind == llm.EventDelta:
		s.said += len(e.Text)
		if s.exact {
			s.text = append(s.text, e.Text[:min(len(e.Text), maxSpeech-len(s.text))]...)
		}
	case e.Kind == llm.EventOpen && e.Item.Kind == llm.Call:
		s.said += len(e.Item.Name)
		if s.exact && len(e.Item.Name) <= maxSpeech-len(s.text) {
			s.text = append(s.text, e.Item.Name...)
		}
	}
}

// tokens returns about how many tokens were said.
func (s *speech) tokens() int64 {
	if len(s.text) == 0 {
		return tokens.Guess(s.said)
	}
	return (tokens.Count(s.text)*int64(s.said) + int64(len(s.text)) - 1) / int64(len(s.text))
}

// complete returns u with what is missing of it estimated: the answer's tokens, and the prompt's where the provider has said
// nothing of them. r is the request.
func (s *speech) complete(u llm.Usage, r *llm.Request) llm.Usage {
	u.Output = max(u.Output, s.tokens())
	if u.Prompt() == 0 {
		u.Input = s.prompt(r)
	}
	u.Knowledge = llm.Estimated
	return u
}

// prompt returns about how many tokens the prompt of r has.
func (s *speech) prompt(r *llm.Request) int64 {
	if s.exact {
		return estimate(r)
	}
	return guess(r)
}
