package responses

import (
	"bytes"
	"slices"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// billingPrefix begins the system block in which Claude Code tells Anthropic whom to bill. It changes with every request and
// means nothing to others.
const billingPrefix = "x-anthropic-billing-header:"

// continuation asks for what Anthropic's models do by themselves when the last message is their own.
const continuation = "Continue the last assistant message exactly where it stops; do not repeat it."

// noResult stands for the result of a call that has none.
const noResult = "[no result recorded]"

func isBilling(text []byte) bool { return bytes.HasPrefix(text, []byte(billingPrefix)) }

// conversation writes instructions and input.
func (w *writer) conversation() {
	var pairs pairing
	if !w.own {
		pairs = w.pair()
	}
	system := w.system()
	inInput := w.systemInInput(system)
	if !inInput {
		w.instructions(system)
	}
	w.dst = append(w.dst, `,"input":[`...)
	before := len(w.dst)
	switch {
	case w.own:
		w.ownSystem()
	case inInput:
		w.developer(system, nil)
	}
	for i := range w.r.Turns {
		w.turn(i, &pairs)
	}
	if n := len(w.r.Turns); n > 0 && w.r.Protocol == llm.Messages && endsInText(&w.r.Turns[n-1]) {
		w.approximate("messages")
		w.developer([]llm.Item{{Kind: llm.Text, Text: []byte(continuation)}}, nil)
	}
	if len(w.dst) > before && w.dst[len(w.dst)-1] == ',' {
		w.dst = w.dst[:len(w.dst)-1]
	}
	w.dst = append(w.dst, ']')
}

// endsInText reports whether a turn is the model's and ends in its text.
func endsInText(t *llm.Turn) bool {
	return t.Role == llm.Assistant && len(t.Items) > 0 && t.Items[len(t.Items)-1].Kind == llm.Text
}

// system returns the system texts that are sent.
func (w *writer) system() []llm.Item {
	system := w.r.System
	switch w.r.Protocol {
	case llm.Responses:
		return system
	case llm.Chat:
		return w.named(system)
	}
	kept := make([]llm.Item, 0, len(system))
	for i := range system {
		if len(system[i].Text) > 0 && !isBilling(system[i].Text) {
			kept = append(kept, system[i])
		}
	}
	return kept
}

// named returns system texts with what goes in front of them to say who speaks.
func (w *writer) named(system []llm.Item) []llm.Item {
	for i := range system {
		if system[i].Name == "" {
			continue
		}
		if name := w.speaker(system[i].Name); name != nil {
			system = slices.Clone(system)
			system[i].Text = append(name, system[i].Text...)
		}
	}
	return system
}

// systemInInput reports whether the system texts are sent as a message: to keep their marks, or because there is no other.
func (w *writer) systemInInput(system []llm.Item) bool {
	if w.own || len(system) == 0 {
		return false
	}
	if len(w.r.Turns) == 0 {
		return true
	}
	for i := range system {
		if system[i].Cache != llm.CacheNone && w.model.CacheBreakpoints {
			return true
		}
	}
	return false
}

// instructions writes the system texts as one.
func (w *writer) instructions(system []llm.Item) {
	if w.own {
		w.raw("instructions", w.echo("instructions"))
		return
	}
	var text []byte
	for i := range system {
		if system[i].Cache != llm.CacheNone {
			w.drop("cache_control")
		}
		switch {
		case len(system) == 1:
			text = system[i].Text
		case len(system[i].Text) > 0:
			text = append(joined(text), system[i].Text...)
		}
	}
	if len(text) > 0 {
		w.name("instructions")
		w.dst = json.AppendString(w.dst, text)
	}
}

// ownSystem writes the leading system messages of a client of this protocol; its instructions have been written.
func (w *writer) ownSystem() {
	system := w.r.System
	if text, ok := json.Unquote(w.echo("instructions")); ok && len(text) > 0 && len(system) > 0 {
		system = system[1:]
	}
	if raw := w.echo("instructions"); len(raw) > 0 && raw[0] == '[' {
		return // they are the system texts
	}
	if len(system) > 0 {
		w.developer(system, nil)
	}
}

// developer writes a developer message, and the comma behind it. name goes in front of its first text.
func (w *writer) developer(texts []llm.Item, name []byte) {
	w.dst = append(w.dst, `{"type":"message","role":"developer","content":[`...)
	for i := range texts {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.part(&texts[i], "input_text", name)
		name = nil
	}
	w.dst = append(w.dst, "]},"...)
}

// turn writes the items of one turn, each with the comma behind it.
func (w *writer) turn(index int, pairs *pairing) {
	t := &w.r.Turns[index]
	w.at = t
	switch {
	case len(t.Items) == 0:
	case t.Role == llm.System:
		w.systemTurn(t)
	case t.Role == llm.Assistant:
		w.assistantTurn(index, pairs)
	default:
		w.userTurn(index, pairs)
	}
}

func (w *writer) systemTurn(t *llm.Turn) {
	if it := &t.Items[0]; w.own && it.Name != "" && it.Raw != nil {
		// An item that counts as a developer's text elsewhere.
		w.dst = append(append(w.dst, it.Raw...), ',')
		return
	}
	for i := range t.Items {
		if t.Items[i].Kind != llm.Text {
			w.reject(codeUnsupportedValue, pathOf(t), "holds something else than text in a system message")
			return
		}
	}
	w.developer(t.Items, w.speaker(t.Name))
}

// speaker returns what goes in front of a participant's first text to say who speaks, where the channel wants that: this
// protocol has no names of participants.
func (w *writer) speaker(name string) []byte {
	switch {
	case name == "":
		return nil
	case w.x.Options.NamePrefix:
		w.approximate("messages.name")
		return append([]byte(name), ": "...)
	}
	w.drop("messages.name")
	return nil
}

// pathOf words the place of a turn.
func pathOf(t *llm.Turn) string {
	if t.Path.List == "" {
		return ""
	}
	return t.Path.List + "[" + strconv.Itoa(t.Path.Index) + "]"
}

// assistantTurn writes what the model said, thought and called, and behind that the results of its calls.
func (w *writer) assistantTurn(index int, pairs *pairing) {
	t := &w.r.Turns[index]
	name := w.speaker(t.Name)
	strip := w.own && w.losesThought(t)
	open := false // a message is being written
	for i := range t.Items {
		it := &t.Items[i]
		said := it.Kind == llm.Text || it.Kind == llm.Refusal
		if open && (!said || i > 0 && (it.ID != t.Items[i-1].ID || it.Phase != t.Items[i-1].Phase)) {
			w.dst = append(w.dst, "]},"...)
			open = false
		}
		switch {
		case said && it.Kind == llm.Text && len(it.Text) == 0 && !w.own:
		case said:
			if open {
				w.dst = append(w.dst, ',')
			} else {
				w.openMessage(it, strip)
				open = true
			}
			w.said(it, name)
			name = nil
		case it.Kind == llm.Thought:
			w.thought(it)
		case it.Kind == llm.Call:
			w.call(it, pairs.id(index, i), strip)
		default:
			w.otherItem(t, it, strip)
		}
	}
	if open {
		w.dst = append(w.dst, "]},"...)
	}
	if w.own {
		return
	}
	for i := range t.Items {
		if it := &t.Items[i]; it.Kind == llm.Call {
			w.answer(it, index, i, pairs)
		}
	}
}

// openMessage writes the head of a message of the model.
func (w *writer) openMessage(it *llm.Item, strip bool) {
	w.dst = append(w.dst, `{"type":"message","role":"assistant"`...)
	if w.own && !strip && it.ID != "" {
		w.str("id", it.ID)
		w.dst = append(w.dst, `,"status":"completed"`...)
	}
	w.str("phase", it.Phase)
	w.dst = append(w.dst, `,"content":[`...)
}

// said writes a part of a message of the model.
func (w *writer) said(it *llm.Item, name []byte) {
	if it.Kind == llm.Text {
		w.part(it, "output_text", name)
		return
	}
	if w.own && it.Raw != nil {
		w.dst = append(w.dst, it.Raw...)
		return
	}
	w.dst = json.AppendString(append(w.dst, `{"type":"refusal","refusal":`...), it.Text)
	w.dst = append(w.dst, '}')
}

// otherItem writes an item of the model's turn that has no counterpart in every protocol.
func (w *writer) otherItem(t *llm.Turn, it *llm.Item, strip bool) {
	switch {
	case w.own && it.Raw != nil:
		w.ownItem(it, strip)
	case it.Kind == llm.Hosted:
		w.drop(t.Path.List + "." + it.Name)
	case it.Kind == llm.Image, it.Kind == llm.File:
		w.reject(codeUnsupportedValue, pathOf(t), "holds a file in an assistant message, which OpenAI Responses can't take")
	default:
		w.reject(codeUnsupportedItem, pathOf(t),
			"holds an item ("+it.Name+") that only its own protocol knows. Use a channel of that protocol.")
	}
}

// ownItem writes an item of this protocol as the client wrote it, its id left out when it would point to nothing.
func (w *writer) ownItem(it *llm.Item, strip bool) {
	if !strip || it.ID == "" {
		w.dst = append(append(w.dst, it.Raw...), ',')
		return
	}
	w.dst = append(w.dst, '{')
	first := true
	m := json.Object(it.Raw)
	for m.Next() {
		if string(m.Key) == "id" {
			continue
		}
		if !first {
			w.dst = append(w.dst, ',')
		}
		first = false
		w.dst = append(json.AppendString(w.dst, m.Key), ':')
		w.dst = append(w.dst, m.Value()...)
	}
	w.dst = append(w.dst, "},"...)
}

// call writes a call of a tool under the given id.
func (w *writer) call(it *llm.Item, id string, strip bool) {
	if w.own && it.Raw != nil {
		w.ownItem(it, strip)
		return
	}
	if it.Cache != llm.CacheNone {
		w.drop("cache_control")
	}
	if it.Custom {
		w.dst = append(w.dst, `{"type":"custom_tool_call"`...)
	} else {
		w.dst = append(w.dst, `{"type":"function_call"`...)
	}
	if id == "" {
		id = it.CallID
	}
	w.str("call_id", id)
	if w.own {
		w.str("namespace", it.Namespace)
	}
	if it.Custom {
		w.str("name", w.wireName(it.Namespace, it.Name, llm.CustomTool))
		w.name("input")
		w.dst = json.AppendString(w.dst, it.Text)
	} else {
		w.str("name", w.wireName(it.Namespace, it.Name, llm.FunctionTool))
		w.name("arguments")
		if len(bytes.TrimSpace(it.Arguments)) == 0 {
			w.dst = append(w.dst, `"{}"`...)
		} else {
			w.dst = json.AppendString(w.dst, it.Arguments)
		}
	}
	w.dst = append(w.dst, "},"...)
}

// answer writes the result of a call of the model, wherever the conversation has it.
func (w *writer) answer(call *llm.Item, turn, item int, pairs *pairing) {
	place := place{turn, item}
	id := pairs.id(turn, item)
	result, ok := pairs.results[place]
	if ok {
		w.result(&w.r.Turns[result.turn].Items[result.item], id, call.Custom)
		return
	}
	if turn == len(w.r.Turns)-1 || !w.x.Options.Repair {
		w.reject(codeMissing, pathOf(&w.r.Turns[turn]), "has a call without a result: "+call.CallID)
		return
	}
	w.approximate(w.r.Turns[turn].Path.List)
	w.result(&llm.Item{
		Kind: llm.Result, IsError: true, Parts: []llm.Item{{Kind: llm.Text, Text: []byte(noResult)}},
	}, id, call.Custom)
}

// result writes the result of a call.
func (w *writer) result(it *llm.Item, id string, custom bool) {
	if it.Cache != llm.CacheNone {
		w.drop("cache_control")
	}
	if custom {
		w.dst = append(w.dst, `{"type":"custom_tool_call_output"`...)
	} else {
		w.dst = append(w.dst, `{"type":"function_call_output"`...)
	}
	w.str("call_id", id)
	prefix := ""
	if it.IsError {
		prefix = toolErrorPrefix
		w.str("status", "incomplete")
	}
	w.name("output")
	switch {
	case len(it.Parts) == 0:
		w.dst = json.AppendString(w.dst, prefix)
	case len(it.Parts) == 1 && it.Parts[0].Kind == llm.Text:
		w.prefixed(prefix, it.Parts[0].Text)
	default:
		w.dst = append(w.dst, '[')
		if prefix != "" && it.Parts[0].Kind != llm.Text {
			w.dst = json.AppendString(append(w.dst, `{"type":"input_text","text":`...), prefix)
			w.dst = append(w.dst, "},"...)
			prefix = ""
		}
		for i := range it.Parts {
			if i > 0 {
				w.dst = append(w.dst, ',')
			}
			w.part(&it.Parts[i], "input_text", []byte(prefix))
			prefix = ""
		}
		w.dst = append(w.dst, ']')
	}
	w.dst = append(w.dst, "},"...)
}

// prefixed writes two texts as one string.
func (w *writer) prefixed(prefix string, text []byte) {
	if prefix == "" {
		w.dst = json.AppendString(w.dst, text)
		return
	}
	w.dst = json.AppendString(w.dst, append([]byte(prefix), text...))
}

// userTurn writes what the user says. Results that stand with their calls are left out.
func (w *writer) userTurn(index int, pairs *pairing) {
	t := &w.r.Turns[index]
	name := w.speaker(t.Name)
	open := false
	for i := range t.Items {
		it := &t.Items[i]
		if it.Kind == llm.Result && !w.own && pairs.answered[place{index, i}] {
			continue
		}
		if it.Kind == llm.Result && w.own || it.Kind == llm.Opaque || it.Kind == llm.Hosted || it.Kind == llm.Reference {
			if open {
				w.dst = append(w.dst, "]},"...)
				open = false
			}
			w.ownResult(t, it)
			continue
		}
		if open {
			w.dst = append(w.dst, ',')
		} else {
			w.dst = append(w.dst, `{"type":"message","role":"user","content":[`...)
			open = true
		}
		if it.Kind == llm.Result {
			w.orphan(it)
			continue
		}
		w.part(it, "input_text", name)
		if it.Kind == llm.Text {
			name = nil
		}
	}
	if open {
		w.dst = append(w.dst, "]},"...)
	}
}

// ownResult writes an item of a user turn that is no part of a message.
func (w *writer) ownResult(t *llm.Turn, it *llm.Item) {
	switch {
	case w.own && it.Raw != nil:
		w.dst = append(append(w.dst, it.Raw...), ',')
	case it.Kind == llm.Result:
		w.result(it, it.CallID, it.Custom)
	default:
		w.otherItem(t, it, false)
	}
}

// orphan writes the result of a call that is not in the conversation, or that has another result, as a text of the user.
func (w *writer) orphan(it *llm.Item) {
	w.approximate("messages")
	text := append([]byte("[orphan tool result "), it.CallID...)
	text = append(text, ']')
	for i := range it.Parts {
		if it.Parts[i].Kind == llm.Text {
			text = append(append(text, ' '), it.Parts[i].Text...)
		}
	}
	w.dst = json.AppendString(append(w.dst, `{"type":"input_text","text":`...), text)
	w.dst = append(w.dst, '}')
}
