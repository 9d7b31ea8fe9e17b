package responses

import "octopus/codec/llm"

// AnswerWriter collects the steps of an answer into the body that a client gets who asked for no stream. It is the
// StreamWriter without events, so that both kinds of answers can't differ. Make it ready with Reset.
type AnswerWriter struct {
	stream StreamWriter
	fault  *llm.Error
}

var _ llm.Emitter = (*AnswerWriter)(nil)

// Reset makes the writer ready for the answer of x, as StreamWriter.Reset does.
func (w *AnswerWriter) Reset(x *llm.Exchange) {
	w.fault = nil
	w.stream.Reset(x)
	w.stream.whole = true
}

// Emit takes the next step.
func (w *AnswerWriter) Emit(e *llm.Event) {
	if e.Kind == llm.EventFault {
		w.fault = e.Err
		return
	}
	w.stream.Emit(e)
}

// Append appends the response object. It returns the error instead, and dst as it was, when the answer failed or has not
// ended.
func (w *AnswerWriter) Append(dst []byte) ([]byte, *llm.Error) {
	switch {
	case w.fault != nil:
		return dst, w.fault
	case !w.stream.ended:
		return dst, &llm.Error{Kind: llm.Upstream, Message: "the upstream's answer has no end"}
	}
	return w.stream.appendResponse(dst, nil), nil
}
