package requestlog

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"octopus/admin/store"
)

// Log is the ledger in a store. Make it with Open. Its methods may be called by any number of goroutines at once, but Take
// by one, and Prune by one.
type Log struct {
	store *store.Store
	// last is the number of the last row.
	last uint64
	// mu guards followers.
	mu        sync.Mutex
	followers map[*Follower]struct{}
}

// Open returns the ledger in a store.
func Open(s *store.Store) (*Log, error) {
	l := &Log{store: s, followers: make(map[*Follower]struct{})}
	r := store.SpaceLedger.Range()
	r.Reverse = true
	err := s.Scan(r, func(key, _ []byte) bool {
		l.last = numberOf(key)
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

func rowKey(dst []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(store.SpaceLedger.Key(dst), number)
}

// numberOf returns the number in a row's key, 0 of anything else.
func numberOf(key []byte) uint64 {
	if len(key) != 9 {
		return 0
	}
	return binary.BigEndian.Uint64(key[1:])
}

// indexKey returns the key under which a row is found by its id: the day on which it was written, so that a day is one range,
// and the id. Ids of a process grow, so that what is written together stands together and costs the database little.
func indexKey(dst []byte, day uint32, id []byte) []byte {
	return append(binary.BigEndian.AppendUint32(store.SpaceLedgerIndex.Key(dst), day), id...)
}

// dayOf returns the day of a row's number, in UTC.
func dayOf(number uint64) uint32 { return uint32(number >> sequenceBits / (24 * 3600 * 1000)) }

// Take numbers the rows of buffers, puts them into the batch, and empties the buffers. Published must be called when the batch
// is committed.
func (l *Log) Take(buffers []*Buffer, now time.Time, b *store.Batch) (written Written) {
	number := max(l.last+1, firstNumber(now))
	var key, index [64]byte
	for _, buffer := range buffers {
		buffer.putBodies(b, number)
		for record := range buffer.all {
			b.Set(rowKey(key[:0], number), record)
			if id := idOf(record); id != nil {
				b.Set(indexKey(index[:0], dayOf(number), id), binary.BigEndian.AppendUint64(nil, number))
			}
			if l.followed() {
				written.records = append(written.records, append(binary.BigEndian.AppendUint64(nil, number), record...))
			}
			number++
			written.Rows++
		}
		buffer.reset()
	}
	l.last = number - 1
	return written
}

// idOf returns the id in a record, which stands first, or nil.
func idOf(record []byte) (id []byte) {
	const tag = rowID<<3 | 2
	if len(record) > 2 && record[0] == tag && record[1] < 0x80 && len(record) >= 2+int(record[1]) {
		return record[2 : 2+record[1]]
	}
	return nil
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
		text, ok, err := l.store.Get(nil, indexKey(nil, day, []byte(id)))
		if err != nil {
			return nil, err
		}
		if !ok || len(text) != 8 {
			continue
		}
		row, err := l.row(binary.BigEndian.Uint64(text))
		if err != nil {
			return nil, err
		}
		if row != nil && row.ID == id {
			return row, nil
		}
	}
	return nil, nil
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
func (l *Log) row(number uint64) (*Row, error) {
	record, ok, err := l.store.Get(nil, rowKey(nil, number))
	if err != nil || !ok {
		return nil, err
	}
	row, err := readRow(record)
	if err != nil {
		return nil, fmt.Errorf("%w: number %d", err, number)
	}
	row.Number = number
	return row, nil
}
