package gateway

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"octopus/codec/json"
	"octopus/gateway/config"
	"octopus/lb"
)

// affinityKey is what requests that belong together have in common. The zero value is none: the group's mode decides alone.
type affinityKey struct {
	hash  uint64
	known bool
}

// newAffinity returns the affinity of a group's members. It knows them by the names of their channels, which are the same in
// all replicas, where ids need not be. Weights and priorities count in the modes where they do without affinity.
func newAffinity(mode config.Mode, members []member) *lb.Affinity {
	of, ids := make([]lb.Member, len(members)), make([]uint64, len(members))
	for i, m := range members {
		of[i].Weight = min(m.config.Weight, 1)
		switch mode {
		case config.ModeWeighted:
			of[i].Weight = m.config.Weight
		case config.ModeFailover:
			of[i].Priority = m.config.Priority
		}
		ids[i] = lb.Hash(lb.Hash(0, []byte(m.channel.name)), []byte(m.model))
	}
	return lb.NewAffinity(of, ids)
}

// choose returns the index of the usable member that the next attempt goes to, or -1 when there is none. A key goes to its own
// member, and to the next one of its own while that is not usable.
func (c *call) choose(usable *lb.Set) int {
	if g := c.route.group; g.affinity == nil || !c.affinity.known {
		return g.balance.Pick(usable)
	}
	return c.route.group.affinity.Pick(usable, c.affinity.hash)
}

// findAffinity finds the key of the request, when its group has affinity. The first of these counts that is there:
//
//   - session: the headers x-session-id and session_id, prompt_cache_key, metadata.user_id (Claude Code puts its session
//     there), the conversation's id (the field, or the header conversation_id); else the beginning of the prompt. One id is one
//     key, whichever of them carries it: Codex sends the same as session_id and prompt_cache_key.
//   - prompt-cache: prompt_cache_key; else the beginning of the prompt; else the ids of session.
//
// The beginning of the prompt is the text of the system prompt and of the first user message, which later turns of a
// conversation repeat. Keys of different API keys have nothing in common.
func (c *call) findAffinity(h *fasthttp.RequestHeader) {
	if c.route.group.affinity == nil {
		return
	}
	k, seed := &c.affinity, c.key.scope
	byPrompt := c.route.group.kind == config.AffinityPromptCache
	if !byPrompt && (k.set(seed, h.Peek("X-Session-Id")) || k.set(seed, h.Peek("Session_id"))) {
		// Fast path: the body need not be read again.
		return
	}
	var f affinityFields
	f.read(c.request.Body)
	switch {
	case k.set(seed, inside(f.promptCacheKey)):
	case byPrompt && k.setPrompt(seed, &f):
	case byPrompt && (k.set(seed, h.Peek("X-Session-Id")) || k.set(seed, h.Peek("Session_id"))):
	case k.set(seed, inside(json.Get(f.metadata, "user_id"))):
	case k.set(seed, inside(f.conversation)), k.set(seed, inside(json.Get(f.conversation, "id"))):
	case k.set(seed, h.Peek("Conversation_id")):
	case !byPrompt:
		k.setPrompt(seed, &f)
	}
}

// set makes the key that of an id, and returns false when there is no id.
func (k *affinityKey) set(seed uint64, id []byte) bool {
	if len(id) == 0 {
		return false
	}
	*k = affinityKey{lb.Hash(seed, id), true}
	return true
}

// setPrompt makes the key that of the beginning of the prompt, and returns false when that has no text.
func (k *affinityKey) setPrompt(seed uint64, f *affinityFields) bool {
	h := hashText(seed, f.system)
	h = hashText(h, f.instructions)
	if f.messages != nil {
		h = hashTurns(h, f.messages)
	} else {
		h = hashTurns(h, f.input)
	}
	*k = affinityKey{h, h != seed}
	return k.known
}

// affinityFields are the values of a body that a key may be made of, in the words of all protocols; nil where they are
// missing.
type affinityFields struct {
	promptCacheKey, metadata, conversation, system, instructions, messages, input []byte
}

// read walks over the top level of a body.
func (f *affinityFields) read(body []byte) {
	m := json.Object(body)
	for m.Next() {
		switch string(m.Key) {
		case "prompt_cache_key":
			f.promptCacheKey = m.Value()
		case "metadata":
			f.metadata = m.Value()
		case "conversation":
			f.conversation = m.Value()
		case "system":
			f.system = m.Value()
		case "instructions":
			f.instructions = m.Value()
		case "messages":
			f.messages = m.Value()
		case "input":
			f.input = m.Value()
		}
	}
}

// hashTurns adds the text of a conversation up to its first user message. Other turns than the system's and the user's are
// stepped over. The input of Responses may be a text, which is the user's.
func hashTurns(h uint64, turns []byte) uint64 {
	if inside(turns) != nil {
		return hashText(h, turns)
	}
	e := json.Array(turns)
	for e.Next() {
		var role, content []byte
		m := json.Object(e.Value())
		for m.Next() {
			switch string(m.Key) {
			case "role":
				role = m.Value()
			case "content":
				content = m.Value()
			}
		}
		switch string(role) {
		case `"system"`, `"developer"`:
			h = hashText(h, content)
		case `"user"`:
			return hashText(h, content)
		}
	}
	return h
}

// billingBlock is what the first block of Claude Code's system prompt begins with: it changes with every request.
var billingBlock = []byte("x-anthropic-billing-header:")

// hashText adds the text of a message's content, or nothing when it has none. Texts are taken as they are written: a client
// writes the same text in the same way each time. What stands beside them is left out, because cache marks move from turn
// to turn.
func hashText(h uint64, content []byte) uint64 {
	if text := inside(content); len(text) > 0 {
		return lb.Hash(h, text)
	}
	e := json.Array(content)
	for e.Next() {
		if text := inside(json.Get(e.Value(), "text")); len(text) > 0 && !bytes.HasPrefix(text, billingBlock) {
			h = lb.Hash(h, text)
		}
	}
	return h
}

// inside returns what stands between the quotes of a value, or nil when it is no text.
func inside(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	return value[1 : len(value)-1]
}
