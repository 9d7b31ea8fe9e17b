package gateway

import (
	"container/list"
	"sync"
	"time"
)

// Memory keeps what later requests may refer to: answers by their id, for previous_response_id and the like. Entries may be
// forgotten at any time. Methods may be called from any goroutine.
type Memory interface {
	// Keep remembers value under key, in place of what was there. It takes over both; the value must not be changed any more.
	Keep(key string, value []byte)
	// Find returns what is kept under key, or nil. The value must not be changed. It waits for I/O no longer than 50 ms.
	Find(key string) []byte
	// Drop forgets a key.
	Drop(key string)
}

// localMemory is a Memory of this process: the least recently used entries go first when the bytes are used up, and every
// entry goes after its time.
type localMemory struct {
	// mu guards everything below.
	mu       sync.Mutex
	ttl      time.Duration
	maxBytes int64
	bytes    int64
	entries  map[string]*list.Element
	// used has the most recently used entry at its front.
	used list.List
}

// memoryEntry is one entry of a localMemory.
type memoryEntry struct {
	key     string
	value   []byte
	expires time.Time
}

// entryOverhead is about what an entry takes beside its key and value, in bytes.
const entryOverhead = 200

func (e *memoryEntry) size() int64 { return int64(len(e.key)+len(e.value)) + entryOverhead }

var _ Memory = (*localMemory)(nil)

// limit sets the bounds. Zero bytes turn the memory off.
func (m *localMemory) limit(ttl time.Duration, maxBytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ttl, m.maxBytes = ttl, maxBytes
	m.shrink(time.Now())
}

// Keep implements Memory.
func (m *localMemory) Keep(key string, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(m.entries[key])
	at := time.Now()
	e := &memoryEntry{key: key, value: value, expires: at.Add(m.ttl)}
	if e.size() > m.maxBytes {
		return
	}
	if m.entries == nil {
		m.entries = make(map[string]*list.Element)
	}
	m.entries[key] = m.used.PushFront(e)
	m.bytes += e.size()
	m.shrink(at)
}

// Find implements Memory.
func (m *localMemory) Find(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	element := m.entries[key]
	if element == nil {
		return nil
	}
	e := element.Value.(*memoryEntry)
	if time.Now().After(e.expires) {
		m.remove(element)
		return nil
	}
	m.used.MoveToFront(element)
	return e.value
}

// Drop implements Memory.
func (m *localMemory) Drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(m.entries[key])
}

// shrink forgets what is too much, and what has expired among the entries that were used least recently. mu is held.
func (m *localMemory) shrink(at time.Time) {
	for last := m.used.Back(); last != nil; last = m.used.Back() {
		if m.bytes <= m.maxBytes && !at.After(last.Value.(*memoryEntry).expires) {
			return
		}
		m.remove(last)
	}
}

// remove forgets an entry, if it is one. mu is held.
func (m *localMemory) remove(element *list.Element) {
	if element == nil {
		return
	}
	e := m.used.Remove(element).(*memoryEntry)
	delete(m.entries, e.key)
	m.bytes -= e.size()
}
