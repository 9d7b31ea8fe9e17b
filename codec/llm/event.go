package llm

// EventKind is a step of an answer.
type EventKind uint8

// The steps of an answer. A decoder guarantees to its emitter: Start first and once; Open before Delta before Close of an
// item, indexes dense from 0 in the order of Open; every open item closed before Stop; exactly one of Stop and Fault, and
// nothing after it. Whole answers are the same steps, one Delta per item.
const (
	// EventStart begins the answer: ID, Model, and Usage as far as it is known.
	EventStart EventKind = iota
	// EventOpen opens item Index: Item has its kind, id, name and call id.
	EventOpen
	// EventDelta adds Text to item Index: text, reasoning, refusal, arguments or input.
	EventDelta
	// EventCite adds Citation to the text item Index.
	EventCite
	// EventClose closes item Index. Item has what is known only now: Seal, and for hosted calls all of it.
	EventClose
	// EventUsage says what is known of Usage now.
	EventUsage
	// EventStop ends the answer: Stop, Usage.
	EventStop
	// EventFault ends the answer with Err.
	EventFault
)

// Event is one step of an answer. It and its byte slices are valid during the call that hands it on.
type Event struct {
	Kind  EventKind
	Index int
	// Item is of EventOpen and EventClose.
	Item *Item
	// Text is of EventDelta. Logprobs is the raw JSON array that belongs to it, nil when absent.
	Text, Logprobs []byte
	Citation       *Citation
	// ID, Model and ServiceTier are the upstream's, of EventStart and as they become known.
	ID, Model, ServiceTier string
	Usage                  *Usage
	Stop                   Stop
	Err                    *Error
}

// Emitter takes the steps of an answer.
type Emitter interface {
	// Emit takes the next step. e is borrowed for the call.
	Emit(e *Event)
}

// StopReason is why a model stopped. The zero value is unknown.
type StopReason uint8

// The reasons to stop.
const (
	StopUnknown StopReason = iota
	// StopEnd is the model's own end of its turn.
	StopEnd
	// StopSequence is a stop sequence: Sequence says which.
	StopSequence
	// StopTool is a call of a client's tool.
	StopTool
	// StopLength is the limit of tokens, or of the context window.
	StopLength
	// StopFilter is a content filter, or Anthropic's refusal: Explanation may say why.
	StopFilter
	// StopPause is Anthropic's pause_turn: the same request, with the answer so far, goes on.
	StopPause
)

// Stop is why a model stopped.
type Stop struct {
	Reason                StopReason
	Sequence, Explanation string
}
