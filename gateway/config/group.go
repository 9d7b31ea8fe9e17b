package config

import "time"

// Mode is how a group balances over its members. The zero value is not valid; files default to ModeRoundRobin.
type Mode string

// The balancing modes.
const (
	ModeRoundRobin   Mode = "round-robin"
	ModeRandom       Mode = "random"
	ModeFailover     Mode = "failover"
	ModeWeighted     Mode = "weighted"
	ModeLeastLatency Mode = "least-latency"
)

// Affinity is what keeps requests that belong together on one target. The zero value is not valid; files default to
// AffinityNone.
type Affinity string

// The kinds of affinity.
const (
	// AffinityNone leaves every request to the mode.
	AffinityNone Affinity = "none"
	// AffinitySession goes by the ids that clients give their sessions, and without one by the beginning of the prompt.
	AffinitySession Affinity = "session"
	// AffinityPromptCache goes by prompt_cache_key, and without one by the beginning of the prompt.
	AffinityPromptCache Affinity = "prompt-cache"
)

// Group is a public model name.
type Group struct {
	Object
	// Name is what clients put in "model": unique among names and aliases, no control character, 1 to 256 bytes; not "*".
	Name string
	// Aliases are further names, under the same rules.
	Aliases []string
	// Enabled groups are served. The zero value is disabled; files default to true.
	Enabled  bool
	Mode     Mode
	Affinity Affinity
	// Members are the targets, each once, in the order of the file.
	Members []Member
	// Match is an RE2 expression over channels' models: every match becomes a member with weight 1 and priority 1 unless
	// Members names it already. Empty matches nothing.
	Match  string
	Policy Policy
}

// Member is one (channel, upstream model) of a group.
type Member struct {
	// Channel is the name of a channel.
	Channel string
	// Model is the upstream's name of the model, 1 to 256 bytes.
	Model string
	// Weight is the member's share in mode weighted, 0 to 1000; 0 is a cold standby in every mode: used only when no
	// member with weight is usable. Files default to 1.
	Weight int
	// Priority orders members in mode failover, lower first, 0 to 1000. Files default to 1.
	Priority int
}

// Policy bounds one request of a group. Defaults are those of DefaultPolicy; a file may set each field alone. Durations are
// at most MaxDuration.
type Policy struct {
	// Attempts is the most upstream calls of one request, 1 to 20.
	Attempts int
	// AttemptsPerTarget is the most calls to one target, 1 to 10, and more than one only for faults worth repeating at once.
	AttemptsPerTarget int
	// Deadline bounds the wait until an answer begins (streams) or is complete. Zero means none.
	Deadline time.Duration
	// ConnectTimeout bounds dialing, TLS included. Never zero.
	ConnectTimeout time.Duration
	// FirstTokenTimeout bounds the wait of one attempt for the first real event of a stream. Zero means off.
	FirstTokenTimeout time.Duration
	// AnswerTimeout bounds one non-stream attempt. Zero means off.
	AnswerTimeout time.Duration
	// IdleTimeout is the longest silence inside an answer; pings are no silence. Zero means off.
	IdleTimeout time.Duration
	// KeepAlive is after how long a silence the client gets a sign of life. Zero means never.
	KeepAlive time.Duration
	// RateLimitWait is the longest wait for the Retry-After of the same target while others exist.
	RateLimitWait time.Duration
	// Commit is CommitFirstToken or CommitComplete.
	Commit Commit
	// Cooldown is how long a failing target rests.
	Cooldown Cooldown
	// Hedge starts a second target when the first token is late.
	Hedge Hedge
}

// Commit is when an answer is bound to its target.
type Commit string

// When an answer is bound to its target.
const (
	// CommitFirstToken binds it at the first real event.
	CommitFirstToken Commit = "first-token"
	// CommitComplete holds the stream back until the upstream finished.
	CommitComplete Commit = "complete"
)

// Cooldown is how long a failing target rests: Base, doubling up to Max, which is not less than Base.
type Cooldown struct {
	Base, Max time.Duration
}

// Hedge starts a second target when the first token is late. The zero value is off.
type Hedge struct {
	// P95 takes the 95th percentile of the group's first-token time as the delay.
	P95 bool
	// After is the delay when P95 is false; zero means no hedging.
	After time.Duration
	// MaxShare is the most hedged requests, in percent, 0 to 100.
	MaxShare int
}

// DefaultPolicy returns the policy of a group that sets none.
func DefaultPolicy() Policy {
	return Policy{
		Attempts:          4,
		AttemptsPerTarget: 2,
		Deadline:          10 * time.Minute,
		ConnectTimeout:    DefaultConnectTimeout,
		FirstTokenTimeout: 300 * time.Second,
		AnswerTimeout:     300 * time.Second,
		IdleTimeout:       300 * time.Second,
		KeepAlive:         10 * time.Second,
		Commit:            CommitFirstToken,
		Cooldown:          Cooldown{Base: 5 * time.Second, Max: 30 * time.Second},
		Hedge:             Hedge{MaxShare: 3},
	}
}
