package gateway

import (
	"strconv"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// explain says why there is no answer.
func (c *call) explain() *llm.Error {
	if c.failure.err != nil {
		return c.failure.err
	}
	if c.refusal != nil {
		c.failure = failure{class: outcome.ClassInvalid, err: c.refusal}
		return c.refusal
	}
	c.failure.class = outcome.ClassUnavailable
	g := c.route.group
	name := c.outcome.Requested
	switch {
	case c.recall.missing() != nil:
		c.failure.err = c.recall.missing()
	case len(g.members) == 0:
		c.failure.err = &llm.Error{Kind: llm.Unavailable, Message: "Group " + strconv.Quote(name) + " has no members."}
	case g.hasNoKeys():
		c.failure.err = &llm.Error{Kind: llm.Unavailable, Message: "No channel of group " + strconv.Quote(name) + " has a key."}
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
