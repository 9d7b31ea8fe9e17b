package gateway

import (
	"strconv"
	"strings"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// explain says why there is no answer.
func (c *call) explain() *llm.Error {
	c.outcome.Skipped = c.tried.takeSkipped()
	if c.failure.err != nil {
		c.explainTargets()
		return c.failure.err
	}
	g := c.route.group
	if c.refusal != nil && !c.anyOut() {
		c.failure = failure{class: outcome.ClassInvalid, err: c.refusal}
		return c.refusal
	}
	c.failure.class = outcome.ClassUnavailable
	name := c.outcome.Requested
	switch {
	case c.recall.missing() != nil:
		c.failure.err = c.recall.missing()
	case len(g.members) == 0:
		c.failure.err = &llm.Error{Kind: llm.Unavailable, Message: "Group " + strconv.Quote(name) + " has no members."}
	case g.hasNoKeys():
		c.failure.err = &llm.Error{Kind: llm.Unavailable, Message: "No channel of group " + strconv.Quote(name) + " has a key."}
	case c.anyOut():
		c.failure.err = c.unavailable()
		c.explainTargets()
	case now() >= c.deadline():
		c.failure.err = &llm.Error{Kind: llm.Timeout, Message: "The deadline of group " + strconv.Quote(name) + " has passed."}
	default:
		c.failure.err = &llm.Error{Kind: llm.InvalidRequest, Code: "unsupported_endpoint", NoRetry: true,
			Message: "No channel of group " + strconv.Quote(name) + " can be called in the protocol of this endpoint."}
	}
	return c.failure.err
}

// hasNoKeys reports whether no member's channel has a key.
func (g *group) hasNoKeys() bool {
	for i := range g.members {
		if len(g.members[i].channel.keys) > 0 {
			return false
		}
	}
	return true
}

// eachPossible calls f with the members that the call might have been served by, and why they are out; by is nil for those
// that are not.
func (c *call) eachPossible(f func(m *member, o obstacle)) {
	if c.bypassesHealth() || !c.tried.begun {
		return
	}
	at := now()
	for i := range c.route.group.members {
		if m := &c.route.group.members[i]; c.tried.possible.Has(i) {
			f(m, m.obstacle(at))
		}
	}
}

// anyOut reports whether a member is out that the call might have been served by.
func (c *call) anyOut() bool {
	out := false
	c.eachPossible(func(_ *member, o obstacle) { out = out || o.by != nil })
	return out
}

// unavailable is what a call is told that could be sent nowhere: what all targets are out for says whether and when to try
// again.
func (c *call) unavailable() *llm.Error {
	class := outcome.ClassUnavailable
	c.eachPossible(func(_ *member, o obstacle) {
		if o.by != nil {
			if of := outcome.Class(o.by.class.Load()); rules[of].rank < rules[class].rank {
				class = of
			}
		}
	})
	e := told(class, &llm.Error{})
	switch class {
	case outcome.ClassRateLimited, outcome.ClassQuota, outcome.ClassCredential, outcome.ClassModel:
	default:
		e.Kind = llm.Overloaded // whatever it was, the answer to come back later is the same
	}
	e.Message = "No target of group " + strconv.Quote(c.outcome.Requested) + " is available now."
	return e
}

// mostReasons is how many members an error names.
const mostReasons = 8

// explainTargets adds to what the client is told the reason of each target, and when to try again where all of them are out.
// Addresses and keys stay inside.
func (c *call) explainTargets() {
	if rule := &rules[c.failure.class]; !rule.others || c.failure.class == outcome.ClassContext || c.failure.class == outcome.ClassState {
		return
	}
	var text strings.Builder
	nearest, members, out := never, 0, 0
	c.eachPossible(func(m *member, o obstacle) {
		if members++; o.by != nil {
			out++
			nearest = min(nearest, o.opens)
		}
		if members <= mostReasons {
			c.appendReason(&text, m, o)
		}
	})
	if out == 0 && members < 2 {
		return // what failed says it all
	}
	e := *c.failure.err
	if out == members {
		e.RetryAfter = max(time.Second, now().until(nearest))
	}
	if members > mostReasons {
		text.WriteString("; and " + strconv.Itoa(members-mostReasons) + " more")
	}
	if c.snapshot.config.Settings.RelayHeaders {
		e.Message += " (" + text.String() + ")"
	}
	c.failure.err = &e
}

// appendReason appends why a member has not answered.
func (c *call) appendReason(text *strings.Builder, m *member, o obstacle) {
	class := outcome.ClassNone
	for i := range c.outcome.Attempts {
		if a := &c.outcome.Attempts[i]; a.ChannelID == m.channel.id && a.Model == m.model {
			class = a.Class
		}
	}
	if o.by != nil && class == outcome.ClassNone {
		class = outcome.Class(o.by.class.Load())
	}
	if text.Len() > 0 {
		text.WriteString("; ")
	}
	text.WriteString(m.channel.name + "/" + m.model + ": ")
	if class == outcome.ClassNone {
		text.WriteString("not tried")
		return
	}
	text.WriteString(strings.ReplaceAll(class.String(), "_", " "))
	if o.isProbed(now()) {
		text.WriteString(", being tried again")
	} else if o.by != nil {
		if left := now().until(o.opens); left > 0 {
			text.WriteString(", out for " + left.Round(100*time.Millisecond).String())
		}
	}
}
