// Package messages knows the wire of Anthropic Messages, POST /v1/messages
// (https://docs.anthropic.com/en/api/messages): protocols.md A.7, A.8 and the columns "AM".
//
// Tap watches an answer that passes by, whole or as a stream, without changing it: what each event means for the
// call, the usage, the stop reason, the end. The error functions make what a client of this protocol gets when a call
// fails, as a body with a status or inside a running stream.
//
// Start reading at Tap.
package messages
