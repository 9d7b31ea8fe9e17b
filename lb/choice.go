package lb

// Choice explains a pick. The zero value is no pick: nothing was usable.
type Choice struct {
	// Reason is what decided.
	Reason Reason
	// Candidates is how many members the pick was among: the usable ones that no better priority went before and, while
	// any other is usable, that are no cold standbys.
	Candidates int
}

// Reason is why a member was picked. The zero value is ReasonNone.
type Reason uint8

// The reasons.
const (
	// ReasonNone is that of no pick.
	ReasonNone Reason = iota
	// ReasonOnly means that no other member was usable, cold standbys aside.
	ReasonOnly
	// ReasonStandby means that only cold standbys were usable.
	ReasonStandby
	// ReasonPriority means that the members with later priorities had to stand back.
	ReasonPriority
	// ReasonTurn means that it was the member's turn among equals.
	ReasonTurn
	// ReasonShare means that the member's weight gave it this place of the cycle.
	ReasonShare
	// ReasonChance means that the member was drawn.
	ReasonChance
	// ReasonLoad means that of two members that were drawn this one promised the earlier first token.
	ReasonLoad
	// ReasonAffinity means that requests with the same key go to this member.
	ReasonAffinity
	// Reasons is the number of reasons.
	Reasons = iota
)

var reasonTexts = [Reasons]string{
	"nothing usable", "the only usable one", "standby", "priority", "its turn", "share by weight", "chance", "lower load",
	"affinity",
}

// String returns the reason in few words.
func (r Reason) String() string { return reasonTexts[r] }
