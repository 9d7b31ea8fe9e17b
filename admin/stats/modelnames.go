package stats

import (
	"strings"
	"sync"
)

// modelNames are the models that are counted each. The zero value has room for maxModels.
type modelNames struct {
	// mu guards known. Many read at once, and after the first minutes nobody writes.
	mu    sync.RWMutex
	known map[string]struct{}
}

// counted returns the id under which a model is counted: its name, as long as there is room, else OtherModels.
func (m *modelNames) counted(model string) string {
	m.mu.RLock()
	_, ok := m.known[model]
	full := len(m.known) >= maxModels
	m.mu.RUnlock()
	switch {
	case ok || model == "":
		return model
	case full:
		return OtherModels
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = make(map[string]struct{})
	}
	if len(m.known) >= maxModels {
		return OtherModels
	}
	m.known[strings.Clone(model)] = struct{}{}
	return model
}
