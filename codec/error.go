package codec

import (
	"octopus/codec/chat"
	"octopus/codec/llm"
	"octopus/codec/messages"
)

// ErrorStatus returns the HTTP status that tells a client of protocol p of e (protocols.md A.9). A p of zero, a client
// whose protocol is not known, counts as an OpenAI client.
func ErrorStatus(p llm.Protocol, e *llm.Error) int {
	if p == llm.Messages {
		return messages.ErrorStatus(e)
	}
	return chat.ErrorStatus(e)
}

// AppendErrorBody appends the JSON body that tells a client of protocol p of e. The request id is part of Anthropic's
// bodies only; an empty one is left out.
func AppendErrorBody(dst []byte, p llm.Protocol, e *llm.Error, requestID string) []byte {
	if p == llm.Messages {
		return messages.AppendErrorBody(dst, e, requestID)
	}
	return chat.AppendErrorBody(dst, e)
}
