package requestlog

import "encoding/binary"

// followed is how many batches of rows a follower may be behind.
const followed = 16

// Follower is told new rows. Make it with Follow.
type Follower struct {
	log *Log
	// Rows yields the rows of each batch, in order. When its reader is too slow, batches are left out.
	Rows <-chan []*Row
	rows chan []*Row
}

// Follow returns a follower, which must be closed.
func (l *Log) Follow() *Follower {
	f := &Follower{log: l, rows: make(chan []*Row, followed)}
	f.Rows = f.rows
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers[f] = struct{}{}
	return f
}

// Close ends the following. Rows is not closed.
func (f *Follower) Close() {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	delete(f.log.followers, f)
}

// followed reports whether anyone follows.
func (l *Log) followed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.followers) > 0
}

// Publish tells followers what was written, once its batch is committed.
func (l *Log) Publish(w Written) {
	if len(w.records) == 0 {
		return
	}
	rows := make([]*Row, 0, len(w.records))
	for _, record := range w.records {
		if row, err := readRow(record[8:]); err == nil {
			row.Number = binary.BigEndian.Uint64(record)
			rows = append(rows, row)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.followers {
		select {
		case f.rows <- rows:
		default: // too slow
		}
	}
}
