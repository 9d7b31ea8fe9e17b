// Package messages knows the wire of Anthropic Messages, POST /v1/messages (https://docs.anthropic.com/en/api/messages):
// protocols.md A.7, A.8 and the columns "AM".
//
// Tap watches an answer that passes by, whole or as a stream, without changing it: what each event means for the call, the
// usage, the stop reason, the end. The error functions make what a client of this protocol gets when a call fails, as a body
// with a status or inside a running stream.
//
// For conversion there are two halves around the neutral form of package llm. Towards clients of this protocol: ReadRequest
// reads what they send, StreamWriter and AnswerWriter make what they get. Towards Anthropic and its like: AppendRequest writes
// the request, adapted to what the model accepts, and Decoder reads the answer. AppendRequest decides everything first
// (planTools, planConversation, planThinking and so on, each in the file of its noun) and then writes in one go.
//
// Start reading at Tap for passthrough, at AppendRequest and Decoder for conversion.
package messages
