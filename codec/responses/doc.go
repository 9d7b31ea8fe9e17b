// Package responses knows the wire of OpenAI Responses, POST /v1/responses
// (https://platform.openai.com/docs/api-reference/responses): protocols.md A.4 to A.6 and the columns "RS".
//
// Tap watches an answer that passes by, whole or as a stream, without changing it: what each event means for the
// call, the usage, the end. It also keeps the response's id and the sequence number that comes next, so that a stream
// that breaks can be ended by a response.failed of the same response. Error bodies are those of package chat.
//
// Start reading at Tap.
package responses
