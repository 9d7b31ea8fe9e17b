package chat

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// readFinish notes the stop reason of a choice. Compatible providers have words of their own for it; one that nobody
// knows says nothing.
func (d *Decoder) readFinish(value []byte) {
	if json.IsEmpty(value) {
		return
	}
	d.terminal = true
	switch string(plain(value)) {
	case "stop", "eos", "eos_token", "end", "end_turn", "stop_sequence", "completed", "complete", "COMPLETE", "STOP":
		d.reason = llm.StopEnd
	case "tool_calls", "function_call", "tool_use", "tool_call":
		d.reason = llm.StopTool
	case "length", "max_tokens", "max_output_tokens", "max_length", "model_length", "MAX_TOKENS",
		"model_context_window_exceeded":
		d.reason = llm.StopLength
	case "content_filter", "safety", "SAFETY", "refusal", "sensitive", "recitation", "RECITATION":
		d.reason = llm.StopFilter
	case "error", "network_error":
		d.broken = true
	}
}

// stopReason derives why an answer ended from what the upstream says and from what it sent (protocols.md D.2). A call
// that the upstream doesn't mention is a call all the same: without it agents stop. A limit that cut a call off stays
// a limit.
func stopReason(said llm.StopReason, called bool) llm.StopReason {
	switch said {
	case llm.StopLength, llm.StopFilter:
		return said
	}
	if called {
		return llm.StopTool
	}
	return llm.StopEnd
}
