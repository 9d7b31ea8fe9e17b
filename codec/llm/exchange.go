package llm

// SealKind is what an envelope holds.
type SealKind string

// What envelopes hold (protocols.md B.6).
const (
	// SealSignature is the signature of Anthropic's thinking.
	SealSignature SealKind = "am-sig"
	// SealRedacted is the data of Anthropic's redacted thinking.
	SealRedacted SealKind = "am-red"
	// SealEncrypted is Responses' encrypted_content, with the item's id.
	SealEncrypted SealKind = "rs-enc"
	// SealContent stands for Chat's reasoning_content, which needs nothing back.
	SealContent SealKind = "cc-rc"
	// SealNone stands for reasoning without any opaque part.
	SealNone SealKind = "none"
)

// Sealed is what stands in an envelope. Its texts are valid as long as the envelope is.
type Sealed struct {
	Kind SealKind
	// Model is the upstream's model that the reasoning is of. It is told, not checked: what a model signs is valid on all models
	// of its account. Empty in envelopes of versions that did not know it.
	Model string
	// Item is the id of a Responses item, or empty.
	Item string
	// Opaque is what the provider minted.
	Opaque []byte
	// Text is the hash of the text that the client was shown beside it.
	Text TextHash
}

// Fits reports whether text is what the client was shown beside what is sealed. Envelopes that know neither model nor text are of
// an earlier version, and fit.
func (s *Sealed) Fits(text []byte) bool {
	var hash TextHash
	hash.Add(text)
	return hash == s.Text || s.Text == 0 && s.Model == ""
}

// Sealer makes and opens the envelopes that opaque reasoning travels in through a foreign protocol. It is bound to one
// target: it opens only what the same family and channel minted.
type Sealer interface {
	// Seal appends the envelope of s.
	Seal(dst []byte, s Sealed) []byte
	// Open returns what is in an envelope. ours is whether the text is one of our envelopes at all; ok whether it is genuine
	// and the target's own.
	Open(envelope []byte) (s Sealed, ours, ok bool)
}

// Exchange is what reader, writer, decoder and emitter of one attempt share. It belongs to one call.
type Exchange struct {
	// Request is the client's, as its reader made it. Writers of requests must not change it: another target may follow.
	Request *Request
	// Model is the target's name of the model, Target its protocol.
	Model  string
	Target Protocol
	// Options and Capabilities are the target's.
	Options      *Options
	Capabilities Capabilities
	// Warnings collects what could not be carried over.
	Warnings *Warnings
	// Names translates tool names that the target can't carry (protocols.md B.5.1).
	Names Names
	// Sealer is nil where envelopes can't be made; reasoning then has none.
	Sealer Sealer
	// NoOpaque leaves reasoning out of the history that only its own provider can read, NoStreamOptions the field of that name:
	// the target refused them.
	NoOpaque, NoStreamOptions bool
	// AnswerID seeds the ids of the answer: letters and digits, unique per call.
	AnswerID string
	// AnswerModel replaces the model that the upstream reports, when not empty.
	AnswerModel string
	// Created is the answer's time in seconds since 1970.
	Created int64
	// Choice is the index of the choice that is being answered, Choices how many a Chat client gets, one upstream call for each;
	// 0 stands for 1.
	Choice, Choices int
	// MaxTokensChosen is whether the writer chose the output limit itself (protocols.md D.4).
	MaxTokensChosen bool
	// JSONTool is the name of the tool that stands in for a JSON schema, empty when none does (protocols.md D.8).
	JSONTool string
	// StopEnforced are the stop sequences that the gateway looks for itself (protocols.md D.6).
	StopEnforced []string
}

// FansOut reports whether the several choices that the client wants are to be had by as many upstream calls.
func (x *Exchange) FansOut() bool {
	n := x.Request.Sampling.N
	return x.Options.FanOut && n > 1 && n <= MaxFanOut
}

// Names translates between the names of tools that the client uses and those that the target accepts.
type Names struct {
	pairs []namePair
}

type namePair struct {
	wire string
	tool ToolName
}

// Add notes that a tool goes by the name wire on the target's side.
func (n *Names) Add(wire string, tool ToolName) { n.pairs = append(n.pairs, namePair{wire, tool}) }

// Wire returns the target's name of a tool, or its own name when nothing was noted.
func (n *Names) Wire(namespace, name string) string {
	for i := range n.pairs {
		if p := &n.pairs[i]; p.tool.Name == name && p.tool.Namespace == namespace {
			return p.wire
		}
	}
	return name
}

// Tool returns the client's tool behind a name of the target's; a name that nobody noted is a function's.
func (n *Names) Tool(wire string) ToolName {
	for i := range n.pairs {
		if n.pairs[i].wire == wire {
			return n.pairs[i].tool
		}
	}
	return ToolName{Name: wire}
}

// Taken reports whether the target's name is in use.
func (n *Names) Taken(wire string) bool {
	for i := range n.pairs {
		if n.pairs[i].wire == wire {
			return true
		}
	}
	return false
}

// Reset forgets everything.
func (n *Names) Reset() { n.pairs = n.pairs[:0] }
