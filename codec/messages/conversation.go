package messages

import (
	"bytes"
	"strconv"
	"strings"

	"octopus/codec/llm"
)

// message is one message to be written. Results of calls stand at its beginning, in the order of the calls.
type message struct {
	role llm.Role
	// firstCall and answers say which of writer.calls are answered here, firstCall and made which are made here.
	firstCall, answers, made int
	// hasResults is whether any of the answers is the client's.
	hasResults bool
	// lostThought is whether a thought of another provider's was left out.
	lostThought bool
	refs        []ref
}

// ref is one block of a message.
type ref struct {
	kind refKind
	item *llm.Item
	// text is the text of a block that is no item, or what is put before an item's.
	text string
	call int // of a call: its index in writer.calls
	path llm.Path
	// thought is what is written of a Thought.
	thought thought
}

// refKind is what a block is made of.
type refKind uint8

const (
	refItem refKind = iota
	refText         // text alone
)

// call is a call of a client's tool, with its result.
type call struct {
	item *llm.Item
	wire string // its id towards the target
	// result is nil while there is none.
	result *llm.Item
	path   llm.Path // of the result
}

// What is written where Anthropic wants text and the client gave none.
const (
	textContinue  = "(continue)" // before a conversation that begins with the assistant
	textGoOn      = "Continue."  // behind one that ends with it
	textEmpty     = "(empty)"
	textNoResult  = "[no result recorded]"
	reminderOpen  = "<system-reminder>\n"
	reminderClose = "\n</system-reminder>"
	orphanOpen    = "[orphan tool result "
)

// planConversation brings the conversation into the order that Anthropic wants (protocols.md D.1, D.3): it begins with the
// user, the roles take turns, and every call is answered in the message behind it.
func (w *writer) planConversation() {
	w.messages = make([]message, 0, len(w.r.Turns)+2)
	w.planSystem()
	if w.native {
		w.planNative()
		return
	}
	ids := callIDs{}
	for i := range w.r.Turns {
		turn := &w.r.Turns[i]
		if turn.Role == llm.System {
			w.planMidSystem(turn)
		} else {
			w.planTurn(turn, &ids)
		}
	}
	w.answerCalls()
	if len(w.messages) > 0 && w.messages[0].role == llm.Assistant {
		first := message{role: llm.User, refs: []ref{{kind: refText, text: textContinue}}}
		w.messages = append([]message{first}, w.messages...)
	}
	if len(w.messages) == 0 {
		w.promoteSystem()
	}
	for i := range w.messages {
		if m := &w.messages[i]; m.role == llm.User && len(m.refs) == 0 && m.answers == 0 {
			m.refs = append(m.refs, ref{kind: refText, text: textEmpty})
		}
	}
	w.endWithUser()
}

// planSystem takes over the system texts that are not empty.
func (w *writer) planSystem() {
	w.system = w.r.System
	for i := range w.r.System {
		if len(w.r.System[i].Text) > 0 && w.r.System[i].Name == "" {
			continue
		}
		// Slow path: leave the empty ones out and say who speaks, in a list of our own.
		w.system = nil
		for j := range w.r.System {
			item := w.r.System[j]
			if len(item.Text) == 0 {
				continue
			}
			if prefix := w.speaker(item.Name); prefix != "" {
				item.Text = append([]byte(prefix), item.Text...)
			}
			w.system = append(w.system, item)
		}
		return
	}
}

// promoteSystem makes the last system text the user's message of a conversation without any.
func (w *writer) promoteSystem() {
	m := message{role: llm.User}
	if n := len(w.system); n > 0 {
		last := &w.system[n-1]
		w.system = w.system[:n-1]
		m.refs = append(m.refs, ref{item: last})
	}
	w.messages = append(w.messages, m)
}

// planNative takes the conversation as it is, foreign reasoning left out.
func (w *writer) planNative() {
	for i := range w.r.Turns {
		turn := &w.r.Turns[i]
		m := message{role: turn.Role}
		for j := range turn.Items {
			item := &turn.Items[j]
			r := ref{item: item, path: turn.Path}
			if item.Kind == llm.Result {
				m.hasResults = true
			}
			if item.Kind == llm.Thought {
				if r.thought = w.restore(item); r.thought.kind == thoughtGone {
					w.drop("messages.content.thinking")
					m.lostThought = true
					continue
				}
			}
			m.refs = append(m.refs, r)
		}
		if len(m.refs) > 0 || len(turn.Items) == 0 {
			w.messages = append(w.messages, m)
		}
	}
}

// last returns the message that a turn of this role continues, a new one unless the last one has the role.
func (w *writer) last(role llm.Role) *message {
	if n := len(w.messages); n > 0 && w.messages[n-1].role == role {
		return &w.messages[n-1]
	}
	w.messages = append(w.messages, message{role: role, firstCall: len(w.calls)})
	return &w.messages[len(w.messages)-1]
}

// planMidSystem takes over a system text inside the conversation: in place where the model knows that, else as a reminder in
// the user's words. It is never moved to the front, which would change its place and the cache's prefix.
func (w *writer) planMidSystem(turn *llm.Turn) {
	text := []byte(w.speaker(turn.Name))
	empty := len(text)
	for i := range turn.Items {
		if item := &turn.Items[i]; item.Kind == llm.Text && len(item.Text) > 0 {
			if len(text) > empty {
				text = append(text, "\n\n"...)
			}
			text = append(text, item.Text...)
			if item.Name != "" {
				// An item of another kind that has a text, such as Codex's agent_message.
				w.approximate("input." + item.Name)
			}
		}
	}
	if len(bytes.TrimSpace(text[empty:])) == 0 {
		return
	}
	n := len(w.messages)
	if w.model.MidSystem && n > 0 && w.messages[n-1].role != llm.Assistant {
		m := w.last(llm.System)
		m.refs = append(m.refs, ref{kind: refText, text: string(text), path: turn.Path})
		return
	}
	m := w.last(llm.User)
	m.refs = append(m.refs, ref{kind: refText, text: reminderOpen + string(text) + reminderClose, path: turn.Path})
}

// planTurn takes over a turn of the user or the assistant.
func (w *writer) planTurn(turn *llm.Turn, ids *callIDs) {
	prefix := w.speaker(turn.Name)
	onlyResults := len(turn.Items) > 0
	for i := range turn.Items {
		item := &turn.Items[i]
		if item.Phase != "" {
			w.drop("input.phase")
		}
		if item.Kind == llm.Result {
			w.planResult(turn, item, ids)
			continue
		}
		onlyResults = false
		r, ok := w.refOf(turn, item)
		if !ok {
			continue
		}
		if item.Kind == llm.Text && prefix != "" {
			r.text, prefix = prefix, ""
		}
		m := w.last(turn.Role)
		if item.Kind == llm.Call {
			r.call = len(w.calls)
			w.calls = append(w.calls, call{item: item, wire: ids.add(item.CallID, r.call)})
			m.made++
		}
		m.refs = append(m.refs, r)
	}
	if turn.Role == llm.User && (!onlyResults || w.answersLast()) {
		w.last(llm.User)
	}
}

// speaker returns what goes in front of a participant's text to say who speaks, where the channel wants that: this protocol has
// no names of participants.
func (w *writer) speaker(name string) string {
	switch {
	case name == "":
		return ""
	case w.x.Options.NamePrefix:
		w.approximate("messages.name")
		return name + ": "
	}
	w.drop("messages.name")
	return ""
}

// answersLast reports whether the last message is the assistant's and a call in it has its result.
func (w *writer) answersLast() bool {
	n := len(w.messages)
	if n == 0 || w.messages[n-1].role != llm.Assistant {
		return false
	}
	m := &w.messages[n-1]
	for c := m.firstCall; c < m.firstCall+m.made; c++ {
		if w.calls[c].result != nil {
			return true
		}
	}
	return false
}

// refOf returns the block that an item becomes, or false when it is left out.
func (w *writer) refOf(turn *llm.Turn, item *llm.Item) (ref, bool) {
	r := ref{item: item, path: turn.Path}
	switch item.Kind {
	case llm.Text, llm.Refusal:
		return r, len(bytes.TrimSpace(item.Text)) > 0
	case llm.Image, llm.File, llm.Audio:
		if turn.Role == llm.Assistant {
			w.refuse(codeUnsupportedValue, w.pathOf(turn.Path), "Move what is no text to a user message.")
			return r, false
		}
		return r, w.checkMedia(item, turn.Path)
	case llm.Thought:
		if r.thought = w.restore(item); r.thought.kind == thoughtGone {
			w.drop(w.word("messages.reasoning_content", "input.encrypted_content"))
			return r, false
		}
		return r, turn.Role == llm.Assistant
	case llm.Hosted:
		if item.RawProtocol == llm.Messages && item.Raw != nil {
			return r, true
		}
		w.drop(w.word("messages.content", "input."+item.Name))
		return r, false
	case llm.Reference:
		w.failNotFound(codeItemNotFound, w.pathOf(turn.Path)+".id", "the item "+item.ID+" is not known here")
		return r, false
	case llm.Opaque:
		w.refuse(codeUnsupportedItem, w.pathOf(turn.Path), "Remove the item of type "+item.Name+
			" or use a channel of its own protocol.")
		return r, false
	}
	return r, true
}

// pathOf puts a path into words.
func (w *writer) pathOf(path llm.Path) string {
	if path.List == "" {
		return w.word("messages", "input")
	}
	return path.List + "[" + strconv.Itoa(path.Index) + "]"
}

// planResult gives a result to its call. The last of several counts.
func (w *writer) planResult(turn *llm.Turn, item *llm.Item, ids *callIDs) {
	k, ok := ids.known[item.CallID]
	c := k.latest
	if !ok {
		w.approximate(w.word("messages.tool_call_id", "input.call_id"))
		m := w.last(llm.User)
		m.refs = append(m.refs, ref{kind: refText, text: orphanOpen + item.CallID + "] " + plainText(item), path: turn.Path})
		return
	}
	if w.calls[c].result != nil {
		w.drop(w.word("messages.content", "input.output"))
	}
	w.calls[c].result, w.calls[c].path = item, turn.Path
	for i := range item.Parts {
		if part := &item.Parts[i]; part.Kind == llm.Image || part.Kind == llm.File || part.Kind == llm.Audio {
			w.checkMedia(part, turn.Path)
		}
	}
}

// plainText returns the text of a result.
func plainText(item *llm.Item) string {
	var b strings.Builder
	for i := range item.Parts {
		if item.Parts[i].Kind == llm.Text {
			b.Write(item.Parts[i].Text)
		}
	}
	return b.String()
}

// answerCalls sees to it that behind each message with calls stands one with their results.
func (w *writer) answerCalls() {
	for i := 0; i < len(w.messages); i++ {
		m := &w.messages[i]
		if m.role != llm.Assistant || m.made == 0 {
			continue
		}
		first, made, isLast := m.firstCall, m.made, i == len(w.messages)-1
		hasResults := false
		for c := first; c < first+made; c++ {
			switch {
			case w.calls[c].result != nil:
				hasResults = true
			case isLast || !w.x.Options.Repair:
				w.fail(&llm.Error{
					Kind: llm.InvalidRequest, Code: codeInvalidValue, Param: w.word("messages", "input"),
					Message: "the call `" + w.calls[c].item.CallID + "` has no result",
				})
				return
			default:
				w.approximate(w.word("messages.tool_call_id", "input.call_id"))
			}
		}
		if isLast || w.messages[i+1].role != llm.User {
			w.messages = append(w.messages, message{})
			copy(w.messages[i+2:], w.messages[i+1:])
			w.messages[i+1] = message{role: llm.User}
		}
		next := &w.messages[i+1]
		next.firstCall, next.answers, next.hasResults = first, made, hasResults
	}
}

// endWithUser puts a request to go on behind a conversation that ends with the assistant, unless the model takes that for the
// beginning of its answer.
func (w *writer) endWithUser() {
	if n := len(w.messages); w.messages[n-1].role != llm.Assistant || w.model.Prefill && !w.wantsThinking() {
		return
	}
	w.messages = append(w.messages, message{role: llm.User, refs: []ref{{kind: refText, text: textGoOn}}})
}

// wantsThinking reports whether the client asks for thinking, which rules out the beginning of an answer.
func (w *writer) wantsThinking() bool {
	q := &w.r.Reasoning
	if q.Thinking != "" {
		return q.Thinking != llm.ThinkingOff
	}
	return q.Effort != "" && q.Effort != llm.EffortNone
}

// callIDs gives calls their ids towards the target, which are never used twice (protocols.md D.3, D.20). The zero value is
// ready.
type callIDs struct {
	known   map[string]knownID // by the client's id
	used    map[string]bool    // the target's
	scratch []byte
}

// knownID is a client's id of calls.
type knownID struct {
	latest int // the last call of that id
	count  int
}

// add returns the id of a call. The second call of an id is ID_2, and so on.
func (ids *callIDs) add(id string, call int) string {
	if ids.known == nil {
		ids.known, ids.used = make(map[string]knownID), make(map[string]bool)
	}
	k := ids.known[id]
	wire := ""
	for wire == "" || ids.used[wire] {
		k.count++
		wire = ids.wire(id, k.count)
	}
	ids.used[wire] = true
	k.latest = call
	ids.known[id] = k
	return wire
}

// wire returns the target's form of a client's id at its nth use.
func (ids *callIDs) wire(id string, n int) string {
	if n > 1 {
		id += "_" + strconv.Itoa(n)
	}
	if ids.scratch = llm.AppendCallID(ids.scratch[:0], id); string(ids.scratch) == id {
		return id
	}
	return string(ids.scratch)
}
