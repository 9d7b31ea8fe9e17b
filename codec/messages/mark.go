package messages

import (
	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxMarks is how many blocks of a request may be marked for caching.
const maxMarks = 4

// plannedMarks is how the marks of caching are given out while the body is written.
type plannedMarks struct {
	// auto is the mark of the request itself.
	auto llm.CacheTTL
	// long makes every mark live for an hour.
	long bool
	// skipHead and skipMessages are how many of the next marks of tools and system, and of messages, are too many.
	skipHead, skipMessages int
	// short is whether a mark of five minutes was written, behind which none of an hour may stand.
	short bool
}

// planMarks decides which marks are kept (protocols.md D.14): of more than four, the earliest in the conversation go first.
func (w *writer) planMarks() {
	m := &w.marks
	if w.native {
		m.auto = w.r.Cache.Auto
		return
	}
	mode, ttl := json.Get(w.r.Cache.Options, "mode"), json.Get(w.r.Cache.Options, "ttl")
	m.long = w.r.Cache.Retention == "24h" || string(ttl) == `"12h"`
	if w.r.Cache.Key != "" {
		w.drop("prompt_cache_key")
	}
	head, conversation := 0, 0
	for i := range w.tools {
		if w.tools[i].keep && w.tools[i].tool.Cache != llm.CacheNone && w.tools[i].tool.Kind != llm.RemoteTool {
			head++
		}
	}
	for i := range w.system {
		if w.system[i].Cache != llm.CacheNone {
			head++
		}
	}
	assistant := false
	for i := range w.messages {
		assistant = assistant || w.messages[i].role == llm.Assistant
		conversation += w.countMarks(&w.messages[i])
	}
	most := maxMarks
	if m.auto = w.r.Cache.Auto; m.auto != llm.CacheNone {
		most-- // a client that mixes the protocols has asked for the automatic one
	}
	m.skipHead = max(0, head-most)
	m.skipMessages = min(conversation, max(0, head+conversation-most))
	if m.skipHead+m.skipMessages > 0 {
		w.drop("cache_control")
	}
	if m.auto == llm.CacheLong && head+conversation > 0 && !m.long {
		// It stands last, behind marks that may be of five minutes.
		m.auto = llm.CacheShort
		w.approximate("cache_control")
	}
	marked := head+conversation > 0 || m.auto != llm.CacheNone
	if !marked && w.x.Options.AutoCache && w.x.Options.FirstParty && string(mode) != `"explicit"` &&
		(assistant || w.keptTools() > 0) {
		m.auto = llm.CacheShort
		if m.long {
			m.auto = llm.CacheLong
		}
		marked = true
	}
	if m.long && !marked {
		w.drop(w.retentionField())
	}
}

func (w *writer) retentionField() string {
	if w.r.Cache.Retention != "" {
		return "prompt_cache_retention"
	}
	return "prompt_cache_options"
}

// countMarks returns how many marks the message carries.
func (w *writer) countMarks(m *message) int {
	n := 0
	for c := m.firstCall; c < m.firstCall+m.answers; c++ {
		if result := w.calls[c].result; result != nil && markOf(result) != llm.CacheNone {
			n++
		}
	}
	for i := range m.refs {
		if ref := &m.refs[i]; ref.item != nil && ref.item.Kind != llm.Thought && markOf(ref.item) != llm.CacheNone {
			n++
		}
	}
	return n
}

// markOf returns the mark of an item, or of the last of its parts that has one.
func markOf(item *llm.Item) llm.CacheTTL {
	mark := item.Cache
	if mark == llm.CacheNone {
		for i := range item.Parts {
			if item.Parts[i].Cache != llm.CacheNone {
				mark = item.Parts[i].Cache
			}
		}
	}
	return mark
}

// writeToolMark and writeMark write the mark of a tool or a system text, and of a block in a message.
func (w *writer) writeToolMark(mark llm.CacheTTL) { w.writeMarkOf(mark, &w.marks.skipHead) }

func (w *writer) writeMark(mark llm.CacheTTL) { w.writeMarkOf(mark, &w.marks.skipMessages) }

func (w *writer) writeMarkOf(mark llm.CacheTTL, skip *int) {
	if mark == llm.CacheNone {
		return
	}
	if *skip > 0 {
		*skip--
		return
	}
	if w.marks.long {
		mark = llm.CacheLong
	}
	if mark == llm.CacheLong && w.marks.short {
		mark = llm.CacheShort
		w.approximate("cache_control")
	}
	w.marks.short = w.marks.short || mark == llm.CacheShort
	w.dst = appendMark(append(w.dst, ','), mark)
}

// appendMark appends the member cache_control.
func appendMark(dst []byte, mark llm.CacheTTL) []byte {
	if mark == llm.CacheLong {
		return append(dst, `"cache_control":{"type":"ephemeral","ttl":"1h"}`...)
	}
	return append(dst, `"cache_control":{"type":"ephemeral"}`...)
}
