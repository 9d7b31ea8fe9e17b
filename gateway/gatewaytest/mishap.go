package gatewaytest

// mishaps are the faults of which the directive mishap chooses one: what real providers do now and then, before an answer
// and inside it.
var mishaps = [...]string{
	"status=429,retry_after=1",
	"status=500",
	"status=502",
	"status=503",
	"status=529",
	"reset",
	"silent",
	"prelude=1h",
	"first=1h",
	"html",
	"empty",
	"error200",
	"truncated",
	"garbage=2",
	"cut=2",
	"cut=2,inside",
	"cut=2,rst",
	"stall=2",
	"errorevent=2",
}

// suffer adds a fault to the script of as many requests as the directive mishap wants.
func (r *reply) suffer() error {
	// A sequence of its own: ids stay what they are without the directive.
	chance := ids{state: ^r.ids.state}
	if int(chance.next()%100) >= r.script.mishap {
		return nil
	}
	fault := mishaps[chance.next()%uint64(len(mishaps))]
	r.record.update(func(e *Exchange) { e.Mishap = fault })
	return r.script.read(fault, false)
}
