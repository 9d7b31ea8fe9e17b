package gateway

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m localMemory
		m.limit(time.Hour, 10*(entryOverhead+10))
		find := func(key, want string) {
			t.Helper()
			if got := m.Find(key); string(got) != want {
				t.Errorf("%s: got %q, want %q", key, got, want)
			}
		}
		find("key00", "")
		for i := range 10 {
			m.Keep(fmt.Sprintf("key%02d", i), []byte("value"))
		}
		find("key00", "value")
		m.Keep("key10", []byte("value"))
		find("key01", "") // the least recently used
		find("key00", "value")
		m.Keep("key10", []byte("other"))
		find("key10", "other")
		m.Drop("key10")
		m.Drop("key10")
		find("key10", "")
		m.Keep("large", make([]byte, 10*(entryOverhead+10)))
		find("large", "")
		find("key09", "value")

		time.Sleep(30 * time.Minute)
		m.Keep("young", []byte("value"))
		time.Sleep(31 * time.Minute)
		find("key09", "")
		find("young", "value")

		m.limit(time.Hour, 0)
		find("young", "")
		if m.bytes != 0 || m.used.Len() != 0 || len(m.entries) != 0 {
			t.Errorf("%d bytes in %d entries are left", m.bytes, m.used.Len())
		}
	})
}

func TestMemoryStaysWithinItsBytes(t *testing.T) {
	var m localMemory
	m.limit(time.Hour, 100_000)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 1000 {
				m.Keep(fmt.Sprint(w, i%50), make([]byte, i))
				m.Find(fmt.Sprint(w, i%30))
				m.Drop(fmt.Sprint(w, i%20))
			}
		})
	}
	writers.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	total := int64(0)
	for e := m.used.Front(); e != nil; e = e.Next() {
		total += e.Value.(*memoryEntry).size()
	}
	if total != m.bytes || total > m.maxBytes || m.used.Len() != len(m.entries) {
		t.Errorf("%d bytes counted as %d, limit %d; %d entries and %d keys", total, m.bytes, m.maxBytes, m.used.Len(), len(m.entries))
	}
}
