package gateway

import (
	"fmt"
	"strings"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// findRoute finds the group that serves the request's model: an exact name or alias, else channel/model.
func (c *call) findRoute() *llm.Error {
	model := c.request.Model
	if g := c.snapshot.groups[model]; g != nil && c.key.groups.has(g.name) {
		c.route.group = g
		if g.hedging != nil && c.outcome.Operation == outcome.Generate {
			g.hedging.count()
		}
		c.outcome.Requested, c.outcome.Group, c.outcome.GroupID = g.spelling(model), g.name, g.id
		return nil
	}
	c.outcome.Requested = strings.Clone(cut(model))
	if name, rest, ok := strings.Cut(model, "/"); ok && rest != "" && len(rest) <= mostOfName {
		if ch := c.snapshot.channels[name]; ch != nil && c.key.channels.has(ch.name) {
			c.route.toChannel(ch, strings.Clone(rest), &c.snapshot.pricing)
			c.route.directMember[0].load = c.snapshot.loads[loadID{ch.id, rest}]
			c.route.direct.metrics = c.gateway.metrics.noGroup
			return nil
		}
	}
	return &llm.Error{
		Kind: llm.NotFound, Code: "model_not_found", Param: "model", NoRetry: true,
		Message: fmt.Sprintf("The model %q does not exist or this API key has no access to it.", cut(model)),
	}
}

// toChannel makes the route to a channel/model: a group of one member, with the default policy.
func (r *route) toChannel(ch *channel, model string, prices *pricing) {
	r.directMember[0] = newMember(ch, model).priced(prices)
	r.direct = group{policy: config.DefaultPolicy(), members: r.directMember[:], balance: firstMember{}}
	r.direct.setEligible()
	r.group = &r.direct
}

// mostOfName is the longest name of a model, in bytes; config allows no longer one.
const mostOfName = 256

// cut bounds a model name for messages and logs.
func cut(name string) string {
	if len(name) > mostOfName {
		return name[:mostOfName]
	}
	return name
}
