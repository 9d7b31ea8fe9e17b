package requestlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"octopus/admin/store"
)

// Log is the ledger in a store. Make it with Open. Its methods may be called by any number of goroutines at once, but Take
// by one, and Prune by one.
type Log struct {
	store *store.Store
	// last is the number of the last row, block storage for what Take writes.
	last  uint64
	block block
	// searchTime is how long a search may take, about.
	searchTime time.Duration
	// mu guards followers.
	mu        sync.Mutex
	followers map[*Follower]struct{}
}

// Open returns the ledger in a store.
func Open(s *store.Store) (*Log, error) {
	l := &Log{store: s, searchTime: searchTime, followers: make(map[*Follower]struct{})}
	r := store.SpaceLedger.Range()
	r.Reverse = true
	err := s.Scan(r, func(key, stored []byte) bool {
		records, err := splitBlock(nil, stored)
		if l.last = numberOf(key) + uint64(max(len(records), 1)) - 1; err != nil {
			l.last += uint64(len(stored)) // more rows than it can have had
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// A row's number is the millisecond in which it was written, and behind it, in sequenceBits, its place within that.
const sequenceBits = 20

// firstNumber returns the smallest number of rows written at a time or later.
func firstNumber(at time.Time) uint64 {
	if at.IsZero() {
		return 0
	}
	return uint64(max(at.UnixMilli(), 0)) << sequenceBits
}

// writtenAt returns when a row was written.
func writtenAt(number uint64) time.Time { return time.UnixMilli(int64(number >> sequenceBits)) }

// dayOf returns the day of a row's number, in UTC.
func dayOf(number uint64) uint32 { return uint32(number >> sequenceBits / (24 * 3600 * 1000)) }

// Take numbers the rows of buffers, puts them into the batch, and empties the buffers. Published must be called when the batch
// is committed.
func (l *Log) Take(buffers []*Buffer, now time.Time, b *store.Batch) (written Written) {
	number := max(l.last+1, firstNumber(now))
	l.block.first = number
	followed := l.followed()
	for _, buffer := range buffers {
		buffer.putBodies(b, number)
		for record := range buffer.all {
			if len(l.block.records) >= blockBytes {
				l.block.put(b)
			}
			l.block.add(record)
			if followed {
				written.records = append(written.records, append(binary.BigEndian.AppendUint64(nil, number), record...))
			}
			number++
			written.Rows++
		}
		buffer.reset()
	}
	l.block.put(b)
	l.last = number - 1
	return written
}

// Written is what Take put into a batch.
type Written struct {
	// Rows counts the rows.
	Rows    int
	records [][]byte
}

// Find returns the row with a request id, or nil when there is none. It looks at the days of the last rows first.
func (l *Log) Find(id string) (*Row, error) {
	first, last, err := l.days()
	if err != nil {
		return nil, err
	}
	for day := last; day >= first && day > 0; day-- {
		// Blocks that begin at this id or before it, the nearest one first.
		var number uint64
		var bad error
		r := store.Range{From: indexKey(nil, day, nil), To: append(indexKey(nil, day, []byte(id)), 0), Reverse: true}
		err := l.store.Scan(r, func(_, value []byte) bool {
			if len(value) >= 8 && string(value[8:]) >= id {
				number, bad = l.find(binary.BigEndian.Uint64(value), id)
			}
			return number == 0 && bad == nil
		})
		if err = errors.Join(err, bad); err != nil {
			return nil, err
		}
		if number != 0 {
			return l.row(number)
		}
	}
	return nil, nil
}

// find returns the number of the row with an id in a block, 0 when there is none.
func (l *Log) find(first uint64, id string) (uint64, error) {
	stored, ok, err := l.store.Get(nil, blockKey(nil, first))
	if err != nil || !ok {
		return 0, err
	}
	records, err := splitBlock(nil, stored)
	if err != nil {
		return 0, fmt.Errorf("%w: block %d", err, first)
	}
	for i, record := range records {
		if string(idOf(record)) == id {
			return first + uint64(i), nil
		}
	}
	return 0, nil
}

// days returns the days of the first and the last row, 0 when there are none.
func (l *Log) days() (first, last uint32, err error) {
	for _, end := range [...]struct {
		day     *uint32
		reverse bool
	}{{&first, false}, {&last, true}} {
		r := store.SpaceLedgerIndex.Range()
		r.Reverse = end.reverse
		err = l.store.Scan(r, func(key, _ []byte) bool {
			*end.day = binary.BigEndian.Uint32(key[1:])
			return false
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return first, last, nil
}

// row returns a row by its number, nil when there is none.
func (l *Log) row(number uint64) (row *Row, err error) {
	var bad error
	err = l.store.Scan(store.Range{From: blockKey(nil, 0), To: blockKey(nil, number+1), Reverse: true}, func(key, stored []byte) bool {
		var records [][]byte
		if records, bad = splitBlock(nil, stored); bad != nil {
			return false
		}
		if i := number - numberOf(key); i < uint64(len(records)) {
			if row, bad = readRow(records[i]); bad == nil {
				row.Number = number
			}
		}
		return false
	})
	if bad != nil {
		bad = fmt.Errorf("%w: number %d", bad, number)
	}
	return row, errors.Join(err, bad)
}
