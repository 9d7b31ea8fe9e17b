package gateway

import (
	"net/netip"
	"time"

	"octopus/codec/llm"
)

// RunningRequest is a request that has a route and has not finished.
type RunningRequest struct {
	// ID is the request id that the client is told, Start when its head had been read.
	ID    string
	Start time.Time
	// Protocol is what the client speaks, Stream whether it asked for a stream.
	Protocol llm.Protocol
	Stream   bool
	// Requested is the model as the client named it; Group is the group that serves it, empty for channel/model.
	Requested, Group string
	// APIKeyID and APIKeyName name the client's API key. Client is the client's address.
	APIKeyID, APIKeyName string
	Client               netip.Addr
	// Attempts counts the upstream calls so far; Channel, Key (its id) and Model are the target of the last one, empty before
	// the first.
	Attempts            int
	Channel, Key, Model string
	// Answering is whether the answer has begun.
	Answering bool
}

// shown is what others may read of a call, under call.mu.
type shown struct {
	RunningRequest
	// id is the request's, empty while the call has no route.
	id [requestIDLength]byte
}

// Running returns the requests that run now, in no order.
func (g *Gateway) Running() []RunningRequest {
	var list []RunningRequest
	g.clients.each(func(client *clientConn) {
		c := client.call.Load()
		if c == nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		// The call may be over, or another client's, by now.
		if c.client == client && c.shown.id != [requestIDLength]byte{} {
			r := c.shown.RunningRequest
			r.ID = string(c.shown.id[:])
			list = append(list, r)
		}
	})
	return list
}

// show lets others see the call, whose route is found.
func (c *call) show() {
	o := &c.outcome
	c.mu.Lock()
	defer c.mu.Unlock()
	copy(c.shown.id[:], c.id)
	c.shown.RunningRequest = RunningRequest{
		Start: o.Start, Protocol: o.Protocol, Stream: o.Stream, Requested: o.Requested, Group: o.Group,
		APIKeyID: o.APIKeyID, APIKeyName: o.APIKeyName, Client: o.Client,
	}
}

// showTarget notes that an attempt begins.
func (c *call) showTarget(t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown.Attempts++
	c.shown.Channel, c.shown.Key, c.shown.Model = t.member.channel.name, t.key.id, t.member.model
}

// showAnswering notes that the answer has begun, on a target.
func (c *call) showAnswering(t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown.Answering = true
	// The attempt that was begun last may have lost a race.
	c.shown.Channel, c.shown.Key, c.shown.Model = t.member.channel.name, t.key.id, t.member.model
}
