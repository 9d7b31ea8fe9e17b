package gateway

import (
	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// countsHere reports whether the target has no endpoint that counts tokens, so that the gateway counts itself.
func (c *call) countsHere() bool {
	return c.outcome.Operation == outcome.CountTokens && c.attempt.target.codec.Protocol == llm.Chat
}

// lacksCounting reports whether a status of the upstream says that it has no endpoint that counts tokens: many servers that
// are compatible otherwise have none.
func (c *call) lacksCounting(status int) bool {
	return c.outcome.Operation == outcome.CountTokens && (status == 404 || status == 405 || status == 501)
}

// count answers a request to count tokens with an estimate. A client that asks depends on an answer (protocols.md D.22); it can
// tell an estimate by its warning.
func (c *call) count() *llm.Error {
	body, err := codec.EstimateCount(&c.request)
	if err != nil {
		return err
	}
	c.pending, c.state, c.estimated = body, stateEnded, true
	c.releaseBody()
	return nil
}
