package llm

// Mark is what one event of a provider's stream means for the call it belongs to. The zero value is Idle.
type Mark uint8

// The marks of events.
const (
	// Idle is an event with nothing in it that a client waits for: a role, a start, a ping, a comment.
	Idle Mark = iota
	// Real is an event with text, reasoning, a refusal, a tool call, a server tool or a stop reason.
	Real
	// Tally is Chat's chunk with usage and no choices, which is only sent to clients that asked for it.
	Tally
	// Last is the terminal event of the protocol. Nothing counts after it.
	Last
	// Fault is an error in place of an answer.
	Fault
	// Junk is an event that can't be read.
	Junk
)
