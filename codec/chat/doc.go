// Package chat knows the wire of OpenAI Chat Completions, POST /v1/chat/completions
// (https://platform.openai.com/docs/api-reference/chat): protocols.md A.2, A.3 and the columns "CC".
//
// Tap watches an answer that passes by, whole or as a stream, without changing it: what each event means for the
// call, the usage, the stop reason, the end. It walks over the top level of a chunk and looks further down only until
// the first real event and at the stop reason, so that an ordinary chunk costs no more than checking that it is
// well-formed.
//
// Conversions go through the neutral form of codec/llm, one function or type for each of the four ways: ReadRequest
// takes a client's body in and AppendRequest makes an upstream's; Decoder takes an upstream's answer in, and
// StreamWriter and AnswerWriter make a client's. The decoder bears with whatever compatible providers send; the
// writers keep to what the strictest SDK accepts.
//
// The error functions make what a client of this protocol gets when a call fails, as a body with a status or inside a
// running stream. Error bodies of this shape are also the ones of OpenAI Responses.
//
// Start reading at Tap for passthrough, at ReadRequest and Decoder for conversion.
package chat
