package messages

import "octopus/codec/llm"

// codeThreadUnsupported is the code of the refusal of a thread that the server would have to keep (protocols.md H.2).
const codeThreadUnsupported = "thread_unsupported_request"

// appendDetails appends the member details of an error object. The official SDK (@anthropic-ai/sdk 1.12, ThreadState) looks
// there whether it shall send the whole conversation instead of a thread; other errors have none.
func appendDetails(dst []byte, e *llm.Error) []byte {
	if e.Code != codeThreadUnsupported {
		return dst
	}
	return append(dst, `,"details":{"error_code":"`+codeThreadUnsupported+`","unsupported":["thread"]}`...)
}
