package store

import "bytes"

// Space is a range of keys that belongs to one purpose: its byte is the first of each key. The numbers are part of the
// format on disk.
type Space byte

// The spaces.
const (
	// spaceMeta holds the schema's version and the check of the secret key.
	spaceMeta Space = 'm'
	// spaceConfig holds the configuration.
	spaceConfig Space = 'c'
	// SpaceAccount holds the account of the panel.
	SpaceAccount Space = 'a'
	// SpaceKept holds documents that came from outside, by name: the last good catalog of prices.
	SpaceKept Space = 'k'
	// SpaceLedger holds the rows of the ledger; SpaceLedgerIndex what finds them; SpaceBodies the bodies that go with them.
	SpaceLedger      Space = 'l'
	SpaceLedgerIndex Space = 'i'
	SpaceBodies      Space = 'b'
	// SpaceStats holds the counters of the statistics.
	SpaceStats Space = 's'
)

// Key appends a key of the space to dst.
func (s Space) Key(dst []byte, parts ...string) []byte {
	dst = append(dst, byte(s))
	for i, part := range parts {
		if i > 0 {
			dst = append(dst, '/')
		}
		dst = append(dst, part...)
	}
	return dst
}

// Range returns all keys of the space.
func (s Space) Range() Range { return Prefixed([]byte{byte(s)}) }

// Prefixed returns all keys with a prefix, which is copied.
func Prefixed(prefix []byte) Range { return Range{From: bytes.Clone(prefix), To: after(prefix)} }
