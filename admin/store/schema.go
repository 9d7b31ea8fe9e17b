package store

import (
	"errors"
	"fmt"
	"strconv"
)

// migration changes a database from one version of the schema to the next, within the batch.
type migration func(s *Store, b *Batch) error

// migrations bring the schema from version 1 to the present one: the n-th leads from version n+1 to n+2. Version 1 is what a
// new database has when there are none.
var migrations []migration

// The keys of spaceMeta.
const (
	metaSchema = "schema"
	metaCheck  = "check"
)

// checkText is what is sealed under metaCheck.
const checkText = "octopus"

// prepare checks that the database is one of ours and was made with our secret key, and brings its schema up to date. A new
// one becomes one of ours.
func (s *Store) prepare(migrations []migration) error {
	present := len(migrations) + 1
	text, ok, err := s.Get(nil, spaceMeta.Key(nil, metaSchema))
	if err != nil {
		return err
	}
	if !ok {
		if err := s.mustBeEmpty(); err != nil {
			return err
		}
		b := s.NewBatch()
		b.Set(spaceMeta.Key(nil, metaSchema), strconv.AppendInt(nil, int64(present), 10))
		b.Set(spaceMeta.Key(nil, metaCheck), s.sealer.seal(metaCheck, checkText))
		return s.Commit(b)
	}
	version, err := strconv.Atoi(string(text))
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("its schema version is %q", text)
	case version > present:
		return fmt.Errorf("written by a newer version of octopus (schema %d, this one knows %d)", version, present)
	}
	box, _, err := s.Get(nil, spaceMeta.Key(nil, metaCheck))
	if err != nil {
		return err
	}
	if found, err := s.sealer.open(metaCheck, box); err != nil || found != checkText {
		return errors.New("made with another secret key (--secret-key, --secret-key-file)")
	}
	for ; version < present; version++ {
		b := s.NewBatch()
		if err := migrations[version-1](s, b); err != nil {
			b.Discard()
			return fmt.Errorf("migrate schema %d: %w", version, err)
		}
		b.Set(spaceMeta.Key(nil, metaSchema), strconv.AppendInt(nil, int64(version+1), 10))
		if err := s.Commit(b); err != nil {
			return fmt.Errorf("migrate schema %d: %w", version, err)
		}
	}
	return nil
}

// mustBeEmpty refuses a database of someone else's.
func (s *Store) mustBeEmpty() error {
	foreign := false
	if err := s.Scan(Range{}, func([]byte, []byte) bool {
		foreign = true
		return false
	}); err != nil {
		return err
	}
	if foreign {
		return errors.New("not a database of octopus")
	}
	return nil
}
