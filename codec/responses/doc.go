// Package responses knows the wire of OpenAI Responses, POST /v1/responses
// (https://platform.openai.com/docs/api-reference/responses): protocols.md A.4 to A.6 and the columns "RS".
//
// Tap watches an answer that passes by, whole or as a stream, without changing it: what each event means for the
// call, the usage, the end. It also keeps the response's id and the sequence number that comes next, so that a stream
// that breaks can be ended by a response.failed of the same response. Error bodies are those of package chat.
//
// The other half is conversion. ReadRequest makes a neutral request of a client's body, AppendRequest an upstream's body
// of one; Decoder makes neutral steps of an upstream's answer, StreamWriter and AnswerWriter a client's answer of steps.
// A Decoder takes whatever comes and hands on nothing but what llm.EventKind promises; the writers rely on that and
// keep the contract of the strictest clients (protocols.md A.10).
//
// Start reading at Tap for what passes by, at ReadRequest and Decoder for what is converted.
package responses
