package store

import "fmt"

// KeptDocument returns a document of SpaceKept and its tag, or nil when there is none.
func (s *Store) KeptDocument(name string) (document []byte, tag string, err error) {
	document, _, err = s.Get(nil, SpaceKept.Key(nil, name))
	if err != nil {
		return nil, "", fmt.Errorf("store: document %s: %w", name, err)
	}
	etag, _, err := s.Get(nil, SpaceKept.Key(nil, name, "tag"))
	return document, string(etag), err
}

// KeepDocument stores a document of SpaceKept and its tag. Both are copied.
func (s *Store) KeepDocument(name string, document []byte, tag string) error {
	b := s.NewBatch()
	b.Set(SpaceKept.Key(nil, name), document)
	b.Set(SpaceKept.Key(nil, name, "tag"), []byte(tag))
	return s.Commit(b)
}
