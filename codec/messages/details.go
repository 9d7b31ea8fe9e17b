package messages

import "octopus/codec/llm"

// The codes of the refusals of a thread that the server would have to keep (protocols.md H.2), and of one that is lost.
const (
	codeThreadUnsupported = "thread_unsupported_request"
	codeThreadNotFound    = "thread_not_found"
)

// appendDetails appends the member details of an error object. The official SDK (@anthropic-ai/sdk 1.12, ThreadState) looks
// there whether it shall send the whole conversation instead of a thread; other errors have none.
func appendDetails(dst []byte, e *llm.Error) []byte {
	switch e.Code {
	case codeThreadUnsupported:
		return append(dst, `,"details":{"error_code":"`+codeThreadUnsupported+`","unsupported":["thread"]}`...)
	case codeThreadNotFound:
		return append(dst, `,"details":{"error_code":"`+codeThreadNotFound+`"}`...)
	}
	return dst
}
