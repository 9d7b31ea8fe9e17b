package outcome

import (
	"net/netip"
	"time"

	"octopus/codec/llm"
)

// Outcome is everything known about a finished request. Whoever is handed one borrows it for the call: attempts, what they
// skipped and texts are reused afterwards.
type Outcome struct {
	// ID is the request id that the client was told.
	ID string
	// Start is when the request's head had been read.
	Start time.Time
	// Protocol is what the client speaks.
	Protocol llm.Protocol
	// Operation is what was asked for.
	Operation Operation
	// Stream is whether the client asked for a stream.
	Stream bool
	// Requested is the model as the client named it; Group is the group that served it, empty for channel/model.
	Requested, Group string
	// GroupID is the group's id, which survives renames; empty for channel/model.
	GroupID string
	// APIKeyID and APIKeyName name the client's API key.
	APIKeyID, APIKeyName string
	// Client is the client's address, behind trusted proxies.
	Client netip.Addr
	// Status is the HTTP status the client got. 499 is a client that left before it got one or before the end.
	Status int
	// Class is how the request ended; ClassNone is success.
	Class Class
	// Message is what the client was told went wrong, or empty.
	Message string
	// Attempts lists the upstream calls in order. The last one served the answer when Class is ClassNone, but for
	// tokens that the gateway counted itself.
	Attempts []Attempt
	// Skipped lists what was out when no target was left to try; nil for nothing, or when a target answered.
	Skipped []Skip
	// FirstToken is the time from Start to the first real event written, zero when there was none or no stream.
	FirstToken time.Duration
	// Total is the time from Start to the last byte.
	Total time.Duration
	// Usage is the tokens used, as the last attempt reported them.
	Usage llm.Usage
	// CostNanoUSD is what they cost, and what attempts cost that lost; CostKnown says whether the former is known.
	CostNanoUSD int64
	CostKnown   bool
	// Warnings is what a conversion could not carry over exactly, as the header x-octopus-warnings says it; empty for nothing.
	Warnings string
	// BytesIn and BytesOut are body sizes on the client's side, before any transfer coding.
	BytesIn, BytesOut int64
	// RequestBody and ResponseBody are the beginnings of what the client sent and got, MaxBody bytes at most each, where
	// settings.log_bodies wants them; nil otherwise.
	RequestBody, ResponseBody []byte
}

// MaxBody is how many bytes of a body an outcome carries at most.
const MaxBody = 64 << 10

// Operation is what a request asks for.
type Operation uint8

// The operations.
const (
	// Generate asks for an answer of the model.
	Generate Operation = iota
	// CountTokens asks how many tokens a prompt has.
	CountTokens
	// Stored asks for, or about, an earlier response.
	Stored
	// Compact asks for a conversation in short.
	Compact
)

// Attempt is one try on one target.
type Attempt struct {
	// Channel, ChannelID, Key (its id) and Model name the target.
	Channel, ChannelID, Key, Model string
	// Start is the time from the request's start, Duration that until the verdict, or until the answer's end.
	Start, Duration time.Duration
	// FirstToken is the time from Start to the first real event of a stream, zero when there was none or no stream.
	FirstToken time.Duration
	// Usage is what an attempt is taken to have used that lost against another one; zero for all others.
	Usage llm.Usage
	// CostNanoUSD is what the attempt cost, zero for those that failed before an answer; CostKnown says whether that is known.
	CostNanoUSD int64
	CostKnown   bool
	// Why is why the target was chosen.
	Why Reason
	// Skipped lists what was out when the target was chosen; nil for nothing.
	Skipped []Skip
	// Status is the upstream's HTTP status, 0 when none came.
	Status int
	// Class is why the attempt failed; ClassNone is success.
	Class Class
	// Verdict is what followed from it.
	Verdict Verdict
	// Message is the upstream's error in short, without secrets, or empty.
	Message string
}

// Served returns the index of the attempt that Usage is of: the last one that did not lose against another. It is -1 when there
// is none.
func (o *Outcome) Served() int {
	for i := len(o.Attempts) - 1; i >= 0; i-- {
		if o.Attempts[i].Verdict != Lose {
			return i
		}
	}
	return -1
}

// Verdict is what follows from an attempt.
type Verdict uint8

// The verdicts.
const (
	// Commit binds the answer to this target.
	Commit Verdict = iota
	// TryAgain repeats the attempt on the same target.
	TryAgain
	// TryNext goes to another target.
	TryNext
	// GiveUp tells the client.
	GiveUp
	// Lose drops the attempt because another one, which ran beside it, was faster.
	Lose
)

// String returns commit, try again, try next, give up or lose.
func (v Verdict) String() string {
	return [...]string{"commit", "try again", "try next", "give up", "lose"}[v]
}

// Reason is why a target was chosen for an attempt.
type Reason uint8

// The reasons.
const (
	// ByMode is what the group's mode came to.
	ByMode Reason = iota
	// ByPriority is a member that had no usable one before it.
	ByPriority
	// ByDefault is the only member that was left.
	ByDefault
	// ByKey is another key of the channel that the attempt before went to.
	ByKey
	// ByRepeat is the same target again, for a fault that passes.
	ByRepeat
	// ByWait is a target that the request waited for.
	ByWait
	// ByProbe is a target that was out: the attempt shows whether it is back.
	ByProbe
	// ByNeed is a target that is out, because there was no other.
	ByNeed
	// ByHedge is a second target beside the first, whose first token was late.
	ByHedge
	// ByAffinity is the target that the request's session or prompt belongs to.
	ByAffinity
)

// String returns mode, priority, default, key, repeat, wait, probe, need, hedge or affinity.
func (r Reason) String() string {
	return [...]string{"mode", "priority", "default", "key", "repeat", "wait", "probe", "need", "hedge", "affinity"}[r]
}

// Skip is a target, or all targets of a member, that could not be chosen.
type Skip struct {
	// Channel, Model and Key (its id) name the target; Key is empty when it is the member's every target.
	Channel, Model, Key string
	// Class is why it is out.
	Class Class
	// Until is the time from the request's start to when it may be tried again, as far as that was known.
	Until time.Duration
}
