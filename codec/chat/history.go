package chat

import (
	"bytes"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// billingPrefix begins Claude Code's first system text, which changes from request to request. It would make every
// prompt cache miss, and says nothing to a model (protocols.md D.1).
var billingPrefix = []byte("x-anthropic-billing-header:")

// continueNote makes up for an answer that the client has begun and the model can't continue as such (protocols.md
// D.3).
const continueNote = "Continue the last assistant message exactly where it stops; do not repeat it."

// writeMessages writes the conversation (protocols.md B.4).
func (w *writer) writeMessages() {
	w.pairUp()
	system, messages := w.countMarks()
	w.spare = max(0, system+messages-maxMarks)
	w.key("messages")
	w.dst = append(w.dst, '[')
	w.writeSystem()
	for i := range w.r.Turns {
		if w.err != nil {
			return
		}
		switch t := &w.r.Turns[i]; t.Role {
		case llm.Assistant:
			w.writeAssistant(i, t)
		case llm.System:
			w.writeMidSystem(t)
		default:
			w.writeUser(i, t)
		}
	}
	if n := len(w.r.Turns); n > 0 && w.r.Turns[n-1].Role == llm.Assistant && w.r.Protocol == llm.Messages {
		w.approximate("messages")
		w.writeNote(continueNote)
	}
	w.dst = append(w.dst, ']')
}

// open begins a message.
func (w *writer) open(role string) {
	if w.dst[len(w.dst)-1] != '[' {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(append(append(w.dst, `{"role":"`...), role...), '"')
}

// systemRole is the role of system texts.
func (w *writer) systemRole() string {
	if w.model.DeveloperRole && !w.x.Options.SystemRole {
		return "developer"
	}
	return "system"
}

// writeSystem writes the leading system texts as one message.
func (w *writer) writeSystem() {
	items := w.r.System
	if w.r.Protocol == llm.Messages && len(items) > 0 && bytes.HasPrefix(items[0].Text, billingPrefix) {
		items = items[1:]
	}
	if len(items) == 0 {
		return
	}
	for i := range items[1:] {
		if items[1+i].Name != "" {
			w.drop("messages.name") // one message has one name
		}
	}
	w.writeSystemMessage(items, items[0].Name)
}

func (w *writer) writeSystemMessage(items []llm.Item, name string) {
	marked := false
	for i := range items {
		if items[i].Kind != llm.Text {
			w.refuse(w.word("messages", "input", "system"), "unsupported_value",
				"has something other than text in a system message")
			return
		}
		if items[i].Cache != llm.CacheNone {
			if marked = w.model.CacheBreakpoints; !marked {
				w.dropMark()
			}
		}
	}
	w.open(w.systemRole())
	w.text("name", name)
	w.key("content")
	if marked {
		w.dst = append(w.dst, '[')
		for i := range items {
			w.part()
			w.writeTextPart(items[i].Text, items[i].Cache)
		}
		w.dst = append(w.dst, ']', '}')
		return
	}
	w.dst = append(w.dst, '"')
	for i := range items {
		if i > 0 {
			w.dst = append(w.dst, `\n\n`...)
		}
		w.dst = appendEscaped(w.dst, items[i].Text)
	}
	w.dst = append(w.dst, '"', '}')
}

// writeMidSystem writes a system text in the middle of the conversation: in its place, or as a user's text where the
// channel takes only leading ones.
func (w *writer) writeMidSystem(t *llm.Turn) {
	for i := range t.Items {
		if t.Items[i].Name != "" {
			w.approximate("input." + t.Items[i].Name) // a message of another agent, as Codex has them
		}
	}
	if w.x.Options.MidSystem {
		w.writeSystemMessage(t.Items, t.Name)
		return
	}
	w.approximate(w.word("messages", "input", "messages"))
	w.open("user")
	w.key("content")
	w.dst = append(w.dst, `"<system-reminder>`...)
	for i := range t.Items {
		w.dst = append(w.dst, `\n`...)
		w.dst = appendEscaped(w.dst, t.Items[i].Text)
	}
	w.dst = append(w.dst, `\n</system-reminder>"}`...)
}

// writeNote writes a system text of the gateway's own.
func (w *writer) writeNote(text string) {
	w.writeMidSystem(&llm.Turn{Role: llm.System, Items: []llm.Item{{Text: []byte(text)}}})
}

// writeAssistant writes what the model said, and the results of the tools it called.
func (w *writer) writeAssistant(index int, t *llm.Turn) {
	ends := w.pairs.of(index)
	s := w.summarize(t)
	if s.empty() {
		return // nothing is left of the turn, and no upstream accepts an empty one
	}
	w.open("assistant")
	w.text("name", t.Name)
	w.key("content")
	if s.texts == 0 {
		w.dst = append(w.dst, "null"...)
	} else {
		w.writeJoined(t, llm.Text, "")
	}
	if s.refusals > 0 {
		w.key("refusal")
		w.writeJoined(t, llm.Refusal, "")
	}
	if s.thoughts > 0 {
		w.key("reasoning_content")
		w.writeJoined(t, llm.Thought, `\n\n`)
	}
	w.member("audio", s.audio)
	if s.calls == 0 {
		w.dst = append(w.dst, '}')
		return
	}
	w.dst = append(w.dst, `,"tool_calls":[`...)
	for i := range ends {
		w.part()
		w.writeCall(ends[i].item)
	}
	w.dst = append(w.dst, ']', '}')
	w.writeResults(index, ends)
}

// said is what there is to write of an assistant's turn.
type said struct {
	texts, refusals, thoughts, calls int
	audio                            []byte
}

func (s *said) empty() bool {
	return s.texts+s.refusals+s.calls == 0 && s.thoughts == 0 && s.audio == nil
}

// summarize counts what there is to write, and decides about everything else.
func (w *writer) summarize(t *llm.Turn) said {
	var s said
	for i := range t.Items {
		item := &t.Items[i]
		w.warnOfItem(item, t.Role)
		switch item.Kind {
		case llm.Text:
			s.texts++
		case llm.Refusal:
			s.refusals++
		case llm.Call:
			s.calls++
		case llm.Thought:
			if w.echoes(item) {
				s.thoughts++
				w.warnOfSeal(item)
			} else {
				w.drop(w.word("messages.reasoning_content", "input.reasoning", "messages.content.thinking"))
			}
		case llm.Opaque:
			if item.RawProtocol == llm.Chat && item.Name == "audio" {
				s.audio = item.Raw
			} else {
				w.leaveOutItem(t, item)
			}
		default:
			w.leaveOutItem(t, item)
		}
	}
	return s
}

// warnOfItem notes what Chat has no place for in an item that is written. Marks of prompt caching stand at users'
// parts only.
func (w *writer) warnOfItem(item *llm.Item, role llm.Role) {
	if item.Phase != "" {
		w.drop("input.phase")
	}
	if item.Cache != llm.CacheNone && (role == llm.Assistant || !isMarkable(item)) {
		w.dropMark()
	}
	if len(item.Citations) > 0 {
		w.drop(w.word("messages.annotations", "input.content.annotations", "messages.content.citations"))
	}
}

// echoes reports whether reasoning goes back to the upstream: where the channel wants it, and where it was this
// channel's own. Chat knows no opaque part of it.
func (w *writer) echoes(item *llm.Item) bool {
	switch {
	case len(item.Text) == 0:
		return false
	case w.x.Options.EchoReasoning:
		return true
	case len(item.Seal) == 0:
		return w.r.Protocol == llm.Chat
	case w.x.Sealer == nil:
		return false
	}
	s, _, ok := w.x.Sealer.Open(item.Seal)
	return ok && s.Kind == llm.SealContent
}

// warnOfSeal notes that reasoning goes to the upstream without what its provider has signed or encrypted of it.
func (w *writer) warnOfSeal(item *llm.Item) {
	if len(item.Seal) == 0 {
		return
	}
	if w.x.Sealer != nil {
		if s, _, ok := w.x.Sealer.Open(item.Seal); ok && (s.Kind == llm.SealContent || s.Kind == llm.SealNone) {
			return // there was none
		}
	}
	w.drop(w.word("messages.reasoning_details", "input.reasoning.encrypted_content", "messages.content.thinking.signature"))
}

// leaveOutItem decides about an item that Chat has no form for.
func (w *writer) leaveOutItem(t *llm.Turn, item *llm.Item) {
	name := item.Name
	switch item.Kind {
	case llm.Hosted:
		if name == "" {
			name = "hosted"
		}
		w.drop(w.word("messages.", "input.", "messages.content.") + name)
	case llm.Reference:
		if w.err == nil {
			w.err = &llm.Error{
				Kind: llm.NotFound, Code: "item_not_found", Param: turnPath(t),
				Message: "item `" + item.ID + "` is not stored here: send store: false and the whole conversation as input",
			}
		}
	case llm.Image, llm.Audio, llm.File:
		w.refuse(turnPath(t), "unsupported_value", "has content that is only possible in a user's message")
	default:
		w.refuse(turnPath(t), "unsupported_item", "is an item of type "+name+", which is not available")
	}
}

// turnPath returns where a turn stands in the client's body.
func turnPath(t *llm.Turn) string {
	return (&place{up: &place{name: t.Path.List}, index: t.Path.Index}).String()
}

// writeJoined writes the texts of all items of one kind as one string. separator stands in JSON.
func (w *writer) writeJoined(t *llm.Turn, kind llm.ItemKind, separator string) {
	w.dst = append(w.dst, '"')
	first := true
	for i := range t.Items {
		item := &t.Items[i]
		if item.Kind != kind || kind == llm.Thought && !w.echoes(item) {
			continue
		}
		if !first {
			w.dst = append(w.dst, separator...)
		}
		first = false
		w.dst = appendEscaped(w.dst, item.Text)
	}
	w.dst = append(w.dst, '"')
}

// writeCall writes one element of tool_calls.
func (w *writer) writeCall(item *llm.Item) {
	if item.RawProtocol == llm.Chat && item.Raw != nil {
		w.dst = append(w.dst, item.Raw...)
		return
	}
	w.dst = append(w.dst, `{"id":"`...)
	w.dst = w.appendCallID(item.CallID)
	name := w.wireName(item.Namespace, item.Name)
	if item.Custom && (w.x.Options.CustomTools || w.r.Protocol == llm.Chat) {
		w.dst = append(w.dst, `","type":"custom","custom":{"name":`...)
		w.dst = json.AppendString(w.dst, name)
		w.dst = append(w.dst, `,"input":`...)
		w.dst = append(json.AppendString(w.dst, item.Text), "}}"...)
		return
	}
	w.dst = append(w.dst, `","type":"function","function":{"name":`...)
	w.dst = json.AppendString(w.dst, name)
	arguments := item.Arguments
	switch {
	case item.Custom:
		w.scratch = append(w.scratch[:0], `{"input":`...)
		w.scratch = append(json.AppendString(w.scratch, item.Text), '}')
		arguments = w.scratch
	case len(bytes.TrimSpace(arguments)) == 0:
		arguments = emptyObject
	}
	w.key("arguments")
	w.dst = append(json.AppendString(w.dst, arguments), "}}"...)
}

// appendCallID appends the id of a call as the upstream takes it. Between equal protocols it is the client's.
func (w *writer) appendCallID(id string) []byte {
	if w.r.Protocol == llm.Chat {
		return llm.AppendCallID(w.dst, id)
	}
	return w.x.Options.CallIDs.Append(w.dst, id)
}

// emptyObject are the arguments of a call without any.
var emptyObject = []byte("{}")

// writeUser writes a user's message, without the results that stand behind their calls already.
func (w *writer) writeUser(index int, t *llm.Turn) {
	texts, others, orphans := 0, 0, 0
	marked := false
	ends := w.pairs.of(index)
	for i := range ends {
		if ends[i].claim == none {
			orphans++
		}
	}
	for i := range t.Items {
		item := &t.Items[i]
		switch item.Kind {
		case llm.Result:
			continue
		case llm.Text:
			texts++
		case llm.Image, llm.Audio, llm.File:
			others++
		default:
			w.leaveOutItem(t, item)
			continue
		}
		w.warnOfItem(item, t.Role)
		marked = marked || item.Cache != llm.CacheNone
	}
	if texts+others+orphans == 0 && len(t.Items) > 0 {
		return
	}
	w.open("user")
	w.text("name", t.Name)
	w.key("content")
	if plain := texts == 1 && others+orphans == 0 && !(marked && w.model.CacheBreakpoints); plain || len(t.Items) == 0 {
		if marked {
			w.dropMark()
		}
		w.writeJoined(t, llm.Text, "")
		w.dst = append(w.dst, '}')
		return
	}
	w.dst = append(w.dst, '[')
	for i := range ends {
		if ends[i].claim == none {
			w.writeOrphan(ends[i].item)
		}
	}
	for i := range t.Items {
		switch item := &t.Items[i]; item.Kind {
		case llm.Text, llm.Image, llm.Audio, llm.File:
			w.part()
			w.writePart(item)
		}
	}
	w.dst = append(w.dst, ']', '}')
}
