package chat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// writeCache writes the policy of prompt caching (protocols.md D.14). Marks stand at the parts.
func (w *writer) writeCache() {
	c := &w.r.Cache
	key := c.Key
	if key == "" && w.x.Options.FirstParty && w.x.Options.PromptCacheKey {
		key = w.deriveCacheKey()
	}
	w.text("prompt_cache_key", key)
	switch {
	case c.Retention == "":
	case w.x.Options.FirstParty || w.r.Protocol == llm.Chat:
		w.text("prompt_cache_retention", c.Retention)
	default:
		w.drop("prompt_cache_retention")
	}
	switch {
	case json.IsEmpty(c.Options):
	case w.model.CacheBreakpoints || w.r.Protocol == llm.Chat:
		w.member("prompt_cache_options", c.Options)
	default:
		w.drop("prompt_cache_options")
	}
	if c.Auto != llm.CacheNone && !w.x.Options.FirstParty {
		w.drop("cache_control") // OpenAI itself caches by its own
	}
}

// deriveCacheKey returns a key that stays the same over the turns of a conversation: of the client's session where it
// names one, else of the texts and tools that all of its requests begin with.
func (w *writer) deriveCacheKey() string {
	if w.r.User == "" && len(w.r.System)+len(w.r.Tools) == 0 {
		return "" // nothing that a cache could hold
	}
	h := sha256.New()
	if w.r.User != "" && w.r.Protocol == llm.Messages {
		feed(h, w.r.User)
	} else {
		for i := range w.r.System {
			if text := w.r.System[i].Text; !bytes.HasPrefix(text, billingPrefix) {
				feed(h, json.Borrow(text))
			}
		}
		for i := range w.r.Tools {
			feed(h, w.r.Tools[i].Namespace)
			feed(h, w.r.Tools[i].Name)
			feed(h, json.Borrow(w.r.Tools[i].Schema))
		}
	}
	sum := h.Sum(nil)
	return "gw_" + hex.EncodeToString(sum)[:32]
}

// feed adds text and a separator. A hash never returns an error.
func feed(h hash.Hash, text string) {
	_, _ = io.WriteString(h, text)
	_, _ = h.Write([]byte{0})
}

// maxMarks is how many marks of prompt caching a request may have.
const maxMarks = 4

// countMarks returns how many marks there are in the parts of the conversation that an upstream could take them from.
func (w *writer) countMarks() (system, messages int) {
	for i := range w.r.System {
		if w.r.System[i].Cache != llm.CacheNone {
			system++
		}
	}
	for i := range w.r.Turns {
		if w.r.Turns[i].Role == llm.Assistant {
			continue
		}
		for j := range w.r.Turns[i].Items {
			if isMarkable(&w.r.Turns[i].Items[j]) {
				messages++
			}
		}
	}
	return system, messages
}

// isMarkable reports whether an item has a mark that a content part can carry.
func isMarkable(item *llm.Item) bool {
	switch item.Kind {
	case llm.Text, llm.Image, llm.File:
		return item.Cache != llm.CacheNone
	}
	return false
}

// breakpoint appends the mark of a part, if the model knows marks.
func (w *writer) breakpoint(mark llm.CacheTTL) {
	switch {
	case mark == llm.CacheNone:
	case !w.model.CacheBreakpoints:
		w.dropMark()
	case mark == llm.CacheLong:
		w.dst = append(w.dst, `,"prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}`...)
	default:
		w.dst = append(w.dst, `,"prompt_cache_breakpoint":{"mode":"explicit"}`...)
	}
}

// dropMark notes that a mark was left out.
func (w *writer) dropMark() {
	w.drop(w.word("prompt_cache_breakpoint", "prompt_cache_breakpoint", "cache_control"))
}
