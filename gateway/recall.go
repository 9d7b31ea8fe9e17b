package gateway

import (
	"strings"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// recall is what a call may look up of earlier answers, and what that says of its targets. The zero value finds
// nothing.
type recall struct {
	memory Memory
	key    string // of the API key: nobody finds another's answers
	// channel is the id of the channel whose upstream remembers the response that the request goes on from; ours tells that
	// the gateway does. Neither where it goes on from none.
	channel string
	ours    bool
	// kind is what the request goes on from: a response or, of an Anthropic client, a thread.
	kind string
}

var _ codec.Recall = (*recall)(nil)

// What is kept under the id of a response is the record that the bridge made of it, which begins with a brace, or the id of
// the channel whose upstream remembers it. Under the id of an item the id of its response is kept.
const (
	responseKey = "response/"
	threadKey   = "thread/" // by the id of its last message: the channel whose upstream keeps the thread
	itemKey     = "item/"
	thoughtKey  = "thought/" // by the id of a call: the reasoning that led to it
)

// begin makes the memory of the call's API key available to it, and finds who remembers what it goes on from.
func (r *recall) begin(c *call) {
	*r = recall{memory: c.gateway.memory, key: c.key.id, kind: kindOf(c.request.Protocol)}
	if c.snapshot.config.Settings.ResponseStore.MaxBytes > 0 {
		c.request.Recall = r
	}
	if previous := c.request.Previous; previous != "" {
		switch kept := r.find(r.kind, previous); {
		case len(kept) == 0:
		case kept[0] == '{':
			r.ours = true
		default:
			r.channel = string(kept)
		}
	}
}

// kindOf returns what clients of a protocol go on from.
func kindOf(client llm.Protocol) string {
	if client == llm.Messages {
		return threadKey
	}
	return responseKey
}

func (r *recall) find(kind, id string) []byte { return r.memory.Find(kind + r.key + "/" + id) }

// Response implements codec.Recall.
func (r *recall) Response(id string) []byte {
	if kept := r.find(responseKey, id); len(kept) > 0 && kept[0] == '{' {
		return kept
	}
	return nil
}

// Item implements codec.Recall.
func (r *recall) Item(id string) []byte {
	if response := r.find(itemKey, id); response != nil {
		return r.Response(string(response))
	}
	return nil
}

// Thoughts implements codec.Recall.
func (r *recall) Thoughts(callID string) []byte { return r.find(thoughtKey, callID) }

// narrow takes the members out of the set that don't know the response that the request goes on from.
func (r *recall) narrow(usable *lb.Set, members []member) {
	if r.channel == "" && !r.ours {
		return
	}
	for i := range members {
		m := &members[i]
		if r.channel != "" && m.channel.id != r.channel || r.ours && m.via[llm.Responses] == llm.Responses {
			usable.Remove(i)
		}
	}
}

// missing returns the error of a request that goes on from a response which no target knows, or nil.
func (r *recall) missing() *llm.Error {
	if r.channel == "" && !r.ours {
		return nil
	}
	if r.kind == threadKey {
		return &llm.Error{Kind: llm.NotFound, Code: "thread_not_found", Param: "thread.previous_message_id", NoRetry: true,
			Message: "The channel that keeps the thread is not available. Send the whole conversation."}
	}
	return &llm.Error{Kind: llm.NotFound, Code: "previous_response_not_found", Param: "previous_response_id", NoRetry: true,
		Message: "The channel that made the previous response is not available. Send the whole conversation as input."}
}

// remember keeps what later requests may refer to of the answer, which is complete. It runs before the client gets the end of
// the answer: its next request may follow at once.
func (c *call) remember() {
	if c.outcome.Operation != outcome.Generate {
		return
	}
	m := c.attempt.bridge.Remember()
	key := c.key.id + "/"
	for _, id := range m.Calls {
		c.gateway.memory.Keep(thoughtKey+key+id, m.Thoughts)
	}
	if m.ID == "" || strings.ContainsFunc(m.ID, notOfID) {
		return
	}
	value := m.Record
	if value == nil {
		value = []byte(c.attempt.target.member.channel.id)
	}
	c.gateway.memory.Keep(kindOf(c.request.Protocol)+key+m.ID, value)
	for _, item := range m.Items {
		c.gateway.memory.Keep(itemKey+key+item, []byte(m.ID))
	}
}

// notOfID reports whether an id, which may come back in the path of a request, must not have that character.
func notOfID(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// forget drops a response and its items.
func (r *recall) forget(id string, items []string) {
	for _, item := range items {
		r.memory.Drop(itemKey + r.key + "/" + item)
	}
	r.memory.Drop(responseKey + r.key + "/" + strings.Clone(id))
}
